"""The rules for Linux programs: on the programs of Debian where they are installed or unpacked, on harmless ones written here, on nothing else.

``TRIAGE_PACKAGES`` may name a folder in which Debian packages were unpacked (``apt-get download tor; dpkg-deb -x tor_*.deb FOLDER``).
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from rules import yara_rules
from rules.yara_rules import YaraRules

PROGRAMS = {
    "linux_wiping_program": ("wipe", "srm", "sfill", "nwipe", "scrub", "bleachbit.py"),
    "linux_anonymising_program": ("tor", "i2pd", "proxychains4"),
    "linux_hiding_program": ("steghide", "outguess", "stegsnow"),
    "linux_encryption_program": ("gocryptfs", "libencfs.so.1.9.5"),
    "linux_sharing_program": ("qbittorrent", "transmission-gtk"),
}
RULE_OF = {name: rule for rule, names in PROGRAMS.items() for name in names}
OTHERS = ("bash", "ls", "python3", "rclone", "gpg", "ssh", "curl", "openssl", "git", "perl")


@pytest.fixture(scope="module")
def rules() -> YaraRules:
    return yara_rules.load([yara_rules.SHIPPED])


def fired(rules: YaraRules, data: bytes, name: str) -> set[str]:
    return {
        hit.rule for hit in rules.match(data, filename=name, filepath="/usr/bin/" + name, extension="") if hit.rule.startswith("linux_")
    }


def strings_of(rule: str) -> list[tuple[str, str]]:
    """The plain strings of a rule, in their groups: what stands before ``_a``, ``_b`` in their names."""
    source = (yara_rules.SHIPPED / "linux_programs.yar").read_text("utf-8")
    body = source[source.index(f"rule {rule} ") :].partition("condition:")[0]
    return re.findall(r'\$(\w+?)(?:_[a-z])? = "((?:[^"\\]|\\.)*)"', body)


@pytest.mark.parametrize("rule", PROGRAMS)
def test_harmless_programs_that_say_so(rules: YaraRules, rule: str) -> None:
    groups: dict[str, list[bytes]] = {}
    for group, text in strings_of(rule):
        groups.setdefault(group, []).append(text.replace("\\t", "\t").encode())
    assert len(groups) >= 2
    for group, texts in groups.items():
        if group == "bleachbit":
            continue
        data = b"\0".join([b"\x7fELF\x02\x01\x01", bytes(60), *texts, bytes(20)])
        assert fired(rules, data, "renamed") == {rule}, group
        assert fired(rules, data[1:], "a text that quotes it") == set()
        if len(texts) > 1:
            assert fired(rules, b"\0".join([b"\x7fELF\x02\x01\x01", bytes(60), texts[0]]), "half") == set(), group
    script = b"#!/usr/bin/python3\n# BleachBit\nfrom bleachbit import CLI\n"
    assert (fired(rules, script, "x") == {rule}) == (rule == "linux_wiping_program")


@pytest.mark.tools
def test_the_programs_of_debian(rules: YaraRules) -> None:
    folders = [Path("/usr/bin"), Path("/usr/sbin")]
    if os.environ.get("TRIAGE_PACKAGES"):
        folders += [Path(place) for place, _, _ in os.walk(os.environ["TRIAGE_PACKAGES"])]
    # Under the same names there are folders' scripts and settings, too: only programs count.
    found = [
        path
        for folder in folders
        for name in RULE_OF
        if (path := folder / name).is_file() and path.read_bytes()[:4] in (b"\x7fELF", b"#!/u")
    ]
    found = [path for path in found if "etc" not in path.parts]
    if not found:
        pytest.skip("none of the programs is installed")
    for path in found:
        assert fired(rules, path.read_bytes(), "renamed") == {RULE_OF[path.name]}, path


@pytest.mark.tools
def test_other_programs_are_none_of_them(rules: YaraRules) -> None:
    found = [path for name in OTHERS if (path := Path("/usr/bin") / name).is_file()]
    assert found, "not even a shell here"
    for path in found:
        assert fired(rules, path.read_bytes(), path.name) == set(), path

"""Keys of programs: of the machine and of a user, and what the software catalogue makes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.observations import RegistryTrace
from artefacts.times import Timestamp
from artefacts.windows.registry_vendors import parse
from rules import software
from rules.software import Joiner

CONFIG = "/Windows/System32/config/SOFTWARE"
USER = "/Users/jo/NTUSER.DAT"


def keys(evidence: Any, path: str, data: bytes) -> list[RegistryTrace]:
    observations, problems = evidence({path: data}).parse(parse, path)
    assert problems == []
    return list(observations)


def test_machine_and_user(evidence: Any, write_hive: Any) -> None:
    machine = keys(
        evidence,
        CONFIG,
        write_hive(
            {"Acme": {"Tool": {"Password": "x"}, "Other": {}}, "Microsoft": {"Windows": {}}, "Wow6432Node": {"Piriform": {"CCleaner": {}}}}
        ),
    )
    assert [item.key for item in machine] == [r"Software\Acme\Other", r"Software\Acme\Tool", r"Software\Piriform\CCleaner"]
    user = keys(
        evidence,
        USER,
        write_hive({"Software": {"Piriform": {"CCleaner": {}}, "Shareaza": {}, "Classes": {"a": {}}}, "Environment": {"A": {}}}),
    )
    assert [(item.key, item.user) for item in user] == [(r"Software\Piriform\CCleaner", "jo"), (r"Software\Shareaza", "jo")]
    assert all(isinstance(item.written, Timestamp) for item in user)
    joiner = Joiner(software.load())
    hits = [{hit.program.id for hit in joiner.match({**item.to_json(), "provenance": {"path": USER}})} for item in user]
    assert hits == [{"ccleaner"}, {"shareaza"}]


@pytest.mark.specimens
def test_a_user_of_windows_7(evidence: Any, unpacked: Callable[[str], Path]) -> None:
    found = {item.key for item in keys(evidence, USER, unpacked("registry/plaso/NTUSER-WIN7.DAT.xz").read_bytes())}
    assert found and all(key.startswith("Software\\") and not key.lower().startswith("software\\microsoft") for key in found)


def test_damaged_copies(evidence: Any, write_hive: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    from artefacts.coverage import Unrecognised

    whole = write_hive({"Software": {f"Vendor {number}": {"Product": {}} for number in range(30)}})
    for copy in mutations(whole, 80):
        try:
            evidence({USER: copy}).parse(parse, USER)
        except Unrecognised:
            pass

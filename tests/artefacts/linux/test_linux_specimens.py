"""Every Linux specimen: its exact facts, and no problem but the four lines that are in error; each of them damaged."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Encrypted, Unrecognised
from artefacts.linux import audit_log, desktop, docker, journal, packages, sign_in_records, syslog, viminfo
from artefacts.registry import Parser

pytestmark = pytest.mark.specimens

LOGS = "linux/plaso/syslog/"
CONTAINER = "linux/plaso/docker/containers/e7d0b7ea5ccf08366e2b0c8afa2318674e8aefe802315378125d2bb83fe3110c/"
LAYER = "linux/plaso/docker/graph/3c9a9d7cc6a235eb2de58ca9ef3551c67ae42a991933ba4958d207b29142902b/json"
READERS: dict[str, Parser] = {
    "linux/plaso/apt_history.log": packages.parse_apt_history,
    "linux/plaso/dpkg.log": packages.parse_dpkg_log,
    "linux/plaso/.viminfo": viminfo.parse,
    "linux/plaso/selinux.log": audit_log.parse,
    CONTAINER + "config.json": docker.parse_container,
    CONTAINER + "container-json.log": docker.parse_log,
    LAYER: docker.parse_image,
    "mixed/plaso-apps/activity.sqlite": desktop.parse_zeitgeist,
    "mixed/velociraptor/wtmp.1": sign_in_records.parse,
    "mixed/bulk_extractor/wtmp-sparc-be": sign_in_records.parse,
    "mixed/bulk_extractor/DebianUtmp": sign_in_records.parse,
    LOGS + "syslog_cron.log": syslog.parse,
    LOGS + "syslog_rsyslog_ForwardFormat": syslog.parse,
}


@pytest.fixture
def parsed(evidence: Any, specimens: Path) -> Callable[..., tuple[list[Any], list[Any]]]:
    """``parsed(specimen, parser=…)``: its observations as JSON values, and its problems."""

    def of(relative: str, parse: Parser | None = None) -> tuple[list[Any], list[Any]]:
        path = "/" + relative
        observations, problems = evidence({path: (specimens / relative).read_bytes()}).parse(parse or READERS[relative], path)
        return [item.to_json() for item in observations], problems

    return of


@pytest.mark.parametrize(
    ("name", "count", "first"),
    [
        ("syslog_chromeos", 8, "2016-10-25T19:37:23.297265Z"),
        ("syslog_rsyslog", 5, "2020-05-31T00:00:45.698463Z"),
        ("syslog_rsyslog_ForwardFormat", 9, "2021-03-06T04:07:33.194677Z"),
        ("syslog_cron.log", 9, "--03-11T00:00:00"),
        ("syslog_osx", 2, "--03-11T19:26:39"),
        ("syslog_rsyslog_SysklogdFileFormat", 9, "--03-06T04:07:28"),
        ("syslog_rsyslog_TraditionalForwardFormat", 9, "--03-06T04:07:23"),
        ("syslog_rsyslog_traditional", 8, "--01-22T07:54:32"),
    ],
)
def test_every_dialect_of_syslog(parsed: Any, name: str, count: int, first: str) -> None:
    observations, problems = parsed(LOGS + name, syslog.parse)
    fact = observations[-1]
    assert problems == [] and fact["value"].startswith(f"{count} entries, the last ")
    assert (fact["time"] or fact["time_local"]) == first
    if first.startswith("--"):
        assert fact["time"] is None and "neither year nor zone" in fact["time_reason"]


def test_cron_in_syslog(parsed: Any) -> None:
    observations, _ = parsed(LOGS + "syslog_cron.log")
    assert [(item["program"], item["count"], item["user"]) for item in observations[:-1]] == [
        ("touch", 7, "root"), ("sleep", 1, "root"), ("status.mycheck", 1, "root"),
    ]  # fmt: skip
    assert observations[1]["time_local"] == "--03-11T19:26:39"


def test_dpkg_log(parsed: Any) -> None:
    (package, fact), problems = parsed("linux/plaso/dpkg.log")
    assert problems == [] and (fact["value"], fact["time_local"]) == ("4 entries", "2009-02-25T11:45:23")
    assert (package["name"], package["version"], package["installed"], package["installed_local"]) == (
        "base-passwd",
        "3.5.33",
        None,
        "2016-08-06T17:35:39",
    )


def test_apt_history(parsed: Any) -> None:
    observations, problems = parsed("linux/plaso/apt_history.log")
    assert problems == [] and observations[-1]["value"] == "10 runs"
    tmux = next(item for item in observations if item["name"] == "tmux")
    assert (tmux["how"], tmux["installed"], tmux["installed_local"][:10]) == ("apt history: installed", None, "2019-07-11")
    assert not any(item["name"] == "libmpc3" for item in observations)  # came along with another


def test_viminfo_is_understood_to_the_last_line(parsed: Any) -> None:
    # Another tool's grammar fails on six of these lines; they are as Vim writes them.
    observations, problems = parsed("linux/plaso/.viminfo")
    assert problems == [] and observations[-1]["value"].startswith("2 commands, 2 jumps, 2 marks, 2 registers, 2 searches")
    assert [(item["terms"], item["time"]) for item in observations if item["type"] == "SearchQuery"] == [
        ("test_search", "2009-02-13T23:31:32Z"), ("ignore", "2009-02-13T23:31:33Z"),
    ]  # fmt: skip
    assert [(item["path"], item["used"]) for item in observations if item["type"] == "FileSeen"] == [
        ("TEST", "2009-02-13T23:31:30Z"),
        ("~\\_vimrc", "2009-02-13T23:31:36Z"),
        ("C:\\Program Files (x86)\\Vim\\.vimrc", "2009-02-13T23:31:37Z"),
        ("~\\_vimrc", "2009-02-13T23:31:38Z"),
        ("C:\\Program Files (x86)\\Vim\\.vimrc", "2009-02-13T23:31:39Z"),
    ]
    assert "multiline" not in json.dumps(observations)


def test_audit_log_has_seven_entries_and_four_lines_in_error(parsed: Any) -> None:
    (run, fact), problems = parsed("linux/plaso/selinux.log")
    assert [item.locator for item in problems] == ["line=2", "line=4", "line=6", "line=7"]
    assert fact["value"].startswith("7 entries") and fact["time"] == "2012-05-24T07:40:01.174Z"
    assert (run["path"], run["time"]) == ("/bin/ls", "2009-05-26T10:11:41.744Z")


def test_docker(parsed: Any) -> None:
    (container, start), problems = parsed(CONTAINER + "config.json")
    assert problems == [] and (container["name"], container["installed"]) == ("container desperate_galileo", "2016-01-07T16:49:08.507979Z")
    assert (start["path"], start["time"]) == ("/bin/bash", "2016-01-07T16:49:08.674873Z")
    (printed,), problems = parsed(CONTAINER + "container-json.log")
    assert problems == [] and printed["value"] == "10 lines, the last 2016-01-07T16:49:10.237222Z" and printed["time"] is None
    (layer,), problems = parsed(LAYER)
    assert problems == [] and (layer["name"], layer["installed"]) == ("image layer 3c9a9d7cc6a2", "2015-10-12T17:27:03.079273Z")


def test_zeitgeist(parsed: Any) -> None:
    observations, problems = parsed("mixed/plaso-apps/activity.sqlite")
    assert problems == [] and len(observations) == 44
    assert (observations[0]["program"], observations[0]["time"]) == ("rhythmbox", "2013-10-22T08:53:19.477Z")


def test_wtmp_little_endian_and_cut_short(parsed: Any) -> None:
    observations, problems = parsed("mixed/velociraptor/wtmp.1")
    assert [item.reason for item in problems] == ["the last record is cut short: 256 of 384 bytes"]
    first = observations[0]
    assert (first["account"], first["how"]) == ("mic", "wtmp.1: signed in at pts/9 from 192.168.1.2")
    assert (first["time"][:19], first["last"][:19]) == ("2023-12-21T15:54:24", "2023-12-21T17:34:32")


def test_wtmp_big_endian(parsed: Any, specimens: Path) -> None:
    observations, problems = parsed("mixed/bulk_extractor/wtmp-sparc-be")
    assert problems == [] and len((specimens / "mixed/bulk_extractor/wtmp-sparc-be").read_bytes()) == 100 * 384
    assert observations[-1]["value"].startswith("100 records, 2009-01-05T")
    assert observations[0]["value"] == "started, 2.6.18-5-sparc32"


def test_utmp_of_debian(parsed: Any) -> None:
    observations, problems = parsed("mixed/bulk_extractor/DebianUtmp")
    assert problems == []
    assert [(item["account"], item["time"][:19], (item["last"] or "")[:19]) for item in observations if item["type"] == "AccountUse"] == [
        ("(unknown)", "2015-01-15T07:01:52", "2015-01-15T07:02:59"), ("rc3user", "2015-01-15T07:02:59", ""),
        ("rc3user", "2015-01-15T07:03:32", "2015-01-15T07:56:57"), ("mods", "2015-01-15T07:24:57", "2015-01-15T07:24:59"),
        ("root", "2015-01-15T07:25:08", "2015-01-15T07:25:12"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "count", "first", "problems"),
    [
        ("2004.journal", 3, "2026-06-07T14:01:00.655847Z", 1),  # one long message, compressed
        ("2404.journal", 3, "2026-06-07T14:44:42.302536Z", 1),
        ("compact.journal", 380, "2024-07-19T07:52:28.539547Z", 2),  # cut off
        ("system.journal", 1, "2023-05-09T01:31:12.435195Z", 2),  # cut off
    ],
)
def test_journal(evidence: Any, specimens: Path, name: str, count: int, first: str, problems: int) -> None:
    with zipfile.ZipFile(specimens / "mixed/velociraptor/system.journal.zip") as archive:
        data = archive.read(name)
    path = f"/var/log/journal/x/{name}"
    observations, found = evidence({path: data}).parse(journal.parse, path)
    fact = observations[0].to_json()
    assert fact["value"].startswith(f"{count} entries") and fact["time"] == first and len(found) == problems


@pytest.mark.parametrize("relative", READERS, ids=lambda path: path.rsplit("/", 1)[-1])
def test_damage(evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]], relative: str) -> None:
    for copy in mutations((specimens / relative).read_bytes(), 60):
        try:
            observations, _ = evidence({"/x/y/z": copy}).parse(READERS[relative], "/x/y/z")
        except (Unrecognised, Encrypted):
            continue
        json.dumps([item.to_json() for item in observations])


def test_damaged_journals(evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    with zipfile.ZipFile(specimens / "mixed/velociraptor/system.journal.zip") as archive:
        data = archive.read("system.journal")
    for copy in mutations(data, 80):
        try:
            observations, _ = evidence({"/x": copy}).parse(journal.parse, "/x")
        except Unrecognised:
            continue
        json.dumps([item.to_json() for item in observations])

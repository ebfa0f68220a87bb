"""Scheduled tasks and Store apps of the registry: the specimen's 85 tasks, hives written here."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.observations import StartupItem, SystemFact
from artefacts.windows import registry_task_cache

PATH = "/Windows/System32/config/SOFTWARE"


def actions(command: str, arguments: str = "") -> bytes:
    texts = [text.encode("utf-16-le") for text in ("", command, arguments)]
    return (
        struct.pack("<HI", 3, 4) + b"A\0u\0" + struct.pack("<H", 0x6666) + b"".join(struct.pack("<I", len(text)) + text for text in texts)
    )


@pytest.mark.specimens
def test_specimen(evidence: Any, unpacked: Callable[[str], Path]) -> None:
    data = unpacked("registry/plaso/SOFTWARE-RunTests.xz").read_bytes()
    observations, problems = evidence({PATH: data}).parse(registry_task_cache.parse_tasks, PATH)
    assert problems == []
    (fact,) = [item for item in observations if isinstance(item, SystemFact)]
    assert fact.value == "85, of which 78 in Windows' own folder"
    tasks = {item.name: item.to_json() for item in observations if isinstance(item, StartupItem)}
    assert len(tasks) == 7
    assert tasks["\\At2"]["written"] == "2012-04-05T17:45:00.1639366Z"
    assert tasks["\\At2"]["start"].startswith("at set times, last at 2012-04-05T17:")


def test_a_task_and_its_last_start(evidence: Any, write_hive: Callable[..., bytes]) -> None:
    times = struct.pack("<IQQQ", 3, 132_000_000_000_000_000, 132_000_000_010_000_000, 0)
    tasks = {
        "{1}": {"Path": "\\Clean up", "Actions": actions('"C:\\Tools\\sweep it.exe" /all', "now"), "DynamicInfo": times},
        "{2}": {"Path": "\\Microsoft\\Windows\\Other", "Actions": actions("x"), "DynamicInfo": times},
        "{3}": {"Path": "\\Damaged", "Actions": b"\x03\0\xff\xff\xff\xff", "DynamicInfo": b"short"},
    }  # fmt: skip
    hive = write_hive({"Microsoft": {"Windows NT": {"CurrentVersion": {"Schedule": {"TaskCache": {"Tasks": tasks}}}}}})
    observations, problems = evidence({PATH: hive}).parse(registry_task_cache.parse_tasks, PATH)
    assert problems == []
    item, run, damaged, fact = [item.to_json() for item in observations]
    assert (item["name"], item["command"]) == ("\\Clean up", '"C:\\Tools\\sweep it.exe" /all now')
    assert (run["program"], run["path"], run["time"]) == ("sweep it.exe", "C:\\Tools\\sweep it.exe", "2019-04-17T18:40:01Z")
    assert (damaged["name"], damaged["command"], damaged["start"]) == ("\\Damaged", None, "at set times, never yet")
    assert fact["value"] == "3, of which 1 in Windows' own folder"


def test_store_apps(evidence: Any, write_hive: Callable[..., bytes]) -> None:
    packages = {
        "Maker.Notes_1.2.0.0_x64__abc": {"DisplayName": "Notes", "PackageRootFolder": "C:\\Program Files\\WindowsApps\\n"},
        "no package": {},
    }
    tree: Any = packages
    for name in ("Packages", "Repository", "AppModel", "CurrentVersion", "Windows", "Microsoft", "Software", "Local Settings"):
        tree = {name: tree}
    path = "/Users/jo/AppData/Local/Microsoft/Windows/UsrClass.dat"
    (app,), problems = evidence({path: write_hive(tree)}).parse(registry_task_cache.parse_apps, path)
    assert problems == []
    assert (app.name, app.version, app.identifier, app.user) == ("Notes", "1.2.0.0", "Maker.Notes_1.2.0.0_x64__abc", "jo")

"""Programs counted by the shell: the specimen's dialogs, hives written here."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.windows import registry_usage

PATH = "/Users/jo/NTUSER.DAT"


def nested(path: str, tree: Any) -> Any:
    for name in reversed(path.split("\\")):
        tree = {name: tree}
    return tree


@pytest.mark.specimens
def test_specimen(evidence: Any, unpacked: Callable[[str], Path]) -> None:
    data = unpacked("registry/plaso/NTUSER-WIN7.DAT.xz").read_bytes()
    observations, problems = evidence({PATH: data}).parse(registry_usage.parse, PATH)
    assert problems == []
    runs = [item.to_json() for item in observations]
    assert len(runs) == 9 and {run["how"] for run in runs} == {"CIDSizeMRU"}
    assert [run["program"] for run in runs if run["time"]] == ["chrome.exe"]


def test_task_bar_and_recent_apps(evidence: Any, write_hive: Callable[..., bytes]) -> None:
    explorer = {"FeatureUsage": {"AppSwitched": {"C:\\Tools\\a.exe": 7, "text": "no number"}, "AppLaunch": {"Maker.App_x!App": 2}}}
    app = {
        "AppId": "C:\\Tools\\b.exe", "LaunchCount": 3, "LastAccessedTime": struct.pack("<Q", 132_000_000_000_000_000),
        "RecentItems": {"{2}": {"Path": "C:\\Users\\jo\\c.txt"}, "{3}": {}},
    }  # fmt: skip
    current = {"Explorer": explorer, "Search": {"RecentApps": {"{1}": app, "{4}": {}}}}
    hive = write_hive(nested("Software\\Microsoft\\Windows\\CurrentVersion", current))
    observations, problems = evidence({PATH: hive}).parse(registry_usage.parse, PATH)
    assert problems == []
    switched, launched, recent, opened = [item.to_json() for item in observations]
    assert (switched["program"], switched["count"], switched["time"]) == ("a.exe", 7, None)
    assert (launched["path"], launched["count"]) == ("Maker.App_x!App", 2)
    assert (recent["program"], recent["count"], recent["time"]) == ("b.exe", 3, "2019-04-17T18:40:00Z")
    assert (opened["path"], opened["how"]) == ("C:\\Users\\jo\\c.txt", "RecentApps: opened with b.exe")

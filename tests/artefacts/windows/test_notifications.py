"""Windows notifications: the specimen, damage, and that their text is not read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import InstalledProgram, SystemFact
from artefacts.windows import notifications

PATH = "/Users/jo/AppData/Local/Microsoft/Windows/Notifications/wpndatabase.db"


@pytest.mark.specimens
def test_specimen(evidence: Any, unpacked: Callable[[str], Path], mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = unpacked("windows-misc/plaso/wpndatabase.db.xz").read_bytes()
    observations, problems = evidence({PATH: data}).parse(notifications.parse, PATH)
    assert problems == []
    assert len(observations) == 74
    apps = [item for item in observations if isinstance(item, InstalledProgram)]
    shown = [item.to_json() for item in observations if isinstance(item, SystemFact)]
    assert (apps[0].name, apps[0].to_json()["installed"], apps[0].user) == ("FamilySafety_Settings", "2020-12-11T19:09:13Z", "jo")
    assert shown[0]["value"] == "toast from windows.immersivecontrolpanel_cw5n1h2txyewy!microsoft.windows.immersivecontrolpanel"
    assert shown[0]["time"] == "2020-12-11T19:11:35.9025799Z"
    assert "Setting up a device" not in json.dumps(shown)
    for copy in mutations(data, 12):
        try:
            evidence({PATH: copy}).parse(notifications.parse, PATH)
        except Unrecognised:
            pass


def test_something_else_is_refused(evidence: Any) -> None:
    with pytest.raises(Unrecognised):
        evidence({PATH: b"nothing"}).parse(notifications.parse, PATH)

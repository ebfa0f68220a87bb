"""The scenes as a test: what can be made here, in one scan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenes.table import SCENES, Result, perform, possible, table


def test_there_are_enough_of_both_kinds() -> None:
    assert sum(scene.evasion for scene in SCENES) >= 30
    assert sum(not scene.evasion for scene in SCENES) >= 30
    assert len({scene.name for scene in SCENES}) == len(SCENES)
    assert all(scene.rules for scene in SCENES if scene.evasion)


def test_the_table_counts_misses_and_false_alarms() -> None:
    evasion = next(scene for scene in SCENES if scene.evasion)
    innocent = next(scene for scene in SCENES if not scene.evasion)
    alarm = {"rule": "x.y", "severity": 3, "title": "something"}
    text = table([Result(evasion), Result(innocent, [alarm]), Result(innocent, [{**alarm, "severity": 2}])])
    assert "recall 0.0% of 1, false alarms 50.0% of 2" in text
    assert f"MISSED: {evasion.name}: nothing" in text and f"FALSE ALARM: {innocent.name}: x.y (3): something" in text


def test_scenes_that_need_no_volume(tmp_path: Path) -> None:
    scenes = [scene for scene in SCENES if not scene.volumes]
    assert [result.scene.name for result in perform(scenes, tmp_path, 3) if not result.right] == []


@pytest.mark.slow
@pytest.mark.tools
def test_scenes_of_real_tools_on_real_file_systems(tmp_path: Path) -> None:
    scenes = [scene for scene in SCENES if scene.volumes and not possible(scene)]
    if len(scenes) < 20:
        pytest.skip(f"too few can be made here: {possible(next(scene for scene in SCENES if scene.volumes))}")
    results = perform(scenes, tmp_path, 3)
    evasions = [result.right for result in results if result.scene.evasion]
    innocent = [result.right for result in results if not result.scene.evasion]
    assert sum(evasions) >= 0.95 * len(evasions), table(results)
    assert sum(innocent) >= 0.98 * len(innocent), table(results)

"""Checks and advice as data."""

from __future__ import annotations

from pathlib import Path

from rules import conditions


def test_faults_are_named_and_the_rest_is_used(tmp_path: Path) -> None:
    (tmp_path / "checks.yaml").write_text(
        "keep_history: {means: Keep it., unproved: No., proved_by: [browser]}\nno_fun: {means: x, unproved: y}\nno_p2p: {means: x}\nno_cloud_storage: {means: x, unproved: y, proved_by: z}\n"
    )
    (tmp_path / "advice.yaml").write_text("a: Do this.\nb: [x]\n")
    rules = conditions.load(tmp_path)
    assert rules.checks == {"keep_history": conditions.Check("keep_history", "Keep it.", "No.", ("browser",))}
    assert rules.advice == {"a": "Do this."}
    assert [(Path(problem.file).name, problem.line) for problem in rules.problems] == [
        ("checks.yaml", 2), ("checks.yaml", 3), ("checks.yaml", 4), ("advice.yaml", 2),
    ]  # fmt: skip


def test_missing_and_broken_files(tmp_path: Path) -> None:
    (tmp_path / "advice.yaml").write_text("- x\n")
    rules = conditions.load(tmp_path)
    assert len(rules.problems) == 2
    assert not rules.checks

"""Raw and split raw images."""

from __future__ import annotations

from pathlib import Path

import pytest

from artefacts.coverage import Status
from triage.evidence.images.raw import open_raw, segments

CONTENT = bytes(range(256)) * 40


def split(folder: Path, names: list[str], size: int = 1024) -> list[Path]:
    paths = [folder / name for name in names]
    for number, path in enumerate(paths):
        end = None if number == len(names) - 1 else (number + 1) * size
        path.write_bytes(CONTENT[number * size : end])
    return paths


@pytest.mark.parametrize(
    "names",
    [
        ["disk.001", "disk.002", "disk.003"],
        ["disk.000", "disk.001", "disk.002"],
        ["disk.dd.01", "disk.dd.02"],
        ["disk.raw.aa", "disk.raw.ab", "disk.raw.ac"],
        ["xaa", "xab"],
        [f"disk.{number:03d}" for number in range(1, 11)],
    ],
)
def test_series(tmp_path: Path, names: list[str]) -> None:
    paths = split(tmp_path, names)
    (tmp_path / "notes.txt").write_text("beside it")
    image = open_raw(paths[0])
    assert image.kind == ("split raw" if names[0] != "xaa" else image.kind)
    if names[0] != "xaa":
        assert image.data.read_at(0, len(CONTENT) + 1) == CONTENT
        assert image.files == [str(path) for path in paths]
        assert (image.problems, image.data.errors) == ([], [])


def test_one_file_is_not_a_series(tmp_path: Path) -> None:
    for name in ("disk.001", "disk.raw", "disk.aa"):
        (path,) = split(tmp_path, [name])
        image = open_raw(path)
        assert (image.kind, image.files, image.data.size) == ("raw", [str(path)], len(CONTENT))
        path.unlink()


def test_a_missing_middle_segment_is_said_and_reported_when_read(tmp_path: Path) -> None:
    paths = split(tmp_path, ["disk.001", "disk.002", "disk.003", "disk.004"])
    paths[1].unlink()
    image = open_raw(paths[0])
    assert image.data.read_at(0, len(CONTENT)) == CONTENT[:1024] + bytes(1024) + CONTENT[2048:]
    assert [(error.offset, error.length) for error in image.data.errors] == [(1024, 1024)]
    assert image.problems[0].reason == "segment 2 of 4 is missing; 1024 bytes are taken as lost there"
    assert image.problems[0].status.is_gap


def test_a_short_middle_segment_is_said(tmp_path: Path) -> None:
    paths = split(tmp_path, ["disk.001", "disk.002", "disk.003"])
    paths[1].write_bytes(CONTENT[:700])
    image = open_raw(paths[0])
    assert "may be cut short" in image.problems[0].reason


def test_named_by_a_later_segment(tmp_path: Path) -> None:
    paths = split(tmp_path, ["disk.001", "disk.002", "disk.003"])
    image = open_raw(paths[2])
    assert image.files == [str(path) for path in paths]
    assert image.problems[0].status is Status.SKIPPED


def test_a_huge_number_in_a_name_is_no_work(tmp_path: Path) -> None:
    paths = split(tmp_path, ["disk.001"])
    for number in range(20):
        (tmp_path / f"diskx.{number:02d}").write_bytes(b"")
    assert segments(paths[0]) == [paths[0]]

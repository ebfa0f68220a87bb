"""Path patterns: case-blind, ``*`` inside a part, ``**`` across parts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from artefacts.matching import PathMatcher
from artefacts.registry import Artefact, EvidenceFile, all_artefacts


def _none(file: EvidenceFile) -> Iterator[object]:
    return iter(())


def _artefact(*paths: str) -> Artefact:
    return Artefact(id=paths[0], title="t", meaning="m", paths=paths, parse=_none, references=())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("**/History", "/Users/a/History", True),
        ("**/History", "/history", True),
        ("**/History", "/Users/a/History2", False),
        ("**/History", "/Users/a/xHistory", False),
        ("Users/*/NTUSER.DAT", "/users/bob/ntuser.dat", True),
        ("Users/*/NTUSER.DAT", "/users/bob/x/ntuser.dat", False),
        ("**/Prefetch/*.pf", "/Windows/Prefetch/CMD.EXE-1.pf", True),
        ("**/Prefetch/*.pf", "/Windows/Prefetch/a/CMD.EXE-1.pf", False),
        ("**/Cache/**", "/a/Cache/b/c", True),
        ("**/Cache_Data/f_??????", "/x/Cache_Data/f_00000a", True),
        ("**/Cache_Data/f_??????", "/x/Cache_Data/f_00000aa", False),
        ("**/a+(b).txt", "/q/a+(b).txt", True),
    ],
)
def test_patterns(pattern: str, path: str, fits: bool) -> None:
    assert bool(PathMatcher([_artefact(pattern)]).match(path)) is fits


def test_one_path_for_two_artefacts_and_each_once() -> None:
    first, second = _artefact("**/History", "**/user data/**/History"), _artefact("**/Default/*")
    assert [a.id for a in PathMatcher([first, second]).match("/User Data/Default/History")] == ["**/Default/*", "**/History"]


def test_declared_artefacts_are_found_and_complete() -> None:
    artefacts = all_artefacts()
    assert artefacts
    for artefact in artefacts:
        assert artefact.paths and artefact.references and artefact.meaning.endswith(".")

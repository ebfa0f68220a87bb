"""Finding entries by path, and keeping count of problems."""

from __future__ import annotations

from typing import ClassVar

from triage.evidence.filesystems import tree
from triage.evidence.model import Entry


class Three(tree.TreeFilesystem):
    """A file system of a few names that counts how often a directory is read."""

    CONTENT: ClassVar = {"": ["Dir/", "file", "FILE", "Bad/"], "/Dir": ["Né.txt", "Né.txt:stream"]}

    def __init__(self, fold: object = tree.any_case) -> None:
        super().__init__("three", None, fold)  # type: ignore[arg-type]
        self.read: list[str] = []

    def _list(self, directory: Entry | None, path: str) -> list[Entry]:
        self.read.append(path)
        if path == "/Bad":
            raise OSError("broken")
        kinds = {"/": "directory"}
        return [
            Entry(f"{path}/{name.rstrip('/')}", "stream" if ":" in name else kinds.get(name[-1], "file"), 0, "1")
            for name in self.CONTENT[path]
        ]


def test_exact_name_goes_first() -> None:
    three = Three()
    assert [three.lookup(name).path for name in ("/file", "/FILE", "/File")] == ["/file", "/FILE", "/file"]  # type: ignore[union-attr]
    assert three.lookup("/dIR/né.TXT:Stream").path == "/Dir/Né.txt:stream"  # type: ignore[union-attr]
    assert three.read == ["", "/Dir"], "each directory is read once"
    assert [e.path for e in three.children("/DIR")] == ["/Dir/Né.txt"]
    assert three.lookup("/file/x") is three.lookup("") is three.lookup("/") is three.lookup("/nothing") is None


def test_case_and_accents_by_rule() -> None:
    assert Three(tree.exact).lookup("/dir") is None
    assert Three(tree.any_case).lookup("/Dir/Ne\u0301.txt") is None
    assert Three(tree.composed_any_case).lookup("/dir/ne\u0301.TXT") is not None
    assert Three(tree.composed).lookup("/dir") is None
    assert Three(tree.composed).lookup("/Dir/Ne\u0301.txt") is not None


def test_unreadable_directory_is_a_problem() -> None:
    three = Three()
    assert three.children("/Bad") == []
    assert [(p.locator, p.reason) for p in three.problems] == [("/Bad", "a directory could not be read: broken")]


def test_problems_are_counted_not_hoarded() -> None:
    three = Three()
    for number in range(tree.MAX_PROBLEMS + 50):
        three._problem(f"number {number}")
    assert len(three.problems) == tree.MAX_PROBLEMS + 1
    assert "are not listed" in three.problems[-1].reason

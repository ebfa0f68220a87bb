from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from triage.evidence.model import Entry, Run
from triage.sweep.places import IN_DELETED, IN_FILE, NOT_KNOWN, UNUSED, Place, Places


class Listed:
    """A file system as far as ``Places`` asks."""

    def __init__(self, *entries: Entry) -> None:
        self._entries = entries

    def entries(self) -> Iterator[list[Entry]]:
        for entry in self._entries:
            yield [entry]


def entry(path: str, *runs: tuple[int, int] | None, allocated: bool = True, flags: tuple[str, ...] = ()) -> Entry:
    found = None if None in runs else [Run(*run) for run in runs if run]
    return Entry(path, "file", 1, path, allocated=allocated, runs=found, flags=flags)


def places(*entries: Entry) -> Any:
    return Places(Listed(*entries), lambda: None)  # type: ignore[arg-type]


def test_the_file_a_byte_belongs_to() -> None:
    found = places(
        entry("/b", (8192, 4096), (40960, 8192)),
        entry("/a", (0, 4096)),
        entry("/hole", (-1, 1 << 40)),
        entry("/resident", None, flags=("resident",)),
    )
    assert found.at(0) == Place(IN_FILE, "/a") == found.at(4095)
    assert found.at(4096) == Place(UNUSED, "", False) == found.at(1 << 39)
    assert found.at(8192) == found.at(45056) == Place(IN_FILE, "/b")


def test_a_file_in_use_goes_before_a_deleted_one() -> None:
    found = places(
        entry("/old", (0, 100_000), allocated=False),
        entry("/older", (0, 100_000), allocated=False),
        entry("/new", (8192, 4096)),
        entry("/other", (50_000, 10)),
    )
    assert found.at(8192) == Place(IN_FILE, "/new")
    assert found.at(4096) == Place(IN_DELETED, "/old", False) == found.at(99_999)


def test_what_is_hidden_is_not_called_unused() -> None:
    assert places(entry("/packed", None)).at(4096) == Place(NOT_KNOWN)
    assert places().at(4096) == Place(UNUSED, "", False)

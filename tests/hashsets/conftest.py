"""Lists in every format, written by the tests, and the digests in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hashsets.codes import CodeBook
from hashsets.entries import Problems
from hashsets.formats.columns import ColumnMap
from hashsets.formats.recognise import recognise

Listed = dict[str, dict[str, tuple[int, tuple[str, ...], tuple[str, ...]]]]


@pytest.fixture(autouse=True)
def quick_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of a second for each key is for keeps, not for tests."""
    monkeypatch.setattr("hashsets.keys.SCRYPT_N", 16)


@pytest.fixture
def read_list() -> Callable[..., tuple[str, Listed, list[tuple[int, str]]]]:
    """A function from a list's path to (format, {algorithm: {kept digest in hex: (size, codes, listed by)}}, problems)."""

    def read(path: Path, columns: ColumnMap | None = None) -> tuple[str, Listed, list[tuple[int, str]]]:
        book, problems, listed = CodeBook(), Problems(), {}
        source = recognise(path, columns)
        for algorithm, rows in source.read(book, problems):
            for row in rows:
                kind = book.kinds[int(row["kind"])]
                listed.setdefault(algorithm, {})[row["key"].tobytes().hex()] = (int(row["size"]), kind.codes, kind.algorithms)
        return source.format, listed, [tuple(problem) for problem in problems]

    return read

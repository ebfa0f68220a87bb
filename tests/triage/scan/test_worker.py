"""What a worker says of a volume's entries."""

from __future__ import annotations

import pytest

from triage.evidence.model import Entry, Run
from triage.scan.worker import _to_read


@pytest.mark.parametrize(
    ("kind", "size", "runs", "expected"),
    [
        ("file", 900, None, 900),
        ("file", 900, [Run(0, 1024)], 900),
        ("file", 5000, [Run(4096, 1000), Run(-1, 4000)], 5000),  # its hole is hashed too
        ("file", 5000, [Run(-1, 5000)], 0),
        ("file", 1 << 50, [Run(4096, 1000)], 1000),  # a size that lies
        ("directory", 900, None, -1),
    ],
)
def test_how_much_there_is_to_read(kind: str, size: int, runs: list[Run] | None, expected: int) -> None:
    entry = Entry("/a/b", kind, size, "5", True)
    entry.runs = runs
    assert _to_read(entry) == expected

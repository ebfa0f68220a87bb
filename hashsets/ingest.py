"""What happens to rows on their way into a set, whichever list they come from."""

from __future__ import annotations

import numpy as np

from hashsets.codes import CodeBook
from hashsets.entries import EMPTY_FILE, KEPT_BYTES, Problems
from hashsets.rows import Rows, SortedRows


def drop_empty_file(algorithm: str, rows: Rows, role: str, problems: Problems) -> Rows:
    """The rows without the hash of the empty file, which some lists carry by mistake: as an alert, every empty file would raise it."""
    if role != "alert":
        return rows
    empty = np.frombuffer(EMPTY_FILE[algorithm][: KEPT_BYTES[algorithm]], np.uint8)
    is_empty = (rows["key"] == empty).all(axis=1)
    if not is_empty.any():
        return rows
    problems.add(0, f"the {algorithm} of an empty file is listed and was left out: every empty file would match", int(is_empty.sum()))
    kept: Rows = rows[~is_empty]
    return kept


def entry_count(algorithm: str, rows: SortedRows, book: CodeBook) -> int:
    """How many entries are to be counted under ``algorithm``: those that are listed under no algorithm before it."""
    counted = np.array([kind.algorithms[:1] == (algorithm,) for kind in book.kinds], bool)
    return sum(int(counted[part["kind"]].sum()) for part in rows)

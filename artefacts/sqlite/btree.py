"""Walking table b-trees ourselves: for databases SQLite refuses (damaged) and for those too big to hold in memory.

Every page is visited once, so circles and bombs of shared pages end; a bad page costs its rows and nothing more.
Source: "Database File Format" (sqlite.org/fileformat2.html) section 1.6.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from artefacts.coverage import Problem, Status
from artefacts.sqlite.pages import DamagedPage, Pages
from artefacts.sqlite.records import leaf_cell, varint

INTERIOR, LEAF = 5, 13


def header_offset(number: int) -> int:
    """Where a page's b-tree header starts: page 1 carries the file header first."""
    return 100 if number == 1 else 0


def cells(page: bytes, number: int) -> tuple[int, list[int], int]:
    """The page's type, the offsets of its cells, and its right-most child (0 for a leaf). Raises ``DamagedPage``."""
    start = header_offset(number)
    kind = page[start]
    if kind not in (INTERIOR, LEAF):
        raise DamagedPage(f"page {number} is not a page of a table (type {kind})")
    count = int.from_bytes(page[start + 3 : start + 5], "big")
    array = start + (12 if kind == INTERIOR else 8)
    if array + 2 * count > len(page):
        raise DamagedPage(f"page {number} claims {count} cells")
    right = int.from_bytes(page[start + 8 : start + 12], "big") if kind == INTERIOR else 0
    return kind, list(struct.unpack_from(f">{count}H", page, array)), right


def walk(pages: Pages, root: int, problems: list[Problem]) -> Iterator[tuple[int, bytes]]:
    """Row number and payload of every sound row below ``root``, in tree order. What is not sound is appended to ``problems``."""
    stack = [root]
    seen: set[int] = set()
    while stack:
        number = stack.pop()
        if number in seen:
            problems.append(Problem(f"page {number} is pointed to twice", Status.FAILED, f"page={number}"))
            continue
        seen.add(number)
        try:
            page = pages.page(number)
            kind, offsets, right = cells(page, number)
        except DamagedPage as error:
            problems.append(Problem(str(error), Status.FAILED, f"page={number}"))
            continue
        if kind == INTERIOR:
            children = [int.from_bytes(page[offset : offset + 4], "big") for offset in offsets]
            stack.extend(reversed([*children, right]))
            continue
        for offset in offsets:
            try:
                yield leaf_cell(pages, page, offset)
            except DamagedPage as error:
                problems.append(Problem(str(error), Status.FAILED, f"page={number} offset={offset}"))


def leaves(pages: Pages, root: int) -> Iterator[tuple[int, bytes]]:
    """Number and content of every leaf page below ``root`` that can be reached; damage is passed over in silence."""
    stack, seen = [root], set[int]()
    while stack:
        number = stack.pop()
        if number in seen:
            continue
        seen.add(number)
        try:
            page = pages.page(number)
            kind, offsets, right = cells(page, number)
        except DamagedPage:
            continue
        if kind == LEAF:
            yield number, page
        else:
            stack.extend(reversed([*(int.from_bytes(page[offset : offset + 4], "big") for offset in offsets), right]))


def find(pages: Pages, root: int, rowid: int) -> bytes | None:
    """The payload of row ``rowid`` below ``root``, or None. Raises ``DamagedPage`` where the way to it is damaged."""
    number = root
    for _ in range(64):
        page = pages.page(number)
        kind, offsets, right = cells(page, number)
        if kind == LEAF:
            for offset in offsets:
                _, after = varint(page, offset)
                if varint(page, after)[0] == rowid:
                    return leaf_cell(pages, page, offset)[1]
            return None
        low, high = 0, len(offsets)
        while low < high:
            middle = (low + high) // 2
            if varint(page, offsets[middle] + 4)[0] < rowid:
                low = middle + 1
            else:
                high = middle
        number = int.from_bytes(page[offsets[low] : offsets[low] + 4], "big") if low < len(offsets) else right
    raise DamagedPage("the tree is deeper than any table's")

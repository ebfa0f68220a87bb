"""Tabs that were open or recently closed in Firefox and its relatives: ``sessionstore*.jsonlz4`` and its older forms.

Sources: Mozilla's browser/components/sessionstore (SessionStore.sys.mjs; times in Unix milliseconds) and
toolkit/components/lz4 (``mozLz40`` NUL, the length in 4 bytes, one LZ4 block); github.com/lz4/lz4, doc/lz4_Block_format.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from artefacts.browsers.profiles import FIREFOX, Owner, owner
from artefacts.browsers.reading import Results
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import PageVisit
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_unix

LARGEST = 128 << 20  # bytes, packed or not
_MAGIC = b"mozLz40\0"
_MOST = 200_000  # pages of one file


def parse(file: EvidenceFile) -> Results:
    """``PageVisit`` for each page in the history of each tab; the time is that of the tab, for the page shown last, else not recorded."""
    owned = owner(file, FIREFOX)
    data = file.read(LARGEST + 1)
    if not data:
        return
    try:
        if len(data) > LARGEST:
            raise ValueError(f"larger than {LARGEST} bytes")
        tree = json.loads(unpack(data) if data.startswith(_MAGIC) else data)
    except (ValueError, RecursionError) as error:
        if not data.startswith((_MAGIC, b"{")):
            raise Unrecognised("not a session file of Firefox") from error
        yield Problem(f"damaged ({error}): not read", Status.FAILED)
        return
    if not isinstance(tree, dict) or not isinstance(tree.get("windows"), list):
        raise Unrecognised("not a session file of Firefox")
    for number, page in enumerate(_pages(tree, owned)):
        if number >= _MOST:
            yield Problem(f"more than {_MOST} pages: the rest was not read", Status.FAILED, page.locator)
            return
        yield page


def _pages(tree: dict[str, Any], owned: Owner) -> Iterator[PageVisit]:
    for group, state in (("windows", "open"), ("_closedWindows", "closed")):
        for number, window in enumerate(_list(tree, group)):
            place = f"{group}[{number}]"
            for index, tab in enumerate(_list(window, "tabs")):
                yield from _tab(tab, f"tab of a window that was {state}", tab_time(tab, window), f"{place}.tabs[{index}]", owned)
            for index, closed in enumerate(_list(window, "_closedTabs")):
                tab = closed.get("state") if isinstance(closed, dict) else None
                yield from _tab(tab, "tab that was closed", tab_time(closed, tab), f"{place}._closedTabs[{index}]", owned)


def tab_time(*holders: Any) -> Time:
    """When a tab was closed or last looked at, from the first holder that says so."""
    for holder in holders:
        for key in ("closedAt", "lastAccessed"):
            value = holder.get(key) if isinstance(holder, dict) else None
            if isinstance(value, int) and not isinstance(value, bool):
                return from_unix(value, unit_ns=1_000_000)
    return NOT_RECORDED


def _tab(tab: Any, what: str, time: Time, place: str, owned: Owner) -> Iterator[PageVisit]:
    shown = tab.get("index") if isinstance(tab, dict) else None
    for index, entry in enumerate(_list(tab, "entries")):
        url, title = (entry.get("url"), entry.get("title")) if isinstance(entry, dict) else (None, None)
        if isinstance(url, str) and url:
            yield PageVisit(
                url=url,
                title=title if isinstance(title, str) else None,
                time=time if shown == index + 1 else NOT_RECORDED,
                source=what,
                locator=f"{place}.entries[{index}]",
                **owned.labels,
            )


def _list(tree: Any, key: str) -> list[Any]:
    value = tree.get(key) if isinstance(tree, dict) else None
    return value if isinstance(value, list) else []


def unpack(data: bytes) -> bytes:
    """The content of a ``mozLz40`` file. Raises ``ValueError`` for anything that is not sound, and above ``LARGEST``."""
    size = int.from_bytes(data[8:12], "little")
    if size > LARGEST:
        raise ValueError(f"states {size} bytes, more than {LARGEST}")
    out, place = bytearray(), 12
    try:
        while place < len(data):
            token = data[place]
            length, place = _length(data, place + 1, token >> 4)
            if place + length > len(data):
                raise ValueError("compressed data is cut short")
            out += data[place : place + length]
            place += length
            if place >= len(data):
                break
            back = data[place] | data[place + 1] << 8
            length, place = _length(data, place + 2, token & 15)
            length += 4
            if not 0 < back <= len(out):
                raise ValueError("refers to data before the beginning")
            if len(out) + length > size:
                raise ValueError("holds more than it states")
            # What is copied may overlap what it makes: a short piece repeated.
            piece = bytes(out[-back:][:length])
            out += (piece * (length // len(piece) + 1))[:length]
    except IndexError as error:
        raise ValueError("compressed data is cut short") from error
    if len(out) != size:
        raise ValueError(f"holds {len(out)} bytes and states {size}")
    return bytes(out)


def _length(data: bytes, place: int, length: int) -> tuple[int, int]:
    if length == 15:
        while True:
            more = data[place]
            length, place = length + more, place + 1
            if more != 255:
                break
    return length, place


ARTEFACTS = (
    Artefact(
        id="browsers.firefox.sessions",
        title="Firefox: open and recently closed tabs",
        meaning="Pages in the tabs of the last session, with the pages before them. They may outlive a deleted history.",
        paths=(
            "**/sessionstore.jsonlz4",
            "**/sessionstore.js",
            "**/sessionstore.bak",
            "**/sessionstore-backups/*.jsonlz4*",
            "**/sessionstore-backups/*.js",
            "**/sessionstore-backups/recovery.baklz4",
        ),
        parse=parse,
        references=("https://searchfox.org/mozilla-central/source/browser/components/sessionstore",),
        validation="generated; session file of a profile made by Firefox 153",
    ),
)

"""Bookmarks of Chromium browsers: the file ``Bookmarks`` and its predecessor ``Bookmarks.bak``, which may hold ones since removed.

Source: Chromium's components/bookmarks/browser/bookmark_codec.cc: JSON, times as text of WebKit microseconds (UTC).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from artefacts.browsers.profiles import CHROMIUM, Owner, owner
from artefacts.browsers.reading import Results
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import Bookmark
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import from_webkit_json

LARGEST = 64 << 20  # bytes; a hundred thousand bookmarks take a third of that

# One bookmark, for when the file as a whole is no longer JSON. The bounds keep a hostile file from costing more than its length.
_ONE = re.compile(r'\{[^{}]{0,20000}?"url":[^{}]{0,70000}\}')


def parse(file: EvidenceFile) -> Results:
    """``Bookmark`` of one profile; from a damaged file those that are whole, without their folders."""
    owned = owner(file, CHROMIUM)
    data = file.read(LARGEST + 1)
    text = data.decode("utf-8", "backslashreplace")
    if not text.lstrip("\ufeff \r\n\t").startswith("{") or '"roots"' not in text[:10_000]:
        if owned.known and data:
            raise Unrecognised("not a bookmarks file of a Chromium browser")
        if data:
            yield Problem("in no browser's profile, a file of another program", Status.SKIPPED)
        return
    if len(data) > LARGEST:
        yield Problem(f"larger than {LARGEST} bytes: the rest was not read", Status.FAILED, f"offset={LARGEST}")
    try:
        roots = json.loads(text.lstrip("\ufeff")).get("roots")
    except (ValueError, RecursionError) as error:
        yield Problem(f"damaged ({error}): only bookmarks that are whole were read, without their folders", Status.FAILED)
        for found in _ONE.finditer(text):
            try:
                node = json.loads(found[0])
            except ValueError:
                continue
            if isinstance(node.get("url"), str):
                yield _bookmark(node, None, f"offset={len(text[: found.start()].encode())}", owned)
        return
    for node, folders, place in _nodes(roots):
        yield _bookmark(node, "/".join(folders), place, owned)


def _nodes(roots: Any) -> Iterator[tuple[dict[str, Any], tuple[str, ...], str]]:
    """Each bookmark with the names of its folders and its place in the file, in the order a browser shows them."""
    if not isinstance(roots, dict):
        return
    stack: list[tuple[Any, tuple[str, ...], str]] = [(roots[name], (), f"roots.{name}") for name in reversed(roots)]
    while stack:
        node, folders, place = stack.pop()
        if not isinstance(node, dict):
            continue
        if isinstance(node.get("url"), str):
            yield node, folders, place
        children = node.get("children")
        if isinstance(children, list):
            inner = (*folders, str(node.get("name", "")))
            stack.extend((child, inner, f"{place}.children[{index}]") for index, child in reversed(list(enumerate(children))))


def _bookmark(node: dict[str, Any], folder: str | None, place: str, owned: Owner) -> Bookmark:
    title = node.get("name")
    return Bookmark(
        url=node["url"],
        title=title if isinstance(title, str) else None,
        time=from_webkit_json(node.get("date_added")),
        modified=from_webkit_json(node.get("date_modified")),
        last_used=from_webkit_json(node.get("date_last_used")),
        folder=folder,
        locator=place,
        **owned.labels,
    )


ARTEFACTS = (
    Artefact(
        id="browsers.chromium.bookmarks",
        title="Chromium browsers: bookmarks",
        meaning="Pages that were kept, when they were added and last opened from there.",
        paths=("**/Bookmarks", "**/Bookmarks.bak"),
        parse=parse,
        references=("https://chromium.googlesource.com/chromium/src/+/main/components/bookmarks/browser/bookmark_codec.cc",),
    ),
)

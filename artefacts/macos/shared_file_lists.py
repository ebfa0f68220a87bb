"""Recent documents, applications, servers, and favourite folders and volumes, as macOS keeps them for menus and sidebars.

``*.sfl`` (10.11), ``*.sfl2`` (10.13) and ``*.sfl3`` (13) are keyed archives with bookmark data in each item; before 10.11 the lists were in
``com.apple.recentitems.plist``. The lists have an order and no times: what is dated is the file that the bookmark points at.

Sources: described in mac4n6.com ("Script update for macMRU parser"); bookmark data in ``bookmarks.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.macos.bookmarks import target
from artefacts.macos.property_lists import dicts, table, text, tree, unarchived
from artefacts.observations import FileSeen, Observation
from artefacts.registry import Artefact, EvidenceFile

Results = Iterator[Observation | Problem]

_OLD_LISTS = {
    "RecentDocuments": "recent documents",
    "RecentApplications": "recent applications",
    "RecentServers": "recent servers",
    "Hosts": "recent servers",
}


def parse(file: EvidenceFile) -> Results:
    """``FileSeen`` for each item of the list, in its order."""
    try:
        root = unarchived(tree(file))
    except ValueError as error:
        raise Unrecognised(str(error)) from error
    items = root.get("items") if isinstance(root, dict) else None
    if not isinstance(items, list):
        raise Unrecognised("a keyed archive, but not a shared file list")
    name = file.name.rsplit(".", 1)[0].removeprefix("com.apple.LSSharedFileList.")
    for number, item in enumerate(items):
        locator = f"items[{number}]"
        seen = _seen(item, f"shared file list {name}", locator, file.user) if isinstance(item, dict) else None
        yield seen or Problem("an item that names no file", Status.UNRECOGNISED, locator)


def parse_recent_items(file: EvidenceFile) -> Results:
    """``FileSeen`` for each item of ``com.apple.recentitems.plist``."""
    lists = table(file)
    for key, words in _OLD_LISTS.items():
        held = lists.get(key)
        for number, item in enumerate(dicts(held.get("CustomListItems") if isinstance(held, dict) else None)):
            locator = f"{key}[{number}]"
            yield _seen(item, words, locator, file.user) or Problem("an item that names no file", Status.UNRECOGNISED, locator)


def _seen(item: Mapping[str, Any], how: str, locator: str, user: str | None) -> FileSeen | None:
    data = item.get("Bookmark") or item.get("bookmark") or item.get("Alias")
    found = target(data.get("data") if isinstance(data, dict) else data)
    name, url = text(item.get("Name")) or text(item.get("name")), text(item.get("URL"))
    if found is not None:
        return FileSeen(path=found.path, created=found.created, volume=found.volume, how=how, user=user, detail=name, locator=locator)
    if url:
        path = unquote(url.removeprefix("file://")) if url.startswith("file:///") else url
        return FileSeen(path=path, how=how, user=user, detail=name, locator=locator)
    return FileSeen(path=name, how=f"{how}, by name only", user=user, locator=locator) if name else None


ARTEFACTS = (
    Artefact(
        id="macos.shared_file_list",
        title="Shared file lists",
        meaning="Documents, programs and servers that were opened lately, and folders and volumes kept in the sidebar; the newest first.",
        paths=("**/com.apple.sharedfilelist/**/*.sfl", "**/com.apple.sharedfilelist/**/*.sfl2", "**/com.apple.sharedfilelist/**/*.sfl3", "**/com.apple.sharedfilelist/**/*.sfl4"),
        parse=parse,
        references=("https://www.mac4n6.com/blog/2017/10/17/script-update-for-macmru-v14-another-1013-update-sfl2-files",),
        systems=("macos",),
    ),
    Artefact(
        id="macos.recent_items",
        title="Recent items before OS X 10.11",
        meaning="Documents, programs and servers that were opened lately.",
        paths=("**/Library/Preferences/com.apple.recentitems.plist",),
        parse=parse_recent_items,
        references=("https://www.mac4n6.com/blog/2017/10/17/script-update-for-macmru-v14-another-1013-update-sfl2-files",),
        systems=("macos",),
    ),
)  # fmt: skip

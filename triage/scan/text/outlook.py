"""Data files of Outlook (PST and OST, MS-PST), read by libpff: the items in every folder, and those that no folder holds any more."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any, BinaryIO

from artefacts.coverage import Problem
from triage.scan.text import rtf_compressed
from triage.scan.text.kinds import decode
from triage.scan.text.markup import plain
from triage.scan.text.msg import BODY, HTML, NAMES, RTF, TITLES
from triage.scan.text.parts import MAX_READ, Budget, Member, Part, Text

_MAX_FOLDERS = 20_000
_UNICODE, _NARROW = 0x1F, 0x1E
# Address and telephone of a contact, place of an appointment's owner: MS-OXPROPS has a person's properties in this range.
_OF_PERSON = range(0x3A00, 0x3B00)
# What libpff raises; a name that is not UTF-8 or UTF-16 raises ValueError.
_REFUSED = (OSError, ValueError, RuntimeError, OverflowError)


def read(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """Subject, names, body as text, HTML and RTF, and attachments of each item, ``Inbox ▸ item 3 ▸`` before their locators."""
    import pypff

    file = pypff.file()
    try:
        file.open_file_object(stream)
        root = file.get_root_folder()
    except _REFUSED as error:
        yield Problem(f"is damaged, or protected in a way that is not known: {_first(error)}")
        return
    folders, seen = [("", root)] if root is not None else [], {0}
    while folders:
        path, folder = folders.pop()
        yield from _items(folder, "number_of_sub_messages", "get_sub_message", path, "", budget)
        below = []
        for number in range(_count(folder, "number_of_sub_folders")):
            child = yield from _got(folder.get_sub_folder, number, f"{path}folder {number + 1}")
            if child is None or child.identifier in seen:
                continue
            seen.add(child.identifier)
            if len(seen) > _MAX_FOLDERS:
                yield Problem(f"more than {_MAX_FOLDERS} folders: the rest was left")
                return
            name = _name(child) or f"folder {number + 1}"
            yield Text(name, f"{path}{name}", "name")
            below.append((f"{path}{name} ▸ ", child))
        folders += reversed(below)
    yield from _items(file, "number_of_orphan_items", "get_orphan_item", "", " in no folder", budget)


def _items(holder: Any, count: str, get: str, path: str, which: str, budget: Budget) -> Iterator[Part]:
    for number in range(_count(holder, count)):
        where = f"{path}item {number + 1}{which}"
        item = yield from _got(getattr(holder, get), number, where)
        if item is None:
            continue
        if not budget.message() or budget.spent:
            yield Problem(budget.spent)
            return
        yield from _item(item, f"{where} ▸ ", budget)


def _item(item: Any, prefix: str, budget: Budget) -> Iterator[Part]:
    for entry in _entries(item):
        try:
            kind, data = entry.entry_type, entry.data or b""
        except _REFUSED as error:
            yield Problem(f"an item cannot be read whole: {_first(error)}", locator=prefix.removesuffix(" ▸ "))
            continue
        number = f"{kind or 0:04X}"
        budget.took(len(data))
        data = data[:MAX_READ]
        if number in TITLES or (kind in _OF_PERSON and entry.value_type in (_UNICODE, _NARROW)):
            yield Text(_text(entry, data), f"{prefix}{TITLES.get(number, 'person')}", "title")
        elif number == BODY:
            yield Text(_text(entry, data), f"{prefix}body")
        elif number == HTML:
            yield Text(plain(decode(data)), f"{prefix}body (HTML)")
        elif number == RTF:
            rich = rtf_compressed.decompress(data)
            if rich is None:
                yield Problem("its formatted body is damaged", locator=f"{prefix}body (RTF)")
            else:
                yield Member(f"{prefix}body (RTF)", rich)
    for index in range(_count(item, "number_of_attachments")):
        where = f"{prefix}attachment {index + 1}"
        attachment = yield from _got(item.get_attachment, index, where)
        if attachment is None:
            continue
        if not budget.member() or budget.spent:
            yield Problem(budget.spent)
            return
        names = {f"{entry.entry_type or 0:04X}": _text(entry, entry.data or b"") for entry in _entries(attachment)}
        name = next((names[key] for key in NAMES if names.get(key)), "")
        if name:
            yield Text(name, f"{prefix}{name}", "name")
        size = min(_count(attachment, "size"), budget.left)
        data = (yield from _got(attachment.read_buffer, size, where)) if size else None
        if data:
            budget.took(len(data))
            yield Member(f"{prefix}{name or f'attachment {index + 1}'}", data)


def _entries(item: Any) -> Iterator[Any]:
    for number in range(_count(item, "number_of_record_sets")):
        try:
            yield from item.get_record_set(number).entries
        except _REFUSED:
            return


def _text(entry: Any, data: bytes) -> str:
    if entry.value_type != _UNICODE:
        return decode(data) if entry.value_type == _NARROW else ""
    text = data.decode("utf-16-le", "replace")
    # A subject may begin with a 1 and the length of its prefix ("Re: ").
    return text[2:] if text[:1] == "\x01" else text


def _name(folder: Any) -> str:
    try:
        return str(folder.name or "")
    except _REFUSED:
        return ""


def _count(holder: Any, name: str) -> int:
    try:
        return int(getattr(holder, name, 0) or 0)
    except _REFUSED:
        return 0


def _got(get: Callable[[int], Any], number: int, where: str) -> Generator[Part, None, Any]:
    """What ``get`` gives; a problem, and None, where it cannot be read."""
    try:
        return get(number)
    except _REFUSED as error:
        yield Problem(f"cannot be read: {_first(error)}", locator=where)
        return None


def _first(error: BaseException) -> str:
    """libyal tells the whole way up to the failure; its first line is enough."""
    return str(error).partition("\n")[0][:200] or type(error).__name__

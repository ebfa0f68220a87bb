"""What the artefacts of macOS share: property lists, keyed archives inside them, and their dates.

Sources: ``man 5 plist``; NSKeyedArchiver as described in Apple's Archives and Serializations Programming Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from plistlib import UID
from typing import Any

from artefacts import plist
from artefacts.coverage import Unrecognised
from artefacts.registry import EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp, from_cocoa

_DEEPEST = 40
_MOST_NODES = 200_000


def tree(file: EvidenceFile) -> Any:
    """The property list in ``file``. Raises ``Unrecognised`` where it is none, or a damaged one."""
    try:
        return plist.load(file.read(plist.LARGEST + 1))
    except ValueError as error:
        raise Unrecognised(str(error)) from error


def table(file: EvidenceFile) -> Mapping[str, Any]:
    """The property list in ``file``, which is a dictionary. Raises ``Unrecognised`` where it is not."""
    found = tree(file)
    if not isinstance(found, dict):
        raise Unrecognised("a property list, but not a dictionary")
    return found


def dicts(value: Any) -> list[Mapping[str, Any]]:
    """The dictionaries in a list; of anything else none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """A text that is not empty, or a number as text; else None."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def first(value: Any) -> Any:
    """The first value of a list, as Open Directory keeps everything; None of an empty one."""
    return (value[0] if value else None) if isinstance(value, list) else value


def date(value: Any) -> Time:
    """A date of a property list (UTC by its format), or a number of seconds since 2001."""
    if isinstance(value, Timestamp):
        return value
    if isinstance(value, datetime):
        try:
            return Timestamp.from_datetime(value.replace(tzinfo=UTC))
        except ValueError as error:
            return NoTime(str(error))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return from_cocoa(value)
    return NOT_RECORDED


def unarchived(archive: Any) -> Any:
    """The tree that a keyed archive holds: dicts, lists, str, bytes, numbers, dates as ``Timestamp``; an instance of another class is a dict of its fields.

    Raises ``ValueError`` where it is no keyed archive. What is deeper than 40 levels, or beyond 200,000 values, is None.
    """
    objects = archive.get("$objects") if isinstance(archive, dict) else None
    top = archive.get("$top") if isinstance(archive, dict) else None
    if not isinstance(objects, list) or not isinstance(top, dict) or not top:
        raise ValueError("not a keyed archive")
    left = _MOST_NODES

    def resolve(value: Any, depth: int) -> Any:
        nonlocal left
        left -= 1
        if left < 0 or depth > _DEEPEST:
            return None
        if isinstance(value, UID):
            if not 0 < value.data < len(objects):
                return None
            return resolve(objects[value.data], depth + 1)
        if isinstance(value, list):
            return [resolve(item, depth + 1) for item in value]
        if not isinstance(value, dict):
            return value
        if "NS.keys" in value and isinstance(value.get("NS.objects"), list) and isinstance(value["NS.keys"], list):
            keys = [resolve(item, depth + 1) for item in value["NS.keys"]]
            return {str(key): resolve(item, depth + 1) for key, item in zip(keys, value["NS.objects"], strict=False)}
        for name in ("NS.objects", "NS.string", "NS.data", "NS.bytes", "NS.uuidbytes", "NS.relative"):
            if name in value:
                return resolve(value[name], depth + 1)
        if isinstance(value.get("NS.time"), (int, float)):
            return date(value["NS.time"])
        return {str(key): resolve(item, depth + 1) for key, item in value.items() if key != "$class"}

    if "root" in top:
        return resolve(top["root"], 0)
    return {str(key): resolve(item, 0) for key, item in top.items()}

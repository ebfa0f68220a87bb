"""The journal as everything derived from it reads it: listed files as observations, times as instants."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from artefacts import observations
from artefacts.times import NOT_RECORDED, NS, NoTime, Time, Timestamp, from_local
from rules.findings.fields import time_fields
from triage import journal
from triage.casefolder import JOURNAL, CaseFile, CaseFolder
from triage.journal import Record

CONCLUDED = frozenset(
    ("HashMatch", "BlockMatch", "KeywordHit", "YaraMatch", "CleanupSign", "CleanupPeriod", "GoneFile", "FreeSpace", "Device")
)
"""Observation types that this tool concluded from others or from content: they are not traces of what a user did."""
LISTING_PARSER = "file system"
_WITHDRAWN, _HEAD = b'"kind":"withdrawn","data":', 256
_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z")
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(folder: CaseFolder) -> Iterator[Record]:
    """The journal of the case in ``folder``, each batch of files once, what was withdrawn left out.

    Raises ``JournalError`` and ``OSError`` as ``journal.read``.
    """
    batches: set[tuple[Any, Any, Any]] = set()
    withdrawn = _withdrawn(folder / JOURNAL)
    for record in journal.read(folder / JOURNAL):
        if withdrawn and record.kind in ("observation", "finding") and record.seq < withdrawn.get(record.data.get("id"), 0):
            continue
        if record.kind == "listing":
            batch = (record.data.get("source"), record.data.get("volume"), record.data.get("batch"))
            if batch[2] is not None and batch in batches:
                continue
            batches.add(batch)
        yield record


def _withdrawn(path: CaseFile) -> dict[Any, int]:
    """Ids of observations and findings that were withdrawn, and the number of the line that says so last.

    Such lines are few and late; the others are passed over unparsed. A line that is not sound is left to ``journal.read`` to refuse.
    """
    found: dict[Any, int] = {}
    with path.open("rb") as file:
        for line in file:
            if _WITHDRAWN not in line[:_HEAD]:
                continue
            try:
                record = json.loads(line)
                ids = [*record["data"]["observations"], *record["data"]["findings"]]
                found |= dict.fromkeys(ids, int(record["seq"]))
            except (ValueError, LookupError, TypeError, RecursionError):
                continue
    return found


def listed(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The files of a ``listing`` record as observations: ``FileSeen`` where allocated, ``DeletedFile`` where not.

    They have the form of an ``observation`` record without ``id``. A wall-clock time whose zone is not recorded (FAT) is null with
    its reason and the reading in ``<field>_local``.
    """
    columns = data["columns"]
    for row in data["rows"]:
        cell = dict(zip(columns, row, strict=False))
        local = bool(cell.get("local_times"))
        shared: dict[str, Any] = {
            "path": cell.get("path", ""),
            "size": cell.get("size"),
            "time": _time(cell.get("modified"), local),
            "created": _time(cell.get("created"), local),
            "accessed": _time(cell.get("accessed"), local),
            "changed": _time(cell.get("changed"), local),
            "hashes": {name: cell[name] for name in ("md5", "sha1", "sha256") if cell.get(name)},
            "kind": cell.get("kind") or "file",
            "how": "file system, folder lost" if cell.get("orphan") else "file system",
        }
        allocated = bool(cell.get("allocated", True))
        seen: observations.Observation
        seen = observations.FileSeen(**shared) if allocated else observations.DeletedFile(**shared, content=cell.get("content"))
        yield {
            **seen.to_json(),
            "provenance": {
                "source": data.get("source"),
                "volume": data.get("volume"),
                "path": cell.get("path", ""),
                "locator": str(cell.get("address") or ""),
                "parser": LISTING_PARSER,
                "recovered": not allocated,
            },
        }


def _time(ns: int | None, local: bool) -> Time:
    if ns is None:
        return NOT_RECORDED
    try:
        instant = Timestamp(ns)
    except ValueError as error:
        return NoTime(str(error))
    return from_local(instant.isoformat()[:-1], "the file system keeps wall-clock time") if local else instant


def instants(observation: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """The times of an observation that are known: field, RFC 3339 text, nanoseconds since the Unix epoch."""
    for name in time_fields().get(observation["type"], ()):
        text = observation.get(name)
        if isinstance(text, str) and (ns := nanoseconds(text)) is not None:
            yield name, text, ns


@lru_cache(maxsize=4096)
def nanoseconds(text: str) -> int | None:
    """Nanoseconds since the Unix epoch of an RFC 3339 text in UTC (``…Z``), or None if it is not one."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    try:
        instant = datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
    except ValueError:
        return None
    since = instant - _UNIX_EPOCH
    return (since.days * 86_400 + since.seconds) * NS + int((match[7] or "").ljust(9, "0"))

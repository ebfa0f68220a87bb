"""The Sleuth Kit's body file, version 3, for ``mactime``: ``MD5|name|inode|mode|UID|GID|size|atime|mtime|ctime|crtime``.

Times are Unix seconds, 0 where there is none or where it is outside the years 1970 to 9999. Wall-clock times without a zone (FAT) are given as if they were UTC, as ``fls -m`` does
without a zone, because the format has no other way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from artefacts.times import NS, Timestamp
from triage.report.records import read
from triage.text import visible

_MODES = {"directory": "d/drwxrwxrwx", "link": "l/lrwxrwxrwx"}


def write(case: Path, out: BinaryIO, _scratch: Path) -> None:
    """Every listed file. The name begins with ``/source/volume``; a deleted one ends in `` (deleted)``. Line breaks and bars that are
    in a name are replaced by a visible sign, since the format cannot hold them."""
    for record in read(case):
        if record.kind != "listing":
            continue
        where = f"/{record.data['source']}/{record.data['volume']}"
        for row in record.data["rows"]:
            cell = dict(zip(record.data["columns"], row, strict=False))
            fields = (
                cell.get("md5") or "0",
                visible(where + cell["path"]).replace("|", "⟨U+007C⟩") + ("" if cell["allocated"] else " (deleted)"),
                visible(str(cell.get("address") or "0")).replace("|", "⟨U+007C⟩"),
                _MODES.get(cell.get("kind") or "", "r/rrwxrwxrwx"),
                "0",
                "0",
                str(cell.get("size") or 0),
                *(_seconds(cell.get(name)) for name in ("accessed", "modified", "changed", "created")),
            )
            out.write("|".join(fields).encode("utf-8") + b"\n")


def _seconds(ns: Any) -> str:
    try:
        return str(max(0, Timestamp(ns).ns // NS))
    except (TypeError, ValueError):
        return "0"

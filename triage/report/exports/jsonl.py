"""JSON Lines: every observation of a case, one a line, in the order of the journal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

from triage.report.records import listed, read

_PROVENANCE = ("source", "path", "locator", "parser", "recovered", "volume")


def write(case: Path, out: BinaryIO, _scratch: Path) -> None:
    """``type``, the fields of that type, ``id`` (null for a listed file) and ``provenance``; pure ASCII, exact texts.

    What was drawn from other observations has ``rests_on`` in its provenance: their ids."""
    for record in read(case):
        if record.kind == "observation":
            out.write(_line(record.data))
        elif record.kind == "listing":
            out.writelines(map(_line, listed(record.data)))


def _line(item: dict[str, Any]) -> bytes:
    provenance = item["provenance"]
    fields = {name: value for name, value in item.items() if name not in ("id", "provenance")}
    told = {name: provenance.get(name) for name in _PROVENANCE}
    if "rests_on" in provenance:
        told["rests_on"] = provenance["rests_on"]
    line = {**fields, "id": item.get("id"), "provenance": told}
    return json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"

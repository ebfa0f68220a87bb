"""VICS 2.0 JSON (Project VIC), metadata only: no picture and no path of one leaves the case.

The model is shared under agreement only; the form is the one that open readers of real files expect (STANDARDS 1.1). ``Category`` is
null but for a file that is byte for byte in an alert set, whose own code then stands there verbatim if it is a number; the set and its
version stand in ``Comments``. A near match or a score never gives a category.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from triage.report.case import load
from triage.report.exports.identity import node_uuid
from triage.report.records import listed, read
from triage.report.timeline import sort_lines
from triage.scan.classify import is_media

CONTEXT = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/Default/$metadata#Cases"


def write(case: Path, out: BinaryIO, scratch: Path) -> None:
    """One ``Media`` for each MD5 of the pictures and videos that were listed and of every file in an alert set, in the order of the MD5.

    ``MediaFiles`` are the places it lies in; ``SourceID`` is the source's id in the case. Times are UTC, left out where the zone is not
    recorded. Files that no MD5 was computed of are not in it: hash set matches always have one, other media in the profile ``full``
    or when a set with MD5 was used.
    """
    loaded = load(case)
    tool = loaded.opened.get("tool") or {}
    visit = loaded.opened.get("visit") or {}
    identity = str(loaded.opened.get("case_id") or case.name)
    head = {
        "CaseID": str(node_uuid(identity, "vics")),
        "CaseNumber": visit.get("reference") or identity,
        "SourceApplicationName": tool.get("name", "triage"),
        "SourceApplicationVersion": tool.get("version", ""),
    }
    matches = _matches(case)
    out.write(f'{{"@odata.context":{json.dumps(CONTEXT)},\n "value":[{json.dumps(head)[:-1]},\n  "Media":['.encode("ascii"))
    lines = sort_lines(_lines(case, matches), scratch)
    for number, (digest, group) in enumerate(itertools.groupby(lines, key=lambda line: line.partition("\t")[0]), 1):
        media = _media(number, digest, [json.loads(line.split("\t", 2)[2]) for line in group], matches.get(digest))
        out.write((",\n   " if number > 1 else "\n   ").encode() + json.dumps(media).encode("ascii"))
    out.write(b"]}]}\n")


def _matches(case: Path) -> dict[str, dict[str, Any]]:
    """The strongest hash set match of each MD5: the one confirmed by most other digests, then by the set's name."""
    best: dict[str, dict[str, Any]] = {}
    for record in read(case):
        data = record.data
        if record.kind != "observation" or data["type"] != "HashMatch" or data.get("role") != "alert":
            continue
        digest = (data.get("hashes") or {}).get("md5")
        if digest and _rank(data) < _rank(best.get(digest, {})):
            best[digest] = data
    return best


def _rank(match: dict[str, Any]) -> tuple[bool, int, int, str]:
    confirmed, denied = len(match.get("confirmed_by") or ()), len(match.get("contradicted_by") or ())
    return (not match, denied, -confirmed, str(match.get("set_name")))


def _lines(case: Path, matches: dict[str, dict[str, Any]]) -> Iterator[str]:
    place = 0
    listed_paths: set[tuple[str, str, str]] = set()
    for record in read(case):
        if record.kind == "listing":
            for item in listed(record.data):
                digest = item["hashes"].get("md5")
                if digest and item["kind"] in ("file", "stream") and (digest in matches or is_media(item["path"])):
                    if digest in matches:
                        listed_paths.add((digest, item["provenance"]["source"], item["path"]))
                    yield f"{digest}\t{place:012}\t{json.dumps(item)}\n"
                    place += 1
    # What was met inside other files, or is remembered only, is in no listing.
    for digest, match in sorted(matches.items()):
        if (digest, match["provenance"]["source"], match["path"]) not in listed_paths:
            yield f"{digest}\t{place:012}\t{json.dumps(match)}\n"
            place += 1


def _media(number: int, digest: str, items: list[dict[str, Any]], match: dict[str, Any] | None) -> dict[str, Any]:
    code = str(match.get("code") or "") if match is not None else ""
    first = items[0]
    return {
        "MediaID": number,
        "Category": int(code) if code.isascii() and code.isdigit() and len(code) < 10 else None,
        "MD5": digest.upper(),
        "SHA1": (first["hashes"].get("sha1") or (match or {}).get("hashes", {}).get("sha1") or "").upper() or None,
        "MediaSize": first.get("size"),
        "IsPrecategorized": bool(match is not None and code),
        "Comments": f"Official list hit: {match['set_name']}, version {match.get('set_version') or 'not given'}, code {code or 'none'}"
        if match
        else "",
        "MediaFiles": [_file(digest, item) for item in items],
    }


def _file(digest: str, item: dict[str, Any]) -> dict[str, Any]:
    allocated = item["type"] == "FileSeen" or bool(item.get("allocated"))
    times = {"Created": item.get("created"), "Written": item.get("time"), "Accessed": item.get("accessed")}
    return {
        "MD5": digest.upper(),
        "FileName": item["path"].rpartition("/")[2],
        "FilePath": item["path"].replace("/", "\\"),
        **{name: value[:19] + "+00:00" for name, value in times.items() if isinstance(value, str)},
        "Unallocated": not allocated,
        "SourceID": item["provenance"]["source"],
    }

"""DFXML 2.0.0-beta.0 (dfxml-working-group/dfxml_schema): every listed file, under the volume it lies on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax.saxutils import escape, quoteattr

from artefacts.times import Timestamp
from triage.report.case import load
from triage.report.records import listed, read
from triage.report.timeline import sort_lines
from triage.text import visible

_TIMES = (("mtime", "time"), ("ctime", "changed"), ("atime", "accessed"), ("crtime", "created"))
_NAME_TYPE = {"directory": "d", "link": "l", "file": "r", "stream": "r"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(case: Path, out: BinaryIO, scratch: Path) -> None:
    """A ``fileobject`` for each listed file, in the order of the journal within its volume; sorted in ``scratch`` where it must be.

    Times without a zone are left out: the format would take them for UTC. Names are made visible where they hold what XML cannot.
    ``unused`` content is not described by ``byte_run``: the journal does not keep where a file's clusters lie.
    """
    loaded = load(case)
    tool = loaded.opened.get("tool") or {}
    started = loaded.attempts[0].started if loaded.attempts else loaded.opened_at or Timestamp(0).isoformat()
    volumes = {(volume["source"], volume["id"]): number for number, volume in enumerate(loaded.volumes)}

    def text(line: str) -> None:
        out.write(line.encode("utf-8"))

    text('<?xml version="1.0" encoding="UTF-8"?>\n')
    text('<dfxml xmlns="http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML"\n')
    text('       xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0.0-beta.0">\n')
    text("  <metadata><dc:type>Triage file list</dc:type></metadata>\n")
    text(
        f'  <creator version="1.0"><program>{_text(tool.get("name", "triage"))}</program><version>{_text(tool.get("version", ""))}</version>\n'
    )
    text(f"    <execution_environment><start_time>{started}</start_time></execution_environment>\n  </creator>\n")
    text("  <source>\n")
    for source in loaded.sources:
        text(f"    <image_filename>{_text(source.get('path') or '')}</image_filename>\n")
    text("  </source>\n")
    current: int | None = None
    for line in sort_lines(_lines(case, volumes), scratch):
        number, _, item = line.split("\t", 2)
        if int(number) != current:
            if current is not None:
                text("  </volume>\n")
            current = int(number)
            text(_volume(loaded.volumes[current]))
        text(_file(json.loads(item)))
    if current is not None:
        text("  </volume>\n")
    text("</dfxml>\n")


def _lines(case: Path, volumes: dict[tuple[Any, Any], int]) -> Iterator[str]:
    place = 0
    for record in read(case):
        if record.kind == "listing" and (number := volumes.get((record.data["source"], record.data["volume"]))) is not None:
            for item in listed(record.data):
                yield f"{number:06}\t{place:012}\t{json.dumps(item)}\n"
                place += 1


def _volume(volume: dict[str, Any]) -> str:
    kind = f"    <ftype_str>{_text(volume['filesystem'])}</ftype_str>\n" if volume.get("filesystem") else ""
    return f"  <volume offset={quoteattr(str(volume.get('offset') or 0))}>\n{kind}"


def _file(item: dict[str, Any]) -> str:
    size = item.get("size")
    parts = [
        "    <fileobject>",
        f"      <filename>{_text(item['path'].lstrip('/'))}</filename>",
        f"      <name_type>{_NAME_TYPE.get(item['kind'], '-')}</name_type>",
        *([f"      <filesize>{size}</filesize>"] if isinstance(size, int) and size >= 0 else []),
        f"      <alloc>{int(item['type'] == 'FileSeen')}</alloc>",
        *([f"      <inode>{inode}</inode>"] if (inode := _inode(item)) else []),
        *(f"      <{name}>{item[field]}</{name}>" for name, field in _TIMES if item.get(field)),
        *(f'      <hashdigest type="{name}">{digest}</hashdigest>' for name, digest in sorted(item["hashes"].items())),
        "    </fileobject>",
    ]
    return "\n".join(parts) + "\n"


def _inode(item: dict[str, Any]) -> str:
    return match.group() if (match := re.match(r"\d+", item["provenance"]["locator"])) else ""


def _text(value: str) -> str:
    shown = visible(value) if _NOT_XML.search(value) else value
    return escape(shown)

"""OneDrive's own logs (``.odl``, ``.odlgz``, ``.odlsent``, ``.aodl``): names of files that it handled.

A header of 256 bytes (``EBFGONED``), then records, together in one gzip stream where ``1F 8B`` follows. A record: ``CC DD EE FF``, 4 bytes, time in
milliseconds since 1970 (UTC), 24 bytes, 8 bytes, length of the data, 4 bytes, data: name of the source file, a number, name of the function, parameters. Words in the
parameters are replaced by made-up ones; ``ObfuscationStringMap.txt`` beside the log says which, in versions before 2022. Later ones are encrypted and stay as
they are: then names of folders are told but not those of files.

Source: Y. Khatri, "Reading OneDrive logs" (swiftforensics, 2022); the specimen.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import FileSeen, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, Timestamp, from_unix
from artefacts.windows.paths import user_of
from artefacts.windows.text import decode

_HEADER, _RECORD = 256, 56
_MARK = bytes.fromhex("ccddeeff")
_LARGEST = 128 << 20  # bytes, decompressed
_LARGEST_RECORD = 1 << 20
_MOST_PROBLEMS = 100
_MOST_PATHS = 20_000
_LARGEST_MAP = 16 << 20
_PATH = re.compile(rb"[A-Za-z]{1,40}:\\[^\x00-\x1f\"<>|?*\r\n]{2,1000}")
_WORD = re.compile(r"[A-Za-z0-9]+")
_MILLISECOND = 1_000_000


@dataclass(slots=True)
class _Path:
    first: Time
    last: Time
    count: int
    locator: str


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``FileSeen`` for each path in the parameters, ``used`` the last time; one ``SystemFact``: how many records and when the first was."""
    with file.open() as stream:
        if stream.read(_HEADER)[:8] != b"EBFGONED":
            raise Unrecognised("not a log of OneDrive")
        data, problem = _content(stream)
    if problem is not None:
        yield problem
    words = _words(file)
    paths: dict[str, _Path] = {}
    first: Time = NOT_RECORDED
    count = problems = at = 0
    while (found := data.find(_MARK, at)) >= 0 and problems < _MOST_PROBLEMS:
        if found > at and data[at:found].strip(b"\0"):
            problems += 1
            yield Problem(f"{found - at} bytes are not a record", Status.FAILED, f"offset={_HEADER + at}")
        at = found
        if at + _RECORD > len(data):
            break
        stamp, size = struct.unpack_from("<8xQ32xI", data, at)
        if size > _LARGEST_RECORD or at + _RECORD + size > len(data):
            problems += 1
            yield Problem("a record is damaged or cut short", Status.FAILED, f"offset={_HEADER + at}")
            at += 4
            continue
        count += 1
        time = from_unix(stamp, unit_ns=_MILLISECOND)
        first = time if not isinstance(first, Timestamp) else first
        for hit in _PATH.finditer(data, at + _RECORD, at + _RECORD + size):
            path = _plain(hit[0].decode("utf-8", "replace"), words).rstrip(" ,;'")
            if path.endswith((".cpp", ".h")):
                continue  # of OneDrive's own source
            known = paths.get(path)
            if known is not None:
                known.last, known.count = time, known.count + 1
            elif len(paths) < _MOST_PATHS:
                paths[path] = _Path(time, time, 1, f"offset={_HEADER + at}")
        at += _RECORD + size
    if problems >= _MOST_PROBLEMS:
        yield Problem(f"more than {_MOST_PROBLEMS} problems: the rest is not read", Status.FAILED, f"offset={_HEADER + at}")
    if len(paths) >= _MOST_PATHS:
        yield Problem(f"more than {_MOST_PATHS} paths: the others are left out", Status.FAILED)
    for path, seen in paths.items():
        yield FileSeen(
            path=path, used=seen.last, count=seen.count, how="OneDrive log", user=user_of(path + "\\") or file.user, kind="file or folder",
            detail="a name in the log: no sign by itself that the file was copied anywhere", locator=seen.locator,
        )  # fmt: skip
    yield SystemFact(name="OneDrive log", value=f"{count} records", time=first)


def _content(stream: BinaryIO) -> tuple[bytes, Problem | None]:
    """The records' bytes, decompressed where they are compressed, and what was wrong with them."""
    start = stream.read(2)
    stream.seek(_HEADER)
    if start != b"\x1f\x8b":
        data = stream.read(_LARGEST + 1)
        return data[:_LARGEST], Problem("larger than any such log: the rest is not read") if len(data) > _LARGEST else None
    out, inflate = io.BytesIO(), zlib.decompressobj(31)
    try:
        while not inflate.eof and out.tell() < _LARGEST and (chunk := inflate.unconsumed_tail or stream.read(1 << 20)):
            out.write(inflate.decompress(chunk, 4 << 20))
    except zlib.error as error:
        return out.getvalue(), Problem(
            f"the compressed part is damaged after {out.tell()} bytes ({error})", Status.FAILED, f"offset={_HEADER}"
        )
    if inflate.eof:
        return out.getvalue(), None
    return out.getvalue(), Problem(
        f"the compressed part does not end where it should: {out.tell()} bytes are read", Status.FAILED, f"offset={_HEADER}"
    )


def _words(file: EvidenceFile) -> dict[str, str]:
    """What the made-up words stand for."""
    beside = file.sibling("ObfuscationStringMap.txt")
    if beside is None:
        return {}
    pairs = (line.partition("\t") for line in decode(beside.read(_LARGEST_MAP)).splitlines())
    return {made_up.strip(): real for made_up, tab, real in pairs if tab and made_up.strip()}


def _plain(text: str, words: Mapping[str, str]) -> str:
    return _WORD.sub(lambda word: words.get(word[0], word[0]), text)


ARTEFACTS = (
    Artefact(
        id="windows.onedrive_log",
        title="OneDrive logs",
        meaning="Names of files and folders that OneDrive handled on this computer, and when.",
        paths=("**/OneDrive/logs/**/*.odl", "**/OneDrive/logs/**/*.odlgz", "**/OneDrive/logs/**/*.odlsent", "**/OneDrive/logs/**/*.aodl"),
        parse=parse,
        references=("https://www.swiftforensics.com/2022/02/reading-onedrive-logs.html",),
        systems=("windows", "macos"),
        validation="specimen",
    ),
)

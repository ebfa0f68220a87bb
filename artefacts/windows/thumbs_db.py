"""Thumbs.db: small pictures of the pictures in one folder, kept in that folder; before Vista with their names and times.

A compound file. To Windows XP the stream ``Catalog`` lists name and FILETIME (UTC) of each file, and the stream whose name is the entry's number with its digits
reversed holds the picture. Since Vista (folders on other machines, mostly) a stream is called ``SIZE_HASH`` and no name is kept.

Source: libyal, "Thumbs.db" (libolecf and dtformats); checked against the specimens.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import FileSeen, Observation
from artefacts.registry import Artefact, Content, EvidenceFile
from artefacts.times import Time, from_filetime
from artefacts.windows.compound_file import LARGEST, SIGNATURE, streams_of

_ENTRY = 16


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``FileSeen`` for each picture: its ``time`` is that of the file; where only the hash is known ``path`` says so."""
    data = file.read(LARGEST + 1)
    if not data.startswith(SIGNATURE) or len(data) > LARGEST:
        raise Unrecognised("not a compound file")
    streams: dict[str, bytes] = {}
    for found in streams_of(data):
        if isinstance(found, Problem):
            yield found
        else:
            streams[found[0]] = found[1]
    folder = file.path.rsplit("/", 1)[0]
    for entry in catalog(streams.pop("catalog", b"")):
        if isinstance(entry, Problem):
            yield entry
            continue
        number, time, name = entry
        kept = streams.pop(str(number)[::-1], None)
        detail = f"in the folder {folder}" + ("" if kept is not None else ", its picture is missing")
        yield FileSeen(path=name, time=time, how="Thumbs.db", user=file.user, detail=detail, locator=f"stream=Catalog number={number}")
    for name, content in sorted(streams.items()):
        size, _, key = name.partition("_")
        if size.isdigit() and key:
            yield FileSeen(
                path=f"[thumbnail {key}]", size=len(content), kind="thumbnail", how="Thumbs.db", user=file.user,
                detail=f"in the folder {folder}", locator=f"stream={name}",
            )  # fmt: skip


def contents(file: EvidenceFile) -> Iterator[Content | Problem]:
    """The small pictures, by their names in the catalogue, or by their streams'."""
    data = file.read(LARGEST + 1)
    streams = {found[0]: found[1] for found in streams_of(data) if not isinstance(found, Problem)}
    names = {str(entry[0])[::-1]: entry[2] for entry in catalog(streams.pop("catalog", b"")) if not isinstance(entry, Problem)}
    for stream, content in sorted(streams.items()):
        # A header of 12 or 24 bytes, as its own first word says, stands before the picture.
        start = int.from_bytes(content[:4], "little")
        picture = content[start:] if start in (12, 24) else content
        if picture:
            yield Content(f"thumbnail {names.get(stream, stream)}", picture, "as a small copy that Windows made of a picture")


def catalog(data: bytes) -> Iterator[tuple[int, Time, str] | Problem]:
    """The entries of the stream ``Catalog``: number, time, name."""
    if not data:
        return
    place = int.from_bytes(data[:2], "little")
    count = int.from_bytes(data[4:8], "little")
    read = 0
    while place + _ENTRY < len(data):
        length, number, stamp = struct.unpack_from("<IIQ", data, place)
        if length <= _ENTRY or place + length > len(data):
            break
        name = data[place + _ENTRY : place + length].decode("utf-16-le", "backslashreplace").split("\0", 1)[0]
        yield number, from_filetime(stamp), name
        place, read = place + length, read + 1
    if read != count:
        yield Problem(f"its catalogue counts {count} entries, {read} were read", Status.FAILED, "stream=Catalog offset=4")


ARTEFACTS = (
    Artefact(
        id="windows.thumbs_db",
        title="Thumbs.db",
        meaning="Pictures that were once in this folder and shown there, also those that are gone.",
        paths=("**/Thumbs.db",),
        parse=parse,
        references=("https://github.com/libyal/dtformats",),
        systems=("windows",),
        validation="4 specimens since Vista; before: generated",
        contents=contents,
    ),
)

"""Jump lists: what each program opened last, by user.

Automatic lists are compound files: the stream ``DestList`` (version 1 in Windows 7 to 8.1, 3 and later since Windows 10) has an entry a file with
the time of its last opening, the others, named by the entry's number in hexadecimal, a shell link each. Custom lists are shell links one
after the other. The file's name is the application's id.

Sources: libyal, "Jump lists format" (dtformats); MS-SHLLINK; checked against the specimens. Compound files are read by olefile.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import FileSeen, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import from_filetime
from artefacts.windows import shell_link
from artefacts.windows.compound_file import LARGEST, SIGNATURE, streams_of
from artefacts.windows.lnk import LARGEST as LARGEST_LINK
from artefacts.windows.lnk import seen

_MOST_LINKS = 10_000
_LIST_HEADER = 32


def parse_automatic(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``FileSeen`` for each entry of the list, then for each link that the list no longer names (``recovered``)."""
    data = file.read(LARGEST + 1)
    if not data.startswith(SIGNATURE) or len(data) > LARGEST:
        raise Unrecognised("not a compound file")
    streams: dict[str, bytes] = {}
    for found in streams_of(data):
        if isinstance(found, Problem):
            yield found
        else:
            streams[found[0]] = found[1]
    if "destlist" not in streams:
        yield Problem("its list of entries is missing", Status.FAILED, "stream=DestList")
    program = f"application {file.name.split('.', 1)[0].lower()}"
    named: set[str] = set()
    for entry in _entries(streams.pop("destlist", b"")):
        if isinstance(entry, Problem):
            yield entry
            continue
        record, number, pinned = entry
        detail = f"{program}; pinned" if pinned else program
        name = f"{number:x}"
        named.add(name)
        record.user, record.how, record.detail = file.user, "jump list", detail
        if name in streams:
            link, problem = _link(streams[name], f"stream={name}")
            if problem is not None:
                yield problem
            if link is not None:
                target = seen(link, how="jump list", user=file.user, detail=detail, locator=record.locator)
                target.path, target.used, target.count = record.path, record.used, record.count
                target.volume = {**record.volume, **link.volume}
                record = target
        else:
            yield Problem("its link is missing", Status.FAILED, f"stream={name}")
        yield record
    for name in sorted(streams.keys() - named):
        link, problem = _link(streams[name], f"stream={name}")
        if problem is not None:
            yield problem
        if link is not None:
            record = seen(link, how="jump list, no longer in its list", user=file.user, detail=program, locator=f"stream={name}")
            record.recovered = True
            yield record


def parse_custom(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``FileSeen`` for each link in the file, wherever it lies."""
    data = file.read(LARGEST)
    if len(data) < 12 or int.from_bytes(data[:4], "little") not in (1, 2):
        raise Unrecognised("not a custom jump list")
    program = f"application {file.name.split('.', 1)[0].lower()}"
    place = data.find(shell_link.SIGNATURE)
    for _ in range(_MOST_LINKS):
        if place < 0:
            break
        locator = f"offset={place}"
        length, _damage = shell_link.measure(data[place : place + LARGEST_LINK].ljust(76, b"\0"))
        following = data.find(shell_link.SIGNATURE, place + 20)
        if following >= 0 and place + length > following:
            length = following - place  # a lying size must not swallow its neighbours
        link, problem = _link(data[place : place + length], locator)
        if problem is not None:
            yield problem
        if link is not None:
            yield seen(link, how="jump list (custom)", user=file.user, detail=program, locator=locator)
        place = following
    if not data.endswith(b"\xab\xfb\xbf\xba"):
        yield Problem("its end is missing", Status.FAILED, f"offset={len(data)}")


def _entries(data: bytes) -> Iterator[tuple[FileSeen, int, bool] | Problem]:
    """Each entry as a record, its number, and whether it is pinned."""
    if not data:
        return
    if len(data) < _LIST_HEADER:
        yield Problem("the list's header is cut short", Status.FAILED, "stream=DestList offset=0")
        return
    version, count = struct.unpack_from("<II", data)
    fixed, tail = (114, 0) if version < 3 else (130, 4)
    place, read = _LIST_HEADER, 0
    while place + fixed <= len(data):
        locator = f"stream=DestList offset={place}"
        number, stamp, pin = struct.unpack_from("<I8xQi", data, place + 88)
        opened = struct.unpack_from("<I", data, place + 116)[0] if version >= 3 else None
        (characters,) = struct.unpack_from("<H", data, place + fixed - 2)
        end = place + fixed + 2 * characters
        if end > len(data):
            yield Problem("an entry is cut short", Status.FAILED, locator)
            break
        machine = data[place + 72 : place + 88].split(b"\0", 1)[0].decode("latin-1")
        record = FileSeen(
            path=data[place + fixed : end].decode("utf-16-le", "backslashreplace"),
            used=from_filetime(stamp),
            count=opened,
            volume={"machine": machine} if machine else {},
            locator=locator,
        )
        yield record, number, pin >= 0
        place, read = end + tail, read + 1
    if read != count:
        yield Problem(f"the list counts {count} entries, {read} were read", Status.FAILED, "stream=DestList offset=4")


def _link(data: bytes, locator: str) -> tuple[Any, Problem | None]:
    try:
        link = shell_link.read(data)
    except ValueError as error:
        return None, Problem(str(error), Status.FAILED, locator)
    return link, Problem("; ".join(link.problems), Status.FAILED, locator) if link.problems else None


def _artefact(name: str, title: str, extension: str, parse: Any, validation: str) -> Artefact:
    return Artefact(
        id=f"windows.jump_list.{name}",
        title=title,
        meaning="Files that a user opened, by program, with the time of the last opening." if name == "automatic" else
        "Files and tasks that a program offers the user, often what was opened last.",
        paths=(f"**/*.{extension}",),
        parse=parse,
        references=("https://github.com/libyal/dtformats/blob/main/documentation/Jump%20lists%20format.asciidoc",),
        systems=("windows",),
        validation=validation,
    )  # fmt: skip


ARTEFACTS = (
    _artefact("automatic", "Jump lists", "automaticDestinations-ms", parse_automatic, "6 specimens, Windows 7 to 10"),
    _artefact("custom", "Jump lists of programs' own", "customDestinations-ms", parse_custom, "specimen of Windows 7"),
)

r"""eMule and aMule: files that were shared or fetched, downloads under way, words that were searched for.

- ``known.met``: a byte (0E, 0F with large files), a count in 32 bits, then of each file: date in 32 bits (seconds since 1970, UTC: the file's own last change),
  the eD2k hash (MD4, 16 bytes), a count in 16 bits and as many hashes of parts, tags.
- ``NNN.part.met``: a byte (E0, E2 with large files), then one such record.
- ``canceled.met``/``cancelled.met``: which downloads were cancelled; eMule keeps only hashes that nobody can turn back, so they are counted.
- ``*.emulecollection``: 32 bits of version, tags of the collection, a count, tags of each file; or one ``ed2k://`` link a line.
- ``AC_SearchStrings.dat`` (UTF-16, one search a line, the newest first), ``shareddir.dat`` (one folder a line), ``preferences.dat`` (a byte, then the user's hash).

A tag: type in a byte; where its highest bit is set the name is one byte, else 16 bits of length and the name; then the value (see ``_value``).

Source: eMule 0.50a, KnownFile.cpp, PartFile.cpp, Packets.cpp, Opcodes.h; aMule, CanceledFileList.cpp; files that aMule 2.3.3 writes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from artefacts.applications.reading import MOST_FILES, Cursor, Cut, Results, base32_hex, content, words
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import AccountUse, SearchQuery, SharedFile, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, from_unix
from artefacts.windows.text import decode

_KNOWN = frozenset((0x0E, 0x0F))
_PART = frozenset((0xE0, 0xE2))
_NAME, _SIZE, _SIZE_HIGH = 0x01, 0x02, 0x3A
_SENT, _REQUESTED, _SENT_HIGH = 0x50, 0x51, 0x54
_LAST_SHARED, _AICH, _GOT, _FILE_HASH = 0x34, 0x27, 0x08, 0x28
_MOST_TAGS = 1_000
_WIDTHS = {0x03: 4, 0x08: 2, 0x09: 1, 0x0B: 8}
_LINK = re.compile(r"ed2k://\|file\|([^|]{1,4096})\|(\d{1,15})\|([0-9a-fA-F]{32})\|")


@dataclass(slots=True)
class _Record:
    date: int = 0
    ed2k: str = ""
    tags: dict[int | str, Any] = field(default_factory=dict)
    start: int = 0


def _value(cursor: Cursor, kind: int) -> Any:
    """The value of a tag, by its type. Raises ``Cut`` for a type that is not known: nothing after it could be found."""
    if kind == 0x02:
        return words(cursor.take(cursor.number(2)))
    if kind in _WIDTHS:
        return cursor.number(_WIDTHS[kind])
    if 0x11 <= kind <= 0x20:
        return words(cursor.take(kind - 0x10))
    if kind == 0x01:
        return cursor.take(16)
    if kind == 0x04:
        return cursor.take(4)
    if kind == 0x05:
        return cursor.number(1)
    if kind == 0x06:
        return cursor.take(cursor.number(2) // 8 + 1)
    if kind == 0x07:
        return cursor.take(cursor.number(4))
    if kind == 0x0A:
        return cursor.take(cursor.number(1))
    raise Cut(f"a tag of the unknown type {kind:#x}")


def _tags(cursor: Cursor) -> dict[int | str, Any]:
    count = cursor.number(4)
    if count > _MOST_TAGS:
        raise Cut(f"{count} tags, which cannot be")
    tags: dict[int | str, Any] = {}
    for _ in range(count):
        kind = cursor.number(1)
        name: int | str
        if kind & 0x80:
            kind, name = kind & 0x7F, cursor.number(1)
        else:
            length = cursor.number(2)
            raw = cursor.take(length)
            name = raw[0] if length == 1 else words(raw)
        tags.setdefault(name, _value(cursor, kind))
    return tags


def _record(cursor: Cursor) -> _Record:
    record = _Record(start=cursor.at, date=cursor.number(4), ed2k=cursor.take(16).hex())
    cursor.take(16 * cursor.number(2))
    record.tags = _tags(cursor)
    return record


def _number(tags: dict[int | str, Any], low: int, high: int | None = None) -> int | None:
    value, top = tags.get(low), tags.get(high, 0) if high is not None else 0
    return value + (top << 32 if isinstance(top, int) else 0) if isinstance(value, int) else None


def _shared_file(file: EvidenceFile, record: _Record, *, part: bool) -> SharedFile:
    tags = record.tags
    name = tags.get(_NAME)
    hashes = {"ed2k": record.ed2k}
    if isinstance(aich := tags.get(_AICH), str) and (digest := base32_hex(aich, 20)):
        hashes["aich"] = digest
    sent, requested = _number(tags, _SENT, _SENT_HIGH), _number(tags, _REQUESTED)
    last = tags.get(_LAST_SHARED)
    shared = True if sent or requested or last or part else None
    when: Time = from_unix(last) if isinstance(last, int) and last > 0 else from_unix(record.date) if record.date else NOT_RECORDED
    return SharedFile(
        name=name if isinstance(name, str) and name else f"(no name) {record.ed2k}",
        size=_number(tags, _SIZE, _SIZE_HIGH),
        hashes=hashes,
        time=when,
        time_meaning="last shared" if last else "the file's last change",
        shared=shared,
        program=_program(file),
        state="incomplete" if part else "complete",
        uploaded=sent,
        downloaded=_number(tags, _GOT) if part else None,
        requests=requested,
        user=file.user,
        locator=f"offset={record.start}",
    )


def _program(file: EvidenceFile) -> str:
    return "aMule" if "amule" in file.path.lower() else "eMule"


def parse_known(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each file that the program knows: it was complete here and stood ready to be shared."""
    data, problems = content(file)
    if not data:
        return
    if data[0] not in _KNOWN or len(data) < 5:
        raise Unrecognised("not eMule's list of known files")
    yield from problems
    cursor = Cursor(data, 1)
    count = cursor.number(4)
    for number in range(min(count, MOST_FILES)):
        try:
            record = _record(cursor)
        except Cut as error:
            yield Problem(f"{error}; {count - number} of {count} files are not read", Status.FAILED, f"offset={cursor.at}")
            return
        yield _shared_file(file, record, part=False)
    if count > MOST_FILES:
        yield Problem(f"more than {MOST_FILES} files: the rest is not listed", Status.SKIPPED)


def parse_part(file: EvidenceFile) -> Results:
    """One ``SharedFile``: a download that is under way or was given up. What is there of it already is offered to others."""
    data, problems = content(file)
    if not data or data[0] not in _PART:
        raise Unrecognised("not a download of eMule")
    yield from problems
    try:
        yield _shared_file(file, _record(Cursor(data, 1)), part=True)
    except Cut as error:
        yield Problem(str(error), Status.FAILED, "offset=1")


def parse_collection(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each file of a collection: a list that can be passed on, not files that were fetched."""
    data, problems = content(file)
    yield from problems
    links = list(_LINK.finditer(words(data))) if data[:7] == b"ed2k://" else []
    if links:
        for link in links[:MOST_FILES]:
            yield SharedFile(
                name=unquote(link[1]), size=int(link[2]), hashes={"ed2k": link[3].lower()}, program="eMule", state="listed",
                collection=file.name, user=file.user, locator=f"character={link.start()}",
            )  # fmt: skip
        return
    cursor = Cursor(data)
    try:
        if cursor.number(4) not in (1, 2):
            raise Unrecognised("not a collection of eMule")
        title = _tags(cursor).get(_NAME)
        count = cursor.number(4)
        for _ in range(min(count, MOST_FILES)):
            start = cursor.at
            tags = _tags(cursor)
            digest = tags.get(_FILE_HASH)
            yield SharedFile(
                name=str(tags.get(_NAME) or "(no name)"), size=_number(tags, _SIZE), hashes={"ed2k": digest.hex()} if isinstance(digest, bytes) else {},
                program="eMule", state="listed", collection=title if isinstance(title, str) else file.name, user=file.user, locator=f"offset={start}",
            )  # fmt: skip
    except Cut as error:
        yield Problem(str(error), Status.FAILED, f"offset={cursor.at}")


def parse_cancelled(file: EvidenceFile) -> Results:
    """One ``SystemFact``: how many downloads were cancelled. Which, the file does not tell."""
    data, problems = content(file)
    cursor = Cursor(data)
    try:
        head = cursor.number(1)
        if head in _KNOWN:
            cursor.take(5)
        elif head != 0x22:
            raise Unrecognised("not the list of cancelled downloads")
        count = cursor.number(4)
    except Cut as error:
        raise Unrecognised(f"not the list of cancelled downloads: {error}") from error
    yield from problems
    if count * 16 > cursor.left:
        yield Problem(f"says {count} downloads, and has room for {cursor.left // 16}", Status.FAILED, f"offset={cursor.at}")
        count = cursor.left // 16
    if count:
        yield SystemFact(name=f"downloads cancelled in {_program(file)}", value=str(count), locator=f"offset={cursor.at}")


def _lines(file: EvidenceFile) -> tuple[list[str], list[Problem]]:
    data, problems = content(file, 4 << 20)
    return [line.strip("\ufeff\r\n\0 ") for line in decode(data).split("\n")], problems


def parse_searches(file: EvidenceFile) -> Results:
    """A ``SearchQuery`` for each search that the program remembers; the first is the newest."""
    lines, problems = _lines(file)
    yield from problems
    for number, line in enumerate(lines[:10_000], 1):
        if line:
            yield SearchQuery(
                terms=line[:4096], engine=_program(file), time=NoTime("the list has no times; the first is the newest"), where="file sharing program",
                user=file.user, locator=f"line={number}",
            )  # fmt: skip


def parse_folders(file: EvidenceFile) -> Results:
    """A ``SystemFact`` for each folder that is shared with others."""
    lines, problems = _lines(file)
    yield from problems
    for number, line in enumerate(lines[:10_000], 1):
        if line:
            yield SystemFact(name=f"folder shared with {_program(file)}", value=line[:4096], locator=f"line={number}")


def parse_preferences(file: EvidenceFile) -> Results:
    """One ``AccountUse``, where the file holds it: the hash by which the others in the network know this user."""
    data = file.read(64)
    if len(data) < 17 or data[0] not in (0x0F, 0x12, 0x13, 0x14):
        raise Unrecognised("not eMule's preferences")
    digest = data[1:17]
    yield AccountUse(
        service=f"{_program(file)} (eD2k network)", account=digest.hex(), user=file.user, how="file sharing program", locator="offset=1"
    )


_REFERENCES = ("https://github.com/amule-project/amule/blob/master/src/KnownFile.cpp",)

ARTEFACTS = (
    Artefact(
        id="applications.emule.known",
        title="eMule and aMule: known files",
        meaning="Files that were fetched or shared with eMule or aMule: names, sizes, eD2k hashes, how much was sent to others and how often it was asked for.",
        paths=("**/known.met", "**/known.met.bak"),
        parse=parse_known,
        references=_REFERENCES,
        validation="files that aMule 2.3.3 wrote (test); generated",
    ),
    Artefact(
        id="applications.emule.part",
        title="eMule and aMule: downloads under way",
        meaning="Downloads that are not finished: names, sizes and hashes. What is there already is offered to others.",
        paths=("**/*.part.met", "**/*.part.met.bak", "**/*.part.met.backup"),
        parse=parse_part,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.emule.collection",
        title="eMule: collections",
        meaning="Lists of files that eMule users pass on to one another.",
        paths=("**/*.emulecollection",),
        parse=parse_collection,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.emule.cancelled",
        title="eMule and aMule: cancelled downloads",
        meaning="How many downloads were cancelled.",
        paths=("**/cancelled.met", "**/canceled.met"),
        parse=parse_cancelled,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.emule.searches",
        title="eMule: searches",
        meaning="Words that were searched for with eMule.",
        paths=("**/AC_SearchStrings.dat",),
        parse=parse_searches,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.emule.folders",
        title="eMule and aMule: shared folders",
        meaning="Folders whose files eMule or aMule offers to everybody.",
        paths=("**/emule/**/shareddir.dat", "**/emule/shareddir.dat", "**/.aMule/shareddir.dat", "**/aMule/shareddir.dat"),
        parse=parse_folders,
        references=_REFERENCES,
        validation="files that aMule 2.3.3 wrote (test); generated",
    ),
    Artefact(
        id="applications.emule.preferences",
        title="eMule and aMule: the user's hash",
        meaning="The number by which other eMule users know this user.",
        paths=("**/emule/**/preferences.dat", "**/emule/preferences.dat", "**/.aMule/preferences.dat", "**/aMule/preferences.dat"),
        parse=parse_preferences,
        references=_REFERENCES,
    ),
)  # fmt: skip

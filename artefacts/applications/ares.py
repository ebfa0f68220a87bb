"""Ares Galaxy: files it shares or shared (``ShareH.dat``, ``ShareL.dat``), and what was searched for with it.

A signature of 14 bytes (``__ARESDB1.02H_``, ``__ARESDB1.04L_``), then records, each lightly scrambled: a head (23 bytes in H, 47 in L), then a part of the
length that the head gives. H: SHA-1, shared (a byte), length (16 bits). L: SHA-1, kind of file (a byte), 4 bytes, size (64 bits), 12 bytes, length (16 bits).
The part holds fields: type in a byte, length in 16 bits, text in UTF-8 (1 path, 2 title, 3 artist, 4 album, 5 category, 6 date of the work, 8 language, 9 address,
10 comment, 11 date in 32 bits, seconds since 1970 UTC, 17 corrupted).

Searches: ``Software\\Ares\\Search.History`` in the user's registry; names of values are the words in hexadecimal, in sub-keys by kind of file.

Source: Ares Galaxy 2.1, helper_library_db.pas (scrambling: ``a := 13871``; each byte XOR ``a shr 8``; ``a := (a + byte) * 23219 + 36126``).
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator

from artefacts.applications.reading import MOST_FILES, Cursor, Cut, Results, content, last_part, words
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import Observation, SearchQuery, SharedFile
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, from_unix
from artefacts.windows.hive import Hive
from artefacts.windows.hive.reading import NTUSER, read_hive

_SIGNATURES = {b"__ARESDB1.02H_": (23, 1024), b"__ARESDB1.04L_": (47, 2048)}
_HEAD_KEY, _BODY_KEY = 13871, 13872
_SEARCHES = r"Software\Ares\Search.History"
_NO_TIME = NoTime("the registry records no time for a search")


def unscramble(data: bytes, key: int) -> bytes:
    """``data`` as Ares means it; ``key`` 13871 for the head of a record, 13872 for the rest."""
    out = bytearray()
    for byte in data:
        out.append(byte ^ key >> 8 & 0xFF)
        key = ((key + byte) * 23219 + 36126) & 0xFFFF
    return bytes(out)


def _fields(data: bytes) -> dict[int, bytes]:
    cursor = Cursor(data)
    found: dict[int, bytes] = {}
    while cursor.left >= 3:
        kind, length = cursor.number(1), cursor.number(2)
        found.setdefault(kind, cursor.take(min(length, cursor.left)))
    return found


def parse(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each record with a body; those without are files of which only the hash was kept."""
    data, problems = content(file)
    if not data:
        return
    if data[:14] not in _SIGNATURES:
        raise Unrecognised("not a list of Ares")
    yield from problems
    head_size, longest = _SIGNATURES[data[:14]]
    cursor = Cursor(data, 14)
    count = 0
    while cursor.left and count < MOST_FILES:
        start = cursor.at
        try:
            head = unscramble(cursor.take(head_size), _HEAD_KEY)
            length = int.from_bytes(head[-2:], "little")
            if length > longest:
                raise Cut(f"a record of {length} bytes, which cannot be")
            body = _fields(unscramble(cursor.take(length), _BODY_KEY))
        except Cut as error:
            yield Problem(f"{error}: the rest is not read", Status.FAILED, f"offset={start}")
            return
        if not length:
            continue
        count += 1
        path, title = words(body.get(1, b"")), words(body.get(2, b""))
        date = int.from_bytes(body.get(11, b"")[:4], "little")
        yield SharedFile(
            name=last_part(path) if path else title or f"(no name) {head[:20].hex()}",
            path=path or None,
            hashes={"sha1": head[:20].hex()},
            size=int.from_bytes(head[25:33], "little") if head_size == 47 else None,
            time=from_unix(date) if date else NOT_RECORDED,
            time_meaning="recorded by Ares",
            shared=True if head_size == 47 else head[20] == 1,
            program="Ares",
            state="complete",
            user=file.user,
            locator=f"offset={start}",
        )
    if count >= MOST_FILES:
        yield Problem(f"more than {MOST_FILES} files: the rest is not listed", Status.SKIPPED)


def parse_searches(file: EvidenceFile) -> Results:
    """A ``SearchQuery`` for each search of Ares that the user's registry remembers."""

    def read(hive: Hive) -> Iterator[Observation]:
        top = hive.key(_SEARCHES)
        for key in (top, *top.subkeys()) if top else ():
            for value in key.values():
                try:
                    terms = words(binascii.unhexlify(value.name))
                except (binascii.Error, ValueError):
                    terms = value.name
                if terms:
                    yield SearchQuery(
                        terms=terms, engine="Ares", time=_NO_TIME, where="file sharing program", user=file.user, locator=value.locator
                    )

    return read_hive(file, read)


_REFERENCES = ("https://sourceforge.net/projects/aresgalaxy/",)

ARTEFACTS = (
    Artefact(
        id="applications.ares.files",
        title="Ares: shared files",
        meaning="Files that Ares offers or offered to others, with names and SHA-1.",
        paths=("**/ShareH.dat", "**/ShareL.dat"),
        parse=parse,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.ares.searches",
        title="Ares: searches",
        meaning="Words that were searched for with Ares.",
        paths=NTUSER,
        parse=parse_searches,
        references=_REFERENCES,
        systems=("windows",),
    ),
)

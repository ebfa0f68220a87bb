"""Lists of perceptual hashes, one a line: PDQ (64 hexadecimal digits), pHash or dHash (16), and what each is called.

Without a header the first field is the hash and the last of the others its name: ``hash``, ``hash,name``, ``hash,quality,name`` (the forms
that the PDQ reference programs write), and a hash and a name with white space between. Sixteen digits are then a pHash. A header
names its columns: ``pdq``, ``phash``, ``dhash``, ``name`` (or ``id``, ``filename``), ``quality``; further columns are passed over. A PDQ cannot be told
from a SHA-256 by its looks: a list is read as this one only where the keeper says so.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hashsets.entries import Problems, shown
from hashsets.formats.text import numbered_lines
from hashsets.pictures.hashing import WIDTHS, Words, from_hex

FORMAT = "list of perceptual hashes"
_NAMES = ("name", "id", "filename", "file")
_BY_DIGITS = {64: "pdq", 16: "phash"}
MAX_NAME = 256


class PictureEntry(NamedTuple):
    """An entry of a list: the algorithm, the words of the hash, its name ("" where it has none)."""

    algorithm: str
    words: Words
    name: str


def read(path: Path, problems: Problems) -> Iterator[PictureEntry]:
    """The entries of a list. Lines that are blank or begin with ``#`` say nothing; what makes no sense goes to ``problems``."""
    header: dict[str, int] | None = None
    began = False
    for number, line in numbered_lines(path, problems):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        fields = _fields(text)
        if not began:
            began = True
            header = _header(fields)
            if header is not None:
                continue
        try:
            yield from _named(fields, header) if header is not None else [_plain(fields)]
        except ValueError as error:
            problems.add(number, str(error))


def _fields(text: str) -> list[str]:
    for mark in (",", ";", "\t"):
        if mark in text:
            return [field.strip() for field in next(csv.reader([text], delimiter=mark))]
    return text.split(None, 1)


def _header(fields: list[str]) -> dict[str, int] | None:
    places = {field.lower(): place for place, field in enumerate(fields)}
    return places if any(algorithm in places for algorithm in WIDTHS) else None


def _plain(fields: list[str]) -> PictureEntry:
    algorithm = _BY_DIGITS.get(len(fields[0]))
    if algorithm is None:
        raise ValueError(f"does not start with 64 or 16 hexadecimal digits: {shown(fields[0])}")
    name = fields[-1] if len(fields) > 1 and not (len(fields) == 2 and fields[1].isdigit() and len(fields[1]) <= 3) else ""
    return PictureEntry(algorithm, _words(fields[0], algorithm), name[:MAX_NAME])


def _named(fields: list[str], header: dict[str, int]) -> Iterator[PictureEntry]:
    def field(column: str) -> str:
        place = header.get(column, len(fields))
        return fields[place] if place < len(fields) else ""

    name = next((text for column in _NAMES if (text := field(column))), "")[:MAX_NAME]
    found = [PictureEntry(algorithm, _words(text, algorithm), name) for algorithm in WIDTHS if (text := field(algorithm))]
    if not found:
        raise ValueError("holds no hash")
    yield from found


def _words(text: str, algorithm: str) -> Words:
    try:
        return from_hex(text, algorithm)
    except ValueError:
        raise ValueError(f"not a {algorithm} in hexadecimal: {shown(text)}") from None

"""Delimited tables: CSV with a header that names its hash columns, HashKeeper, NSRL RDS 2.x, or any table with the keeper's column map.

RDS 2.x (NIST, NSRLFile.txt): ``"SHA-1","MD5","CRC32","FileName","FileSize",…``, before 2.0 ``"SHA-1","FileName","FileSize",…,"MD5",…``.
HashKeeper: ``"file_id","hashset_id","file_name","directory","hash","file_size",…``. Columns are found by name, never by position.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hashsets.entries import ALGORITHMS, Entry, Problems, entry_of, parse_digest, shown
from hashsets.errors import HashSetError
from hashsets.formats.text import numbered_lines

_HASHES = {"md5": "md5", "md5hash": "md5", "hashmd5": "md5", "sha1": "sha1", "sha1hash": "sha1", "hashsha1": "sha1"}
_HASHES |= {"sha256": "sha256", "sha256hash": "sha256", "hashsha256": "sha256", "sha2256": "sha256", "hash": "hash", "hashvalue": "hash"}
_SIZES = ("filesize", "mediasize", "size", "bytes")
_CODES = ("category", "categorycode", "code")
_MAP_KEYS = {*ALGORITHMS, "hash", "size", "code", "delimiter", "header", "default_code"}


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Which column holds what. A column is its name in the header (case and punctuation do not count) or its number from 1.

    ``hashes`` maps md5, sha1, sha256 or ``hash`` (the length tells) to a column. ``default_code`` is for rows with an empty code.
    """

    hashes: dict[str, str | int]
    size: str | int | None = None
    code: str | int | None = None
    delimiter: str = ","
    header: bool = True
    default_code: str | None = None
    known_files: bool = field(default=False)  # the header is that of the NSRL

    @classmethod
    def load(cls, path: Path) -> ColumnMap:
        """From JSON: ``{"delimiter": ";", "header": true, "md5": "MD5", "size": 4, "code": "Class", "default_code": "1"}``.

        Raises ``HashSetError`` where it is not one, or ``OSError``.
        """
        try:
            data = json.loads(path.read_text("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise HashSetError(f"{path.name} is not a column map: {error}.") from None
        return cls.from_json(data, path.name)

    @classmethod
    def from_json(cls, data: Any, name: str) -> ColumnMap:
        """Raises ``HashSetError`` with what is wrong."""
        if not isinstance(data, dict) or (unknown := sorted(set(data) - _MAP_KEYS)):
            raise HashSetError(
                f"{name} is not a column map: {'unknown ' + ', '.join(map(shown, unknown)) if isinstance(data, dict) else 'no object'}."
            )
        hashes = {key: data[key] for key in (*ALGORITHMS, "hash") if key in data}
        columns = [*hashes.values(), *(data[key] for key in ("size", "code") if key in data)]
        header, delimiter, default = data.get("header", True), data.get("delimiter", ","), data.get("default_code")
        if not hashes:
            raise HashSetError(f"{name} names no hash column (md5, sha1, sha256 or hash).")
        if not isinstance(header, bool) or not isinstance(delimiter, str) or len(delimiter) != 1 or not isinstance(default, str | None):
            raise HashSetError(f"{name}: delimiter is one character, header true or false, default_code text.")
        if any(isinstance(c, bool) or not (isinstance(c, str) or (isinstance(c, int) and c >= 1)) for c in columns):
            raise HashSetError(f"{name}: a column is named by its header or numbered from 1.")
        if not header and any(isinstance(c, str) for c in columns):
            raise HashSetError(f"{name}: without a header, columns are numbered from 1.")
        return cls(hashes, data.get("size"), data.get("code"), delimiter, header, default)


def normal(column: str) -> str:
    """``"SHA-1"`` and ``sha1`` are one name."""
    return re.sub(r"[^a-z0-9]", "", column.lower())


def recognise(header: str) -> ColumnMap | None:
    """The map of a table whose first line names its hash columns by the usual names; None for any other line."""
    for delimiter in (",", ";", "\t", "|"):
        names = [normal(name) for name in _cells(header, delimiter)]
        hashes: dict[str, str | int] = {}
        for name in names:
            if name in _HASHES:
                hashes.setdefault(_HASHES[name], name)
        if (hashes and len(names) > 1) or (names[:1] and names[0] in _HASHES):
            size = next((name for name in _SIZES if name in names), None)
            code = next((name for name in _CODES if name in names), None)
            return ColumnMap(hashes, size, code, delimiter, known_files={"sha1", "productcode", "opsystemcode"} <= set(names))
    return None


def entries(path: Path, columns: ColumnMap, problems: Problems) -> Iterator[Entry]:
    """Raises ``HashSetError`` where the header lacks a column of the map."""
    lines = numbered_lines(path, problems)
    names: list[str] = []
    if columns.header:
        names = [normal(name) for name in _cells(next(lines, (0, ""))[1], columns.delimiter)]
    hashes = {key: _position(column, names, path.name) for key, column in columns.hashes.items()}
    size = None if columns.size is None else _position(columns.size, names, path.name)
    code = None if columns.code is None else _position(columns.code, names, path.name)
    for number, line in lines:
        if not line.strip():
            continue
        # One line at a time: a stray quotation mark must cost its own line, not all that follow.
        cells = _cells(line, columns.delimiter)
        digests: dict[str, bytes] = {}
        empty = True
        for key, position in hashes.items():
            text = cells[position].strip() if position < len(cells) else ""
            if text:
                empty = False
                try:
                    algorithm, digest = parse_digest(text, None if key == "hash" else key)
                    digests[algorithm] = digest
                except ValueError as error:
                    problems.add(number, str(error))
        if digests:
            yield entry_of(digests, size=_size(cells, size, number, problems), code=_code(cells, code) or columns.default_code)
        elif empty:
            problems.add(number, "no hash in this row")


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _position(column: str | int, names: list[str], file: str) -> int:
    if isinstance(column, int):
        return column - 1
    try:
        return names.index(normal(column))
    except ValueError:
        raise HashSetError(f"{file} has no column {shown(column)}; its columns are {shown(', '.join(names))}.") from None


def _size(cells: list[str], position: int | None, number: int, problems: Problems) -> int | None:
    text = cells[position].strip() if position is not None and position < len(cells) else ""
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    if text:
        problems.add(number, f"the size is not a number of bytes, the hash is used without it: {shown(text)}")
    return None


def _code(cells: list[str], position: int | None) -> str | None:
    return cells[position].strip() or None if position is not None and position < len(cells) else None

"""Plain lists, md5sum and BSD checksum lines, in any mixture.

Plain: a hash first on its line, then nothing or white space and anything. md5sum (GNU coreutils): ``hash␠␠name`` or ``hash␠*name``,
with a ``\\`` before a hash whose name is escaped. BSD: ``MD5 (name) = hash``. Lines that are blank or start with ``#`` or ``;`` say nothing.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hashsets.codes import CodeBook, Kind
from hashsets.entries import ALGORITHM_OF_BYTES, KEPT_BYTES, Entry, Problems, entry_of, parse_digest, shown
from hashsets.formats.text import numbered_lines
from hashsets.rows import Rows, batches, make_rows

_BSD = re.compile(r"\\?([A-Za-z0-9][A-Za-z0-9/-]{0,15}) ?\(.*\) ?= ?([0-9A-Fa-f]+)$", re.DOTALL)
_FIRST = re.compile(r"\\?([0-9A-Fa-f]{32,128})(?:\s|$)")
_BSD_NAMES = {"md5": "md5", "sha1": "sha1", "sha-1": "sha1", "sha256": "sha256", "sha2-256": "sha256", "sha-256": "sha256"}
_FAST_LINES = 1 << 17


def parse(line: str) -> Entry | None:
    """The entry of a line, None where it says nothing. Raises ``ValueError`` with the reason where it makes no sense."""
    line = line.strip()
    if not line or line[0] in "#;":
        return None
    if plain := _FIRST.match(line):
        name, digest = parse_digest(plain.group(1))
    elif bsd := _BSD.match(line):
        algorithm = _BSD_NAMES.get(bsd.group(1).lower())
        if algorithm is None:
            raise ValueError(f"{shown(bsd.group(1))} is not an algorithm that is looked up")
        name, digest = parse_digest(bsd.group(2), algorithm)
    else:
        raise ValueError(f"does not start with a hash: {shown(line)}")
    return entry_of({name: digest})


def read(path: Path, book: CodeBook, problems: Problems) -> Iterator[tuple[str, Rows]]:
    """(algorithm, rows) of the list at ``path``."""
    offset, line = 0, 0
    for algorithm, rows, consumed in _uniform(path, book):
        yield algorithm, rows
        offset, line = consumed, line + len(rows)
    yield from batches(_entries(path, offset, line, problems), book)


def _entries(path: Path, offset: int, line: int, problems: Problems) -> Iterator[Entry]:
    for number, text in numbered_lines(path, problems, offset=offset, first=line + 1):
        try:
            entry = parse(text)
        except ValueError as error:
            problems.add(number, str(error))
            continue
        if entry is not None:
            yield entry


def _uniform(path: Path, book: CodeBook) -> Iterator[tuple[str, Rows, int]]:
    """(algorithm, rows, bytes of the file used up to here) while all lines are a bare hash of one length.

    Tens of millions of such lines are what a large plain list is; read this way they take a twentieth of the time.
    """
    with path.open("rb") as stream:
        first = stream.readline(80)
        digits = len(first.rstrip(b"\r\n"))
        algorithm = ALGORITHM_OF_BYTES.get(digits // 2)
        if algorithm is None or digits % 2 or first[digits:] not in (b"\n", b"\r\n"):
            return
        kind = book.number(Kind((), (algorithm,)))
        stream.seek(0)
        consumed = 0
        while len(block := stream.read(len(first) * _FAST_LINES)) >= len(first):
            block = block[: len(block) // len(first) * len(first)]
            table = np.frombuffer(block, np.uint8).reshape(-1, len(first))
            if (table[:, digits:] != np.frombuffer(first[digits:], np.uint8)).any():
                return
            try:
                digests = binascii.unhexlify(np.ascontiguousarray(table[:, :digits]).data)
            except ValueError:
                return
            keys = np.frombuffer(digests, np.uint8).reshape(len(table), -1)[:, : KEPT_BYTES[algorithm]]
            consumed += len(block)
            yield algorithm, make_rows(keys, kind), consumed

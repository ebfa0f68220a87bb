"""What a hash list holds once it is read: entries, their category codes, and the lines that could not be used."""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hashsets.errors import HashSetError, RoleMissing

ROLES = ("alert", "ignore")
ALGORITHMS = ("md5", "sha1", "sha256")
DIGEST_BYTES = {"md5": 16, "sha1": 20, "sha256": 32}
ALGORITHM_OF_BYTES = {size: name for name, size in DIGEST_BYTES.items()}
EMPTY_FILE = {name: hashlib.new(name, b"", usedforsecurity=False).digest() for name in ALGORITHMS}

# 160 bits of a SHA-256 are kept. The odds that an unlisted file meets one of 50,000,000 entries by chance are 1 in 10^40, and to
# make one on purpose costs 2^134 trials: no weaker than a whole SHA-1 is thought to be, and a third smaller than a whole SHA-256.
KEPT_BYTES = {"md5": 16, "sha1": 20, "sha256": 20, "block": 16}

MAX_CODES = 65_535
MAX_CODE_LENGTH = 200
PROBLEMS_KEPT = 100


class Entry(NamedTuple):
    """One line of a list: the digests it gives (at least one), the file size in bytes and the category code, verbatim."""

    md5: bytes | None = None
    sha1: bytes | None = None
    sha256: bytes | None = None
    size: int | None = None
    code: str | None = None


def entry_of(digests: Mapping[str, bytes], size: int | None = None, code: str | None = None) -> Entry:
    """The entry with these digests by algorithm."""
    return Entry(digests.get("md5"), digests.get("sha1"), digests.get("sha256"), size, code)


class ListProblem(NamedTuple):
    """A line (counted from 1; for JSON and databases the number of the entry; 0: the whole file) that was not or not fully used."""

    line: int
    reason: str


class Problems:
    """The first ``PROBLEMS_KEPT`` problems in the order met, and ``total`` of them all."""

    def __init__(self) -> None:
        self.kept: list[ListProblem] = []
        self.total = 0

    def __iter__(self) -> Iterator[ListProblem]:
        return iter(self.kept)

    def __len__(self) -> int:
        return len(self.kept)

    def add(self, line: int, reason: str, times: int = 1) -> None:
        self.total += times
        if len(self.kept) < PROBLEMS_KEPT:
            self.kept.append(ListProblem(line, reason))


def shown(text: str) -> str:
    """A short, printable rendering of hostile text, for a problem's reason."""
    return ascii(text if len(text) <= 44 else text[:40] + "…")


def parse_digest(text: str, algorithm: str | None = None) -> tuple[str, bytes]:
    """(algorithm, digest) of hexadecimal text in either case; the algorithm follows from the length where it is not given.

    Raises ``ValueError`` with the reason.
    """
    try:
        digest = binascii.unhexlify(text)
    except ValueError:
        raise ValueError(f"not hexadecimal: {shown(text)}") from None
    found = ALGORITHM_OF_BYTES.get(len(digest))
    if found is None:
        raise ValueError(f"{len(digest) * 8} bits long, which is no MD5, SHA-1 or SHA-256: {shown(text)}")
    if algorithm not in (None, found):
        raise ValueError(f"has the length of {found}, not of {algorithm}: {shown(text)}")
    return found, digest


def check_role(role: str | None, name: str) -> str:
    """``role`` if it is one. Raises ``RoleMissing`` otherwise: a role is never guessed."""
    if role is None:
        raise RoleMissing(f"{name} has no role: say whether a match in it is an 'alert' or may be 'ignore'd.")
    if role not in ROLES:
        raise HashSetError(f"{role!r} is not a role: a hash set is for 'alert' or for 'ignore'.")
    return role

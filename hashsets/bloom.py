"""DCSO Bloom filters, as hashlookup (CIRCL) publishes the NSRL: tens of millions of known files in little space, but only probably.

Form (DCSO ``bloom``, Go; optional gzip around the whole): little-endian u64 flags (lowest byte: version 1), u64 capacity n, f64 false
positive rate p, u64 k, u64 m bits, u64 N inserted, then ceil(m / 64) u64 words, then any data. Hash: h = FNV-1-64(key) mod M, then k times
h = (h * G mod 2^64) mod M, bit h mod m, lowest bit of a word first. The product wraps at 64 bits before the modulus.
The keys of hashlookup filters are SHA-1 in upper-case hexadecimal.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from hashsets.errors import Damaged, HashSetError, RoleRefused
from hashsets.hash_set import HashSet, Match
from hashsets.rows import Keys

_HEADER = struct.Struct("<QQdQQQ")
_FNV_OFFSET, _FNV_PRIME = np.uint64(14695981039346656037), np.uint64(1099511628211)
_M, _G = np.uint64(18446744073709551557), np.uint64(18446744073709550147)
_MAX_WORDS = 1 << 28  # 2 GiB; the largest published filter has 0.93 GiB
_MAX_K = 64
_MAX_DATA = 1 << 26
_HEX = np.frombuffer(b"0123456789ABCDEF", np.uint8)


def _stream(path: Path) -> BinaryIO:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path, "rb")) if packed else path.open("rb")


def _header(data: bytes) -> tuple[int, float, int, int, int] | None:
    """(n, p, k, m, N) if ``data`` starts with a sane header: the format has no magic, so its numbers must agree with one another."""
    if len(data) < _HEADER.size:
        return None
    flags, n, p, k, m, inserted = _HEADER.unpack_from(data)
    if flags & 0xFF != 1 or flags >> 8 or not n or not 0 < p < 1 or not 1 <= k <= _MAX_K:
        return None
    wanted = abs(n * math.log(p)) / math.log(2) ** 2
    return (n, p, k, m, inserted) if 0.99 * wanted - 2 <= m <= 1.01 * wanted + 66 else None


def is_filter(path: Path) -> bool:
    """True where the file, or what is packed in it, starts as a DCSO Bloom filter does."""
    try:
        with closing(_stream(path)) as stream:
            return _header(stream.read(_HEADER.size)) is not None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False


@dataclass(slots=True, kw_only=True)
class BloomSet(HashSet):
    """A filter in front of an ignore set. Its matches are never proof: ``is_proof`` is False."""

    words: NDArray[np.uint64]
    bits: int
    rounds: int

    def match(self, algorithm: str, digests: Sequence[bytes], sizes: Sequence[int | None] | None = None) -> list[Match | None]:
        if algorithm not in self.algorithms:
            raise HashSetError(f"{self.name} lists no {algorithm}; it lists sha1.")
        if any(len(digest) != 20 for digest in digests):
            raise ValueError("a sha1 digest has 20 bytes")
        answer = Match(self.name, self.role, "sha1", alert=False, listed_by=("sha1",), proof=False)
        raw = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 20)
        keys = _HEX[np.stack([raw >> 4, raw & 15], axis=2).reshape(-1, 40)]
        return [answer if hit else None for hit in self.holds(keys).tolist()]

    def holds(self, keys: Keys) -> NDArray[np.bool_]:
        """For each of the (n, length) keys, as the bytes that were inserted, whether the filter may hold it."""
        value = np.full(len(keys), _FNV_OFFSET)
        for column in keys.T:
            value = (value * _FNV_PRIME) ^ column
        value %= _M
        held = np.ones(len(keys), bool)
        for _ in range(self.rounds):
            value = (value * _G) % _M
            bit = value % np.uint64(self.bits)
            held &= (self.words[bit >> np.uint64(6)] >> (bit & np.uint64(63)) & np.uint64(1)).astype(bool)
        return held


def open_filter(path: Path, *, role: str) -> BloomSet:
    """The filter at ``path``. Raises ``RoleRefused`` for any role but ``ignore``, ``Damaged`` where it is cut short."""
    if role != "ignore":
        raise RoleRefused(f"{path.name} is a Bloom filter, which answers yes by chance: it can only be used to ignore.")
    try:
        with closing(_stream(path)) as stream:
            header = _header(stream.read(_HEADER.size))
            words = -(-header[3] // 64) if header else 0
            if header is None or words > _MAX_WORDS:
                raise Damaged(f"{path.name} is a Bloom filter larger than {_MAX_WORDS * 8 >> 30} GiB.")
            data = bytearray()
            while len(data) < words * 8 and (block := stream.read(min(1 << 20, words * 8 - len(data)))):
                data += block
            rest = 0
            while block := stream.read(1 << 20):  # to the end, where a packed file has its check value
                rest += len(block)
                if rest > _MAX_DATA:
                    raise Damaged(f"{path.name} is a Bloom filter followed by more than {_MAX_DATA >> 20} MiB of something else.")
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise Damaged(f"{path.name} is a packed Bloom filter that is damaged or cut short.") from None
    if len(data) < words * 8:
        raise Damaged(f"{path.name} is a Bloom filter that is cut short.")
    n, p, k, m, inserted = header
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    identity: dict[str, Any] = {
        "name": path.stem,
        "version": None,
        "role": role,
        "count": inserted,
        "algorithms": ["sha1"],
        "sha256": digest,
        "sha256_of": "the whole file",
        "file": path.name,
        "format": f"DCSO Bloom filter (false positive rate {p:g} when filled with {n})",
        "keyed": False,
        "sources": [{"file": path.name, "format": "DCSO Bloom filter", "sha256": digest, "problems": 0}],
        "built": None,
        "categories": {"codes": {}},
    }
    return BloomSet(
        name=path.stem,
        version=None,
        role=role,
        count=inserted,
        algorithms=frozenset({"sha1"}),
        identity=identity,
        is_proof=False,
        words=np.frombuffer(data, "<u8"),
        bits=m,
        rounds=k,
    )

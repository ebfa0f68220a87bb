"""LZNT1: the forms a chunk can have, the moving split of a token, and damage."""

from __future__ import annotations

import random

from triage.evidence.ntfs.lznt1 import CHUNK, decompress


def stored(content: bytes) -> bytes:
    """A chunk that is not compressed."""
    return (len(content) - 1 | 0x3000).to_bytes(2, "little") + content


def literals(content: bytes) -> bytes:
    """A compressed chunk without a single token."""
    body = b"".join(b"\0" + content[start : start + 8] for start in range(0, len(content), 8))
    return (len(body) - 1 | 0xB000).to_bytes(2, "little") + body


def test_stored_and_literal_chunks() -> None:
    noise = random.Random(1).randbytes(CHUNK)
    assert decompress(stored(noise) + literals(b"tail"), 10_000) == (noise + b"tail", True)
    assert decompress(stored(noise), 100) == (noise[:100], True)
    assert decompress(stored(noise) + b"\0\0" + b"anything", 10_000) == (noise, True)


def test_a_short_chunk_before_another_is_filled_up() -> None:
    assert decompress(literals(b"short") + literals(b"next"), 10_000) == (b"short".ljust(CHUNK, b"\0") + b"next", True)


def test_repeated_byte() -> None:
    # One literal and one token: distance 1, length 4095. The split is 4 bits of distance, 12 of length while little is written.
    token = (4095 - 3).to_bytes(2, "little")
    body = b"\x02" + b"A" + token
    assert decompress((len(body) - 1 | 0xB000).to_bytes(2, "little") + body, 10_000) == (b"A" * CHUNK, True)


def test_the_split_of_a_token_moves() -> None:
    # Sixteen bytes written: 4 bits of distance. Seventeen: 5 bits. A token that copies the first three bytes is different in both.
    for written, bits in ((16, 12), (17, 11), (32, 11), (33, 10), (2048, 5), (2049, 4)):
        start = bytes(number % 251 for number in range(written))
        token = ((written - 1) << bits | 0).to_bytes(2, "little")
        flags = [start[place : place + 8] for place in range(0, written, 8)]
        body = b"".join(b"\0" + part for part in flags[: written // 8])
        rest = start[written // 8 * 8 :]
        body += bytes([1 << len(rest)]) + rest + token
        found, sound = decompress((len(body) - 1 | 0xB000).to_bytes(2, "little") + body, 10_000)
        assert sound and found == start + start[:3], written


def test_damage() -> None:
    assert decompress(b"\xff\xbf" + b"\0" * 10, 100) == (b"", False)  # longer than there is
    assert decompress((2 | 0xB000).to_bytes(2, "little") + b"\x01\x00\x00", 100) == (b"", False)  # a token before the start
    assert decompress(literals(b"x" * 1000)[:-1], 10_000)[1] is False
    pick = random.Random(2)
    for _ in range(300):
        content, _ = decompress(pick.randbytes(pick.randrange(5000)), 1 << 16)
        assert len(content) <= 1 << 16

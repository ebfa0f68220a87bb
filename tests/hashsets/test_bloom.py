from __future__ import annotations

import gzip
import hashlib
import math
import random
import struct
from pathlib import Path

import pytest

from hashsets import NotEnumerable, build, open_set
from hashsets.bloom import is_filter
from hashsets.errors import Damaged, HashSetError, RoleMissing, RoleRefused

N, P = 200, 0.01


def dcso(keys: list[bytes], n: int = N, p: float = P, data: bytes = b"") -> bytes:
    """A filter written bit by bit with Python's own integers."""
    m = math.ceil(abs(n * math.log(p)) / math.log(2) ** 2)
    k = math.ceil(math.log(2) * m / n)
    words = [0] * -(-m // 64)
    for key in keys:
        value = 14695981039346656037
        for byte in key:
            value = (value * 1099511628211 % 2**64) ^ byte
        value %= 18446744073709551557
        for _ in range(k):
            value = value * 18446744073709550147 % 2**64 % 18446744073709551557
            words[value % m // 64] |= 1 << (value % m % 64)
    return struct.pack("<QQdQQQ", 1, n, p, k, m, len(keys)) + struct.pack(f"<{len(words)}Q", *words) + data


DIGESTS = [hashlib.sha1(str(n).encode()).digest() for n in range(5000)]
LISTED = [digest.hex().upper().encode() for digest in DIGESTS[:N]]


@pytest.mark.parametrize("packed", [False, True])
def test_listed_match_and_few_others_do(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "known.bloom"
    data = dcso(LISTED, data=b"{}")
    path.write_bytes(gzip.compress(data) if packed else data)
    opened = open_set(path, role="ignore")
    assert (opened.count, opened.algorithms, opened.is_proof, opened.role) == (N, {"sha1"}, False, "ignore")
    answers = opened.match("sha1", DIGESTS)
    assert all(answers[:N])
    assert 0 < sum(answer is not None for answer in answers[N:]) < 150
    assert answers[0] is not None
    assert (answers[0].proof, answers[0].alert) == (False, False)


def test_never_for_alerts_never_without_a_role_never_built_from(tmp_path: Path) -> None:
    path = tmp_path / "known.bloom"
    path.write_bytes(dcso(LISTED))
    with pytest.raises(RoleRefused, match="answers yes by chance"):
        open_set(path, role="alert")
    with pytest.raises(RoleMissing):
        open_set(path)
    with pytest.raises(NotEnumerable):
        build(tmp_path / "out", [path], role="ignore")
    with pytest.raises(HashSetError, match="lists no md5"):
        open_set(path, role="ignore").match("md5", [])


def test_cut_short_and_flipped(tmp_path: Path) -> None:
    whole = dcso(LISTED)
    path = tmp_path / "known.bloom"
    for data in (whole[:-1], whole[:60], gzip.compress(whole)[:-9], gzip.compress(whole)[:60]):
        path.write_bytes(data)
        with pytest.raises(HashSetError):
            open_set(path, role="ignore")
    chance = random.Random(8)
    packed = gzip.compress(whole)
    for _ in range(200):
        damaged = bytearray(packed)
        damaged[chance.randrange(2, len(packed))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            open_set(path, role="ignore")
        except HashSetError:
            continue


def test_a_header_that_lies_about_its_size_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "known.bloom"
    n = 10**15
    m = math.ceil(abs(n * math.log(P)) / math.log(2) ** 2)
    path.write_bytes(struct.pack("<QQdQQQ", 1, n, P, 7, m, 1) + bytes(100))
    with pytest.raises(Damaged, match="larger than 2 GiB"):
        open_set(path, role="ignore")
    path.write_bytes(struct.pack("<QQdQQQ", 1, 10**7, P, 7, math.ceil(abs(10**7 * math.log(P)) / math.log(2) ** 2), 1) + bytes(100))
    with pytest.raises(Damaged, match="cut short"):
        open_set(path, role="ignore")
    path.write_bytes(struct.pack("<QQdQQQ", 1, 10, math.nan, 7, 95, 1) + bytes(100))
    assert not is_filter(path)


@pytest.mark.specimens
def test_the_specimen(specimens: Path) -> None:
    opened = open_set(specimens / "yara" / "plaso" / "plaso.bloom", role="ignore")
    assert (opened.count, opened.bits, opened.rounds) == (1, 95, 7)
    # The key that plaso's own test (tests/analysis/bloom.py) finds in it, and the one that it does not.
    answers = opened.match("sha1", [bytes.fromhex("1e5f96de17b84a94f69e52a24b2942c4eca11bc9"), b"\xaa" * 20])
    assert [answer is not None for answer in answers] == [True, False]

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hashsets.errors import Damaged
from hashsets.formats.encase import SIGNATURE
from hashsets.formats.recognise import recognise

D = [hashlib.md5(bytes([n])).digest() for n in range(3)]


def encase(name: str, digests: list[bytes]) -> bytes:
    head = bytearray(1152)
    head[:8] = SIGNATURE
    head[1032 : 1032 + 2 * len(name)] = name.encode("utf-16-le")
    return bytes(head) + b"".join(digest + b"\0\0" for digest in digests)


def test_records_and_name(tmp_path: Path, read_list) -> None:
    path = tmp_path / "set.hash"
    path.write_bytes(encase("Fruit and veg", D))
    assert read_list(path) == ("EnCase hash set", {"md5": {d.hex(): (-1, (), ("md5",)) for d in D}}, [])
    assert recognise(path).name == "Fruit and veg"


@pytest.mark.parametrize("cut", [1, 17, 19, 18 * 3 + 1, 1000])
def test_a_set_cut_short_is_refused(tmp_path: Path, read_list, cut: int) -> None:
    path = tmp_path / "set.hash"
    path.write_bytes(encase("x", D)[:-cut])
    with pytest.raises(Damaged, match="cut short"):
        read_list(path)

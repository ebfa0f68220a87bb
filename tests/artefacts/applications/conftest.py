"""Small files of programs, written here byte by byte or by SQLite, for the tests of what reads them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest


def bencode(value: Any) -> bytes:
    """``dict`` (keys text or bytes), ``list``, ``int``, text or bytes, bencoded; keys in order, as BEP 3 wants them."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    pairs = sorted((key.encode() if isinstance(key, str) else key, item) for key, item in value.items())
    return b"d" + b"".join(bencode(key) + bencode(item) for key, item in pairs) + b"e"


def tag(name: int, value: int | str | bytes) -> bytes:
    """A tag of eMule with a name of one byte."""
    if isinstance(value, int):
        return bytes((0x83, name)) + value.to_bytes(4, "little")
    if isinstance(value, str):
        raw = value.encode()
        return bytes((0x82, name)) + len(raw).to_bytes(2, "little") + raw
    return bytes((0x81, name)) + value


def emule_record(date: int, ed2k: bytes, tags: Sequence[bytes]) -> bytes:
    """One file of ``known.met`` with two hashes of parts."""
    return date.to_bytes(4, "little") + ed2k + b"\x02\0" + bytes(32) + len(tags).to_bytes(4, "little") + b"".join(tags)


def ares_record(head: bytes, fields: Mapping[int, bytes]) -> bytes:
    """A record of Ares: ``head`` without its length; scrambled as Ares does, which is not the way back."""
    body = b"".join(bytes((kind,)) + len(value).to_bytes(2, "little") + value for kind, value in fields.items())
    return _scramble(head + len(body).to_bytes(2, "little"), 13871) + _scramble(body, 13872)


def _scramble(data: bytes, key: int) -> bytes:
    out = bytearray()
    for byte in data:
        out.append(byte ^ (key >> 8 & 0xFF))
        key = ((key + out[-1]) * 23219 + 36126) & 0xFFFF
    return bytes(out)


def mfc_text(text: str) -> bytes:
    """A string as MFC's archives hold it."""
    return b"\xff\xfe\xff" + bytes((len(text),)) + text.encode("utf-16-le")


@pytest.fixture
def sqlite_file(tmp_path: Any) -> Callable[..., bytes]:
    """``sqlite_file("CREATE TABLE t (a)", t=[(1,), (2,)])``: the bytes of such a database."""

    def make(*statements: str, **tables: Iterable[Sequence[Any]]) -> bytes:
        path = tmp_path / "made.db"
        path.unlink(missing_ok=True)
        connection = sqlite3.connect(path)
        for statement in statements:
            connection.execute(statement)
        for table, rows in tables.items():
            for row in rows:
                connection.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)
        connection.commit()
        connection.close()
        return path.read_bytes()

    return make


@pytest.fixture
def made() -> SimpleNamespace:
    """The writers of this module, by name."""
    return SimpleNamespace(
        bencode=bencode, tag=tag, emule_record=emule_record, ares_record=ares_record, mfc_text=mfc_text
    )  # fmt: skip

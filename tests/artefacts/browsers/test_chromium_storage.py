"""Sites that stored data in a Chromium profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from artefacts.browsers import chromium_storage
from artefacts.coverage import Unrecognised

PROFILE = "/home/jo/.config/google-chrome/Default"
LOG = f"{PROFILE}/Local Storage/leveldb/000003.log"


def batch(changes: list[tuple[bytes, bytes | None]]) -> bytes:
    body = (1).to_bytes(8, "little") + len(changes).to_bytes(4, "little")
    for key, value in changes:
        body += (b"\0" if value is None else b"\1") + bytes([len(key)]) + key
        body += b"" if value is None else bytes([len(value)]) + value
    return bytes(4) + len(body).to_bytes(2, "little") + b"\1" + body


def number(value: int) -> bytes:
    out = b"\x08"
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


CHANGED = 13_424_788_800_000_000
DATA = batch(
    [
        (b"VERSION", b"1"),
        (b"META:https://a.example", number(CHANGED) + b"\x10\x05"),
        (b"_https://a.example\0\x01token", b"\x01secret"),
        (b"_https://a.example\0\x01name", b"\x01jo"),
        (b"_https://b.example^0https://a.example\0\x01x", None),
    ]
)


def test_local_storage(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    found, problems = evidence({LOG: DATA}).parse(chromium_storage.parse_local_storage, LOG)
    assert problems == []
    assert [(item.url, item.what, item.count, item.to_json()["time"]) for item in found] == [
        ("https://a.example", "data stored by the site (time of the last change)", 2, "2026-06-01T12:00:00Z"),
        ("https://b.example", "data stored by the site was removed", 1, None),
    ]
    assert "secret" not in repr(found) and "token" not in repr(found)
    for damaged in mutations(DATA, 100):
        try:
            evidence({LOG: damaged}).parse(chromium_storage.parse_local_storage, LOG)
        except Unrecognised:
            pass
    assert evidence({LOG: b""}).parse(chromium_storage.parse_local_storage, LOG) == ([], [])

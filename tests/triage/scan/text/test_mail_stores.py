"""Outlook's and Outlook Express' stores: real ones with their known messages, one written here, damaged ones."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import struct
from pathlib import Path

import pytest

from artefacts.coverage import Problem
from tests.triage.scan.text import samples
from tests.triage.scan.text.conftest import damaged, read
from tests.triage.scan.text.samples import PHRASE
from triage.scan.text import outlook_express
from triage.scan.text.parts import Budget

DBX = "documents/iped/test_OutlookDBX.dbx"
PST = "mixed/bulk_extractor/Outlook_Files/outlook.pst"


def dbx(messages: list[bytes], *, piece: int = 200) -> bytes:
    """A mail folder with an index of two levels, records whose text's place is given both ways, and text in several pieces."""
    out = bytearray(0x24BC)
    out[:8] = b"\xcf\xad\x12\xfe\xc5\xfd\x74\x6f"
    records = []
    for number, message in enumerate(messages):
        places = []
        for start in range(0, len(message), piece):
            places.append(len(out))
            part = message[start : start + piece]
            out += struct.pack("<IIHHI", len(out), 0, len(part), 0, 0) + part
        for place, following in itertools.pairwise(places):
            struct.pack_into("<I", out, place + 12, following)
        records.append(len(out))
        if number % 2:
            out += struct.pack("<IIHBB", len(out), 12, 0, 1, 0) + bytes([0x84]) + places[0].to_bytes(3, "little")
        else:
            out += struct.pack("<IIHBB", len(out), 16, 0, 1, 0) + bytes([0x04]) + (0).to_bytes(3, "little") + struct.pack("<I", places[0])
    below = len(out)
    first, rest = records[:2], records[2:]
    out += struct.pack("<IIIIBBHI", below, 0, 0, 0, 0, len(first), 0, 0) + b"".join(struct.pack("<III", record, 0, 0) for record in first)
    root = len(out)
    out += struct.pack("<IIIIBBHI", root, 0, below, 0, 0, len(rest), 0, 0) + b"".join(struct.pack("<III", record, 0, 0) for record in rest)
    struct.pack_into("<I", out, 0xE4, root)
    struct.pack_into("<I", out, 0xC4, len(messages))
    return bytes(out)


MESSAGES = [f"Subject: number {number}\nFrom: a@example.org\n\n{PHRASE} {number}\n".encode() * (1 + number * 4) for number in range(3)]


def test_outlook_express() -> None:
    texts, problems = read(dbx(MESSAGES), "in.dbx")
    assert problems == []
    assert [key for key in texts if key.endswith("header")] == [f"in.dbx ▸ message {number} ▸ header" for number in (1, 2, 3)]
    assert texts["in.dbx ▸ message 3 ▸ header"].startswith("number 2")
    assert texts["in.dbx ▸ message 3 ▸ body"].count(PHRASE) == 9


def test_an_attachment_of_a_message() -> None:
    texts, _ = read(dbx([samples.mail(samples.zipped({"in.txt": PHRASE}))]), "in.dbx")
    assert texts["in.dbx ▸ message 1 ▸ papers.zip ▸ in.txt"] == f"in.txt{PHRASE}"


def test_circles_and_lies() -> None:
    data = bytearray(dbx(MESSAGES))
    root = struct.unpack_from("<I", data, 0xE4)[0]
    struct.pack_into("<I", data, root + 8, root)  # its own child
    _, problems = read(bytes(data), "in.dbx")
    assert [problem.reason for problem in problems] == [
        "its index runs in a circle: some messages may be missing", "says that it holds 3 messages; 1 were found",
    ]  # fmt: skip
    struct.pack_into("<I", data, 0xE4, len(data) - 4)
    assert "3 messages; 0 were found" in read(bytes(data), "in.dbx")[1][-1].reason


def test_damage_is_said() -> None:
    data = dbx(MESSAGES)
    whole = read(data, "in.dbx")[0]
    for broken in damaged(data[0x24B0:], seed=3, count=60):
        texts, problems = read(data[:0x24B0] + broken, "in.dbx")
        # A changed letter inside a message is no damage that could be seen: it may unmake a header, or shorten a piece.
        assert problems or sum(map(len, texts.values())) > sum(map(len, whole.values())) / 2


@pytest.mark.specimens
def test_the_28_messages_of_the_specimen(specimens: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = json.loads((specimens / "expected/test_facts.json").read_text("utf-8"))
    known = next(item for item in facts if item.get("path") == DBX)["facts"]["equals"]
    digests = [value.lower() for name, value in known if "itensmd5.get" in name]
    found: list[str] = []

    def message(data: bytes, prefix: str, budget: Budget) -> list[Problem]:
        found.append(hashlib.md5(data, usedforsecurity=False).hexdigest())
        return []

    monkeypatch.setattr(outlook_express.mail, "message", message)
    assert list(outlook_express.read(io.BytesIO((specimens / DBX).read_bytes()), Budget(lambda: None))) == []
    assert found == digests and len(found) == 28


@pytest.mark.specimens
def test_outlook(specimens: Path) -> None:
    texts, problems = read((specimens / PST).read_bytes(), "o.pst")
    assert problems == []
    item = "o.pst ▸ Top of Outlook data file ▸ Drafts ▸ item 1 ▸ "
    assert texts[item + "subject"] == texts[item + "topic"] == "a test message for outlook"
    assert texts[item + "to"] == "user@outlook.com"
    assert texts[item + "body"] == "This is a test outlook message.\r\n"
    assert "This is a test outlook message." in texts[item + "body (HTML)"]
    assert texts["o.pst ▸ Top of Outlook data file ▸ Inbox"] == "Inbox"
    assert len(texts) == 31


@pytest.mark.specimens
def test_damaged_outlook_files(specimens: Path) -> None:
    data = (specimens / PST).read_bytes()
    whole = read(data, "o.pst")[0]
    for broken in damaged(data, seed=5, count=8):
        texts, problems = read(broken, "o.pst")
        assert problems or len(texts) >= len(whole) - 5

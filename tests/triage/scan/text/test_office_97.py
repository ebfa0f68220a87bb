"""The streams of Word, Excel, PowerPoint and Outlook documents before 2007, written here."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest

from artefacts.coverage import Problem, Status
from tests.triage.scan.text.samples import PHRASE, biff, ppt_record, word_stream
from triage.scan.text import excel, msg, powerpoint, rtf_compressed, word
from triage.scan.text.parts import Budget, Member, Part, Text

LOCKED = Problem("is protected by a password", Status.ENCRYPTED)


def _budget() -> Budget:
    return Budget(lambda: None)


def _text(parts: Iterator[Part]) -> str:
    return " ".join(" ".join(part.text.split()) for part in parts if isinstance(part, Text) and part.text)


def test_word_pieces_in_both_widths() -> None:
    document, table = word_stream([("cop", True), ("per ke", False), ("ttle\x1f protocol\rcafé\x07", True), ("Ω", False)])
    assert list(word.read(document, b"", table)) == [Text("copper kettle protocol\ncafé\nΩ", "WordDocument")]


def test_word_says_what_is_wrong() -> None:
    document, table = word_stream([(PHRASE, True), ("lost", False)])
    cut = list(word.read(document[:-8], b"", table))
    assert cut[0] == Problem("the table of its text is damaged: some of its text may be missing", locator="WordDocument")
    assert cut[1] == Text(PHRASE, "WordDocument")
    assert list(word.read(word_stream([("x", True)], encrypted=True)[0], b"", table)) == [LOCKED]
    assert [part.status for part in word.read(b"nothing", b"", b"") if isinstance(part, Problem)] == [Status.FAILED]


def test_word_pieces_that_overlap_do_not_add_up_without_end() -> None:
    document, _ = word_stream([("x" * 10_000, True)])
    piece = struct.pack("<HIH", 0, (0x400 * 2) | 1 << 30, 0)
    count = 2000
    plc = b"".join(struct.pack("<I", 10_000 * number) for number in range(count + 1)) + piece * count
    clx = b"\x02" + struct.pack("<I", len(plc)) + plc
    altered = bytearray(document)
    struct.pack_into("<II", altered, 0x1A2, 0, len(clx))
    parts = list(word.read(bytes(altered), b"", clx))
    assert sum(len(part.text) for part in parts if isinstance(part, Text)) <= len(document)


def _workbook() -> bytes:
    sheet = b"\0" * 6 + bytes([6, 0]) + b"Sheet1"
    strings = struct.pack("<II", 3, 3)
    strings += struct.pack("<HB", len("copper kettle protocol"), 0) + b"copper ket"
    # The string goes on in the next record, which says that from here it is wide.
    more = b"\x01" + "tle protocol".encode("utf-16-le")
    more += struct.pack("<HBHI", 4, 0x0C, 1, 4) + b"rich" + b"\0" * 8 + struct.pack("<HB", 3, 1) + "Ω ω".encode("utf-16-le")
    label = b"\0" * 6 + struct.pack("<HB", 7, 0) + b"a label"
    return biff(
        (0x809, struct.pack("<HH", 0x0600, 5)), (0x85, sheet), (0xFC, strings), (0x3C, more), (0x204, label), (0x1B6, b"\0" * 18),
        (0x3C, b"\0a box"), (0x0A, b""),
    )  # fmt: skip


def test_excel_strings_across_records() -> None:
    parts = list(excel.read(_workbook(), _budget()))
    assert parts == [
        Text("Sheet1", "sheet names", "title"),
        Text(f"{PHRASE}\nrich\nΩ ω\na label\na box", "Workbook"),
    ]


def test_excel_says_what_is_wrong() -> None:
    assert list(excel.read(biff((0x809, b"\0\6\5\0"), (0x2F, b"\0\0"), (0x204, b"noise")), _budget())) == [LOCKED]
    cut = list(excel.read(_workbook()[:60], _budget()))
    assert [part.reason for part in cut if isinstance(part, Problem)] == ["its table of strings is damaged: some may be missing"]


def test_powerpoint_atoms() -> None:
    slide = ppt_record(0x0FA0, f"{PHRASE}\rnext".encode("utf-16-le")) + ppt_record(0x0FA8, b"plain bytes")
    data = ppt_record(0x03E8, ppt_record(0x0FF0, slide, 0xF), 0xF) + ppt_record(0x0FBA, "A name".encode("utf-16-le"))
    assert list(powerpoint.read(data, b"", _budget())) == [Text(f"{PHRASE}\nnext\nplain bytes\nA name", "PowerPoint Document")]
    cut = list(powerpoint.read(data[:-4], b"", _budget()))
    assert isinstance(cut[0], Problem) and isinstance(cut[1], Text) and PHRASE in cut[1].text
    assert list(powerpoint.read(data, b"\0" * 12 + struct.pack("<I", 0xF3D1C4DF), _budget())) == [LOCKED]


def test_outlook_message() -> None:
    streams = {
        "__substg1.0_0037001F": "Plans".encode("utf-16-le"),
        "__substg1.0_1000001E": PHRASE.encode(),
        "__substg1.0_10130102": b"<p>as <b>HT</b>ML</p>",
        "__substg1.0_10090102": struct.pack("<II4sI", 20, 6, b"MELA", 0) + rb"{\rtf}",
        "__attach_version1.0_#00000000/__substg1.0_3707001F": "note.txt".encode("utf-16-le"),
        "__attach_version1.0_#00000000/__substg1.0_37010102": b"attached",
        "__attach_version1.0_#00000001/__substg1.0_3701000D/__substg1.0_0037001F": "Inside".encode("utf-16-le"),
    }
    parts = {getattr(part, "locator", "") or getattr(part, "name", ""): part for part in msg.read(streams, streams.__getitem__, _budget())}
    assert parts["subject"] == Text("Plans", "subject", "title")
    assert parts["body"] == Text(PHRASE, "body")
    html = parts["body (HTML)"]
    assert isinstance(html, Text) and html.text.strip() == "as HTML"
    assert parts["body (RTF)"] == Member("body (RTF)", rb"{\rtf}")
    assert parts["attach 2 ▸ message ▸ subject"] == Text("Inside", "attach 2 ▸ message ▸ subject", "title")
    members = [part for part in msg.read(streams, streams.__getitem__, _budget()) if isinstance(part, Member)]
    assert members[1] == Member("attach 1 ▸ note.txt", b"attached", "attached to a message")


def test_compressed_rtf() -> None:
    # The two examples of MS-OXRTFCP, section 3.1.
    first = "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c09002062 7705b06c647d0a800fa0"
    second = "1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0"
    assert rtf_compressed.decompress(bytes.fromhex(first)) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    assert rtf_compressed.decompress(bytes.fromhex(second)) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
    assert rtf_compressed.decompress(b"LZFu") is None
    assert rtf_compressed.decompress(struct.pack("<II4sI", 1, 1, b"none", 0) + b"x") is None


@pytest.mark.parametrize("seed", range(20))
def test_damage(seed: int) -> None:
    rng = random.Random(seed)
    document, table = word_stream([(PHRASE, True), (PHRASE, False)])
    slide = ppt_record(0x03E8, ppt_record(0x0FA0, PHRASE.encode("utf-16-le")), 0xF)
    for data in (document, table, _workbook(), slide):
        broken = bytearray(data[: rng.randrange(1, len(data) + 1)])
        for _ in range(rng.randrange(8)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        hostile = bytes(broken)
        for parts in (
            word.read(hostile, hostile, table), word.read(document, hostile, hostile), excel.read(hostile, _budget()),
            powerpoint.read(hostile, hostile, _budget()),
        ):  # fmt: skip
            _text(parts)
        rtf_compressed.decompress(struct.pack("<II4sI", 0, 1 << 31, b"LZFu", 0) + hostile)

"""Torrents, OneNote, XPS, EPUB, MHTML, objects in RTF, notes and forms in PDF: written here, real ones, damaged."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from artefacts.coverage import Problem, Status
from tests.triage.scan.text import samples
from tests.triage.scan.text.conftest import damaged, read
from tests.triage.scan.text.samples import PHRASE
from triage.scan.text import kind_of


def bencoded(value: object) -> bytes:
    if isinstance(value, dict):
        return b"d" + b"".join(bencoded(key) + bencoded(item) for key, item in value.items()) + b"e"
    if isinstance(value, list):
        return b"l" + b"".join(map(bencoded, value)) + b"e"
    if isinstance(value, int):
        return b"i%de" % value
    data = value if isinstance(value, bytes) else str(value).encode()
    return b"%d:" % len(data) + data


TORRENT = bencoded(
    {
        "announce": "http://tracker.example/announce",
        "creation date": 1600000000,
        "info": {
            "files": [{"length": 5, "path": ["copper kettle", "one.mp4"]}, {"length": 6, "path": ["copper kettle", "two.mp4"]}],
            "name": "collection",
            "piece length": 16384,
            "pieces": bytes(range(256)) * 5,
        },
    }
)


def test_torrent() -> None:
    texts, problems = read(TORRENT, "a.torrent")
    assert problems == []
    assert texts == {
        "a.torrent ▸ announce": "http://tracker.example/announce",
        "a.torrent ▸ info ▸ files ▸ path": "copper kettleone.mp4two.mp4",
        "a.torrent ▸ info ▸ name": "collection",
    }
    assert kind_of(b"d3:dog is what he said") is None
    assert read(b"d1:a" + b"l" * 100, "a")[1] == [Problem("is nested more than 64 deep: the rest was left")]
    assert read(TORRENT[:-1], "a")[1] == [Problem("is cut short")]
    for broken in damaged(TORRENT, seed=1):
        read(broken)


@pytest.mark.specimens
def test_real_resume_files(specimens: Path) -> None:
    texts, problems = read((specimens / "mixed/plaso-apps/bencode/transmission").read_bytes(), "t")
    assert (texts, problems) == ({"t ▸ destination": "/Users/brian/Downloads", "t ▸ name": "VirusShare_APT1_293.zip"}, [])
    texts, problems = read((specimens / "mixed/iped-apps/test_resume.dat").read_bytes(), "r")
    assert problems == []
    assert [texts[f"r ▸ {name}.torrent ▸ caption"] for name in ("Sintel", "Big Buck Bunny")] == ["Sintel", "Big Buck Bunny"]
    assert texts["r ▸ Sintel.torrent ▸ path"] == "C:\\Users\\guilh\\Downloads\\Sintel"


def test_onenote() -> None:
    head = bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3") + bytes(100)
    texts, problems = read(head + PHRASE.encode("utf-16-le") + b"\0\0\x01" + b"other words" + bytes(50), "n.one")
    assert problems == [] and PHRASE in texts["n.one"] and "other words" in texts["n.one"]


def test_xps() -> None:
    page = (
        '<FixedPage xmlns="http://schemas.microsoft.com/xps/2005/06"><Glyphs UnicodeString="copper"/><Glyphs UnicodeString="kettle"/>'
        '<Path FixedPage.NavigateUri="https://example.org/there"/></FixedPage>'
    )
    texts, problems = read(samples.zipped({"[Content_Types].xml": "<Types/>", "Documents/1/Pages/1.fpage": page}), "a.xps")
    assert problems == []
    assert texts["a.xps ▸ Documents/1/Pages/1.fpage"].split() == ["copper", "kettle", "https://example.org/there"]


def test_epub_and_mhtml() -> None:
    book = samples.zipped({"mimetype": "application/epub+zip", "OEBPS/one.xhtml": f"<html><body><p>{PHRASE}</p></body></html>"})
    assert PHRASE in read(book, "a.epub")[0]["a.epub ▸ OEBPS/one.xhtml"]
    page = (
        "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://example.org/\r\nSubject: a page\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/related; type="text/html"; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n<html><p>copper k=\r\nettle protocol</p></html>\r\n--b--\r\n"
    )
    texts, problems = read(page.encode(), "a.mhtml")
    assert problems == [] and any(PHRASE in text for key, text in texts.items() if key != "a.mhtml")


def ole1(kind: bytes, content: bytes) -> bytes:
    def text(value: bytes) -> bytes:
        return struct.pack("<I", len(value) + 1) + value + b"\0"

    return struct.pack("<II", 0x501, 2) + text(kind) + text(b"") + text(b"") + struct.pack("<I", len(content)) + content


def package(name: bytes, content: bytes) -> bytes:
    path = b"C:\\x\\" + name + b"\0"
    return b"\2\0" + name + b"\0" + path + b"\0\0\3\0" + struct.pack("<I", len(path)) + path + struct.pack("<I", len(content)) + content


def rtf(data: bytes) -> bytes:
    digits = data.hex().encode()
    broken = b"\r\n".join(digits[at : at + 60] for at in range(0, len(digits), 60))
    return rb"{\rtf1\ansi before {\object\objemb{\*\objclass Package}{\*\objdata " + broken + rb"}{\result shown}} after\par}"


def test_objects_in_rtf() -> None:
    texts, problems = read(rtf(ole1(b"Package", package(b"hidden.txt", PHRASE.encode()))), "a.rtf")
    assert problems == []
    assert texts["a.rtf ▸ hidden.txt"] == f"hidden.txt{PHRASE}"
    texts, problems = read(rtf(ole1(b"Word.Document.12", samples.docx())), "a.rtf")
    assert problems == [] and "copper" in texts["a.rtf ▸ object 1 ▸ word/document.xml"]
    cut = ole1(b"Package", package(b"hidden.txt", PHRASE.encode()))[:-20]
    assert read(rtf(cut), "a.rtf")[1] == [Problem("an embedded object is damaged", Status.FAILED, "a.rtf ▸ object 1")]
    for broken in damaged(rtf(ole1(b"Package", package(b"hidden.txt", PHRASE.encode()))), seed=2):
        read(broken)


def test_notes_links_and_forms_of_a_pdf() -> None:
    canvas = pytest.importorskip("reportlab.pdfgen.canvas")
    out = io.BytesIO()
    page = canvas.Canvas(out)
    page.drawString(100, 700, "page words")
    page.linkURL("https://example.org/copper-kettle", (100, 690, 200, 710))
    page.textAnnotation("a copper note", (100, 600, 200, 620))
    page.acroForm.textfield(name="field", value="filled kettle", x=100, y=500)
    page.showPage()
    page.save()
    texts, problems = read(out.getvalue(), "a.pdf")
    assert problems == []
    assert texts["a.pdf ▸ page 1"].split("\n")[0] == "page words"
    assert set(texts["a.pdf ▸ page 1"].split("\n")) >= {"https://example.org/copper-kettle", "a copper note", "filled kettle"}
    for broken in damaged(out.getvalue(), seed=3, count=15):
        read(broken)

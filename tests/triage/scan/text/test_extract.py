"""Text out of every format: written here, from real documents, damaged, and made to explode."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from artefacts.coverage import Problem, Status
from tests.triage.scan.text import samples
from tests.triage.scan.text.conftest import damaged, read
from tests.triage.scan.text.samples import PHRASE
from triage.scan.text import Piece, extract, kind_of, parts


def test_every_sample_gives_its_phrase_and_no_problem() -> None:
    for name, data in samples.ALL.items():
        texts, problems = read(data, name)
        joined = " ".join(" ".join(texts.values()).replace("\xa0", " ").split())
        assert PHRASE in joined, name
        assert problems == [], name


def test_word_2007() -> None:
    texts, _ = read(samples.docx(), "a.docx")
    assert {key: " ".join(value.split()) for key, value in texts.items()} == {
        "a.docx ▸ word/document.xml": f"{PHRASE} next",
        "a.docx ▸ word/comments.xml": "a comment",
        "a.docx ▸ word/header1.xml": "a header",
        "a.docx ▸ word/footnotes.xml": "a footnote",
        "a.docx ▸ word/_rels/document.xml.rels": "https://example.org/linked",
        "a.docx ▸ word/embeddings/inner.docx ▸ word/document.xml": "embedded words",
    }


def test_excel_and_powerpoint_2007() -> None:
    texts, _ = read(samples.xlsx(), "a.xlsx")
    assert texts["a.xlsx ▸ xl/workbook.xml"].split("\n") == ["", "Kettle list", ""]
    assert texts["a.xlsx ▸ xl/sharedStrings.xml"].split() == ["one", *PHRASE.split(), *f"{PHRASE}s".split()]
    assert texts["a.xlsx ▸ xl/worksheets/sheet1.xml"].strip() == "inline words"
    assert texts["a.xlsx ▸ xl/comments1.xml"].strip() == "a comment"
    texts, _ = read(samples.pptx(), "a.pptx")
    assert [value.strip() for value in texts.values()] == [PHRASE, "speaker notes"]


def test_opendocument() -> None:
    texts, _ = read(samples.odt(), "a.odt")
    assert " ".join(texts["a.odt ▸ content.xml"].split()) == f"{PHRASE} Sheet name"
    assert texts["a.odt ▸ meta.xml"].strip() == "The title"
    texts, problems = read(samples.odt(encrypted=True))
    assert texts == {} and problems == [Problem("is protected by a password", Status.ENCRYPTED)]


def test_rtf() -> None:
    texts, _ = read(samples.rtf(), "a.rtf")
    assert texts["a.rtf"] == "\nA title\ncopper kettle\nprotocol café €\U0001f600 \nin the header\n\n"
    skipped, _ = read(rb"{\rtf1 one{\*\unknown secret}{\colortbl;\red1;} two\bin3 }}} three}", "b.rtf")
    assert skipped["b.rtf"] == "one two three"


def test_pdf() -> None:
    texts, _ = read(samples.pdf(PHRASE, "second page"), "a.pdf")
    assert texts == {"a.pdf ▸ page 1": PHRASE, "a.pdf ▸ page 2": "second page"}
    shifted, _ = read(b"junk before\n" + samples.pdf(PHRASE), "a.pdf")
    assert shifted == {"a.pdf ▸ page 1": PHRASE}


def test_mail_and_what_is_attached() -> None:
    texts, _ = read(samples.mail(samples.zipped({"in/b.docx": samples.docx()})), "a.eml")
    assert texts["a.eml ▸ header"].split("\n") == ["Café plans", "A <a@example.org>", "b@example.org"]
    assert texts["a.eml ▸ body"].strip() == f"{PHRASE} café"
    assert "a.eml ▸ papers.zip ▸ in/b.docx ▸ word/document.xml" in texts
    texts, _ = read(samples.ALL["mbox"], "box")
    assert [key for key in texts if key.endswith("body")] == ["box ▸ message 1 ▸ body", "box ▸ message 2 ▸ body"]
    emlx, _ = read(b"412\n" + samples.mail(), "1.emlx")
    assert emlx["1.emlx ▸ body"].strip() == f"{PHRASE} café"


def test_encrypted_mail_is_said() -> None:
    head = b"From: a@example.org\nTo: b@example.org\n"
    _, problems = read(head + b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nabcd\n")
    assert [problem.status for problem in problems] == [Status.ENCRYPTED]
    _, problems = read(head + b"\n-----BEGIN PGP MESSAGE-----\n\nabcd\n-----END PGP MESSAGE-----\n")
    assert [problem.status for problem in problems] == [Status.ENCRYPTED]
    signed, problems = read(head + b"\nwords\n")
    assert problems == [] and signed["file ▸ body"] == "words\n"


def test_markup_is_read_as_it_stands_and_as_it_reads() -> None:
    pieces = list(extract(io.BytesIO(samples.ALL["html"]), "a.html", lambda: None))
    raw, plain = pieces
    assert isinstance(raw, Piece) and isinstance(plain, Piece)
    assert (raw.locator, raw.again, raw.data) == ("", False, samples.ALL["html"])
    assert plain.again and plain.data.decode().split() == ["hidden", "-->", "copper", "kettle", "protocol", "x", "var", "y"]
    assert read("<p>a &lt; b 1 < 2</p>".encode("utf-16"), "x")[0]["x"].strip() == "a < b 1 < 2"


@pytest.mark.parametrize("data", [b"<", b"<!--" * 200_000, b"<a " * 300_000, b"<p" * 400_000, b"&" * 500_000, b"<![CDATA[" * 100_000])
def test_unclosed_markup_takes_no_longer_than_its_length(data: bytes) -> None:
    # A quadratic reader would need minutes for these; pytest would not end.
    read(b"<html>" + data, "a.html")


def test_entities_of_its_own_are_refused() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><document>&b;</document>'
    texts, problems = read(samples.zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": bomb}), "a.docx")
    assert texts == {}
    assert problems == [Problem("declares entities of its own: not read on", locator="a.docx ▸ word/document.xml")]


def test_kinds_come_from_content() -> None:
    assert kind_of(samples.rtf()) == "rtf"
    assert kind_of(b"From nowhere in particular\nto somewhere: else\n") is None
    assert kind_of(b"Subject: only one header\n\ntext") is None
    assert kind_of(b"a < b and c > d\n") is None
    assert kind_of(b"\x89PNG\r\n\x1a\n" + bytes(100)) is None
    assert kind_of(b"[section]\nkey: value\n") == "json"  # harmless: it is matched as it stands, and escapes are undone besides


@pytest.mark.parametrize(
    ("head", "name"),
    [(b"MSCF\0\0\0\0", "cabinet archive"), (b"\0\1\0\0Standard Jet DB\0", "Access database")],
)
def test_what_is_not_opened_is_said(head: bytes, name: str) -> None:
    assert read(head)[1] == [Problem(f"{name}: this tool does not open it", Status.UNRECOGNISED)]


def test_encrypted_members_are_said_and_the_others_read() -> None:
    texts, problems = read(samples.encrypted_zip(), "a.zip")
    assert texts["a.zip ▸ open.txt"] == "open.txt" + PHRASE
    assert texts["a.zip ▸ locked.txt"] == "locked.txt"
    assert problems == [Problem("1 of its 2 members are encrypted, the first: locked.txt", Status.ENCRYPTED)]
    _, inside = read(samples.zipped({"in.zip": samples.encrypted_zip()}), "b.zip")
    assert [(problem.status, problem.locator) for problem in inside] == [(Status.ENCRYPTED, "b.zip ▸ in.zip")]


def test_depth_is_limited() -> None:
    data = samples.zipped({"note.txt": PHRASE})
    for number in range(parts.MAX_DEPTH):
        data = samples.zipped({f"{number}.zip": data})
    texts, problems = read(data)
    assert not any(PHRASE in text for text in texts.values())
    assert [problem.reason for problem in problems] == [f"lies more than {parts.MAX_DEPTH} containers deep: not opened"]


@pytest.mark.parametrize("pack", [lambda data: samples.zipped({"zeros": data}), gzip.compress, bz2.compress, lzma.compress])
def test_a_bomb_gives_one_line(pack: object) -> None:
    assert callable(pack)
    data = pack(b"a" * (8 << 20))
    texts, problems = read(data, "bomb")
    assert [problem.reason for problem in problems] == ["grows more than 200 times when it is unpacked: taken for a bomb and left"]
    assert sum(map(len, texts.values())) < 100


def test_many_small_bombs_give_two_lines() -> None:
    _, problems = read(samples.zipped({f"{number}.txt": b"a" * (3 << 20) for number in range(5)}))
    assert [problem.reason[:14] for problem in problems] == ["grows more tha", "4 more in it: "]


def test_what_comes_out_of_a_file_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MAX_EXPANDED", 100_000)
    texts, problems = read(samples.zipped({f"{number}.txt": bytes(range(32, 127)) * 400 for number in range(9)}))
    assert next(problem.reason for problem in problems).endswith("come out of it: the rest was left")
    assert sum(map(len, texts.values())) < 400_000
    monkeypatch.setattr(parts, "MAX_EXPANDED", 256 << 20)
    monkeypatch.setattr(parts, "MAX_MEMBERS", 3)
    texts, problems = read(samples.zipped({f"{number}.txt": "x" for number in range(9)}), "a.zip")
    assert sorted(texts) == ["a.zip ▸ 0.txt", "a.zip ▸ 1.txt", "a.zip ▸ 2.txt"]
    assert [problem.reason for problem in problems] == ["more than 3 members: the rest was left"]


def test_members_that_hold_no_text_are_not_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("picture.jpg", b"\xff\xd8\xff\xe0" + bytes(50 << 20))
    assert read(out.getvalue(), "a.zip") == ({"a.zip ▸ picture.jpg": "picture.jpg"}, [])


def test_gzip_of_several_members_and_with_something_after_them() -> None:
    data = gzip.compress(b"copper " * 20_000) + gzip.compress(b"kettle") + gzip.compress(b"")
    assert read(data, "a")[0] == {"a": "copper " * 20_000 + "kettle"}
    assert read(data + b"metadata of a cache", "a") == read(data, "a")
    assert read(data[:-40], "a")[1] == [Problem("is damaged: it ends before its last member does")]


@pytest.mark.parametrize("name", sorted(samples.ALL))
def test_damage_never_ends_the_reading(name: str) -> None:
    for data in damaged(samples.ALL[name], seed=len(name)):
        texts, problems = read(data, name)
        assert all(isinstance(text, str) for text in texts.values())
        assert len(problems) <= 42


@pytest.mark.parametrize("name", ["docx", "xlsx", "odt", "zip", "tar", "gz", "bz2", "xz", "pdf", "rtf"])
def test_what_is_cut_short_is_said(name: str) -> None:
    data = samples.ALL[name].rstrip(b"\0")
    assert read(data[: len(data) * 2 // 3], name)[1]


# Real documents


@pytest.fixture
def documents(specimens: Path) -> Path:
    return specimens / "documents" / "iped"


def _of(path: Path) -> tuple[dict[str, str], list[Problem]]:
    return read(path.read_bytes(), path.name)


@pytest.mark.specimens
def test_real_word_documents(documents: Path, specimens: Path) -> None:
    old, problems = _of(documents / "test_mockDoc1.doc")
    new, more = _of(documents / "test_mockDoc1.docx")
    assert problems == more == []
    words = old["test_mockDoc1.doc ▸ WordDocument"].split()
    assert words == new["test_mockDoc1.docx ▸ word/document.xml"].split()
    assert (len(words), words[:3]) == (481, ["Mockdoc1:", "Lorem", "ipsum"])
    assert "Guilherme Andreúce Sobreira Monteiro" in old["test_mockDoc1.doc ▸ properties"]
    for name in ("Document.doc", "Document.docx"):
        texts, problems = _of(specimens / "mixed" / "plaso-apps" / name)
        assert problems == [] and texts


@pytest.mark.specimens
def test_a_real_encrypted_document(documents: Path) -> None:
    assert _of(documents / "test_cryptoDoc.docx") == ({}, [Problem("is protected by a password", Status.ENCRYPTED)])


@pytest.mark.specimens
def test_a_real_archive(documents: Path) -> None:
    texts, problems = _of(documents / "test_mockZip.zip")
    assert problems == []
    assert texts["test_mockZip.zip ▸ mockfolder/mockdoc5.docx ▸ word/document.xml"].startswith("Mockdoc5/folder")
    assert "Controle de orçamento anual" in texts["test_mockZip.zip ▸ mocksheets1.xlsx ▸ xl/sharedStrings.xml"]
    assert texts["test_mockZip.zip ▸ mockfolder/mocktext5.txt"].startswith("mockfolder/mocktext5.txtMocktext5/Folder:")


@pytest.mark.specimens
def test_a_real_pdf_that_needs_no_password_to_be_read(documents: Path) -> None:
    texts, problems = _of(documents / "test_pdfProtected.pdf")
    assert problems == [] and len(texts) == 42
    assert "Andrew G Haldane" in texts["test_pdfProtected.pdf ▸ page 1"]
    assert texts["test_pdfProtected.pdf ▸ page 41"].lstrip().startswith("41")


@pytest.mark.specimens
def test_real_pdfs_with_passwords(unpacked: Callable[[str], Path]) -> None:
    from triage.evidence.sources import open_source

    source = open_source(str(unpacked("images/forensics-samples/fs.exfat.xz")))
    locked = 0
    for volume in (volume for volume in source.volumes() if volume.status is Status.PARSED):
        filesystem = source.filesystem(volume)
        for entry in [entry for chunk in filesystem.entries() for entry in chunk if "-pass-" in entry.name and entry.allocated]:
            with filesystem.open(entry) as stream:
                found = list(extract(stream, entry.name, lambda: None))
            assert found == [Problem("is protected by a password", Status.ENCRYPTED)], entry.path
            locked += 1
    source.close()
    assert locked == 2


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("name", "subject", "body"),
    [
        ("test_rfc822", "[Test] Commented: Testing RFC822 parsing", "I'll have a look at tikatests and try to use it in IPED"),
        ("test_rfc822Base64", "This tests a base64 encoded body", "Here is some text, with international characters, voilà!"),
        ("test_rfc822I18NHeaders", "If you can read this you understand the example.", "Examples taken from RFC 2047."),
        ("test_rfc822LimitedHeaders", "abcd", "bar biz bat"),
        ("test_rfc822Multipart", "Test Multi Part Message", "With some funky HTML code an a\npicture attached"),
        ("test_rfc822OddFrom", "Air Permit Programs | Air & Radiation | US EPA", "Air Permit Programs"),
        ("test_rfc822Quoted", "Sample with Quoted Printable Text", "Lines can be split like this. Spaces at the end of a line \nmust be"),
    ],
)  # fmt: skip
def test_real_mail(documents: Path, name: str, subject: str, body: str) -> None:
    texts, problems = _of(documents / name)
    assert problems == []
    assert texts[f"{name} ▸ header"].split("\n")[0] == subject
    assert any(body in text.replace("\r", "") for key, text in texts.items() if not key.endswith("header"))


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("test_utf8", ["OUTR4 stRin8888 codificada em UTF8", "sendÖOO utilizada"]),
        ("test_utf16", ["stRin8888 codificada em UTF16"]),
        ("test_utf16iso88591", ["stRin8888 codificada em UTF16", "codificada em ISO8859-1"]),
        ("test_utf16iso88591utf8", ["stRin8888 codificada em UTF16", "codificada em ISO8859-1", "codificada em UTF8"]),
        ("test_utf8iso88591", ["codificada em UTF8", "codificada em ISO8859-1"]),
        ("test_utf8utf16", ["codificada em UTF8", "codificada em UTF16"]),
    ],
)
def test_one_text_in_several_encodings_is_matched_in_each(documents: Path, tmp_path: Path, name: str, words: list[str]) -> None:
    from rules import keywords
    from triage.scan.text import search

    library = tmp_path / "words.csv"
    library.write_text("term,category,severity,form\n" + "".join(f"{term},demonstration,3,phrase\n" for term in words), "utf-8")
    with (documents / name).open("rb") as stream:
        found = search(keywords.load([library]).matcher(), extract(stream, name, lambda: None))
    assert {hit.term for hit in found.hits} == set(words)
    assert all(re.fullmatch(r"offset=\d+", place) for place in found.places.values())


@pytest.mark.specimens
def test_real_documents_survive_damage(documents: Path) -> None:
    said = 0
    for path in sorted(documents.iterdir()):
        for data in damaged(path.read_bytes(), seed=1, count=2 if path.suffix == ".pdf" else 4):
            said += len(read(data, path.name)[1])
    assert said > 20

"""Small documents of each format, written here: each says PHRASE, broken up by markup where the format allows it."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile

PHRASE = "copper kettle protocol"


def zipped(members: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def encrypted_zip() -> bytes:
    """Two members, the second marked as encrypted (bit 0 of its flags, in both of its headers)."""
    data = bytearray(zipped({"open.txt": PHRASE, "locked.txt": "x" * 40}))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.rindex(signature)
        data[place + at] |= 1
    return bytes(data)


_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def docx() -> bytes:
    def part(root: str, text: str) -> str:
        return f'<?xml version="1.0"?><w:{root} {_W}><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:{root}>'

    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": part("document", "cop</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>per kettle protocol").replace(
                "</w:p>", "</w:p><w:p><w:r><w:t>next</w:t></w:r></w:p>"
            ),
            "word/comments.xml": part("comments", "a comment"),
            "word/header1.xml": part("hdr", "a header"),
            "word/footnotes.xml": part("footnotes", "a footnote"),
            "word/styles.xml": part("styles", "a style"),
            "word/_rels/document.xml.rels": '<Relationships><Relationship Target="styles.xml"/>'
            '<Relationship Target="https://example.org/linked" TargetMode="External"/></Relationships>',
            "word/embeddings/inner.docx": zipped(
                {"[Content_Types].xml": "<Types/>", "word/document.xml": part("document", "embedded words")}
            ),
        }
    )


def xlsx() -> bytes:
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "xl/workbook.xml": '<workbook><sheets><sheet name="Kettle list" sheetId="1"/></sheets></workbook>',
            "xl/sharedStrings.xml": f"<sst><si><t>one</t></si><si><r><t>copper ket</t></r><r><t>tle protocol</t></r></si><si><t>{PHRASE}s</t></si></sst>",
            "xl/worksheets/sheet1.xml": '<worksheet><sheetData><row><c t="inlineStr"><is><t>inline words</t></is></c></row></sheetData></worksheet>',
            "xl/comments1.xml": "<comments><comment><text><r><t>a comment</t></r></text></comment></comments>",
        }
    )


def pptx() -> bytes:
    a = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    slide = f"<p:sld xmlns:p='p' {a}><a:p><a:r><a:t>copper ket</a:t></a:r><a:r><a:t>tle protocol</a:t></a:r></a:p></p:sld>"
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "ppt/slides/slide1.xml": slide,
            "ppt/notesSlides/notesSlide1.xml": f"<p:notes xmlns:p='p' {a}><a:p><a:r><a:t>speaker notes</a:t></a:r></a:p></p:notes>",
        }
    )


def odt(*, encrypted: bool = False) -> bytes:
    content = (
        '<office:document-content xmlns:office="o" xmlns:text="t" xmlns:table="b"><text:p>cop<text:span>per</text:span>'
        '<text:s/>kettle protocol</text:p><table:table table:name="Sheet name"/></office:document-content>'
    )
    manifest = '<manifest:manifest xmlns:manifest="m"><manifest:encryption-data/></manifest:manifest>' if encrypted else "<manifest/>"
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": b"\x93\x01\x02 noise" if encrypted else content,
            "meta.xml": "<m xmlns:dc='d'><dc:title>The title</dc:title></m>",
            "META-INF/manifest.xml": manifest,
        }
    )


def rtf() -> bytes:
    return (
        rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Courier;}}{\*\generator Nobody;}{\info{\title A title}}"
        rb"\pard cop{\b per} kettle\line protocol caf\'e9 \u8364?\u-10179?\u-8704? {\pict\wmetafile8 0102ab}{\header in the header}\par}"
    )


def pdf(*texts: str) -> bytes:
    """A page for each text, with a table of references that is right."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for text in texts:
        stream = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET".encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>"
        objects.append(page % len(objects))
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def mail(attachment: bytes = b"", name: str = "papers.zip") -> bytes:
    return (
        b"From: A <a@example.org>\r\nTo: b@example.org\r\nSubject: =?utf-8?b?" + base64.b64encode("Café plans".encode()) + b"?=\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="=b"\r\n\r\n--=b\r\nContent-Type: text/html; charset=iso-8859-1\r\n'
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>cop<b>per</b> kettle=\r\n protocol caf=E9</p>\r\n--=b\r\n"
        b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="' + name.encode() + b'"\r\n\r\n' + base64.encodebytes(attachment) + b"\r\n--=b--\r\n"
    )


def tarred(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def biff(*records: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("<HH", kind, len(body)) + body for kind, body in records)


def ppt_record(kind: int, body: bytes, version: int = 0) -> bytes:
    return struct.pack("<HHI", version, kind, len(body)) + body


def word_stream(pieces: list[tuple[str, bool]], *, encrypted: bool = False) -> tuple[bytes, bytes]:
    """The WordDocument and 1Table streams of a document whose text lies in these pieces (text, packed into one byte a letter)."""
    document = bytearray(0x400)
    struct.pack_into("<HH", document, 0, 0xA5EC, 0xC1)
    struct.pack_into("<H", document, 0x0A, 0x0200 | (0x0100 if encrypted else 0))
    positions, places = [0], []
    for text, packed in pieces:
        offset = len(document)
        document += text.encode("cp1252" if packed else "utf-16-le")
        places.append(struct.pack("<HIH", 0, (offset * 2) | 1 << 30 if packed else offset, 0))
        positions.append(positions[-1] + len(text))
    plc = b"".join(struct.pack("<I", position) for position in positions) + b"".join(places)
    clx = b"\x01\x02\x00zz" + b"\x02" + struct.pack("<I", len(plc)) + plc
    table = b"\0" * 16 + clx
    struct.pack_into("<II", document, 0x1A2, 16, len(clx))
    return bytes(document), table


ALL: dict[str, bytes] = {
    "docx": docx(), "xlsx": xlsx(), "pptx": pptx(), "odt": odt(), "rtf": rtf(), "pdf": pdf(PHRASE, "second page"), "mail": mail(docx(), "a.docx"),
    "mbox": b"From a@example.org Sat Nov 21 09:00:00 2026\n" + mail(docx(), "a.docx") + b"\nFrom b@example.org Sat\n" + mail(),
    "zip": zipped({"a/b.docx": docx(), "note.txt": PHRASE}), "tar": tarred({"note.txt": f"{PHRASE}\n".encode() * 9, "b.docx": docx()}),
    "gz": gzip.compress(tarred({"note.txt": PHRASE.encode()}), mtime=0), "bz2": bz2.compress(f"{PHRASE}\n".encode() * 50), "xz": lzma.compress(rtf()),
    "html": b"<html><body><!-- hidden --><p>cop<b>per</b> kettle&nbsp;protocol<td>x</td><script>var y</script></body></html>",
    "json": rb'{"text": "copper \u006bettle protocol \ud83d\ude00"}',
}  # fmt: skip

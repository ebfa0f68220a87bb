"""Pictures made here, and the places in which they hide: each picture differs, so that a match says which place was looked into."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct

from PIL import Image

from tests.triage.scan.text import samples


def picture(seed: int, kind: str = "JPEG", size: tuple[int, int] = (48, 32)) -> bytes:
    """A small picture of coloured noise, another for each seed."""
    noise = Image.frombytes("RGB", size, random.Random(seed).randbytes(size[0] * size[1] * 3))
    out = io.BytesIO()
    noise.save(out, kind)
    return out.getvalue()


def false_jpeg(seed: int, length: int = 3000) -> bytes:
    """The beginning of a JPEG, and bytes that are none."""
    return b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + random.Random(seed).randbytes(length)


def with_thumbnail(data: bytes, small: bytes) -> bytes:
    """A JPEG with an Exif segment whose second directory points to ``small``."""
    tiff = b"MM\0*" + struct.pack(">IHI", 8, 0, 14)
    tiff += struct.pack(">HHHIIHHIII", 2, 0x0201, 4, 1, 14 + 2 + 24 + 4, 0x0202, 4, 1, len(small), 0)
    body = b"Exif\0\0" + tiff + small
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def compound(streams: dict[str, bytes]) -> bytes:
    """A compound file (MS-CFB version 3) with streams in its root; each is padded to the 4,096 bytes from which it has sectors of its own."""
    names = sorted(streams, key=lambda name: (len(name), name.upper()))
    bodies = [streams[name].ljust(4096, b"\0") for name in names]
    fat: list[int] = []
    starts = []
    for body in bodies:
        starts.append(len(fat))
        count = -(-len(body) // 512)
        fat += [len(fat) + number + 1 for number in range(count - 1)] + [0xFFFFFFFE]
    directory = len(fat)
    count = -(-(len(names) + 1) // 4)
    fat += [directory + number + 1 for number in range(count - 1)] + [0xFFFFFFFE]
    table = len(fat)
    count = -(-(len(fat) + 2) // 128) + (len(fat) // 16000)
    fat += [0xFFFFFFFD] * count
    header = (
        bytes.fromhex("d0cf11e0a1b11ae1")
        + bytes(16)
        + struct.pack("<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, count, directory, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, table)
    )
    header += b"".join(struct.pack("<I", table + number if number < count else 0xFFFFFFFF) for number in range(1, 109))

    def entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        return text.ljust(64, b"\0") + struct.pack("<HBBIII36xIQ", len(text), kind, 1, 0xFFFFFFFF, right, child, start, size)

    entries = entry("Root Entry", 5, 0xFFFFFFFF, 1, 0xFFFFFFFE, 0)
    for number, (name, body) in enumerate(zip(names, bodies, strict=True)):
        right = number + 2 if number + 1 < len(names) else 0xFFFFFFFF
        entries += entry(name, 2, right, 0xFFFFFFFF, starts[number], len(body))
    sectors = b"".join(body.ljust(-(-len(body) // 512) * 512, b"\0") for body in bodies)
    sectors += entries.ljust(-(-len(entries) // 512) * 512, b"\0")
    sectors += b"".join(struct.pack("<I", value) for value in fat).ljust(count * 512, b"\xff")
    return header + sectors


def workbook(drawings: bytes) -> bytes:
    """A stream of BIFF records: the drawings cut as Excel cuts them."""
    pieces = [drawings[start : start + 8224] for start in range(0, len(drawings), 8224)]
    return samples.biff((0x809, bytes(16)), (0xEB, pieces[0]), *((0x3C, piece) for piece in pieces[1:]), (0x0A, b""))


def pdf(image: bytes) -> bytes:
    """A page that shows a JPEG."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Resources<</XObject<</I 4 0 R>>>>/Contents 5 0 R>>",
        b"<</Type/XObject/Subtype/Image/Width 48/Height 32/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode/Length %d>>stream\n%s\nendstream" % (len(image), image),
        b"<</Length 22>>stream\n40 0 0 40 9 9 cm /I Do\nendstream",
    ]  # fmt: skip
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start)


def docx(image: bytes) -> bytes:
    return samples.zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w:document/>", "word/media/image3.jpeg": image})


def odt(image: bytes) -> bytes:
    members = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "META-INF/manifest.xml": "<m/>",
        "content.xml": "<c/>",
        "Pictures/1.jpg": image,
    }
    return samples.zipped(members)  # type: ignore[arg-type]


def hidden() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Files by name, and the pictures in them by the way to each."""
    large = (200, 150)  # more than one record of a workbook
    p = {number: picture(number, "PNG" if number == 2 else "JPEG", large if number == 9 else (48, 32)) for number in range(1, 22)}
    junk = random.Random(99).randbytes(777).replace(b"\xff", b"\0")
    files = {
        "a.zip": samples.zipped({"pics/one.jpg": p[1], "false.jpg": false_jpeg(1)}),
        "b.zip": samples.zipped({"in/inner.zip": samples.zipped({"two.png": p[2]})}),
        "c.tar.gz": gzip.compress(samples.tarred({"three.jpg": p[3]})),
        "archive.zip": samples.zipped({"a/b.docx": docx(p[4])}),
        "e.odt": odt(p[5]),
        "f.doc": compound({"WordDocument": bytes(5000), "Data": junk + p[6] + false_jpeg(2)}),
        "g.pdf": pdf(p[7]),
        "h.eml": samples.mail(p[8], "holiday.jpg"),
        "i.xls": compound({"Workbook": workbook(junk + p[9])}),
        "j.jpg": p[10] + p[11],
        "k.png": picture(50, "PNG") + samples.zipped({"twelve.jpg": p[12]}),
        "l.jpg": with_thumbnail(p[13], p[14]),
        "m.bin": junk + p[15] + b"\0" * 9 + false_jpeg(3),
        "n.gz": gzip.compress(p[16]),
        "o.bz2": bz2.compress(p[17]),
        "p.xz": lzma.compress(p[18]),
        "q.gif": picture(51, "GIF") + junk + p[19],
        "r.webp": picture(52, "WEBP") + p[20],
        "decoy.jpg": false_jpeg(4),
        "decoy.bin": junk + false_jpeg(5) + false_jpeg(6),
    }
    ways = {
        "a.zip ▸ pics/one.jpg": p[1],
        "b.zip ▸ in/inner.zip ▸ two.png": p[2],
        "c.tar.gz ▸ three.jpg": p[3],
        "archive.zip ▸ a/b.docx ▸ word/media/image3.jpeg": p[4],
        "e.odt ▸ Pictures/1.jpg": p[5],
        "f.doc ▸ Data ▸ jpg picture at byte 777": p[6],
        f"g.pdf ▸ jpg picture at byte {files['g.pdf'].index(p[7])}": p[7],
        "h.eml ▸ holiday.jpg": p[8],
        "i.xls ▸ Workbook ▸ jpg picture at byte 777": p[9],
        "j.jpg ▸ data after its end": p[11],
        "k.png ▸ data after its end ▸ twelve.jpg": p[12],
        "l.jpg ▸ thumbnail": p[14],
        "m.bin ▸ jpg picture at byte 777": p[15],
        "n.gz ▸ content": p[16],
        "o.bz2 ▸ content": p[17],
        "p.xz ▸ content": p[18],
        "q.gif ▸ data after its end ▸ jpg picture at byte 777": p[19],
        "r.webp ▸ data after its end": p[20],
    }
    return files, ways

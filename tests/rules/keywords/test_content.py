"""Content of files: every encoding, every size, the same hits whole or in pieces."""

from __future__ import annotations

import codecs
import random
from pathlib import Path

import pytest

from rules import keywords
from rules.keywords import Hit, Matcher
from rules.keywords.content import _STEP, MARGIN, WINDOW, encoding_of
from rules.keywords.tally import MAX_COUNTED, MAX_KEPT

TEXT = "Erste Zeile über ein Café.\nThe blue  LANTERN stands on the Straße; solanternot. A lantern, again… ½\n"
LIBRARY = "term,category,severity,form\nlantern,a,1,word\nblue lantern,a,2,phrase\ncafé,a,1,word\nstraße,a,1,word\nlant?rn,a,1,wildcard\n"
EXPECTED = ["Café", "LANTERN", "LANTERN", "Straße", "blue  LANTERN", "lantern", "lantern"]


@pytest.fixture(scope="module", params=["hyperscan", "ahocorasick"])
def matcher(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    path = tmp_path_factory.mktemp("library") / "list.csv"
    path.write_text(LIBRARY, encoding="utf-8")
    return keywords.load([path]).matcher(request.param)


def words(hits: list[Hit]) -> list[str]:
    return sorted(hit.found for hit in hits)


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""), ("utf-8", codecs.BOM_UTF8), ("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE), ("utf-16-le", b""),
        ("utf-16-be", b""), ("utf-32-le", codecs.BOM_UTF32_LE), ("utf-32-be", codecs.BOM_UTF32_BE), ("cp1252", b""), ("utf-7", b""),
    ],
)  # fmt: skip
def test_every_encoding(matcher: Matcher, encoding: str, mark: bytes) -> None:
    data = mark + TEXT.encode(encoding)
    hits = matcher.in_bytes(data)
    if encoding == "utf-7":  # not among them: what is ASCII in it is still found
        assert words(hits) == ["LANTERN", "LANTERN", "blue  LANTERN", "lantern", "lantern"]
        return
    assert words(hits) == EXPECTED
    for hit in hits:
        assert data[hit.start : hit.end].decode(encoding) == hit.found
        assert hit.context.lstrip("\ufeff") in TEXT and hit.found in hit.context
    assert matcher.in_bytes(memoryview(data)) == hits


def test_mixed_encodings_in_one_file(matcher: Matcher) -> None:
    data = TEXT.encode("utf-8") * 3 + TEXT.encode("cp1252") * 3
    hits = matcher.in_bytes(data)
    assert words(hits) == sorted(EXPECTED * 6)
    assert {data[hit.start : hit.end] for hit in hits if hit.term == "café"} == {"Café".encode(), "Café".encode("cp1252")}


def test_utf16_inside_a_binary_file(matcher: Matcher) -> None:
    generator = random.Random(1)
    noise = bytes(generator.choice(b"\x00\x00\x00\x01\x80\xff\x90") for _ in range(3001))
    data = (
        noise
        + b"\x00\x01the lantern\x00"
        + noise
        + "The lantern".encode("utf-16-le")
        + noise
        + "\u0101the lantern".encode("utf-16-be")
        + b"\x80"
        + noise
    )
    assert encoding_of(data) == "binary"
    hits = matcher.in_bytes(data)
    assert [data[hit.start : hit.end] for hit in hits if hit.term == "lantern"] == [
        b"lantern", "lantern".encode("utf-16-le"), "lantern".encode("utf-16-be")
    ]  # fmt: skip
    solid = noise + "solanternot xlantern".encode("utf-16-le") + noise
    assert matcher.in_bytes(solid) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("shift", range(-16, 17, 4))
def test_hits_on_the_edges_of_windows(matcher: Matcher, encoding: str, shift: int) -> None:
    """A phrase is found once wherever the windows are cut, at its right place."""
    width = len("a".encode(encoding))
    filler = ("é.. " * 50 + "\n").encode(encoding)
    size = 3 * WINDOW
    for edge in (_STEP, _STEP + MARGIN, WINDOW - MARGIN, WINDOW, 2 * _STEP + MARGIN):
        at = (edge + shift - 6 * width) // width * width
        data = bytearray(filler * (size // len(filler)))
        phrase = " blue lantern ".encode(encoding)
        at -= at % len("é.. ".encode(encoding))
        data[at : at + len(phrase)] = phrase
        data[at + len(phrase) : at + len(phrase) + width] = ".".encode(encoding)
        hits = [hit for hit in matcher.in_bytes(bytes(data)) if hit.term == "blue lantern"]
        assert [(hit.start, hit.end) for hit in hits] == [(at + width, at + 13 * width)]


def test_pieces_give_the_same_as_the_whole(matcher: Matcher) -> None:
    generator = random.Random(9)
    data = "".join(generator.choice([TEXT, "filler ", "é", "\n", "x" * 50]) for _ in range(6_000)).encode()
    whole = matcher.in_bytes(data)
    assert sum(1 + hit.repeats for hit in whole) > 5_000
    for largest in (1000, 100_000, 1_000_000):
        stream, at = matcher.stream(), 0
        while at < len(data):
            step = generator.randrange(1, largest)
            stream.feed(data[at : at + step])
            at += step
        assert stream.finish() == whole


def test_a_flood_is_bounded(matcher: Matcher) -> None:
    stream = matcher.stream()
    for _ in range(8):
        stream.feed(b"lantern " * (1 << 14))
        assert len(stream._buffer) <= WINDOW + 1
    hits = [hit for hit in stream.finish() if hit.term == "lantern"]
    assert len(hits) == MAX_KEPT
    assert sum(1 + hit.repeats for hit in hits) == MAX_COUNTED


def test_nothing_and_noise(matcher: Matcher) -> None:
    generator = random.Random(2)
    assert matcher.in_bytes(b"") == []
    for size in (1, 2, 3, 4, 5, 100, 5000):
        for _ in range(30):
            matcher.in_bytes(generator.randbytes(size))
    whole = TEXT.encode("utf-16")
    for cut in range(len(whole)):
        matcher.in_bytes(whole[:cut])


def test_cyrillic_and_greek_without_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("term,category,severity,form\nфонарь,a,1,word\n", encoding="utf-8")
    one = keywords.load([path]).matcher()
    text = "Синий ФОНАРЬ стоит у моря, и фонари тоже.\n" * 20
    for encoding in ("utf-8", "utf-16", "utf-16-le", "utf-16-be"):
        assert [hit.found for hit in one.in_bytes(text.encode(encoding))] == ["ФОНАРЬ"] * 20


@pytest.mark.specimens
def test_the_strings_of_the_keyword_image(unpacked: object, tmp_path: Path) -> None:
    """DFTT test 2, EXPECTED.md 2: the image as one stream of bytes, so what lies across fragments of a file is not found here."""
    path = tmp_path / "list.csv"
    terms = ["first", "second", "1cross1", "2cross2", "3cross3", "1slack1", "2slack2", "3slack3", "1fragment1", "deleted"]
    path.write_text("term,category,severity,form\n" + "".join(f"{term},a,1,word\n" for term in terms) + "a?b\\c*d$e#f[g^,a,1,word\n")
    data = unpacked("images/dftt/fat-img-kw.dd.xz").read_bytes()  # type: ignore[operator]
    hits = keywords.load([path]).matcher().in_bytes(data)
    places = {(hit.term, hit.start // 512, hit.start % 512) for hit in hits}
    assert places >= {
        ("first", 271, 167), ("second", 272, 288), ("second", 239, 480), ("3cross3", 283, 508), ("1slack1", 272, 396), ("3slack3", 277, 385),
        ("deleted", 276, 230), ("a?b\\c*d$e#f[g^", 279, 160), ("1cross1", 271, 508), ("2slack2", 274, 508),
    }  # fmt: skip

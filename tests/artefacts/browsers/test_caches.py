"""Caches: the real specimens exactly, caches made here, and entries that are bad."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import struct
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers import bodies, chromium_cache, firefox_cache
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import CachedItem, SiteTrace
from artefacts.registry import Content
from artefacts.times import Timestamp

CACHE = "/Users/jo/AppData/Local/Google/Chrome/User Data/Default/Cache"
ENTRIES = "/home/jo/.cache/mozilla/firefox/ab.default/cache2/entries"
DAY = 13_400_000_000_000_000  # WebKit microseconds of 2025-08-18T14:13:20Z


def iso(time: Any) -> str:
    assert isinstance(time, Timestamp)
    return time.isoformat()


# ---- specimens


@pytest.mark.specimens
def test_chromium_block_file_specimen(evidence: Any, specimens: Path) -> None:
    contents = {}
    for path in (specimens / "browser/plaso-chrome/chrome_cache").iterdir():
        data = path.read_bytes()
        contents[f"{CACHE}/{path.name.removesuffix('.xz')}"] = lzma.decompress(data) if path.suffix == ".xz" else data
    observations, problems = evidence(contents).parse(chromium_cache.parse, f"{CACHE}/index")
    assert problems == [] and len(observations) == 217 and not any(item.recovered for item in observations)
    first = observations[0]
    assert (first.url, iso(first.time), first.content_type, first.stored_in) == (
        "https://s.ytimg.com/yts/imgbin/player-common-vfliLfqPT.webp", "2014-04-30T16:44:36.226091Z", "image/webp", f"{CACHE}/f_000010",
    )  # fmt: skip
    assert all(item.url.startswith("http") and item.content_type for item in observations if item.bytes)


@pytest.mark.specimens
@pytest.mark.parametrize(("version", "count"), [("42.0.2311.90", 0), ("64.0.3282.140", 2)])
def test_chromium_profiles(evidence: Any, unpacked: Callable[[str], Path], version: str, count: int) -> None:
    with tarfile.open(
        fileobj=io.BytesIO(unpacked(f"browser/dfirlabs-chrome/specimens/google-chrome-{version}.tar.xz").read_bytes())
    ) as archive:
        contents = {"/" + item.name.lstrip("./"): archive.extractfile(item).read() for item in archive if item.isfile()}  # type: ignore[union-attr]
    path = "/home/ubuntu/.cache/google-chrome/Default/Cache/index"
    observations, problems = evidence(contents).parse(chromium_cache.parse, path)
    assert problems == [] and len(observations) == count
    assert all((item.browser, item.profile, item.user) == ("Chrome", "Default", "ubuntu") for item in observations)


@pytest.mark.specimens
def test_firefox_specimens(evidence: Any, specimens: Path) -> None:
    folder = specimens / "browser/plaso-firefox/firefox_cache"
    counts = {}
    for path in (folder / "firefox3").iterdir():
        observations, problems = evidence({f"/x/{path.name}": path.read_bytes()}).parse(firefox_cache.parse_old, f"/x/{path.name}")
        assert problems == []
        counts[path.name] = len(observations)
        assert all(item.url.startswith("http") for item in observations)
    assert counts == {"_CACHE_001_": 25, "_CACHE_002_": 3, "_CACHE_003_": 2}
    expected = {
        "1F4B3A4FC81FB19C530758231FA54313BE8F6FA2": (
            CachedItem, "https://tiles.cdn.mozilla.net/images/8acf9436e1b315f5f04b9435a518bcd1aef131f8.5663.png", "2015-05-02T15:35:31Z", 2,
        ),
        "9E599395B8E39ED759C56FC9CD6BBD80FBB426DC": (SiteTrace, "http://github.com/", "2021-07-18T02:52:12Z", 9),
        "0EDDF8C091E2FED62E44BEDDDC1723F5BF38FE4F": (SiteTrace, "https://www.mozilla.org/", "2021-08-07T22:42:42Z", 1),
    }  # fmt: skip
    for name, (kind, url, time, count) in expected.items():
        [item], problems = evidence({f"{ENTRIES}/{name}": (folder / "cache2" / name).read_bytes()}).parse(
            firefox_cache.parse, f"{ENTRIES}/{name}"
        )
        assert problems == [] and (type(item), item.url, iso(item.time), item.count) == (kind, url, time, count)
    with pytest.raises(Unrecognised):
        evidence({"/x/y": (folder / "cache2/C966EB70794E44E7E3E8A260106D0C72439AF65B").read_bytes()}).parse(firefox_cache.parse, "/x/y")


# ---- own fixtures


def headers(kind: str) -> bytes:
    text = f"HTTP/1.1 200 OK\0content-type: {kind}\0\0".encode()
    return struct.pack("<IIqqi", 28 + len(text), 3, 0, DAY, len(text)) + text


def block_cache(keys: list[tuple[str, bool]]) -> dict[str, bytes]:
    """A block-file cache with one entry a key; those marked False are in data_1 but no longer in the table."""
    entries, heads, ranks = b"", b"", b""
    table = [0] * 64
    for number, (key, live) in enumerate(keys):
        head = headers("image/png")
        entry = struct.pack("<3I3iQiI", number, 0, 0x90000000 | number, 2, 0, 0, DAY + number, len(key), 0)
        entry += struct.pack("<4i4I", len(head), 777, 0, 0, 0xB0020000 | number, 0x80000000 | number + 1, 0, 0) + bytes(24)
        entries += (entry + key.encode()).ljust(256, b"\0")
        heads += head.ljust(1024, b"\0")
        ranks += struct.pack("<2Q", DAY + 100 + number, 0).ljust(36, b"\0")
        if live:
            table[number] = 0xA0010000 | number
    files = {"index": struct.pack("<2I5iI", 0xC103CAC3, 0x20001, len(keys), 0, 0, 0, 0, 64).ljust(368, b"\0") + struct.pack("<64I", *table)}
    for number, (size, data) in enumerate(((36, ranks), (256, entries), (1024, heads))):
        files[f"data_{number}"] = struct.pack("<2I2hI", 0xC104CAC3, 0x20001, number, 0, size).ljust(8192, b"\0") + data
    return {f"{CACHE}/{name}": data for name, data in files.items()}


KEYS = [
    ("https://a.example/1.png", True),
    ("1/0/_dk_https://b.example https://b.example https://c.example/2.png", True),
    ("https://gone.example/", False),
]


def test_block_file(evidence: Any) -> None:
    observations, problems = evidence(block_cache(KEYS)).parse(chromium_cache.parse, f"{CACHE}/index")
    assert problems == []
    assert [(item.url, item.recovered, item.locator) for item in observations] == [
        ("https://a.example/1.png", False, "address=0xa0010000"),
        ("https://c.example/2.png", False, "address=0xa0010001"),
        ("https://gone.example/", True, "address=0xa0010002"),
    ]
    first = observations[0]
    assert (first.content_type, first.bytes, first.count, first.stored_in) == ("image/png", 777, 3, f"{CACHE}/f_000001")
    assert (iso(first.time), iso(first.last_used)) == ("2025-08-18T14:13:20Z", "2025-08-18T14:13:20.000100Z")


def test_entries_in_a_circle_end(evidence: Any) -> None:
    contents = block_cache(KEYS)
    data = bytearray(contents[f"{CACHE}/data_1"])
    struct.pack_into("<I", data, 8192 + 4, 0xA0010001)
    struct.pack_into("<I", data, 8192 + 256 + 4, 0xA0010000)
    contents[f"{CACHE}/data_1"] = bytes(data)
    observations, problems = evidence(contents).parse(chromium_cache.parse, f"{CACHE}/index")
    assert problems == [] and len(observations) == 3


def test_one_bad_entry_costs_itself(evidence: Any) -> None:
    contents = block_cache(KEYS)
    data = bytearray(contents[f"{CACHE}/data_1"])
    struct.pack_into("<i", data, 8192 + 32, -5)
    contents[f"{CACHE}/data_1"] = bytes(data)
    observations, [problem] = evidence(contents).parse(chromium_cache.parse, f"{CACHE}/index")
    assert [item.url for item in observations] == ["https://c.example/2.png", "https://gone.example/"]
    assert (problem.reason, problem.locator) == ("an entry cannot be read: a key of -5 bytes", "address=0xa0010000")


def test_missing_block_files_are_said(evidence: Any) -> None:
    contents = block_cache(KEYS)
    del contents[f"{CACHE}/data_1"]
    observations, problems = evidence(contents).parse(chromium_cache.parse, f"{CACHE}/index")
    assert observations == [] and len(problems) == 2 and "data_1 is missing" in problems[0].reason


def simple_entry(key: str, body: bytes) -> bytes:
    start, end = struct.pack("<Q", 0xFCFB6D1BA7725C30), struct.pack("<Q", 0xF4FA6F45970D41D8)
    head = headers("text/html")
    one = end + struct.pack("<4I", 1, 0, len(body), 0)
    zero = end + struct.pack("<4I", 3, 0, len(head), 0)
    return start + struct.pack("<4I", 5, len(key), 0, 0) + key.encode() + body + one + head + bytes(32) + zero


def simple_cache() -> dict[str, bytes]:
    return {
        f"{CACHE}/index": struct.pack("<QIQI", 0xFCFB6D1BA7725C30, 9, 0, 0),
        f"{CACHE}/0123456789abcdef_0": simple_entry("1/0/https://a.example/", b"hello"),
        f"{CACHE}/0123456789abcdee_0": b"",
        f"{CACHE}/0123456789abcded_0": simple_entry("https://cut.example/", b"x" * 500)[:-40],
        f"{CACHE}/0123456789abcdec_1": b"not looked at",
    }


def test_simple_cache(evidence: Any) -> None:
    [item], problems = evidence(simple_cache()).parse(chromium_cache.parse, f"{CACHE}/index")
    assert (item.url, item.bytes, item.content_type, iso(item.time), item.locator) == (
        "https://a.example/", 5, "text/html", "2025-08-18T14:13:20Z", "0123456789abcdef_0",
    )  # fmt: skip
    assert [(problem.status, problem.locator) for problem in problems] == [
        (Status.FAILED, "0123456789abcded_0"), (Status.EMPTY, "0123456789abcdee_0"),
    ]  # fmt: skip
    assert "https://cut.example/" in problems[0].reason


def cache2_entry(key: str, body: bytes) -> bytes:
    values = b"request-method\0GET\0response-head\0HTTP/2 200\r\nContent-Type: image/webp; q=1\r\n\0"
    metadata = struct.pack(">8I", 3, 4, 1_700_000_000, 1_600_000_000, 0, 0, len(key), 0) + key.encode() + b"\0" + values
    return body + bytes(4 + 2 * -(-len(body) // 262_144)) + metadata + struct.pack(">I", len(body))


@pytest.mark.parametrize(
    "key",
    [":https://a.example/x,y:z", "O^partitionKey=%28https%2Cb.example%29,:https://a.example/x,y:z", "a,~123,:https://a.example/x,y:z"],
)
def test_cache2(evidence: Any, key: str) -> None:
    path = f"{ENTRIES}/00"
    [item], problems = evidence({path: cache2_entry(key, b"b" * 300_000)}).parse(firefox_cache.parse, path)
    assert problems == []
    assert (item.url, item.bytes, item.content_type, item.count, item.stored_in) == (
        "https://a.example/x,y:z",
        300_000,
        "image/webp",
        4,
        path,
    )
    assert (iso(item.last_used), iso(item.time)) == ("2023-11-14T22:13:20Z", "2020-09-13T12:26:40Z")
    assert (item.browser, item.profile) == ("Firefox", "ab.default")


def test_mutations(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    found: Counter[str] = Counter()
    for name in ("index", "data_0", "data_1", "data_2"):
        contents = block_cache(KEYS)
        for damaged in mutations(contents[f"{CACHE}/{name}"], 40):
            try:
                observations, _ = evidence({**contents, f"{CACHE}/{name}": damaged}).parse(chromium_cache.parse, f"{CACHE}/index")
            except Unrecognised:
                continue
            assert len(observations) <= 3
            found[name] += len(observations)
    assert all(found[name] > 40 for name in ("index", "data_0", "data_1", "data_2"))
    contents = simple_cache()
    for damaged in mutations(contents[f"{CACHE}/0123456789abcdef_0"], 40):
        evidence({**contents, f"{CACHE}/0123456789abcdef_0": damaged}).parse(chromium_cache.parse, f"{CACHE}/index")
    for damaged in mutations(cache2_entry(":https://a.example/", b"abc"), 60):
        try:
            evidence({"/x/y": damaged}).parse(firefox_cache.parse, "/x/y")
        except Unrecognised:
            continue


# ---- what the caches hold


PICTURE = b"\x89PNG\r\n\x1a\n a picture, for what this test asks of it"
PAGE = b"<html><body>a page about copper kettles</body></html>" * 40


def bodies_of(evidence: Any, files: dict[str, bytes], path: str, reader: Any) -> tuple[dict[str, bytes], list[Problem]]:
    """The contents by name, and the problems."""
    results = list(reader(evidence(files).file(path)))
    return {item.name: item.data for item in results if isinstance(item, Content)}, [i for i in results if isinstance(i, Problem)]


def packed(coding: str, data: bytes) -> bytes:
    import brotli
    from backports import zstd

    match coding:
        case "gzip" | "x-gzip":
            return gzip.compress(data)
        case "br":
            return bytes(brotli.compress(data))
        case "zstd":
            return bytes(zstd.compress(data))
        case "deflate":
            return zlib.compress(data)
    return zlib.compress(data)[2:-4]


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "br", "zstd", "deflate", "bare deflate"])
def test_every_coding_is_undone(coding: str) -> None:
    data, name = packed(coding, PAGE), coding.rpartition(" ")[2]
    assert bodies.decoded(data, name) == PAGE
    assert bodies.decoded(gzip.compress(data), f"{name}, gzip") == PAGE
    for cut in (1, len(data) // 2, len(data) - 1):
        with pytest.raises(ValueError, match=r"."):
            bodies.decoded(data[:cut], name)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
def test_a_body_that_swells_is_left(coding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LARGEST", 100_000)
    with pytest.raises(ValueError, match="larger"):
        bodies.decoded(packed(coding, bytes(10_000_000)), coding)
    [problem, content] = bodies.content("https://a.example/", packed(coding, bytes(10_000_000)), coding)
    assert isinstance(problem, Problem) and isinstance(content, Content) and content.data == packed(coding, bytes(10_000_000))


def test_bodies_of_a_block_file_cache(evidence: Any) -> None:
    files = block_cache(KEYS)
    files[f"{CACHE}/f_000001"] = PICTURE.ljust(777, b".")
    found, problems = bodies_of(evidence, files, f"{CACHE}/index", chromium_cache.contents)
    assert found == {"f_000001 ▸ https://a.example/1.png": PICTURE.ljust(777, b".")}
    assert [(problem.status, problem.locator) for problem in problems] == [
        (Status.MISSING, "f_000002 ▸ https://c.example/2.png"), (Status.MISSING, "f_000003 ▸ https://gone.example/"),
    ]  # fmt: skip


def test_bodies_of_a_simple_cache(evidence: Any) -> None:
    found, problems = bodies_of(evidence, simple_cache(), f"{CACHE}/index", chromium_cache.contents)
    assert (found, problems) == ({"0123456789abcdef_0 ▸ https://a.example/": b"hello"}, [])


@pytest.mark.parametrize("coding", ["", "gzip", "br"])
def test_body_of_cache2(evidence: Any, coding: str) -> None:
    body = packed(coding, PAGE) if coding else PAGE
    entry = cache2_entry(":https://a.example/", body).replace(b"q=1\r\n", b"q=1\r\nContent-Encoding: %s\r\n" % coding.encode())
    found, problems = bodies_of(evidence, {f"{ENTRIES}/00": entry}, f"{ENTRIES}/00", firefox_cache.contents)
    assert (found, problems) == ({"https://a.example/": PAGE}, [])


def old_cache() -> dict[str, bytes]:
    """Three entries: one in the blocks of the first file, one in a file beside it, one in a newer version's folders."""
    records, heads = b"", b""
    places = (0x91000004, 0x80000007, 0x80000008)
    for number, place in enumerate(places):
        key, info = f"HTTP:https://a.example/{number}".encode() + b"\0", b"response-head\0HTTP/1.1 200\r\n\0"
        meta = 0x91000000 | number * 2
        heads += struct.pack(">2H8I", 1, 19, meta, 1, 1_500_000_000, 1_500_000_000, 0, len(PICTURE), len(key), len(info)) + key + info
        heads = heads.ljust(512 * (number + 1), b"\0")
        records += struct.pack(">4I", 0xABCDEF00 + number, 0, place, meta)
    heads = heads[:1024] + PICTURE.ljust(512, b"\0") + heads[1024:]
    return {
        "/x/Cache/_CACHE_MAP_": bytes(276) + records + bytes(16),
        "/x/Cache/_CACHE_001_": bytes(4096) + heads,
        "/x/Cache/ABCDEF01d07": PICTURE + b"1",
        "/x/Cache/A/BC/DEF02d08": PICTURE + b"2",
    }


def test_bodies_of_the_old_firefox_cache(evidence: Any) -> None:
    found, problems = bodies_of(evidence, old_cache(), "/x/Cache/_CACHE_001_", firefox_cache.contents_old)
    assert {name: data[: len(PICTURE)] == PICTURE for name, data in found.items()} == {f"https://a.example/{n}": True for n in range(3)}
    assert problems == []


@pytest.mark.specimens
def test_bodies_of_the_specimens(evidence: Any, specimens: Path) -> None:
    contents = {}
    for path in (specimens / "browser/plaso-chrome/chrome_cache").iterdir():
        data = path.read_bytes()
        contents[f"{CACHE}/{path.name.removesuffix('.xz')}"] = lzma.decompress(data) if path.suffix == ".xz" else data
    found, problems = bodies_of(evidence, contents, f"{CACHE}/index", chromium_cache.contents)
    assert len(found) == 122
    assert Counter(problem.status for problem in problems) == {Status.MISSING: len(problems)}  # the specimen came without its files f_…
    assert found["data_3 ▸ http://www.apache.org/licenses/LICENSE-2.0"].lstrip().startswith(b"<!DOCTYPE HTML PUBLIC")
    kinds = Counter(data[:4] for data in found.values())
    assert (kinds[b"\x89PNG"], kinds[b"GIF8"]) == (21, 21)
    name = "1F4B3A4FC81FB19C530758231FA54313BE8F6FA2"
    data = (specimens / "browser/plaso-firefox/firefox_cache/cache2" / name).read_bytes()
    found, problems = bodies_of(evidence, {f"{ENTRIES}/{name}": data}, f"{ENTRIES}/{name}", firefox_cache.contents)
    [(url, body)] = found.items()
    assert url.endswith(".5663.png") and len(body) == 5663 and problems == []
    # Tiles are named after their SHA-1.
    assert hashlib.sha1(body).hexdigest() == url.rpartition("/")[2].partition(".")[0]


def test_mutations_of_bodies(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    blocks = {**block_cache(KEYS), f"{CACHE}/f_000001": PICTURE.ljust(777, b".")}
    for files, path, reader in (
        (blocks, f"{CACHE}/index", chromium_cache.contents), (simple_cache(), f"{CACHE}/index", chromium_cache.contents),
        (old_cache(), "/x/Cache/_CACHE_001_", firefox_cache.contents_old),
    ):  # fmt: skip
        for name, data in files.items():
            for damaged in mutations(data, 20) if data else ():
                bodies_of(evidence, {**files, name: damaged}, path, reader)

"""What lies inside files, through the real command: found, told with the way to it, and bounded."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.triage.scan import hiding
from tests.triage.scan.conftest import Result
from tests.triage.scan.text import samples

Scan = Callable[..., Result]


def _list(path: Path, *contents: bytes, role: str = "alert") -> str:
    path.write_text("".join(hashlib.md5(data, usedforsecurity=False).hexdigest() + "\n" for data in contents))
    return f"{role}={path}"


def _matches(result: Result) -> dict[str, dict[str, Any]]:
    found = [line["data"] for line in result.journal if line["kind"] == "observation" and line["data"]["type"] == "HashMatch"]
    matches = {data["provenance"]["locator"]: data for data in found}
    assert len(matches) == len(found)
    return matches


@pytest.fixture(scope="module")
def hidden() -> tuple[dict[str, bytes], dict[str, bytes]]:
    return hiding.hidden()


def test_every_hidden_picture_is_found_and_no_decoy(scan: Scan, tmp_path: Path, hidden: tuple[dict[str, bytes], dict[str, bytes]]) -> None:
    files, ways = hidden
    folder = tmp_path / "evidence"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    result = scan(folder, "--hashset", _list(tmp_path / "known.md5", *ways.values(), files["b.zip"]))
    assert result.code == 0, result.err
    matches = _matches(result)
    assert matches.keys() == {*ways, "b.zip"}
    for way, data in ways.items():
        match = matches[way]
        outer = way.partition(" ▸ ")[0]
        assert match["hashes"]["sha256"] == hashlib.sha256(data).hexdigest()
        assert (match["size"], match["outer_size"]) == (len(data), len(files[outer]))
        assert (match["path"], match["inside"], match["provenance"]["path"]) == (f"/{way}", way, f"/{outer}")
        if match["offset"] is not None:
            assert files[outer][match["offset"] :].startswith(data)
    how = {way: match["reached"] for way, match in matches.items()}
    assert how["archive.zip ▸ a/b.docx ▸ word/media/image3.jpeg"] == "in a document"
    assert how["a.zip ▸ pics/one.jpg"] == "in an archive"
    assert how["h.eml ▸ holiday.jpg"] == "attached to a message"
    assert how["j.jpg ▸ data after its end"] == "after the end of a picture"
    assert how["b.zip"] is None
    lies_as_it_is = {way.partition(" ")[0] for way, match in matches.items() if match["offset"] is not None}
    assert lies_as_it_is == {"g.pdf", "j.jpg", "l.jpg", "m.bin", "q.gif", "r.webp"}
    finding = next(f for f in result.findings() if f["locator"].startswith("archive.zip"))
    assert "in a document: archive.zip ▸ a/b.docx ▸ word/media/image3.jpeg." in finding["explanation"]
    assert "archive.zip ▸ a/b.docx ▸ word/media/image3.jpeg" in (result.case / "report.html").read_text("utf-8")


def test_profile_quick_looks_into_what_lies_about_and_not_into_programs(scan: Scan, tmp_path: Path) -> None:
    one, two = hiding.picture(1), hiding.picture(2)
    for path, data in (("Users/a/Documents/a.zip", one), ("Program Files/x/b.zip", two), ("Windows/c.txt", b"x")):
        (tmp_path / "evidence" / path).parent.mkdir(parents=True)
        (tmp_path / "evidence" / path).write_bytes(samples.zipped({"p.jpg": data}))
    known = _list(tmp_path / "known.md5", one, two)
    quick = scan(tmp_path / "evidence", "--hashset", known, "--profile", "quick", case=tmp_path / "quick")
    assert _matches(quick).keys() == {"a.zip ▸ p.jpg"}
    standard = scan(tmp_path / "evidence", "--hashset", known, case=tmp_path / "standard")
    assert _matches(standard).keys() == {"a.zip ▸ p.jpg", "b.zip ▸ p.jpg"}


def test_yara_and_ignore_sets_see_what_lies_inside(scan: Scan, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "a.zip").write_bytes(samples.zipped({"x/one.dat": b"\1\2copper kettle\0", "two.dat": b"\1\3copper kettle\0"}))
    (tmp_path / "kettle.yar").write_text('rule kettle { strings: $a = "copper kettle" condition: $a and filename == "one.dat" }')
    result = scan(folder, "--yara", tmp_path / "kettle.yar", case=tmp_path / "first")
    [match] = [line["data"] for line in result.journal if line["kind"] == "observation" and line["data"]["type"] == "YaraMatch"]
    assert (match["path"], match["provenance"]["path"]) == ("/a.zip ▸ x/one.dat", "/a.zip")
    ignored = _list(tmp_path / "ignore.md5", b"\1\2copper kettle\0", role="ignore")
    result = scan(folder, "--yara", tmp_path / "kettle.yar", "--hashset", ignored, case=tmp_path / "second")
    assert not [line for line in result.journal if line["kind"] == "observation" and line["data"]["type"] == "YaraMatch"]


def test_bombs_cost_one_line_each(scan: Scan, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    zeros = bytes(64 << 20)
    (folder / "a.zip").write_bytes(samples.zipped({"zeros.bin": zeros, "sound.jpg": hiding.picture(1)}))
    (folder / "b.gz").write_bytes(gzip.compress(zeros))
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(2100):
            archive.writestr(f"{number}.txt", b"")
    (folder / "c.zip").write_bytes(many.getvalue())
    deep = hiding.picture(2)
    for number in range(8):
        deep = samples.zipped({f"{number}.zip": deep})
    (folder / "d.zip").write_bytes(deep)
    known = _list(tmp_path / "known.md5", hiding.picture(1), hiding.picture(2))
    result = scan(folder, "--hashset", known, "--profile", "quick")
    assert result.code == 3
    assert _matches(result).keys() == {"a.zip ▸ sound.jpg"}
    told = {c["path"]: c["reason"] for c in result.report["coverage"] if c.get("path")}
    assert len([c for c in result.report["coverage"] if c.get("path")]) == 4
    assert "taken for a bomb" in told["/a.zip"] and "taken for a bomb" in told["/b.gz"]
    assert told["/c.zip"] == "more than 2000 members: the rest was left"
    assert told["/d.zip"].startswith("lies more than 4 containers deep: not opened")


@pytest.mark.parametrize("seed", range(3))
def test_damage_costs_what_is_damaged(scan: Scan, tmp_path: Path, hidden: tuple[dict[str, bytes], dict[str, bytes]], seed: int) -> None:
    files, ways = hidden
    dice = random.Random(seed)
    folder = tmp_path / "evidence"
    folder.mkdir()
    for name, data in files.items():
        for copy in range(4):
            hurt = bytearray(data[: dice.randrange(1, len(data))] if copy == 0 else data)
            for _ in range(8 * copy):
                hurt[dice.randrange(len(hurt))] ^= 1 << dice.randrange(8)
            (folder / f"{copy} {name}").write_bytes(hurt)
    result = scan(folder, "--hashset", _list(tmp_path / "known.md5", *ways.values()))
    assert result.code in (0, 3), result.err
    assert "Traceback" not in result.err
    crashed = [c for c in result.report["coverage"] if "the reader" in (c["reason"] or "")]
    assert crashed == []
    assert [c for c in result.report["coverage"] if c["status"] == "failed" and c.get("path")]


def test_what_browsers_and_windows_keep_is_looked_into(scan: Scan, tmp_path: Path) -> None:
    from tests.artefacts.browsers.test_caches import simple_entry
    from tests.artefacts.windows.test_thumbnail_cache import store

    profile = tmp_path / "evidence" / "home" / "jo" / ".cache" / "google-chrome" / "Default" / "Cache"
    explorer = tmp_path / "evidence" / "Users" / "jo" / "AppData" / "Local" / "Microsoft" / "Windows" / "Explorer"
    for folder in (profile, explorer):
        folder.mkdir(parents=True)
    picture, page = hiding.picture(1), gzip.compress(b"<html>the copper kettle protocol</html>" * 30)
    (profile / "index").write_bytes(bytes.fromhex("305c72a71b6dfbfc") + bytes(16))
    (profile / "0123456789abcdef_0").write_bytes(simple_entry("1/0/https://a.example/1.jpg", picture))
    entry = simple_entry("https://b.example/", page).replace(b"\0content-type: text/html", b"\0content-encoding:gzip  ")
    (profile / "0123456789abcdee_0").write_bytes(entry)
    (explorer / "thumbcache_96.db").write_bytes(store(0x20, "aa11"))
    (tmp_path / "words.csv").write_text("term,category,severity,form\ncopper kettle protocol,demonstration,4,phrase\n")
    known = _list(tmp_path / "known.md5", picture, b"data")
    result = scan(tmp_path / "evidence", "--hashset", known, "--keywords", tmp_path / "words.csv")
    matches = _matches(result)
    assert {way: match["reached"] for way, match in matches.items()} == {
        "index ▸ 0123456789abcdef_0 ▸ https://a.example/1.jpg": "among what a browser keeps",
        "thumbcache_96.db ▸ thumbnail aa11": "as a small copy that Windows made of a picture",
        # Where the index is gone or does not know it, the file of the entry still has it.
        "0123456789abcdef_0 ▸ jpg picture at byte 51": "inside a file of no known kind",
    }
    hits = [line["data"] for line in result.journal if line["kind"] == "observation" and line["data"]["type"] == "KeywordHit"]
    assert [(hit["provenance"]["locator"], hit["count"]) for hit in hits] == [("index ▸ 0123456789abcdee_0 ▸ https://b.example/", 30)]
    said = {finding["locator"]: finding["explanation"] for finding in result.findings() if finding["rule"] == "hash.known_file"}
    assert "It was found among what a browser keeps" in said["index ▸ 0123456789abcdef_0 ▸ https://a.example/1.jpg"]


@pytest.mark.specimens
def test_specimens(scan: Scan, tmp_path: Path, specimens: Path) -> None:
    import olefile

    folder = tmp_path / "evidence"
    folder.mkdir()
    for name in (
        "pictures/bulk_extractor/jpegs.rar",
        "documents/iped/test_rfc822Multipart",
        "thumbcache/thumbs.db/ExifPhotos/Iphone/Thumbs.db",
    ):
        (folder / Path(name).name).write_bytes((specimens / name).read_bytes())
    jpegs = [(specimens / "pictures/bulk_extractor" / name).read_bytes() for name in ("1.jpg", "jpegs/2.jpg", "jpegs/3.jpg", "jpegs/4.jpg")]
    assert [len(data) for data in jpegs] == [7323, 7331, 7509, 7599]
    thumbs = olefile.OleFileIO(folder / "Thumbs.db")
    small = {name[0]: thumbs.openstream(name).read()[24:] for name in thumbs.listdir()}
    thumbs.close()
    logo = "dad41f11"  # of the MD5 of logo.gif, 2,496 bytes
    result = scan(folder, "--hashset", _list(tmp_path / "known.md5", *jpegs, *small.values()), case=tmp_path / "case")
    assert result.code == 0, result.err
    matches = _matches(result)
    expected = {f"jpegs.rar ▸ jpegs/{number}.jpg": data for number, data in enumerate(jpegs, 1)}
    expected |= {f"Thumbs.db ▸ thumbnail {name.lower()}": data for name, data in small.items()}
    assert {way: match["hashes"]["md5"] for way, match in matches.items()} == {
        way: hashlib.md5(data, usedforsecurity=False).hexdigest() for way, data in expected.items()
    }
    from triage.scan.text.extract import Inner, walk
    from triage.scan.text.parts import Budget

    with open(folder / "test_rfc822Multipart", "rb") as stream:
        [inner] = [part for part in walk(stream, "mail", Budget(lambda: None, words=False, everything=True)) if isinstance(part, Inner)]
    assert (inner.locator, len(inner.data), inner.how) == ("mail ▸ logo.gif", 2496, "attached to a message")
    assert hashlib.md5(inner.data, usedforsecurity=False).hexdigest().startswith(logo)


@pytest.mark.tools
def test_hiding_places_on_an_ntfs_volume(scan: Scan, tmp_path: Path, hidden: tuple[dict[str, bytes], dict[str, bytes]]) -> None:
    if shutil.which("mkntfs") is None or shutil.which("ntfscp") is None:
        pytest.skip("needs mkntfs and ntfscp")
    files, ways = hidden
    image = tmp_path / "volume.img"
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkntfs", "-q", "-F", image], check=True, capture_output=True)
    inside = {name: files[name] for name in ("archive.zip", "c.tar.gz", "f.doc", "m.bin", "decoy.jpg", "decoy.bin")}
    wrong, stream, decoy = hiding.picture(60), hiding.picture(61), hiding.false_jpeg(62)
    for name, data in {**inside, "wrong.txt": wrong, "host.txt": b"a letter"}.items():
        (tmp_path / "one").write_bytes(data)
        subprocess.run(["ntfscp", "-q", "-f", image, tmp_path / "one", name], check=True, capture_output=True)
    for name, data in (("side.jpg", stream), ("false.jpg", decoy)):
        (tmp_path / "one").write_bytes(data)
        subprocess.run(["ntfscp", "-q", "-f", "-N", name, image, tmp_path / "one", "host.txt"], check=True, capture_output=True)
    result = scan(image, "--hashset", _list(tmp_path / "known.md5", *ways.values(), wrong, stream))
    assert result.code == 0, result.err
    expected = {f"/{way}" for way in ways if way.partition(" ")[0] in inside} | {"/wrong.txt", "/host.txt:side.jpg"}
    assert {match["path"] for match in _matches(result).values()} == expected

"""7-Zip, RAR and Zstandard: written here, real ones, damaged, encrypted, and made to explode."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import py7zr
import pytest
import rars
from backports import zstd

from artefacts.coverage import Problem, Status
from tests.triage.scan.text import samples
from tests.triage.scan.text.conftest import damaged, read
from tests.triage.scan.text.samples import PHRASE
from triage.scan.text import parts

DOCUMENTS = "documents/iped"


def seven_zip(members: dict[str, bytes], **options: object) -> bytes:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", **options) as archive:  # type: ignore[arg-type]
        for name, data in members.items():
            archive.writestr(data, name)
    return out.getvalue()


def rar(members: dict[str, bytes], **options: object) -> bytes:
    builder = rars.RarBuilder(**options)
    for name, data in members.items():
        builder.add_bytes(data, name)
    return bytes(builder.to_bytes())


MEMBERS = {"a/letter.docx": samples.docx(), "notes.txt": PHRASE.encode(), "empty.txt": b"", "noise.bin": bytes(range(256)) * 40}


@pytest.mark.parametrize(
    "data",
    [
        seven_zip(MEMBERS),
        rar(MEMBERS),
        rar(MEMBERS, solid=True),
        rar({name.replace("/", "\\"): data for name, data in MEMBERS.items()}, format="rar29"),
    ],
    ids=["7z", "rar 5", "rar 5 solid", "rar 4"],
)
def test_members(data: bytes) -> None:
    texts, problems = read(data, "a")
    assert problems == []
    assert texts["a ▸ notes.txt"] == f"notes.txt{PHRASE}"
    assert "".join(texts["a ▸ a/letter.docx ▸ word/document.xml"].split()) == f"{PHRASE} next".replace(" ", "")
    assert texts["a ▸ noise.bin"] == "noise.bin" and texts["a ▸ empty.txt"] == "empty.txt"


def test_zstandard_within_a_tar_within_it() -> None:
    texts, problems = read(zstd.compress(samples.tarred({"in.txt": PHRASE.encode()})), "a.tar.zst")
    assert texts == {"a.tar.zst ▸ in.txt": f"in.txt{PHRASE}"} and problems == []


@pytest.mark.parametrize(("data", "reason", "names"), [
    (seven_zip({"one.txt": b"x"}, password="p"), "its 1 members are encrypted", {"a ▸ one.txt": "one.txt"}),
    (seven_zip({"one.txt": b"x"}, password="p", header_encryption=True), "its list of members is encrypted", {}),
    (rar({"one.txt": b"x"}, password="p"), "1 of its 1 members are encrypted, the first: one.txt", {"a ▸ one.txt": "one.txt"}),
    (rar({"one.txt": b"x"}, password="p", encrypt_headers=True), "its list of members is encrypted", {}),
], ids=["7z", "7z list", "rar", "rar list"])  # fmt: skip
def test_encrypted(data: bytes, reason: str, names: dict[str, str]) -> None:
    assert read(data, "a") == (names, [Problem(reason, Status.ENCRYPTED)])


@pytest.mark.parametrize("write", [seven_zip, rar, lambda members: zstd.compress(next(iter(members.values())))], ids=["7z", "rar", "zstd"])
def test_a_bomb_is_left(write: object) -> None:
    texts, problems = read(write({"bomb.txt": b"copper kettle " * 2_000_000}), "a")  # type: ignore[operator]
    assert [problem.reason for problem in problems] == ["grows more than 200 times when it is unpacked: taken for a bomb and left"]
    assert len("".join(texts.values())) < 100


@pytest.mark.parametrize("solid", [False, True])
def test_what_comes_out_of_a_file_is_bounded(monkeypatch: pytest.MonkeyPatch, solid: bool) -> None:
    monkeypatch.setattr(parts, "MAX_EXPANDED", 60_000)
    data = rar({f"{number}.txt": hashlib.sha256(bytes([number])).hexdigest().encode() * 500 for number in range(5)}, solid=solid)
    texts, problems = read(data, "a")
    assert 1 <= sum(len(text) > 1000 for text in texts.values()) < 5
    assert problems and all("left" in problem.reason for problem in problems)


def test_damage_costs_no_more_than_the_archive() -> None:
    for data in (seven_zip(MEMBERS), rar(MEMBERS), rar(MEMBERS, format="rar29")):
        whole = read(data, "a")[0]
        silent = 0
        for broken in damaged(data, seed=7):
            texts, problems = read(broken, "a")
            silent += texts != whole and not problems
        assert silent <= 2  # where the first bytes are changed: then it is no archive
    data = zstd.compress(PHRASE.encode() * 5000)
    assert [problem.reason[:10] for problem in read(data[:-9], "a")[1]] == ["is damaged"]


@pytest.mark.specimens
def test_real_archives(specimens: Path) -> None:
    expected = {"test_mock7z_2.7z": 10, "test_mockRar4.rar": 18, "test_mockRar5.rar": 18}
    for name, count in expected.items():
        texts, problems = read((specimens / DOCUMENTS / name).read_bytes(), name)
        assert problems == [], name
        members = {locator.split(" ▸ ")[1] for locator in texts}
        assert len(members) == count, name
        assert "Lorem ipsum dolor sit amet" in texts[f"{name} ▸ mockfolder/mocktext5.txt"]
    texts, problems = read((specimens / "pictures/bulk_extractor/jpegs.rar").read_bytes(), "jpegs.rar")
    assert texts == {f"jpegs.rar ▸ jpegs/{number}.jpg": f"jpegs/{number}.jpg" for number in range(1, 5)} and problems == []

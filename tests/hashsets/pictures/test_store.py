"""Perceptual hashes in a store, plain and keyed; the search against one hash by one; lists in every form."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hashsets import Damaged, HashSetError, KeyNeeded, WrongKey, build, open_set
from hashsets.entries import Problems
from hashsets.formats import pictures as lists
from hashsets.pictures import hashing
from hashsets.pictures.search import chance, within
from hashsets.pictures.store import has_pictures, open_pictures
from tests.drawn import encoded, picture

KEY = b"a key for the tests"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Reference pictures, one of which is plain, and something else."""
    root = tmp_path / "reference"
    root.mkdir()
    for seed in range(6):
        (root / f"{seed}.jpg").write_bytes(encoded(picture(seed), quality=90))
    (root / "plain.png").write_bytes(encoded(Image.new("L", (300, 200), 90), "PNG"))
    (root / "words.txt").write_text("nothing to see")
    return root


def _hashes(image: Image.Image) -> dict[str, hashing.Words]:
    found = hashing.looks(image.convert("L"))
    return {algorithm: hashing.orientations(found, algorithm) for algorithm in ("pdq", "phash")}


@pytest.mark.parametrize("key", [None, KEY])
def test_a_folder_of_reference_pictures(tmp_path: Path, folder: Path, key: bytes | None) -> None:
    out = tmp_path / "set"
    built = build(out, [folder], role="alert", kinds=["exact", "picture"], key=key, name="drawn")
    assert built.hashes == {"md5": 8, "sha1": 8, "sha256": 8, "pdq": 6, "phash": 6}
    assert [problem.reason for problem in built.problems] == [
        "reference: plain.png: has too little in it to be recognised by its looks (PDQ quality 0, at least 50 is needed): not looked up by its looks",
        "reference: words.txt: not a picture that can be decoded: not looked up by its looks",
    ]
    assert has_pictures(out)
    pictures = open_pictures(out, key)
    assert (pictures.name, pictures.role, pictures.counts, pictures.identity["pictures"]) == (
        "drawn",
        "alert",
        {"pdq": 6, "phash": 6},
        {"pdq": 6, "phash": 6},
    )
    near = pictures.nearest(_hashes(picture(3).resize((160, 120))))
    assert near is not None
    assert (near.name, near.algorithm, near.threshold, near.orientation, near.entries) == ("3.jpg", "pdq", 31, "as it is", 1)
    assert near.distance <= 20
    assert pictures.nearest(_hashes(picture(99))) is None
    assert open_set(out, key=key).count == 8
    raw = out.read_bytes()
    one = hashing.orientations(hashing.looks(Image.open(folder / "3.jpg").convert("L")), "pdq")[0]
    columns = [word.tobytes() for word in one]
    assert all(word in raw for word in columns) is (key is None)
    assert (b"3.jpg" in raw) is (key is None)


def test_keys_and_damage(tmp_path: Path, folder: Path) -> None:
    out = tmp_path / "set"
    build(out, [folder], role="alert", kinds=["picture"], key=KEY)
    assert has_pictures(out)
    with pytest.raises(KeyNeeded):
        open_pictures(out)
    with pytest.raises(WrongKey):
        open_pictures(out, b"another key of the tests")
    plain = tmp_path / "plain"
    build(plain, [folder], role="alert", kinds=["picture"])
    data = plain.read_bytes()
    rng = random.Random(1)
    for _ in range(40):
        broken = bytearray(data)
        broken[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        (tmp_path / "broken").write_bytes(broken if rng.random() < 0.7 else data[: rng.randrange(len(data))])
        with pytest.raises(HashSetError):
            open_pictures(tmp_path / "broken")
    exact = tmp_path / "exact"
    build(exact, [folder], role="alert")
    assert not has_pictures(exact)
    with pytest.raises(HashSetError, match="no perceptual hashes"):
        open_pictures(exact)


def test_a_set_of_pictures_alone_opens_as_a_set_without_digests(tmp_path: Path, folder: Path) -> None:
    build(tmp_path / "set", [folder], role="alert", kinds=["picture"])
    opened = open_set(tmp_path / "set")
    assert opened.algorithms == frozenset()
    assert opened.match_all({"md5": [bytes(16)]}) == [None]


def test_merged_stores_keep_their_pictures(tmp_path: Path, folder: Path) -> None:
    build(tmp_path / "a", [folder], role="alert", kinds=["picture"])
    (tmp_path / "list").write_text(hashing.pdq(picture(50).convert("L"))[0] + ",fifty\n")
    build(tmp_path / "b", [tmp_path / "list"], role="alert", kinds=["picture"])
    build(tmp_path / "both", [tmp_path / "a", tmp_path / "b"], role="alert")
    both = open_pictures(tmp_path / "both")
    assert both.counts == {"pdq": 7, "phash": 6}
    assert [near.name for seed in (2, 50) if (near := both.nearest(_hashes(picture(seed))))] == ["2.jpg", "fifty"]


def test_the_search_is_exact() -> None:
    rng = np.random.default_rng(1)
    table = rng.integers(0, 1 << 63, (70_000, 4), np.uint64)
    queries = table[[3, 40_000, 69_999]].copy()
    for number, bits in enumerate((5, 31, 32)):
        for bit in rng.choice(256, bits, replace=False).tolist():
            queries[number, bit // 64] ^= np.uint64(1 << bit % 64)
    found = within(list(table.T.copy()), queries, 31)
    assert [[(near.row, near.distance) for near in one] for one in found] == [[(3, 5)], [(40_000, 31)], []]
    single = within([table[:, 0].copy()], queries[:1, :1], 64)
    assert len(single[0]) == 70_000
    assert [near.distance for near in single[0]] == sorted(near.distance for near in single[0])
    assert within([], queries, 31) == [[], [], []]


@pytest.mark.specimens
def test_item_46_needles_in_the_haystack(tmp_path: Path, specimens: Path) -> None:
    root = specimens / "pictures/pdq/reg-test-input"
    build(tmp_path / "set", [root / "haystack.txt"], role="alert", kinds=["picture"])
    hay = [int(line, 16) for line in (root / "haystack.txt").read_text().split()]
    needles = (root / "needles.txt").read_text().split()
    assert (len(hay), len(needles)) == (1350, 100)
    pictures = open_pictures(tmp_path / "set")
    found = pictures.search("pdq", np.stack([hashing.from_hex(text, "pdq") for text in needles]))
    for text, near in zip(needles, found, strict=True):
        every = sorted({one: (one ^ int(text, 16)).bit_count() for one in hay}.values())
        assert [distance for distance, _ in near] == [distance for distance in every if distance <= 31]


def test_chance() -> None:
    assert chance("pdq", 31, 10_000_000) < 1e-28
    assert 1e-7 < chance("phash", 4, 10_000_000) < 1e-5
    assert chance("phash", 64, 5, queries=1) == 5


def test_lists(tmp_path: Path) -> None:
    a, b = (hashing.pdq(picture(seed).convert("L"))[0] for seed in (20, 21))
    p = hashing.phash(picture(20).convert("L"))
    path = tmp_path / "list"

    def read(text: str) -> tuple[list[tuple[str, str, str]], list[tuple[int, str]]]:
        path.write_text(text)
        problems = Problems()
        return [(one.algorithm, hashing.to_hex(one.words), one.name) for one in lists.read(path, problems)], [
            tuple(one) for one in problems
        ]

    assert read(f"# of last week\n{a}\n\n{b.upper()},tree\n{a},100,house.jpg\n{p} a name\n{a},77\n") == (
        [("pdq", a, ""), ("pdq", b, "tree"), ("pdq", a, "house.jpg"), ("phash", p, "a name"), ("pdq", a, "")], [],
    )  # fmt: skip
    assert read(f"id,phash,pdq,dhash\n7,{p},{a},\n8,,{b},{p}\n9,,,\n") == (
        [("pdq", a, "7"), ("phash", p, "7"), ("pdq", b, "8"), ("dhash", p, "8")], [(4, "holds no hash")],
    )  # fmt: skip
    _, problems = read(f"{a}\nzz{a[2:]}\nabc\n")
    assert [line for line, _ in problems] == [2, 3]
    path.write_text("no hash\n")
    with pytest.raises(Damaged, match="nothing that can go into a hash set"):
        build(tmp_path / "set", [path], role="alert", kinds=["picture"])

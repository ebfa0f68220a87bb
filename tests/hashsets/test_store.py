from __future__ import annotations

import hashlib
import random
import struct
from pathlib import Path

import pytest

from hashsets import HashSet, build, open_set
from hashsets import store as stores
from hashsets.errors import Damaged, HashSetError, KeyNeeded, RoleMissing, WrongKey
from hashsets.store import DATA_AT, describe

SECRET = b"a secret of the unit"
COUNT = 3000
FILES = [f"demonstration {number}".encode() for number in range(2 * COUNT)]
DIGESTS = {name: [hashlib.new(name, file).digest() for file in FILES] for name in ("md5", "sha1", "sha256")}


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """COUNT entries, all algorithms, three codes and none, sizes for two in three."""
    path = tmp_path_factory.mktemp("list") / "list.csv"
    lines = ["md5,sha1,sha256,size,category"]
    for n in range(COUNT):
        hashes = ",".join(DIGESTS[name][n].hex() for name in DIGESTS)
        lines.append(f"{hashes},{n if n % 3 else ''},{'' if n % 4 == 0 else n % 4}")
    path.write_text("\n".join(lines))
    return path


def facts(opened: HashSet, algorithm: str) -> list[tuple[str | None, int | None, bool | None] | None]:
    matches = opened.match(algorithm, DIGESTS[algorithm], [n if n % 5 else n + 1 for n in range(2 * COUNT)])
    return [match and (match.code, match.size, match.size_matches) for match in matches]


EXPECTED = [(None if n % 4 == 0 else str(n % 4), n if n % 3 else None, n % 5 != 0 if n % 3 else None) for n in range(COUNT)] + [
    None
] * COUNT


@pytest.mark.parametrize("key", [None, SECRET], ids=["plain", "keyed"])
@pytest.mark.parametrize("run_rows", [1 << 20, 500])
def test_a_store_answers_as_its_list(tmp_path: Path, listing: Path, key: bytes | None, run_rows: int) -> None:
    out = tmp_path / "set"
    built = build(out, [listing], role="alert", key=key, run_rows=run_rows)
    assert (built.count, built.hashes, built.duplicates) == (COUNT, dict.fromkeys(DIGESTS, COUNT), 0)
    opened = open_set(out, key=key)
    assert (opened.count, opened.algorithms, opened.role, opened.name) == (COUNT, set(DIGESTS), "alert", "set")
    for algorithm in DIGESTS:
        assert facts(opened, algorithm) == EXPECTED
    assert facts(open_set(listing, role="alert"), "sha1") == EXPECTED
    assert opened.match("md5", DIGESTS["md5"][:1])[0].listed_by == ("md5", "sha1", "sha256")
    assert list(tmp_path.iterdir()) == [out]


def test_without_the_key_nothing_can_be_asked_and_no_stored_value_is_a_digest(tmp_path: Path, listing: Path) -> None:
    plain, keyed = tmp_path / "plain", tmp_path / "keyed"
    build(plain, [listing], role="alert")
    build(keyed, [listing], role="alert", key=SECRET)
    with pytest.raises(KeyNeeded):
        open_set(keyed)
    with pytest.raises(WrongKey):
        open_set(keyed, key=SECRET + b"?")
    assert open_set(plain, key=SECRET).count == COUNT
    opened = open_set(keyed, key=SECRET)
    for algorithm, digests in DIGESTS.items():
        table = opened.tables[algorithm]
        stored = {key.tobytes() for key in table.keys_from(0, COUNT)}
        assert len(stored) == COUNT
        assert not stored & {digest[:16] for digest in digests}
        sizes = set(table.sizes.tolist())
        assert len(sizes & set(range(COUNT))) == 0
        assert len(set(table.kinds.tolist())) > 100
    # No part of a digest is anywhere in the file, in any order of bytes; in the plain store all are.
    for path, wanted in ((plain, True), (keyed, False)):
        data = path.read_bytes()
        assert all((digest[4:16] in data) is wanted for digests in DIGESTS.values() for digest in digests[:300])


def test_identity(tmp_path: Path, listing: Path) -> None:
    out = tmp_path / "set"
    build(out, [listing], role="ignore", name="Demonstration", version="7")
    opened = open_set(out)
    identity = opened.identity
    assert {key: identity[key] for key in ("name", "version", "role", "count", "algorithms", "keyed")} == {
        "name": "Demonstration",
        "version": "7",
        "role": "ignore",
        "count": COUNT,
        "algorithms": ["md5", "sha1", "sha256"],
        "keyed": False,
    }
    assert identity["sources"] == [
        {
            "file": "list.csv",
            "format": "delimited table with a header",
            "sha256": hashlib.sha256(listing.read_bytes()).hexdigest(),
            "hashes": 3 * COUNT,
            "problems": 0,
        }
    ]
    data = out.read_bytes()
    at, length = struct.unpack_from("<QQ", data, 8)
    assert identity["sha256"] == hashlib.sha256(data[at : at + length]).hexdigest()
    told = describe(out, check=True)
    assert told["file_sha256"] == hashlib.sha256(data).hexdigest()
    assert told["hashes"] == dict.fromkeys(DIGESTS, COUNT)
    assert open_set(listing, role="ignore").identity["sha256"] == hashlib.sha256(listing.read_bytes()).hexdigest()


def test_a_role_is_never_guessed_nor_changed(tmp_path: Path, listing: Path) -> None:
    out = tmp_path / "set"
    with pytest.raises(RoleMissing):
        open_set(listing)
    with pytest.raises(RoleMissing):
        build(out, [listing], role=None)
    with pytest.raises(HashSetError, match="'known' is not a role"):
        build(out, [listing], role="known")
    build(out, [listing], role="ignore")
    assert open_set(out, role="ignore").role == "ignore"
    with pytest.raises(HashSetError, match="built for 'ignore'"):
        open_set(out, role="alert")


@pytest.mark.parametrize("key", [None, SECRET], ids=["plain", "keyed"])
def test_a_flipped_byte_anywhere_is_noticed_on_opening(tmp_path: Path, listing: Path, key: bytes | None) -> None:
    out = tmp_path / "set"
    build(out, [listing], role="alert", key=key)
    whole = out.read_bytes()
    chance = random.Random(9)
    places = [*range(0, 60), 100, DATA_AT - 1, DATA_AT, len(whole) - 1, *(chance.randrange(len(whole)) for _ in range(150))]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << chance.randrange(8)
        out.write_bytes(damaged)
        with pytest.raises(HashSetError):
            open_set(out, key=key)


def test_cut_short_or_longer_is_noticed_on_opening(tmp_path: Path, listing: Path) -> None:
    out = tmp_path / "set"
    build(out, [listing], role="alert")
    whole = out.read_bytes()
    for length in [*range(8, 70), DATA_AT, *range(100, len(whole), 5003), len(whole) - 1]:
        out.write_bytes(whole[:length])
        with pytest.raises(Damaged):
            open_set(out)
    out.write_bytes(whole + b"\0")
    with pytest.raises(Damaged):
        open_set(out)


def test_of_a_large_store_no_unchecked_part_is_ever_used(tmp_path: Path, listing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "CHECKED_ON_OPENING", 0)
    monkeypatch.setattr(stores, "BLOCK", 1 << 10)
    monkeypatch.setattr(stores, "_LET_GO_AFTER", 1 << 14)
    out = tmp_path / "set"
    build(out, [listing], role="alert")
    whole = out.read_bytes()
    opened = open_set(out)
    assert facts(opened, "md5") == EXPECTED
    (start, length), index = opened_sections(out)["md5.records"], opened_sections(out)["md5.index"]
    # A byte in the records: it opens, answers what it can, and refuses as soon as the damaged part would be used.
    damaged = bytearray(whole)
    damaged[start + length // 2] ^= 1
    out.write_bytes(damaged)
    opened = open_set(out)
    clean = sorted(DIGESTS["md5"][:COUNT])[:10]
    assert all(opened.match("md5", clean))
    with pytest.raises(Damaged, match="differs from what was built"):
        opened.match("md5", DIGESTS["md5"])
    with pytest.raises(Damaged):
        opened.check_all()
    # A byte in the index, which every answer rests on: it does not open.
    damaged = bytearray(whole)
    damaged[index[0] + index[1] // 2] ^= 1
    out.write_bytes(damaged)
    with pytest.raises(Damaged):
        open_set(out)


def opened_sections(path: Path) -> dict[str, tuple[int, int]]:
    import json

    data = path.read_bytes()
    at, length = struct.unpack_from("<QQ", data, 8)
    return {name: tuple(place) for name, place in json.loads(data[at : at + length])["sections"].items()}


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("tables", "md5", "layout"), [3000, 16, 1, 60, 282]),
        (("tables", "md5", "layout"), [1 << 60, 16, 1, 8, 282]),
        (("tables", "md5", "layout"), [2999, 16, 1, 8, 282]),
        (("tables", "md5", "layout"), ["x"]),
        (("tables", "md5"), None),
        (("sections", "md5.records"), [0, 45000]),
        (("sections", "md5.records"), [1 << 62, 45000]),
        (("sections",), {}),
        (("kinds",), [[1]]),
        (("kinds",), []),
        (("categories",), None),
        (("problems",), {}),
        (("digests",), [4096, 0, ""]),
        (("role",), "other"),
        (("format",), 2),
        (("key",), {"salt": 1}),
    ],
)
def test_a_header_that_lies_with_a_right_digest(tmp_path: Path, listing: Path, where: tuple[str, ...], value: object) -> None:
    import json

    out = tmp_path / "set"
    build(out, [listing], role="alert")
    data = bytearray(out.read_bytes())
    at, length = struct.unpack_from("<QQ", data, 8)
    header = json.loads(data[at : at + length])
    target = header
    for step in where[:-1]:
        target = target[step]
    target[where[-1]] = value
    text = json.dumps(header).encode()
    struct.pack_into("<8sQQ32s", data, 0, stores.MAGIC, at, len(text), hashlib.sha256(text).digest())
    out.write_bytes(data[:at] + text)
    with pytest.raises(HashSetError):
        open_set(out, key=SECRET).match("md5", DIGESTS["md5"])


def test_text_that_is_no_header(tmp_path: Path) -> None:
    out = tmp_path / "set"
    for text in (b"", b"[]", b"null", b"{" * 100, b"[" * 200_000, b"\xff"):
        body = bytes(DATA_AT - 56) + text
        out.write_bytes(struct.pack("<8sQQ32s", stores.MAGIC, DATA_AT, len(text), hashlib.sha256(text).digest()) + body)
        with pytest.raises(HashSetError):
            open_set(out)

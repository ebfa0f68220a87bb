from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hashsets import CategoryTable, HashSetError, Incomplete, NotEnumerable, RoleRefused, build, open_set
from hashsets.errors import Damaged

SECRET = b"a secret of the unit"
M = [hashlib.md5(bytes([n])).hexdigest() for n in range(9)]
CATEGORIES = CategoryTable.from_json(
    {"region": "demo", "codes": {"1": {"label": "First", "severity": 5}, "2": {"label": "Second", "alert": False}}}
)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def digests(*numbers: int) -> list[bytes]:
    return [bytes.fromhex(M[n]) for n in numbers]


def vics(path: Path, version: str, codes: list[object]) -> Path:
    media = [{"MediaID": n, "MD5": M[n], "Category": code} for n, code in enumerate(codes)]
    context = f"http://github.com/ICMEC/ProjectVic/DataModels/{version}.xml#Media"
    return write(path, json.dumps({"odata.metadata": context, "value": media}))


def test_sources_are_united_and_their_problems_told(tmp_path: Path) -> None:
    a = write(tmp_path / "a.txt", f"{M[0]}\n{M[1]}\nbad\n")
    b = write(tmp_path / "b.csv", f"md5,category,size\n{M[1]},7,3\n{M[2]},,\n{M[2]},8,4\n{M[2]},9,4\n")
    told: list[tuple[str, int]] = []
    built = build(tmp_path / "set", [a, b], role="alert", progress=lambda what, rows: told.append((what, rows)))
    assert (built.count, built.hashes, built.duplicates) == (3, {"md5": 3}, 3)
    assert [tuple(problem) for problem in built.problems] == [(3, "a.txt: does not start with a hash: 'bad'")]
    opened = open_set(tmp_path / "set")
    assert [m and (m.code, m.size) for m in opened.match("md5", digests(0, 1, 2, 3))] == [(None, None), ("7", 3), ("8 / 9", 4), None]
    assert [source["problems"] for source in opened.identity["sources"]] == [1, 0]
    assert list(opened.problems) == [(3, "a.txt: does not start with a hash: 'bad'")]
    assert told[-1] == ("writing", 6)


def test_mixed_algorithms_count_entries_once(tmp_path: Path) -> None:
    sha1 = hashlib.sha1(b"x").hexdigest()
    both = write(tmp_path / "a.csv", f"md5,sha1\n{M[0]},{hashlib.sha1(b'y').hexdigest()}\n{M[1]},\n,{sha1}\n")
    built = build(tmp_path / "set", [both], role="alert")
    assert (built.count, built.hashes) == (3, {"md5": 2, "sha1": 2})
    assert open_set(both, role="alert").count == 3


def test_categories_are_the_keepers(tmp_path: Path) -> None:
    source = vics(tmp_path / "a.json", "1.3", [1, 2, 3, None, 0])
    build(tmp_path / "set", [source], role="alert", mapping=CATEGORIES)
    for opened in (open_set(tmp_path / "set"), open_set(source, role="alert", mapping=CATEGORIES)):
        found = [(m.code, m.label, m.severity, m.alert) for m in opened.match("md5", digests(0, 1, 2, 3, 4)) if m]
        assert found == [
            ("1", "First", 5, True),
            ("2", "Second", None, False),
            ("3", None, None, True),
            (None, None, None, True),
            ("0", None, None, True),
        ]
        assert opened.identity["categories"]["region"] == "demo"
    build(tmp_path / "ignore", [source], role="ignore", mapping=CATEGORIES)
    assert not any(m.alert for m in open_set(tmp_path / "ignore").match("md5", digests(0, 1, 2, 3, 4)) if m)


def test_known_files_are_never_alerts(tmp_path: Path) -> None:
    caid = vics(tmp_path / "nist.json", "1.2", [0, 0])
    nsrl2 = write(
        tmp_path / "NSRLFile.txt",
        f'"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"\n"","{M[0]}","","a",1,1,"",""\n',
    )
    nsrl3 = tmp_path / "rds.db"
    with closing(sqlite3.connect(nsrl3)) as database:
        database.executescript(f"CREATE TABLE FILE (sha1 TEXT, md5 TEXT); INSERT INTO FILE VALUES (NULL, '{M[0]}');")
    for path in (caid, nsrl2, nsrl3):
        with pytest.raises(RoleRefused):
            open_set(path, role="alert")
        with pytest.raises(RoleRefused):
            build(tmp_path / "set", [path], role="alert")
        assert open_set(path, role="ignore").match("md5", digests(0))[0] is not None
    # A 1.2 file of an issuer who says what its codes mean is another matter.
    assert open_set(caid, role="alert", mapping=CATEGORIES).count == 2
    with pytest.raises(RoleRefused):
        open_set(nsrl3, role="alert", mapping=CATEGORIES)


def test_the_empty_file_is_no_alert(tmp_path: Path) -> None:
    empty = hashlib.md5(b"").hexdigest()
    source = write(tmp_path / "a.txt", f"{M[0]}\n{empty}\n")
    built = build(tmp_path / "set", [source], role="alert")
    assert built.count == 1
    assert "empty file" in built.problems.kept[0].reason
    for opened in (open_set(tmp_path / "set"), open_set(source, role="alert")):
        assert opened.match("md5", [bytes.fromhex(empty)]) == [None]
        assert opened.problems.total == 1
    assert open_set(source, role="ignore").match("md5", [bytes.fromhex(empty)])[0] is not None


def test_a_folder_of_reference_files(tmp_path: Path) -> None:
    folder = tmp_path / "reference"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_bytes(b"one")
    (folder / "sub" / "b").write_bytes(b"three")
    (folder / "empty").write_bytes(b"")
    (folder / "link").symlink_to(folder / "a")
    os.mkfifo(folder / "pipe")
    built = build(tmp_path / "set", [folder], role="alert")
    assert (built.count, built.hashes) == (2, {"md5": 2, "sha1": 2, "sha256": 2})
    opened = open_set(tmp_path / "set")
    match = opened.match("sha256", [hashlib.sha256(b"three").digest()], [5])[0]
    assert match is not None
    assert (match.size, match.size_matches, match.listed_by) == (5, True, ("md5", "sha1", "sha256"))
    listing = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in [("a", b"one"), ("empty", b""), ("sub/b", b"three")]
    )
    assert opened.identity["sources"][0]["sha256"] == hashlib.sha256(listing.encode()).hexdigest()


def test_merging_stores(tmp_path: Path) -> None:
    a = write(tmp_path / "a.csv", f"md5,category,size\n{M[0]},1,10\n{M[1]},2,\n")
    b = write(tmp_path / "b.csv", f"md5,sha256,category\n{M[1]},{'ab' * 32},3\n{M[2]},,\n")
    build(tmp_path / "sa", [a], role="alert", mapping=CATEGORIES)
    build(tmp_path / "sb", [b], role="alert")
    build(tmp_path / "all", [tmp_path / "sa", tmp_path / "sb"], role="alert")
    opened = open_set(tmp_path / "all")
    found = [m and (m.code, m.label, m.size, m.listed_by) for m in opened.match("md5", digests(0, 1, 2, 3))]
    assert found == [("1", "First", 10, ("md5",)), ("2 / 3", "Second", None, ("md5", "sha256")), (None, None, None, ("md5",)), None]
    assert opened.match("sha256", [bytes.fromhex("ab" * 32)])[0] is not None
    assert opened.count == 3
    build(tmp_path / "keyed", [tmp_path / "sa", tmp_path / "sb"], role="alert", key=SECRET)
    assert [m is not None for m in open_set(tmp_path / "keyed", key=SECRET).match("md5", digests(0, 1, 2, 3))] == [True, True, True, False]
    assert open_set(tmp_path / "keyed", key=SECRET).match("sha256", [bytes.fromhex("ab" * 32)])[0] is not None
    with pytest.raises(HashSetError, match="keyed"):
        build(tmp_path / "x", [tmp_path / "keyed"], role="alert")
    with pytest.raises(HashSetError, match="built for 'alert'"):
        build(tmp_path / "x", [tmp_path / "sa"], role="ignore")
    other = CategoryTable.from_json({"codes": {"1": {"label": "Another meaning"}}})
    build(tmp_path / "sc", [b], role="alert", mapping=other)
    with pytest.raises(HashSetError, match="different meanings"):
        build(tmp_path / "x", [tmp_path / "sa", tmp_path / "sc"], role="alert")
    with pytest.raises(NotEnumerable):
        list(open_set(tmp_path / "keyed", key=SECRET).rows())


def test_a_set_in_parts_is_loaded_whole_or_not_at_all(tmp_path: Path) -> None:
    parts = [write(tmp_path / f"gold_{n}.txt", f"{M[n]}\n") for n in (1, 2)]
    listed = [{"file": p.name, "sha256": hashlib.sha256(p.read_bytes()).hexdigest().upper()} for p in parts]
    manifest = write(tmp_path / "set.json", json.dumps({"set_name": "Gold", "set_version": "3", "parts": listed}))
    build(tmp_path / "set", [manifest], role="alert")
    opened = open_set(tmp_path / "set")
    assert (opened.name, opened.version, opened.count) == ("Gold", "3", 2)
    build(tmp_path / "set", [manifest], role="alert", name="Silver", version="4")
    assert (open_set(tmp_path / "set").name, open_set(tmp_path / "set").version) == ("Silver", "4")
    parts[1].write_text(f"{M[2]}\n{M[3]}\n")
    with pytest.raises(Incomplete, match="is not the one"):
        build(tmp_path / "x", [manifest], role="alert")
    parts[1].unlink()
    with pytest.raises(Incomplete, match=r"'gold_2\.txt' is missing"):
        build(tmp_path / "x", [manifest], role="alert")
    write(manifest, json.dumps({"parts": [{"file": "../outside", "sha256": ""}]}))
    with pytest.raises(Damaged, match="not beside it"):
        build(tmp_path / "x", [manifest], role="alert")
    assert not (tmp_path / "x").exists()


def test_numbered_parts(tmp_path: Path) -> None:
    parts = [write(tmp_path / f"gold {n} of 3.txt", f"{M[n]}\n") for n in (1, 2, 3)]
    with pytest.raises(Incomplete, match=r"gold \*\.txt has 3 parts by its names, of which 2 are not given"):
        build(tmp_path / "set", [parts[0], parts[2]], role="alert")
    assert build(tmp_path / "set", parts, role="alert").count == 3


def test_nothing_is_left_behind_and_nothing_overwritten(tmp_path: Path) -> None:
    good, bad = write(tmp_path / "good.txt", f"{M[0]}\n"), write(tmp_path / "bad.json", '{"odata.metadata":"x","value":[{"MD5":"')
    out = tmp_path / "set"
    build(out, [good], role="alert")
    before = out.read_bytes()
    with pytest.raises(Damaged):
        build(out, [good, bad], role="alert")
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.json", "good.txt", "set"]
    with pytest.raises(HashSetError, match="is not overwritten"):
        build(good, [out], role="alert")
    with pytest.raises(HashSetError, match="read from"):
        build(out, [out], role="alert")
    with pytest.raises(HashSetError, match="read from"):
        build(tmp_path / "new", [tmp_path], role="alert")
    with pytest.raises(HashSetError, match="sound: not available"):
        build(tmp_path / "new", [good], role="alert", kinds=["exact", "sound"])
    with pytest.raises(Damaged, match="hold nothing"):
        build(tmp_path / "new", [write(tmp_path / "empty.csv", "md5,sha1\n")], role="alert")


def test_a_list_too_long_to_be_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hashsets.opening.MAX_IN_MEMORY", 2)
    with pytest.raises(HashSetError, match="build a hash set from it first"):
        open_set(write(tmp_path / "a.txt", "\n".join(M)), role="alert")


@pytest.mark.specimens
def test_the_hash_list_of_the_specimens(specimens: Path, tmp_path: Path) -> None:
    path = specimens / "expected" / "forensics-samples-hashes.tsv"
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    build(tmp_path / "set", [path], role="alert")
    for opened in (open_set(path, role="alert"), open_set(tmp_path / "set")):
        assert opened.problems.total == 0
        assert opened.count == len({row[2] for row in rows})
        for column, algorithm in ((2, "md5"), (3, "sha1"), (4, "sha256")):
            found = opened.match(algorithm, [bytes.fromhex(row[column]) for row in rows], [int(row[1]) for row in rows])
            assert all(match is not None and match.size_matches for match in found)
            assert opened.match(algorithm, [bytes.fromhex(row[column])[::-1] for row in rows]) == [None] * len(rows)

"""Keywords in documents, mail and archives, through the real command."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.triage.scan.conftest import Result
from tests.triage.scan.text import samples

Scan = Callable[..., Result]


def _hits(result: Result) -> dict[str, dict[str, Any]]:
    found = [line["data"] for line in result.journal if line["kind"] == "observation" and line["data"]["type"] == "KeywordHit"]
    hits = {data["provenance"]["path"]: data for data in found}
    assert len(hits) == len(found), "more than one record of one term in one file"
    return hits


def test_each_format_gives_one_hit_and_says_how_it_was_reached(scan: Scan, lists: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    for name, data in samples.ALL.items():
        (folder / f"sample.{name}").write_bytes(data)
    (folder / "picture.jpg").write_bytes(samples.docx())  # what it is, its content says
    (folder / "binary.bin").write_bytes(bytes(range(256)) * 20 + b"\0 copper kettle protocol \0")
    result = scan(folder, *lists)
    assert result.code == 0, result.err
    hits = _hits(result)
    assert hits.keys() == {f"/sample.{name}" for name in samples.ALL} | {"/picture.jpg"}
    places = {path: data["provenance"]["locator"] for path, data in hits.items()}
    assert places["/sample.docx"] == "sample.docx ▸ word/document.xml"
    assert places["/picture.jpg"] == "picture.jpg ▸ word/document.xml"
    assert places["/sample.zip"] == "sample.zip ▸ a/b.docx ▸ word/document.xml and 1 other part"
    assert places["/sample.mail"] == "sample.mail ▸ body and 1 other part"
    assert places["/sample.pdf"] == "sample.pdf ▸ page 1"
    assert places["/sample.json"] == "sample.json"
    assert hits["/sample.zip"]["count"] == 2
    assert all(len(data["context"]) < 110 for data in hits.values()), "more of a text is kept than the words around the hit"


def test_a_term_in_text_and_in_its_markup_is_counted_once(scan: Scan, lists: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "page.html").write_text("<html><p>the copper kettle protocol</p></html>")
    (hit,) = _hits(scan(folder, *lists)).values()
    assert (hit["count"], hit["provenance"]["locator"]) == (1, "offset=13")


def test_what_is_locked_or_not_opened_is_a_gap_with_its_path(scan: Scan, lists: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "a.zip").write_bytes(samples.encrypted_zip())
    (folder / "b.odt").write_bytes(samples.odt(encrypted=True))
    (folder / "c.cab").write_bytes(b"MSCF\0\0\0\0" + bytes(60))
    (folder / "d.gz").write_bytes(samples.ALL["gz"][:-30])
    result = scan(folder, *lists)
    assert result.code == 3
    told = {c["path"]: (c["status"], c["reason"]) for c in result.report["coverage"] if c.get("path")}
    assert told["/a.zip"] == ("encrypted", "1 of its 2 members are encrypted, the first: locked.txt")
    assert told["/b.odt"] == ("encrypted", "is protected by a password")
    assert told["/c.cab"] == ("unrecognised", "cabinet archive: this tool does not open it")
    assert told["/d.gz"][0] == "failed" and told["/d.gz"][1].startswith("is damaged: ")


def test_profile_full_looks_into_binary_files(scan: Scan, lists: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "binary.bin").write_bytes(bytes(range(256)) * 20 + b"\0 copper kettle protocol \0")
    (hit,) = _hits(scan(folder, *lists, "--profile", "full")).values()
    assert hit["provenance"]["locator"] == "offset=5122"


def test_the_data_of_applications(scan: Scan, lists: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "evidence/Users/ann/AppData/Roaming/Signal/sql"
    folder.mkdir(parents=True)
    (folder / "db.sqlite").write_bytes(bytes(range(256)) * 20)
    for name, table in (("messages", "sms"), ("other", "letters")):
        with sqlite3.connect(tmp_path / "evidence" / name) as database:
            database.execute(f"CREATE TABLE {table} (_id INTEGER PRIMARY KEY, address TEXT, body TEXT, date INTEGER)")
            database.executemany(
                f"INSERT INTO {table} VALUES (NULL, '+44', ?, 1600000000000)",
                [("copper kettle",), ("the copper kettle protocol, " + "x" * 200,)],
            )
        database.close()
    result = scan(tmp_path / "evidence", *lists)
    (hit,) = _hits(result).values()
    assert (hit["where"], hit["provenance"]["path"], hit["provenance"]["locator"]) == (
        "application", "/messages", "table=sms rowid=2 of 2020-09-13T12:26:40Z",
    )  # fmt: skip
    assert len(hit["context"]) < 110
    told = {(c["status"], c["reason"]) for c in result.report["coverage"] if c["what"] == "keywords in application data" and c["reason"]}
    assert told == {
        ("parsed", "Android messages"),
        ("skipped_by_rule", "databases of programs that are not in the list of known ones"),
        ("encrypted", "Signal keeps its messages encrypted: not read"),
    }
    (tmp_path / "silent.csv").write_text(
        "term,category,severity,form\ncopper kettle,demonstration,4,phrase\napplication_data.android_messages,,,exclude-application\n"
    )
    assert _hits(scan(tmp_path / "evidence", "--keywords", tmp_path / "silent.csv", case=tmp_path / "silent")) == {}

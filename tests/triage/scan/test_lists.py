"""Keyword lists in a scan: kept compiled, encrypted, with exclusions; names; searches told once; many hits made few findings."""

from __future__ import annotations

import json
import lzma
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rules import keywords, sealed, yara_rules
from tests.triage.scan.conftest import Result
from triage.scan.compiled import FOLDER, folder_for

Scan = Callable[..., Result]
CSV = "term,category,severity,form,substitutions\ncopper kettle protocol,demonstration,4,phrase,\nlantern,demonstration,2,word,true\nMossy Gate Film.mp4,demonstration,4,name-like,\n"


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A folder with a force's own lists."""
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / "words.csv").write_text(CSV)
    (folder / "rules.yar").write_text('rule kettle { strings: $a = "kettle" condition: $a }\n')
    return folder


def hits(result: Result) -> list[dict[str, Any]]:
    return [line["data"] for line in result.journal if line["kind"] == "observation" and line["data"]["type"] == "KeywordHit"]


def left_out(result: Result) -> dict[str, int]:
    return {row["reason"]: row["count"] for row in result.report["coverage"] if row["what"] == "keywords"}


def test_compiled_once_beside_the_lists_and_nowhere_else(scan: Scan, evidence: Path, stick: Path, tmp_path: Path) -> None:
    options = ["--keywords", stick / "words.csv", "--yara", stick / "rules.yar", "--workers", "1"]
    first = scan(evidence, *options)
    kept = {path.name: path.read_bytes() for path in (stick / FOLDER).iterdir()}
    assert sorted(name.partition("-")[0] for name in kept) == ["keywords", "substitutions", "yara"]
    for path in (stick / FOLDER).iterdir():
        path.write_bytes(kept[path.name][:-3] + b"xyz")
    second = scan(evidence, *options, case=tmp_path / "second")
    assert {path.name: path.read_bytes() for path in (stick / FOLDER).iterdir()} == kept
    assert json.dumps(first.findings()) == json.dumps(second.findings())
    assert len(hits(first)) == 1


def test_nothing_compiled_is_kept_inside_evidence_or_the_tool(tmp_path: Path, stick: Path) -> None:
    words = str(stick / "words.csv")
    assert folder_for([words], [(tmp_path / "elsewhere", False)]) == str(stick / FOLDER)
    assert folder_for([str(stick)], []) == str(stick / FOLDER)
    assert folder_for([words], [(stick.parent, False)]) is None
    assert folder_for([words], [(stick.parent, True)]) is None
    assert folder_for([words], [(Path("/"), True)]) is None or (stick.stat().st_dev != Path("/").stat().st_dev)
    assert folder_for([str(keywords.SHIPPED)], []) is None
    assert folder_for([str(keywords.SHIPPED), words], []) == str(stick / FOLDER)


def test_a_compiled_list_of_others_is_not_believed(stick: Path) -> None:
    cache = stick / FOLDER
    keywords.load([stick / "words.csv"]).matcher(cache=cache)
    yara_rules.load([stick / "rules.yar"], cache=cache)
    ours = {path.name.partition("-")[0]: path.read_bytes() for path in cache.iterdir()}
    for path in cache.iterdir():
        path.unlink()
    (stick / "words.csv").write_text(CSV.replace("copper", "bronze"))
    (stick / "rules.yar").write_text('rule bronze { strings: $a = "bronze" condition: $a }\n')
    keywords.load([stick / "words.csv"]).matcher(cache=cache)
    yara_rules.load([stick / "rules.yar"], cache=cache)
    for path in cache.iterdir():
        path.write_bytes(ours[path.name.partition("-")[0]])
    assert [hit.term for hit in keywords.load([stick / "words.csv"]).matcher(cache=cache).in_text("bronze kettle protocol", "text")]
    assert [rule.name for rule in yara_rules.load([stick / "rules.yar"], cache=cache)] == ["bronze"]


def test_an_encrypted_list(scan: Scan, evidence: Path, stick: Path, tmp_path: Path) -> None:
    (stick / "key").write_bytes(b"a secret of the unit")
    (stick / "wrong").write_bytes(b"another secret of it")
    (stick / "words.sealed").write_bytes(
        sealed.seal("words.csv", CSV.encode() + b"zellowmark,demonstration,4,word,\n", b"a secret of the unit")
    )
    (stick / "words.csv").unlink()
    result = scan(evidence, "--keywords", stick / "words.sealed", "--list-key", stick / "key")
    assert [finding["path"] for finding in result.findings()] == ["/Documents/letter.txt"]
    assert [path.name.partition("-")[0] for path in sorted((stick / FOLDER).iterdir())] == ["keywords", "substitutions"]
    for path in (path for folder in (stick, result.case) for path in folder.rglob("*") if path.is_file()):
        assert b"zellowmark" not in path.read_bytes(), path
    for key, words in (([], "name its key file"), (["--list-key", stick / "wrong"], "the key is not the one")):
        refused = scan(evidence, "--keywords", stick / "words.sealed", *key, case=tmp_path / "refused")
        assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert words in refused.err
        assert not refused.case.exists()


VISIT = """
reference: V1
officer: {name: A. Officer}
authority: {basis: order, reference: O1}
keywords: [Zellow Marklin, zellow*, "#kettle", "!!"]
"""


def test_words_named_in_the_visit_are_looked_for_and_never_kept_compiled(scan: Scan, evidence: Path, stick: Path, tmp_path: Path) -> None:
    (tmp_path / "visit.yaml").write_text(VISIT)
    (evidence / "Documents" / "a.txt").write_text("He met Zellow  MARKLIN twice. #kettle")
    result = scan(evidence, "--visit", tmp_path / "visit.yaml", "--keywords", stick / "words.csv")
    assert "the visit file" in result.err and "'!!'" in result.err
    met = {(hit["term"], hit["form"], hit["category"], hit["severity"], hit["library"]) for hit in hits(result)}
    assert met == {
        ("Zellow Marklin", "phrase", "named in the visit", 3, "visit"),
        ("zellow*", "wildcard", "named in the visit", 3, "visit"),
        ("#kettle", "word", "named in the visit", 3, "visit"),
        ("copper kettle protocol", "phrase", "demonstration", 4, "words"),
    }
    named = next(finding for finding in result.findings() if finding["title"] == 'Keyword "Zellow Marklin" (text)')
    assert "The word was named for this visit." in named["explanation"]
    assert {path.name.partition("-")[0] for path in (stick / FOLDER).iterdir()} == {"keywords", "substitutions"}
    alone = scan(evidence, "--visit", tmp_path / "visit.yaml", case=tmp_path / "alone")
    assert {hit["term"] for hit in hits(alone)} == {"Zellow Marklin", "zellow*", "#kettle"}
    before = (stick / FOLDER).stat().st_mtime_ns
    (tmp_path / "visit.yaml").write_text(VISIT.replace("zellow*", "mark*"))
    assert "mark*" in {
        hit["term"]
        for hit in hits(scan(evidence, "--visit", tmp_path / "visit.yaml", "--keywords", stick / "words.csv", case=tmp_path / "other"))
    }
    assert (stick / FOLDER).stat().st_mtime_ns == before


def test_an_exclusion_is_counted(scan: Scan, evidence: Path, stick: Path, tmp_path: Path) -> None:
    (stick / "words.csv").write_text(CSV + "Documents,,,exclude-folder,\n")
    result = scan(evidence, "--keywords", stick / "words.csv")
    assert result.findings() == []
    assert left_out(result) == {"left out by an exclusion of words": 1}
    (evidence / "Downloads" / "copy.txt").write_text("copper kettle protocol")
    assert [finding["path"] for finding in scan(evidence, "--keywords", stick / "words.csv", case=tmp_path / "b").findings()] == [
        "/Downloads/copy.txt"
    ]


def test_ten_thousand_hits_are_one_finding(scan: Scan, tmp_path: Path, stick: Path) -> None:
    (tmp_path / "evidence").mkdir()
    for number in range(500):
        (tmp_path / "evidence" / f"{number}.txt").write_text(
            "the copper kettle protocol " * (20 if number != 77 else 60) + "x" * number * 10
        )
    result = scan(tmp_path / "evidence", "--keywords", stick / "words.csv")
    (finding,) = result.findings()
    assert sum(hit["count"] for hit in hits(result)) == 10_040
    assert (finding["count"], len(finding["examples"]), len(finding["observations"])) == (500, 3, 100)
    assert finding["weight"] == max(hit["weight"] for hit in hits(result)) == 64
    assert "20 times in" in finding["explanation"]
    assert "weight is 64 of 100: grade 4 of 5 (40), category demonstration (5), in text (4)" in finding["explanation"]


def test_names_like_a_known_one_and_substitutions(scan: Scan, tmp_path: Path, stick: Path) -> None:
    (tmp_path / "evidence").mkdir()
    for name in ("mossy_gate_flm (2).avi", "mossy gate.mp4", "mosy gat film.mp4", "my l4ntern.txt"):
        (tmp_path / "evidence" / name).write_text("nothing")
    result = scan(tmp_path / "evidence", "--keywords", stick / "words.csv")
    (like,) = (finding for finding in result.findings() if finding["path"].endswith(".avi"))
    assert "It is like the name of a file that the library knows." in like["explanation"]
    assert {(hit["term"], hit["provenance"]["path"], hit["weight"]) for hit in hits(result)} == {
        ("Mossy Gate Film.mp4", "/mossy_gate_flm (2).avi", 60),
        ("lantern", "/my l4ntern.txt", 40),
    }


def test_a_search_is_told_once_and_a_site_left_out(scan: Scan, tmp_path: Path, stick: Path) -> None:
    profile = tmp_path / "evidence/Users/ann/AppData/Local/Google/Chrome/User Data/Default"
    profile.mkdir(parents=True)
    pages = [
        ("https://www.google.com/search?q=copper+kettle+protocol", "copper kettle protocol - Google Search"),
        ("https://www.google.com/search?q=garden+sheds", "lantern"),
        ("https://kettles.example/copper-kettle-protocol", "Kettles"),
        ("https://news.example.org/copper-kettle-protocol", "copper kettle protocol"),
    ]
    with sqlite3.connect(profile / "History") as database:
        database.execute("CREATE TABLE urls(id INTEGER PRIMARY KEY, url TEXT, title TEXT, visit_count INTEGER, last_visit_time INTEGER)")
        database.execute("CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, transition INTEGER)")
        for number, (url, title) in enumerate(pages, 1):
            database.execute("INSERT INTO urls VALUES(?, ?, ?, 1, 13350000000000000)", (number, url, title))
            database.execute("INSERT INTO visits VALUES(?, ?, 13350000000000000, 1)", (number, number))
    database.close()
    (stick / "words.csv").write_text(CSV + "example.org,,,exclude-site,\n")
    result = scan(tmp_path / "evidence", "--keywords", stick / "words.csv")
    assert sorted((hit["term"], hit["where"]) for hit in hits(result)) == [
        ("copper kettle protocol", "search_terms"), ("copper kettle protocol", "url"), ("lantern", "title"),
    ]  # fmt: skip
    assert left_out(result) == {"address or title of a search that is told by itself": 2, "left out by an exclusion of words": 2}
    (stick / "words.csv").write_text(CSV + "browsers.chromium,,,exclude-application,\n")
    silent = scan(tmp_path / "evidence", "--keywords", stick / "words.csv", case=tmp_path / "silent")
    assert (hits(silent), left_out(silent)["left out by an exclusion of words"]) == ([], 5)
    assert result.findings()[0]["title"] == 'Search for "copper kettle protocol"'


@pytest.mark.specimens
def test_known_names_in_what_remembers_names(scan: Scan, specimens: Path, stick: Path, tmp_path: Path) -> None:
    """A shortcut, a jump list, a recycle bin, the lists of a hive and a torrent client's state, each with a name near a known one."""
    root = tmp_path / "evidence"
    recent = root / "Users/ann/AppData/Roaming/Microsoft/Windows/Recent"
    files = {
        recent / "winhex.zip.lnk": "lnk/EricZimmerman/Win10/winhex.zip.lnk.test",
        recent / "AutomaticDestinations/1b4dd67f29cb1962.automaticDestinations-ms":
            "jumplist/EricZimmerman/Win7/1b4dd67f29cb1962.automaticDestinations-ms",
        root / "RECYCLER/S-1-5-21-1-2-3-1004/INFO2": "recyclebin/rifiuti2/INFO2-sample2",
        root / "Users/ann/NTUSER.DAT": "registry/plaso/NTUSER-WIN7.DAT.xz",
        root / "Users/ann/Documents/resume.dat": "mixed/iped-apps/test_resume.dat",
    }  # fmt: skip
    for target, source in files.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        data = (specimens / source).read_bytes()
        target.write_bytes(lzma.decompress(data) if source.endswith(".xz") else data)
    known = ("WinHex (3).rar", "Videos.library-ms", "IE9 WindowsVista x64 enu.mp4", "Adamantiumm background.pdf", "big_buck_bunny (1).mp4")
    (stick / "names.csv").write_text("term,category,severity,form\n" + "".join(f"{name},known names,4,name-like\n" for name in known))
    result = scan(root, "--keywords", stick / "names.csv")
    met = {(hit["term"], hit["provenance"]["path"].rpartition("/")[2]) for hit in hits(result)}
    assert met >= {
        ("WinHex (3).rar", "winhex.zip.lnk"),
        ("Videos.library-ms", "1b4dd67f29cb1962.automaticDestinations-ms"),
        ("IE9 WindowsVista x64 enu.mp4", "INFO2"),
        ("Adamantiumm background.pdf", "NTUSER.DAT"),
        ("big_buck_bunny (1).mp4", "resume.dat"),
    }
    assert {hit["user"] for hit in hits(result) if hit["provenance"]["path"].startswith("/Users")} == {"ann"}

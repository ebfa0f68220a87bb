"""VICS: read back by our own importer, which reads real ones, and by a JSON reader."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from artefacts import observations as o
from hashsets.entries import Problems
from hashsets.formats.vics import entries
from triage.report.exports import export


def _case(folder: Path, out: Path) -> dict[str, Any]:
    export(folder, "vics", out)
    document = json.loads(out.read_bytes())
    assert document["@odata.context"].endswith("/DataModels/2.0.xml/Default/$metadata#Cases")
    (case,) = document["value"]
    return dict(case)


def test_media_by_md5_with_their_places(makers: SimpleNamespace, tmp_path: Path) -> None:
    maker = makers.Maker(tmp_path / "c").open(makers.VISIT).source()
    same, other = makers.digest("one"), makers.digest("two")
    maker.list(
        {"path": "/Users/p/a.jpg", **same},
        {"path": "/Users/p/copy of a.png", **same, "allocated": False, "content": "recoverable"},
        {"path": "/Users/p/clip.mp4", **other},
        {"path": "/Users/p/text.txt", **makers.digest("three")},
        {"path": "/Users/p/no digest.jpg"},
        {"path": "/Users/p/local.jpg", **makers.digest("four"), "local_times": True},
    )
    hidden = makers.digest("five")
    maker.observe(
        o.HashMatch(
            path="/a.zip ▸ b.bin", algorithm="md5", digest=hidden["md5"], set_name="S", set_version="7", code="2", size=9, hashes=hidden
        ),
        path="/a.zip ▸ b.bin",
    )
    maker.observe(
        o.HashMatch(path="/Users/p/a.jpg", algorithm="md5", digest=same["md5"], set_name="S", role="listed", code="9", hashes=same),
        path="/Users/p/a.jpg",
    )
    case = _case(maker.finish(), tmp_path / "vics.json")
    assert (case["CaseNumber"], case["SourceApplicationName"]) == ("OM/2026/0417", "triage")
    media = {item["MD5"].lower(): item for item in case["Media"]}
    assert set(media) == {same["md5"], other["md5"], makers.digest("four")["md5"], hidden["md5"]}
    assert [item["MediaID"] for item in case["Media"]] == [1, 2, 3, 4] and list(media) == sorted(media)
    assert media[same["md5"]]["Category"] is None and not media[same["md5"]]["IsPrecategorized"]
    assert media[same["md5"]]["MediaFiles"] == [
        {"MD5": same["md5"].upper(), "FileName": "a.jpg", "FilePath": "\\Users\\p\\a.jpg", "Created": "2026-09-20T14:13:20+00:00",
         "Written": "2026-09-21T14:13:20+00:00", "Accessed": "2026-09-22T14:13:20+00:00", "Unallocated": False, "SourceID": "s1"},
        {"MD5": same["md5"].upper(), "FileName": "copy of a.png", "FilePath": "\\Users\\p\\copy of a.png", "Created": "2026-09-20T14:13:20+00:00",
         "Written": "2026-09-21T14:13:20+00:00", "Accessed": "2026-09-22T14:13:20+00:00", "Unallocated": True, "SourceID": "s1"},
    ]  # fmt: skip
    assert "Written" not in media[makers.digest("four")["md5"]]["MediaFiles"][0]
    hit = media[hidden["md5"]]
    assert (hit["Category"], hit["IsPrecategorized"], hit["MediaSize"]) == (2, True, 9)
    assert hit["Comments"] == "Official list hit: S, version 7, code 2"
    assert "RelativeFilePath" not in hit


def test_a_code_that_is_no_number_gives_no_category(makers: SimpleNamespace, tmp_path: Path) -> None:
    maker = makers.Maker(tmp_path / "c").open().source()
    for number, code in enumerate(("A", "²", "1" * 30, None)):
        hashes = makers.digest(str(number))
        maker.observe(
            o.HashMatch(path=f"/{number}", algorithm="md5", digest=hashes["md5"], set_name="S", code=code, hashes=hashes), path=f"/{number}"
        )
    assert [item["Category"] for item in _case(maker.finish(), tmp_path / "v")["Media"]] == [None] * 4


def test_our_reader_of_real_lists_reads_it(rich: Any, tmp_path: Path) -> None:
    case = _case(rich(300), tmp_path / "vics.json")
    assert len(case["Media"]) == 300
    problems = Problems()
    assert [entry.code for entry in entries(tmp_path / "vics.json", problems)] == ["2"] * 300
    assert not problems.total

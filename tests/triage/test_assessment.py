"""The assessment: outcomes, what was not checked, conditions of the order, advice."""

from __future__ import annotations

import copy
import itertools
import random
from typing import Any

import pytest

from artefacts.coverage import Status
from artefacts.registry import all_artefacts
from rules.conditions import shipped
from triage.assessment import assess
from triage.extent import size_words

ADVICE = shipped().advice
SOURCE = {"id": "s1", "kind": "raw", "path": "/e/disk.raw", "size": 10**9}
VOLUME = {
    "source": "s1", "id": "v1", "offset": 0, "length": 10**9, "scheme": "mbr", "description": "NTFS", "filesystem": "ntfs", "label": "Data",
    "encrypted": None, "unlocked": False, "status": "parsed", "reason": "",
}  # fmt: skip


def cover(what: str, status: str, count: int = 1, size: int = 0, reason: str = "", **more: Any) -> dict[str, Any]:
    return {
        "source": "s1",
        "volume": "v1",
        "what": what,
        "status": status,
        "count": count,
        "bytes": size,
        "reason": reason,
        "summary": True,
        **more,
    }


CLEAN = [
    cover("file system", "parsed", 120),
    cover("files: pictures", "parsed", 20, 5_000_000),
    cover("files: personal", "parsed", 80, 1_000_000),
    cover("files: system", "parsed", 20, 400_000),
]


def finding(number: int = 1, indicates: str = "found", severity: int = 5, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": f"{number:016x}", "rule": "demo", "rule_version": 1, "category": "demo", "severity": severity, "indicates": indicates,
        "title": f"Title {number}", "explanation": "It is so.", "innocent_explanations": [f"Innocent {number}."], "bears_on": [], "advice": [],
        "source": "s1", "volume": "v1", "path": f"/f{number}", "allocated": True, "count": 1,
    }  # fmt: skip
    return values | changes


def judge(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "findings": [], "coverage": CLEAN, "volumes": [VOLUME], "sources": [SOURCE], "visit": None, "complete": True,
    }  # fmt: skip
    return assess(**values | changes)


def test_nothing_found_says_how_much_was_looked_at() -> None:
    result = judge()
    assert result["outcome"] == "nothing_found"
    assert result["headline"] == "Nothing found in what was checked."
    assert result["reasons"] == ["Looked at 1 of 1 volume: 120 files, 6.4 MB."]
    assert result["looked_at"] == {
        "sources": 1, "volumes": 1, "volumes_total": 1, "files": 120, "bytes": 6_400_000, "text": "Looked at 1 of 1 volume: 120 files, 6.4 MB.",
    }  # fmt: skip
    assert result["not_checked"] == []
    assert result["advice"] == [ADVICE["ask_other_devices"]]


def test_notes_do_not_change_the_outcome_but_are_said() -> None:
    result = judge(findings=[finding(indicates="note", severity=3), finding(2, indicates="note", severity=1)])
    assert result["outcome"] == "nothing_found"
    assert result["reasons"][1] == "2 things noted for information. None of them alone calls for more."


BLOCKING: dict[str, dict[str, Any]] = {
    "the scan was interrupted": {"complete": False},
    "a locked volume": {"volumes": [VOLUME, VOLUME | {"id": "v2", "status": "encrypted", "encrypted": "bitlocker"}]},
    "an unreadable volume": {"volumes": [VOLUME, VOLUME | {"id": "v2", "status": "unreadable"}]},
    "a failed volume": {"volumes": [VOLUME, VOLUME | {"id": "v2", "status": "failed"}]},
    "an unrecognised volume": {"volumes": [VOLUME, VOLUME | {"id": "v2", "status": "unrecognised"}]},
    "a large volume that calls itself reserved": {
        "volumes": [VOLUME, VOLUME | {"id": "v2", "status": "unrecognised", "description": "Microsoft reserved", "length": 10**9}]
    },
    "a status of another version": {"volumes": [VOLUME, VOLUME | {"id": "v2", "status": "shiny"}]},
    "a volume that was never walked": {"volumes": [VOLUME, VOLUME | {"id": "v2"}]},
    "an unreadable source": {"coverage": [*CLEAN, cover("source", "unreadable", volume="", reason="permission denied")]},
    "a source cut short": {"coverage": [*CLEAN, cover("source", "failed", volume="", reason="segment 2 is missing")]},
    "pictures out of time": {"coverage": [*CLEAN, cover("files: pictures", "out_of_time", 3)]},
    "an artefact out of time": {"coverage": [*CLEAN, cover("chromium_history", "out_of_time", 1)]},
    "personal files left out by the profile": {"coverage": [CLEAN[0], CLEAN[1], cover("files: personal", "skipped_by_rule", 9)]},
    "most personal files encrypted": {"coverage": [*CLEAN, cover("files: personal", "encrypted", 200)]},
    "one personal file unreadable that is most of the bytes": {"coverage": [*CLEAN, cover("files: personal", "unreadable", 1, 9_000_000)]},
    "no files at all": {"coverage": [cover("file system", "empty", 1)]},
    "no coverage at all": {"coverage": []},
    "no volumes and no sources": {"coverage": [], "volumes": [], "sources": []},
}


@pytest.mark.parametrize("name", BLOCKING)
def test_nothing_found_is_never_said_when_something_stands_in_the_way(name: str) -> None:
    result = judge(**BLOCKING[name])
    assert result["outcome"] == "not_checked"
    assert result["reasons"]
    assert set(result["reasons"]) <= set(result["not_checked"])
    in_part = "Not checked in full: part of this device could not be looked at."
    assert result["headline"] == (in_part if result["looked_at"]["files"] else "Not checked: nothing on this device could be looked at.")


@pytest.mark.parametrize("name", BLOCKING)
@pytest.mark.parametrize("indicates", ["found", "refer"])
def test_a_finding_goes_before_what_was_not_checked_but_does_not_hide_it(name: str, indicates: str) -> None:
    result = judge(**BLOCKING[name], findings=[finding(indicates=indicates)])
    assert result["outcome"] == indicates
    assert result["headline"].endswith("Part of it could not be checked.")
    assert result["not_checked"]


@pytest.mark.parametrize(
    "changes",
    [
        {
            "volumes": [
                VOLUME,
                VOLUME | {"id": "v2", "status": "unrecognised", "description": "Microsoft reserved partition", "length": 16 << 20},
            ]
        },
        {"volumes": [VOLUME, VOLUME | {"id": "v2", "status": "empty"}]},
        {"coverage": [*CLEAN, cover("files: system", "skipped_by_rule", 5, reason="the profile quick does not read it")]},
        {"coverage": [*CLEAN, cover("files: personal", "unreadable", 2, 100)]},
        {"coverage": [*CLEAN, cover("file system", "failed", 1)]},
        {"coverage": [*CLEAN, cover("firefox_history", "failed", 1)]},
        {"coverage": [*CLEAN, cover("firefox_history", "missing", 1), cover("chromium_history", "empty", 1)]},
        {"coverage": [*CLEAN, cover("source", "unreadable", path="/one/file")]},
    ],
)
def test_small_gaps_are_listed_without_changing_the_outcome(changes: dict[str, Any]) -> None:
    assert judge(**changes)["outcome"] == "nothing_found"


def test_volumes_that_hold_others_and_space_in_no_partition() -> None:
    volumes = [
        VOLUME | {"id": "v1", "status": "skipped_by_rule", "reason": "its volumes are listed"},
        VOLUME | {"id": "v1.1"},
        VOLUME
        | {
            "id": "v1.2",
            "status": "skipped_by_rule",
            "label": None,
            "description": "shadow copy of a day, 7f",
            "reason": "not in this profile.",
        },
        VOLUME | {"id": "v2", "status": "empty", "scheme": "unpartitioned"},
        VOLUME | {"id": "v3", "status": "empty"},
    ]
    result = judge(volumes=volumes, coverage=[item | {"volume": "v1.1"} for item in CLEAN])
    assert result["outcome"] == "nothing_found"
    assert result["not_checked"] == ["Volume v1.2 (shadow copy of a day, 1.0 GB) was left out by a rule: not in this profile."]
    assert (result["looked_at"]["volumes"], result["looked_at"]["volumes_total"]) == (2, 3)


def test_a_volume_that_is_a_gap_is_told_once() -> None:
    volumes = [VOLUME, VOLUME | {"id": "v2", "status": "unreadable"}]
    coverage = [*CLEAN, cover("volume", "unreadable", volume="v2", reason="beyond the end"), cover("volume", "failed", reason="cut short")]
    assert judge(volumes=volumes, coverage=coverage)["not_checked"] == [
        "Volume v2 (Data, 1.0 GB) was not checked: could not be read. Files, pictures and browser history could be there.",
        "Source /e/disk.raw, volume v1: cut short.",
    ]


def test_every_status_is_put_into_words() -> None:
    for status in Status:
        said = judge(coverage=[*CLEAN, cover("browsers.firefox.history", status.value, 3)])["not_checked"]
        assert bool(said) is (status not in (Status.PARSED, Status.EMPTY, Status.MISSING))
    assert judge(coverage=[*CLEAN, cover("files: personal", "unreadable", 2, 100)])["not_checked"] == [
        "2 files (100 bytes) among other personal files: could not be read. Papers, pictures and messages could be there."
    ]


def test_artefacts_are_called_by_their_titles_and_what_they_could_hide_is_said() -> None:
    titles = {artefact.id: artefact.title for artefact in all_artefacts()}
    result = judge(coverage=[*CLEAN, cover("windows.registry.userassist", "failed"), cover("browsers.firefox.history", "encrypted", 2)])
    assert result["not_checked"] == [
        f"{titles['browsers.firefox.history']}: 2 items encrypted, so not read. Pages that were opened could be there.",
        f"{titles['windows.registry.userassist']}: 1 item could not be read to the end. Programs and devices that were used could be missed.",
    ]


def test_what_a_rule_left_out_is_on_page_one_only_where_it_could_hide_something() -> None:
    noise = [
        cover("keywords", "skipped_by_rule", 2, reason="address or title of a search that is told by itself"),
        cover("content checks", "skipped_by_rule", 7, reason="known file of an ignore set"),
    ]
    telling = [
        cover("unallocated space", "skipped_by_rule", 1, reason="the profile quick does not look there"),
        cover("file system", "skipped_by_rule", 3, reason="profile of a user who is out of scope"),
    ]
    result = judge(coverage=[*CLEAN, *noise, *telling])
    assert result["not_checked"] == [
        "File system: 3 items left out by a rule (profile of a user who is out of scope). Files and folders could be there.",
        "The space that no file uses was not searched for words. Deleted text could be there.",
    ]
    assert result["left_out"] == [
        "Content checks: 7 items left out by a rule (known file of an ignore set).",
        "Keywords: 2 items left out by a rule (address or title of a search that is told by itself).",
    ]


def test_gaps_stand_strongest_first() -> None:
    coverage = [
        *CLEAN,
        cover("YARA", "failed"),
        cover("files: pictures", "out_of_time", 2, 10),
        cover("windows.prefetch", "unreadable"),
        cover("files: deleted", "unreadable"),
    ]
    volumes = [VOLUME, VOLUME | {"id": "v2", "status": "encrypted", "encrypted": "bitlocker"}]
    weights = [
        item["weight"] for item in judge(coverage=coverage, volumes=volumes, complete=False)["grounds"] if item["part"] == "not_checked"
    ]
    assert weights == sorted(weights, reverse=True) and len(set(weights)) == 6


def test_a_crashed_conclusion_stands_in_the_way_of_nothing_found() -> None:
    what = "conclusions from all records together"
    result = judge(coverage=[*CLEAN, cover(what, "failed", source="", volume="", reason="software: KeyError: 'x'")])
    assert result["outcome"] == "not_checked"
    assert result["reasons"] == [
        "Conclusions from all records together: 1 item could not be read to the end. Signs of clean-up, devices and programs could be missed."
    ]
    dropped = cover(what, "skipped_by_rule", source="", volume="", reason="gone_files: 3 more files are remembered")
    assert judge(coverage=[*CLEAN, dropped])["outcome"] == "nothing_found"


def test_every_sentence_says_what_it_stands_on() -> None:
    findings = [finding(1, advice=["ask_for_key"]), finding(2), finding(3, "refer", 4), finding(4, title="Title 1")]
    result = judge(findings=findings, **BLOCKING["a locked volume"])
    ids = {item["id"] for item in findings}
    for part in ("reasons", "counter_indications", "advice", "not_checked"):
        assert [item["text"] for item in result["grounds"] if item["part"] == part] == result[part] != []
    for item in result["grounds"]:
        assert item["findings"] or item["coverage"], item
        assert set(item["findings"]) <= ids
    first = result["grounds"][0]
    assert first["text"] == "Title 1 (2 times)" and first["findings"] == [findings[0]["id"], findings[3]["id"]]


def test_three_reasons_say_three_things() -> None:
    findings = [finding(number, rule="same") for number in range(6)] + [
        finding(10, rule="other", severity=4),
        finding(11, rule="third", severity=4),
    ]
    assert {"Title 10", "Title 11"} == set(judge(findings=findings)["reasons"][1:3])
    assert judge(findings=findings)["reasons"][0] == "Title 0"


def test_what_is_deleted_weighs_less() -> None:
    findings = [finding(1, allocated=False), finding(2, rule="other")]
    assert judge(findings=findings)["reasons"] == ["Title 2", "Title 1"]


def test_what_points_the_other_way() -> None:
    two = [finding(1, user="a"), finding(2, user="b", allocated=False)]
    assert judge(findings=two)["counter_indications"][0].startswith("The findings belong to more than one account.")
    assert "account" not in str(judge(findings=[finding(1, user="a"), finding(2, user=None)])["counter_indications"])
    assert (
        judge(findings=[finding(1, severity=1)])["counter_indications"][0]
        == "This rests on one record. Nothing else that was read bears it out."
    )
    strong_first = [finding(1, severity=3), finding(2, rule="other", severity=5, innocent_explanations=["A.", "B."])]
    assert judge(findings=strong_first)["counter_indications"] == ["A.", "B.", "Innocent 1."]


def test_a_locked_volume_is_named_with_what_could_hide_there() -> None:
    result = judge(**BLOCKING["a locked volume"])
    assert result["reasons"] == [
        "Volume v2 (Data, 1.0 GB) is encrypted and locked (bitlocker). Files, pictures and browser history could be there."
    ]
    assert result["advice"] == [ADVICE["ask_for_key"], ADVICE["ask_unit"], ADVICE["ask_other_devices"]]
    assert result["looked_at"]["text"].startswith("Looked at 1 of 2 volumes")


def test_a_part_of_a_source_that_is_missing_is_not_the_whole_source() -> None:
    total = cover("source", "unreadable", 1, 512, volume="")
    result = judge(coverage=[*CLEAN, total, total | {"reason": "512 bytes could not be read"}])
    assert [reason for reason in result["reasons"] if reason.startswith("Source")] == [
        f"Source {SOURCE['path']}: 512 bytes could not be read."
    ]
    assert any(reason.startswith("Source") for reason in judge(coverage=[*CLEAN, total])["reasons"])


def test_random_bytes_are_not_said_to_be_encrypted() -> None:
    blocked = BLOCKING["a locked volume"]
    volumes = [volume | ({"encrypted": "possible container"} if volume["encrypted"] else {}) for volume in blocked["volumes"]]
    (reason,) = judge(**blocked | {"volumes": volumes})["reasons"]
    assert "may be encrypted, or have been wiped" in reason
    assert "is encrypted" not in reason


def test_out_of_time_advises_to_go_on() -> None:
    assert ADVICE["scan_again"] in judge(**BLOCKING["pictures out of time"])["advice"]
    assert ADVICE["scan_again"] in judge(complete=False)["advice"]


def test_unlocked_encryption_on_a_live_machine_comes_first() -> None:
    volume = VOLUME | {"encrypted": "bitlocker", "unlocked": True}
    live = judge(volumes=[volume], sources=[SOURCE | {"kind": "live"}])
    assert live["advice"][:2] == [ADVICE["keep_power"], ADVICE["call_htcu"]]
    assert live["outcome"] == "nothing_found"
    assert ADVICE["keep_power"] not in judge(volumes=[volume])["advice"]
    noted = finding(indicates="note", severity=2, advice=["keep_power"])
    assert judge(findings=[noted], sources=[SOURCE | {"kind": "live"}])["advice"][0] == ADVICE["keep_power"]
    assert ADVICE["keep_power"] not in judge(findings=[noted])["advice"]


def test_found_goes_before_refer() -> None:
    result = judge(findings=[finding(1, "refer", 5), finding(2, "found", 1), finding(3, "note", 5)])
    assert result["outcome"] == "found"
    assert result["reasons"] == ["Title 2"]
    assert result["counter_indications"][1:] == ["Innocent 2."]
    assert result["advice"][0] == ADVICE["call_htcu"]


def test_reasons_are_counted_and_capped() -> None:
    result = judge(findings=[finding(number, title=f"Title {number % 40}") for number in range(80)])
    assert len(result["reasons"]) == 20
    assert result["reasons"][0] == "Title 0 (2 times)"
    assert len(result["counter_indications"]) == 3


def test_everything_deleted_is_said() -> None:
    deleted = [finding(1, allocated=False), finding(2, allocated=False)]
    assert judge(findings=deleted)["counter_indications"][0] == "Everything that was found is deleted. Nothing shows that it was kept."
    assert "deleted" not in str(judge(findings=[*deleted, finding(3)])["counter_indications"])


def test_the_order_of_the_records_does_not_matter() -> None:
    records: dict[str, list[dict[str, Any]]] = {
        "findings": [
            finding(number, indicates, severity)
            for number, (indicates, severity) in enumerate(itertools.product(("found", "note"), (1, 5)))
        ],
        "coverage": [*CLEAN, cover("a", "failed", 2), cover("b", "encrypted", 1), cover("files: other", "unreadable", 4)],
    }
    expected = judge(**records)
    rng = random.Random(5)
    for _ in range(10):
        shuffled = copy.deepcopy(records)
        for values in shuffled.values():
            rng.shuffle(values)
        assert judge(**shuffled) == expected


def test_words_that_are_never_used() -> None:
    everything = [finding(bears_on=["keep_history"])]
    visit = {"conditions": [{"id": "3", "text": "Keep the history.", "checks": ["keep_history"]}]}
    text = str([judge(findings=everything, visit=visit), *(judge(**changes) for changes in BLOCKING.values())]).lower()
    for word in ("breach", "guilty", "clean", "innocent of", "proof that", "offender"):
        assert word not in text


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (3_400_000_000, "3.4 GB"), (5 * 10**15, "5000.0 TB")]
)
def test_size_words(count: int, words: str) -> None:
    assert size_words(count) == words


def test_a_sweep_is_judged_by_its_blocks_and_names_its_blind_spots() -> None:
    odds = "Sampled 10 of 20 blocks, drawn at random. None was met."
    swept = [
        cover("sweep", "parsed", 10, 40960, odds, volume=""),
        cover("sweep of a volume", "parsed", 10, 40960, "every sector tried"),
        cover("sweep, what it cannot see", "skipped_by_rule", 0, 0, "encrypted files are blind spots", volume=""),
    ]
    judged = judge(coverage=swept)
    assert judged["outcome"] == "nothing_found" and odds in judged["looked_at"]["text"]
    assert judged["not_checked"] == ["A sweep has blind spots. Encrypted files are blind spots."]
    stopped = judge(coverage=[*swept, cover("sweep", "out_of_time", 5, 0, "5 more blocks are needed", volume="")])
    assert stopped["outcome"] == "not_checked"
    assert judge(coverage=swept[1:])["outcome"] == "not_checked", "a volume that was drawn from, and nothing that was read"

"""Classes of place, and the order of reading."""

from __future__ import annotations

import json

import pytest

from triage.evidence.model import Entry
from triage.scan import classify
from triage.scan.plan import BATCH_FILES, Plan, Row, pack_chunk

DAY = 86_400 * 1_000_000_000


@pytest.mark.parametrize(
    ("path", "allocated", "cls"),
    [
        ("/Users/a/Pictures/x.jpg", True, "pictures"),
        ("/Users/a/Pictures/no extension", True, "pictures"),
        ("/Users/a/Documents/film.MKV", True, "pictures"),
        ("/Users/a/Downloads/setup.exe", True, "downloads"),
        ("/Users/a/Documents/letter.doc", True, "personal"),
        ("/Users/a/Documents/letter.doc", False, "deleted"),
        ("/Users/a/Pictures/x.jpg", False, "pictures"),
        ("/$OrphanFiles/x.jpg", False, "pictures"),
        ("/Users/a/AppData/Local/App/data.bin", True, "other"),
        ("/Users/a/AppData/Local/App/icon.png", True, "personal"),
        ("/Windows/System32/x.dll", True, "system"),
        ("/Windows/Web/wallpaper.jpg", True, "system"),
        ("/windows.old.zip", True, "other"),
        ("/Program Files/App/app.exe", True, "programs"),
        ("/$MFT", True, "system"),
        ("/$Recycle.Bin/S-1-5/$R123.jpg", True, "pictures"),
        ("/home/a/Desktop/x.txt", True, "downloads"),
        ("/usr/share/x.png", True, "system"),
        ("/data/x.txt", True, "other"),
        ("/data/x.jpg", True, "pictures"),
    ],
)
def test_classes_on_a_system_volume(path: str, allocated: bool, cls: str) -> None:
    entry = Entry(path, "file", 1, "1", allocated=allocated)
    assert classify.CLASSES[classify.classify(entry, artefact=False, system_volume=True)] == cls


def test_without_a_system_every_place_is_personal() -> None:
    entry = Entry("/usr/letter.txt", "file", 1, "1")
    assert classify.classify(entry, artefact=False, system_volume=False) == classify.PERSONAL
    assert classify.classify(entry, artefact=True, system_volume=False) == classify.TRACES


def test_a_system_is_known_by_its_root() -> None:
    assert classify.holds_system({"Windows", "Users"})
    assert classify.holds_system({"usr", "etc", "home", "var"})
    assert not classify.holds_system({"DCIM", "usr"})


def _plan(entries: list[tuple[str, int, int, int, int]]) -> Plan:
    plan = Plan()
    rows = [Row(cls, size, first, modified) for _, cls, size, first, modified in entries]
    plan.add("s1", "v1", pack_chunk(rows, [json.dumps(path).encode() for path, *_ in entries]))
    return plan


def _order(plan: Plan, classes: tuple[str, ...] = classify.CLASSES) -> list[str]:
    return [path for batch in plan.batches(classes) for path in json.loads(b"[" + batch.entries + b"]")]


def test_what_matters_comes_first_and_then_disk_order() -> None:
    plan = _plan(
        [
            ("system", classify.SYSTEM, 1, 5, 0),
            ("b", classify.PICTURES, 1, 900, 0),
            ("a", classify.PICTURES, 1, 100, 0),
            ("trace", classify.TRACES, 1, 5000, 0),
            ("resident", classify.PICTURES, 1, -1, 0),
        ]
    )
    assert _order(plan) == ["trace", "resident", "a", "b", "system"]
    assert _order(plan, ("pictures",)) == ["resident", "a", "b"]


def test_recent_is_measured_by_the_evidence_not_by_the_clock() -> None:
    entries = [(f"old {n}", classify.PERSONAL, 1, n, 1000 * DAY) for n in range(50)]
    entries += [(f"new {n}", classify.PERSONAL, 1, n, 2000 * DAY) for n in range(50)]
    entries.append(("future", classify.PERSONAL, 1, 0, 90_000 * DAY))
    plan = _plan(entries)
    plan.mark_recent()
    first = _order(plan)[:51]
    assert set(first) == {f"new {n}" for n in range(50)} | {"future"}


def test_batches_are_bounded_and_their_key_names_their_content() -> None:
    entries = [(f"f{n}", classify.OTHER, 20 << 20, n, 0) for n in range(5)] + [
        (f"d{n}", classify.OTHER, -1, 100 + n, 0) for n in range(300)
    ]
    batches = list(_plan(entries).batches(classify.CLASSES))
    assert [batch.files for batch in batches][:4] == [1, 1, 1, 1]
    assert all(batch.files <= BATCH_FILES for batch in batches)
    assert sum(batch.files for batch in batches) == 305
    assert len({batch.key for batch in batches}) == len(batches)
    assert [batch.key for batch in _plan(entries).batches(classify.CLASSES)] == [batch.key for batch in batches]


def test_a_file_larger_than_a_batch_goes_alone() -> None:
    batches = list(_plan([("big", classify.OTHER, 1 << 40, 0, 0), ("small", classify.OTHER, 1, 1, 0)]).batches(classify.CLASSES))
    assert [batch.files for batch in batches] == [1, 1]

"""Known file names, exact and nearly."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest

from rules.keywords import load
from rules.keywords.names import one_apart, skeleton

LIST = """term,category,severity,form,where,unless
Copper Kettle.mp4,a,4,name-like,,
amber.zip,a,3,name,,
lantern01.jpg,a,3,name-like,name,
kettle,a,1,word,,
harbour_plan.doc,a,2,name,,Backup
"""


def found(tmp_path: Path, text: str, where: str = "name") -> list[tuple[str, str]]:
    (tmp_path / "names.csv").write_text(LIST)
    libraries = load([tmp_path / "names.csv"])
    assert libraries.problems == []
    return [(hit.term, hit.found) for hit in libraries.matcher().in_text(text, where) if hit.form != "word"]


@pytest.mark.parametrize(
    "name",
    [
        "copper kettle.mp4", "COPPER_KETTLE.avi", "copper-kettle (1).mp4", "Copper Kettle - Copy (2).mp4", "Copy of Copper Kettle", "Copper.Kettle.2019.mp4",
        "copper_ketle.mp4", "coper kettle 07.mp4", "xcopper kettle", "copper kettlé.mp4", "cöpper kettle",
    ],
)  # fmt: skip
def test_like(tmp_path: Path, name: str) -> None:
    assert found(tmp_path, name) == [("Copper Kettle.mp4", name)]
    assert found(tmp_path, f"C:\\Users\\ann\\{name}") == [("Copper Kettle.mp4", name)]
    assert found(tmp_path, name, "text") == []


@pytest.mark.parametrize(
    "name", ["kettle copper.mp4", "coper ketle.mp4", "copper kettles and pans.mp4", "copper", "lanterm.jpg", "amber.zip.txt", ""]
)
def test_not_alike(tmp_path: Path, name: str) -> None:
    assert found(tmp_path, name) == []


def test_exact_and_short(tmp_path: Path) -> None:
    assert found(tmp_path, "/home/ann/AMBER.ZIP") == [("amber.zip", "AMBER.ZIP")]
    assert found(tmp_path, "amber (1).zip") == []
    assert found(tmp_path, "Lantern_2.png") == [("lantern01.jpg", "Lantern_2.png")]
    assert found(tmp_path, "harbour_plan.doc") == [("harbour_plan.doc", "harbour_plan.doc")]
    assert found(tmp_path, "D:\\Backup\\harbour_plan.doc") == []


def test_a_name_stands_once_beside_a_word_in_it(tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text(LIST)
    hits = load([tmp_path / "names.csv"]).matcher().in_text("x/copper kettle.mp4", "name")
    assert [(hit.form, hit.start, hit.end, hit.found) for hit in hits] == [
        ("name-like", 2, 19, "copper kettle.mp4"),
        ("word", 9, 15, "kettle"),
    ]


def test_what_cannot_be_a_name(tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text(
        "term,category,severity,form,where,near\nabc123.jpg,a,1,name-like,,\nx/y.jpg,a,1,name,,\ny.jpg,a,1,name,text,\ny.jpg,a,1,name,,z\n"
        + "a" * 300
        + ",a,1,name,,\n"
    )
    assert [(problem.line, problem.reason.partition(" ")[2]) for problem in load([tmp_path / "names.csv"]).problems] == [
        (2, "has fewer than 4 letters besides its ending, digits and signs: give it the form name"),
        (3, "holds a path: only the name itself is compared"),
        (4, "has the form name, which is looked for in names only"),
        (5, "has the form name, which takes neither near nor substitutions"),
        (6, "is longer than 255 characters"),
    ]


def test_one_apart_against_the_definition() -> None:
    rng = random.Random(5)
    for _ in range(3000):
        one = "".join(rng.choices("ab", k=rng.randint(0, 5)))
        other = "".join(rng.choices("ab", k=rng.randint(0, 5)))
        assert one_apart(one, other) == (_distance(one, other) <= 1), (one, other)


def test_the_index_finds_what_comparing_all_finds(tmp_path: Path) -> None:
    rng = random.Random(6)
    known = ["".join(rng.choices("abc", k=rng.randint(8, 11))) for _ in range(150)]
    (tmp_path / "n.csv").write_text("term,category,severity,form\n" + "".join(f"{name},a,1,name-like\n" for name in dict.fromkeys(known)))
    matcher = load([tmp_path / "n.csv"]).matcher()
    near = 0
    for _ in range(300):
        base = list(rng.choice(known))
        for _ in range(rng.randint(0, 2)):
            base[rng.randrange(len(base))] = rng.choice(["", *string.ascii_lowercase[:4]])
        name = "".join(base)
        expected = {other for other in known if one_apart(name, other) or other == name}
        near += bool(expected)
        assert {hit.term for hit in matcher.in_text(name, "name")} == expected
    assert near > 100


def test_skeletons_of_hostile_names() -> None:
    assert skeleton("(1)" * 200) == ""
    assert skeleton("copy of " * 20 + "x.jpg") == "x"
    assert skeleton("\x00\ud800\u202e.jpg" + "a" * 5000)


def _distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row = row, [i]
        for j, b in enumerate(other, 1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (a != b)))
    return row[-1]

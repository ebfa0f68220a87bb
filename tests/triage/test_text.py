"""Text made visible: nothing acts, nothing is lost, everything can be encoded."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.text import csv_cell, visible

ANY_TEXT = st.text(st.characters(codec=None))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain, £5 – naïve 日本 ق 👍", "plain, £5 – naïve 日本 ق 👍"),
        ("\x1b[2Jgone", "⟨ESC⟩[2Jgone"),
        ("a\tb\r\nc\x00d\x7f", "a⟨TAB⟩b⟨CR⟩⟨LF⟩c⟨NUL⟩d⟨DEL⟩"),
        ("photo\u202egnp.exe", "photo⟨U+202E⟩gnp.exe"),
        ("\u2066a\u2069\u200f", "⟨U+2066⟩a⟨U+2069⟩⟨U+200F⟩"),
        ("ab\u200bcd\ufeff\u00ad", "ab⟨U+200B⟩cd⟨U+FEFF⟩⟨U+00AD⟩"),
        ("raw \udcff byte", "raw ⟨U+DCFF⟩ byte"),
        ("\x85\x9b1m", "⟨U+0085⟩⟨U+009B⟩1m"),
        ("tag \U000e0041", "tag ⟨U+E0041⟩"),
        ("heart \u2764\ufe0f", "heart \u2764\ufe0f"),
    ],
)
def test_signs(raw: str, shown: str) -> None:
    assert visible(raw) == shown


def test_marks_cannot_pile_up() -> None:
    assert visible("e" + "\u0301" * 500 + "x") == "e" + "\u0301" * 8 + "⟨more marks⟩x"


def test_shortened_in_the_middle_and_says_so() -> None:
    shown = visible("A" * 6000 + "\x1b" + "B" * 3990 + "/name.txt", limit=90)
    assert shown == "A" * 60 + " ⟨… 9,910 characters left out …⟩ " + "B" * 21 + "/name.txt"
    assert visible("x" * 90, limit=90) == "x" * 90


@given(ANY_TEXT)
def test_never_acts_and_always_encodes(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not [c for c in shown if unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")]
    assert visible(shown) == shown


@pytest.mark.parametrize("raw", ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1+1", "＝1+1"])
def test_formulas_are_disarmed(raw: str) -> None:
    cell = csv_cell(raw)
    assert cell.startswith("'")
    assert cell[1:] == visible(raw)


@pytest.mark.parametrize("raw", ["", "plain", "a=b", "1-2", "'quoted'"])
def test_ordinary_cells_stay(raw: str) -> None:
    assert csv_cell(raw) == raw


@given(st.lists(ANY_TEXT, min_size=1, max_size=5))
def test_a_row_stays_a_row(cells: list[str]) -> None:
    out = io.StringIO()
    csv.writer(out).writerow([csv_cell(cell) for cell in cells])
    assert list(csv.reader(io.StringIO(out.getvalue()))) == [[csv_cell(cell) for cell in cells]]

"""The journal: chained, resumable, and honest about every kind of damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import triage.journal
from triage.journal import Journal, JournalError, read


def _write(path: Path, count: int = 5) -> None:
    journal = Journal(path)
    for number in range(count):
        journal.append("error", {"where": "test", "reason": f"line {number} \u202e\ud800"})
    journal.close()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    _write(path)
    records = list(read(path))
    assert [record.seq for record in records] == [0, 1, 2, 3, 4]
    assert records[3].data["reason"] == "line 3 \u202e\ud800"


def test_going_on_keeps_the_chain(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    _write(path)
    _write(path)
    assert len(list(read(path))) == 10


@pytest.mark.parametrize("line", [0, 2, 4])
@pytest.mark.parametrize("kind", ["edit", "drop", "swap", "repeat"])
def test_each_alteration_is_found_at_its_line(tmp_path: Path, line: int, kind: str) -> None:
    path = tmp_path / "journal.jsonl"
    _write(path)
    lines = path.read_bytes().splitlines(keepends=True)
    if kind == "edit":
        lines[line] = lines[line].replace(b'"where":"test"', b'"where":"tesT"')
    elif kind == "drop":
        del lines[line]
    elif kind == "swap":
        other = line - 1 if line else 1
        lines[line], lines[other] = lines[other], lines[line]
    else:
        lines.insert(line, lines[line])
    path.write_bytes(b"".join(lines))
    if line == 4 and kind in ("edit", "drop"):
        # The chain alone cannot see its own end: checkpoints and the seal do (tests of verify).
        assert len(list(read(path))) == (5 if kind == "edit" else 4)
        return
    with pytest.raises(JournalError):
        list(read(path))


def test_a_torn_last_line_is_left_out_and_cut_off_when_going_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    _write(path)
    path.write_bytes(path.read_bytes()[:-10])
    assert len(list(read(path))) == 4
    journal = Journal(path)
    journal.close()
    records = list(read(path))
    assert len(records) == 5
    assert "cut off" in records[-1].data["reason"]


def test_checkpoints_name_lines_and_head(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    signed: list[tuple[int, str]] = []

    def sign(lines: int, head: str) -> str:
        signed.append((lines, head))
        return "signature"

    journal = Journal(path, checkpoint=sign, checkpoint_every=3)
    for number in range(7):
        journal.append("operator", {"action": str(number)})
    journal.close()
    records = list(read(path))
    points = [record for record in records if record.kind == "checkpoint"]
    assert [(point.data["lines"], point.data["head"]) for point in points] == signed
    assert [point.seq for point in points] == [lines for lines, _ in signed]
    assert len(points) == 2


def test_hostile_json_is_an_error_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    for text in (b"[" * 100_000, b"{}", b"null", b"\xff\xfe", json.dumps({"seq": 0}).encode()):
        path.write_bytes(text + b"\n")
        with pytest.raises(JournalError):
            list(read(path))


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, -1, True, None, "x"], "b": {}, "c": []},
        {"text": '\x7f\x00\x1f\b\f\n\r\t"\\/<>&'},
        {"text": "Gr\u00fc\u00dfe \U0001f600 \ud800 lone"},
        {"floats": [0.0, -0.0, 1.5, 1e16, 1e-7, 123456789.123, 1e22, 2.5e-05]},
        {"digest": "3e5e5", "list": ["1e5", ":1e5", "[2e4"]},
        {"long": [2**53, 2**63, 2**64, -(2**70), 10**19]},
        {1: "a key that is no text"},
        ("a", "tuple"),
    ],
)
def test_lines_are_written_as_python_writes_them(value: Any) -> None:
    plain = json.dumps(value, separators=(",", ":")).encode("ascii")
    assert triage.journal.encode(value) == plain
    again = triage.journal.decode(plain)
    assert again == json.loads(plain) and repr(again) == repr(json.loads(plain))


def test_what_is_no_json_is_refused() -> None:
    for bad in (b"", b"{", b"nothing", b'{"a":1}x'):
        with pytest.raises(ValueError):
            triage.journal.decode(bad)

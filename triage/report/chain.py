"""Checking a journal that may be hostile: its chain, its checkpoints, its end. Reads once, in bounded memory, and never raises for content."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from triage.casefolder import CaseFile
from triage.journal import ZERO
from triage.keys import checkpoint_message, verifies

MAX_LINE = 64 << 20
MAX_PARSED = 16 << 20  # a longer record of a kind that is read here is none of ours
MAX_PROBLEMS = 50
_HEAD = re.compile(rb'\{"seq":(0|[1-9][0-9]{0,14}),"prev":"([0-9a-f]{64})","time":"([0-9T:.Z+-]{20,40})","kind":"([a-z_]{1,40})","data":\{')
_HEAD_BYTES = 256
_READ = ("case_opened", "scan_started", "checkpoint", "sealed", "unsealed")


@dataclass(slots=True)
class ChainReport:
    """What a journal is worth. ``size`` and ``sha256`` are of the whole file; ``sha256`` is None where the chain is
    broken.

    ``lines`` and ``head`` go as far as the chain holds. ``watched_head``: the head when the journal had as many lines as was asked for.
    ``keys``: the public keys named, in order. ``signed_lines``: what the last good checkpoint covers.
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    size: int = 0
    sha256: str | None = None
    lines: int = 0
    head: str = ZERO
    watched_head: str | None = None
    ends_sealed: bool = False
    sealed_at: str | None = None
    reports: dict[str, Any] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    signed_lines: int = 0
    torn: bool = False


def check_journal(path: CaseFile, *, watch: int | None = None, seal_key: str | None = None) -> ChainReport:
    """Read the journal at ``path``. ``watch``: a number of lines at which to note the head; ``seal_key``: the key that checkpoints are
    checked against where the journal names none. Raises ``OSError`` where the file cannot be opened."""
    return _Checker(watch, seal_key).run(path)


class _Checker:
    def __init__(self, watch: int | None, seal_key: str | None) -> None:
        self._watch, self._seal_key = watch, seal_key
        self._key: str | None = None
        self._last_time = ""
        self.report = ChainReport()

    def run(self, path: CaseFile) -> ChainReport:
        report, whole = self.report, hashlib.sha256()
        with path.open("rb") as file:
            for raw in _lines(file):
                whole.update(raw)
                report.size += len(raw)
                if not self._line(raw):
                    report.ends_sealed = False
                    report.size = path.lstat().st_size
                    return report
        report.sha256 = whole.hexdigest()
        return report

    def _note(self, text: str) -> None:
        if len(self.report.notes) < MAX_PROBLEMS:
            self.report.notes.append(text)

    def _problem(self, line: int, text: str) -> None:
        if len(self.report.problems) < MAX_PROBLEMS:
            self.report.problems.append(f"journal.jsonl, line {line:,}: {text}")

    def _line(self, raw: bytes) -> bool:
        """Take one line with its newline; False where the chain ends."""
        report, number = self.report, self.report.lines + 1
        if not raw.endswith(b"\n"):
            report.torn = len(raw) <= MAX_LINE
            self._problem(number, "stops in the middle: the end was cut off" if report.torn else f"is longer than {MAX_LINE >> 20} MiB")
            return False
        raw = raw[:-1]
        match = _HEAD.match(raw[:_HEAD_BYTES])
        if match is None or not raw.endswith(b"}}"):
            self._problem(number, "is not a line of a journal: it was altered")
            return False
        seq, previous, time, kind = int(match[1]), match[2].decode(), match[3].decode(), match[4].decode()
        if seq != report.lines:
            self._problem(number, f"has the number {seq + 1:,}: lines were added, taken out or moved")
            return False
        if previous != report.head:
            where = f"line {number - 1:,} was altered, or " if number > 1 else ""
            self._problem(number, f"does not follow from the line before it: {where}lines were added, taken out or moved")
            return False
        if time < self._last_time:
            self._note(f"The clock of the computer went back before journal line {number:,}.")
        self._last_time = time
        report.ends_sealed = kind == "sealed"
        if kind in _READ:
            self._record(number, kind, time, raw)
        report.head, report.lines = hashlib.sha256(raw).hexdigest(), number
        if number == self._watch:
            report.watched_head = report.head
        return True

    def _record(self, number: int, kind: str, time: str, raw: bytes) -> None:
        try:
            data = json.loads(raw)["data"] if len(raw) <= MAX_PARSED else None
        except (ValueError, RecursionError, KeyError):
            data = None
        if not isinstance(data, dict):
            self._problem(number, "is not a record of a journal: it was altered")
            return
        if kind == "checkpoint":
            self._checkpoint(number, data)
        elif kind == "sealed":
            reports = data.get("reports")
            self.report.sealed_at, self.report.reports = time, reports if isinstance(reports, dict) else {}
        elif kind == "unsealed":
            self._unsealed(number, data)
        elif isinstance(data.get("public_key"), str):
            self._key = data["public_key"]
            if self._key not in self.report.keys:
                self.report.keys.append(self._key)

    def _checkpoint(self, number: int, data: dict[str, Any]) -> None:
        key = self._key or self._seal_key
        if data.get("lines") != self.report.lines or data.get("head") != self.report.head:
            self._problem(number, "is a checkpoint that does not fit the lines before it")
        elif key is None:
            self._note(f"The checkpoint in journal line {number:,} could not be checked: no key is named.")
        elif not verifies(key, data.get("signature"), checkpoint_message(self.report.lines, self.report.head)):
            self._problem(number, "is a checkpoint with a wrong signature")
        else:
            self.report.signed_lines = self.report.lines

    def _unsealed(self, number: int, data: dict[str, Any]) -> None:
        if data.get("journal_intact") is False:
            self._problem(number, "says that the journal did not match its seal when the scan went on")
        elif data.get("problems"):
            self._note(f"When the scan went on (journal line {number:,}), the rest of the case was not as it had been sealed.")


def _lines(file: IO[Any]) -> Iterator[bytes]:
    while line := file.readline(MAX_LINE + 1):
        yield line

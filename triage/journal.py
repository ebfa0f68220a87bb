"""The case journal, ``journal.jsonl``: append-only, hash-chained, flushed as it grows. The journal is the case.

Each line is one JSON object and a newline::

    {"seq": 7, "prev": "<SHA-256 of line 6, its newline left out, hex>", "time": "2026-11-21T09:00:00.000000Z", "kind": "coverage", "data": {…}}

``prev`` of line 0 is 64 zeros. ``time`` is this computer's clock (asserted, not proved). Kinds, and what ``data`` holds:

=================  ==============================================================================================================
case_opened        tool {name, version, self_sha256}, arguments, profile, rules {…digests}, hash_sets [...], visit, case_id (folder name), public_key
source_opened      id, kind, path, size, files[path], facts, sha256?
volume             source, id, offset, length, scheme, description, filesystem, label, encrypted, unlocked, status, reason
coverage           source, volume, what, status, count, bytes, reason, path?, summary? (true: a total of this attempt, void once another starts)
observation        id, type, the fields of that type, provenance {source, volume, path, locator, parser, recovered}; of one that was drawn from
                   others (triage/scan/conclude.py) provenance has ``rests_on`` too: their ids
withdrawn          observations [ids], findings [ids], reason: drawn in an earlier attempt, from less; they do not follow any more
listing            source, volume, class, batch, files, bytes, coverage [[what, status, reason, count, bytes]], columns [...], rows [[...]]: a batch
                   of files that was read; one FileSeen or DeletedFile a row. ``batch`` names its content: what resuming may leave out
finding            see triage/findings.py; a later finding with the same id replaces the earlier one
error              where, reason: something of ours that went wrong and was survived
touch              what, why: something a live system could not be spared
operator           action, text: what the officer did or noted
timing             name, seconds
sweep_pass         source, pass, start, stop, blocks (of the whole source), samples, blank, unreadable, bytes, volumes {id: [samples, blank,
                   unreadable, bytes]}, single [observations of one block, not yet journalled]: a pass of a sweep that was read to its end
scan_started       attempt, time_budget, public_key (in force from here on)          scan_finished     complete, reason
checkpoint         head (SHA-256 of the line before), lines, signature (base64, Ed25519 over "triage checkpoint\\n" + lines + "\\n" + head)
sealed             reports {name: SHA-256}: the last line of a sealed case
unsealed           state, journal_intact, problems, fingerprint, files {name: SHA-256}: a sealed case is gone on with; what its old seal was worth
=================  ==============================================================================================================
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from triage.casefolder import CaseFile

ZERO = "0" * 64
FLUSH_EVERY_BYTES = 1 << 16


class Record(NamedTuple):
    """One journal line."""

    seq: int
    time: str
    kind: str
    data: dict[str, Any]


class JournalError(Exception):
    """The chain is broken. ``line`` is the number of the first bad line, counted from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"journal line {line}: {reason}")
        self.line = line
        self.reason = reason


def now() -> str:
    """The current time as RFC 3339 in UTC with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


_compact = json.JSONEncoder(separators=(",", ":")).encode  # made once: json.dumps would make one a line


_EXPONENT = re.compile(
    rb"e(?<=\de)-?\d"
)  # begins with a letter that can be looked for fast; a match inside a text costs time, nothing else
_DIGITS = bytes(48 if 48 <= code <= 57 else 45 if code == 45 else 32 for code in range(256))


def encode(data: Any) -> bytes:
    """``data`` as the bytes that stand in a journal line: compact, ASCII, keys in their own order, as Python's json writes them."""
    try:
        quick = orjson.dumps(data)
    except TypeError:  # a lone surrogate, a long number, a key that is no text
        return _compact(data).encode("ascii")
    # orjson leaves what is not ASCII as it is, and writes DEL and exponents otherwise.
    if quick.isascii() and b"\x7f" not in quick and not _EXPONENT.search(quick):
        return quick
    return _compact(data).encode("ascii")


def decode(data: bytes) -> Any:
    """The value of JSON that ``encode`` made, or anybody. Raises ``ValueError`` or ``RecursionError`` as Python's json does."""
    digits = data.translate(_DIGITS)
    if b"0" * 20 not in digits and b"-" + b"0" * 19 not in digits:  # orjson reads a number of more than 64 bits as a fraction
        try:
            return orjson.loads(data)
        except ValueError:
            pass
    return json.loads(data)


class Journal:
    """The one writer of a case's journal. Not thread-safe: one process, one thread."""

    def __init__(self, path: CaseFile, *, checkpoint: Callable[[int, str], str] | None = None, checkpoint_every: int = 1000) -> None:
        """Create ``path`` or go on at its end (a torn last line, left by a pulled stick, is cut off and journalled).

        ``checkpoint(lines, head)`` returns a signature in base64; it is called every ``checkpoint_every`` lines and by ``checkpoint_now``.
        Raises ``JournalError`` if the existing chain is broken, ``OSError`` if the file cannot be written.
        """
        self.path = path
        self.head, self.lines, end = ZERO, 0, 0
        torn = 0
        if path.exists():
            for raw, end in _raw_lines(path):  # noqa: B007
                _check(raw, self.lines, self.head)
                self.head, self.lines = hashlib.sha256(raw).hexdigest(), self.lines + 1
            torn = path.lstat().st_size - end
        self._file = path.open("r+b" if path.exists() else "w+b")
        self._file.truncate(end)
        self._file.seek(end)
        self._unflushed = 0
        self._checkpoint = checkpoint
        self._every = checkpoint_every
        self._since = 0
        if torn:
            self.append(
                "error", {"where": "journal", "reason": f"the last write was cut off: {torn} bytes of an unfinished line were dropped"}
            )

    def append(self, kind: str, data: dict[str, Any]) -> int:
        """Add one record; returns its ``seq``."""
        return self.append_encoded(kind, encode(data))

    def append_encoded(self, kind: str, data: bytes) -> int:
        """Add one record whose ``data`` is JSON already, as ``encode`` makes it (a worker's own bytes pass through unparsed)."""
        seq = self.lines
        line = b'{"seq":%d,"prev":"%s","time":"%s","kind":"%s","data":%s}' % (seq, self.head.encode(), now().encode(), kind.encode(), data)
        self._file.write(line + b"\n")
        self.head, self.lines = hashlib.sha256(line).hexdigest(), seq + 1
        self._unflushed += len(line)
        self._since += 1
        if self._unflushed >= FLUSH_EVERY_BYTES:
            self.flush()
        if self._checkpoint and self._since >= self._every and kind != "checkpoint":
            self.checkpoint_now()
        return seq

    def checkpoint_now(self) -> None:
        """Write a signed statement of how long the journal is and what it holds, and make it durable."""
        if self._checkpoint:
            lines, head = self.lines, self.head
            self.append("checkpoint", {"lines": lines, "head": head, "signature": self._checkpoint(lines, head)})
        self._since = 0
        self.flush(durable=True)

    def flush(self, *, durable: bool = False) -> None:
        """Hand what was appended to the operating system; ``durable`` also to the medium."""
        self._file.flush()
        self._unflushed = 0
        if durable:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Flush and let go. Safe to call twice."""
        if not self._file.closed:
            self.flush(durable=True)
            self._file.close()


def read(path: CaseFile) -> Iterator[Record]:
    """Stream the records of a journal, checking the chain on the way.

    An unfinished last line is left out, as a pulled stick leaves it. Raises ``JournalError`` at the first line that does not fit.
    """
    head, lines = ZERO, 0
    for raw, _ in _raw_lines(path):
        value = _check(raw, lines, head)
        head, lines = hashlib.sha256(raw).hexdigest(), lines + 1
        yield Record(value["seq"], value["time"], value["kind"], value["data"])


def _raw_lines(path: CaseFile) -> Iterator[tuple[bytes, int]]:
    """Each complete line without its newline, and the offset after it."""
    end = 0
    with path.open("rb") as file:
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            end += len(raw)
            yield raw[:-1], end


def _check(raw: bytes, lines: int, head: str) -> dict[str, Any]:
    try:
        value = decode(raw)
    except (ValueError, RecursionError) as error:
        raise JournalError(lines + 1, "is not JSON: it was altered") from error
    if not isinstance(value, dict) or list(value) != ["seq", "prev", "time", "kind", "data"]:
        raise JournalError(lines + 1, "does not have the fields of a journal line: it was altered")
    if value["seq"] != lines or value["prev"] != head:
        raise JournalError(lines + 1, "does not follow from the line before it: a line was altered, added, removed or moved")
    return value


LISTING_COLUMNS = (
    "path", "kind", "size", "allocated", "orphan", "modified", "accessed", "changed", "created", "local_times", "content", "address",
    "md5", "sha1", "sha256",
)  # fmt: skip
"""The columns of a ``listing`` record. Times are nanoseconds since the Unix epoch or null (``local_times``: wall clock, zone not recorded); digests hex or null."""

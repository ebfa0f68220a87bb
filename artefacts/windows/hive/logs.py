"""Transaction logs: the pages of a hive that Windows had written to a log and not yet to the hive, put in place in memory.

Old logs (until Windows 8, ``.LOG``, ``.LOG1``): a base block, ``DIRT``, a bitmap of 512-byte pages, the pages in order. New logs (since 8.1,
``.LOG1`` and ``.LOG2`` in turn): a base block, then entries ``HvLE``, each with a number that goes on from the hive's and two Marvin32 hashes.

Source: M. Suhanov, "Windows registry file format specification", sections on transaction log files.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from artefacts.coverage import Problem, Status
from artefacts.windows.hive.header import BASE, Header, read_header

_SECTOR = 512
_ENTRY = struct.Struct("<4s5IQQ")
_SEED = (0x82EF4D88, 0x7A4E55C5)  # high, low half
_MASK = 0xFFFFFFFF
_LARGEST_HIVE = 1 << 30
_GROWTH = 1 << 20  # bytes
_OLD_LOGS = (1, 2)
_NEW_LOG = 6


@dataclass(slots=True)
class Replay:
    """What replaying did: ``pages`` put in place from ``entries`` of the ``logs`` named; ``problems`` with logs that were not used."""

    pages: int = 0
    entries: int = 0
    logs: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _LogEntry:
    log: str
    sequence: int
    size: int
    pages: tuple[tuple[int, bytes], ...]  # (offset among the bins, content)


def marvin32(data: bytes) -> int:
    """Marvin32 of ``data`` with the seed that the kernel uses for log entries."""
    high, low = _SEED
    whole = len(data) // 4
    tail = data[whole * 4 :] + b"\x80"
    words = struct.unpack_from(f"<{whole}I", data)
    # The last word carries the bytes left over and a mark; a word of zeros follows it.
    for word in (*words, int.from_bytes(tail, "little"), 0):
        low = (low + word) & _MASK
        high ^= low
        low = ((low << 20 | low >> 12) + high) & _MASK
        high = (high << 9 | high >> 23) & _MASK ^ low
        low = ((low << 27 | low >> 5) + high) & _MASK
        high = (high << 19 | high >> 13) & _MASK
    return high << 32 | low


def replay(data: bytes, header: Header | None, logs: Iterable[tuple[str, bytes]]) -> tuple[bytes | bytearray, Replay]:
    """``data`` (a hive whose base block is ``header``) with what its ``logs`` (name, content) add.

    A log of another hive, of another moment, or with a broken hash is not used, and that is said. A hive that is not dirty is left as it is.
    """
    done = Replay()
    if header is not None and not header.dirty:
        return data, done
    entries: list[_LogEntry] = []
    for name, content in logs:
        log = read_header(content)
        if log is None:
            if content.strip(b"\0"):
                done.problems.append(Problem("the log is not one of a hive: not used", Status.UNREADABLE, f"log={name}"))
            continue
        if not log.sound:
            done.problems.append(Problem("the log's base block is damaged: not used", Status.UNREADABLE, f"log={name}"))
        elif header is not None and header.sound and header.name and log.name and header.name.lower() != log.name.lower():
            done.problems.append(Problem(f"the log belongs to another hive ({log.name}): not used", Status.UNREADABLE, f"log={name}"))
        elif log.file_type in _OLD_LOGS:
            entries.extend(_old_log(name, content, log, header, done))
        elif log.file_type == _NEW_LOG:
            entries.extend(_new_log(name, content, done))
    chosen = _chain(entries, header, done)
    if not chosen:
        return data, done
    out = bytearray(data)
    # A hive grows by bins that are in the log themselves: anything beyond that is a lie about its size.
    most = len(data) + sum(len(page) for entry in chosen for _, page in entry.pages) + _GROWTH
    for entry in chosen:
        if BASE + entry.size > most:
            done.problems.append(Problem(f"the log gives the hive {entry.size} bytes, more than there can be: used up to there",
                                         Status.UNREADABLE, f"log={entry.log}"))  # fmt: skip
            break
        if len(out) < BASE + entry.size:
            out.extend(bytes(BASE + entry.size - len(out)))
        for offset, page in entry.pages:
            out[BASE + offset : BASE + offset + len(page)] = page
            done.pages += 1
        done.entries += 1
        if entry.log not in done.logs:
            done.logs.append(entry.log)
    return out, done


def _chain(entries: list[_LogEntry], header: Header | None, done: Replay) -> list[_LogEntry]:
    """The entries that the hive lacks, in order, without a gap."""
    entries.sort(key=lambda entry: entry.sequence)
    if header is not None and header.sound:
        newer = [entry for entry in entries if entry.sequence >= header.sequence_2]
        if newer and newer[0].sequence > header.sequence_1:
            done.problems.append(
                Problem(f"the log's first change has number {newer[0].sequence}, the hive ends at {header.sequence_2}: not used",
                        Status.UNREADABLE, f"log={newer[0].log}")
            )  # fmt: skip
            return []
        entries = newer
    chosen: list[_LogEntry] = []
    for entry in entries:
        if chosen and entry.sequence != chosen[-1].sequence + 1:
            done.problems.append(Problem(f"changes before number {entry.sequence} are missing: the log was used up to there",
                                         Status.UNREADABLE, f"log={entry.log}"))  # fmt: skip
            break
        chosen.append(entry)
    return chosen


def _old_log(name: str, content: bytes, log: Header, header: Header | None, done: Replay) -> Iterator[_LogEntry]:
    if header is not None and header.sound and log.written != header.written and log.sequence_1 != header.sequence_1:
        done.problems.append(Problem("the log is of another time than the hive: not used", Status.UNREADABLE, f"log={name}"))
        return
    if content[_SECTOR : _SECTOR + 4] != b"DIRT" or log.size > _LARGEST_HIVE:
        return  # a log without pages
    length = log.size // _SECTOR // 8
    bitmap = content[_SECTOR + 4 : _SECTOR + 4 + length]
    at = -(-(_SECTOR + 4 + length) // _SECTOR) * _SECTOR
    pages = []
    for number in range(len(bitmap) * 8):
        if bitmap[number // 8] >> number % 8 & 1:
            page = content[at : at + _SECTOR]
            if len(page) < _SECTOR:
                done.problems.append(Problem("the log is cut short", Status.UNREADABLE, f"log={name}"))
                break
            pages.append((number * _SECTOR, page))
            at += _SECTOR
    if pages:
        yield _LogEntry(name, log.sequence_1, log.size, tuple(pages))


def _new_log(name: str, content: bytes, done: Replay) -> Iterator[_LogEntry]:
    at = _SECTOR
    while content[at : at + 4] == b"HvLE" and at + _ENTRY.size <= len(content):
        _, length, _, sequence, size, count, hash_1, hash_2 = _ENTRY.unpack_from(content, at)
        entry = content[at : at + length]
        sound = len(entry) == length and length % _SECTOR == 0 and size % BASE == 0 and size <= _LARGEST_HIVE
        if not sound or marvin32(entry[:32]) != hash_2 or marvin32(entry[40:]) != hash_1:
            # After the newest entry lie older ones, from before the log was begun anew: those are whole.
            done.problems.append(Problem(f"the log's change number {sequence} is damaged", Status.UNREADABLE, f"log={name} offset={at}"))
            return
        pages = []
        data_at = 40 + count * 8
        for number in range(count):
            offset, page_size = struct.unpack_from("<II", entry, 40 + number * 8)
            page = entry[data_at : data_at + page_size]
            if len(page) < page_size or offset + page_size > size:
                done.problems.append(Problem("a page of the log lies outside the hive", Status.UNREADABLE, f"log={name} offset={at}"))
                return
            pages.append((offset, page))
            data_at += page_size
        yield _LogEntry(name, sequence, size, tuple(pages))
        at += length

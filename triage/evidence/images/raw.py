"""Raw images, whole or split into numbered parts (``.001``, ``.000``, ``.aa``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from artefacts.coverage import Problem, Status
from triage.evidence.bytesource import ConcatenatedBytes, FileBytes, HoleBytes
from triage.evidence.images.image import Image, allow_open_files
from triage.evidence.model import ByteSource

MAX_SEGMENTS = 100_000
_NUMBERED = re.compile(r"^(.*\.)(\d{2,5})$")
_LETTERED = re.compile(r"^(.*[._])?([a-z]{2,4})$")


def _next_letters(letters: str) -> str | None:
    """``aa`` → ``ab`` … ``az`` → ``ba``; None after ``zz``."""
    values = [ord(letter) - ord("a") for letter in letters]
    for place in reversed(range(len(values))):
        values[place] += 1
        if values[place] < 26:
            return "".join(chr(value + ord("a")) for value in values)
        values[place] = 0
    return None


def _successors(name: str) -> Iterator[str]:
    """The names that follow a first segment's, in order; nothing where the name is not one of a series."""
    numbered = _NUMBERED.match(name)
    if numbered:
        stem, digits = numbered.groups()
        for number in range(int(digits) + 1, MAX_SEGMENTS):
            yield f"{stem}{number:0{len(digits)}d}"
        return
    lettered = _LETTERED.match(name)
    if lettered and set(lettered.group(2)) == {"a"}:
        letters = _next_letters(lettered.group(2))
        while letters is not None:
            yield f"{lettered.group(1) or ''}{letters}"
            letters = _next_letters(letters)


def first_segment(path: Path) -> Path:
    """The first segment of the series that ``path`` belongs to: itself, unless it is a later numbered one and an earlier one is there."""
    numbered = _NUMBERED.match(path.name)
    if numbered:
        stem, digits = numbered.groups()
        for number in (0, 1):
            first = path.with_name(f"{stem}{number:0{len(digits)}d}")
            if number < int(digits) and first.is_file():
                return first
    return path


def segments(path: Path) -> list[Path | None]:
    """The segments of a split image from its first on; None for one that is missing between two that are there.

    A directory is listed once; a series is looked for no further than its last present member.
    """
    present = {entry.name for entry in path.parent.iterdir()}
    found: list[Path | None] = [path]
    left = sum(len(name) == len(path.name) for name in present) - 1  # more names of this series there cannot be
    missing: list[Path | None] = []
    for name in _successors(path.name):
        if not left or len(missing) > len(present):
            break
        if name in present and path.with_name(name).is_file():
            found += [*missing, path.with_name(name)]
            missing = []
            left -= 1
        else:
            missing.append(None)
    return found


def open_raw(path: Path) -> Image:
    """A raw image and, where its name is the first of a series, the segments that follow. Raises ``OSError`` where it cannot be read."""
    problems: list[Problem] = []
    first = first_segment(path)
    if first != path:
        problems.append(Problem(f"{path.name} is a later part of a split image; it was opened from {first.name}", Status.SKIPPED))
    series = segments(first)
    if len(series) == 1:
        return Image("raw", FileBytes(first), [str(first)], problems=problems)
    allow_open_files(len(series))
    parts: list[ByteSource] = []
    usual = first.stat().st_size
    for number, segment in enumerate(series, start=1):
        if segment is None:
            reason = f"segment {number} of {len(series)} is missing"
            problems.append(Problem(f"{reason}; {usual} bytes are taken as lost there", Status.UNREADABLE, f"segment={number}"))
            parts.append(HoleBytes(usual, reason))
            continue
        try:
            parts.append(FileBytes(segment))
        except OSError as error:
            reason = f"segment {number} ({segment.name}) cannot be read: {error.strerror}"
            problems.append(Problem(reason, Status.UNREADABLE, f"segment={number}"))
            parts.append(HoleBytes(segment.stat().st_size, reason))
            continue
        if parts[-1].size != usual and number != len(series):
            reason = f"segment {number} ({segment.name}) has {parts[-1].size} bytes, the first has {usual}: it may be cut short"
            problems.append(Problem(reason, Status.UNREADABLE, f"segment={number}"))
    return Image("split raw", ConcatenatedBytes(parts), [str(segment) for segment in series if segment], problems=problems)

"""Files whose two sets of times disagree in a way that setting a file's times by a program leaves behind.

NTFS keeps times in $STANDARD_INFORMATION, which programs may set, and in $FILE_NAME, which the system sets when a name is made and copies from the
first when it is changed or moved. Two signs count: created before its name was, and without any fraction of a second, which a clock gives once in ten million
times; and the record last changed before its name was made, which no program can set by the usual call. Copies that keep dates, unpacking,
installing, and moving in from a FAT drive (fractions of ten milliseconds) can leave the same signs.

Source: Microsoft, STANDARD_INFORMATION, FILE_NAME, FILE_BASIC_INFO; B. Carrier, "File System Forensic Analysis" (2005), chapter 12.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from triage.evidence.ntfs.names import DOS
from triage.evidence.ntfs.paths import Places
from triage.evidence.ntfs.records import DIRECTORY, IN_USE, SOUND
from triage.evidence.ntfs.table import Table

BEFORE_ITS_NAME = "created before its name was made, to the whole second"
CHANGED_BEFORE = "its record was last changed before its name was made"
MOST = 2000
_SECOND = 10_000_000  # ticks of a FILETIME
_DAY = 86_400 * _SECOND
# Installers set the times of what they bring: there, thousands of files have these signs and nobody has set a clock.
_INSTALLED = re.compile(
    r"^/(?:windows(?:\.old)?|program files(?: \(x86\))?|programdata|\$windows\.~\w\w|\$winreagent|recovery|perflogs|system volume information|\$extend|\$\w+$)(?:/|$)"
    r"|/appdata/|/(?:node_modules|site-packages|\.git)/",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One file: its path, record, and both sets of times as FILETIMEs (created, modified, changed, accessed)."""

    path: str
    record: int
    own: tuple[int, int, int, int]
    name: tuple[int, int, int, int]
    signs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disagreements:
    """``files`` in order of path, at most ``MOST``; ``more`` were left out, and ``installed`` lie where installers set times."""

    files: list[Disagreement]
    more: int
    installed: int


def disagreements(table: Table, places: Places) -> Disagreements:
    """The allocated files with either sign, of all names in ``places``."""
    rows = places.rows
    if not len(rows):
        return Disagreements([], 0, 0)
    names = table.names[rows]
    at = table.position(names["record"])
    own, name = table.times[at], names["times"]
    usable = (table.flags[at] & IN_USE != 0) & (table.flags[at] & DIRECTORY == 0) & (table.status[at] == SOUND) & (names["space"] != DOS)
    usable &= (names["record"] >= 24) & (own[:, 0] > 0) & (name[:, 0] > _DAY) & ~places.orphan
    # What is compared is unsigned: the margin goes to the side that cannot fall below zero.
    early = usable & (own[:, 0] < name[:, 0] - np.uint64(_SECOND)) & (own[:, 0] % np.uint64(_SECOND) == 0)
    before = usable & (own[:, 2] > 0) & (own[:, 2] < name[:, 0] - np.uint64(_DAY))
    found: list[Disagreement] = []
    installed = 0
    for row in np.flatnonzero(early | before).tolist():
        path = f"{places.prefixes[int(places.directory[row])]}/{table.texts[int(rows[row])]}"
        if _INSTALLED.search(path):
            installed += 1
            continue
        signs = tuple(sign for sign, marks in ((BEFORE_ITS_NAME, early), (CHANGED_BEFORE, before)) if marks[row])
        times = [tuple(int(value) for value in values[row]) for values in (own, name)]
        found.append(Disagreement(path, int(names["record"][row]), times[0], times[1], signs))  # type: ignore[arg-type]
    found.sort(key=lambda item: (item.path, item.record))
    return Disagreements(found[:MOST], max(len(found) - MOST, 0), installed)

"""When the NTFS change journal was made (``$Extend/$UsnJrnl:$Max``).

Thirty-two bytes: the largest size, how much is added at a time, the journal's identity, which is the FILETIME (UTC) at which it was made, and the
lowest valid number. Windows makes the journal with the volume or at its first start, and again where somebody deleted it.

Source: Microsoft, "USN_JOURNAL_DATA" (winioctl.h); J. Metz, "NTFS" (libfsntfs), "USN change journal".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import Timestamp, from_filetime

_SIZE = 32
MADE = "change journal made"


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """One ``SystemFact``: ``time`` is when the journal was made, ``value`` the size that it may reach."""
    data = file.read(_SIZE)
    if len(data) < _SIZE:
        raise Unrecognised("too short for the settings of a change journal")
    largest, _, identity, _ = struct.unpack("<4Q", data)
    time = from_filetime(identity)
    if not isinstance(time, Timestamp) or not 0 < largest < 1 << 48:
        raise Unrecognised("not the settings of a change journal")
    yield SystemFact(name=MADE, value=f"at most {largest:,} bytes", time=time, locator="offset=16")


ARTEFACTS = (
    Artefact(
        id="windows.usn_journal_made",
        title="NTFS change journal: when it was made",
        meaning="When Windows last began its record of changes to the drive.",
        paths=("$Extend/$UsnJrnl:$Max",),
        parse=parse,
        references=("https://learn.microsoft.com/windows/win32/api/winioctl/ns-winioctl-usn_journal_data_v0",),
        systems=("windows",),
        validation="generated",
    ),
)

"""The unified log (``.tracev3``): that it is there, and what time a file covers. Its messages are not read.

Their texts lie in the programs that wrote them, and no library that may be shipped reads them. A file begins with a header chunk: tag 0x1000, subtag 0x11, length
(u64), then the time base (numerator, denominator), the continuous start, and at byte 48 the wall clock in Unix seconds; the machine's zone as text follows further on.

Source: libyal, "Apple Unified Logging and Activity Tracing formats", header chunk.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import from_unix

_HEADER = 0x1000
_ZONE = re.compile(rb"/zoneinfo(?:\.default)?/([A-Za-z0-9_+/-]{3,40})\0")


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """One ``SystemFact``: when the file begins and the zone of the machine then; a ``Problem``: that the messages are not read."""
    head = file.read(512)
    if len(head) < 64 or struct.unpack_from("<I", head)[0] != _HEADER:
        raise Unrecognised("not a file of the unified log")
    zone = _ZONE.search(head)
    began = from_unix(struct.unpack_from("<i", head, 48)[0])
    yield SystemFact(
        name="unified log", value=f"{file.size} bytes" + (f", time zone {zone[1].decode()}" if zone else ""), time=began, locator="offset=0"
    )
    yield Problem("messages of the unified log are not read", Status.SKIPPED)


ARTEFACTS = (
    Artefact(
        id="macos.unified_log",
        title="Unified log",
        meaning="That the log of macOS is there and from when; a gap between files is a time without a log. The messages are not read.",
        paths=("**/var/db/diagnostics/**/*.tracev3",),
        parse=parse,
        references=(
            "https://github.com/libyal/dtformats/blob/main/documentation/Apple%20Unified%20Logging%20and%20Activity%20Tracing%20formats.asciidoc",
        ),
        systems=("macos",),
    ),
)

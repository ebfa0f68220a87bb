"""When an E01 was made, from its header sections.

libewf gives these times as text in the time zone of the computer that reads, so that one image would have two answers. Format: Expert
Witness Compression Format specification, "Header section" and "Header2 section": zlib, tab-separated, names in the third line; ``m`` and
``u`` are the acquisition and the system's clock, in header2 as seconds since 1970, in the older header as local wall-clock numbers.
"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime

MAX_TEXT = 1 << 20
_NAMES = {"m": "acquired", "u": "acquiring computer's clock"}
_NO_ZONE = "local time of the acquiring computer, no zone recorded"


def acquisition_times(header2: bytes, header: bytes) -> dict[str, str]:
    """The times as facts: RFC 3339 in UTC from ``header2``, else wall-clock with a remark from ``header`` (both still compressed).
    Empty where neither can be read."""
    times: dict[str, str] = {}
    for name, value in _values(header, "latin-1").items():
        try:
            times[name] = f"{datetime(*map(int, value.split())):%Y-%m-%dT%H:%M:%S} ({_NO_ZONE})"  # type: ignore[arg-type]
        except (ValueError, TypeError, OverflowError):
            continue
    for name, value in _values(header2, "utf-16").items():
        try:
            times[name] = f"{datetime.fromtimestamp(int(value), UTC):%Y-%m-%dT%H:%M:%SZ}"
        except (ValueError, OverflowError, OSError):
            continue
    return times


def _values(section: bytes, encoding: str) -> dict[str, str]:
    try:
        lines = zlib.decompressobj().decompress(section, MAX_TEXT).decode(encoding, "replace").splitlines()
    except (zlib.error, UnicodeError):
        return {}
    for place, line in enumerate(lines[:-2]):
        if line.strip() == "main":
            found = dict(zip(lines[place + 1].split("\t"), lines[place + 2].split("\t"), strict=False))
            return {words: found[name] for name, words in _NAMES.items() if found.get(name)}
    return {}

"""Times as evidence: an instant with its zone, or an absence with its reason. Never naive, never guessed.

Python's ``datetime`` stops at microseconds and at year 1; evidence holds 100-nanosecond FILETIMEs and values far outside
any calendar. A ``Timestamp`` is therefore a count of nanoseconds since 1970-01-01T00:00:00Z.

Sources of the encodings: FILETIME, MS-DTYP 2.3.3; SYSTEMTIME, MS-DTYP 2.3.13; WebKit/Chrome time, base/time/time.h of
Chromium (microseconds since 1601-01-01 UTC); PRTime, NSPR (microseconds since 1970-01-01 UTC); Cocoa, NSDate (seconds
since 2001-01-01 UTC); DOS date and time, Microsoft FAT specification 1.03 section 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NS = 1_000_000_000
_FILETIME_EPOCH = -11_644_473_600  # 1601-01-01 in Unix seconds
_COCOA_EPOCH = 978_307_200  # 2001-01-01 in Unix seconds
_MIN_NS = -62_135_596_800 * NS  # 0001-01-01, the first instant RFC 3339 can print
_MAX_NS = 253_402_300_799 * NS + NS - 1  # the last of 9999
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = _UNIX_EPOCH.replace(tzinfo=None)  # for text only, where the Z is added by hand


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """An instant: ``ns`` nanoseconds since the Unix epoch, UTC."""

    ns: int

    def __post_init__(self) -> None:
        if not _MIN_NS <= self.ns <= _MAX_NS:
            raise ValueError(f"{self.ns} ns is outside the years 1 to 9999")

    def isoformat(self) -> str:
        """RFC 3339 in UTC, with the fewest of 0, 3, 6, 7 or 9 fractional digits that lose nothing."""
        seconds, fraction = divmod(self.ns, NS)
        # datetime's own text is the fastest there is; it pads the year, which strftime does not everywhere.
        head = (_NAIVE_EPOCH + timedelta(seconds=seconds)).isoformat()
        if not fraction:
            return head + "Z"
        if fraction % 1000:
            return f"{head}.{fraction:09d}Z" if fraction % 100 else f"{head}.{fraction // 100:07d}Z"
        return f"{head}.{fraction // 1000:06d}Z" if fraction % 1_000_000 else f"{head}.{fraction // 1_000_000:03d}Z"

    def to_datetime(self) -> datetime:
        """The same instant as an aware ``datetime``; anything finer than a microsecond is cut off."""
        return _UNIX_EPOCH + timedelta(microseconds=self.ns // 1000)

    @classmethod
    def from_datetime(cls, value: datetime) -> Timestamp:
        """From an aware ``datetime``. Raises ``ValueError`` for a naive one."""
        if value.tzinfo is None or value.utcoffset() is None:
            raise ValueError("a time without a zone is not evidence: give a zone or a NoTime with its reason")
        delta = value.astimezone(UTC) - _UNIX_EPOCH
        return cls((delta.days * 86_400 + delta.seconds) * NS + delta.microseconds * 1000)


@dataclass(frozen=True, slots=True)
class NoTime:
    """A time that is absent, and why. ``local`` keeps a wall-clock reading whose zone is not recorded (ISO 8601, no zone)."""

    reason: str
    local: str | None = None


Time = Timestamp | NoTime
NOT_RECORDED = NoTime("not recorded")


def _instant(ns: int, raw: object, encoding: str) -> Time:
    if not _MIN_NS <= ns <= _MAX_NS:
        return NoTime(f"{encoding} value {raw} is outside the years 1 to 9999")
    return Timestamp(ns)


def from_filetime(value: int) -> Time:
    """A Windows FILETIME: 100 ns ticks since 1601-01-01 UTC. 0 and all ones mean "not set"."""
    if value in (0, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF):
        return NOT_RECORDED
    return _instant(value * 100 + _FILETIME_EPOCH * NS, value, "FILETIME")


def from_webkit(value: int) -> Time:
    """Chromium time: microseconds since 1601-01-01 UTC. 0 means "not set"."""
    return NOT_RECORDED if value == 0 else _instant(value * 1000 + _FILETIME_EPOCH * NS, value, "WebKit")


def from_webkit_json(value: object) -> Time:
    """Chromium time as its JSON files hold it: digits in a string, a number, or nothing."""
    if value is None:
        return NOT_RECORDED
    try:
        return from_webkit(int(value))  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return NoTime("not a number")


def from_prtime(value: int) -> Time:
    """Mozilla PRTime: microseconds since 1970-01-01 UTC. 0 means "not set"."""
    return NOT_RECORDED if value == 0 else _instant(value * 1000, value, "PRTime")


def from_unix(value: int | float, *, unit_ns: int = NS) -> Time:
    """Unix time since 1970-01-01 UTC in units of ``unit_ns`` nanoseconds (default seconds). 0 means "not set"."""
    return NOT_RECORDED if value == 0 else _instant(_scaled(value, unit_ns), value, "Unix")


def from_cocoa(value: int | float) -> Time:
    """Apple absolute time: seconds since 2001-01-01 UTC."""
    return _instant(_scaled(value, NS) + _COCOA_EPOCH * NS, value, "Cocoa")


def _scaled(value: int | float, unit_ns: int) -> int:
    if isinstance(value, int):
        return value * unit_ns
    if value != value or value in (float("inf"), float("-inf")):
        return _MAX_NS + 1
    whole = int(value // 1)
    # A double near 4e8 seconds resolves about 60 ns: microseconds are all it can honestly carry.
    return whole * unit_ns + round((value - whole) * unit_ns / 1000) * 1000


def from_local(text: str, why: str) -> NoTime:
    """A wall-clock reading without a zone (ISO 8601): kept as text, never turned into an instant."""
    return NoTime(f"local time, zone not recorded ({why})", local=text)

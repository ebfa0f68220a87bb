"""Times: exact to 100 ns, in UTC, absent with a reason, never naive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from artefacts.observations import PageVisit
from artefacts.times import NoTime, Timestamp, from_cocoa, from_filetime, from_local, from_prtime, from_unix, from_webkit


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (from_filetime(129779857289329644), "2012-04-04T04:02:08.9329644Z"),
        (from_webkit(13014635306000000), "2013-06-02T08:28:26Z"),
        (from_prtime(1309513), "1970-01-01T00:00:01.309513Z"),
        (from_unix(1), "1970-01-01T00:00:01Z"),
        (from_unix(-1.5), "1969-12-31T23:59:58.500Z"),
        (from_unix(1_700_000_000_123, unit_ns=1_000_000), "2023-11-14T22:13:20.123Z"),
        (from_cocoa(0), "2001-01-01T00:00:00Z"),
        (from_filetime(1), "1601-01-01T00:00:00.0000001Z"),
    ],
)  # fmt: skip
def test_encodings(time: Timestamp, text: str) -> None:
    assert isinstance(time, Timestamp)
    assert time.isoformat() == text


@pytest.mark.parametrize("value", [0, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF])
def test_an_unset_filetime_is_absent(value: int) -> None:
    assert from_filetime(value) == NoTime("not recorded")


@pytest.mark.parametrize(
    "time", [from_unix(10**18), from_unix(float("nan")), from_unix(float("inf")), from_cocoa(-1e300), from_webkit(-(10**19))]
)
def test_what_no_calendar_holds_is_absent_with_its_value(time: NoTime) -> None:
    assert isinstance(time, NoTime)
    assert "outside the years" in time.reason


def test_naive_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        Timestamp.from_datetime(datetime(2026, 1, 1))
    aware = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=1)))
    assert Timestamp.from_datetime(aware).isoformat() == "2026-01-01T11:00:00Z"
    assert Timestamp.from_datetime(aware).to_datetime() == aware.astimezone(UTC)


def test_in_json_an_absent_time_gives_its_reason() -> None:
    data = PageVisit(url="u", time=from_local("2004-01-01T14:00:00", "FAT")).to_json()
    assert data["time"] is None
    assert data["time_reason"] == "local time, zone not recorded (FAT)"
    assert data["time_local"] == "2004-01-01T14:00:00"
    assert PageVisit(url="u", time=from_unix(5)).to_json()["time"] == "1970-01-01T00:00:05Z"

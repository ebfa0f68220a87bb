"""What conclusions have in common: times of journalled records, and the folders that the change journal names by number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from artefacts.times import NOT_RECORDED, NS, Time, Timestamp
from triage.report.records import nanoseconds
from triage.scan.conclude import COLUMN

DAY = 86_400 * NS
MOST_FOLDERS = 300_000
_PATH, _KIND, _ADDRESS = COLUMN["path"], COLUMN["kind"], COLUMN["address"]


def ns(text: Any) -> int | None:
    """A journalled time as nanoseconds since the Unix epoch, None where there is none."""
    return nanoseconds(text) if isinstance(text, str) else None


def instant(value: int | None) -> Time:
    """Nanoseconds since the Unix epoch as evidence; None, and what no calendar holds, as not recorded."""
    if value is None:
        return NOT_RECORDED
    try:
        return Timestamp(value)
    except ValueError:
        return NOT_RECORDED


def bounds(values: Iterable[int | None]) -> tuple[int | None, int | None]:
    """The first and the last of those that are known."""
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else (None, None)


def where(observation: Mapping[str, Any]) -> tuple[str, str]:
    """Source and volume that an observation was read from."""
    provenance = observation["provenance"]
    return provenance["source"], provenance["volume"]


def locator_part(observation: Mapping[str, Any], name: str) -> str:
    """``name=value`` in the locator of an observation, "" where it has none."""
    for part in str(observation["provenance"].get("locator") or "").split():
        key, _, value = part.partition("=")
        if key == name:
            return value
    return ""


class Folders:
    """Paths of directories by the number of their $MFT record, from listed files."""

    def __init__(self) -> None:
        self._paths: dict[tuple[str, str, str], str] = {}
        self.dropped = 0

    def feed(self, source: str, volume: str, rows: Sequence[Sequence[Any]]) -> None:
        """Take a batch of listed files."""
        for row in rows:
            if row[_KIND] != "directory" or not row[_ADDRESS]:
                continue
            if len(self._paths) >= MOST_FOLDERS:
                self.dropped += 1
                continue
            self._paths[source, volume, row[_ADDRESS].partition("-")[0]] = row[_PATH]

    def path(self, source: str, volume: str, reference: str) -> str | None:
        """The path of a directory by its reference (``record-sequence``), None where it is not listed. Record 5 is the root."""
        record = reference.partition("-")[0]
        return "" if record == "5" else self._paths.get((source, volume, record))

"""Files that came from the network, as LaunchServices remembers them: ``com.apple.LaunchServices.QuarantineEventsV2``.

Source: the table LSQuarantineEvent; its columns are the properties kLSQuarantine… of Apple's LSQuarantine.h. Times are Cocoa seconds, UTC.
"""

from __future__ import annotations

from artefacts.observations import Download
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.sqlite.reading import Results, number_time, rows_of
from artefacts.sqlite.recovery import TEXT, deleted_rows
from artefacts.times import from_cocoa

_TABLE = "LSQuarantineEvent"
_REQUIRED = ("LSQuarantineEventIdentifier", "LSQuarantineTimeStamp")
_OPTIONAL = ("LSQuarantineAgentName", "LSQuarantineAgentBundleIdentifier", "LSQuarantineDataURLString", "LSQuarantineOriginURLString")


def parse(file: EvidenceFile) -> Results:
    """``Download`` for each file that a program of this user fetched; deleted rows too, marked so."""
    yield from rows_of(file, _TABLE, _REQUIRED, _OPTIONAL, lambda row, _: iter((_download(row, file.user, False),)))
    with Database(file) as database:
        columns = (*_REQUIRED, *_OPTIONAL)
        # Several programs leave the addresses out: a deleted row is only believed by its identifier, a UUID as text.
        for row in deleted_rows(database, _TABLE, columns, _REQUIRED[:1], {_REQUIRED[0]: TEXT}, _is_event):
            yield _download(row, file.user, True)


def _is_event(row: Row) -> bool:
    identifier = row.text("LSQuarantineEventIdentifier") or ""
    stamp = row.values["LSQuarantineTimeStamp"]
    return len(identifier) == 36 and identifier.count("-") == 4 and isinstance(stamp, (int, float)) and 0 < stamp < 1 << 32


def _download(row: Row, user: str | None, recovered: bool) -> Download:
    return Download(
        url=row.text("LSQuarantineDataURLString"),
        started=number_time(row, "LSQuarantineTimeStamp", from_cocoa),
        referrer=row.text("LSQuarantineOriginURLString"),
        browser=row.text("LSQuarantineAgentName") or row.text("LSQuarantineAgentBundleIdentifier"),
        user=user,
        locator=row.locator,
        recovered=recovered,
    )


ARTEFACTS = (
    Artefact(
        id="macos.quarantine",
        title="Quarantine events",
        meaning="Files that came from the network: from where, by which program, and when. Clearing a browser does not clear this list.",
        paths=(
            "**/Library/Preferences/com.apple.LaunchServices.QuarantineEventsV2",
            "**/Library/Preferences/com.apple.LaunchServices.QuarantineEvents",
        ),
        parse=parse,
        references=("https://developer.apple.com/documentation/coreservices/launch_services",),
        systems=("macos",),
    ),
)

"""Usenet: NZB files, which list what to fetch, and what SABnzbd fetched.

An NZB file is XML: ``file`` (``subject``, ``date`` in seconds since 1970 UTC), ``segment`` (``bytes``, encoded: a little more than the file), ``group``.
SABnzbd's ``history1.db``: table ``history`` (``name``, ``nzb_name``, ``completed``, ``bytes``, ``storage``, ``status``). Passwords of either are not read.

Sources: sabnzbd.org/wiki/extra/nzb-spec; sabnzbd/database.py.
"""

from __future__ import annotations

import re

from artefacts.applications.reading import MOST_FILES, Results, last_part, number_of
from artefacts.applications.xml_reading import elements
from artefacts.coverage import Problem, Status
from artefacts.observations import SharedFile
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.sqlite.reading import number_time, rows_of
from artefacts.times import NOT_RECORDED, from_unix

_QUOTED = re.compile(r'"([^"]{1,300})"')


def parse_nzb(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each file listed, by the name in its subject, ``state`` "listed"."""
    size = count = 0
    for element in elements(file, ("nzb",)):
        if isinstance(element, Problem):
            yield element
        elif element.name == "segment":
            size += number_of(element.attributes.get("bytes")) or 0
        elif element.name == "file":
            if (count := count + 1) > MOST_FILES:
                yield Problem(f"more than {MOST_FILES} files: the rest is not listed", Status.SKIPPED)
                return
            subject = element.attributes.get("subject", "")
            quoted = _QUOTED.search(subject)
            posted = number_of(element.attributes.get("date"))
            yield SharedFile(
                name=(quoted[1] if quoted else subject or "(no subject)")[:4096], size=size or None, time=from_unix(posted) if posted else NOT_RECORDED,
                time_meaning="posted", state="listed", collection=file.name, user=file.user, locator=element.locator,
            )  # fmt: skip
            size = 0


def parse_sabnzbd(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each download that ended, well or not."""

    def read(row: Row, _: Database) -> Results:
        storage, name = row.text("storage"), row.text("name") or row.text("nzb_name") or ""
        done = number_time(row, "completed", from_unix)
        yield SharedFile(
            name=name or last_part(storage or "(no name)"), path=storage or None, size=row.integer("bytes"), time=done, time_meaning="ended", finished=done,
            program="SABnzbd", state="complete" if row.text("status") == "Completed" else "incomplete", collection=row.text("nzb_name"), user=file.user,
            locator=row.locator,
        )  # fmt: skip

    return rows_of(file, "history", ("name", "completed"), ("nzb_name", "storage", "bytes", "status"), read)


ARTEFACTS = (
    Artefact(
        id="applications.usenet.nzb",
        title="NZB files (usenet)",
        meaning="Files that could be fetched from usenet. Not that they were fetched.",
        paths=("**/*.nzb",),
        parse=parse_nzb,
        references=("https://sabnzbd.org/wiki/extra/nzb-spec",),
    ),
    Artefact(
        id="applications.usenet.sabnzbd",
        title="SABnzbd: history",
        meaning="What was fetched from usenet with SABnzbd, and when.",
        paths=("**/sabnzbd/**/history1.db", "**/.sabnzbd/**/history1.db"),
        parse=parse_sabnzbd,
        references=("https://github.com/sabnzbd/sabnzbd/blob/develop/sabnzbd/database.py",),
    ),
)

"""What was printed: the job files of CUPS (``/var/spool/cups/c00001``), on macOS and Linux. They hold no page of the document.

An IPP message: version (2 bytes), operation (2), request (4), then groups of attributes: tag, name with its length (u16), value with its length.

Sources: RFC 8010 section 3 (encoding), RFC 8011 section 5.3 (job attributes); the specimen.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import FileSeen, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_unix

_LARGEST = 1 << 20  # bytes
_END, _FIRST_VALUE, _INTEGERS = 0x03, 0x10, (0x21, 0x23)


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """One ``FileSeen``: the name of the document, who printed it, on which printer, from which program, and when."""
    data = file.read(_LARGEST)
    if len(data) < 9 or data[0] not in (1, 2) or data[8] not in (1, 2):
        raise Unrecognised("not a print job")
    values: dict[str, str | int] = {}
    place, name = 8, ""
    while place < len(data) and data[place] != _END:
        tag = data[place]
        if tag < _FIRST_VALUE:
            place += 1
            continue
        try:
            length = struct.unpack_from(">H", data, place + 1)[0]
            name = data[place + 3 : place + 3 + length].decode("utf-8", "backslashreplace") or name
            size = struct.unpack_from(">H", data, place + 3 + length)[0]
        except struct.error:
            break
        start = place + 5 + length
        raw = data[start : start + size]
        place = start + size
        if len(raw) < size:
            break
        values.setdefault(name, int.from_bytes(raw, "big", signed=True) if tag in _INTEGERS else raw.decode("utf-8", "backslashreplace"))
    if place >= len(data):
        yield Problem("the print job is cut short", Status.FAILED, f"offset={len(data)}")
    if not values:
        return

    def words(*keys: str) -> str | None:
        return next((str(values[key]) for key in keys if values.get(key)), None)

    def time(key: str) -> Time:
        value = values.get(key)
        return from_unix(value) if isinstance(value, int) else NOT_RECORDED

    printer = (words("job-printer-uri", "printer-uri") or "").rsplit("/", 1)[-1]
    program = words("com.apple.print.JobInfo.PMApplicationName")
    yield FileSeen(
        path=words("job-name", "com.apple.print.JobInfo.PMJobName") or "[no name]",
        used=time("time-at-processing"),
        created=time("time-at-creation"),
        how="printed (CUPS)",
        user=words("job-originating-user-name"),
        detail=", ".join(
            filter(None, (f"on {printer}" if printer else "", f"from {program}" if program else "", words("document-format")))
        ),
    )


ARTEFACTS = (
    Artefact(
        id="macos.print_job",
        title="Print jobs",
        meaning="Names of documents that were printed, by whom, where and when.",
        paths=("**/var/spool/cups/c*",),
        parse=parse,
        references=("https://www.rfc-editor.org/rfc/rfc8010",),
        systems=("macos", "linux"),
        validation="specimen of OS X 10.9; generated",
    ),
)

"""Programs known from their crashes and from what Windows noted of them: error reports (``Report.wer``) and ``RecentFileCache.bcf`` (Windows 7).

``Report.wer``: lines ``name=value`` in UTF-16, ``EventTime`` a FILETIME (UTC). ``RecentFileCache.bcf``: 20 bytes, then paths, each with its length in
characters (4 bytes) before and a zero after it: programs that came new between two nightly runs of the compatibility task.

Sources: Microsoft, "Windows Error Reporting"; C. Harrell, "RecentFileCache.bcf" (journeyintoir, 2013).
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import Observation, ProgramRun
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, from_filetime
from artefacts.windows.paths import name_of, user_of
from artefacts.windows.text import decode

_LARGEST = 4 << 20
_BCF_HEAD, _BCF_SIGNATURE = 20, bytes.fromhex("feffeeff112200000300000001000000")
_LONGEST_PATH = 32_768


def parse_report(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``ProgramRun`` for the program that an error report is about."""
    values = dict(line.split("=", 1) for line in decode(file.read(_LARGEST)).splitlines() if "=" in line)
    if "EventType" not in values:
        raise Unrecognised("not an error report")
    path = values.get("AppPath") or values.get("NsAppName") or values.get("Sig[0].Value")
    if not path:
        yield Problem("names no program", Status.FAILED)
        return
    stamp = values.get("EventTime", "")
    yield ProgramRun(
        program=name_of(path), path=path, time=from_filetime(int(stamp)) if stamp.isdecimal() and len(stamp) < 20 else NOT_RECORDED,
        time_meaning="crash, hang or other report", user=user_of(path) or file.user, how=f"error report: {values['EventType'][:60]}",
    )  # fmt: skip


def parse_recent(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``ProgramRun`` for each path in RecentFileCache.bcf."""
    data = file.read(_LARGEST)
    if not data.startswith(_BCF_SIGNATURE[:4]):
        raise Unrecognised("not a RecentFileCache")
    at = _BCF_HEAD
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        raw = data[at + 4 : at + 4 + 2 * size]
        if size > _LONGEST_PATH or len(raw) < 2 * size:
            yield Problem("a path is damaged or cut short: the rest is not read", Status.FAILED, f"offset={at}")
            return
        path = raw.decode("utf-16-le", "backslashreplace")
        if path:
            yield ProgramRun(
                program=name_of(path), path=path, user=user_of(path), how="RecentFileCache: new program", locator=f"offset={at}"
            )
        at += 4 + 2 * size + 2


def _artefact(name: str, title: str, meaning: str, path: str, parse: object, reference: str) -> Artefact:
    return Artefact(
        id=f"windows.crash_reports.{name}", title=title, meaning=meaning, paths=(path,), parse=parse, references=(reference,),  # type: ignore[arg-type]
        systems=("windows",),
    )  # fmt: skip


ARTEFACTS = (
    _artefact(
        "report", "Windows error reports", "Programs that crashed or hung, and when: also of programs that are gone.", "**/Report.wer", parse_report,
        "https://learn.microsoft.com/windows/win32/wer/windows-error-reporting",
    ),
    _artefact(
        "recent", "RecentFileCache (Windows 7)", "Programs that came new to the machine and ran lately.",
        "Windows/AppCompat/Programs/RecentFileCache.bcf", parse_recent, "http://journeyintoir.blogspot.com/2013/12/revealing-recentfilecachebcf-file.html",
    ),
)  # fmt: skip

"""Program Compatibility Assistant (Windows 11): programs that ran, by two text files in ``Windows/appcompat/pca``.

``PcaAppLaunchDic.txt``: path and time (UTC) of the last run, a line each. ``PcaGeneralDb0.txt`` and ``…1.txt``: time, status, path, description, vendor, version,
program id and how it ended, with ``|`` between, of programs that ended oddly.

Source: A. Rathbun and L. Pahl, "Windows 11's PCA artifact" (2022); checked against the specimens.
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import Observation, ProgramRun
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import Timestamp
from artefacts.windows.event_facts import parse_time
from artefacts.windows.paths import name_of, user_of
from artefacts.windows.text import decode

_LARGEST = 32 << 20  # bytes
_MOST_PROBLEMS = 100


def parse_launches(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``ProgramRun`` for each line of PcaAppLaunchDic.txt."""
    for row in _rows(file, count=2, time_at=1):
        yield row if isinstance(row, Problem) else _run(*row, path=row[1][0], how="", meaning="last run")


def parse_general(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``ProgramRun`` for each line of PcaGeneralDb0.txt."""
    for row in _rows(file, count=8, time_at=0):
        yield row if isinstance(row, Problem) else _run(*row, path=row[1][2], how=f": {row[1][7]}", meaning="end of a run")


def _run(line: int, _: list[str], time: Timestamp, *, path: str, how: str, meaning: str) -> ProgramRun:
    return ProgramRun(
        program=name_of(path),
        path=path,
        time=time,
        user=user_of(path),
        how=f"Program Compatibility Assistant{how}",
        time_meaning=meaning,
        locator=f"line={line}",
    )


def _rows(file: EvidenceFile, *, count: int, time_at: int) -> Iterator[tuple[int, list[str], Timestamp] | Problem]:
    """Each line that has ``count`` fields: its number, the fields, its time."""
    wrong = right = 0
    for number, line in enumerate(decode(file.read(_LARGEST)).splitlines(), 1):
        if not line.strip("\0 "):
            continue
        fields = line.split("|")
        time = parse_time(f"{fields[time_at]}Z") if len(fields) == count else None
        if isinstance(time, Timestamp):
            right += 1
            yield number, fields, time
            continue
        wrong += 1
        if wrong > _MOST_PROBLEMS:
            if not right:
                raise Unrecognised("not a list of programs")
            yield Problem(f"more than {_MOST_PROBLEMS} problems: the rest is not read", Status.FAILED, f"line={number}")
            return
        yield Problem(f"not {count} fields with a time", Status.FAILED, f"line={number}")


def _artefact(name: str, title: str, paths: tuple[str, ...], parse: object) -> Artefact:
    return Artefact(
        id=f"windows.compatibility_assistant.{name}",
        title=title,
        meaning="Programs that ran, and when last.",
        paths=paths,
        parse=parse,  # type: ignore[arg-type]
        references=("https://aboutdfir.com/new-windows-11-pro-22h2-evidence-of-execution-artifact/",),
        systems=("windows",),
        validation="specimen of Windows 11",
    )


ARTEFACTS = (
    _artefact("launches", "Program Compatibility Assistant: launches", ("Windows/appcompat/pca/PcaAppLaunchDic.txt",), parse_launches),
    _artefact("general", "Program Compatibility Assistant: odd ends", ("Windows/appcompat/pca/PcaGeneralDb*.txt",), parse_general),
)

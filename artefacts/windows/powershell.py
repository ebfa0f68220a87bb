"""PowerShell: that there is a history of what a user typed, and transcripts of sessions, with their begin. Neither commands nor output are kept.

``ConsoleHost_history.txt`` has a command a line without times. A transcript begins with a block of ``name: value`` between lines of stars, in
the language of Windows; its first 14-digit number is the begin, on the machine's own clock.

Source: Microsoft, "about_PSReadLine", "Start-Transcript"; the specimens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import Observation, ProgramRun, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, from_local
from artefacts.windows.text import decode

_LARGEST = 16 << 20
_HEAD = 16_384  # characters within which a transcript says what it is
_STARS = "*" * 22
_PROGRAM = re.compile(
    r"^[^:\r\n]{3,60}:\s*([A-Za-z]:\\[^\r\n]*powershell[^\r\n]*\.exe|[A-Za-z]:\\[^\r\n]*pwsh\.exe)", re.IGNORECASE | re.MULTILINE
)
_BEGIN = re.compile(r":\s*(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\s*$", re.MULTILINE)
_USER = re.compile(r":\s*[^\\\r\n:]+\\([^\\\r\n]+?)\s*$", re.MULTILINE)


def parse_history(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``SystemFact``: how many commands the history has."""
    commands = [line for line in decode(file.read(_LARGEST)).splitlines() if line.strip("\0 ")]
    yield SystemFact(name="PowerShell history", value=f"{len(commands)} commands of {file.user or 'a user'}, without times")


def parse_transcript(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``ProgramRun`` for each session in a transcript."""
    text = decode(file.read(_LARGEST))
    if not text.lstrip("\ufeff").startswith(_STARS):
        raise Unrecognised("not a transcript of PowerShell")
    blocks = text.split(_STARS)
    for number, block in enumerate(blocks):
        program, begin = _PROGRAM.search(block[:_HEAD]), _BEGIN.search(block[:_HEAD])
        if program is None:
            continue
        whose = _USER.search(block[:_HEAD])
        local = "{}-{}-{}T{}:{}:{}".format(*begin.groups()) if begin else ""
        yield ProgramRun(
            program=program[1].rpartition("\\")[2], path=program[1], time=from_local(local, "a transcript has the machine's clock") if local else NOT_RECORDED,
            user=whose[1] if whose else file.user, how="PowerShell transcript", locator=f"block={number}",
        )  # fmt: skip


ARTEFACTS = (
    Artefact(
        id="windows.powershell.history",
        title="PowerShell history",
        meaning="That somebody typed commands in PowerShell, and how many. What they were is only looked at for the words searched for.",
        paths=("**/PSReadLine/ConsoleHost_history.txt",),
        parse=parse_history,
        references=("https://learn.microsoft.com/powershell/module/psreadline/about/about_psreadline",),
        systems=("windows",),
    ),
    Artefact(
        id="windows.powershell.transcript",
        title="PowerShell transcripts",
        meaning="Sessions of PowerShell that were recorded, by whom and when.",
        paths=("**/PowerShell_transcript*.txt",),
        parse=parse_transcript,
        references=("https://learn.microsoft.com/powershell/module/microsoft.powershell.host/start-transcript",),
        systems=("windows",),
        validation="specimens in English and German",
    ),
)

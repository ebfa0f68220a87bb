"""What the editor Vim remembers: files opened and marked, and words searched for; text that was copied is counted, not kept.

Since version 8 each entry is followed by a line ``|kind,…`` with its time (Unix, UTC): 2 history (its sort, 0 commands, 1 searches), 3 registers, 4 marks.

Source: viminfo.c and ``:help viminfo-file`` of Vim; the specimen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.log_lines import log_lines
from artefacts.observations import FileSeen, Observation, SearchQuery, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import from_unix

_BAR = re.compile(r"^\|(\d),(.*)$")
_HISTORY = re.compile(r'^(\d),(\d{1,11}),\d*,(?:"(.*)"|>\d+)$')  # a long text follows in lines of its own and is not read
_REGISTER = re.compile(r"^\d,\d+,\d,\d+,\d+,(\d{1,11}),")
_MARK = re.compile(r'^(\d+),(\d+),(\d+),(\d{1,11}),"(.*)"$')
_FILE = re.compile(r"^> (.+)$")
_EDIT = re.compile(r"^(?:e|edit|tabe|tabedit|sp|split|vs|vsplit|w|write|saveas|r|read)!? +(\S.*)$")
_KNOWN = re.compile(r"^(?:[#*~?/:|\"'\-=&@<>$%!]|\s|$)")
_LARGEST = 16 << 20  # bytes
_MOST = 20_000
_MOST_PROBLEMS = 20


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``FileSeen`` for marks, jumps and files opened by command, ``SearchQuery`` for searches, one ``SystemFact`` with the counts."""
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    kept = bad = 0
    recognised = False
    for number, line in log_lines(file, _LARGEST):
        if isinstance(line, Problem):
            yield line
            continue
        recognised = recognised or line.startswith("# This viminfo file")
        locator, found = f"line={number}", _BAR.match(line)
        fact: Observation | None = None
        if found is None:
            if (named := _FILE.match(line)) and named[1] not in seen:
                fact = FileSeen(path=named[1], how="Vim, marks of a file", user=file.user, locator=locator)
                seen.add(named[1])
            elif not _KNOWN.match(line) and (bad := bad + 1) <= _MOST_PROBLEMS:
                yield Problem("not a line of this file", Status.UNRECOGNISED, locator)
        elif found[1] == "2" and (entry := _HISTORY.match(found[2])):
            text, time = _unescaped(entry[3] or ""), from_unix(int(entry[2]))
            if entry[1] == "1":
                counts["searches"] += 1
                fact = SearchQuery(
                    terms=text or "[long text, not read]", engine="Vim", time=time, where="editor", user=file.user, locator=locator
                )
            else:
                counts["commands"] += 1
                if edited := _EDIT.match(text):
                    fact = FileSeen(path=edited[1], used=time, how="Vim, opened or written", user=file.user, locator=locator)
        elif found[1] == "3" and _REGISTER.match(found[2]):
            counts["registers"] += 1
        elif found[1] == "4" and (entry := _MARK.match(found[2])):
            jump = entry[1] == "39"
            counts["jumps" if jump else "marks"] += 1
            seen.add(_unescaped(entry[5]))
            fact = FileSeen(
                path=_unescaped(entry[5]),
                used=from_unix(int(entry[4])),
                how="Vim, place jumped from" if jump else "Vim, place left",
                user=file.user,
                locator=locator,
            )
        elif found[1] in "234" and not found[2].startswith(("<", ">")) and (bad := bad + 1) <= _MOST_PROBLEMS:
            yield Problem("an entry in a form not known", Status.UNRECOGNISED, locator)
        if fact is not None and (kept := kept + 1) <= _MOST:
            yield fact
    if not recognised:
        raise Unrecognised("not a viminfo file")
    if kept > _MOST:
        yield Problem(f"{kept - _MOST} entries more than are kept")
    words = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    yield SystemFact(name="Vim", value=f"{words or 'no dated entry'}; text that was copied is not kept", locator="line=1")


def _unescaped(text: str) -> str:
    return text.replace('\\"', '"').replace("\\\\", "\\")


ARTEFACTS = (
    Artefact(
        id="linux.viminfo",
        title="Vim",
        meaning="Files that were opened in the editor Vim and words searched for in them.",
        paths=("**/.viminfo",),
        parse=parse,
        references=("https://vimhelp.org/starting.txt.html#viminfo-file",),
        systems=("linux", "macos"),
        validation="specimen of Vim 8.0; generated",
    ),
)

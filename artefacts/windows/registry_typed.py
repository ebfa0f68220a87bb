"""What a user typed: addresses into Internet Explorer and old Edge, paths and searches into Explorer, commands into the Run dialog.

Source: J. Metz, "Typed URLs", "Word wheel query", "Run MRU" (winreg-kb).
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.observations import FileSeen, Observation, PageVisit, ProgramRun, SearchQuery
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NoTime
from artefacts.windows.hive import Hive
from artefacts.windows.hive.hive import utf16
from artefacts.windows.hive.reading import NTUSER, USRCLASS, Results, filetime_at, mru_order, read_hive

_EXPLORER = r"Software\Microsoft\Windows\CurrentVersion\Explorer"
_EDGE = r"Local Settings\Software\Microsoft\Windows\CurrentVersion\AppContainer\Storage\microsoft.microsoftedge_8wekyb3d8bbwe\MicrosoftEdge\TypedURLs"
_ADDRESSES = ((r"Software\Microsoft\Internet Explorer\TypedURLs", "Internet Explorer"), (_EDGE, "Edge (old)"))
_NOT_NEWEST = NoTime("only the newest entry of the list has a time")


def parse(file: EvidenceFile) -> Results:
    """``PageVisit`` (typed addresses), ``FileSeen`` (typed paths), ``SearchQuery`` (Explorer's search box), ``ProgramRun`` (Run dialog)."""

    def read(hive: Hive) -> Iterator[Observation]:
        yield from _addresses(hive, file.user)
        paths = hive.key(rf"{_EXPLORER}\TypedPaths")
        for value in paths.values() if paths else ():
            if paths and value.text:
                used = paths.written if value.name.lower() == "url1" else _NOT_NEWEST
                yield FileSeen(path=value.text, how="typed path", kind="folder", used=used, user=file.user, locator=value.locator)
        yield from _searches(hive, file.user)
        run = hive.key(rf"{_EXPLORER}\RunMRU")
        order = mru_order(run) if run else []
        for value in run.values() if run else ():
            if run and value.name in order and value.text:
                command = value.text.removesuffix("\\1")
                newest = value.name == order[0]
                yield ProgramRun(
                    program=command,
                    time=run.written if newest else _NOT_NEWEST,
                    time_meaning="last typed",
                    user=file.user,
                    how="Run dialog",
                    locator=value.locator,
                )

    return read_hive(file, read)


def _addresses(hive: Hive, user: str | None) -> Iterator[Observation]:
    for place, browser in _ADDRESSES:
        key, times = hive.key(place), hive.key(f"{place}Time")
        for value in key.values() if key else ():
            if key is None or not value.name.lower().startswith("url") or not value.text:
                continue
            exact = times.binary(value.name) if times else None
            when = filetime_at(exact) if exact else key.written if value.name.lower() == "url1" else _NOT_NEWEST
            yield PageVisit(
                url=value.text, time=when, transition="typed", browser=browser, user=user, source="registry", locator=value.locator
            )


def _searches(hive: Hive, user: str | None) -> Iterator[Observation]:
    for place in (rf"{_EXPLORER}\WordWheelQuery", r"Software\Microsoft\Search Assistant\ACMru"):
        top = hive.key(place)
        for key in (top, *top.subkeys()) if top else ():
            order = mru_order(key)
            for value in key.values():
                # Windows XP's search companion keeps text under numbers of three digits, the newest 000.
                words = value.text if value.text is not None else utf16(value.data or b"") if value.name.isdigit() else ""
                if value.name in ("MRUList", "MRUListEx") or not words:
                    continue
                newest = order[:1] == [value.name] or value.name == "000"
                when = key.written if newest else _NOT_NEWEST
                yield SearchQuery(
                    terms=words, engine="Windows Explorer", time=when, last=when, where="registry", user=user, locator=value.locator
                )


ARTEFACTS = (
    Artefact(
        id="windows.registry.typed",
        title="Windows registry: what was typed",
        meaning="Addresses, paths, searches and commands that the user typed: done on purpose, not by a click on a link.",
        paths=(*NTUSER, *USRCLASS),
        parse=parse,
        references=("https://winreg-kb.readthedocs.io/en/latest/sources/explorer-keys/",),
        systems=("windows",),
        validation="specimens of Windows XP, 7 and 8",
    ),
)

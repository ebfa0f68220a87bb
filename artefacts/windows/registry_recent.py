"""Files that a user opened: RecentDocs, the dialogs to open and save, Office's own lists.

A key's time is when its list last changed, which is when its newest entry was used; the others have an order and no time.
Sources: J. Metz, "Most recently used" (winreg-kb); Microsoft Office ``File MRU`` items ``[F…][T FILETIME][O…]*PATH``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from artefacts.observations import FileSeen, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NoTime, Time, from_filetime
from artefacts.windows.hive import Hive, Key, Value
from artefacts.windows.hive.hive import utf16
from artefacts.windows.hive.reading import NTUSER, Results, mru_order, read_hive
from artefacts.windows.hive.shell_items import path_of, shell_items

_EXPLORER = r"Software\Microsoft\Windows\CurrentVersion\Explorer"
_OFFICE = re.compile(r"\[F[0-9A-Fa-f]+\](?:\[T([0-9A-Fa-f]{1,16})\])?(?:\[O[0-9A-Fa-f]+\])?\*(.+)", re.DOTALL)
_ReadEntry = Callable[[Value], tuple[str, str | None]]  # to (path, detail); may raise OSError
_NOT_NEWEST = NoTime("only the newest entry of the list has a time")


def parse(file: EvidenceFile) -> Results:
    """``FileSeen`` for each entry, from an NTUSER hive; ``used`` is known for the newest of each list and for Office's items."""

    def read(hive: Hive) -> Iterator[Observation]:
        recent = hive.key(rf"{_EXPLORER}\RecentDocs")
        if recent:
            for key in (recent, *recent.subkeys()):
                yield from _list(hive, key, file.user, "RecentDocs", _named)
        for dialog, how, read_entry in (
            ("OpenSavePidlMRU", "dialog to open or save", _items),
            ("OpenSaveMRU", "dialog to open or save", _text),
            ("LastVisitedPidlMRU", "last folder of a program's dialog", _program_items),
            ("LastVisitedPidlMRULegacy", "last folder of a program's dialog", _program_items),
            ("LastVisitedMRU", "last folder of a program's dialog", _program_text),
        ):
            place = hive.key(rf"{_EXPLORER}\ComDlg32\{dialog}")
            for key in (place, *place.subkeys()) if place else ():
                yield from _list(hive, key, file.user, how, read_entry)
        yield from _office(hive, file.user)

    return read_hive(file, read)


def _named(value: Value) -> tuple[str, str | None]:
    """RecentDocs: a name up to its zero, then the shortcut's."""
    return utf16(value.data or b""), None


def _items(value: Value) -> tuple[str, str | None]:
    return path_of(shell_items(value.data or b"")), None


def _text(value: Value) -> tuple[str, str | None]:
    return value.text or "", None


def _program_items(value: Value) -> tuple[str, str | None]:
    data = value.data or b""
    program = utf16(data)
    return path_of(shell_items(data[len(program.encode("utf-16-le", "surrogatepass")) + 2 :])), f"program {program}"


def _program_text(value: Value) -> tuple[str, str | None]:
    data = value.data or b""
    program = utf16(data)
    return utf16(data[len(program.encode("utf-16-le", "surrogatepass")) + 2 :]), f"program {program}"


def _list(hive: Hive, key: Key, user: str | None, how: str, read_entry: _ReadEntry) -> Iterator[Observation]:
    order = mru_order(key)
    for value in key.values():
        if value.name in ("MRUList", "MRUListEx", "ViewStream", ""):
            continue
        position = order.index(value.name) + 1 if value.name in order else None
        try:
            path, detail = read_entry(value)
        except OSError:
            hive.report("an entry's shell items cannot be read", value.locator)
            continue
        if path:
            place = f"position {position}" if position else "no longer in the list's order"
            yield FileSeen(
                path=path,
                how=how,
                used=key.written if position == 1 else _NOT_NEWEST,
                user=user,
                detail=f"{detail}; {place}" if detail else place,
                locator=value.locator,
            )


def _office(hive: Hive, user: str | None) -> Iterator[Observation]:
    office = hive.key(r"Software\Microsoft\Office")
    for version in office.subkeys() if office else ():
        if not re.fullmatch(r"\d+\.\d", version.name):
            continue
        for program in version.subkeys():
            places = [program.subkey("File MRU"), program.subkey("Place MRU")]
            accounts = program.subkey("User MRU")
            for account in accounts.subkeys() if accounts else ():
                places += [account.subkey("File MRU"), account.subkey("Place MRU")]
            for key in places:
                for value in key.values() if key else ():
                    found = _OFFICE.fullmatch(value.text or "") if value.name.startswith("Item") else None
                    if found:
                        used: Time = from_filetime(int(found[1], 16)) if found[1] else NoTime("not recorded")
                        yield FileSeen(path=found[2], how=f"Office list of {program.name}", used=used, user=user, locator=value.locator)


ARTEFACTS = (
    Artefact(
        id="windows.registry.recent",
        title="Windows registry: recent files",
        meaning="Files and folders that the user opened or saved, also on drives that are gone, with an order and for some a time.",
        paths=NTUSER,
        parse=parse,
        references=("https://winreg-kb.readthedocs.io/en/latest/sources/explorer-keys/Most-recently-used.html",),
        systems=("windows",),
        validation="specimens of Windows XP and 7",
    ),
)

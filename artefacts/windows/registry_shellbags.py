"""ShellBags: folders that a user opened in Explorer, also on drives and in archives that are gone.

A tree of keys ``BagMRU``: each value of a number is one shell item, the key of that number holds what was opened inside it.
Source: J. Metz, "Shell Bags" (winreg-kb); "Windows Shell Item format specification".
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.observations import FileSeen, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NoTime
from artefacts.windows.hive import Hive, Key
from artefacts.windows.hive.reading import NTUSER, USRCLASS, Results, mru_order, read_hive
from artefacts.windows.hive.shell_items import ShellItem, path_of, shell_items

_PLACES = (
    r"Local Settings\Software\Microsoft\Windows\Shell\BagMRU",
    r"Local Settings\Software\Microsoft\Windows\ShellNoRoam\BagMRU",
    r"Software\Classes\Local Settings\Software\Microsoft\Windows\Shell\BagMRU",
    r"Software\Microsoft\Windows\Shell\BagMRU",
    r"Software\Microsoft\Windows\ShellNoRoam\BagMRU",
)
_DEEPEST = 64
_NOT_NEWEST = NoTime("only the newest entry of each folder has a time")


def parse(file: EvidenceFile) -> Results:
    """``FileSeen`` with ``kind`` folder for each bag, from UsrClass.dat (Vista and later) or NTUSER.DAT."""

    def read(hive: Hive) -> Iterator[Observation]:
        for place in _PLACES:
            key = hive.key(place)
            if key:
                yield from _bags(hive, key, [], file.user, set())

    return read_hive(file, read)


def _bags(hive: Hive, key: Key, above: list[ShellItem], user: str | None, seen: set[int]) -> Iterator[Observation]:
    if key.offset in seen or len(above) > _DEEPEST:
        hive.report("the tree of folders turns back on itself, or is too deep", key.locator)
        return
    seen.add(key.offset)
    order = mru_order(key)
    inside = {child.name: child for child in key.subkeys()}
    for value in key.values():
        if not value.name.isdigit():
            continue
        data = value.data
        if data is None:
            continue
        try:
            items = shell_items(data)
        except OSError:
            items = []
        if not items:
            hive.report("a shell item cannot be read", value.locator)
            items = [ShellItem("?", "other")]
        steps = above + items
        last = items[-1]
        yield FileSeen(
            path=path_of(steps),
            time=last.modified,
            created=last.created,
            accessed=last.accessed,
            used=key.written if order[:1] == [value.name] else _NOT_NEWEST,
            kind="file" if last.kind == "file" else "folder",
            how="ShellBags",
            user=user,
            detail=None if last.kind in ("folder", "file") else last.kind,
            locator=value.locator,
        )
        if child := inside.get(value.name):
            yield from _bags(hive, child, steps, user, seen)


ARTEFACTS = (
    Artefact(
        id="windows.registry.shellbags",
        title="Windows registry: ShellBags",
        meaning="Folders that the user opened in Explorer, also on drives, phones and network shares that are no longer there.",
        paths=(*USRCLASS, *NTUSER),
        parse=parse,
        references=(
            "https://winreg-kb.readthedocs.io/en/latest/sources/explorer-keys/Shell-bags.html",
            "https://github.com/libyal/libfwsi",
        ),
        systems=("windows",),
        validation="specimens of Windows XP and 8",
    ),
)

"""Spotlight: what was typed and what was opened from it, and which volumes it indexed.

``com.apple.spotlight.Shortcuts`` (and ``.v3``), a property list: each key is what was typed, with the display name, the path and the last use (UTC).
``VolumeConfiguration.plist`` in ``.Spotlight-V100`` of a volume says when its index was made.

Sources: described in mac4n6.com; the specimen of VolumeConfiguration.plist.
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.coverage import Problem, Unrecognised
from artefacts.macos.property_lists import date, table, text
from artefacts.observations import FileSeen, Observation, SearchQuery, SystemFact
from artefacts.registry import Artefact, EvidenceFile

Results = Iterator[Observation | Problem]


def parse(file: EvidenceFile) -> Results:
    """``SearchQuery`` for what was typed, ``FileSeen`` for what was opened."""
    for typed, entry in table(file).items():
        if not isinstance(entry, dict):
            continue
        used, path = date(entry.get("LAST_USED")), text(entry.get("PATH")) or text(entry.get("URL"))
        yield SearchQuery(terms=typed, engine="Spotlight", last=used, where="spotlight", user=file.user, locator=typed)
        if path:
            yield FileSeen(
                path=path, used=used, how="opened from Spotlight", user=file.user, detail=text(entry.get("DISPLAY_NAME")), locator=typed
            )


def parse_volume(file: EvidenceFile) -> Results:
    """``SystemFact``: when each index of this volume was made, and what was kept out of it."""
    settings = table(file)
    stores = settings.get("Stores")
    if not isinstance(stores, dict):
        raise Unrecognised("a property list, but not of a Spotlight index")
    for name, store in sorted(stores.items()):
        if isinstance(store, dict):
            value = (
                f"index of {text(store.get('PartialPath')) or '/'} made by {text(store.get('CreationVersion')) or 'a version not recorded'}"
            )
            yield SystemFact(name="Spotlight index", value=value, time=date(store.get("CreationDate")), locator=f"Stores/{name}")
    excluded = settings.get("Exclusions")
    for number, path in enumerate(excluded if isinstance(excluded, list) else ()):
        if words := text(path):
            yield SystemFact(name="kept out of Spotlight", value=words, locator=f"Exclusions[{number}]")


ARTEFACTS = (
    Artefact(
        id="macos.spotlight_shortcuts",
        title="Spotlight shortcuts",
        meaning="Words typed into Spotlight, what was opened with them, and when.",
        paths=(
            "**/Library/Application Support/com.apple.spotlight.Shortcuts", "**/Library/Application Support/com.apple.spotlight/com.apple.spotlight.Shortcuts*",
            "**/Library/Group Containers/group.com.apple.spotlight/com.apple.spotlight.Shortcuts*",
        ),
        parse=parse,
        references=("https://www.mac4n6.com/blog/2018/9/9/knowledge-is-power-ii-a-day-in-the-life-of-my-iphone-using-knowledgecdb",),
        systems=("macos",),
    ),
    Artefact(
        id="macos.spotlight_volume",
        title="Spotlight index of a volume",
        meaning="When a Mac first indexed this volume: on a stick, that it was attached to a Mac.",
        paths=("**/.Spotlight-V100/VolumeConfiguration.plist",),
        parse=parse_volume,
        references=("https://keith.github.io/xcode-man-pages/mdutil.1.html",),
        systems=("macos",),
        validation="specimen of OS X 10.8; generated",
    ),
)  # fmt: skip

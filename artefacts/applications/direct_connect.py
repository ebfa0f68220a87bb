"""DC++ and its relatives (ApexDC++, StrongDC++, AirDC++, EiskaltDC++): downloads under way, files made ready for sharing, shared folders, hubs.

XML: ``Queue.xml`` (``Download``: ``Target``, ``Size``, ``Added``, ``TTH``), ``HashIndex.xml`` (``File``: ``Name``, ``TimeStamp``, ``Root``; ``Hash``: ``Size``, ``Root``),
``DCPlusPlus.xml`` (``Share``, ``Nick``), ``Favorites.xml`` (``Hub``). Times are seconds since 1970, UTC. TTH: root of a tree of Tiger hashes, in base32.

Source: DC++ 0.881, QueueManager.cpp, HashManager.cpp, SettingsManager.cpp, FavoriteManager.cpp.
"""

from __future__ import annotations

from artefacts.applications.reading import MOST_FILES, Results, base32_hex, last_part, number_of
from artefacts.applications.xml_reading import elements
from artefacts.coverage import Problem, Status
from artefacts.observations import AccountUse, SharedFile, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_unix

_PROGRAM = "DC++"


def _time(value: str | None) -> Time:
    seconds = number_of(value)
    return from_unix(seconds) if seconds else NOT_RECORDED


def _tiger(value: str | None) -> dict[str, str]:
    digest = base32_hex(value, 24) if value else None
    return {"tiger": digest} if digest else {}


def parse_queue(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each download under way."""
    count = 0
    for element in elements(file, ("downloads",)):
        if isinstance(element, Problem):
            yield element
        elif element.name == "Download" and (target := element.attributes.get("Target")):
            if (count := count + 1) > MOST_FILES:
                yield Problem(f"more than {MOST_FILES} downloads: the rest is not listed", Status.SKIPPED)
                return
            got = number_of(element.attributes.get("Downloaded"))
            yield SharedFile(
                name=last_part(target), path=target[:4096], size=number_of(element.attributes.get("Size")), hashes=_tiger(element.attributes.get("TTH")),
                time=_time(element.attributes.get("Added")), time_meaning="added", program=_PROGRAM, state="incomplete", downloaded=got, user=file.user,
                locator=element.locator,
            )  # fmt: skip


def parse_index(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each file that was hashed, which the program does to share it or after it fetched it."""
    sizes: dict[str, int] = {}
    count = 0
    for element in elements(file, ("hashstore",)):
        if isinstance(element, Problem):
            yield element
            continue
        root = element.attributes.get("Root", "")
        if element.name == "Hash" and len(sizes) < MOST_FILES and (size := number_of(element.attributes.get("Size"))) is not None:
            sizes[root] = size
        elif element.name == "File" and (name := element.attributes.get("Name")):
            if (count := count + 1) > MOST_FILES:
                yield Problem(f"more than {MOST_FILES} files: the rest is not listed", Status.SKIPPED)
                return
            yield SharedFile(
                name=last_part(name), path=name[:4096], size=sizes.get(root), hashes=_tiger(root), time=_time(element.attributes.get("TimeStamp")),
                time_meaning="the file's last change", shared=True, program=_PROGRAM, state="complete", user=file.user, locator=element.locator,
            )  # fmt: skip


def parse_settings(file: EvidenceFile) -> Results:
    """``SystemFact`` for each shared folder, ``AccountUse`` for the user's name."""
    for element in elements(file, ("dcplusplus",)):
        if isinstance(element, Problem):
            yield element
        elif element.name == "Directory" and "Share" in element.parents and element.text:
            yield SystemFact(name=f"folder shared with {_PROGRAM}", value=element.text, locator=element.locator)
        elif element.name == "Nick" and "Settings" in element.parents and element.text:
            yield AccountUse(
                service="Direct Connect", account=element.text, user=file.user, how="file sharing program", locator=element.locator
            )


def parse_hubs(file: EvidenceFile) -> Results:
    """``SystemFact`` for each hub that is kept; passwords for hubs are not read."""
    for element in elements(file, ("favorites",)):
        if isinstance(element, Problem):
            yield element
        elif element.name == "Hub" and (server := element.attributes.get("Server")):
            name = element.attributes.get("Name", "")
            yield SystemFact(name=f"hub of {_PROGRAM}", value=f"{name} {server}".strip()[:4096], locator=element.locator)


_REFERENCES = ("https://sourceforge.net/projects/dcplusplus/",)
_PLACES = ("DC++", "ApexDC++", "StrongDC++", "AirDC++", "EiskaltDC++", ".eiskaltdc++", ".airdc++", "eiskaltdc++")


def _paths(name: str) -> tuple[str, ...]:
    return tuple(f"**/{place}/**/{name}" for place in _PLACES)


ARTEFACTS = (
    Artefact(
        id="applications.direct_connect.queue",
        title="DC++: downloads",
        meaning="Files that were being fetched with DC++ or a relative of it.",
        paths=_paths("Queue.xml"),
        parse=parse_queue,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.direct_connect.index",
        title="DC++: files made ready for sharing",
        meaning="Files that DC++ or a relative of it hashed to offer them to others.",
        paths=("**/HashIndex.xml",),
        parse=parse_index,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.direct_connect.settings",
        title="DC++: shared folders",
        meaning="Folders that DC++ offers to others, and the name used there.",
        paths=("**/DCPlusPlus.xml",),
        parse=parse_settings,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.direct_connect.hubs",
        title="DC++: hubs",
        meaning="Meeting places of the Direct Connect network that were kept.",
        paths=_paths("Favorites.xml"),
        parse=parse_hubs,
        references=_REFERENCES,
    ),
)

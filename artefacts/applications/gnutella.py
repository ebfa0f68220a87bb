"""LimeWire, FrostWire and their like: files whose SHA-1 they computed to share them, and the folders they share.

``fileurns.cache`` and ``.bak`` are a Java map written by Java's serialisation: from path and time of a file to its names in the network (``urn:sha1:`` and
base32). Only the strings are read, in their order: a path, then the names that belong to it. ``limewire.props`` and ``frostwire.props`` are Java properties.

Source: LimeWire, UrnCache.java and SharingSettings.java; Java Object Serialization Specification 6.4 (74: a string, 16 bits of length; 73, 71: others).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from artefacts.applications.reading import MOST_FILES, Results, base32_hex, content, last_part, words
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import SharedFile, SystemFact
from artefacts.registry import Artefact, EvidenceFile

_MAGIC = b"\xac\xed\x00\x05"
_STRING = re.compile(rb"\x74([\x00-\x10])([\x00-\xff])", re.DOTALL)
_PATH = re.compile(r"(?:[A-Za-z]:\\|\\\\|/)[^\x00-\x1f]+")
_URN = re.compile(r"urn:sha1:([A-Za-z2-7]{32})", re.IGNORECASE)
_FOLDERS = re.compile(
    r"^(DIRECTORY_FOR_SAVING_FILES|DIRECTORIES_TO_SEARCH_FOR_FILES|DIRECTORY_FOR_SAVING_[A-Z_]+)\s*[=:]\s*(.+)$", re.MULTILINE
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")


def _strings(data: bytes) -> Iterator[tuple[int, str]]:
    at = 4
    while (found := _STRING.search(data, at)) is not None:
        size = found[1][0] << 8 | found[2][0]
        end = found.end() + size
        if size and end <= len(data) and min(data[found.end() : end]) >= 0x20:
            yield found.start(), words(data[found.end() : end])
            at = end
        else:
            at = found.start() + 1


def parse_urns(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each path that a SHA-1 follows."""
    data, problems = content(file)
    if data[:4] != _MAGIC:
        raise Unrecognised("not written by Java")
    yield from problems
    path: str | None = None
    count = 0
    for offset, text in _strings(data):
        urn = _URN.fullmatch(text)
        if urn is None:
            path = text if _PATH.fullmatch(text) else path
            continue
        digest = base32_hex(urn[1], 20)
        if path is None or digest is None:
            continue
        if (count := count + 1) > MOST_FILES:
            yield Problem(f"more than {MOST_FILES} files: the rest is not listed", Status.SKIPPED)
            return
        yield SharedFile(
            name=last_part(path), path=path, hashes={"sha1": digest}, program="FrostWire" if "frostwire" in file.path.lower() else "LimeWire",
            state="complete", user=file.user, locator=f"offset={offset}",
        )  # fmt: skip
        path = None
    if not count and len(data) > 200:
        yield Problem("no path with a SHA-1 was found in it", Status.UNRECOGNISED)


def parse_properties(file: EvidenceFile) -> Results:
    """A ``SystemFact`` for each folder that is shared or stored in."""
    data, problems = content(file, 1 << 20)
    yield from problems
    program = "FrostWire" if "frostwire" in file.name.lower() else "LimeWire"
    for found in _FOLDERS.finditer(words(data)):
        name = "folder shared with" if found[1] == "DIRECTORIES_TO_SEARCH_FOR_FILES" else "folder for files fetched with"
        for folder in _unescaped(found[2].strip()).split(";"):
            if folder:
                yield SystemFact(name=f"{name} {program}", value=folder[:4096], locator=found[1])


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1][1:], 16)) if len(found[1]) == 5 else found[1], text)


_REFERENCES = ("https://docs.oracle.com/en/java/javase/17/docs/specs/serialization/protocol.html",)

ARTEFACTS = (
    Artefact(
        id="applications.gnutella.urns",
        title="LimeWire and FrostWire: files made ready for sharing",
        meaning="Paths and SHA-1 of files that LimeWire, FrostWire or a relative of theirs had in its shared folders.",
        paths=("**/fileurns.cache", "**/fileurns.bak"),
        parse=parse_urns,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.gnutella.folders",
        title="LimeWire and FrostWire: folders",
        meaning="Which folders LimeWire or FrostWire shares, and where it stores what it fetches.",
        paths=("**/limewire.props", "**/frostwire.props"),
        parse=parse_properties,
        references=_REFERENCES,
    ),
)

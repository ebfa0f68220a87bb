"""Shareaza: files in its library, and searches whose windows were open when it last ended.

``Library1.dat`` and ``Library2.dat`` (written in turn) and ``Searches.dat`` are archives of Microsoft's MFC, in versions 1 to 29 of the library. Strings: length in
a byte, FF then 16 bits, FFFE first where it is UTF-16; counts: 16 bits, FFFF then 32. A hash: 32 bits that say whether it is there, then its bytes.
Times are FILETIME. A file's ``shared``: 0 as its folder has it, 1 no, 2 yes. Files that were removed from a folder are kept at the end ("ghosts").

Source: Shareaza 2.7, Library.cpp, LibraryFolders.cpp, SharedFolder.cpp, SharedFile.cpp, AlbumFolder.cpp, LibraryHistory.cpp, WndSearch.cpp, ManagedSearch.cpp,
QuerySearch.cpp, MatchObjects.cpp, QueryHit.cpp, XML.cpp (``Serialize``); the specimen.
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.applications.reading import MOST_FILES, Cursor, Cut, Results, content, words
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import Observation, SearchQuery, SharedFile
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NoTime, from_filetime

_NEWEST = 40  # no version of the library is near it
_MOST_DEPTH = 64
_HASHES = (("sha1", 20, 0), ("tiger", 24, 8), ("md5", 16, 11), ("ed2k", 16, 11), ("infohash", 20, 26))


class _Archive(Cursor):
    """An MFC archive of version ``version`` of what it holds."""

    version = 0

    def text(self) -> str:
        wide = False
        length = self.number(1)
        if length == 0xFF:
            length = self.number(2)
            if length == 0xFFFE:
                wide, length = True, self.number(1)
                if length == 0xFF:
                    length = self.number(2)
            if length == 0xFFFF:
                length = self.number(4)
        data = self.take(length * 2 if wide else length)
        return data.decode("utf-16-le", "backslashreplace")[:4096] if wide else words(data)

    def count(self) -> int:
        count = self.number(2)
        count = self.number(4) if count == 0xFFFF else count
        if count > self.left:
            raise Cut(f"a count of {count}, more than there are bytes")
        return count

    def digest(self, size: int) -> str | None:
        known = self.number(4)
        if known > 1:
            raise Cut("a hash should follow, and does not")
        return self.take(size).hex() if known else None

    def xml(self, depth: int = 0) -> None:
        """Passes over an element."""
        if depth > _MOST_DEPTH:
            raise Cut("XML nested too deep")
        self.text(), self.text()
        for _ in range(self.count()):
            self.text(), self.text()
        for _ in range(self.count()):
            self.xml(depth + 1)


def _file(archive: _Archive, folder: str, inherited: bool | None, file: EvidenceFile, ghost: bool) -> SharedFile:
    version, start = archive.version, archive.at
    name = archive.text()
    archive.take(4)
    size = archive.number(8 if version >= 17 else 4)
    changed = from_filetime(archive.number(8))
    shared = _shared(archive)
    if version >= 21 and archive.number(8):
        archive.take(8)
    hashes = {key: value for key, length, since in _HASHES if version >= since and (value := archive.digest(length))}
    if version >= 4:
        archive.take(4)
    automatic = False
    if archive.text():
        if version < 27:
            automatic = bool(archive.number(4))
            if not automatic:
                archive.take(8)
        archive.xml()
    if version >= 13:
        rating, comments = archive.number(4), archive.text()
        if version >= 16:
            archive.text()
        if version >= 27:
            archive.take(12)
        elif automatic and (rating or comments):
            archive.take(8)
    archive.take(4)  # how often it was found in searches by others
    sent = archive.number(4)
    archive.take((4 if version >= 14 else 0) + (4 if version >= 20 else 0))
    for _ in range(archive.count() if version >= 2 else 0):
        archive.text()
        archive.take(8 if version >= 10 else 4)
    return SharedFile(
        name=name,
        path=f"{folder}\\{name}" if folder else None,
        size=size,
        hashes=hashes,
        time=changed,
        time_meaning="the file's last change",
        shared=inherited if shared is None else shared,
        program="Shareaza",
        state="removed from the library" if ghost else "complete",
        requests=sent,  # it counts uploads, not bytes
        user=file.user,
        locator=f"offset={start}",
    )


def _shared(archive: _Archive) -> bool | None:
    """Yes, no, or None: as the folder above has it."""
    if archive.version < 5:
        return None if archive.number(1) else False
    return {1: False, 2: True}.get(archive.number(4))


def _folder(archive: _Archive, inherited: bool | None, file: EvidenceFile, depth: int = 0) -> Iterator[Observation]:
    if depth > _MOST_DEPTH:
        raise Cut("folders nested too deep")
    path = archive.text()
    own = _shared(archive)
    shared = inherited if own is None else own
    if archive.version >= 3:
        archive.take(4)
    for _ in range(archive.count()):
        yield from _folder(archive, shared, file, depth + 1)
    for _ in range(archive.count()):
        # A folder that says nothing is shared: that is what the library is for.
        yield _file(archive, path, shared is not False, file, False)


def _album(archive: _Archive, depth: int = 0) -> None:
    if depth > _MOST_DEPTH:
        raise Cut("albums nested too deep")
    archive.text()
    if archive.count():
        archive.xml()
    if archive.version >= 19:
        archive.digest(20)
    if archive.version >= 24:
        archive.digest(16)
    archive.text()
    archive.take(8)
    if archive.version >= 19:
        archive.text()
    for _ in range(archive.count()):
        _album(archive, depth + 1)
    archive.take(4 * archive.count())


def _history(archive: _Archive) -> None:
    for _ in range(archive.count()):
        archive.take(12)
    if archive.version > 22 and archive.text():
        archive.text()
        archive.take(4)
        archive.digest(20)


def _library(archive: _Archive, file: EvidenceFile) -> Iterator[Observation]:
    if archive.version >= 29:
        archive.take(4)
    archive.take(16 if archive.version >= 28 else 4)
    for _ in range(archive.count()):
        yield from _folder(archive, None, file)


def parse_library(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each file in the folders of the library."""
    data, problems = content(file)
    archive = _Archive(data)
    try:
        archive.take(8)
        archive.version = archive.number(4)
    except Cut as error:
        raise Unrecognised(f"not a library of Shareaza: {error}") from error
    if not 1 <= archive.version <= _NEWEST:
        raise Unrecognised("not a library of Shareaza")
    yield from problems
    try:
        for count, item in enumerate(_library(archive, file)):
            if count >= MOST_FILES:
                yield Problem(f"more than {MOST_FILES} files: the rest is not listed", Status.SKIPPED)
                return
            yield item
        if archive.version >= 18:
            yield from _ghosts(archive, file)
    except Cut as error:
        yield Problem(f"{error}: the rest is not read", Status.FAILED, f"offset={archive.at}")


def _ghosts(archive: _Archive, file: EvidenceFile) -> Iterator[Observation]:
    _album(archive)
    _history(archive)
    for _ in range(min(archive.count(), MOST_FILES)):
        yield _file(archive, "", None, file, True)


def _search(archive: _Archive, file: EvidenceFile) -> SearchQuery:
    start, version = archive.at, archive.number(4)
    query = archive.number(4)
    if query < 4 or version > _NEWEST or query > _NEWEST:
        raise Cut(f"a search of the unknown version {query}")
    archive.take(16)
    terms = archive.text()
    for size in (20, 24, 16, 20, *((16,) if query >= 7 else ())):
        archive.digest(size)
    if archive.text():
        archive.xml()
    archive.take((20 if query >= 5 else 0) + (16 if query >= 8 else 0))
    archive.take(12 + (12 if version >= 3 else 0) + (4 if version >= 4 else 0))
    return SearchQuery(
        terms=terms, engine="Shareaza", time=NoTime("Shareaza records no time for a search"), where="file sharing program", user=file.user,
        locator=f"offset={start}",
    )  # fmt: skip


def _results(archive: _Archive) -> None:
    """Passes over the results of a search: what others offered, not what is here."""
    archive.text()
    version = archive.number(4)
    if not 8 <= version <= _NEWEST:
        raise Cut(f"results of the unknown version {version}")
    long = 8 if version >= 10 else 4
    archive.text()
    archive.take(24 + (16 if version >= 12 else 0) + 2 * long + 12)
    for _ in range(archive.count()):
        archive.take(long)
        archive.text()
        for size in (20, 24, 16, *((20, 16) if version >= 13 else ())):
            archive.digest(size)
        archive.take(16)
        archive.text()
        archive.take(16)
        archive.take(archive.count())
        for _ in range(archive.count()):
            _hit(archive, version, long)
        if version >= 14:
            archive.take(12)


def _hit(archive: _Archive, version: int, long: int) -> None:
    archive.take(16 + (4 if version >= 9 else 0) + 16 + 4 + 2 + 4)
    archive.text(), archive.text()
    archive.take(32)
    for size in (20, 24, 16, *((20, 16) if version >= 13 else ())):
        archive.digest(size)
    archive.text(), archive.text()
    archive.take(8 + long + 12)
    archive.text()
    if version >= 11:
        archive.take(4)
    schema = archive.text()
    archive.text()
    if schema:
        archive.xml()
    archive.take(4)
    archive.text()
    archive.take(12 + (4 if version >= 12 else 0))
    if version >= 15:
        archive.text()


def parse_searches(file: EvidenceFile) -> Results:
    """A ``SearchQuery`` for each search in a window that was open. What the searches found is not listed: it was not fetched."""
    data, problems = content(file)
    archive = _Archive(data)
    found = 0
    try:
        while archive.count() == 1:
            if archive.number(4) > _NEWEST:
                raise Cut("a window of an unknown version")
            for _ in range(archive.count()):
                search = _search(archive, file)
                found += 1
                if search.terms:
                    yield search
            _results(archive)
    except Cut as error:
        if not found and data:
            raise Unrecognised(f"not the searches of Shareaza: {error}") from error
        if archive.left or found:
            yield Problem(f"{error}: the rest is not read", Status.FAILED, f"offset={archive.at}")
    yield from problems


_REFERENCES = ("https://sourceforge.net/p/shareaza/code/",)

ARTEFACTS = (
    Artefact(
        id="applications.shareaza.library",
        title="Shareaza: library",
        meaning="Files in the library of Shareaza, which it offers to others: names, folders, sizes, SHA-1 and MD5.",
        paths=("**/Shareaza/**/Library1.dat", "**/Shareaza/**/Library2.dat"),
        parse=parse_library,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.shareaza.searches",
        title="Shareaza: searches",
        meaning="Words that were searched for with Shareaza.",
        paths=("**/Shareaza/**/Searches.dat",),
        parse=parse_searches,
        references=_REFERENCES,
        validation="specimen; generated",
    ),
)

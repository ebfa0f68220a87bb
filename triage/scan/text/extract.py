"""From a file to its pieces of text: finds the reader for each content, and goes down into what is inside."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from artefacts.coverage import Problem, Status
from triage.scan.filetype import is_text
from triage.scan.text import archives, hidden, mail, markup, ole, onenote, outlook, outlook_express, pdf, rar, rtf, seven_zip, torrent
from triage.scan.text.kinds import OVER_TEXT, READ, kind_of
from triage.scan.text.parts import MAX_DEPTH, Budget, Member, Part, Text, size_of

STEP = " ▸ "
MAX_TOLD = 20
"""Problems of one file that are told one by one."""
_HEAD = 4096

_READERS: dict[str, Callable[[BinaryIO, Budget], Iterator[Part]]] = {
    "pdf": pdf.read,
    "zip": archives.read_zip,
    "tar": archives.read_tar,
    "gzip": archives.read_gzip,
    "bzip2": archives.read_bzip2,
    "xz": archives.read_xz,
    "zstd": archives.read_zstd,
    "7z": seven_zip.read,
    "rar": rar.read,
    "ole": ole.read,
    "rtf": rtf.read,
    "mail": mail.read,
    "mbox": mail.read_mbox,
    "pst": outlook.read,
    "dbx": outlook_express.read,
    "torrent": torrent.read,
    "onenote": onenote.read,
    "markup": markup.read,
    "json": markup.read_json,
}
assert _READERS.keys() == READ
_HOW = {
    **dict.fromkeys(("zip", "tar", "7z", "rar"), "in an archive"),
    **dict.fromkeys(("gzip", "bzip2", "xz", "zstd"), "in a compressed file"),
    **dict.fromkeys(("mail", "mbox", "pst", "dbx"), "attached to a message"),
    **dict.fromkeys(("pdf", "ole", "rtf"), "in a document"),
}
"""What kind of place a member lies in, where its reader does not say."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text to be matched. ``data``: plain text in whatever encoding it was found, or UTF-8 where it came out of a document.

    ``locator``: how it was reached, from the file's own name on (``papers.zip ▸ a/letter.docx ▸ word/document.xml``); empty for the file
    itself. ``where``: one of ``rules.keywords.PLACES``. ``again``: another reading of the piece before it, its tags or escapes undone.
    """

    data: bytes
    locator: str
    where: str = "text"
    again: bool = False


@dataclass(frozen=True, slots=True)
class Inner:
    """A file inside the file, whole. ``locator`` is that of a ``Piece``; the rest as in ``Member``, ``offset`` in the outermost file."""

    data: bytes
    locator: str
    how: str
    offset: int | None = None
    recovered: bool = False


def extract(stream: BinaryIO, name: str, beat: Callable[[], None]) -> Iterator[Piece | Inner | Problem]:
    """Every piece of text in a seekable ``stream``, and what could not be read of it. ``name`` begins the locators; ``beat()`` is called
    as the work goes on. Never raises for what the content is; only ``MemoryError``, and ``OSError`` where the stream cannot even be begun."""
    return walk(stream, name, Budget(beat, size_of(stream)))


def walk(stream: BinaryIO, name: str, budget: Budget) -> Iterator[Piece | Inner | Problem]:
    """As ``extract``, within a given budget; where that wants everything, with all that lies inside, however deep."""
    return _once(_inside(stream, "", name, 1, budget, 0))


def walk_members(parts: Iterator[Part], name: str, budget: Budget) -> Iterator[Piece | Inner | Problem]:
    """The same for the ``parts`` that somebody else's reader found in the file called ``name``."""
    return _once(_parts(parts, "", name, "", 1, budget, 0))


def _once(items: Iterator[Piece | Inner | Problem]) -> Iterator[Piece | Inner | Problem]:
    """Problems of one kind are told once, then counted."""
    told: Counter[tuple[Status, str]] = Counter()
    for item in items:
        if isinstance(item, Problem):
            told[item.status, item.reason] += 1
            if told[item.status, item.reason] > 1 or len(told) > MAX_TOLD:
                continue
        yield item
    for (status, reason), count in told.items():
        if count > 1:
            yield Problem(f"{count - 1} more in it: {reason}", status)
    if len(told) > MAX_TOLD:
        yield Problem(f"{len(told) - MAX_TOLD} problems of other kinds in it")


def _inside(stream: BinaryIO, locator: str, name: str, depth: int, budget: Budget, origin: int | None) -> Iterator[Piece | Inner | Problem]:
    """``locator`` is that of the content in ``stream``, empty for the file itself, whose ``name`` its parts' locators begin with. ``origin``: where in
    that file the content lies as it is; None where it does not."""
    head = stream.read(_HEAD)
    stream.seek(0)
    kind = kind_of(head)
    if budget.words and is_text(head) and (kind is None or kind in OVER_TEXT):
        yield Piece(stream.read(), locator)
        stream.seek(0)
    if kind is None:
        if budget.everything and depth <= MAX_DEPTH + 1:
            reader = hidden.read_picture if hidden.is_picture(head) else hidden.read_unknown if hidden.is_unknown(head) else None
            if reader is not None:
                yield from _parts(reader(stream, budget), locator, name, "", depth, budget, origin)
        return
    if not budget.words and kind in OVER_TEXT:
        return
    if kind not in READ:
        yield Problem(f"{kind}: this tool does not open it", Status.UNRECOGNISED, locator)
        return
    if depth > MAX_DEPTH:
        yield Problem(f"lies more than {MAX_DEPTH} containers deep: not opened", locator=locator)
        return
    yield from _parts(_READERS[kind](stream, budget), locator, name, kind, depth, budget, origin)


def _parts(
    parts: Iterator[Part], locator: str, name: str, kind: str, depth: int, budget: Budget, origin: int | None
) -> Iterator[Piece | Inner | Problem]:
    """What a reader gives of a content of this ``kind``, and what is inside that."""
    base = locator or name
    while True:
        try:
            part = next(parts)
        except StopIteration:
            return
        except MemoryError:
            raise
        except Exception as error:  # a reader that hostile content got the better of costs that content only
            yield Problem(f"is damaged: {type(error).__name__}: {error}", locator=locator)
            return
        if isinstance(part, Problem):
            where = base + STEP + part.locator if part.locator else locator
            yield Problem(part.reason, part.status, where)
        elif isinstance(part, Text):
            if budget.words and part.text.strip():
                where = base + STEP + part.locator if part.locator else base
                yield Piece(_utf8(part.text), where, part.where, again=kind in OVER_TEXT)
        elif isinstance(part, Member):
            where = base + STEP + part.name if part.name else base
            offset = None if origin is None or part.offset is None else origin + part.offset
            if budget.everything:
                reached = where if part.name else base + STEP + "content"
                yield Inner(part.data, reached, part.how or _HOW.get(kind, "inside a file"), offset, part.recovered)
            yield from _inside(io.BytesIO(part.data), where, name, depth + 1, budget, offset)


def _utf8(text: str) -> bytes:
    # A zero byte would have it taken for UTF-16, or for no text at all.
    return text.replace("\0", " ").encode("utf-8", "replace")

"""Torrent files: which files somebody may have fetched, with sizes and with the hashes that can be had of them.

Versions 1 and 2 of the format (BEP 3, BEP 47, BEP 52). ``infohash``: SHA-1, and for version 2 SHA-256 (``infohash2``), of the bytes of
``info``. A hash of one whole file is there where ``md5sum`` or ``sha1`` is given, where the file is no longer than one piece that holds nothing else
(version 1), or no longer than one block of 16,384 bytes (version 2: the tree has one leaf). A torrent file says what could be
fetched; the programs' own records say what was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from artefacts.applications.bencode import Decoded, decode, digest, integer, text
from artefacts.applications.reading import MOST_FILES, Results, content
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import SharedFile
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_unix

_BLOCK = 16_384  # bytes; BEP 52
LISTED = "listed"


def parse(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each file that the torrent is for, ``state`` "listed"."""
    data, problems = content(file)
    found = decode(data)
    info = found.tree.get("info")
    if not isinstance(info, dict):
        if found.problem is not None:
            yield found.problem
            return
        raise Unrecognised("bencoded, but no torrent file")
    yield from problems
    yield from files_of(info, _infohashes(found, data), file, from_unix_or_none(found.tree.get("creation date")))
    if found.problem is not None:
        yield found.problem


def from_unix_or_none(value: Any) -> Time:
    """A number of seconds since 1970, UTC, where it is one."""
    return from_unix(value) if isinstance(value, int) and value > 0 else NOT_RECORDED


def _infohashes(found: Decoded, data: bytes) -> dict[str, str]:
    span = found.spans.get("info")
    if span is None:
        return {}
    body, info = data[span[0] : span[1]], found.tree["info"]
    hashes = {"infohash": hashlib.sha1(body, usedforsecurity=False).hexdigest()} if "pieces" in info else {}
    if "file tree" in info:
        hashes["infohash2"] = hashlib.sha256(body).hexdigest()
    return hashes


def files_of(info: dict[str, Any], hashes: dict[str, str], file: EvidenceFile, made: Time) -> Results:
    """A ``SharedFile`` for each file in the dictionary ``info`` of a torrent; ``hashes`` of the torrent go with each."""
    name = text(info, "name.utf-8", "name") or file.name
    listed = _version_2(info) if "file tree" in info else _version_1(info, name)
    single = "files" not in info and "file tree" not in info
    for number, (path, size, own) in enumerate(listed):
        if number >= MOST_FILES:
            yield Problem(f"more than {MOST_FILES} files: the rest is not listed", Status.SKIPPED, f"file={number}")
            return
        yield SharedFile(
            name=path.rpartition("/")[2],
            path=None if single or path == name else f"{name}/{path}",
            size=size,
            hashes={**own, **hashes},
            time=made,
            time_meaning="torrent made",
            state=LISTED,
            collection=name,
            user=file.user,
            locator=f"file={number}",
        )


def _version_1(info: dict[str, Any], name: str) -> Iterator[tuple[str, int | None, dict[str, str]]]:
    """Path, size and hashes of each file; padding is left out (BEP 47)."""
    files = info.get("files")
    entries = [entry for entry in files if isinstance(entry, dict)] if isinstance(files, list) else [info]
    length, pieces = integer(info, "piece length") or 0, info.get("pieces")
    pieces = pieces if isinstance(pieces, bytes) else b""
    offset = 0
    for number, entry in enumerate(entries):
        size = integer(entry, "length")
        own = {key: value for key, value in (("md5", digest(entry, "md5sum", 16)), ("sha1", digest(entry, "sha1", 20))) if value}
        alone = size is not None and (size == length or number == len(entries) - 1)
        if length > 0 and size and alone and offset % length == 0 and size <= length:
            piece = pieces[offset // length * 20 : offset // length * 20 + 20]
            if len(piece) == 20:
                own.setdefault("sha1", piece.hex())
        offset += max(size or 0, 0)
        parts = entry.get("path.utf-8") or entry.get("path") if isinstance(files, list) else None
        path = (
            "/".join(part.decode("utf-8", "backslashreplace") for part in parts if isinstance(part, bytes))
            if isinstance(parts, list)
            else name
        )
        attributes = entry.get("attr")
        padding = isinstance(attributes, bytes) and b"p" in attributes
        if not padding and not path.startswith(("_____padding_file", ".pad/")):
            yield path[:4096], size, own


def _version_2(info: dict[str, Any]) -> Iterator[tuple[str, int | None, dict[str, str]]]:
    todo: list[tuple[str, Any]] = [("", info["file tree"])]
    while todo:
        path, tree = todo.pop()
        if not isinstance(tree, dict):
            continue
        entry = tree.get("")
        if isinstance(entry, dict):
            size, root = integer(entry, "length"), digest(entry, "pieces root", 32)
            own = {"sha256_merkle": root} if root else {}
            if root and size and size <= _BLOCK:
                own["sha256"] = root
            yield path[:4096], size, own
        todo.extend((f"{path}/{key}" if path else key, value) for key, value in sorted(tree.items(), reverse=True) if key)


ARTEFACTS = (
    Artefact(
        id="applications.torrents",
        title="Torrent files",
        meaning="Files that could be fetched with a BitTorrent program: names, sizes, and hashes where the torrent has them. Not that they were fetched.",
        paths=("**/*.torrent", "**/*.torrent.added", "**/*.torrent.loaded", "**/*.torrent.imported"),
        parse=parse,
        references=("https://www.bittorrent.org/beps/bep_0003.html", "https://www.bittorrent.org/beps/bep_0052.html"),
        validation="made by transmission-create; generated",
    ),
)  # fmt: skip

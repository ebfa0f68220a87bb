"""What BitTorrent programs keep of each torrent: when it was added and finished, where it was stored, how much was sent to others.

- µTorrent and BitTorrent: ``resume.dat``, a dictionary by name of torrent file (``caption``, ``path``, ``added_on``, ``completed_on``, ``uploaded``, ``info``).
- Transmission: ``resume/NAME.HASH.resume`` (``destination``, ``added-date``, ``done-date``, ``uploaded``), since 4.0 ``resume/HASH.resume``.
- qBittorrent and others on libtorrent: ``BT_backup/HASH.fastresume`` (``save_path``, ``added_time``, ``completed_time``, ``total_uploaded``, ``info-hash``).
- Deluge: ``torrents.fastresume``, a dictionary of such dictionaries by hash.
- Vuze: ``downloads.config`` (``downloads``: ``save_dir``, ``save_file``, ``uploaded``, ``torrent_hash``).

Times are seconds since 1970 UTC, Vuze's ``creationTime`` milliseconds. Sources: the programs' own source (libtransmission/resume.c; libtorrent,
src/write_resume_data.cpp; qBittorrent, bencoderesumedatastorage.cpp; deluge/core/torrentmanager.py; Azureus, GlobalManagerImpl.java); plaso's notes on µTorrent.
"""

from __future__ import annotations

import re
from typing import Any

from artefacts.applications.bencode import decode, digest, integer, text
from artefacts.applications.reading import MOST_FILES, Results, content, last_part
from artefacts.applications.torrents import from_unix_or_none
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.log_lines import log_lines
from artefacts.observations import SharedFile
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp, from_local, from_unix

_HASH = re.compile(r"(?:^|\.)([0-9a-f]{64}|[0-9a-f]{40})\.(?:resume|fastresume|torrent)$", re.IGNORECASE)
_MILLISECOND = 1_000_000
_LOGGED = re.compile(r'\([A-Z]\) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d) - ([^"]{1,200}) "(.+?)"')
_EVENTS = (
    ("Added new torrent", "added"),
    ("Torrent download finished", "complete"),
    ("Removed torrent and deleted", "removed with its files"),
    ("Removed torrent", "removed from the list"),
)
_SEPARATORS = "/\\"


def _shared(uploaded: int | None, *seeding: int | None) -> bool | None:
    """Whether it was sent, or stood ready to be: None where neither is recorded, since these programs offer whatever they have."""
    known = [value for value in (uploaded, *seeding) if value is not None]
    return any(value > 0 for value in known) or None


def _entry(
    file: EvidenceFile, program: str, name: str, path: str | None, hashes: dict[str, str], added: Time, done: Time, numbers: tuple[int | None, ...],
    locator: str, size: int | None = None, complete: bool | None = None,
) -> SharedFile:  # fmt: skip
    uploaded, downloaded, seeding = numbers
    # Some keep the folder, some the whole path: what is told is always where the torrent's own file or folder lies.
    if path and last_part(path) != name:
        separator = "\\" if "\\" in path else "/"
        path = f"{path.rstrip(_SEPARATORS)}{separator}{name}"
    finished = isinstance(done, Timestamp) if complete is None else complete
    return SharedFile(
        name=name[:4096], path=path[:4096] if path else None, size=size, hashes=hashes, time=added, time_meaning="added", finished=done,
        shared=_shared(uploaded, seeding), program=program, state="complete" if finished else "incomplete", uploaded=uploaded,
        downloaded=downloaded, user=file.user, locator=locator,
    )  # fmt: skip


def _infohash(value: str | None) -> dict[str, str]:
    # libtorrent writes zeros for the version that a torrent is not of.
    return {} if not value or not value.strip("0") else {"infohash" if len(value) == 40 else "infohash2": value}


def parse_utorrent(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each torrent in ``resume.dat``."""
    data, problems = content(file)
    try:
        found = decode(data)
    except Unrecognised:
        if "torrent" in file.path.lower():
            raise
        yield Problem("in no folder of a BitTorrent program, and not bencoded", Status.SKIPPED)
        return
    entries = [(key, value) for key, value in found.tree.items() if isinstance(value, dict) and ("added_on" in value or "caption" in value)]
    if not entries and found.problem is None and not set(found.tree) & {".fileguard", "rec"}:
        raise Unrecognised("bencoded, but not the list of torrents of µTorrent")
    yield from problems
    for key, value in entries[:MOST_FILES]:
        yield _entry(
            file, "uTorrent" if "utorrent" in file.path.lower() else "BitTorrent", text(value, "caption") or last_part(key), text(value, "path"), _infohash(digest(value, "info", 20)),
            from_unix_or_none(value.get("added_on")), from_unix_or_none(value.get("completed_on")),
            (integer(value, "uploaded"), integer(value, "downloaded"), integer(value, "seedtime")), f"key={key}",
        )  # fmt: skip
    if len(entries) > MOST_FILES:
        yield Problem(f"more than {MOST_FILES} torrents: the rest is not listed", Status.SKIPPED)
    if found.problem is not None:
        yield found.problem


def parse_transmission(file: EvidenceFile) -> Results:
    """One ``SharedFile`` for the torrent that a file of Transmission is about."""
    data, problems = content(file)
    found = decode(data)
    tree = found.tree
    if not {"destination", "added-date"} & set(tree):
        if found.problem is not None:
            yield found.problem
            return
        raise Unrecognised("bencoded, but not a file of Transmission")
    yield from problems
    known = _HASH.search(file.name)
    short = re.search(r"^(.+)\.[0-9a-f]{16}\.resume$", file.name)
    name = text(tree, "name") or (short[1] if short else file.name.rpartition(".")[0])
    progress = tree.get("progress")
    done = from_unix_or_none(tree.get("done-date"))
    whole = isinstance(progress, dict) and (progress.get("blocks") == b"all" or progress.get("have") == b"all")
    yield _entry(
        file, "Transmission", name, text(tree, "destination"), _infohash(known[1].lower() if known else None),
        from_unix_or_none(tree.get("added-date")), done,
        (integer(tree, "uploaded"), integer(tree, "downloaded"), integer(tree, "seeding-time-seconds")), "added-date",
        complete=whole or isinstance(done, Timestamp),
    )  # fmt: skip
    if found.problem is not None:
        yield found.problem


def _libtorrent(file: EvidenceFile, program: str, tree: Any, name: str, locator: str) -> SharedFile:
    own = text(tree, "qBt-name", "name")
    path = text(tree, "qBt-savePath", "save_path")
    info = tree.get("info")
    if own is None and isinstance(info, dict):
        own = text(info, "name.utf-8", "name")
    hashes = _infohash(digest(tree, "info-hash", 20)) | _infohash(digest(tree, "info-hash2", 32))
    done = from_unix_or_none(tree.get("completed_time"))
    complete = isinstance(done, Timestamp) or (integer(tree, "finished_time") or 0) > 0 or integer(tree, "seed_mode") == 1
    return _entry(
        file, program, own or name, path, hashes, from_unix_or_none(tree.get("added_time")), done,
        (integer(tree, "total_uploaded"), integer(tree, "total_downloaded"), integer(tree, "seeding_time")), locator, complete=complete,
    )  # fmt: skip


def _torrent_name(file: EvidenceFile, stem: str) -> str | None:
    """The name that the torrent file beside it gives, where there is one."""
    other = file.sibling(f"{stem}.torrent")
    if other is None:
        return None
    try:
        return text(decode(content(other)[0]).tree.get("info"), "name.utf-8", "name")
    except Unrecognised:
        return None


def parse_libtorrent(file: EvidenceFile) -> Results:
    """One ``SharedFile`` for the torrent that a ``.fastresume`` file is about."""
    data, problems = content(file)
    found = decode(data)
    if not {"file-format", "save_path", "qBt-savePath", "info-hash"} & set(found.tree):
        if found.problem is not None:
            yield found.problem
            return
        raise Unrecognised("bencoded, but not a file of a libtorrent program")
    yield from problems
    stem = file.name.rpartition(".")[0]
    program = "qBittorrent" if any(key.startswith("qBt-") for key in found.tree) else "a BitTorrent program (libtorrent)"
    yield _libtorrent(file, program, found.tree, _torrent_name(file, stem) or stem, "info-hash")
    if found.problem is not None:
        yield found.problem


def parse_qbittorrent_log(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each line about one torrent: added, finished, removed. Its times are local, without a zone."""
    for number, line in log_lines(file):
        if isinstance(line, Problem):
            yield line
            continue
        entry = _LOGGED.match(line)
        state = next((words for begin, words in _EVENTS if entry and entry[2].startswith(begin)), None)
        if entry is not None and state is not None:
            yield SharedFile(
                name=entry[3][:4096], time=from_local(entry[1], "qBittorrent's log"), time_meaning=state, program="qBittorrent", state=state,
                user=file.user, locator=f"line={number}",
            )  # fmt: skip


def parse_deluge(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each torrent in Deluge's ``torrents.fastresume``."""
    data, problems = content(file)
    found = decode(data)
    yield from problems
    for key, value in found.tree.items():
        if not isinstance(value, bytes) or not re.fullmatch(r"[0-9a-f]{40}", key):
            yield Problem("an entry that is not a torrent's", Status.UNRECOGNISED, f"key={key[:60]}")
            continue
        try:
            inner = decode(value)
        except Unrecognised as error:
            yield Problem(str(error), Status.FAILED, f"key={key}")
            continue
        observation = _libtorrent(file, "Deluge", inner.tree, _torrent_name(file, key) or key, f"key={key}")
        observation.hashes = {"infohash": key, **observation.hashes}
        yield observation
        if inner.problem is not None:
            yield Problem(inner.problem.reason, inner.problem.status, f"key={key} {inner.problem.locator}")
    if found.problem is not None:
        yield found.problem


def parse_vuze(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each download in Vuze's ``downloads.config``."""
    data, problems = content(file)
    found = decode(data)
    downloads = found.tree.get("downloads")
    if not isinstance(downloads, list) and found.problem is None:
        raise Unrecognised("bencoded, but without Vuze's list of downloads")
    yield from problems
    for number, item in enumerate(downloads if isinstance(downloads, list) else ()):
        if not isinstance(item, dict):
            continue
        folder, name = text(item, "save_dir", "saveDir"), text(item, "save_file", "saveFile")
        made = item.get("creationTime")
        percent = integer(item, "completed")
        yield _entry(
            file, "Vuze", name or last_part(text(item, "torrent") or "?"), folder, _infohash(digest(item, "torrent_hash", 20)),
            from_unix(made, unit_ns=_MILLISECOND) if isinstance(made, int) and made > 0 else NOT_RECORDED, NoTime("Vuze does not record it here"),
            (integer(item, "uploaded"), integer(item, "downloaded"), integer(item, "secondsOnlySeeding")), f"download={number}",
            complete=percent == 1000,
        )  # fmt: skip
    if found.problem is not None:
        yield found.problem


_BITTORRENT = "Torrents that were added to a BitTorrent program: names, folders, when added and finished, and how much was sent to others."

ARTEFACTS = (
    Artefact(
        id="applications.bittorrent.utorrent",
        title="µTorrent and BitTorrent: list of torrents",
        meaning=_BITTORRENT,
        paths=("**/resume.dat", "**/resume.dat.old"),
        parse=parse_utorrent,
        references=("https://plaso.readthedocs.io/en/latest/sources/user/Parsers-and-plugins.html",),
        validation="two specimens of µTorrent; generated",
    ),
    Artefact(
        id="applications.bittorrent.transmission",
        title="Transmission: torrents",
        meaning=_BITTORRENT,
        paths=("**/resume/*.resume", "**/Application Support/Transmission/Resume/*.resume"),
        parse=parse_transmission,
        references=("https://github.com/transmission/transmission/blob/main/libtransmission/resume.cc",),
        validation="specimen of Transmission 2; Transmission 3 in the test",
    ),
    Artefact(
        id="applications.bittorrent.libtorrent",
        title="qBittorrent and other libtorrent programs: torrents",
        meaning=_BITTORRENT,
        paths=("**/*.fastresume",),
        parse=parse_libtorrent,
        references=("https://www.libtorrent.org/manual-ref.html",),
        validation="qBittorrent in the test; generated",
    ),
    Artefact(
        id="applications.bittorrent.qbittorrent_log",
        title="qBittorrent: log",
        meaning="Torrents that were added to qBittorrent, finished, or removed from it with or without their files.",
        paths=("**/qBittorrent/**/logs/qbittorrent.log*",),
        parse=parse_qbittorrent_log,
        references=("https://github.com/qbittorrent/qBittorrent/blob/master/src/base/bittorrent/sessionimpl.cpp",),
        validation="qBittorrent in the test; English messages only",
    ),
    Artefact(
        id="applications.bittorrent.deluge",
        title="Deluge: torrents",
        meaning=_BITTORRENT,
        paths=("**/deluge/state/torrents.fastresume*",),
        parse=parse_deluge,
        references=("https://github.com/deluge-torrent/deluge/blob/develop/deluge/core/torrentmanager.py",),
        validation="generated",
    ),
    Artefact(
        id="applications.bittorrent.vuze",
        title="Vuze (Azureus): downloads",
        meaning=_BITTORRENT,
        paths=("**/Azureus/downloads.config*", "**/.azureus/downloads.config*", "**/Vuze/downloads.config*", "**/BiglyBT/downloads.config*", "**/.biglybt/downloads.config*"),
        parse=parse_vuze,
        references=("https://github.com/BiglySoftware/BiglyBT",),
    ),
)  # fmt: skip

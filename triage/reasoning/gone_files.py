"""Gone but remembered: files that records name and that are not on this device now, everything that is remembered of each in one.

Shortcuts, jump lists, lists of recent files, Prefetch, Amcache, recycle bin and trash, the journals of file systems, downloads and shared files
each remember some. A file counts as here where its path, or its name where only that is recorded, is that of a listed file; a renamed one
where its new name is. Only what is somebody's own is kept (pictures, films, sound, documents, archives), and what a list knows.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from artefacts.coverage import Problem, Status
from artefacts.observations import GoneFile, Observation
from triage.reasoning.evidence import Folders, instant, locator_part, ns, where
from triage.scan.conclude import COLUMN, Conclusion, Context, Drawn

_MOST_HELD = 200_000
_MOST_TOLD = 5_000
_GROUNDS = 50
_GRAVE = 3  # severity of a keyword from which on a name is worth a word
_PATH, _KIND, _ALLOCATED = COLUMN["path"], COLUMN["kind"], COLUMN["allocated"]
_OWN_ENDINGS = (
    "jpg jpeg jpe jfif png gif bmp webp heic heif avif tif tiff raw dng cr2 cr3 nef arw orf rw2 raf psd mp4 m4v mov avi mkv webm wmv mpg mpeg 3gp flv "
    "mts m2ts vob ts mp3 m4a wav flac ogg doc docx xls xlsx ppt pptx odt ods odp pdf txt rtf csv zip rar 7z gz tar iso vhd vhdx vmdk hc tc torrent "
    "eml msg pst mbox db sqlite kdbx"
)
_OWN = frozenset(_OWN_ENDINGS.split())
_PROGRAMS = re.compile(
    r"/(?:windows|winnt|program files(?: \(x86\))?|programdata|appdata|application data|local settings|temp|tmp|\.cache|caches|usr|var|opt|etc|lib|"
    r"library|node_modules|site-packages|\$recycle\.bin|system volume information|\$extend)/"
)
_CLOUD = re.compile(
    r"/(?:onedrive[^/]*|dropbox[^/]*|google drive|my drive|icloud ?drive|mega(?:sync)?|box(?: sync)?|nextcloud|owncloud|pcloud ?drive)/"
)
_MOVED = re.compile(r"(?:renamed|moved) to (.+)", re.DOTALL)
_OF_MANY = frozenset(("infohash", "infohash2"))  # a torrent's, which may be a folder of files
_CLOUD_CLIENT = "cloud client"
_ORDER = ("removable drive", "network", "phone", "cloud", "in the recycle bin", "deleted", "not known")


@dataclass(slots=True)
class _File:
    """What is remembered of one file."""

    path: str
    seen: int | None = None
    deleted: int | None = None
    where: str = "not known"
    how: set[str] = field(default_factory=set)
    size: int | None = None
    hashes: dict[str, str] = field(default_factory=dict)
    matches: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    detail: str | None = None
    ids: list[str] = field(default_factory=list)
    records: int = 0
    path_key: tuple[int, str] = (-1, "")


class GoneFiles(Conclusion):
    """A ``GoneFile`` for each, known ones first, then the newest."""

    name = "gone_files"
    types = ("FileSeen", "DeletedFile", "Download", "SharedFile", "HashMatch", "KeywordHit")
    listing = True
    stage = 2

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._files: dict[tuple[str, str, str], _File] = {}
        self._new_names: dict[tuple[str, str, str], str] = {}
        self._matches: dict[tuple[str, str, str], set[str]] = {}
        self._records: dict[tuple[str, str, str], tuple[str, str, str]] = {}  # a record's place → its file
        self._here = array("q")
        self._names_here = array("q")
        self._dropped = 0
        self._folders = Folders()

    def feed(self, observation: Mapping[str, Any]) -> None:
        kind = observation["type"]
        provenance = observation["provenance"]
        place = (provenance["source"], provenance["path"] or "", str(provenance["locator"] or ""))
        if kind in ("HashMatch", "KeywordHit"):
            self._match(kind, observation, place)
            return
        path = observation.get("path") if kind != "SharedFile" else observation.get("path") or observation.get("name")
        how = str(observation.get("how") or kind)
        if kind == "SharedFile" and observation.get("state") == "listed":
            return  # a torrent or a list says what could be fetched, not what was here
        if (
            not isinstance(path, str)
            or not path
            or path.startswith("[")
            or observation.get("kind", "file") not in ("file", "stream", "link")
        ):
            return
        if how.startswith("file system"):
            return
        full = _normal(path)
        name = full.rpartition("/")[2]
        if "/" not in full and (folder := self._folder(observation)):
            full = _normal(f"{folder}/{path}")
        digests = set(observation.get("hashes") or ()) - _OF_MANY
        if not name or (name.rpartition(".")[2] not in _OWN and not digests) or _PROGRAMS.search(full):
            return
        key = (provenance["source"], _volume_of(observation), full)
        item = self._files.get(key)
        if item is None:
            if len(self._files) >= _MOST_HELD:
                self._dropped += 1
                return
            item = self._files[key] = _File(path)
        self._records[place] = key
        self._take(item, observation, path, how, full)
        if (moved := _MOVED.match(str(observation.get("detail") or ""))) is not None:
            self._new_names[key] = moved[1]

    def _folder(self, observation: Mapping[str, Any]) -> str | None:
        return None if "folder=" not in str(observation["provenance"]["locator"]) else self._folders.path(
            *where(observation), locator_part(observation, "folder")
        )  # fmt: skip

    def _take(self, item: _File, observation: Mapping[str, Any], path: str, how: str, full: str) -> None:
        item.records += 1
        if len(item.how) < 20:
            item.how.add(how)
        deleted = ns(observation.get("deleted"))
        seen = max(
            (t for name in ("used", "finished", "started", "time", "accessed") if (t := ns(observation.get(name))) is not None),
            default=None,
        )
        if seen is None:
            seen = deleted
        if (seen if seen is not None else -1, path) >= item.path_key:
            item.path, item.path_key = path, (seen if seen is not None else -1, path)
        item.seen = max((t for t in (item.seen, seen) if t is not None), default=None)
        item.deleted = max((t for t in (item.deleted, deleted) if t is not None), default=None)
        item.where = min(item.where, _where(observation, how, full), key=_ORDER.index)
        size = observation.get("size") or observation.get("bytes")
        if isinstance(size, int):
            item.size = max(item.size or 0, size)
        item.hashes |= {str(name): str(value) for name, value in (observation.get("hashes") or {}).items()}
        if observation.get("user"):
            item.users.add(str(observation["user"]))
        volume = observation.get("volume")
        if isinstance(volume, Mapping) and (volume.get("label") or volume.get("serial")):
            item.detail = min(item.detail or "~", f"on the volume {volume.get('label') or ''} {volume.get('serial') or ''}".strip())
        item.ids.append(observation["id"])
        if len(item.ids) > 4 * _GROUNDS:
            item.ids = sorted(item.ids)[:_GROUNDS]

    def _match(self, kind: str, observation: Mapping[str, Any], place: tuple[str, str, str]) -> None:
        if kind == "HashMatch":
            if observation.get("role") != "alert":
                return
            words = f"hash set {observation['set_name']}" + (f": {observation['label']}" if observation.get("label") else "")
        elif observation.get("where") == "name" and observation["severity"] >= _GRAVE:
            words = f"keyword of {observation['category']}"
        else:
            return
        if len(self._matches) < _MOST_HELD:
            self._matches.setdefault(place, set()).add(words)

    def feed_listing(self, source: str, volume: str, rows: Sequence[Sequence[Any]]) -> None:
        self._folders.feed(source, volume, rows)
        for row in rows:
            if row[_ALLOCATED] and row[_KIND] != "directory":
                full = row[_PATH].lower()
                # Two numbers a file instead of its name: within one process the same text has the same one.
                self._here.append(hash((source, full)))
                self._names_here.append(hash((source, full.rpartition("/")[2])))

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        here, names_here = (_sorted(numbers) if self._files else None for numbers in (self._here, self._names_here))
        for place, words in self._matches.items():
            if (key := self._records.get(place)) is not None:
                self._files[key].matches |= words
        gone = [
            (key, item) for key, item in self._files.items() if not self._is_here(key, item, here, names_here)
        ]  # fmt: skip
        gone.sort(key=lambda pair: (not pair[1].matches, -(pair[1].seen or 0), pair[0]))
        for (source, volume, _), item in gone[:_MOST_TOLD]:
            users = sorted(item.users)
            yield Drawn(
                GoneFile(
                    path=item.path,
                    seen=instant(item.seen),
                    deleted=instant(item.deleted),
                    where=item.where,
                    how=tuple(sorted(item.how)),
                    size=item.size,
                    hashes=dict(sorted(item.hashes.items())),
                    matches=tuple(sorted(item.matches)) or None,
                    detail=item.detail,
                    user=users[0] if len(users) == 1 else None,
                    records=item.records,
                ),
                source, volume, rests_on=sorted(item.ids)[:_GROUNDS],
            )  # fmt: skip
        if len(gone) > _MOST_TOLD:
            yield Problem(
                f"{len(gone) - _MOST_TOLD:,} more files are remembered and gone; the newest {_MOST_TOLD:,} are told", Status.SKIPPED
            )
        if self._dropped:
            yield Problem(f"{self._dropped:,} records of files were too many to hold: not compared", Status.SKIPPED)

    def _is_here(self, key: tuple[str, str, str], item: _File, here: Any, names_here: Any) -> bool:
        source, _, full = key
        new = _normal(self._new_names.get(key, ""))
        # ``onedrive:/a/b`` is a place in the cloud: which folder of this device is kept in step with it is not known here.
        by_name = "/" not in full or ":/" in full
        if by_name:
            return _in(names_here, hash((source, full.rpartition("/")[2]))) or bool(
                new and _in(names_here, hash((source, new.rpartition("/")[2])))
            )
        if _in(here, hash((source, full))):
            # At this place on this device; on a drive that is not here the same path is another file.
            return item.where not in ("removable drive", "network", "phone")
        folder = full.rpartition("/")[0]
        return bool(new) and _in(here, hash((source, new if "/" in new else f"{folder}/{new}")))


def _sorted(numbers: array[int]) -> Any:
    import numpy as np

    return np.sort(np.frombuffer(numbers, np.int64)) if numbers else np.zeros(0, np.int64)


def _in(numbers: Any, wanted: int) -> bool:
    place = int(numbers.searchsorted(wanted))
    return place < len(numbers) and int(numbers[place]) == wanted


def _normal(path: str) -> str:
    """A path as listed ones are compared: small letters, ``/`` between parts, without its drive; a bare name stays one."""
    text = path.lower()
    if "\\" in text:
        text = text.replace("\\device\\", "/device/").replace("\\", "/")
    if text[1:2] == ":":
        text = text[2:]
    elif text.startswith("/device/harddiskvolume"):
        text = "/" + text.split("/", 3)[3] if text.count("/") >= 3 else text
    elif text.startswith("file://"):
        text = text[7:]
    return text


def _volume_of(observation: Mapping[str, Any]) -> str:
    """The volume of what was read from a file system's own journal; other records do not say on which volume of the device a file lay."""
    return str(observation["provenance"]["volume"] or "") if "journal" in str(observation.get("how") or "") else ""


def _where(observation: Mapping[str, Any], how: str, full: str) -> str:
    volume = observation.get("volume")
    kind = str(volume.get("kind") or "") if isinstance(volume, Mapping) else ""
    if "removable" in kind or "optical" in kind or full.startswith(("/media/", "/run/media/", "/volumes/")):
        return "removable drive"
    if "network" in kind or full.startswith("//"):
        return "network"
    if how == _CLOUD_CLIENT or _CLOUD.search(full):
        return "cloud"
    if observation["type"] == "DeletedFile":
        binned = ("recycle bin" in how or "Trash" in how) and observation.get("content") == "recoverable"
        return "in the recycle bin" if binned else "deleted"
    return "not known"


CONCLUSIONS = (GoneFiles,)

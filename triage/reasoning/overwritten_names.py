"""Names of files that were written over before the file was deleted: what programs for secure deletion leave behind.

Such a program renames a file, once or many times, so that its name is lost too, and deletes it. The new names have a form of their own:

* SDelete: the same letter throughout, the dots kept, from ``AAAA.AAA`` to ``ZZZZ.ZZZ``; CCleaner: ``ZZZZ.ZZZ`` only;
* shred and wipe: zeros (``0000``, ``000``, ``00``, ``0``);
* srm, Eraser, BleachBit: random letters, or at the end a single random character;
* cipher /w: a folder ``EFSTMPWP`` at the root of the volume, filled until the volume is full.

They are met in the NTFS change journal and in the journal of ext file systems, there with the name before, and in deleted directory entries.

Sources: Microsoft Sysinternals, "SDelete"; GNU coreutils shred.c (wipename); the manual pages of wipe(1) and srm(1); BleachBit FileUtilities.py
(wipe_name); Microsoft, "cipher"; each tool run on NTFS by tests/scenes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from artefacts.coverage import Problem, Status
from artefacts.observations import CleanupSign, Observation
from artefacts.times import NS
from triage.reasoning.evidence import DAY, Folders, bounds, instant, locator_part, ns, where
from triage.scan.conclude import COLUMN, Conclusion, Context, Drawn

_MOST_RENAMES = 400_000
_MOST_DELETED = 100_000
_MOST_ENDINGS = 50_000
_SOON = 600 * NS  # a rename belongs to the deletion that follows within ten minutes
_SHOWN = 20
_RENAMED = "renamed to "
# The records that tell of renames, each with numbers of its own, best first: the log of NTFS has no times.
_RECORDS = re.compile("change journal|journal of the file system|NTFS log")
_ZEROS = re.compile(r"0+")
_LETTER = re.compile(r"([A-Z])\1*(?:\.\1+)*")
_SINGLE = re.compile(r"[A-Za-z0-9]")
_WORDLIKE = re.compile(r"[A-Za-z0-9]{6,}(?:\.[A-Za-z0-9]{1,8})*")
_HEX = re.compile(r"[0-9a-fA-F]+")
_PASSING = frozenset(("tmp", "temp", "crdownload", "part", "partial", "download", "cache", "log"))
_CIPHER = re.compile(r"/EFSTMPWP(?:/|$)", re.IGNORECASE)
_PATH, _KIND, _ALLOCATED = COLUMN["path"], COLUMN["kind"], COLUMN["allocated"]
_CHANGED, _MODIFIED = COLUMN["changed"], COLUMN["modified"]

# Endings that programs give to what they keep for a moment, and those of usual files: no file of these is one with its name lost.
_USUAL_ENDINGS = (
        "tmp temp bak old log txt ini dat bin db sqlite json xml html htm css js py c h cpp java exe dll sys msi cab zip rar 7z gz bz2 xz tar iso img "
        "jpg jpeg png gif bmp tif tiff webp heic mp3 mp4 m4a avi mov mkv wav flac pdf doc docx xls xlsx ppt pptx odt ods rtf csv eml msg lnk url "
        "part crdownload download partial lock pid swp etl evtx pf ps1 bat cmd reg mum manifest cat pnf inf ttf otf woff woff2 svg ico cur md yml yaml "
        "conf cfg so deb rpm apk jar class pyc obj lib pdb cache idx pack rev map bmk torrent sig pem key crt asc gpg pak wasm bundle"
)  # fmt: skip
_USUAL = frozenset(_USUAL_ENDINGS.split())


_Key = tuple[str, str, str, str]
"""Source, volume, reference of the file, and which kind of record tells."""


class _Way(NamedTuple):
    """A form of names: what works like that, in words, and how many files it takes to be strong."""

    tool: str
    words: str
    strong_from: int


_WAYS = {
    "alphabet": _Way("SDelete", "renamed to one letter throughout, from A to Z, and deleted", 1),
    "last letter": _Way("SDelete or CCleaner", "renamed to the letter Z throughout and deleted", 2),
    "zeros": _Way("shred or wipe", "renamed to zeros, fewer and fewer, and deleted", 2),
    "random": _Way("BleachBit, Eraser, srm or wipe", "renamed to random letters several times and deleted", 2),
    "leftover random": _Way("BleachBit, Eraser, srm or wipe", "left behind with a name of random letters and deleted", 10),
    "cipher": _Way("cipher /w", "written to fill the free space of the volume, and deleted", 1),
}


class _Change(NamedTuple):
    usn: int
    time: int | None
    old: str
    new: str
    folder: str
    id: str


@dataclass(slots=True)
class _Found:
    """Files of one volume, way and day."""

    names: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    times: list[int | None] = field(default_factory=list)
    grounds: set[str] = field(default_factory=set)
    count: int = 0
    journal: bool = False


class OverwrittenNames(Conclusion):
    """One ``CleanupSign`` (``file names overwritten``) for each volume, way and day."""

    name = "overwritten_names"
    types = ("FileSeen", "DeletedFile")
    listing = True

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._folders = Folders()
        self._changes: defaultdict[_Key, list[_Change]] = defaultdict(list)
        self._deletions: dict[_Key, tuple[int | None, str]] = {}
        self._kept = self._dropped = 0
        self._left: defaultdict[tuple[str, str, str], list[tuple[str, int | None]]] = defaultdict(list)
        self._endings: set[str] = set()  # of files that are there: no name with one of these was drawn by lot

    def feed(self, observation: Mapping[str, Any]) -> None:
        record = _RECORDS.match(observation.get("how") or "")
        if record is None:
            return
        key = (*where(observation), locator_part(observation, "file"), record[0])
        if self._kept >= _MOST_RENAMES:
            self._dropped += 1
            return
        if observation["type"] == "DeletedFile":
            self._kept += 1
            time = ns(observation.get("deleted"))
            before = self._deletions.get(key)
            if before is None or (before[0] or 0) < (time or 0):
                self._deletions[key] = (time, observation["id"])
        elif str(observation.get("detail") or "").startswith(_RENAMED):
            self._kept += 1
            self._changes[key].append(_Change(
                _number(locator_part(observation, "usn") or locator_part(observation, "lsn")), ns(observation.get("used")), observation["path"],
                observation["detail"].removeprefix(_RENAMED), locator_part(observation, "folder"), observation["id"],
            ))  # fmt: skip

    def feed_listing(self, source: str, volume: str, rows: Sequence[Sequence[Any]]) -> None:
        self._folders.feed(source, volume, rows)
        for row in rows:
            path = row[_PATH]
            if row[_ALLOCATED]:
                if row[_KIND] == "directory" and _CIPHER.fullmatch(path):
                    self._leave(source, volume, "cipher", path, row)
                elif len(self._endings) < _MOST_ENDINGS:
                    self._endings.add(_ending(path))
                continue
            if _CIPHER.match(path):
                self._leave(source, volume, "cipher", path, row)
            elif row[_KIND] == "file" and (way := left_by(path.rpartition("/")[2])) is not None:
                self._leave(source, volume, way, path, row)

    def _leave(self, source: str, volume: str, way: str, path: str, row: Sequence[Any]) -> None:
        found = self._left[source, volume, way]
        if len(found) < _MOST_DELETED:
            found.append((path, row[_CHANGED] or row[_MODIFIED]))
        else:
            self._dropped += 1

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        found: dict[tuple[str, str, str, int], _Found] = {}
        told: set[tuple[str, str, str]] = set()
        for key in sorted(self._changes, key=lambda key: (key[3] == "NTFS log", key)):
            if key[:3] not in told and self._judge(key, sorted(self._changes[key]), found):
                told.add(key[:3])
        for (source, volume, way), paths in sorted(self._left.items()):
            self._add_left(source, volume, way, sorted(paths, key=lambda item: (item[0], item[1] or 0)), found)
        for (source, volume, way, _), item in sorted(found.items()):
            yield _sign(source, volume, way, item)
        if self._dropped:
            yield Problem(f"{self._dropped} renamed or deleted names were too many to hold: not compared", Status.SKIPPED)

    def _judge(self, key: _Key, changes: Sequence[_Change], found: dict[tuple[str, str, str, int], _Found]) -> bool:
        """Add a file to what was found, if it was renamed in one of the ways."""
        source, volume, _, _ = key
        folder, slash, own = changes[0].old.rpartition("/")
        way = way_of([own, *(change.new for change in changes)])
        deleted, ground = self._deletions.get(key, (None, ""))
        last = changes[-1].time
        if way is None or (ground and deleted is not None and last is not None and not -NS <= deleted - last <= _SOON):
            return False
        if not ground and way in ("random", "last letter"):
            return False  # renamed and still there, for all that is known
        time = deleted if deleted is not None else last
        item = found.setdefault((source, volume, way, _day(time)), _Found())
        known = folder if slash else self._folders.path(source, volume, changes[0].folder)
        item.journal = True
        item.count += 1
        item.names.add(f"{known}/{own}" if known is not None else own)
        item.places.add(known if known is not None else "a folder that is gone")
        item.times += [changes[0].time, time]
        item.grounds.update({changes[0].id, *([ground] if ground else [])})
        return True

    def _add_left(
        self, source: str, volume: str, way: str, paths: Sequence[tuple[str, int | None]], found: dict[tuple[str, str, str, int], _Found]
    ) -> None:
        told = {key[3] for key in found if key[:3] == (source, volume, way) or (key[:2] == (source, volume) and way in ("last letter",))}
        by_day: defaultdict[int, list[tuple[str, int | None]]] = defaultdict(list)
        for path, time in paths:
            by_day[_day(time)].append((path, time))
        for day, items in by_day.items():
            if day in told or len(items) < (1 if way == "cipher" else 2):
                continue  # the journal says it better, or it is a single odd name
            if way == "leftover random":
                items = [item for item in items if "." not in item[0].rpartition("/")[2] or _ending(item[0]) not in self._endings]
                if len(items) < 3:
                    continue
            item = found.setdefault((source, volume, way, day), _Found())
            item.count += len(items)
            item.places |= {path.rpartition("/")[0] or "/" for path, _ in items}
            item.times += [time for _, time in items]


def way_of(names: Sequence[str]) -> str | None:
    """The form in which a file was renamed, from its own name to the last one, None where it is none of these."""
    new = names[1:]
    letters = [name[0] for name in new if len(name) >= 1 and _LETTER.fullmatch(name) and len(name) == len(names[0])]
    if len(letters) >= 5 and letters == sorted(letters) and len(set(letters)) == len(letters):
        return "alphabet"
    zeros = [len(name) for name in new if _ZEROS.fullmatch(name)]
    if len(zeros) >= 3 and zeros == sorted(zeros, reverse=True):
        return "zeros"
    if new[-1:] and len(new[-1]) >= 3 and set(new[-1]) <= {"Z", "."} and _LETTER.fullmatch(new[-1]):
        return "last letter"
    odd = [name for name in new if looks_random(name) or _SINGLE.fullmatch(name)]
    if len(odd) >= 2 and len(odd) == len(new) and not _of_a_program(names[0]):
        return "random"
    return None


def _of_a_program(name: str) -> bool:
    """Whether a file's first name is one that programs give: it was nothing to anybody, and its name is not what was to be lost."""
    stem, _, ending = name.rpartition(".")
    return looks_random(name) or _HEX.fullmatch(stem or ending) is not None or ending.lower() in _PASSING


def left_by(name: str) -> str | None:
    """The form of a deleted file's name that some way ends with, None where it is none of these."""
    if _ZEROS.fullmatch(name) and len(name) <= 4:
        return "zeros"
    if len(name) >= 3 and set(name) <= {"Z", "."} and _LETTER.fullmatch(name):
        return "last letter"
    if _SINGLE.fullmatch(name) or looks_random(name, strict=True):
        return "leftover random"
    return None


def looks_random(name: str, *, strict: bool = False) -> bool:
    """Whether a name reads as if drawn by lot: letters without a word in them, and an ending that no kind of file has.

    ``strict``: for a name on its own: it must have such an ending, small letters and no digit (identifiers made of digits are everywhere).
    """
    if not _WORDLIKE.fullmatch(name):
        return False
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    if ending.lower() in _USUAL or (strict and not (2 <= len(ending) <= 4 and ending.isalpha() and stem.isalpha() and name.islower())):
        return False
    if _HEX.fullmatch(stem):
        return False
    letters = [letter for letter in stem.lower() if letter.isalpha()]
    if len(letters) < 5:
        return False
    rare = sum(pair in _RARE for pair in pairwise(letters))
    mixed = sum(one.islower() and other.isupper() for one, other in pairwise(stem))
    return rare / (len(letters) - 1) >= 0.12 or mixed >= 3


def _rare_pairs() -> frozenset[tuple[str, str]]:
    """Pairs of letters that hardly occur inside English words; about four in ten of pairs drawn by lot are of these."""
    after = {
        "b": "cdfghkmnpqtvwxz", "c": "bdfgjmnpvwxz", "d": "bcfkpqtxz", "f": "bcdghjkmnpqvwxz", "g": "bcdfjkpqvwxz", "h": "bcdfghjkpqvxz",
        "j": "bcdfghjklmnpqrstvwxyz", "k": "bcdfghjkmpqrtvxz", "l": "hjqrxz", "m": "cdfghjkqrtvwxz", "n": "bpqwxz", "p": "bcdfgjkmnqvwxz",
        "q": "abcdefghijklmnopqrstvwxyz", "r": "hjqxz", "s": "bdfgjrvxz", "t": "bdfgjkpqvx", "v": "bcdfghjklmnpqrstvwxz", "w": "bcfgjkmpquvwxz",
        "x": "bdfghjklmnqrsuvwz", "y": "fghjkqvxyz", "z": "bcdfghjkmnpqrstvwx", "a": "q", "e": "", "i": "ijqwy", "o": "q", "u": "hjquvw",
    }  # fmt: skip
    return frozenset((first, second) for first, seconds in after.items() for second in seconds)


_RARE = _rare_pairs()


def _ending(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[2].lower()


def _day(time: int | None) -> int:
    return -1 if time is None else time // DAY


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _sign(source: str, volume: str, way: str, item: _Found) -> Drawn:
    tool, words, strong_from = _WAYS[way]
    first, last = bounds(item.times)
    places = sorted(item.places)
    files = f"{item.count:,} file{'s were' if item.count != 1 else ' was'}"
    strength = "strong" if item.count >= strong_from else "moderate" if item.journal or way in ("zeros", "last letter") else "weak"
    place = places[0] or "/" if len(places) == 1 else f"{len(places)} folders"
    return Drawn(
        CleanupSign(
            kind="file names overwritten",
            strength=strength,
            detail=f"{files} {words}. {tool} works like that." + (" The names before are known." if item.names else ""),
            place=place,
            tool=tool,
            names=tuple(sorted(item.names)[:_SHOWN]),
            count=item.count,
            first=instant(first),
            last=instant(last),
        ),
        source, volume, rests_on=sorted(item.grounds),
    )  # fmt: skip


CONCLUSIONS = (OverwrittenNames,)

"""What kind of place a file lies in: decides when it is read, never whether it is reported.

The order of ``CLASSES`` is the order of reading: what is most likely to matter comes first.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from triage.evidence.model import Entry

CLASSES = ("traces", "pictures", "downloads", "recent", "personal", "deleted", "other", "programs", "system")
TITLES = {
    "traces": "traces of use (browsers, system records)",
    "pictures": "pictures and videos",
    "downloads": "downloads",
    "recent": "files changed lately",
    "personal": "other personal files",
    "deleted": "deleted files",
    "other": "other files",
    "programs": "installed programs",
    "system": "operating system files",
}
TRACES, PICTURES, DOWNLOADS, RECENT, PERSONAL, DELETED, OTHER, PROGRAMS, SYSTEM = range(len(CLASSES))

_PICTURE_TYPES = "jpg jpeg jpe jfif png gif bmp webp tif tiff heic heif avif jxl raw dng cr2 cr3 nef arw orf rw2 raf psd"
_VIDEO_TYPES = "mp4 m4v mov avi mkv webm wmv mpg mpeg 3gp 3g2 flv mts m2ts vob ts asf rm rmvb"
_MEDIA = frozenset(_PICTURE_TYPES.split()) | frozenset(_VIDEO_TYPES.split())
_USER = re.compile(r"^/(?:[^/]+/)?(?:users|home|documents and settings|root)/", re.IGNORECASE)
_SYSTEM = re.compile(
    r"^/(?:windows|winnt|recovery|boot|efi|system|private/(?:etc|var/(?!folders|root))|"
    r"usr|lib|lib32|lib64|libx32|bin|sbin|etc|var/(?:lib|cache|log)|opt|proc|sys|dev|run|snap|nix|perflogs)(?:/|:|$)",
    re.IGNORECASE,
)
# The file system's own files: nobody put anything there, on whatever volume.
_METADATA = re.compile(
    r"^/(?:\$(?:mft|mftmirr|logfile|volume|attrdef|bitmap|boot|badclus|secure|upcase|extend|fat[12]|mbr)|lost\+found|"
    r"system volume information|\.hfs\+ private directory data\r?|\.journal|\.journal_info_block|\.fseventsd)(?:/|:|$)",
    re.IGNORECASE,
)
_STRUCTURES = re.compile(r"^/\$(?:mft|mftmirr|logfile|volume|attrdef|bitmap|boot|badclus|secure|upcase|extend)(?:/|:|$)", re.IGNORECASE)
_PROGRAMS = re.compile(r"^/(?:program files(?: \(x86\))?|programdata|applications|library|opt|usr/local)(?:/|$)", re.IGNORECASE)
_USER_PROGRAMS = re.compile(
    r"/(?:appdata/(?:local|locallow|roaming)|library|\.cache|\.local/share|\.config|node_modules|site-packages)/", re.IGNORECASE
)
_DOWNLOADS = re.compile(r"/(?:downloads?|desktop|telegram desktop)/", re.IGNORECASE)
_PICTURE_FOLDERS = re.compile(r"/(?:pictures|photos|videos|movies|dcim|camera roll|my pictures|my videos|screenshots)/", re.IGNORECASE)
_RECYCLED = re.compile(r"^/(?:\$recycle\.bin|recycler|recycled|\.trash(?:es)?(?:-\d+)?)(?:/|$)|/\.(?:local/share/)?trash/", re.IGNORECASE)


class _Place(NamedTuple):
    """What a folder says of everything in it."""

    metadata: bool
    installed: int | None  # PROGRAMS or SYSTEM
    user: bool
    pictures: bool
    downloads: bool
    user_programs: bool


@lru_cache(maxsize=1 << 16)
def _place(folder: str) -> _Place:
    return _Place(
        metadata=_METADATA.match(folder) is not None,
        installed=PROGRAMS if _PROGRAMS.match(folder) else SYSTEM if _SYSTEM.match(folder) else None,
        user=_USER.match(folder) is not None or _RECYCLED.search(folder) is not None,
        pictures=_PICTURE_FOLDERS.search(folder) is not None,
        downloads=_DOWNLOADS.search(folder) is not None,
        user_programs=_USER_PROGRAMS.search(folder) is not None,
    )


def classify(entry: Entry, *, artefact: bool, system_volume: bool) -> int:
    """The class of an entry, an index into ``CLASSES`` (``RECENT`` is decided later, by ``plan``: it needs all entries).

    ``artefact``: some artefact reads this file. ``system_volume``: the volume holds an operating system; without one, as on a memory
    stick, every place counts as personal.
    """
    if artefact:
        return TRACES
    folder, _, name = entry.path.rpartition("/")
    # What lies in the root is judged by its own name: /Windows, /$MFT.
    place = _place(folder + "/" if folder else entry.path)
    if place.metadata:
        return SYSTEM
    media = is_media(name)
    user = place.user or not system_volume
    if place.installed is not None and not user:
        return place.installed
    if user and (media or place.pictures):
        return PERSONAL if place.user_programs else PICTURES
    if not entry.allocated:
        return PICTURES if media and place.installed is None else DELETED
    if user:
        return DOWNLOADS if place.downloads else OTHER if place.user_programs else PERSONAL
    return PICTURES if media else OTHER


def is_media(path: str) -> bool:
    """Whether a path ends as pictures and videos do."""
    name = path.rpartition("/")[2]
    return "." in name and name.rpartition(".")[2].lower() in _MEDIA


def is_structure(path: str) -> bool:
    """Whether a file is a structure of NTFS itself: read to list the volume, and nothing that anybody put there."""
    return path.startswith("/$") and _STRUCTURES.match(path) is not None


def holds_system(top_names: set[str]) -> bool:
    """Whether the names in a volume's root say that an operating system lives there."""
    lower = {name.lower() for name in top_names}
    return "windows" in lower or "winnt" in lower or len(lower & {"usr", "etc", "bin", "var", "lib"}) >= 3 or {"system", "library"} <= lower

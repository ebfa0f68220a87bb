"""What kind of place a file lies in: decides when it is read, never whether it is reported.

The order of ``CLASSES`` is the order of reading: what is most likely to matter comes first.
"""

from __future__ import annotations

import re

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

_MEDIA = frozenset(
    [
        "jpg",
        "jpeg",
        "jpe",
        "jfif",
        "png",
        "gif",
        "bmp",
        "webp",
        "tif",
        "tiff",
        "heic",
        "heif",
        "avif",
        "jxl",
        "raw",
        "dng",
        "cr2",
        "cr3",
        "nef",
        "arw",
        "orf",
        "rw2",
        "raf",
        "psd",
        "mp4",
        "m4v",
        "mov",
        "avi",
        "mkv",
        "webm",
        "wmv",
        "mpg",
        "mpeg",
        "3gp",
        "3g2",
        "flv",
        "mts",
        "m2ts",
        "vob",
        "ts",
        "asf",
        "rm",
        "rmvb",
    ]
)
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
_PROGRAMS = re.compile(r"^/(?:program files(?: \(x86\))?|programdata|applications|library|opt|usr/local)(?:/|$)", re.IGNORECASE)
_USER_PROGRAMS = re.compile(
    r"/(?:appdata/(?:local|locallow|roaming)|library|\.cache|\.local/share|\.config|node_modules|site-packages)/", re.IGNORECASE
)
_DOWNLOADS = re.compile(r"/(?:downloads?|desktop|telegram desktop)/", re.IGNORECASE)
_PICTURE_FOLDERS = re.compile(r"/(?:pictures|photos|videos|movies|dcim|camera roll|my pictures|my videos|screenshots)/", re.IGNORECASE)
_RECYCLED = re.compile(r"^/(?:\$recycle\.bin|recycler|recycled|\.trash(?:es)?(?:-\d+)?)(?:/|$)|/\.(?:local/share/)?trash/", re.IGNORECASE)


def classify(entry: Entry, *, artefact: bool, system_volume: bool) -> int:
    """The class of an entry, an index into ``CLASSES`` (``RECENT`` is decided later, by ``plan``: it needs all entries).

    ``artefact``: some artefact reads this file. ``system_volume``: the volume holds an operating system; without one, as on a memory
    stick, every place counts as personal.
    """
    if artefact:
        return TRACES
    path = entry.path
    if _METADATA.match(path):
        return SYSTEM
    extension = path.rpartition(".")[2].lower() if "." in entry.name else ""
    user = not system_volume or _USER.match(path) is not None or _RECYCLED.search(path) is not None
    place = PROGRAMS if _PROGRAMS.match(path) else SYSTEM if _SYSTEM.match(path) else None
    if place is not None and not user:
        return place
    if user and (extension in _MEDIA or _PICTURE_FOLDERS.search(path)):
        return PICTURES if not _USER_PROGRAMS.search(path) else PERSONAL
    if not entry.allocated:
        return PICTURES if extension in _MEDIA and place is None else DELETED
    if user:
        if _DOWNLOADS.search(path):
            return DOWNLOADS
        return OTHER if _USER_PROGRAMS.search(path) else PERSONAL
    return PICTURES if extension in _MEDIA else OTHER


def holds_system(top_names: set[str]) -> bool:
    """Whether the names in a volume's root say that an operating system lives there."""
    lower = {name.lower() for name in top_names}
    return "windows" in lower or "winnt" in lower or len(lower & {"usr", "etc", "bin", "var", "lib"}) >= 3 or {"system", "library"} <= lower

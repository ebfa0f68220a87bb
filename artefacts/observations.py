"""The shared record types: facts read from evidence, before anybody says what they mean.

Each class is one line type of ``triage export --format jsonl``. A parser fills the fields it knows; a field it cannot know stays
``None`` (text, numbers) or a ``NoTime`` with its reason. Provenance (source, path, parser) is added by the engine; the parser gives
``locator`` (row, offset, key) and ``recovered`` (True for deleted rows and remnants, never mixed with live ones).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp


@dataclass(slots=True, kw_only=True)
class Observation:
    """What every record shares."""

    locator: str = ""
    recovered: bool = False

    def to_json(self) -> dict[str, Any]:
        """The record as JSON values: ``type``, its fields in declared order; a time is RFC 3339 or null with ``<field>_reason``."""
        kind = type(self)
        out: dict[str, Any] = {"type": kind.__name__}
        for name in _field_names(kind):
            value = getattr(self, name)
            if value is None or value.__class__ is str or value.__class__ is int:
                out[name] = value
            elif isinstance(value, Timestamp):
                out[name] = value.isoformat()
            elif isinstance(value, NoTime):
                out[name] = None
                out[f"{name}_reason"] = value.reason
                if value.local is not None:
                    out[f"{name}_local"] = value.local
            elif isinstance(value, tuple):
                out[name] = list(value)
            else:
                out[name] = value
        return out


_FIELD_NAMES: dict[type, tuple[str, ...]] = {}


def _field_names(kind: type[Any]) -> tuple[str, ...]:
    if kind not in _FIELD_NAMES:
        _FIELD_NAMES[kind] = tuple(item.name for item in fields(kind) if item.name not in ("locator", "recovered"))
    return _FIELD_NAMES[kind]


@dataclass(slots=True, kw_only=True)
class PageVisit(Observation):
    """A page opened in a browser. ``transition`` in words (typed, link, reload, …); ``visit_count`` of the page, not of this visit.

    ``source`` is where the record comes from: ``this device``, ``another device (synced)``, ``imported from Firefox``, …; ``from_visit`` is
    the row number of the visit that led here and ``referrer`` its address; ``duration`` in seconds; ``qualifiers`` refine the transition.
    """

    url: str
    title: str | None = None
    time: Time = NOT_RECORDED
    transition: str | None = None
    visit_count: int | None = None
    browser: str | None = None
    profile: str | None = None
    user: str | None = None
    source: str | None = None
    from_visit: int | None = None
    referrer: str | None = None
    duration: float | None = None
    qualifiers: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Download(Observation):
    """A file fetched by a browser. ``path`` is where it was to be stored; ``bytes`` received; ``opened`` by the user from the browser.

    ``url`` is where the bytes came from, the last of ``url_chain`` (redirections in order); ``danger`` is the browser's own verdict.
    """

    url: str | None
    path: str | None = None
    started: Time = NOT_RECORDED
    finished: Time = NOT_RECORDED
    bytes: int | None = None
    total_bytes: int | None = None
    opened: bool | None = None
    state: str | None = None
    mime_type: str | None = None
    referrer: str | None = None
    browser: str | None = None
    profile: str | None = None
    user: str | None = None
    danger: str | None = None
    url_chain: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class SearchQuery(Observation):
    """Words somebody searched for. ``where`` says how they were found: ``url``, ``keyword_search_terms``, ``form``, …

    The same words at the same engine in the same profile are one record: ``time`` the first, ``last`` the last, ``count`` how often.
    """

    terms: str
    engine: str | None = None
    time: Time = NOT_RECORDED
    where: str | None = None
    url: str | None = None
    browser: str | None = None
    profile: str | None = None
    user: str | None = None
    last: Time = NOT_RECORDED
    count: int = 1


@dataclass(slots=True, kw_only=True)
class Bookmark(Observation):
    """A page kept in a browser. ``folder`` is the path of folders it lies in, ``/`` between; ``last_used`` is when it was opened from there."""

    url: str
    title: str | None = None
    time: Time = NOT_RECORDED
    folder: str | None = None
    modified: Time = NOT_RECORDED
    last_used: Time = NOT_RECORDED
    browser: str | None = None
    profile: str | None = None
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class FormEntry(Observation):
    """Something typed into a form. ``value`` is given only for search-like fields; for any other it is withheld (None)."""

    field: str
    value: str | None = None
    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    count: int | None = None
    browser: str | None = None
    profile: str | None = None
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class Cookie(Observation):
    """That a site left a cookie, and when. Its value is never read: it may be a key to somebody's account."""

    host: str
    name: str
    created: Time = NOT_RECORDED
    last_used: Time = NOT_RECORDED
    expires: Time = NOT_RECORDED
    path: str | None = None
    browser: str | None = None
    profile: str | None = None
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class CachedItem(Observation):
    """A thing a browser fetched and kept. ``bytes`` of its body as kept (compressed, if it came so); ``time`` it was fetched or stored,
    as ``time_meaning`` says; ``count`` how often it was used; ``stored_in`` the file that holds the body."""

    url: str
    content_type: str | None = None
    bytes: int | None = None
    time: Time = NOT_RECORDED
    time_meaning: str | None = None
    last_used: Time = NOT_RECORDED
    count: int | None = None
    stored_in: str | None = None
    browser: str | None = None
    profile: str | None = None
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class AccountUse(Observation):
    """That an account of a service was used here: the site or service and the account's name, never its secrets.

    ``time`` is the first use known, ``last`` the last, ``count`` how many are recorded.
    """

    service: str
    account: str | None = None
    time: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    count: int | None = None
    browser: str | None = None
    profile: str | None = None
    user: str | None = None
    how: str | None = None


@dataclass(slots=True, kw_only=True)
class PolicySetting(Observation):
    """A setting of a program that bears on what it keeps: clearing, private browsing, proxies. ``meaning`` in plain words."""

    program: str
    setting: str
    value: str
    meaning: str | None = None
    profile: str | None = None
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class SiteTrace(Observation):
    """A site that a browser remembers outside its history, and why (``what``: its icon, a permission, a prediction, …).

    What ``time`` means depends on ``what``; a site here that history lacks may have been removed from history.
    """

    url: str
    what: str
    title: str | None = None
    time: Time = NOT_RECORDED
    count: int | None = None
    value: str | None = None
    browser: str | None = None
    profile: str | None = None
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class StoredRecord(Observation):
    """One record of a database that a web site or an extension keeps in a browser: ``database`` and ``store`` are the site's own names.

    ``value`` describes what is stored: names of fields, numbers, dates, sizes. Text is never given, only its length: it may be a message or
    a key to an account. ``state``: current, replaced by a newer value, deleted; of the last two what is given is what was there before.
    """

    url: str
    database: str | None = None
    store: str | None = None
    key: str | None = None
    value: str | None = None
    state: str = "current"
    bytes: int | None = None
    browser: str | None = None
    profile: str | None = None
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class HistoryGap(Observation):
    """A sign that a part of a browser's history is not there any more. A fact about numbers, sites or days; not that somebody removed it.

    ``kind``: ``newest records``, ``records in between``, ``oldest records``, ``loose ends`` (rows that belong to a row that is gone),
    ``sites`` (remembered elsewhere), ``days`` (of use without a visit), ``younger than other records``, ``profile younger than its
    history``, ``use without browsing`` (of the whole computer). ``strength``: strong, moderate, weak. ``missing`` and ``left`` count records; ``sites`` names up to twenty; ``stores`` says where else they are remembered.
    """

    kind: str
    strength: str
    detail: str
    missing: int | None = None
    left: int | None = None
    sites: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    browser: str | None = None
    profile: str | None = None
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class InstalledProgram(Observation):
    """A program, or a part added to one (``how``: browser extension, package, uninstall entry, …), that is or was installed."""

    name: str
    version: str | None = None
    publisher: str | None = None
    installed: Time = NOT_RECORDED
    identifier: str | None = None
    path: str | None = None
    enabled: bool | None = None
    user: str | None = None
    how: str | None = None


@dataclass(slots=True, kw_only=True)
class ProgramRun(Observation):
    """That a program ran, or was started or kept in a way that says so (``how``: Prefetch, UserAssist, …).

    ``time`` of one run, where ``time_meaning`` does not say something else; ``count`` of all runs, given with the newest only.
    ``files``: how many files it used at its start; ``volumes``: serials (hex) of the volumes that these lay on.
    """

    program: str
    path: str | None = None
    time: Time = NOT_RECORDED
    count: int | None = None
    user: str | None = None
    how: str | None = None
    time_meaning: str | None = None
    files: int | None = None
    volumes: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class AttachedDevice(Observation):
    """A device that was connected. ``kind``: USB storage, phone, printer, …; ``identifier`` is the system's own name of it, verbatim.

    ``first`` and ``last`` connection known, ``removed`` last disconnection; ``count`` of the connections recorded in this place.
    ``identifiers``: what else names it, as ``kind:value``: ``imei``, ``meid``, ``udid``, ``mac``, ``bluetooth`` (both ``aa:bb:cc:dd:ee:ff``),
    ``hostname``, ``volume`` (serial of a volume on it, eight or sixteen hex digits), ``letter`` (``E:``), ``disk`` (signature or GPT identifier).
    """

    kind: str
    maker: str | None = None
    model: str | None = None
    serial: str | None = None
    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    removed: Time = NOT_RECORDED
    user: str | None = None
    how: str | None = None
    identifier: str | None = None
    name: str | None = None
    count: int | None = None
    identifiers: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class PhoneBackup(Observation):
    """A backup of a phone or tablet that lies on this computer. ``model`` as the maker names it, ``product`` its code (``iPhone12,1``);
    ``last``: when it was last backed up; ``encrypted``: None where that is not recorded. Nothing of what is in the backup is kept.

    ``identifiers`` as in ``AttachedDevice``.
    """

    name: str | None = None
    maker: str | None = None
    model: str | None = None
    product: str | None = None
    system: str | None = None
    serial: str | None = None
    imei: str | None = None
    meid: str | None = None
    phone_number: str | None = None
    udid: str | None = None
    last: Time = NOT_RECORDED
    encrypted: bool | None = None
    user: str | None = None
    how: str | None = None
    identifiers: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class NetworkHost(Observation):
    """A device met on the local network, or remembered from it: ``address`` (IPv4 or IPv6) and ``mac`` (``aa:bb:cc:dd:ee:ff``).

    ``name`` is what it calls itself; ``services`` what it offers; ``first`` and ``last`` when it was seen. ``identifiers`` as in
    ``AttachedDevice``, also ``udn`` (UPnP) and ``mdns`` (name of an instance)."""

    address: str | None = None
    mac: str | None = None
    name: str | None = None
    kind: str | None = None
    maker: str | None = None
    model: str | None = None
    services: tuple[str, ...] = ()
    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    how: str | None = None
    identifiers: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Device(Observation):
    """One line of the device ledger, concluded from all records that name the same device.

    ``kind``: phone, tablet, computer, camera, USB storage, …; ``identifiers`` as in ``AttachedDevice``, with ``serial``; ``first`` and ``last``
    any record of it; ``count`` of connections, the largest that one place records; ``opened``: files and folders opened from it.
    ``declared``: declared, not declared, cannot tell; ``why`` says how that was told. ``strength`` of the proof that there is such a device:
    strong, moderate, weak. ``concern`` 1 to 5 by kind, strength and how recent it is. ``proofs``: one for each kind of place that remembers
    it: {how, record, path, matched, records}; ``matched`` the identifier by which it was joined to the others. ``similar``: other
    lines that may be the same device. ``question``: what to ask about it; ``innocent``: what else may explain it.
    """

    kind: str
    title: str
    maker: str | None = None
    model: str | None = None
    name: str | None = None
    identifiers: tuple[str, ...] = ()
    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    users: tuple[str, ...] = ()
    count: int | None = None
    opened: tuple[str, ...] = ()
    opened_count: int = 0
    declared: str = "cannot tell"
    why: str = ""
    strength: str = "weak"
    concern: int = 1
    proofs: tuple[Mapping[str, Any], ...] = ()
    records: int = 1
    similar: tuple[str, ...] = ()
    note: str | None = None
    question: str | None = None
    innocent: str | None = None


@dataclass(slots=True, kw_only=True)
class KnownNetwork(Observation):
    """A network that the device was connected to. ``kind``: wireless, wired, …; ``gateway_mac`` as ``aa:bb:cc:dd:ee:ff``."""

    name: str
    kind: str | None = None
    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    gateway_mac: str | None = None
    user: str | None = None
    how: str | None = None
    count: int | None = None


@dataclass(slots=True, kw_only=True)
class LogCleared(Observation):
    """A log that somebody or a program emptied. ``user`` as the log names it."""

    log: str
    time: Time = NOT_RECORDED
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class LogGap(Observation):
    """Records missing inside a log: numbers ``first`` to ``last``, between the times of the records on either side. ``reason``: if known."""

    log: str
    first: int
    last: int
    before: Time = NOT_RECORDED
    after: Time = NOT_RECORDED
    reason: str | None = None


@dataclass(slots=True, kw_only=True)
class ClockChange(Observation):
    """The clock was set: from ``before`` to ``after``, as the clock itself said; ``time`` is when the log says that it happened.

    ``how`` names the record and what is known of the reason (system clock synchronised, set by a program, …).
    """

    time: Time = NOT_RECORDED
    before: Time = NOT_RECORDED
    after: Time = NOT_RECORDED
    user: str | None = None
    program: str | None = None
    how: str | None = None


@dataclass(slots=True, kw_only=True)
class PictureFacts(Observation):
    """The camera that made a picture, by what the picture says of itself (EXIF): ``serial`` of its body, ``time`` it was taken.

    ``gps``: ``yes`` where it says the place it was taken at, ``no`` where it does not; the place itself is not kept. ``software`` that wrote it last;
    ``width`` and ``height`` in pixels; ``thumbnail``: ``same`` or ``differs``, whether the small copy inside looks like the picture.
    ``inside``: as in ``HashMatch``."""

    maker: str | None = None
    model: str | None = None
    serial: str | None = None
    time: Time = NOT_RECORDED
    gps: str | None = None
    path: str = ""
    software: str | None = None
    width: int | None = None
    height: int | None = None
    thumbnail: str | None = None
    inside: str | None = None
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class VideoFacts(Observation):
    """What a video file says of itself: ``container`` (MP4, QuickTime, Matroska, WebM, AVI), ``seconds`` it plays, the ``codec`` of its pictures
    as the file names it, ``time`` it was made, and the camera, where it says. ``gps`` as in ``PictureFacts``, ``inside`` as in ``HashMatch``."""

    path: str
    container: str
    seconds: float | None = None
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    time: Time = NOT_RECORDED
    maker: str | None = None
    model: str | None = None
    software: str | None = None
    gps: str | None = None
    inside: str | None = None
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class PictureCount(Observation):
    """How many pictures with camera facts lie in a folder, of one ``camera`` (maker and model as pictures give them) and one ``month`` (``2026-05``,
    by the camera's clock; None where none is given). ``gps``: how many of them say where they were taken; ``differing``: how many hold a
    small copy that looks unlike them."""

    folder: str
    camera: str | None = None
    month: str | None = None
    pictures: int = 0
    gps: int = 0
    differing: int = 0


@dataclass(slots=True, kw_only=True)
class PictureMatch(Observation):
    """A picture that looks like one of a set: ``distance`` bits of its perceptual hash (``algorithm``: pdq, phash, dhash) differ from the entry
    ``reference``, at most ``threshold``. ``quality``: the PDQ quality of the picture, 0 to 100. ``orientation``: what would have to be done to the
    reference to have this picture. ``entries``: how many entries of the set are so near.

    ``odds``: how many entries of a set of this size would be so near by chance, in words (``1 in 10^30``). A near match has no category:
    what the list says of the reference says nothing of this picture. ``inside``, ``reached``, ``offset``, ``outer_size`` as in ``HashMatch``.
    """

    path: str
    algorithm: str
    distance: int
    threshold: int
    quality: int
    set_name: str
    set_version: str | None = None
    reference: str
    orientation: str = "as it is"
    entries: int = 1
    odds: str
    size: int | None = None
    width: int | None = None
    height: int | None = None
    allocated: bool = True
    time: Time = NOT_RECORDED
    inside: str | None = None
    reached: str | None = None
    offset: int | None = None
    outer_size: int | None = None


@dataclass(slots=True, kw_only=True)
class PictureScore(Observation):
    """A picture that the optional part takes for likely nudity: ``score`` from 0 to 1, at least ``threshold``. It says nothing of who is shown, of
    age, or of law, and is often wrong. ``time``: when the file was last changed. ``inside`` as in ``HashMatch``."""

    path: str
    score: float
    threshold: float
    time: Time = NOT_RECORDED
    inside: str | None = None
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class PictureLikelihood(Observation):
    """How many pictures of a ``folder`` last changed in a ``month`` (``2026-05``, None where no time is recorded) have a ``PictureScore``:
    ``likely``, and the ``highest`` of their scores."""

    folder: str
    month: str | None = None
    likely: int
    highest: float
    threshold: float


@dataclass(slots=True, kw_only=True)
class FileSeen(Observation):
    """A file, present in a file system or remembered elsewhere (``how``). ``hashes`` maps md5, sha1, sha256 to lower-case hex.

    Remembered elsewhere: ``time``, ``created``, ``accessed`` are the file's own as they were when it was last noted, ``used`` is when the user
    or a program used it, ``count`` how often. ``volume`` is what is recorded of where it lay: ``serial`` (hex), ``label``, ``kind`` (fixed
    drive, removable drive, network drive, …), ``share``, ``machine`` (NetBIOS name). ``detail``: anything else, in words.
    """

    path: str
    size: int | None = None
    time: Time = NOT_RECORDED
    created: Time = NOT_RECORDED
    accessed: Time = NOT_RECORDED
    changed: Time = NOT_RECORDED
    hashes: Mapping[str, str] = field(default_factory=dict)
    allocated: bool = True
    kind: str = "file"
    how: str = "file system"
    user: str | None = None
    used: Time = NOT_RECORDED
    count: int | None = None
    volume: Mapping[str, str] = field(default_factory=dict)
    detail: str | None = None


@dataclass(slots=True, kw_only=True)
class DeletedFile(Observation):
    """A file that was deleted. ``content`` says what its bytes can be relied on for: ``recoverable``, ``guess``, ``overwritten``, ``none``."""

    path: str
    deleted: Time = NOT_RECORDED
    size: int | None = None
    time: Time = NOT_RECORDED
    created: Time = NOT_RECORDED
    accessed: Time = NOT_RECORDED
    changed: Time = NOT_RECORDED
    hashes: Mapping[str, str] = field(default_factory=dict)
    content: str | None = None
    kind: str = "file"
    how: str = "file system"
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class SharedFile(Observation):
    """A file that a program for sharing (peer to peer, usenet) knows: it offers it, fetched it, or fetches it.

    ``hashes``: md5, sha1, sha256 of the whole file, looked up in hash sets; also ``ed2k``, ``aich``, ``tiger`` (tree root), ``infohash`` (v1), ``infohash2``
    and ``sha256_merkle`` of BitTorrent, ``ipfs``: lower-case hex, but ``ipfs``. ``shared``: True where it is or was offered to others, False
    where not, None where that is not recorded. ``state``: complete, incomplete, cancelled, listed (in a torrent or list), … ``path``: where it lies or lay.
    ``time``: of what ``time_meaning`` says. ``uploaded`` and ``downloaded`` bytes; ``requests``: how often others asked for it.
    ``collection``: the torrent, album or list it belongs to. ``finished``: when the fetching ended.
    """

    name: str
    hashes: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    time: Time = NOT_RECORDED
    time_meaning: str | None = None
    shared: bool | None = None
    program: str | None = None
    path: str | None = None
    state: str | None = None
    finished: Time = NOT_RECORDED
    uploaded: int | None = None
    downloaded: int | None = None
    requests: int | None = None
    collection: str | None = None
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class TimestampDisagreement(Observation):
    """A file whose two sets of times in the file system disagree as they do where a program has set its times. Not that anybody did it on purpose.

    ``created``, ``modified`` and ``changed`` are the times that Windows shows and programs may set (``changed``: of the record itself); ``name_created``
    and ``name_modified`` those the system keeps with the name. ``signs`` in words.
    """

    path: str
    created: Time = NOT_RECORDED
    modified: Time = NOT_RECORDED
    changed: Time = NOT_RECORDED
    name_created: Time = NOT_RECORDED
    name_modified: Time = NOT_RECORDED
    signs: tuple[str, ...] = ()
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class HashMatch(Observation):
    """A file whose digest is in a loaded hash set. ``code`` is the set's own category code, verbatim; ``label`` the keeper's words for it.

    ``role``: ``alert``, or ``listed`` where the keeper's table says that this code is no alert. ``confirmed_by`` and ``contradicted_by``:
    other digests of the same file that the entry lists too, and that agree or do not.

    Of something inside a file, ``inside`` is the chain that leads to it from that file's name on (``archive.zip ▸ a/b.doc ▸ image3.jpeg``),
    ``reached`` says in words what kind of place it lies in, ``offset`` the byte of the outer file (of the volume, where there is no file)
    at which it begins, if it lies there as it is, and ``outer_size`` the outer file's bytes; ``path`` has both.
    """

    path: str
    algorithm: str
    digest: str
    set_name: str
    set_version: str | None = None
    role: str = "alert"
    code: str | None = None
    label: str | None = None
    size: int | None = None
    size_matches: bool | None = None
    confirmed_by: tuple[str, ...] = ()
    contradicted_by: tuple[str, ...] = ()
    allocated: bool = True
    hashes: Mapping[str, str] = field(default_factory=dict)
    time: Time = NOT_RECORDED
    inside: str | None = None
    reached: str | None = None
    offset: int | None = None
    outer_size: int | None = None


@dataclass(slots=True, kw_only=True)
class BlockMatch(Observation):
    """Blocks of a known reference file met on a disk. ``reference``: the file's name in the block set, of ``reference_size`` bytes, of which
    ``reference_blocks`` blocks are listed. ``blocks``: how many different ones of them are known to be there.

    ``offset``: byte of the volume (of the medium where no volume is named) at which the first of them lies; ``reference_offsets``: where in
    the reference file they belong, the first twenty. ``place``: a file, a deleted file, space not used by any file, …; ``path`` of the file,
    "" where there is none. ``allocated`` is False for what is deleted or unused.
    """

    path: str
    place: str
    set_name: str
    set_version: str | None = None
    role: str = "alert"
    reference: str
    reference_size: int
    reference_blocks: int
    reference_offsets: tuple[int, ...] = ()
    blocks: int = 1
    offset: int
    allocated: bool = True


@dataclass(slots=True, kw_only=True)
class KeywordHit(Observation):
    """A keyword met. ``where`` is the kind of text (search_terms, title, url, name, text, application); ``context`` the words around it.

    ``weight``: 0 to 100, to put the strongest first, and ``weighed`` what it is made of, in words (rules/keywords/score.py).
    """

    term: str
    category: str
    severity: int
    where: str
    context: str
    library: str
    form: str = "word"
    language: str | None = None
    count: int = 1
    other_terms: tuple[str, ...] = ()
    weight: int = 0
    weighed: str = ""
    time: Time = NOT_RECORDED
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class YaraMatch(Observation):
    """A YARA rule that matched a file's content. ``meta`` is the rule's own; ``strings`` are identifiers with offsets, never the bytes."""

    path: str
    rule: str
    namespace: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    strings: tuple[str, ...] = ()
    allocated: bool = True


@dataclass(slots=True, kw_only=True)
class EncryptedItem(Observation):
    """A volume, container or file that is encrypted. ``state``: locked, unlocked, unknown."""

    kind: str
    path: str
    state: str = "locked"
    detail: str | None = None


@dataclass(slots=True, kw_only=True)
class UserAccount(Observation):
    """An account of this machine itself. ``identifier`` is its SID or number, ``sign_ins`` and ``failed_sign_ins`` counts as the system keeps them;
    ``disabled`` by its settings. Never a password, nor anything made of one. ``home`` is its profile folder."""

    name: str
    identifier: str | None = None
    full_name: str | None = None
    comment: str | None = None
    created: Time = NOT_RECORDED
    last_sign_in: Time = NOT_RECORDED
    password_changed: Time = NOT_RECORDED
    last_failed: Time = NOT_RECORDED
    sign_ins: int | None = None
    failed_sign_ins: int | None = None
    disabled: bool | None = None
    home: str | None = None
    how: str | None = None


@dataclass(slots=True, kw_only=True)
class StartupItem(Observation):
    """A program that the system starts by itself. ``how``: Run key, service, driver, …; ``start`` says when; ``written`` when the place that
    holds it was last changed, which need not have been by this item."""

    name: str
    command: str | None = None
    start: str | None = None
    written: Time = NOT_RECORDED
    user: str | None = None
    how: str | None = None


@dataclass(slots=True, kw_only=True)
class RegistryRemnant(Observation):
    """A key or value that is no longer part of a registry hive and was found in its free cells. ``key``: its path as far as it can be told,
    from ``?`` where it cannot; ``value`` its name, None for a key; ``content`` is given for text and numbers. ``written`` is the key's own."""

    key: str
    value: str | None = None
    content: str | None = None
    kind: str | None = None
    written: Time = NOT_RECORDED
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class RegistryTrace(Observation):
    """A key that a program keeps in the Windows registry (``Software\\VENDOR\\PRODUCT``), which may outlive the program. ``written``: when a value or a
    key directly in it was last changed. Nothing of what it holds is kept."""

    key: str
    written: Time = NOT_RECORDED
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class CleanupSign(Observation):
    """A sign that records or files were removed or covered up. A fact about what is there and what is not; not who did it, nor why.

    ``kind``: ``file names overwritten``, ``many files deleted``, ``place emptied``, ``change journal started anew``, ``clock set back``,
    ``Windows installed lately``, ``lists emptied``, ``logs start late``, ``use without history``, ``free space
    overwritten``. ``strength``: strong, moderate, weak. ``detail``: the whole fact in plain sentences. ``place``: the folder, list or log.
    ``tool``: what works like that, where the way tells. ``names``: up to twenty of what is gone; ``count`` of all. ``first`` to ``last``: when it
    happened, as far as known.
    """

    kind: str
    strength: str
    detail: str
    place: str | None = None
    tool: str | None = None
    names: tuple[str, ...] = ()
    count: int | None = None
    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class CleanupPeriod(Observation):
    """All signs of clean-up of one stretch of days, taken together. ``first`` and ``last``: the days (UTC). ``strength``: strong, moderate, weak.

    ``score``: 0 to 100; ``parts``: what it is made of, strongest first, each {what, strength, points, time, innocent}: the second and later
    parts of a kind count for less. ``use``: what shows that the device was used on those days, in words.
    """

    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    strength: str
    score: int
    parts: tuple[Mapping[str, Any], ...] = ()
    detail: str = ""
    use: str | None = None


@dataclass(slots=True, kw_only=True)
class FreeSpace(Observation):
    """What the space of a volume that no file uses is filled with, by samples. ``free``: its bytes; ``samples`` blocks of 4,096 bytes were read,
    of which ``zero`` hold only zeros, ``constant`` only one other byte, ``random`` look like random bytes."""

    free: int
    samples: int
    zero: int
    constant: int
    random: int
    size: int
    filesystem: str | None = None


@dataclass(slots=True, kw_only=True)
class GoneFile(Observation):
    """A file that records remember and that is not on this device now, all that is remembered of it in one.

    ``path``: as the newest record gives it. ``seen``: when it was last seen or used. ``deleted``: when it was deleted, where that is recorded.
    ``where``: where it went or lay: ``deleted``, ``in the recycle bin``, ``renamed``, ``removable drive``, ``network``, ``cloud``, ``phone``, ``not known``.
    ``how``: the kinds of record that remember it. ``matches``: hash sets or keyword lists that know it, None where none does.
    """

    path: str
    seen: Time = NOT_RECORDED
    deleted: Time = NOT_RECORDED
    where: str = "not known"
    how: tuple[str, ...] = ()
    size: int | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    matches: tuple[str, ...] | None = None
    detail: str | None = None
    user: str | None = None
    records: int = 1


@dataclass(slots=True, kw_only=True)
class SinceLastVisit(Observation):
    """What differs from the last visit, by the baseline made then. ``change``: new, gone, fewer; ``what``: device, program, account, history, …

    ``name`` is None where the baseline, which keeps digests only, cannot tell it; ``count`` of the things or visits; ``case`` and ``visited``
    (RFC 3339, the end of that scan) of the last visit.
    """

    change: str
    what: str
    detail: str
    case: str
    visited: str
    name: str | None = None
    count: int = 1
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class SystemFact(Observation):
    """One fact about the machine: host name, time zone, installation date, clock offset, …"""

    name: str
    value: str
    time: Time = NOT_RECORDED


@dataclass(slots=True, kw_only=True)
class SoftwareTrace(Observation):
    """A file or folder that belongs to a program of the software catalogue (rules/software), met while a volume was listed.

    ``software``: the id of its entry; ``trace``: the kind (executable, folder, …) and ``value`` what of the entry it is; ``strength``: strong
    (says alone which program it is) or weak. ``seen``: present, deleted, prefetch. Times are the file's own. ``allocated`` is False where deleted.
    """

    software: str
    trace: str
    value: str
    strength: str
    seen: str
    path: str
    time: Time = NOT_RECORDED
    created: Time = NOT_RECORDED
    allocated: bool = True
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class Software(Observation):
    """One program of the software catalogue on one source, concluded from all its traces.

    ``software``: the id of its entry; ``what`` it is; ``state``: installed, present, removed, remembered (by other records only), looked for.
    ``summary``: what the traces say, in words; ``seen``: each way it was seen (installed, run, downloaded, …). ``runs``: how often it
    ran, the largest count that one place records, at least. ``first_run`` and ``last_run``; ``first`` and ``last`` of any trace. ``severity`` 1 to 5 and
    ``why`` it is that; ``innocent``: what else may explain it. ``bears_on``: checks of conditions. ``proofs``: one for each way and kind of place:
    {seen, how, trace, value, strength, count, first, last, path, record}. ``removable``: seen on a drive that can be taken away.
    ``comes_with_system``: part of the system that it was seen on.
    """

    software: str
    name: str
    what: str
    category: str
    state: str
    summary: str
    severity: int
    why: str
    strength: str
    innocent: str
    bears_on: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    runs: int | None = None
    installed: Time = NOT_RECORDED
    first_run: Time = NOT_RECORDED
    last_run: Time = NOT_RECORDED
    removed: Time = NOT_RECORDED
    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    users: tuple[str, ...] = ()
    removable: bool = False
    comes_with_system: bool = False
    traces: int = 0
    proofs: tuple[Mapping[str, Any], ...] = ()


@dataclass(slots=True, kw_only=True)
class RequiredSoftware(Observation):
    """A program that the visit file says must be on this machine, and what was found of it.

    ``state``: running, ran (lately), installed (no run is recorded), stopped (its last run is long before the last use of the machine, or it is switched
    off), removed, not found, could not tell. ``all_met``: every required program is running, or ran lately. ``last_contact``: when it last sent or
    received anything; ``last_use`` of the machine by any record.
    """

    name: str
    state: str
    detail: str
    all_met: bool = False
    installed: Time = NOT_RECORDED
    last_run: Time = NOT_RECORDED
    last_contact: Time = NOT_RECORDED
    removed: Time = NOT_RECORDED
    last_use: Time = NOT_RECORDED

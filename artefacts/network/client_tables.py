"""Devices as a home router lists them: text copied from its page, CSV, or the saved page itself, of any make.

No router documents its page for programs, so nothing of one make is built in: a row that holds a hardware address is a device. Columns are told by their
headings, where there are some (English, German), else by what stands in them. Pages that give a device several lines (``Name: …``) are read as well.
"""

from __future__ import annotations

import csv
import html.parser
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.network import mac_makers
from artefacts.network.said import plain
from artefacts.observations import NetworkHost, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_local

HOW = "router's table of devices"
_LARGEST = 8 << 20
_MOST = 5_000
_MAC = re.compile(r"(?<![0-9A-Za-z:.-])(?:[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}|(?=[0-9a-f]*\d)[0-9a-f]{12})(?![0-9A-Za-z:.-])", re.IGNORECASE)  # fmt: skip
_NEARLY = re.compile(r"(?<![0-9A-Za-z:-])(?:[0-9A-Za-z]{1,2}[:-]){4,7}[0-9A-Za-z]{1,2}(?![0-9A-Za-z:-])")
"""What looks like a hardware address that was typed wrongly; times have fewer parts."""
_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_HEADS = (
    ("mac", re.compile(r"\bmac\b|hardware|physical|ethernet address|mac-?adresse", re.IGNORECASE)),
    ("address", re.compile(r"\bip(?:v4)?\b|^address$|assigned ip|ip-?adresse", re.IGNORECASE)),
    ("kind", re.compile(r"device type|^type$|category|ger[äa]tetyp", re.IGNORECASE)),
    ("maker", re.compile(r"vendor|manufacturer|\bmake\b|hersteller|brand", re.IGNORECASE)),
    ("model", re.compile(r"\bmodel\b|modell", re.IGNORECASE)),
    ("last", re.compile(r"last (?:seen|connected|active|online)|zuletzt", re.IGNORECASE)),
    ("first", re.compile(r"first (?:seen|connected)|^connected since|joined", re.IGNORECASE)),
    ("how", re.compile(r"connection|interface|^connected (?:to|via|by)|\bband\b|verbindung|\bport\b|network name|\bssid\b", re.IGNORECASE)),
    ("name", re.compile(r"name|^device$|^client$|^host$|ger[äa]t$|description|^devices?\b", re.IGNORECASE)),
)
_OTHER = re.compile(
    r"lease|expir|status|state|signal|speed|rate|rssi|uptime|duration|internet|allow|block|edit|delete|action|reserv|^id$|^#$|^no\.?$|eigenschaft|properties|time",
    re.IGNORECASE,
)
_NO_NAME = re.compile(
    r"^(?:[-–—*#\d.,:/%\s()]*|<?unknown>?|n/?a|null|none|yes|no|on|off|active|inactive|online|offline|connected|disconnected|static|dynamic|dhcp|automatic|manual|enabled|disabled|wired|wireless|wi-?fi"
    r"|wlan|lan\d?|ethernet|(?:wi-?fi )?[256](?:\.\d)?\s?ghz.*|\d+\s?(?:mb|kb|gb|mbps|mbit|dbm|days?|hours?|h|m|s|min).*|edit|delete|details?|block|allow(?:ed)?|guest|main|permanent|infinite|never|expired|ip|mac|unnamed|unbekannt)$",
    re.IGNORECASE,
)
_OWN = re.compile(r"router|gateway|\b[wl]an (?:mac|ip|address)|bssid|\bhub (?:mac|ip)|modem", re.IGNORECASE)
_DATES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%d %b %Y %H:%M:%S", "%d %b %Y %H:%M", "%d %B %Y %H:%M", "%Y-%m-%d")
_KINDS = {
    "phone": "phone", "smartphone": "phone", "mobile": "phone", "mobile phone": "phone", "tablet": "tablet", "laptop": "computer", "desktop": "computer", "computer": "computer", "pc": "computer",
    "printer": "printer", "tv": "television or player", "smart tv": "television or player", "set-top box": "television or player", "media player": "television or player",
    "game console": "game console", "games console": "game console", "console": "game console", "nas": "network storage", "storage": "network storage", "router": "router", "camera": "camera",
}  # fmt: skip


@dataclass(slots=True)
class _Entry:
    line: int
    fields: dict[str, str] = field(default_factory=dict)
    mac: str | None = None
    address: str | None = None
    router: bool = False


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``NetworkHost`` for each device of the table. Times in it are the router's own, without a zone, and kept as such."""
    data = file.read(_LARGEST + 1)
    text = decoded(data[:_LARGEST])
    rows = _rows(text)
    entries = _table(rows) if _is_table(rows) else _records(rows)
    kept: dict[tuple[str | None, str | None], _Entry] = {}
    for entry in entries:
        key = (entry.mac, None if entry.mac else entry.address)
        if (entry.mac or entry.address) and key not in kept:
            kept[key] = entry
    wrong = [str(line) for line, cells in rows for cell in cells for word in _NEARLY.findall(cell) if mac_makers.normal(word) is None]
    if not kept and text.strip():
        raise Unrecognised("no table of devices: no line holds a hardware address")
    for entry in list(kept.values())[:_MOST]:
        yield _host(entry)
    if wrong:
        yield Problem(
            f"hardware addresses that are none, perhaps typed wrongly, on lines {', '.join(dict.fromkeys(wrong[:20]))}", Status.FAILED
        )
    if len(kept) > _MOST or len(data) > _LARGEST:
        yield Problem(f"more than {_MOST} devices or {_LARGEST} bytes: the rest is not kept", Status.FAILED)


def decoded(data: bytes) -> str:
    """Text of a file somebody saved: UTF-8, UTF-16 with a mark, else Windows-1252."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _host(entry: _Entry) -> NetworkHost:
    said = entry.fields
    name = plain(said.get("name"), 100)
    kind = _KINDS.get((said.get("kind") or "").strip().lower())
    how = plain(said.get("how"), 60)
    return NetworkHost(
        address=entry.address,
        mac=entry.mac,
        name=name if name and not _NO_NAME.match(name) and not _MAC.fullmatch(name) else None,
        kind="router" if entry.router else kind,
        maker=plain(said.get("maker")) or (mac_makers.maker(entry.mac) if entry.mac else None),
        model=plain(said.get("model")),
        services=(how,) if how else (),
        first=_time(said.get("first")),
        last=_time(said.get("last")),
        how=HOW,
        locator=f"line={entry.line}",
    )


def _time(text: str | None) -> Time:
    for form in _DATES if text else ():
        try:
            return from_local(datetime.strptime(" ".join((text or "").split()), form).isoformat(), "the router's own clock")
        except ValueError:
            continue
    return NOT_RECORDED


# --- from bytes to rows of cells -----------------------------------------------------------------------------------------------------

Row = tuple[int, list[str]]


def _rows(text: str) -> list[Row]:
    """Each line with its number and its cells, blank ones left out."""
    if re.search(r"<(?:html|body|table|tr|td|div|span)\b", text, re.IGNORECASE):
        reader = _Page()
        reader.feed(text)
        reader.close()
        return reader.rows()
    lines = text.splitlines()
    delimiter = next((mark for mark in ("\t", ";", ",", "|") if sum(mark in line and bool(_MAC.search(line)) for line in lines) > sum(bool(_MAC.search(line)) for line in lines) / 2), None)  # fmt: skip
    if delimiter:
        # A NUL or an endless quoted field is no reason to lose the rest: each line is read by itself.
        split: Iterable[list[str]] = (
            next(csv.reader([line.replace("\0", "")], delimiter=delimiter), []) if len(line) < 100_000 else [] for line in lines
        )
    else:
        split = (re.split(r"\s{2,}|\t", line.strip()) for line in lines)
    rows = []
    for number, cells in enumerate(split, 1):
        kept = [cell.strip() for cell in cells]
        if any(kept):
            rows.append((number, _apart(kept) if not delimiter and len(kept) == 1 else kept))
    return rows


def _apart(cells: list[str]) -> list[str]:
    """A line whose columns only single blanks part: what is an address is a cell of its own, as is what stands between."""
    line = cells[0]
    if not _MAC.search(line):
        return cells
    marked = _ADDRESS.sub(lambda found: f"\t{found[0]}\t", _MAC.sub(lambda found: f"\t{found[0]}\t", line))
    return [cell.strip() for cell in marked.split("\t") if cell.strip()]


class _Page(html.parser.HTMLParser):
    """Rows of tables; outside of them, lines as a reader sees them."""

    _BLOCKS = frozenset(
        ("div", "p", "li", "ul", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "br", "section", "table", "tbody", "form", "tr")
    )
    _SILENT = frozenset(("script", "style", "option"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._rows: list[Row] = []
        self._cells: list[str] = []
        self._in_row = self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._SILENT:
            self._silent += 1
        elif tag == "tr":
            self._end()
            self._in_row = 1
        elif tag in ("td", "th"):
            self._cells.append("")
        elif tag in self._BLOCKS and not self._in_row:
            self._end()
        if tag == "input" and (value := dict(attrs).get("value")) and dict(attrs).get("type", "text") == "text":
            self.handle_data(value)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in ("tr", "table"):
            self._end()
            self._in_row = 0
        elif tag in self._BLOCKS and not self._in_row:
            self._end()

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if not self._cells:
            self._cells.append("")
        if len(self._cells[-1]) < 10_000:
            self._cells[-1] += " " + data

    def _end(self) -> None:
        cells = [" ".join(cell.split()) for cell in self._cells]
        if any(cells) and len(self._rows) < 200_000:
            self._rows.append((self.getpos()[0], _apart(cells) if len(cells) == 1 else cells))
        self._cells = []

    def rows(self) -> list[Row]:
        """All rows, the last one included."""
        self._end()
        return self._rows


# --- from rows to devices ------------------------------------------------------------------------------------------------------------


def _is_table(rows: list[Row]) -> bool:
    """Whether devices stand one to a row: beside a hardware address there is more than the words that announce it."""
    with_mac = [cells for _, cells in rows if any(_MAC.search(cell) for cell in cells)]
    wide = [cells for cells in with_mac if sum(bool(cell) and not _heading(cell.rstrip(":")) for cell in cells) >= 2]
    return len(wide) * 2 > len(with_mac)


def _heading(cell: str) -> str | None:
    return next((name for name, pattern in _HEADS if len(cell) <= 40 and pattern.search(cell) and not _MAC.search(cell)), None)


def _table(rows: list[Row]) -> Iterator[_Entry]:
    columns: dict[int, str] = {}
    for line, cells in rows:
        if not any(_MAC.search(cell) or _ADDRESS.search(cell) for cell in cells):
            heads = {at: kind for at, cell in enumerate(cells) if (kind := _heading(cell)) and not _OTHER.search(cell)}
            if len(set(heads.values())) >= 2:
                columns = heads
            continue
        entry = _Entry(line)
        _numbers(entry, cells)
        for at, kind in columns.items():
            if at < len(cells) and kind not in ("mac", "address") and cells[at]:
                entry.fields.setdefault(kind, _ADDRESS.sub("", _MAC.sub("", cells[at])).strip())
        if not columns:
            entry.fields.update(_guessed(cells))
        if entry.mac or (columns and entry.address and entry.fields.get("name")):
            yield entry


def _guessed(cells: list[str]) -> dict[str, str]:
    """The name in a row without headings: the first cell that is no number, address, or usual word."""
    for cell in cells:
        text = _ADDRESS.sub("", _MAC.sub("", cell)).strip(" :-")
        if text and not _NO_NAME.match(text):
            return {"name": text}
    return {}


def _numbers(entry: _Entry, cells: list[str]) -> None:
    for cell in cells:
        if entry.mac is None and (found := _MAC.search(cell)):
            mac = mac_makers.normal(found[0])
            if mac and mac.strip("0:") and mac != "ff:ff:ff:ff:ff:ff":
                entry.mac = mac
        if entry.address is None and (address := _ADDRESS.search(cell)) and all(int(part) < 256 for part in address[0].split(".")):
            entry.address = address[0]


def _records(rows: list[Row]) -> Iterator[_Entry]:
    """Devices that take several lines: ``key: value``, or a name and below it what is known. A key that comes again begins the next device."""
    entry = _Entry(0)
    bare = ""
    for line, cells in rows:
        key, _, value = cells[0].partition(":") if len(cells) == 1 or cells[0].endswith(":") else (cells[0], "", cells[1])
        value = value.strip() or (" ".join(cells[1:]) if len(cells) > 1 else "")
        kind = _heading(key.strip())
        if _MAC.match(cells[0]) or _ADDRESS.match(cells[0]):  # the colon was one of an address
            kind, value = "mac" if _MAC.match(cells[0]) else "address", cells[0]
        if kind is None or not value:
            if not _OTHER.search(cells[0]) and not _NO_NAME.match(cells[0]) and not value and kind is None:
                if entry.mac:
                    yield entry
                    entry = _Entry(line)
                bare = cells[0]
            continue
        if kind in entry.fields and (entry.mac or kind == "name"):
            if entry.mac or entry.address:
                yield entry
            entry, bare = _Entry(line), "" if kind == "name" else bare
        entry.line = entry.line or line
        entry.fields[kind] = value
        entry.router |= kind in ("mac", "address") and bool(_OWN.search(key))
        if kind in ("mac", "address"):
            _numbers(entry, [value])
        if bare:
            entry.fields.setdefault("name", bare)
            bare = ""
    yield entry


ARTEFACTS = (
    Artefact(
        id="network.client_tables",
        title="Devices as a router lists them",
        meaning="A page or list of a router that somebody saved here: devices with hardware address, name and address on its network.",
        paths=(
            "**/attached*devices*.htm*",
            "**/dhcp*client*.htm*",
            "**/dhcp*client*.csv",
            "**/dhcp*lease*.csv",
            "**/connected*devices*.csv",
        ),
        parse=parse,
        references=("https://www.rfc-editor.org/rfc/rfc4180",),
    ),
)

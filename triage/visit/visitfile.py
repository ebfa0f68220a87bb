"""``visit.yaml``: who examines, on whose authority, within which scope, against which conditions. Shape: section 6 of the design.

Everything is read as text (a reference ``0123`` stays ``0123``, an officer may be called ``No``). What is wrong is named with its place and
line, all of it at once; a file with a fault is refused as a whole, because half an authority is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from rules.findings.model import CHECKS
from rules.strictyaml import Document, Place, YamlError, parse

MAX_BYTES = 1 << 20
MAX_TEXT = 2000
MAX_ITEMS = 10_000
BASES = ("order", "consent", "warrant", "pace", "licence")
DETAILS = {
    "order": ("made_by",),
    "consent": ("given_by", "given_at", "withdrawal"),
    "warrant": ("issued_by",),
    "pace": ("section",),
    "licence": ("condition",),
}
"""What can be said of each basis beside its reference: the court; who consented, when, and how they were told to withdraw it; who issued the
warrant; the section of the Act; the number of the licence condition."""
_TOP = ("reference", "officer", "subject", "authority", "scope", "declared_devices", "conditions", "keywords", "required_software")
_ALL_DETAILS = tuple(key for keys in DETAILS.values() for key in keys)
_DEVICE = ("kind", "make", "model", "serial", "mac", "hostname", "note")
_REQUIRED = ("name", "software", "installed", "exe", "path", "service", "package", "bundle", "stale_after_days")
_TRACES = _REQUIRED[2:-1]
_MAC = re.compile(r"[0-9a-f]{2}(?:[:-]?[0-9a-f]{2}){5}")


class VisitError(Exception):
    """The visit file cannot be used. ``problems``: one sentence each, with line and place; as text, one a line."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Officer:
    """Who examines."""

    name: str
    number: str | None = None
    force: str | None = None


@dataclass(frozen=True, slots=True)
class Authority:
    """On what basis (one of ``BASES``), and its reference: the order, the warrant, the entry in the notebook. ``details``: what else is said of
    it, by the keys of ``DETAILS``."""

    basis: str
    reference: str
    details: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, str]:
        """As in the file."""
        return {"basis": self.basis, "reference": self.reference, **dict(self.details)}


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be looked at. ``start`` and ``end`` are RFC 3339 in UTC, both inside the scope; a date alone means that whole day in UTC."""

    start: str | None = None
    end: str | None = None
    exclude_users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredDevice:
    """A device that was declared. ``mac``: lower-case hex pairs joined by colons."""

    kind: str | None = None
    make: str | None = None
    model: str | None = None
    serial: str | None = None
    mac: tuple[str, ...] = ()
    hostname: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class OrderCondition:
    """A prohibition or requirement of the order, and the checks that bear on it."""

    id: str
    text: str
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RequiredProgram:
    """A program that must be on the device. ``software``: its id in the software catalogue; ``traces``: more of its traces by kind, as an entry
    of the catalogue has them (rules/software/loader.py). ``stale_after_days``: how long before the last use of the device it may have run last."""

    name: str
    software: str | None = None
    traces: tuple[tuple[str, tuple[str, ...]], ...] = ()
    stale_after_days: int = 7

    def to_json(self) -> dict[str, Any]:
        """The program as JSON values: ``traces`` maps kinds to lists."""
        return {
            "name": self.name,
            "software": self.software,
            "traces": {kind: list(values) for kind, values in self.traces},
            "stale_after_days": self.stale_after_days,
        }


@dataclass(frozen=True, slots=True)
class Visit:
    """A checked visit file."""

    reference: str
    officer: Officer
    authority: Authority
    subject_reference: str | None = None
    scope: Scope = field(default_factory=Scope)
    declared_devices: tuple[DeclaredDevice, ...] = ()
    conditions: tuple[OrderCondition, ...] = ()
    keywords: tuple[str, ...] = ()
    required_software: tuple[RequiredProgram, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The visit as JSON values, in the shape of the file (``scope`` has ``from`` and ``to``, RFC 3339 UTC or null)."""
        return {
            "reference": self.reference,
            "officer": asdict(self.officer),
            "subject": {"reference": self.subject_reference},
            "authority": self.authority.to_json(),
            "scope": {"from": self.scope.start, "to": self.scope.end, "exclude_users": list(self.scope.exclude_users)},
            "declared_devices": [{**asdict(device), "mac": list(device.mac)} for device in self.declared_devices],
            "conditions": [{**asdict(condition), "checks": list(condition.checks)} for condition in self.conditions],
            "keywords": list(self.keywords),
            "required_software": [program.to_json() for program in self.required_software],
        }


def requires_authority(kinds: Iterable[str]) -> bool:
    """Whether sources of these kinds (``triage.evidence.model.Source.kind``) may be examined only with a recorded legal basis.

    A live machine and a device are somebody's, here and now; an image or a folder was obtained before.
    """
    return any(kind in ("live", "device") for kind in kinds)


def load_visit(path: Path) -> Visit:
    """Read and check a visit file. Raises ``VisitError`` for a file that cannot be read or is not sound."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise VisitError([f"the visit file {path} cannot be read: {error.strerror or error}"]) from None
    return parse_visit(data, str(path))


def parse_visit(data: bytes, name: str = "visit.yaml") -> Visit:
    """Check the bytes of a visit file called ``name``. Raises ``VisitError``."""
    try:
        document = parse(data, text_only=True, limit=MAX_BYTES)
    except YamlError as error:
        raise VisitError([f"{name}, line {error.line}: the file {error.reason}"]) from None
    reader = _Reader(name, document)
    visit = reader.visit()
    if reader.problems or visit is None:
        raise VisitError(reader.problems)
    return visit


class _Reader:
    def __init__(self, name: str, document: Document) -> None:
        self._name, self._document = name, document
        self.problems: list[str] = []

    def visit(self) -> Visit | None:
        value = self._document.value
        for place in self._document.repeated:
            self._problem(place, "is given twice")
        if not isinstance(value, dict):
            self._problem((), "the file is not a mapping that begins with reference, officer and authority")
            return None
        self._known((), value, _TOP)
        officer = self._mapping(value, "officer", ("name", "number", "force"), required=True)
        authority = self._mapping(value, "authority", ("basis", "reference", *_ALL_DETAILS), required=True)
        subject = self._mapping(value, "subject", ("reference",))
        basis = self._text(("authority", "basis"), authority, required=True).lower()
        if basis and basis not in BASES:
            self._problem(("authority", "basis"), f"is {basis!r}; it is one of {', '.join(BASES)}")
        return Visit(
            reference=self._text(("reference",), value, required=True),
            officer=Officer(
                self._text(("officer", "name"), officer, required=True),
                self._text(("officer", "number"), officer) or None,
                self._text(("officer", "force"), officer) or None,
            ),
            authority=Authority(basis, self._text(("authority", "reference"), authority, required=True), self._details(basis, authority)),
            subject_reference=self._text(("subject", "reference"), subject) or None,
            scope=self._scope(value),
            declared_devices=tuple(self._device(index, item) for index, item in self._mappings(value, "declared_devices", _DEVICE)),
            conditions=self._conditions(value),
            keywords=self._texts(("keywords",), value.get("keywords")),
            required_software=tuple(self._required(index, item) for index, item in self._mappings(value, "required_software", _REQUIRED)),
        )

    def _details(self, basis: str, authority: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
        found = [(key, text) for key in _ALL_DETAILS if (text := self._text(("authority", key), authority))]
        for key, _ in found:
            if basis in DETAILS and key not in DETAILS[basis]:
                owner = next(other for other, keys in DETAILS.items() if key in keys)
                self._problem(("authority", key), f"belongs to the basis {owner}; here the basis is {basis}")
        return tuple(found)

    def _problem(self, place: Place, what: str) -> None:
        named = ".".join(str(part + 1) if isinstance(part, int) else part for part in place)
        line = self._document.line(place)
        self.problems.append(f"{self._name}, line {line}: {named} {what}" if named else f"{self._name}, line {line}: {what}")

    def _known(self, place: Place, value: dict[str, Any], keys: Sequence[str]) -> None:
        for key in value:
            if key not in keys:
                self._problem((*place, key), f"is not a key of a visit file here; known are {', '.join(keys)}")

    def _mapping(self, value: dict[str, Any], key: str, keys: Sequence[str], *, required: bool = False) -> dict[str, Any] | None:
        """The mapping at ``key``; empty where it may be absent, None where that has been reported already."""
        inner = value.get(key)
        if inner is None:
            if required:
                self._problem((key,), "is missing")
            return None if required else {}
        if not isinstance(inner, dict):
            self._problem((key,), f"is not a mapping with {', '.join(keys)}")
            return None
        self._known((key,), inner, keys)
        return inner

    def _mappings(self, value: dict[str, Any], key: str, keys: Sequence[str]) -> list[tuple[int, dict[str, Any]]]:
        found: list[tuple[int, dict[str, Any]]] = []
        for index, item in enumerate(self._list((key,), value.get(key))):
            if isinstance(item, dict):
                self._known((key, index), item, keys)
                found.append((index, item))
            else:
                self._problem((key, index), f"is not a mapping with {', '.join(keys)}")
        return found

    def _list(self, place: Place, value: Any) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > MAX_ITEMS:
            self._problem(place, f"is not a list of at most {MAX_ITEMS} items")
            return []
        return value

    def _text(self, place: Place, parent: dict[str, Any] | None, *, required: bool = False) -> str:
        """The text at the last part of ``place`` in ``parent``, trimmed; empty where absent or wrong (then it has been reported)."""
        if parent is None:
            return ""
        value = parent.get(str(place[-1]))
        if value is None or value == "" or (isinstance(value, str) and not value.strip()):
            if required:
                self._problem(place, "is missing")
            return ""
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            self._problem(place, f"is not text of at most {MAX_TEXT} characters")
            return ""
        return value.strip()

    def _texts(self, place: Place, value: Any) -> tuple[str, ...]:
        texts: list[str] = []
        for index, item in enumerate(self._list(place, value)):
            if isinstance(item, str) and 0 < len(item.strip()) <= MAX_TEXT:
                texts.append(item.strip())
            else:
                self._problem((*place, index), f"is not text of 1 to {MAX_TEXT} characters")
        return tuple(texts)

    def _scope(self, value: dict[str, Any]) -> Scope:
        scope = self._mapping(value, "scope", ("from", "to", "exclude_users"))
        if not scope:
            return Scope()
        start, end = self._instant(scope, "from"), self._instant(scope, "to")
        if start is not None and end is not None and start > end:
            self._problem(("scope", "from"), f"({scope['from']}) is after scope.to ({scope['to']})")
        return Scope(_rfc3339(start), _rfc3339(end), self._texts(("scope", "exclude_users"), scope.get("exclude_users")))

    def _instant(self, scope: dict[str, Any], key: str) -> datetime | None:
        text = self._text(("scope", key), scope)
        if not text:
            return None
        try:
            if len(text) == 10:
                day = datetime.combine(date.fromisoformat(text), time(), UTC)
                return day if key == "from" else day + timedelta(days=1, microseconds=-1)
            instant = datetime.fromisoformat(text)
            if instant.utcoffset() is None:
                self._problem(("scope", key), f"({text}) has no zone: write a date alone, or add Z or an offset such as +01:00")
                return None
            return instant.astimezone(UTC)
        except (ValueError, OverflowError):
            self._problem(("scope", key), f"({text}) is not a date such as 2026-01-31, or a time such as 2026-01-31T09:00:00Z")
            return None

    def _device(self, index: int, item: dict[str, Any]) -> DeclaredDevice:
        place: Place = ("declared_devices", index)
        words = {key: self._text((*place, key), item) or None for key in _DEVICE if key != "mac"}
        if not any(words.values()) and not item.get("mac"):
            self._problem(place, "says nothing about the device")
        addresses = item.get("mac")
        macs: list[str] = []
        for text in self._texts((*place, "mac"), [addresses] if isinstance(addresses, str) else addresses):
            if _MAC.fullmatch(text.lower()):
                digits = re.sub("[:-]", "", text.lower())
                macs.append(":".join(digits[start : start + 2] for start in range(0, 12, 2)))
            else:
                self._problem((*place, "mac"), f"({text}) is not a hardware address such as 00:1a:2b:3c:4d:5e")
        return DeclaredDevice(mac=tuple(macs), **words)

    def _required(self, index: int, item: dict[str, Any]) -> RequiredProgram:
        place: Place = ("required_software", index)
        name = self._text((*place, "name"), item, required=True)
        known = self._text((*place, "software"), item) or None
        traces = tuple((kind, values) for kind in _TRACES if (values := self._texts((*place, kind), item.get(kind))))
        if name and known is None and not traces:
            self._problem(
                place, f"says nothing by which the program is known: software (an id of 'triage rules list'), or {', '.join(_TRACES)}"
            )
        days = self._text((*place, "stale_after_days"), item) or "7"
        if not days.isdecimal() or not 1 <= int(days) <= 365:
            self._problem((*place, "stale_after_days"), f"({days}) is not a number of days from 1 to 365")
            days = "7"
        return RequiredProgram(name, known, traces, int(days))

    def _conditions(self, value: dict[str, Any]) -> tuple[OrderCondition, ...]:
        found: list[OrderCondition] = []
        for index, item in self._mappings(value, "conditions", ("id", "text", "checks")):
            place: Place = ("conditions", index)
            identity = self._text((*place, "id"), item, required=True)
            if identity and identity in (other.id for other in found):
                self._problem((*place, "id"), f"({identity}) is used by another condition")
            checks = self._texts((*place, "checks"), item.get("checks"))
            for number, check in enumerate(checks):
                if check not in CHECKS:
                    self._problem((*place, "checks", number), f"({check}) is not a check; they are {', '.join(CHECKS)}")
            found.append(OrderCondition(identity, self._text((*place, "text"), item, required=True), tuple(dict.fromkeys(checks))))
        return tuple(found)


def _rfc3339(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")

"""What the officer has entered so far, page by page, and whether it will do. The visit file's own checker has the last word."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from triage.visit import words
from triage.visit.visitfile import BASES, Visit, VisitError, parse_visit

NAME = "what was entered"
_DEVICE = ("kind", "make", "model", "serial")


@dataclass(slots=True)
class Draft:
    """Texts as entered. ``details``: of the legal basis, by the keys of the visit file. ``checks``: those ticked from the standard list.
    ``loaded``: the visit file's data as JSON values, of which the pages show a part and the rest is kept."""

    name: str = ""
    number: str = ""
    force: str = ""
    reference: str = ""
    subject: str = ""
    basis: str = ""
    details: dict[str, str] = field(default_factory=dict)
    devices: str = ""
    checks: list[str] = field(default_factory=list)
    users: str = ""
    start: str = ""
    end: str = ""
    keywords: str = ""
    drives: list[str] = field(default_factory=list)
    paths: str = ""
    minutes: str = "20"
    loaded: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, visit: Visit) -> Draft:
        """The pages as a visit file fills them in."""
        data = visit.to_json()
        authority = dict(data["authority"])
        scope = data["scope"]
        return cls(
            name=visit.officer.name,
            number=visit.officer.number or "",
            force=visit.officer.force or "",
            reference=visit.reference,
            subject=visit.subject_reference or "",
            basis=authority.pop("basis"),
            details=authority,
            users=", ".join(scope["exclude_users"]),
            start=_day(scope["from"]),
            end=_day(scope["to"]),
            keywords=", ".join(data["keywords"]),
            loaded=data,
        )

    def data(self) -> dict[str, Any]:
        """The visit in the shape of the visit file. Devices and conditions of a loaded file are kept, what was entered is added."""
        known = {check for condition in self.loaded.get("conditions", []) for check in condition["checks"]}
        taken = {condition["id"] for condition in self.loaded.get("conditions", [])}
        conditions = list(self.loaded.get("conditions", []))
        for check in self.checks:
            if check not in known:
                number = next(str(n) for n in range(1, len(taken) + 2) if str(n) not in taken)
                taken.add(number)
                conditions.append({"id": number, "text": _meaning(check), "checks": [check]})
        lines = [line for line in self.devices.splitlines() if line.strip()]
        devices = [_device(line) for line in lines]
        scope = {"from": self.start, "to": self.end, "exclude_users": _listed(self.users)}
        before = self.loaded.get("scope", {})
        for key in ("from", "to"):
            if scope[key] and scope[key] == _day(before.get(key)):
                scope[key] = before[key]  # the file may be exact to the second, the page shows the day
        return {
            "reference": self.reference,
            "officer": {"name": self.name, "number": self.number or None, "force": self.force or None},
            "subject": {"reference": self.subject or None},
            "authority": {"basis": self.basis, **{key: self.details.get(key) or None for key in _wanted(self.basis)}},
            "scope": scope,
            "declared_devices": [*self.loaded.get("declared_devices", []), *devices],
            "conditions": conditions,
            "keywords": self._keywords(),
            "required_software": [_required(item) for item in self.loaded.get("required_software", [])],
        }

    def _keywords(self) -> list[str]:
        """A word of a loaded file that holds a comma stays one, as long as the field was not changed."""
        before = self.loaded.get("keywords", [])
        return list(before) if self.keywords == ", ".join(before) else _listed(self.keywords)

    def visit(self) -> Visit:
        """The checked visit. Raises ``VisitError``."""
        # JSON is YAML, and quotes every text: whatever a name holds, it stays one text.
        return parse_visit(json.dumps(self.data()).encode("ascii"), NAME)

    def problems(self, page: str) -> list[str]:
        """What has to be put right before ``page`` can be left, a sentence each."""
        if page == "who":
            return [words.ERRORS[key] for key in ("name", "reference") if not getattr(self, key).strip()]
        if page == "authority":
            if self.basis not in BASES:
                return [words.ERRORS["basis"]]
            return [
                words.ERRORS["basis_field"].format(label=label)
                for key, label in words.BASIS_FIELDS[self.basis].items()
                if not self.details.get(key, "").strip()
            ]
        if page == "order":
            lines = enumerate(self.devices.splitlines(), 1)
            empty = [number for number, line in lines if line.strip() and not any(_device(line).values())]
            return [words.ERRORS["device"].format(number=number) for number in empty] or self._faults("declared_devices", "conditions")
        if page == "scope":
            return self._faults("scope", "keywords")
        if page == "what" and not self.drives and not self.listed_paths():
            return [words.ERRORS["nothing"]]
        return []

    def listed_paths(self) -> list[str]:
        """The folders and images that were named."""
        return [part.strip() for part in self.paths.split(";") if part.strip()]

    def _faults(self, *keys: str) -> list[str]:
        try:
            self.visit()
        except VisitError as error:
            found = []
            for text in error.problems:
                place = re.match(rf"{re.escape(NAME)}, line \d+: ((?:{'|'.join(keys)})\b.*)", text, re.DOTALL)
                if place:
                    found.append(_plain(place[1]))
            return [_sentence(text) for text in found]
        return []


def _plain(text: str) -> str:
    """A fault of the checker in the words of the page: ``scope.from (x) is after scope.to (y)`` is ``First day (x) is after Last day (y)``."""
    for key, label in (("scope.from", words.FROM_LABEL), ("scope.to", words.TO_LABEL)):
        text = text.replace(key, label)
    return re.sub(r"^[a-z_]+(?:\.\w+)* ", "", text)


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else text + "."


def _day(text: str | None) -> str:
    return (text or "")[:10]


def _listed(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,\n]", text) if part.strip()]


def _device(line: str) -> dict[str, str]:
    parts = [part.strip() for part in line.split(",", len(_DEVICE))]
    device = dict(zip((*_DEVICE, "note"), parts, strict=False))
    return {key: text for key, text in device.items() if text}


def _meaning(check: str) -> str:
    from rules import conditions

    return conditions.shipped().checks[check].means


def _wanted(basis: str) -> tuple[str, ...]:
    return tuple(words.BASIS_FIELDS.get(basis, {"reference": ""}))


def _required(item: dict[str, Any]) -> dict[str, Any]:
    """A required program as it stands in a visit file, from what ``RequiredProgram.to_json`` gives."""
    return {
        "name": item["name"],
        "software": item["software"],
        **item["traces"],
        "stale_after_days": str(item["stale_after_days"]),
    }

"""Whether a device is one of those that were declared. Three answers: declared, not declared, cannot tell; each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triage.devices import identity, kinds

DECLARED, NOT_DECLARED, CANNOT_TELL = "declared", "not declared", "cannot tell"
_NUMBERS = ("serial", "imei", "meid", "udid", "udn")


@dataclass(frozen=True, slots=True)
class Known:
    """What a line of the ledger can be recognised by."""

    kind: str
    makers: frozenset[str]
    models: frozenset[str]
    names: frozenset[str]
    identifiers: frozenset[str]


class Declaration:
    """The declared devices of a visit file (``Visit.to_json``), or none."""

    def __init__(self, visit: Mapping[str, Any] | None) -> None:
        self._items: Sequence[Mapping[str, Any]] = (visit or {}).get("declared_devices") or ()
        self._why_none = "The visit file names no declared devices." if visit else "There is no list of declared devices."

    def judge(self, lines: Sequence[Known]) -> list[tuple[str, str]]:
        """For each line, the answer and its reason. All lines at once: an item that is one device for certain is no other."""
        if not self._items:
            return [(CANNOT_TELL, self._why_none)] * len(lines)
        certain = [[why for item in self._items if (why := _recognised(item, line))] for line in lines]
        taken = {id(item) for item in self._items for line in lines if _recognised(item, line)}
        free = [item for item in self._items if id(item) not in taken]
        return [self._judge(line, sure, free) for line, sure in zip(lines, certain, strict=True)]

    def _judge(self, line: Known, sure: list[str], free: list[Mapping[str, Any]]) -> tuple[str, str]:
        if sure:
            return DECLARED, sure[0]
        for item in free:
            if why := _possible(item, line):
                return CANNOT_TELL, why
        if not line.identifiers and not line.models and not line.names and line.kind in (kinds.USB, kinds.HOST, kinds.BLUETOOTH):
            return CANNOT_TELL, "The record does not say enough of the device to compare it with the list."
        return NOT_DECLARED, "Nothing on the list of declared devices fits it."


def _recognised(item: Mapping[str, Any], line: Known) -> str:
    """Why an item is this device for certain, or an empty text."""
    number = identity.comparable(f":{item.get('serial') or ''}")
    ours = {identity.comparable(text): text.partition(":")[0] for text in line.identifiers}
    # Numbers on labels and in settings may be longer than what a device tells a computer, never by chance the same.
    if len(number) >= 4 and number in ours:
        return f"The list gives its {_word(ours[number])} ({item['serial']})."
    for address in item.get("mac") or ():
        if identity.comparable(f":{address}") in {
            identity.comparable(text) for text in line.identifiers if text.startswith(("mac:", "bluetooth:"))
        }:
            return f"The list gives its hardware address ({address})."
    host = identity.name_key(item.get("hostname"))
    if host and host in line.names:
        return f"The list gives its name ({item['hostname']})."
    return ""


def _possible(item: Mapping[str, Any], line: Known) -> str:
    """Why an item that no other device was recognised by may be this device, or an empty text."""
    said = item.get("kind")
    kind = kinds.kind_of(str(said or ""), str(said or ""), item.get("model")) if said or item.get("model") else None
    if kind is not None and not kinds.compatible(kind, line.kind):
        return ""
    make, model = identity.model_key(item.get("make")) or _plain(item.get("make")), identity.model_key(item.get("model"))
    same_model = model is not None and any(model in other or other in model for other in line.models)
    if model and line.models and not same_model:
        return ""
    if make and line.makers and not any(make in other or other in make for other in line.makers):
        return ""
    if item.get("hostname") and line.names and not item.get("serial") and not model:
        return ""
    wording = " ".join(str(item[key]) for key in ("make", "model", "kind") if item.get(key)) or str(item.get("note") or "a device")
    serial = item.get("serial")
    if serial and _contradicts(str(serial), line):
        if line.kind in (kinds.STORAGE, kinds.CARD, kinds.DRIVE) and same_model:
            return f"A {wording} was declared. The number on its label may not be the number it gives to a computer."
        return ""
    if same_model or (not line.models and not line.names) or (not model and (make or kind)):
        return f"It may be the declared {wording}. No number or name tells for certain."
    return ""


def _contradicts(serial: str, line: Known) -> bool:
    """Whether the device has a number of the same kind as the declared one, and another."""
    kind = identity.nature(serial)
    return any(identity.nature(identity.comparable(text)) == kind for text in line.identifiers if text.startswith(_NUMBERS))


def _plain(text: Any) -> str | None:
    return "".join(character for character in str(text).lower() if character.isalnum()) or None if text else None


def _word(kind: str) -> str:
    return {
        "serial": "serial number",
        "imei": "IMEI",
        "meid": "MEID",
        "udid": "device number (UDID)",
        "mac": "hardware address",
        "bluetooth": "Bluetooth address",
    }.get(kind, kind)

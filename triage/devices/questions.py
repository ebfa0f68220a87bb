"""What an officer can ask about a device, in plain words and open: the answer may be an innocent one."""

from __future__ import annotations

from artefacts.times import NoTime, Time
from triage.devices import kinds
from triage.devices.declared import DECLARED

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def day(time: Time) -> str | None:
    """``3 November 2026``, or None where no day is known. A wall-clock reading is as good as an instant for that."""
    text = (time.local or "") if isinstance(time, NoTime) else time.isoformat()
    parts = text[:10].split("-")
    if len(parts) != 3 or not all(part.isdigit() for part in parts) or not 1 <= int(parts[1]) <= 12:
        return None
    return f"{int(parts[2])} {_MONTHS[int(parts[1]) - 1]} {int(parts[0])}"


def question(title: str, kind: str, declared: str, last: Time, strength: str) -> str | None:
    """A question to ask, or None of a device that was declared or holds nothing."""
    if declared == DECLARED or kind in (kinds.ACCESSORY, kinds.ADAPTER, kinds.AUDIO, kinds.VEHICLE):
        return None
    when = day(last)
    if kind in (kinds.UNCLEAR_CAMERA, kinds.CAMERA) and strength != "strong":
        return f"Pictures here were taken with this: {title}. Whose is it?"
    if kind == kinds.HOST or strength == "weak":
        return f"Do you know this device: {title}{f', seen on {when}' if when else ''}? Whose is it?"
    if kind in (kinds.NETWORK_STORAGE, kinds.REMOTE):
        return f"What is the computer {title}{f', last used from here on {when}' if when else ''}? Where is it?"
    return f"Where is the {title}{f' last connected on {when}' if when else ' that was connected here'}? Whose is it?"

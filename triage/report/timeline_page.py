"""Use, clean-up and devices by day as the page draws them: the last three months before the scan, and the same in words."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

DAYS = 92
_WIDTH, _LEFT, _RIGHT = 1000, 110, 10
_USE_TOP, _USE_HEIGHT = 26, 120
_CLEAN, _DEVICE, _HEIGHT = 172, 202, 220
_FIRST_YEAR = 1995
_NAMED = 12
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def drawing(document: dict[str, Any]) -> dict[str, Any] | None:
    """What ``activity.html.j2`` draws, in units of the drawing; None where no day is known.

    ``bars`` of use {x, y, width, height}, ``cleanup`` and ``devices`` marks {x, y}, ``ticks`` {x, text}, ``lanes`` {y, text}, and ``words``: the same
    in sentences, for those who do not see it.
    """
    today = _day(str(document["visit"]["started"] or ""))
    use = {day: sum(counts.values()) for text, counts in document["activity"].items() if (day := _day(text))}
    signs = _kinds((sign["last"] or sign["first"], sign["kind"]) for sign in document["cleanup"]["signs"])
    devices = _kinds((device["first"], device["title"]) for device in document["devices"] if device["declared"] != "declared")
    days = [day for day in {*use, *signs, *devices} if today is None or day <= today]
    if not days:
        return None
    end = max(days)
    start = max(min(days), end - timedelta(days=DAYS - 1))
    shown = [start + timedelta(days=step) for step in range((end - start).days + 1)]
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(shown), 7)
    most = max((use.get(day, 0) for day in shown), default=0) or 1
    place = {day: _LEFT + step * at for at, day in enumerate(shown)}
    used = [day for day in shown if use.get(day)]
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "base": _USE_TOP + _USE_HEIGHT,
        "left": _LEFT,
        "bars": [
            {
                "x": round(place[day], 1),
                "y": round(_USE_TOP + _USE_HEIGHT - high, 1),
                "width": round(max(step - 1.5, 1.5), 1),
                "height": high,
            }
            for day in used
            for high in [max(2, round(_USE_HEIGHT * use[day] / most))]
        ],
        "cleanup": [{"x": round(place[day] + step / 2, 1), "y": _CLEAN} for day in shown if day in signs],
        "devices": [{"x": round(place[day] + step / 2, 1), "y": _DEVICE} for day in shown if day in devices],
        "ticks": [
            {"x": round(place[day], 1), "text": f"{day.day} {_MONTHS[day.month - 1][:3]}"}
            for at, day in enumerate(shown)
            if at % max(1, len(shown) // 8) == 0 and place[day] < _WIDTH - 50
        ],
        "lanes": [
            {"y": _USE_TOP + _USE_HEIGHT - 4, "text": "Use"},
            {"y": _CLEAN + 5, "text": "Clean-up"},
            {"y": _DEVICE + 5, "text": "New device"},
        ],
        "words": " ".join(
            (
                f"From {_words(start)} to {_words(end)} there are records of use on {len(used):,} of {len(shown):,} days.",
                _listed("Signs of clean-up", {day: signs[day] for day in shown if day in signs}),
                _listed("Devices that were not declared, seen first", {day: devices[day] for day in shown if day in devices}),
            )
        ),
    }


def _kinds(pairs: Any) -> dict[date, list[str]]:
    found: dict[date, list[str]] = {}
    for text, kind in pairs:
        day = _day(str(text or ""))
        if day and kind not in found.setdefault(day, []):
            found[day].append(kind)
    return found


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return day if day.year >= _FIRST_YEAR else None


def _words(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _listed(what: str, days: dict[date, list[str]]) -> str:
    if not days:
        return f"{what}: none in that time."
    named = "; ".join(f"{_words(day)} ({', '.join(sorted(kinds)[:3])})" for day, kinds in list(days.items())[:_NAMED])
    more = f"; and on {len(days) - _NAMED} more days" if len(days) > _NAMED else ""
    return f"{what}: {named}{more}."

"""The device ledger as the page shows it: a table, a drawing of the devices over time, questions to ask, and what holds nothing in one line."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

ROWS = 100
DRAWN = 40
OPENED = 10
_ACCESSORIES = ("accessory", "network adapter")
_DECLARED = {"declared": "Declared", "not declared": "Not declared", "cannot tell": "Cannot tell"}
_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 1000, 330, 20, 22, 34
_FIRST_YEAR, _LAST_YEAR = 1995, 2100
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def page(devices: list[dict[str, Any]]) -> dict[str, Any]:
    """What ``devices.html.j2`` prints of the ``devices`` of a document."""
    listed = [device for device in devices if device["kind"] not in _ACCESSORIES]
    others = Counter(device["title"] for device in devices if device["kind"] in _ACCESSORIES)
    rows = [_row(number, device) for number, device in enumerate(listed[:ROWS], 1)]
    counts = Counter(device["declared"] for device in listed)
    return {
        "rows": rows,
        "hidden": len(listed) - len(rows),
        "summary": [(words, counts[key]) for key, words in _DECLARED.items() if counts[key]],
        "drawing": _drawing(listed[:DRAWN]),
        "questions": [device["question"] for device in listed if device["question"]][:ROWS],
        "others": ", ".join(f"{title} ({count})" if count > 1 else title for title, count in sorted(others.items())[:30]),
        "others_count": others.total(),
    }


def _row(number: int, device: dict[str, Any]) -> dict[str, Any]:
    numbers = [text.replace(":", " ", 1) for text in device["identifiers"]]
    return {
        **{key: device[key] for key in ("title", "kind", "strength", "why", "note", "opened_count")},
        "number": number,
        "declared": _DECLARED[device["declared"]],
        "open": device["declared"] != "declared",
        "numbers": ", ".join(numbers[:8]) + (f" and {len(numbers) - 8} more" if len(numbers) > 8 else ""),
        "first": _day(device, "first"),
        "last": _day(device, "last"),
        "users": ", ".join(device["users"][:10]),
        "count": device["count"],
        "proofs": [f"{proof['how']}{f' (by {joined})' if (joined := proof['matched']) else ''}" for proof in device["proofs"]],
        "opened": device["opened"][:OPENED],
        "opened_hidden": max(0, device["opened_count"] - OPENED),
        "innocent": device["innocent"],
    }


def _moment(device: dict[str, Any], name: str) -> str:
    return str(device.get(name) or device.get(f"{name}_local") or "")


def _day(device: dict[str, Any], name: str) -> str:
    text = _moment(device, name)
    try:
        when = datetime.fromisoformat(text[:10])
    except ValueError:
        return "not recorded"
    words = f"{when.day} {_MONTHS[when.month - 1]} {when.year}"
    return words if device.get(name) else f"{words} (by the clock of that computer, zone not recorded)"


def _seconds(text: str) -> float | None:
    try:
        when = datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
    except ValueError:
        return None
    return when.timestamp() if _FIRST_YEAR <= when.year <= _LAST_YEAR else None


def _drawing(devices: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Lines from the first record of each device to its last, in units of the drawing; None where fewer than two devices have a date."""
    bars: list[tuple[int, dict[str, Any], float, float]] = []
    for number, device in enumerate(devices, 1):
        known = [seconds for name in ("first", "last") if (seconds := _seconds(_moment(device, name))) is not None]
        if known:
            bars.append((number, device, min(known), max(known)))
    if len(bars) < 2:
        return None
    start, end = min(bar[2] for bar in bars), max(bar[3] for bar in bars)
    years = range(datetime.fromtimestamp(start, UTC).year, datetime.fromtimestamp(end, UTC).year + 2)
    begin, stop = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (years[0], years[-1]))
    span = _WIDTH - _LEFT - _RIGHT

    def across(seconds: float) -> int:
        return round(_LEFT + span * (seconds - begin) / (stop - begin))

    step = max(1, -(-len(years) // 12))
    height = _TOP + _ROW * len(bars) + 6
    return {
        "width": _WIDTH,
        "height": height,
        "ticks": [
            {"x": across(datetime(year, 1, 1, tzinfo=UTC).timestamp()), "year": year}
            for year in years[::step]
            if across(datetime(year, 1, 1, tzinfo=UTC).timestamp()) <= _WIDTH - 40
        ],
        "bars": [
            {
                "y": _TOP + _ROW * place + _ROW // 2,
                "text": f"{number}. {_short(device['title'])}",
                "x1": across(first),
                "x2": max(across(last), across(first) + 3),
                "open": device["declared"] != "declared",
            }
            for place, (number, device, first, last) in enumerate(bars)
        ],
        "words": f"{len(bars)} devices between {years[0]} and {years[-2]}. The table below has the same dates.",
    }


def _short(text: str) -> str:
    return text if len(text) <= 38 else text[:37] + "…"

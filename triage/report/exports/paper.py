"""What drafts for paper share: lines to fill in, wrapped paragraphs, a day in words, initials."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from datetime import datetime

WIDTH = 100


def blank() -> str:
    """A line to write on."""
    return "________"


def paragraphs(parts: Iterable[str]) -> list[str]:
    """Lines of at most ``WIDTH`` characters; a part that begins with spaces keeps them as a hanging indent."""
    lines: list[str] = []
    for part in parts:
        indent = " " * (len(part) - len(part.lstrip(" ")))
        lines += textwrap.wrap(part, WIDTH, subsequent_indent=indent, break_on_hyphens=False, replace_whitespace=True) or [""]
    return lines


def day(time: str | None) -> str:
    """``2026-11-21T09:00:00Z`` as ``Saturday 21 November 2026, 09:00 UTC``; a line to write on where there is none."""
    if time is None:
        return blank()
    moment = datetime.fromisoformat(time)
    weekday = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[moment.weekday()]
    months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
    return f"{weekday} {moment.day} {months[moment.month - 1]} {moment.year}, {moment:%H:%M} UTC"


def initials(name: str) -> str:
    """The first letters of the parts of a name, in capitals; empty where it has no letters."""
    return "".join(part[0] for part in name.replace(".", " ").split() if part[0].isalpha()).upper()[:5]

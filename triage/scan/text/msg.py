"""Outlook messages (MS-OXMSG): one stream a property, ``__substg1.0_`` + property + type; attachments and messages inside as storages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from artefacts.coverage import Problem
from triage.scan.text import rtf_compressed
from triage.scan.text.kinds import decode
from triage.scan.text.markup import plain
from triage.scan.text.parts import Budget, Member, Part, Text

_STREAM = re.compile(r"(.*/)?__substg1\.0_([0-9A-Fa-f]{4})(001[EF]|0102)")
TITLES = {"0037": "subject", "0C1A": "sender", "0C1F": "sender", "0E04": "to", "0E03": "cc", "3001": "recipient", "0070": "topic"}
BODY, HTML, RTF, DATA = "1000", "1013", "1009", "3701"
NAMES = ("3707", "3704")
_STORAGE = re.compile(r"__(attach|recip)_version1\.0_#([0-9A-Fa-f]{8})|__substg1\.0_3701000D")


def read(streams: Iterable[str], content: Callable[[str], bytes], budget: Budget) -> Iterator[Part]:
    """Subject and names, body as text, HTML and RTF, attachments; those of messages attached as well."""
    found: dict[tuple[str, str], str] = {}
    for name in streams:
        match = _STREAM.fullmatch(name)
        if match:
            found[match[1] or "", match[2].upper()] = name
    for (folder, number), name in sorted(found.items()):
        if not budget.member() or budget.spent:
            yield Problem(budget.spent)
            return
        here = _STORAGE.sub(lambda match: f"{match[1]} {int(match[2], 16) + 1}" if match[1] else "message", folder).replace("/", " ▸ ")
        if number in TITLES:
            yield Text(_text(name, content), f"{here}{TITLES[number]}", "title")
        elif number == BODY:
            yield Text(_text(name, content), f"{here}body")
        elif number == HTML:
            yield Text(plain(decode(content(name))), f"{here}body (HTML)")
        elif number == RTF:
            data = rtf_compressed.decompress(content(name))
            if data is None:
                yield Problem("its formatted body is damaged", locator=f"{here}body (RTF)")
            else:
                yield Member(f"{here}body (RTF)", data)
        elif number == DATA:
            named = next((_text(found[folder, key], content) for key in NAMES if (folder, key) in found), "")
            if named:
                yield Text(named, f"{here}{named}", "name")
            yield Member(f"{here}{named or 'attachment'}", content(name), "attached to a message")


def _text(name: str, content: Callable[[str], bytes]) -> str:
    data = content(name)
    return data.decode("utf-16-le", "replace") if name.upper().endswith("001F") else decode(data)

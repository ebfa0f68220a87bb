"""Plain sentences with places for evidence: ``{term}``, ``{meta.description}``, ``{code|no code}`` (words for an absent value).

Evidence is data: a value is put in once and never read as a template again, is never code, and is cut to a readable length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rules.findings.fields import lookup

MAX_VALUE = 300  # characters of a value
_PLACE = re.compile(r"\{([A-Za-z_][\w.]*)(?:\|([^{}|]*))?\}")


def places(template: str) -> Iterator[str]:
    """The field names a template asks for. Raises ``ValueError`` for a brace that is not part of a place."""
    if re.search(r"[{}]", _PLACE.sub("", template)):
        raise ValueError("a place is written {field} or {field|words if absent}; there is another brace")
    for match in _PLACE.finditer(template):
        yield match.group(1)


def render(template: str, observation: Mapping[str, Any]) -> str:
    """The sentence for this observation, as plain text."""

    def fill(match: re.Match[str]) -> str:
        text = as_text(lookup(observation, match.group(1)))
        return text if text else (match.group(2) if match.group(2) is not None else "not recorded")

    return _PLACE.sub(fill, template)


def as_text(value: Any) -> str:
    """A field's value as words; empty for an absent one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        value = [f"{key}: {as_text(item)}" for key, item in list(value.items())[:20]]
    if isinstance(value, list | tuple):
        value = ", ".join(as_text(item) for item in value[:20])
    text = str(value)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"

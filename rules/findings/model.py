"""What a finding rule is, once it has been read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rules.findings.conditions import Condition
from rules.findings.fields import lookup
from rules.findings.template import render

INDICATIONS = ("found", "refer", "note")  # strongest first
CHECKS = (
    "declared_devices_only",
    "keep_history",
    "no_private_browsing",
    "no_wiping_software",
    "no_undeclared_encryption",
    "no_anonymisers",
    "no_cloud_storage",
    "no_p2p",
    "no_virtual_machines",
    "no_social_media",
    "no_contact_services",
    "monitoring_software_present",
)
"""What a condition of an order can ask for: the words used in ``bears_on`` and in a visit file."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words that are the same for every finding, or taken from a field of the observation (``default`` where it has none)."""

    default: str
    field: str | None = None

    def of(self, observation: Mapping[str, Any]) -> str:
        """The words for this observation."""
        value = lookup(observation, self.field) if self.field else None
        return value.strip()[:100] if isinstance(value, str) and value.strip() else self.default


@dataclass(frozen=True, slots=True)
class Severity:
    """1 to 5, fixed or from a field of the observation (``default`` where that is no whole number from 1 to 5), ``add`` on top, kept within 1 to 5."""

    default: int
    field: str | None = None
    add: int = 0

    def of(self, observation: Mapping[str, Any]) -> int:
        """The severity for this observation."""
        value = lookup(observation, self.field) if self.field else None
        if isinstance(value, str) and value.strip() in ("1", "2", "3", "4", "5"):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
            value = self.default
        return min(5, max(1, value + self.add))


@dataclass(frozen=True, slots=True)
class Addition:
    """What is added when a condition holds: a sentence to the explanation, innocent explanations, checks it bears on, advice."""

    when: Condition
    say: str = ""
    innocent_explanations: tuple[str, ...] = ()
    bears_on: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Why one kind of observation matters. ``indicates``: from which severity on it means what, ascending.

    ``group``: fields whose equal values make one finding of many observations; empty makes one finding an observation.
    ``origin``: file and line it was read from.
    """

    id: str
    version: int
    on: str
    category: Text
    when: Condition
    severity: Severity
    indicates: tuple[tuple[int, str], ...]
    title: str
    explanation: str
    innocent_explanations: tuple[str, ...]
    bears_on: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    context: str = "{context|}"
    advice: tuple[str, ...] = ()
    also: tuple[Addition, ...] = ()
    origin: str = ""

    def indication(self, severity: int) -> str:
        """``found``, ``refer`` or ``note`` at this severity."""
        return next(word for start, word in reversed(self.indicates) if severity >= start)

    def explain(self, observation: Mapping[str, Any], additions: tuple[Addition, ...]) -> str:
        """The explanation in plain text, with what the additions say."""
        return " ".join(render(text, observation) for text in (self.explanation, *(item.say for item in additions)) if text)

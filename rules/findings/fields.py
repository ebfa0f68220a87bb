"""Reading a field of an observation, as the journal stores it, by its dotted name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any

from artefacts import observations
from artefacts.observations import Observation
from artefacts.times import Time

PROVENANCE = frozenset({"source", "volume", "path", "locator", "parser", "recovered"})


def lookup(observation: Mapping[str, Any], name: str) -> Any:
    """The value of ``name`` (``term``, ``provenance.source``, ``meta.severity``), or None where there is none."""
    value: Any = observation
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


@cache
def time_fields() -> Mapping[str, tuple[str, ...]]:
    """The fields of every observation type that hold a time, in declared order."""
    return {
        name: tuple(field.name for field in dataclasses.fields(value) if field.type in ("Time", Time))
        for name, value in vars(observations).items()
        if isinstance(value, type) and issubclass(value, Observation) and value is not Observation
    }


@cache
def observation_types() -> Mapping[str, frozenset[str]]:
    """Every observation type and the field names that its journal record may have (times have ``_reason`` and ``_local`` beside them)."""
    found: dict[str, frozenset[str]] = {}
    for name, times in time_fields().items():
        names = {field.name for field in dataclasses.fields(getattr(observations, name))} - {"locator", "recovered"}
        found[name] = frozenset(names | {f"{time}_{kind}" for time in times for kind in ("reason", "local")} | {"id"})
    return found


def is_known(type_name: str, name: str) -> bool:
    """Whether an observation of ``type_name`` can have a field ``name``. Inside a mapping (``meta.…``) any key may occur."""
    head, _, rest = name.partition(".")
    if head == "provenance":
        return rest in PROVENANCE
    return head in observation_types().get(type_name, frozenset())

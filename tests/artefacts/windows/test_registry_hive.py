"""Deleted keys and values of a hive: what says something is listed, the rest is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from artefacts.observations import RegistryRemnant, SystemFact
from artefacts.windows.registry_hive import parse

USER = "/Users/jo/NTUSER.DAT"


def read(evidence: Any, specimens: Path, name: str) -> tuple[list[tuple[str, str | None, str | None]], list[str]]:
    found, _ = evidence({USER: (next(specimens.glob(f"registry/yarp/{name}*"))).read_bytes()}).parse(parse, USER)
    remnants = [(item.key, item.value, item.content) for item in found if isinstance(item, RegistryRemnant)]
    return remnants, [item.value for item in found if isinstance(item, SystemFact) and "not listed" in item.name]


@pytest.mark.specimens
def test_a_number_without_its_key_is_counted(evidence: Any, specimens: Path) -> None:
    assert read(evidence, specimens, "RemnantsHive") == ([], ["1: their keys are gone, and they hold no text and have no name of a file"])
    assert read(evidence, specimens, "HealedHive") == ([("cccc", None, None), ("cccc", "123", "test")], [])

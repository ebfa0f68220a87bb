"""Observations as a journal holds them, and the ledger they make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from artefacts.observations import Device, Observation
from artefacts.times import Timestamp
from triage.devices.ledger import Ledger
from triage.report.records import nanoseconds
from triage.scan.emit import observation_json


def journalled(item: Observation, path: str = "/file", source: str = "s1") -> dict[str, Any]:
    """An observation as the journal holds it."""
    return observation_json(item, source=source, volume="v1", path=path, parser="test/1")


@pytest.fixture
def at() -> Callable[[str], Timestamp]:
    """``at("2026-11-03T10:00:00Z")`` is that instant."""

    def make(text: str) -> Timestamp:
        ns = nanoseconds(text)
        assert ns is not None
        return Timestamp(ns)

    return make


@pytest.fixture
def ledger() -> Callable[..., list[Device]]:
    """``ledger([observations], declared=[…])``: the devices, those that matter most first."""

    def make(items: Iterable[Observation], declared: list[Mapping[str, Any]] | None = None) -> list[Device]:
        book = Ledger(None if declared is None else {"declared_devices": declared})
        for item in items:
            book.add(journalled(item))
        return [line.device for line in book.lines()]

    return make

"""Declared devices, and what the order asks for."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.widgets import TextArea

from triage.text import visible
from triage.visit import words
from triage.visit.screens.step import Step
from triage.visit.widgets import Text, Tick


class OrderPage(Step):
    """Step 3."""

    page = "order"

    def fields(self) -> ComposeResult:
        from rules import conditions

        loaded = self.draft.loaded
        yield Text(words.DEVICES_LABEL, classes="head")
        if loaded.get("declared_devices"):
            yield Text(words.CONDITIONS_LOADED)
            for device in loaded["declared_devices"]:
                yield Text(visible(_told(device), 200), classes="item")
        yield Text(words.DEVICES_HOW, classes="how")
        yield TextArea(self.draft.devices, id="devices", compact=True, soft_wrap=True, show_line_numbers=False)
        yield Text(words.CONDITIONS_LABEL, classes="head")
        known = set()
        if loaded.get("conditions"):
            yield Text(words.CONDITIONS_LOADED)
            for condition in loaded["conditions"]:
                known.update(condition["checks"])
                yield Text(visible(f"{condition['id']}: {condition['text']}", 200), classes="item")
        for check in conditions.shipped().checks.values():
            if check.id not in known:
                yield Tick(check.means, check.id in self.draft.checks, name=check.id)

    def store(self) -> None:
        self.draft.devices = self.query_one("#devices", TextArea).text
        self.draft.checks = [tick.name or "" for tick in self.query(Tick) if tick.value]


def _told(device: dict[str, Any]) -> str:
    return ", ".join(", ".join(value) if isinstance(value, list) else value for value in device.values() if value)

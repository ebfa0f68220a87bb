"""Who is here, and the reference of the visit."""

from __future__ import annotations

from textual.app import ComposeResult

from triage.visit import words
from triage.visit.screens.step import Step
from triage.visit.widgets import Field, Text


class Who(Step):
    """Step 1."""

    page = "who"

    def fields(self) -> ComposeResult:
        if self.draft.loaded:
            yield Text(words.BEGIN_LOADED, classes="lead")
        for name, label in words.FIELDS.items():
            yield Field(label, getattr(self.draft, name), name)

    def store(self) -> None:
        for name in words.FIELDS:
            setattr(self.draft, name, self.text(name))

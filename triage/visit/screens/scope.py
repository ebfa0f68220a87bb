"""What to leave out, and what to look for."""

from __future__ import annotations

from textual.app import ComposeResult

from triage.visit import words
from triage.visit.screens.step import Step
from triage.visit.widgets import Field, Text


class ScopePage(Step):
    """Step 4."""

    page = "scope"

    def fields(self) -> ComposeResult:
        draft = self.draft
        yield Field(words.USERS_LABEL, draft.users, "users")
        yield Text(words.USERS_HOW, classes="how")
        yield Field(words.FROM_LABEL, draft.start, "start", most=10)
        yield Field(words.TO_LABEL, draft.end, "end", most=10)
        yield Text(words.DATES_HOW, classes="how")
        yield Field(words.WORDS_LABEL, draft.keywords, "keywords", most=20_000)
        yield Text(words.WORDS_HOW, classes="how")

    def store(self) -> None:
        for name in ("users", "start", "end", "keywords"):
            setattr(self.draft, name, self.text(name))

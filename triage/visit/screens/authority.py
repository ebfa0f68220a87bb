"""What allows the check, and what belongs to that."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from triage.visit import words
from triage.visit.screens.step import Step
from triage.visit.widgets import Choice, Choices, Field, Text


class AuthorityPage(Step):
    """Step 2."""

    page = "authority"
    AUTO_FOCUS = "#basis"

    def fields(self) -> ComposeResult:
        yield Choices(*(Choice(label, key == self.draft.basis, name=key) for key, label in words.BASES.items()), id="basis")
        with Vertical(id="details"):
            yield from self._details(self.draft.basis)

    def _details(self, basis: str) -> ComposeResult:
        yield Text(words.BASIS_MEANS.get(basis, words.BASIS_NONE), classes="how")
        for key, label in words.BASIS_FIELDS.get(basis, {}).items():
            yield Field(label, self.draft.details.get(key, ""), key)

    def on_mount(self) -> None:
        self.query_one("#details").styles.height = "auto"

    @on(Choices.Changed)
    async def _chosen(self) -> None:
        self.store()
        details = self.query_one("#details", Vertical)
        await details.remove_children()
        await details.mount_all(self._details(self.draft.basis))

    def store(self) -> None:
        for item in self.query("#details Input").results(Input):
            self.draft.details[item.id or ""] = item.value.strip()
        self.draft.basis = self.query_one("#basis", Choices).chosen

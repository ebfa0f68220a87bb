"""Begin: a new check, one that was cut off, or what the station has prepared."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from triage.report.page import moment
from triage.text import visible
from triage.visit import words
from triage.visit.cases import OpenCase, open_cases
from triage.visit.draft import Draft
from triage.visit.screens.step import Step
from triage.visit.visitfile import VisitError, load_visit
from triage.visit.widgets import Choice, Choices, Field, Text

PREPARED = "visit.yaml"
SHOWN = 8


class Begin(Step):
    """The first page."""

    page = "begin"
    first: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._open: list[OpenCase] = []
        self._problems: list[str] = []

    def fields(self) -> ComposeResult:
        self.visit.resumed = None
        self._open = open_cases(self.visit.cases)[:SHOWN]
        prepared = self.visit.cases.parent / PREPARED
        choices = [Choice(_told(case), number == 0, name=str(number)) for number, case in enumerate(self._open)]
        choices.append(Choice(words.BEGIN_NEW, not self._open, name="new"))
        choices.append(Choice(words.BEGIN_FILE, not self._open and prepared.is_file() and not self.draft.name, name="file"))
        if choices[-1].value:
            choices[-2] = Choice(words.BEGIN_NEW, False, name="new")
        if self._open:
            yield Text(words.BEGIN_OPEN_LEAD, classes="lead")
        yield Choices(*choices, id="choice")
        yield Field(words.BEGIN_FILE_LABEL, str(prepared) if prepared.is_file() else "", "file")

    def on_mount(self) -> None:
        self._offer_file()

    @on(Choices.Changed)
    def _offer_file(self) -> None:
        self.query_one("#file", Input).disabled = self.query_one("#choice", Choices).chosen != "file"

    def store(self) -> None:
        chosen = self.query_one("#choice", Choices).chosen
        self._problems = []
        self.visit.resumed = self._open[int(chosen)] if chosen.isdigit() else None
        if chosen == "file":
            try:
                self.visit.draft = Draft.of(load_visit(Path(self.text("file"))))
            except VisitError as error:
                self._problems = [visible(problem) for problem in error.problems[:5]]

    def problems(self) -> list[str]:
        return self._problems

    def forward(self) -> None:
        self.visit.show("who" if self.visit.resumed is None else "start")


def _told(case: OpenCase) -> str:
    begun = moment(case.begun.partition(".")[0] + "Z")
    return words.BEGIN_OPEN.format(name=visible(case.name[:24]), begun=begun, how=words.BEGIN_EARLY if case.sealed else words.BEGIN_CUT_OFF)

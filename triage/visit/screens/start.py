"""How long it may take; what will be done; start."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult

from triage import casefolder
from triage.text import visible
from triage.visit import words
from triage.visit.cases import begun_with, new_folder
from triage.visit.screens.step import Step
from triage.visit.screens.what import unreadable
from triage.visit.session import Order
from triage.visit.visitfile import VisitError
from triage.visit.widgets import Choice, Choices, Text


class Start(Step):
    """Step 6."""

    page = "start"
    next_label: ClassVar[str] = words.START
    AUTO_FOCUS = "#minutes"

    def __init__(self) -> None:
        super().__init__()
        self._order: Order | None = None
        self._problems: list[str] = []

    def fields(self) -> ComposeResult:
        labels = words.TIMES if self.visit.resumed is None else words.TIMES_AGAIN
        yield Choices(*(Choice(label, key == self.draft.minutes, name=key) for key, label in labels.items()), id="minutes")
        self._prepare()
        yield Text(words.SUMMARY, classes="head")
        for line in self._summary():
            yield Text(visible(line, 300), classes="item")

    def _prepare(self) -> None:
        """The order as it stands, or why there is none."""
        self._order, self._problems = None, []
        resumed = self.visit.resumed
        if resumed is not None:
            sources = list(begun_with(resumed))
            self._order = Order(resumed.folder, sources, resumed.opened["visit"], self.draft.minutes, resumed.opened["profile"])
        else:
            try:
                visit = self.draft.visit().to_json()
            except VisitError as error:
                self._problems = [visible(text) for text in error.problems[:5]]
                return
            sources = [(path, True) for path in self.draft.drives] + [_named(path) for path in self.draft.listed_paths()]
            folder = new_folder(self.visit.cases.absolute(), self.draft.reference, datetime.now())
            self._order = Order(folder, sources, visit, self.draft.minutes)
        self._problems = unreadable([path for path, _ in sources])
        why = casefolder.objection(self._order.case.resolve(), [(Path(path), live) for path, live in sources])
        if why is not None and not self._problems:
            self._problems = [visible(f"The case folder {self._order.case} {why}.")]

    def _summary(self) -> list[str]:
        order = self._order
        if order is None:
            return []
        visit: dict[str, Any] = order.visit
        count = words.ONE_THING if len(order.sources) == 1 else words.MANY_THINGS.format(count=len(order.sources))
        authority, scope = visit["authority"], visit["scope"]
        lines = [words.SUMMARY_WHO.format(name=visit["officer"]["name"], count=count, reference=visit["reference"])]
        lines += [path for path, _ in order.sources]
        lines.append(words.SUMMARY_BASIS.format(basis=words.BASES[authority["basis"]], reference=authority["reference"]))
        left_out = [*scope["exclude_users"]]
        left_out += [words.BEFORE.format(day=scope["from"][:10])] if scope["from"] else []
        left_out += [words.AFTER.format(day=scope["to"][:10])] if scope["to"] else []
        if left_out:
            lines.append(words.SUMMARY_LEAVE_OUT.format(what=", ".join(left_out)))
        return [*lines, words.SUMMARY_CASE.format(case=order.case)]

    def store(self) -> None:
        self.draft.minutes = self.query_one("#minutes", Choices).chosen

    def problems(self) -> list[str]:
        self._prepare()
        return self._problems

    def forward(self) -> None:
        assert self._order is not None
        self.visit.examine(self._order)


def _named(path: str) -> tuple[str, bool]:
    from triage.evidence.device import is_device

    return path, is_device(path)

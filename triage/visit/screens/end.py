"""The end: page one of the report, the fingerprint to read aloud, where the files are."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll

from triage.text import visible
from triage.visit import page_one, words
from triage.visit.screens.step import Page
from triage.visit.widgets import Press, Text


class End(Page):
    """The last page."""

    page = "end"
    AUTO_FOCUS = "#body"

    def compose(self) -> ComposeResult:
        yield self.title_line()
        with VerticalScroll(id="body"):
            yield from self._lines()
        with Horizontal(id="buttons"):
            yield Press(words.END_CLOSE, "close")
        yield self.keys_line()

    def _lines(self) -> ComposeResult:
        session = self.visit.session
        assert session is not None
        if self.visit.unwritten:
            yield Text(words.END_UNWRITTEN, classes="alarm")
            for note in self.visit.unwritten:
                yield Text(f"- {visible(note)}", classes="item")
        if session.report is None or session.seal is None:
            yield Text(words.END_FAILED, classes="alarm")
            reason = (session.error or "").rstrip(".")
            yield Text(visible(reason[:1].upper() + reason[1:] + "."), classes="text")
            yield Text(words.END_FAILED_KEPT, classes="text")
            yield Text(words.END_FILES, classes="head")
            yield Text(visible(str(session.order.case)), classes="item")
            return
        for kind, text in page_one.lines(session.report, session.seal, str(session.order.case)):
            yield Text(f"- {text}" if kind == "item" else text, classes=kind)

    def on_button_pressed(self) -> None:
        self.visit.close()

"""The guided visit: which page follows which, what was entered, and the examination that runs behind the pages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.actions import SkipAction
from textual.app import App
from textual.binding import Binding, BindingType
from textual.scrollbar import ScrollBar
from textual.widgets import Input

from triage.visit import words
from triage.visit.cases import OpenCase
from triage.visit.draft import Draft
from triage.visit.screens.modal import Ask, Help, Write
from triage.visit.screens.step import Step
from triage.visit.session import Lists, Order, Session
from triage.visit.widgets import PlainBars

if TYPE_CHECKING:
    from triage.visit.screens.step import Page

PAGES = ("begin", "who", "authority", "order", "scope", "what", "start")
FAILED, COMPLETED, GAPS = 1, 0, 3


class VisitApp(App[int]):
    """Full screen, keyboard or mouse. Its return value is the exit code, None where it was left before anything was examined."""

    TITLE = words.TITLE
    ENABLE_COMMAND_PALETTE = False  # one of its commands writes screenshots into the examined computer's folders
    CSS_PATH = "visit.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", priority=True),
        Binding("question_mark", "help", "Help", show=False),
        Binding("ctrl+q", "quit", "Leave", priority=True),
        # First of all bindings: keys that were typed fast go to the field that has the focus when their turn comes, not to the one before.
        Binding("enter", "enter", priority=True, show=False),
        Binding("tab", "app.focus_next", priority=True, show=False),
        Binding("shift+tab", "app.focus_previous", priority=True, show=False),
    ]

    def __init__(self, cases: Path, lists: Lists, draft: Draft | None = None) -> None:
        super().__init__(ansi_color=False)
        ScrollBar.renderer = PlainBars
        if os.name == "posix":
            from multiprocessing import resource_tracker

            # Started by the first worker it would ask for the number of standard error, for which the screens have put in something without one.
            resource_tracker.ensure_running()
        self.cases, self.lists = cases, lists
        self.draft = draft or Draft()
        self.resumed: OpenCase | None = None
        """The case that is gone on with."""
        self.session: Session | None = None
        self.unwritten: list[str] = []
        """Notes that came too late for the case."""

    def on_mount(self) -> None:
        self.theme = "textual-dark"
        self.show("begin")

    def show(self, page: str) -> None:
        """Show the page of this name, filled in from what was entered."""
        new = self._page(page)
        if len(self.screen_stack) > 1:
            self.switch_screen(new)
        else:
            self.push_screen(new)

    def _page(self, page: str) -> Page:
        from triage.visit.screens import authority, begin, end, order, running, scope, start, what, who

        pages: dict[str, type[Page]] = {
            "begin": begin.Begin, "who": who.Who, "authority": authority.AuthorityPage, "order": order.OrderPage, "scope": scope.ScopePage,
            "what": what.What, "start": start.Start, "running": running.Running, "end": end.End,
        }  # fmt: skip
        return pages[page]()

    def step(self, page: str, by: int) -> None:
        """The page ``by`` after ``page``."""
        if self.resumed is not None:
            self.show("begin" if by < 0 else page)
            return
        self.show(PAGES[max(0, PAGES.index(page) + by)])

    def examine(self, order: Order) -> None:
        """Begin the examination."""
        self.session = Session(order, self.lists)
        self.session.start()
        self.show("running")

    @property
    def running(self) -> bool:
        """Whether an examination is under way."""
        return self.session is not None and not self.session.done.is_set()

    def close(self) -> None:
        """Leave, with the exit code that the examination deserves."""
        session = self.session
        if session is None:
            self.exit(None)
        elif session.report is None:
            self.exit(FAILED)
        else:
            gap = any(item["status"] not in ("parsed", "empty", "missing", "skipped_by_rule") for item in session.report["coverage"])
            self.exit(GAPS if gap or not session.report["visit"]["complete"] else COMPLETED)

    def action_help(self) -> None:
        """Open the help of this page, or close it."""
        if isinstance(self.screen, Help):
            self.pop_screen()
        elif (page := getattr(self.screen, "page", None)) is not None:
            self.push_screen(Help(page))

    def action_enter(self) -> None:
        """Enter on a line to write on; anywhere else it is the widget's own."""
        if not isinstance(self.focused, Input) or not isinstance(self.screen, Step | Write):
            raise SkipAction
        self.screen.entered(self.focused)

    async def action_quit(self) -> None:
        """Leave, once that was confirmed where something would be lost."""
        if isinstance(self.screen, Ask):
            return
        if self.running:
            self.push_screen(Ask(words.STOP_ASK, words.STOP_YES, words.STOP_NO), self._stop)
        elif self.session is not None:
            self.close()
        else:
            self.push_screen(Ask(words.LEAVE_ASK, words.LEAVE_YES, words.LEAVE_NO), self._leave)

    def action_help_quit(self) -> None:
        """Ctrl+C: the same as leaving."""
        self.call_later(self.action_quit)

    def _stop(self, yes: bool | None) -> None:
        if yes and self.session is not None:
            self.session.control.stop()

    def _leave(self, yes: bool | None) -> None:
        if yes:
            self.close()

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Never: the computer's own browser is evidence."""

    def copy_to_clipboard(self, text: str) -> None:
        """Never: the clipboard belongs to the examined computer."""

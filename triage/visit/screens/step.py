"""What every page shares: title, lead, fields, what has to be put right, buttons, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Input

from triage.visit import words
from triage.visit.draft import Draft
from triage.visit.widgets import Press, Text, when_written

if TYPE_CHECKING:
    from triage.visit.app import VisitApp


class Page(Screen[None]):
    """A page of the visit. ``page``: its key in ``words``."""

    page: ClassVar[str]

    @property
    def visit(self) -> VisitApp:
        """The program."""
        return cast("VisitApp", self.app)

    def title_line(self) -> Text:
        """The first line of the screen."""
        return Text(f"{words.TITLE} - {words.STEPS[self.page]}", id="title")

    def keys_line(self) -> Text:
        """The last line of the screen."""
        return Text(words.KEYS, id="keys")


class Step(Page):
    """A page with fields. A subclass gives them, and puts what was entered into the draft."""

    AUTO_FOCUS = "#body Input, #body TextArea, #body Choices, #body Tick, #next"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back"),
        Binding("pagedown", "scroll_body(1)"),
        Binding("pageup", "scroll_body(-1)"),
    ]

    next_label: ClassVar[str] = words.NEXT
    first: ClassVar[bool] = False

    @property
    def draft(self) -> Draft:
        """What was entered so far."""
        return self.visit.draft

    def fields(self) -> ComposeResult:
        """The fields of the page."""
        raise NotImplementedError

    def store(self) -> None:
        """Put what is in the fields into the draft."""

    def problems(self) -> list[str]:
        """What has to be put right before the next page."""
        return self.draft.problems(self.page)

    def forward(self) -> None:
        """Go on: all is right."""
        self.visit.step(self.page, 1)

    def compose(self) -> ComposeResult:
        yield self.title_line()
        with VerticalScroll(id="body", can_focus=False):
            yield Text(words.LEAD[self.page], classes="lead")
            yield from self.fields()
        yield Text("", id="problems")
        with Horizontal(id="buttons"):
            if not self.first:
                yield Press(words.BACK, "back")
            yield Press(self.next_label, "next")
        yield self.keys_line()

    def on_mount(self) -> None:
        # The field with the focus was scrolled to the top: what stands above it comes first.
        self.call_after_refresh(self.query_one("#body", VerticalScroll).scroll_home, animate=False)

    def text(self, name: str) -> str:
        """What is written in the field of this name."""
        return self.query_one(f"#{name}", Input).value.strip()

    def entered(self, line: Input) -> None:
        """Enter was pressed on a line to write on."""
        self.focus_next()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "next":
            when_written(self, self.action_forward)
        elif event.button.id == "back":
            when_written(self, self.action_back)

    def action_forward(self) -> None:
        """Go on, or say why not."""
        self.store()
        problems = self.problems()
        self.query_one("#problems", Text).update("\n".join([words.PROBLEM, *(f"- {text}" for text in problems)]) if problems else "")
        if not problems:
            self.forward()

    def action_back(self) -> None:
        """To the page before; what was entered is kept, right or wrong."""
        if not self.first:
            self.store()
            self.visit.step(self.page, -1)

    def action_scroll_body(self, pages: int) -> None:
        """Scroll what does not fit."""
        body = self.query_one("#body", VerticalScroll)
        body.scroll_relative(y=pages * max(1, body.size.height - 2), animate=False)

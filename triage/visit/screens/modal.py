"""What opens over a page: the help, a question, a note to be written."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input

from triage.visit import words
from triage.visit.widgets import Choice, Choices, Field, Press, Text, when_written


class Help(ModalScreen[None]):
    """The help of a page. F1 or Escape closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss")]

    def __init__(self, page: str) -> None:
        super().__init__()
        self._page = page

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Text(words.STEPS[self._page], classes="head")
            with VerticalScroll(id="inside"):
                for text in (*words.HELP[self._page], words.HELP_KEYS):
                    yield Text(text, classes="lead")
            with Horizontal(id="buttons"):
                yield Press(words.CLOSE, "close")

    def on_button_pressed(self) -> None:
        self.dismiss()


class Ask(ModalScreen[bool]):
    """A question with two answers. Escape is the second, which changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)")]
    AUTO_FOCUS = "#no"

    def __init__(self, question: str, yes: str, no: str) -> None:
        super().__init__()
        self._question, self._yes, self._no = question, yes, no

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Text(self._question, classes="lead")
            with Horizontal(id="buttons"):
                yield Press(self._yes, "yes")
                yield Press(self._no, "no")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class Write(ModalScreen[tuple[str, str] | None]):
    """Something to be written into the case: a note, what was said, the state of the device. Gives (action, text), or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)")]

    def __init__(self, action: str) -> None:
        super().__init__()
        self._action = action

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            if self._action == "note":
                yield Text(words.NOTE_ASK, classes="lead")
                yield Field(words.NOTE, "", "text")
            elif self._action == "said":
                yield Field(words.SAID_WHO, "", "who")
                yield Field(words.SAID_WHAT, "", "text")
            else:
                yield Text(words.STATE_ASK, classes="lead")
                yield Choices(*(Choice(label, name=key) for key, label in words.STATES.items()), id="state")
                yield Field(words.STATE_MORE, "", "text")
            with Horizontal(id="buttons"):
                yield Press(words.OK, "ok")
                yield Press(words.CANCEL, "cancel")

    def entered(self, line: Input) -> None:
        """Enter was pressed on a line to write on: the last one gives what was written."""
        if line.id == "text":
            when_written(self, self._give)
        else:
            self.focus_next()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "ok":
            when_written(self, self._give)
        else:
            self.dismiss(None)

    def _give(self) -> None:
        text = self.query_one("#text", Input).value.strip()
        if self._action == "said" and (who := self.query_one("#who", Input).value.strip()):
            text = f"{who}: {text}" if text else ""
        if self._action == "device state":
            state = self.query_one("#state", Choices).chosen
            text = ". ".join(part for part in (words.STATES.get(state, ""), text) if part)
        self.dismiss((self._action, text) if text else None)

"""The pieces of the screens: plain ASCII, and never told apart by colour alone. A console of any age shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.scrollbar import ScrollBarRender
from textual.widgets import Button, Checkbox, Input, RadioButton, RadioSet, Static, TextArea


class PlainBars(ScrollBarRender):
    """Scroll bars without the eighth blocks that many consoles lack."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


class Text(Static):
    """Text as it is: brackets in it mean nothing."""

    def __init__(self, text: str = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(text, id=id, classes=classes, markup=False)


class Press(Button):
    """A button of one line: ``[ Next ]``."""

    def __init__(self, label: str, id: str) -> None:
        super().__init__(Content(f"[ {label} ]"), id=id, compact=True)

    def name_it(self, label: str) -> None:
        """Change its words."""
        self.label = Content(f"[ {label} ]")


class Tick(Checkbox):
    """``[x]`` or ``[ ]``, and words."""

    def __init__(self, label: str, value: bool = False, *, id: str | None = None, name: str | None = None, disabled: bool = False) -> None:
        super().__init__(Content(label), value, id=id, name=name, disabled=disabled, compact=True)

    @property
    def _button(self) -> Content:
        return Content("[-]" if self.disabled else "[x]" if self.value else "[ ]")


class Choice(RadioButton):
    """``(x)`` or ``( )``, and words."""

    def __init__(self, label: str, value: bool = False, *, name: str) -> None:
        super().__init__(Content(label), value, name=name, compact=True)

    @property
    def _button(self) -> Content:
        return Content("(x)" if self.value else "( )")


class Choices(RadioSet):
    """One of several. The arrow keys choose at once: there is no second mark to be confused with the choice."""

    def __init__(self, *choices: Choice, id: str) -> None:
        super().__init__(*choices, id=id, compact=True)

    def on_mount(self) -> None:
        """Stand on the one that is chosen, not on the first, where the base class goes when it is mounted."""
        self.call_after_refresh(self._stand)

    def _stand(self) -> None:
        if self.pressed_index >= 0:
            self._selected = self.pressed_index

    def _move(self) -> None:
        if self.is_mounted and self.has_focus:
            self.action_toggle_button()

    def action_next_button(self) -> None:
        super().action_next_button()
        self._move()

    def action_previous_button(self) -> None:
        super().action_previous_button()
        self._move()

    @property
    def chosen(self) -> str:
        """The name of the one chosen, empty for none."""
        return (self.pressed_button.name or "") if self.pressed_button is not None else ""


class Field(Horizontal):
    """A label and a line to write on."""

    def __init__(self, label: str, value: str, id: str, *, most: int = 2000) -> None:
        super().__init__(classes="field")
        self._words, self._filled, self._field, self._most = label, value, id, most

    def compose(self) -> ComposeResult:
        yield Text(self._words, classes="label")
        yield Input(self._filled, id=self._field, max_length=self._most, compact=True, select_on_focus=False)


def when_written(screen: Screen[Any], then: Callable[[], object]) -> None:
    """Call ``then`` once every line has taken in the keys that were pressed before: who types fast is ahead of the screen."""
    lines = [*screen.query(Input), *screen.query(TextArea)]
    left = len(lines)

    def settled() -> None:
        nonlocal left
        left -= 1
        if not left:
            then()

    for line in lines:
        line.call_later(settled)
    if not lines:
        then()


def bar(share: float | None, width: int) -> str:
    """A bar of ``width`` characters; without numbers where nobody knows how much there is to do."""
    inner = max(4, width - 7)
    if share is None:
        return f"[{'.' * inner}]"
    full = round(inner * share)
    return f"[{'#' * full}{'.' * (inner - full)}] {share * 100:3.0f}%"

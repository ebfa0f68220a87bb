"""While it runs: what is being done, how long it may take, what was found, and what the officer wants written down."""

from __future__ import annotations

from math import ceil
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button

from triage.report.page import number, size
from triage.scan.progress import alert_line
from triage.text import visible
from triage.visit import words
from triage.visit.screens.modal import Ask, Write
from triage.visit.screens.step import Page
from triage.visit.session import Session
from triage.visit.widgets import Press, Text, bar

LOOK_EVERY = 0.25
SHOWN = 50


class Running(Page):
    """The page while the examination runs."""

    page = "running"
    AUTO_FOCUS = "#note"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "press('pause')"),
        Binding("s", "press('stop')"),
        Binding("n", "press('note')"),
        Binding("left", "app.focus_previous"),
        Binding("right", "app.focus_next"),
    ]

    @property
    def session(self) -> Session:
        """The examination."""
        assert self.visit.session is not None
        return self.visit.session

    def compose(self) -> ComposeResult:
        yield self.title_line()
        with Vertical(id="now"):
            yield Text("", id="phase")
            yield Text("", id="bar")
            yield Text("", id="left")
        with VerticalScroll(id="alerts", can_focus=True):
            yield Text("", id="found")
        yield Text("", id="said")
        with Horizontal(id="buttons"):
            yield Press(words.PAUSE, "pause")
            yield Press(words.STOP, "stop")
            yield Press(words.NOTE, "note")
            yield Press(words.STATE, "state")
            yield Press(words.SAID, "told")
        yield self.keys_line()

    def on_mount(self) -> None:
        self._shown = -1
        self._look()
        self.set_interval(LOOK_EVERY, self._look)

    def _look(self) -> None:
        session = self.session
        if session.done.is_set():
            if self.visit.screen is self:
                self.visit.show("end")
            return
        control = session.control
        if control.stopped:
            self._say("phase", words.STOPPING)
        elif control.holding:
            self._say("phase", words.PAUSED)
        elif control.paused:
            self._say("phase", words.PAUSING)
        else:
            self._say("phase", f"{words.PHASES.get(session.feed.name, session.feed.name)}. {_amount(session)}")
        if not control.holding:
            self._say("bar", bar(session.feed.meter.share, min(70, self.size.width - 2)))
            self._say("left", _left(session))
        self._alerts(session)

    def _say(self, where: str, text: str) -> None:
        self.query_one(f"#{where}", Text).update(text)

    def _alerts(self, session: Session) -> None:
        feed = session.feed
        if feed.alert_count == self._shown:
            return
        self._shown = feed.alert_count
        latest = list(feed.alerts)[-SHOWN:][::-1]
        if not latest:
            self._say("found", words.ALERTS_NONE)
            return
        lines = [words.ALERTS.format(count=number(feed.alert_count)), *(f"! {visible(alert_line(item), 300)}" for item in latest)]
        if feed.alert_count > len(latest):
            lines.append(words.ALERTS_MORE.format(count=number(feed.alert_count - len(latest))))
        self._say("found", "\n".join(lines))

    def action_press(self, name: str) -> None:
        """A letter that stands for a button."""
        self.query_one(f"#{name}", Press).press()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        control = self.session.control
        if event.button.id == "pause":
            if control.paused:
                control.resume()
            else:
                control.pause()
            self.query_one("#pause", Press).name_it(words.GO_ON if control.paused else words.PAUSE)
            self._look()
        elif event.button.id == "stop":
            self.visit.push_screen(Ask(words.STOP_ASK, words.STOP_YES, words.STOP_NO), self._stop)
        elif control.closed:
            self._say("said", words.NOT_NOTED)
        else:
            action = {"note": "note", "state": "device state", "told": "said"}[event.button.id or "note"]
            control.writing = True
            self.visit.push_screen(Write(action), self._write)

    def _stop(self, yes: bool | None) -> None:
        if yes:
            self.session.control.stop()
            self._look()

    def _write(self, given: tuple[str, str] | None) -> None:
        self.session.control.writing = False
        if given is not None:
            if self.session.control.note(*given):
                self._say("said", words.NOTED.format(text=visible(given[1], 120)))
            else:
                self.visit.unwritten.append(given[1])


def _amount(session: Session) -> str:
    feed = session.feed
    if feed.total:
        return words.DONE_OF.format(done=number(feed.files), total=number(feed.total), size=size(feed.size))
    return words.DONE_FILES.format(done=number(feed.files)) if feed.files else ""


def _left(session: Session) -> str:
    left, latest = session.feed.meter.left, session.latest
    parts = [words.LEFT_UNKNOWN]
    if left is not None:
        if latest is not None:
            left = min(left, latest)
        parts = [words.LEFT_MINUTES.format(minutes=round(left / 60)) if left > 90 else words.LEFT_SECONDS.format(seconds=ceil(left))]
    if latest is not None:
        minutes = max(1, ceil(latest / 60))
        parts.append(words.LATEST.format(minutes=words.MINUTE if minutes == 1 else words.MINUTES.format(count=minutes)))
    return " ".join(parts)

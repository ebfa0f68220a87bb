"""What to check: the drives of this computer, folders and images."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical

from triage.report.page import size
from triage.text import visible
from triage.visit import words
from triage.visit.drives import Drive, drives
from triage.visit.screens.step import Step
from triage.visit.widgets import Field, Text, Tick


class What(Step):
    """Step 5."""

    page = "what"

    def __init__(self) -> None:
        super().__init__()
        self._problems: list[str] = []
        self._listed = False

    def fields(self) -> ComposeResult:
        with Vertical(id="drives"):
            yield Text(words.DRIVES_LOOKING)
        yield Text("", classes="how", id="locked")
        yield Field(words.PATH_LABEL, self.draft.paths, "paths", most=20_000)
        yield Text(words.PATH_HOW, classes="how")

    def on_mount(self) -> None:
        self.query_one("#drives").styles.height = "auto"
        self._look()

    @work(thread=True)
    def _look(self) -> None:
        found = drives([self.visit.cases])
        self.visit.call_from_thread(self.call_later, self._show, found)

    async def _show(self, found: list[Drive]) -> None:
        if not self.is_mounted:
            return
        box = self.query_one("#drives", Vertical)
        await box.remove_children()
        for drive in found:
            head, rest = told(drive)
            await box.mount(
                Tick(head, drive.path in self.draft.drives, name=drive.path, disabled=drive.refused is not None),
                Text(rest, classes="drive"),
            )
        if not found:
            await box.mount(Text(words.DRIVES_NONE))
        if any(lock not in ("none", "unknown", "open") for drive in found for lock in drive.locks):
            self.query_one("#locked", Text).update(words.ENCRYPTION_MEANS)
        self._listed = True

    def store(self) -> None:
        if self._listed:
            self.draft.drives = [tick.name or "" for tick in self.query(Tick) if tick.value]
        self.draft.paths = self.text("paths")

    def problems(self) -> list[str]:
        return self.draft.problems(self.page) or unreadable([*self.draft.drives, *self.draft.listed_paths()])


def told(drive: Drive) -> tuple[str, str]:
    """A drive in words: its name and size, and what is known of it."""
    head = ", ".join(part for part in (visible(drive.name[:48]), size(drive.size)) if part)
    parts = [words.DRIVE_WORDS[drive.word]]
    parts += [f'"{visible(label[:40])}"' for label in drive.labels[:4]]
    parts += [words.ENCRYPTION_WORDS[lock] for lock in drive.locks]
    if drive.refused:
        parts.append(words.REFUSED[drive.refused])
    return head, "; ".join(parts)


def unreadable(paths: list[str]) -> list[str]:
    """Why these cannot be examined, a sentence each; empty where all can."""
    from triage.evidence.sources import check_source

    found = []
    for path in paths:
        try:
            check_source(path)
        except OSError as error:
            reason = str(error)
            found.append(visible(reason[:1].upper() + reason[1:] + "."))
    return found

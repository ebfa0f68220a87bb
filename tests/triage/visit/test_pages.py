"""The visit by keyboard and mouse, as Textual's pilot drives it: end to end on the sample evidence, and what is refused on the way."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from triage.report.verify import verify
from triage.scan.setup import HashSetSetup
from triage.visit import words
from triage.visit.app import VisitApp
from triage.visit.draft import Draft
from triage.visit.screens.modal import Ask, Help, Write
from triage.visit.session import Lists
from triage.visit.widgets import Press, Text, Tick

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
PATIENCE = 120.0
SIZES = [pytest.param((80, 24), id="80x24"), pytest.param((120, 40), id="120x40", marks=pytest.mark.slow)]

Drive = Callable[["Robot"], Awaitable[None]]


class Robot:
    """Somebody at the keyboard."""

    def __init__(self, app: VisitApp, pilot: Pilot[Any]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def page(self) -> str:
        return getattr(self.app.screen, "page", "")

    async def until(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not what():
                await self.pilot.pause(0.02)

    async def at(self, page: str) -> None:
        await self.until(lambda: self.page == page and self.app.focused is not None)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def write(self, field: str, text: str) -> None:
        """Go to a field by Tab, as an officer does, and type."""
        await self.to(field)
        await self.press("end", *(["backspace"] * len(self.app.screen.query_one(f"#{field}", Input).value)))
        await self.press(*text)

    async def to(self, field: str) -> None:
        for _ in range(60):
            if self.app.focused is not None and self.app.focused.id == field:
                return
            await self.press("tab")
        raise AssertionError(f"Tab never comes to {field}")

    async def next(self) -> None:
        await self.to("next")
        await self.press("enter")
        await self.pilot.pause()

    def problems(self) -> str:
        return str(self.app.screen.query_one("#problems", Text).visual)

    def shown(self) -> list[str]:
        """The characters on the screen, row by row."""
        screen = self.app.screen
        return ["".join(segment.text for segment in strip) for strip in screen._compositor.render_strips()]


def visit(tmp_path: Path, drive: Drive, *, size: tuple[int, int] = (80, 24), draft: Draft | None = None, **lists: Any) -> VisitApp:
    """The program, driven to its end."""
    cases = tmp_path / "cases"
    cases.mkdir(exist_ok=True)
    app = VisitApp(cases, Lists(workers=1, **lists), draft)

    async def go() -> None:
        async with app.run_test(size=size) as pilot:
            await drive(Robot(app, pilot))

    try:
        asyncio.run(go())
    finally:
        if app.session is not None:
            app.session.end()
    return app


def sample_lists() -> dict[str, Any]:
    return {"hash_sets": [HashSetSetup(str(SAMPLE / "known.md5"), "alert")], "keywords": [str(SAMPLE / "words.csv")]}


async def to_start(robot: Robot) -> None:
    """All the pages, filled in as for a warrant."""
    await robot.at("begin")
    await robot.next()
    await robot.at("who")
    await robot.write("name", "Siân O'Neil <b>[x]")
    await robot.write("number", "0042")
    await robot.write("force", "Demo Police")
    await robot.write("reference", "REF 7/26")
    await robot.next()
    await robot.at("authority")
    await robot.press("down", "down")
    await robot.until(lambda: bool(robot.app.screen.query("#issued_by")))
    await robot.write("reference", "W-1")
    await robot.write("issued_by", "Demo Court")
    await robot.next()
    await robot.at("order")
    await robot.press(*"phone, Demo, One, 0007")
    await robot.press("tab", "tab", "space")
    await robot.next()
    await robot.at("scope")
    await robot.write("users", "child")
    await robot.write("keywords", "kettle")
    await robot.next()
    await robot.at("what")
    await robot.write("paths", str(SAMPLE / "sample.E01"))
    await robot.next()
    await robot.at("start")


@pytest.mark.parametrize("size", SIZES)
def test_a_visit_from_the_first_page_to_the_seal(tmp_path: Path, size: tuple[int, int]) -> None:
    pages: dict[str, list[str]] = {}

    async def drive(robot: Robot) -> None:
        await to_start(robot)
        pages["start"] = robot.shown()
        await robot.next()
        await robot.at("running")
        session = robot.app.session
        assert session is not None
        await robot.press("p")
        await robot.until(lambda: session.control.holding)
        await robot.press("n")
        await robot.until(lambda: isinstance(robot.app.screen, Write))
        await robot.press(*"Phone on the table", "enter")
        await robot.at("running")
        pages["running"] = robot.shown()
        await robot.to("state")
        await robot.press("enter")
        await robot.until(lambda: isinstance(robot.app.screen, Write))
        await robot.press("down", "tab", *"fan runs", "enter")
        await robot.at("running")
        await robot.press("p")
        await robot.to("told")
        await robot.press("enter")
        await robot.until(lambda: isinstance(robot.app.screen, Write))
        await robot.until(lambda: session.feed.name == "space" or session.done.is_set())
        assert not session.done.is_set()  # the end waits for what is being written
        await robot.press(*"The person", "enter", *"It is mine", "enter")
        await robot.at("end")
        pages["end"] = robot.shown()
        await robot.to("close")
        await robot.press("enter")

    app = visit(tmp_path, drive, size=size, **sample_lists())
    assert app.return_value in (0, 3)
    assert app.session is not None and app.session.seal is not None
    case = app.session.order.case
    assert verify(case).exit_code == 0
    journal = [json.loads(line) for line in (case / "journal.jsonl").read_bytes().splitlines()]
    opened = journal[0]["data"]
    assert opened["visit"]["officer"] == {"name": "Siân O'Neil <b>[x]", "number": "0042", "force": "Demo Police"}
    assert opened["visit"]["authority"] == {"basis": "warrant", "reference": "W-1", "issued_by": "Demo Court"}
    assert opened["visit"]["conditions"] == [{"id": "1", "text": "Keep the browser history.", "checks": ["keep_history"]}]
    assert opened["visit"]["declared_devices"][0] | {"mac": []} == {
        "kind": "phone", "make": "Demo", "model": "One", "serial": "0007", "mac": [], "hostname": None, "note": None,
    }  # fmt: skip
    assert opened["visit"]["scope"]["exclude_users"] == ["child"] and opened["visit"]["keywords"] == ["kettle"]
    notes = [line["data"] for line in journal if line["kind"] == "operator"]
    assert [(note["action"], note["text"]) for note in notes] == [
        ("paused", ""), ("note", "Phone on the table"), ("device state", "On, the screen was locked. fan runs"), ("went on", ""),
        ("said", "The person: It is mine"),
    ]  # fmt: skip
    assert app.session.report is not None and app.session.report["assessment"]["outcome"] == "found"
    end = "\n".join(pages["end"])
    assert app.session.seal["fingerprint"] in end and "Grounds to consider seizure" in end
    for rows in pages.values():
        assert len(rows) == size[1]
        assert "\n".join(rows).replace("â", "a").isascii()


def test_nothing_is_begun_without_a_name_a_reference_and_a_legal_basis(tmp_path: Path) -> None:
    async def drive(robot: Robot) -> None:
        await robot.at("begin")
        await robot.next()
        await robot.at("who")
        await robot.next()
        assert robot.page == "who"
        assert words.ERRORS["name"] in robot.problems() and words.ERRORS["reference"] in robot.problems()
        await robot.write("name", "A")
        await robot.write("reference", "R")
        await robot.next()
        await robot.at("authority")
        await robot.next()
        assert robot.page == "authority" and words.ERRORS["basis"] in robot.problems()
        await robot.to("basis")
        for _, (basis, fields) in zip(range(5), words.BASIS_FIELDS.items(), strict=True):
            await robot.until(lambda: robot.app.focused is not None and robot.app.focused.id == "basis")
            while robot.app.screen.query_one("#basis").chosen != basis:  # type: ignore[attr-defined]
                await robot.press("down")
                await robot.pilot.pause()
            await robot.until(lambda fields=fields: all(robot.app.screen.query(f"#{key}") for key in fields))  # type: ignore[misc]
            await robot.next()
            assert robot.page == "authority"
            for label in fields.values():
                assert words.ERRORS["basis_field"].format(label=label) in robot.problems()
            await robot.to("basis")

    assert not (visit(tmp_path, drive).cases / "x").exists()
    assert not list((tmp_path / "cases").iterdir())


def test_dates_that_contradict_each_other_and_paths_that_are_not_there(tmp_path: Path) -> None:
    draft = Draft(name="A", reference="R", basis="order", details={"reference": "1", "made_by": "Court"})

    async def drive(robot: Robot) -> None:
        await robot.at("begin")
        robot.app.show("scope")
        await robot.at("scope")
        await robot.write("start", "2026-02-01")
        await robot.write("end", "2026-01-01")
        await robot.next()
        assert robot.page == "scope" and "First day (2026-02-01) is after Last day (2026-01-01)." in robot.problems()
        await robot.write("end", "2026-02-31")
        await robot.next()
        assert robot.page == "scope" and "2026-02-31" in robot.problems()
        await robot.write("end", "")
        await robot.next()
        await robot.at("what")
        await robot.next()
        assert words.ERRORS["nothing"] in robot.problems()
        await robot.write("paths", str(tmp_path / "nowhere"))
        await robot.next()
        assert robot.page == "what" and "nowhere" in robot.problems()
        await robot.write("paths", str(tmp_path))
        await robot.next()
        await robot.at("start")
        await robot.next()
        assert robot.page == "start" and "inside the evidence" in robot.problems()

    visit(tmp_path, drive, draft=draft)
    assert not list((tmp_path / "cases").iterdir())


def test_help_on_every_page_and_leaving_asks(tmp_path: Path) -> None:
    async def drive(robot: Robot) -> None:
        for page in ("begin", "who", "authority", "order", "scope", "what", "start"):
            robot.app.show(page)
            await robot.at(page)
            await robot.press("f1")
            await robot.until(lambda: isinstance(robot.app.screen, Help))
            assert words.HELP[page][0].split(". ")[0][:40] in " ".join(" ".join(robot.shown()).replace("|", " ").split())
            await robot.press("f1")
            await robot.at(page)
        await robot.press("ctrl+q")
        await robot.until(lambda: isinstance(robot.app.screen, Ask))
        await robot.press("escape")
        await robot.at("start")
        await robot.press("ctrl+q")
        await robot.until(lambda: isinstance(robot.app.screen, Ask))
        await robot.press("shift+tab", "enter")

    assert visit(tmp_path, drive).return_value is None


def test_the_mouse_and_the_way_back_keep_what_was_entered(tmp_path: Path) -> None:
    async def drive(robot: Robot) -> None:
        await robot.at("begin")
        await robot.pilot.click("#next")
        await robot.at("who")
        await robot.write("name", "Ash")
        await robot.pilot.click("#back")
        await robot.at("begin")
        await robot.pilot.click("#next")
        await robot.at("who")
        assert robot.app.screen.query_one("#name", Input).value == "Ash"
        robot.app.show("order")
        await robot.at("order")
        tick = robot.app.screen.query(Tick).first()
        await robot.pilot.click(tick)
        assert tick.value
        await robot.press("escape")
        await robot.at("authority")
        assert robot.app.draft.checks == [tick.name]

    visit(tmp_path, drive)


def test_pause_go_on_and_stop(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    for number in range(4000):
        (evidence / f"{number}.dat").write_bytes(number.to_bytes(2, "big") * 30_000)

    async def drive(robot: Robot) -> None:
        await robot.at("begin")
        robot.app.show("start")
        await robot.at("start")
        await robot.next()
        await robot.at("running")
        assert robot.app.session is not None
        control = robot.app.session.control
        await robot.press("p")
        await robot.until(lambda: control.holding)
        await robot.until(lambda: words.PAUSED in str(robot.app.screen.query_one("#phase", Text).visual))
        assert words.GO_ON in str(robot.app.screen.query_one("#pause", Press).label)
        await robot.press("p")
        await robot.until(lambda: not control.holding)
        await robot.press("p")
        await robot.until(lambda: control.holding)
        await robot.press("s")
        await robot.until(lambda: isinstance(robot.app.screen, Ask))
        await robot.press("shift+tab", "enter")
        await robot.at("end")

    draft = Draft(name="A", reference="R", basis="order", details={"reference": "1", "made_by": "Court"}, paths=str(evidence))
    app = visit(tmp_path, drive, draft=draft)
    assert app.session is not None and app.session.report is not None
    assert verify(app.session.order.case).exit_code == 0
    actions = [note["action"] for note in app.session.report["operator"]["items"]]
    assert actions[:3] == ["paused", "went on", "paused"]

    async def again(robot: Robot) -> None:
        """The case that was ended early is offered, and gone on with."""
        await robot.at("begin")
        assert re.search(r"\(x\) Go on: R, begun .*, ended early", "\n".join(robot.shown()))
        await robot.next()
        await robot.at("start")
        await robot.next()
        await robot.at("end")

    second = visit(tmp_path, again)
    assert second.session is not None and second.session.error is None and second.session.report is not None
    assert second.session.order.case == app.session.order.case
    assert second.session.report["visit"]["complete"] and len(second.session.report["method"]["attempts"]) == 2
    assert verify(app.session.order.case).exit_code == 0


def test_a_visit_that_was_cut_off_is_offered_and_gone_on_with(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    (evidence / "a.txt").write_text("kettle")

    async def whole(robot: Robot) -> None:
        await robot.at("begin")
        robot.app.show("start")
        await robot.at("start")
        await robot.next()
        await robot.at("end")

    draft = Draft(
        name="A", reference="Case 7", basis="order", details={"reference": "1", "made_by": "Court"}, paths=str(evidence), keywords="kettle"
    )
    first = visit(tmp_path, whole, draft=draft)
    assert first.session is not None
    case = first.session.order.case
    for file in case.iterdir():
        if file.name != "journal.jsonl":
            file.unlink()
    data = (case / "journal.jsonl").read_bytes()
    (case / "journal.jsonl").write_bytes(data[: len(data) // 2])

    async def again(robot: Robot) -> None:
        await robot.at("begin")
        assert re.search(r"\(x\) Go on: Case 7, begun .*, cut off", "\n".join(robot.shown()))
        await robot.next()
        await robot.at("start")
        assert "A checks one thing. Reference: Case 7." in "\n".join(robot.shown())
        await robot.next()
        await robot.at("end")

    second = visit(tmp_path, again)
    assert second.session is not None and second.session.error is None
    assert second.session.order.case == case and verify(case).exit_code == 0
    assert len(list((tmp_path / "cases").iterdir())) == 1


def test_what_goes_wrong_is_said_on_the_last_page(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    broken = tmp_path / "set.th"
    broken.write_bytes(b"FTHSET" + bytes(100))

    async def drive(robot: Robot) -> None:
        await robot.at("begin")
        robot.app.show("start")
        await robot.at("start")
        await robot.next()
        await robot.at("end")
        rows = "\n".join(robot.shown())
        assert words.END_FAILED in rows and words.END_FAILED_KEPT.split(".")[0] in rows
        await robot.to("close")
        await robot.press("enter")

    draft = Draft(name="A", reference="R", basis="order", details={"reference": "1", "made_by": "Court"}, paths=str(tmp_path / "evidence"))
    app = visit(tmp_path, drive, draft=draft, hash_sets=[HashSetSetup(str(broken), None)])
    assert app.return_value == 1
    assert app.session is not None and app.session.error is not None and broken.name in app.session.error


def test_a_visit_file_fills_in_the_pages_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "visit.yaml", tmp_path / "bad.yaml"
    good.write_text(
        "reference: R9\nofficer: {name: Sam}\nauthority: {basis: licence, reference: L1, condition: '4'}\n"
        "declared_devices: [{kind: phone, make: Demo}]\nconditions: [{id: 3, text: Keep it., checks: [keep_history]}]\n"
    )
    bad.write_text("reference: R9\nofficer: {name: Sam, rank: x}\nauthority: {basis: consent, reference: L1, issued_by: y}\n")

    async def drive(robot: Robot) -> None:
        await robot.at("begin")  # the one beside the cases is offered
        await robot.to("file")
        await robot.write("file", str(bad))
        await robot.next()
        assert robot.page == "begin"
        assert "officer.rank is not a key" in robot.problems() and "belongs to the basis warrant" in robot.problems()
        await robot.write("file", str(good))
        await robot.next()
        await robot.at("who")
        assert robot.app.screen.query_one("#name", Input).value == "Sam"
        await robot.next()
        await robot.at("authority")
        assert robot.app.screen.query_one("#condition", Input).value == "4"
        await robot.next()
        await robot.at("order")
        rows = "\n".join(robot.shown())
        assert "phone, Demo" in rows and "3: Keep it." in rows and "Keep the browser history" not in rows

    app = visit(tmp_path, drive)
    assert app.draft.visit().conditions[0].checks == ("keep_history",)


def test_a_note_that_comes_too_late_is_not_lost_in_silence(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()

    async def drive(robot: Robot) -> None:
        await robot.at("begin")
        robot.app.show("start")
        await robot.at("start")
        await robot.next()
        await robot.at("running")
        session = robot.app.session
        assert session is not None
        session.control.pause()
        robot.app.push_screen(Write("note"), robot.app.screen._write)  # type: ignore[attr-defined]
        session.control.resume()
        await robot.until(lambda: isinstance(robot.app.screen, Write) and session.done.is_set())
        await robot.press(*"Late words", "enter")
        await robot.at("end")
        rows = "\n".join(robot.shown())
        assert words.END_UNWRITTEN.split(".")[0] in rows and "Late words" in rows

    draft = Draft(name="A", reference="R", basis="order", details={"reference": "1", "made_by": "Court"}, paths=str(tmp_path / "evidence"))
    app = visit(tmp_path, drive, draft=draft)
    assert app.session is not None and app.session.report is not None and not app.session.report["operator"]["items"]

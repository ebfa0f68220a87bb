"""``triage devices``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from triage.commands.common import COMPLETED, FAILED, GAPS, existing, stop


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("devices")(devices)


def devices(
    case: Annotated[Path, typer.Option(help="A case: its devices are listed. A new folder: the devices at this computer become a case.")],
    visit: Annotated[Path | None, typer.Option(help="visit.yaml: the authority, and the declared devices to compare with.")] = None,
    listen: Annotated[str | None, typer.Option(help="Listen to the local network for so long (20s, 2m). Nothing is sent.")] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask the devices of the local network who they are: this sends packets, on the link only.")
    ] = False,
    router_table: Annotated[
        list[Path] | None, typer.Option(help="Devices as a router lists them: leases, CSV, a saved page, or text copied from one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ledger as JSON.")] = False,
) -> None:
    """List every device that is known, each once, against those that were declared."""
    from triage.casefolder import JOURNAL
    from triage.commands import examine

    seconds = examine.budget(listen)

    looks = bool(seconds or ask or router_table)
    if (case / JOURNAL).is_file() and not ((looks or visit) and _is_survey(case / JOURNAL)):
        if looks:
            stop(f"{case} is the case of a scan: choose a new folder to look at the network")
        _say(_of_case(case, visit), as_json)
        raise SystemExit(COMPLETED)
    gaps = _survey(case, visit, seconds or 0.0, ask, [existing(path, "the router's table") for path in router_table or []])
    _say(_of_case(case, None), as_json)
    if gaps:
        print(f"triage: not everything could be looked at; the report in {case} says what", file=sys.stderr)
    raise SystemExit(GAPS if gaps else COMPLETED)


def _is_survey(path: Path) -> bool:
    """Whether a case was begun by this command: then it can be gone on with."""
    from triage.journal import JournalError, read

    try:
        first = next(read(path), None)
    except (JournalError, OSError) as error:
        stop(f"the journal {path} cannot be read: {error}", FAILED)
    return first is not None and first.kind == "case_opened" and first.data.get("sources") == {}


def _survey(case: Path, visit: Path | None, listen: float, ask: bool, router_tables: list[Path]) -> bool:
    from triage.commands import examine
    from triage.devices import attached, survey, tables
    from triage.devices.net import room
    from triage.scan.setup import SourceSetup

    here = {survey.SOURCE: SourceSetup("the devices here", live=True)}
    authority = examine.visit(visit, here)
    now = attached.clock()
    gatherers = [
        survey.Gatherer("devices attached now", lambda _: attached.attached(now)),
        room.gatherer(listen, ask, attached.clock, lambda text: print(text, file=sys.stderr, flush=True)),
        *(tables.gatherer(path) for path in router_tables),
    ]
    touches = []
    if survey.on_own_drive(case):
        print(
            f"triage: the case folder {case} lies on this computer's own drive: on somebody else's computer, write to the stick",
            file=sys.stderr,
        )
        touches.append(survey.Touch("wrote the case folder to the drive of this computer's system", "the operator named that folder"))
    job = survey.job(case, examine.signer(None, None), authority or {}, gatherers, sys.argv[1:], touches)
    return examine.perform(job, quiet=True).gaps


def _of_case(case: Path, visit: Path | None) -> list[dict[str, Any]]:
    """The ledger of a case; with a visit file, compared with the devices declared there."""
    from triage.commands import examine
    from triage.journal import JournalError
    from triage.report.document import device_json
    from triage.report.records import read

    try:
        if visit is None:
            return [device_json(record.data) for record in read(case) if record.kind == "observation" and record.data["type"] == "Device"]
        from triage.devices.ledger import TYPES, Ledger
        from triage.scan.emit import observation_json

        ledger = Ledger(examine.visit(visit, {}))
        for record in read(case):
            if record.kind == "observation" and record.data["type"] in TYPES:
                ledger.add(record.data)
        return [
            device_json(
                observation_json(line.device, source=line.source, volume="", path="", parser="devices/1", rests_on=list(line.records))
            )
            for line in ledger.lines()
        ]
    except (JournalError, OSError) as error:
        stop(f"the case {case} cannot be read: {error}", FAILED)


def _say(ledger: list[dict[str, Any]], as_json: bool) -> None:
    import json

    from triage.text import visible

    if as_json:
        print(json.dumps(ledger))
        return
    for number, device in enumerate(ledger, 1):
        first, last = ((device[name] or device.get(f"{name}_local") or "not recorded")[:19].replace("T", " ") for name in ("first", "last"))
        lines = [
            f"{number}. {device['title']} ({device['kind']}): {device['declared']}",
            f"   first {first}, last {last}; how sure: {device['strength']}; {', '.join(device['identifiers'][:4]) or 'no number of its own'}",
            f"   recorded in: {'; '.join(proof['how'] for proof in device['proofs'])}",
        ]
        if device["opened_count"]:
            lines.append(f"   opened from it: {', '.join(device['opened'][:5])} ({device['opened_count']} records)")
        if device["question"]:
            lines.append(f"   ask: {device['question']}")
        print("\n".join(visible(line) for line in lines))
    if not ledger:
        print("No device is recorded. A device that was never connected leaves no record.")

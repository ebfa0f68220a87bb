"""A draft of a witness statement (in the manner of form MG11), as text that the officer reads, corrects and adopts, or does not.

It is no form and no statement. Every sentence that the tool derived ends in the finding it comes from.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from triage.report.case import Case, load
from triage.report.document import build
from triage.report.exports.paper import blank, day, paragraphs
from triage.text import visible

MOST_FINDINGS = 40


def write(case: Path, out: BinaryIO, _scratch: Path) -> None:
    """UTF-8 text, lines of at most 100 characters. The strongest ``MOST_FINDINGS`` findings are told; how many more there are is said."""
    loaded = load(case)
    out.write("\n".join(paragraphs(_parts(loaded))).encode("utf-8") + b"\n")


def _parts(case: Case) -> list[str]:
    document = build(case)
    visit = case.opened.get("visit") or {}
    officer = visit.get("officer") or {}
    authority = visit.get("authority") or {}
    tool = document["tool"]
    parts = [
        "DRAFT — NOT A STATEMENT UNTIL READ, CORRECTED AND SIGNED BY THE OFFICER",
        "Prepared from the case by a program. Delete what you did not see or do yourself. Nothing here is evidence until you adopt it.",
        "",
        "WITNESS STATEMENT (draft text for form MG11)",
        "Criminal Procedure Rules, r 16.2; Criminal Justice Act 1967, s. 9",
        "",
        f"Statement of: {visible(officer.get('name') or blank())}",
        f"Age if under 18: Over 18      Occupation: Police officer or staff {visible(officer.get('number') or blank())}, {visible(officer.get('force') or blank())}",
        "",
        "This statement (consisting of ____ pages each signed by me) is true to the best of my knowledge and belief and I make it knowing that, "
        "if it is tendered in evidence, I shall be liable to prosecution if I have wilfully stated in it anything which I know to be false, or do "
        "not believe to be true.",
        "",
        "Signature: ______________________      Date: ______________",
        "",
        f"I am the above named person. On {day(case.opened_at)} I attended {blank()} under reference {visible(visit.get('reference') or blank())}.",
        f"I acted on this authority: {visible(authority.get('basis') or blank())}, reference {visible(authority.get('reference') or blank())}."
        if visit
        else f"No authority is recorded in the case. I acted on this authority: {blank()}.",
        f"I used the program {tool['name']}, version {tool['version']}. It reads and does not write to what it examines.",
    ]
    for number, source in enumerate(document["sources"], 1):
        parts.append(
            f"I examined {visible(str(source['path']))} ({source['kind']}), described by me as exhibit {blank()}/{number}. "
            "Make, model, serial number and where it was: " + blank() + "."
        )
    assessment = document["assessment"]
    examined = document["examined"]
    parts += [
        f"The examination began at {case.opened_at} and ended at {document['visit']['finished'] or 'a time that is not recorded'}, by the clock of the computer used, "
        f"which I compared with {blank()}. The program read {examined['files_read']:,} files ({examined['bytes_read']:,} bytes).",
        f"The program's result was: {assessment['outcome'].replace('_', ' ')}. This is advice by a program. The decision was mine.",
    ]
    for finding in case.findings[:MOST_FINDINGS]:
        where = f" Where: {visible(finding['path'])}." if finding.get("path") else ""
        parts.append(
            f"The program reported: {visible(finding['title'])}. {visible(finding['explanation'])}{where} [finding {finding['id']}]"
        )
        if finding["innocent_explanations"]:
            parts.append("It named these innocent explanations: " + " ".join(visible(text) for text in finding["innocent_explanations"]))
    if len(case.findings) > MOST_FINDINGS:
        parts.append(f"The case holds {len(case.findings) - MOST_FINDINGS:,} further findings, which are in report.html.")
    if not case.findings:
        parts.append("The program reported no finding in what it checked. That is not the same as nothing being there.")
    parts += [
        f"Some things could not be examined. They are listed in the case under “coverage”. I add: {blank()}.",
        f"I produce the case folder {visible(str(document['case_id']))} as exhibit {blank()}. Its fingerprint, which I read aloud at {blank()}, is: {blank()}.",
        "What was said, and anything I saw that the program did not: " + blank(),
        "",
        "Signature: ______________________      Signature witnessed by: ______________________",
    ]
    return parts

"""A draft of an exhibit list (in the manner of form MG12), as text that the officer completes: what was examined, and the case itself."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from triage.casefolder import JOURNAL
from triage.report.case import load
from triage.report.exports.paper import blank, initials, paragraphs
from triage.text import visible


def write(case: Path, out: BinaryIO, _scratch: Path) -> None:
    """UTF-8 text. References are initials and a running number; what the officer alone knows (seal numbers, places) is left open."""
    loaded = load(case)
    visit = loaded.opened.get("visit") or {}
    officer = (visit.get("officer") or {}).get("name") or ""
    letters = initials(officer) or "____"
    parts = [
        "DRAFT — TO BE CHECKED AND COMPLETED BY THE OFFICER",
        "",
        "EXHIBIT LIST (draft text for form MG12)",
        f"Reference: {visible(visit.get('reference') or blank())}      Officer: {visible(officer or blank())}",
        "Numbers begin at 1 here. If you have produced exhibits in this matter before, go on from your last number.",
        "",
    ]
    for number, source in enumerate(loaded.sources, 1):
        digest = f" SHA-256 {source['sha256']}." if source.get("sha256") else ""
        size = f", {source['size']:,} bytes" if isinstance(source.get("size"), int) else ""
        parts += [
            f"{letters}/{number}   {visible(str(source.get('path')))} ({source.get('kind')}{size}).{digest}",
            f"      Make, model, serial number or IMEI: {blank()}   Where found: {blank()}   Found by: {blank()}",
            f"      Seized: yes / no   Power state: {blank()}   Seal number: {blank()}   Time: {blank()}",
            "",
        ]
    number = len(loaded.sources) + 1
    parts += [
        f"{letters}/{number}   Case folder {visible(str(loaded.opened.get('case_id') or case.name))}: {JOURNAL} and the reports made from it, "
        f"derived from {', '.join(f'{letters}/{n}' for n in range(1, number)) or 'no source'}.",
        f"      Stick: {blank()}   Fingerprint read aloud: {blank()}   Time: {blank()}",
        "",
        "Continuity: who handed what to whom, when, with signatures: " + blank(),
    ]
    out.write("\n".join(paragraphs(parts)).encode("utf-8") + b"\n")

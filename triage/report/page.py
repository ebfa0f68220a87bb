"""What the report shows of a document, in words: one model for ``report.html``, ``report.pdf`` and the screen, so that they say the same.

Pure data: a function of the document of ``document.build``. Texts from evidence stand in it as they are; whoever shows them makes them visible
and escapes them.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from triage.report import device_page, timeline_page, wording
from triage.report.case import is_gap
from triage.scan.classify import TITLES
from triage.text import visible

LONGEST_TEXT = 600
FINDINGS = 200
CONDITION_FINDINGS = 25
COVERAGE_ROWS = 400
NOTES = 200
ACTIVITY_ROWS = 31
SYSTEM_FACTS = 40
CLEANUP_ROWS = 40
GONE_ROWS = 60
SOFTWARE_ROWS = 80
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")
_KINDS = {
    "PageVisit": "pages", "SearchQuery": "searches", "ProgramRun": "programs run", "InstalledProgram": "programs installed",
    "FileSeen": "files named", "FormEntry": "form entries", "AccountUse": "uses of accounts", "PictureFacts": "pictures with camera data",
    "SoftwareTrace": "traces of programs", "LogCleared": "logs cleared", "StoredRecord": "stored records",
}  # fmt: skip


def model(document: dict[str, Any]) -> dict[str, Any]:
    """Everything the templates print, by the name they call it. The same document gives the same model."""
    return {
        "words": wording,
        "outcome": document["assessment"]["outcome"],
        **page_one(document["assessment"]),
        "visit": document["visit"],
        "figures": figures(document),
        "figures_text": ", ".join(f"{count} {what}" for count, what in figures(document)),
        "who": who(document),
        **_findings(document),
        "devices": device_page.page(document["devices"]),
        "activity": {**_activity(document["activity"]), "drawing": timeline_page.drawing(document)},
        "cleanup": _cleanup(document["cleanup"]),
        "gone": _gone(document["gone"]),
        "software": _software(document["software"]),
        "pictures": _pictures(document),
        "coverage": {**_coverage(document), "left_out": document["assessment"]["left_out"]},
        "sources": [_source(source) for source in document["sources"]],
        "system": [
            (fact["name"], " · ".join(filter(None, (fact["value"], moment(fact["time"]))))) for fact in document["system"][:SYSTEM_FACTS]
        ],
        "system_hidden": max(0, len(document["system"]) - SYSTEM_FACTS),
        "method": _method(document),
        **{name: _notes(document[name]) for name in ("touches", "operator", "errors")},
    }


def number(value: int | None) -> str:
    """A whole number with thousands separated, as is usual in Britain; nothing for None."""
    return "" if value is None else f"{value:,}"


def size(value: int | None) -> str:
    """Bytes in the decimal units that are printed on drives, two or three figures; nothing for None."""
    if value is None:
        return ""
    amount, unit = float(value), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{value:,} {'byte' if value == 1 else 'bytes'}" if unit == 0 else f"{amount:.{1 if amount < 99.95 else 0}f} {_UNITS[unit]}"


def moment(text: str | None) -> str:
    """An RFC 3339 time in UTC as ``21 November 2026, 09:05:07 UTC``; anything else as it is."""
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?Z", text or "")
    if match is None or not 1 <= int(match[2]) <= 12:
        return text or ""
    return f"{int(match[3])} {_MONTHS[int(match[2]) - 1]} {match[1]}, {match[4]} UTC"


def figures(document: dict[str, Any]) -> list[tuple[str, str]]:
    """How much was looked at, as (number, of what), for page one."""
    seen = document["examined"]
    lines = [
        (seen["sources"], "device or image", "devices or images"),
        (seen["volumes"], "volume", "volumes"),
        (seen["volumes_locked"], "of them locked", "of them locked"),
        (seen["entries"], "file or folder listed", "files and folders listed"),
        (seen["files_read"], f"file read ({size(seen['bytes_read'])})", f"files read ({size(seen['bytes_read'])})"),
        (seen["records"], "record of use read", "records of use read"),
    ]
    return [(number(count), one if count == 1 else many) for count, one, many in lines if count or "locked" not in one]


def page_one(assessment: dict[str, Any]) -> dict[str, Any]:
    """The assessment as page one shows it: what must not be missed is taken out of the advice and stands above everything."""
    from rules import conditions

    keep_power = conditions.shipped().advice.get("keep_power")
    advice = assessment["advice"]
    looked_at = assessment["looked_at"]["text"]
    return {
        "assessment": assessment,
        "looked_at": looked_at,
        "alarm": keep_power if keep_power in advice else None,
        "advice": [sentence for sentence in advice if sentence != keep_power],
        "reasons": [reason for reason in assessment["reasons"] if reason != looked_at],
        "reasons_in": "under Findings" if assessment["outcome"] in ("found", "refer") else "in report.json",
    }


def who(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Who examined, when and on what authority, as (label, text)."""
    visit, tool = document["visit"], document["tool"]
    officer = visit["officer"] or {}
    authority = visit["authority"] or {}
    basis = authority.get("basis") or ""
    rows = [
        ("Officer", ", ".join(str(officer[key]) for key in ("name", "number", "force") if officer.get(key))),
        ("Authority", ": ".join(part for part in (wording.BASES.get(basis, basis), authority.get("reference") or "") if part)),
        *((wording.AUTHORITY[key], authority[key]) for key in wording.AUTHORITY if authority.get(key)),
        ("Subject", (visit["subject"] or {}).get("reference") or ""),
        ("Examined", "; ".join(str(source["path"]) for source in document["sources"][:5])),
        ("Started", moment(visit["started"])),
        ("Ended", moment(visit["finished"]) or "Cut off before its end"),
        ("Tool", f"{tool['name']} {tool['version']}"),
        ("Case", document["case_id"] or ""),
    ]
    return [(label, text) for label, text in rows if text]


def _findings(document: dict[str, Any]) -> dict[str, Any]:
    """The strongest findings by category, and the conditions with links to them."""
    findings = document["findings"]
    shown = findings[:FINDINGS]
    anchors = {finding["id"]: f"f{place}" for place, finding in enumerate(shown, 1)}
    totals = Counter(finding["category"] for finding in findings)
    groups: dict[str, list[dict[str, Any]]] = {}
    for finding in shown:
        groups.setdefault(finding["category"], []).append({**finding, "anchor": anchors[finding["id"]], "details": _details(finding)})
    by_id = {finding["id"]: finding for finding in findings}
    conditions = []
    for condition in document["assessment"]["conditions"]:
        linked = [by_id[name] for name in condition["findings"] if name in by_id]
        short = [{"title": f["title"], "path": f["path"], "anchor": anchors.get(f["id"])} for f in linked[:CONDITION_FINDINGS]]
        more = [
            ("It may be innocent:", condition["innocent_explanations"]),
            ("What was not checked:", condition["not_checked"] if condition["outcome"] == "concern" else []),
            ("What could be so in spite of that:", [text for text in condition["could_hide"] if text not in condition["reasons"]]),
        ]
        conditions.append(
            {
                **condition,
                "shown": short,
                "hidden": max(0, len(linked) - CONDITION_FINDINGS),
                "more": [(title, texts) for title, texts in more if texts],
            }
        )
    return {
        "groups": [{"category": name[:1].upper() + name[1:], "findings": items, "total": totals[name]} for name, items in groups.items()],
        "findings_total": len(findings),
        "findings_hidden": len(findings) - len(shown),
        "conditions": conditions,
    }


def _details(finding: dict[str, Any]) -> list[tuple[str, str]]:
    where = ", ".join(part for part in (finding["source"], finding["volume"]) if part)
    rows = [
        ("Path", finding["path"] or ""),
        ("On", where),
        ("State", "" if finding["allocated"] else "Deleted. Its content may be mixed with that of other files."),
        ("User", finding["user"] or ""),
        ("Place", _place(finding)),
        *((_label(name), moment(text)) for name, text in finding["times"].items() if text and not name.endswith(("_reason", "_local"))),
        *((f"{_label(name[:-6])}, no zone known", text) for name, text in finding["times"].items() if text and name.endswith("_local")),
        *((name.upper().replace("SHA", "SHA-"), text) for name, text in finding["hashes"].items() if text),
        ("Rests on", f"{number(finding['count'])} records" if finding["count"] > 1 else ""),
        *(("Example", _example(example)) for example in finding["examples"] if finding["count"] > 1),
        ("Bears on", ", ".join(name.replace("_", " ") for name in finding["bears_on"])),
        ("Rule", f"{finding['rule']}, version {finding['rule_version']}"),
        ("Finding", finding["id"]),
    ]
    return [(label, text) for label, text in rows if text]


def _example(example: dict[str, Any]) -> str:
    parts = (example.get("context"), example.get("path"), _place(example), moment(example.get("time")))
    return " · ".join(visible(str(part), LONGEST_TEXT // 4) for part in parts if part)


def _place(item: dict[str, Any]) -> str:
    """The locator, unless it only says the path again, as that of a file in an examined folder does."""
    locator = item.get("locator") or ""
    return "" if (item.get("path") or "").endswith(locator) else locator


def _label(name: str) -> str:
    return {"time": "Time"}.get(name, name.replace("_", " ").capitalize())


def _coverage(document: dict[str, Any]) -> dict[str, Any]:
    """Gaps first. What was looked for and is not there is listed by source and reason: there is much of it, and it says little."""
    titles = _artefact_titles()
    order = {"skipped_by_rule": 1, "parsed": 2, "empty": 3, "missing": 4}
    missing: dict[tuple[str, str], list[str]] = {}
    records = []
    for record in document["coverage"]:
        if record["status"] == "missing" and record["path"] is None and record["what"] in titles:
            missing.setdefault((record["source"] or "", record["reason"] or ""), []).append(titles[record["what"]])
        else:
            records.append(record)
    records.sort(key=lambda record: order.get(record["status"], 0))
    rows = [
        {
            "what": _what(record["what"], titles),
            "id": record["what"] if record["what"] in titles else "",
            "where": " ".join(part for part in (record["source"], record["volume"]) if part) or "the whole case",
            "path": record["path"],
            "status": wording.STATUSES.get(record["status"], record["status"]),
            "gap": is_gap(record),
            "count": number(record["count"]),
            "size": size(record["bytes"] or None),
            "reason": record["reason"],
        }
        for record in records[:COVERAGE_ROWS]
    ]
    hidden = records[COVERAGE_ROWS:]
    return {
        "rows": rows,
        "hidden": len(hidden),
        "hidden_gaps": sum(map(is_gap, hidden)),
        "missing": [{"where": source, "reason": reason, "titles": names} for (source, reason), names in missing.items()],
    }


def _day(text: str | None) -> str:
    return _period(text[:10]) if text and re.match(r"\d{4}-(?:0[1-9]|1[0-2])-\d\d", text) else ""


def _days(first: str | None, last: str | None) -> str:
    days = [day for day in (_day(first), _day(last)) if day]
    return " to ".join(dict.fromkeys(days)) or "not recorded"


def _cleanup(cleanup: dict[str, Any]) -> dict[str, Any]:
    """Stretches of days with signs of clean-up, the strongest first, each with its parts and what else may explain them."""
    periods = [
        {
            "when": _days(item["first"], item["last"]),
            "score": item["score"],
            "strength": item["strength"],
            "use": item["use"] or "",
            "detail": item["detail"] or "",
            "parts": [
                {
                    "what": part.get("what") or "",
                    "strength": part.get("strength") or "",
                    "points": part.get("points"),
                    "innocent": part.get("innocent") or "",
                }
                for part in item["parts"] or []
            ],
        }
        for item in cleanup["periods"]
    ]
    signs = [
        {
            "when": _days(item["first"], item["last"]),
            "kind": item["kind"],
            "strength": item["strength"],
            "detail": item["detail"],
            "tool": item["tool"] or "",
        }
        for item in cleanup["signs"]
    ]
    return {
        "periods": periods[:CLEANUP_ROWS],
        "signs": signs[:CLEANUP_ROWS],
        "hidden": max(0, len(periods) - CLEANUP_ROWS) + max(0, len(signs) - CLEANUP_ROWS),
    }


def _gone(gone: list[dict[str, Any]]) -> dict[str, Any]:
    rows = [
        {
            "path": item["path"],
            "seen": _day(item["seen"]) or "not recorded",
            "deleted": _day(item["deleted"]),
            "where": item["where"],
            "how": ", ".join(item["how"] or []),
            "matches": ", ".join(item["matches"] or []),
        }
        for item in gone[:GONE_ROWS]
    ]
    return {"rows": rows, "hidden": len(gone) - len(rows)}


def _software(software: list[dict[str, Any]]) -> dict[str, Any]:
    rows = [
        {
            "name": item["name"],
            "what": item["what"],
            "state": item["state"],
            "summary": _sentence(item["summary"]),
            "severity": item["severity"],
            "strength": item["strength"],
            "when": _days(item["first"], item["last"]),
            "where": item["source"] or "",
            "innocent": item["innocent"],
        }
        for item in software[:SOFTWARE_ROWS]
    ]
    return {"rows": rows, "hidden": len(software) - len(rows)}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def _pictures(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Pictures and videos by count. None is shown."""
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for record in document["coverage"]:
        if record["what"] == "files: pictures" and record["path"] is None:
            counts[record["status"]] += record["count"] or 0
            sizes[record["status"]] += record["bytes"] or 0
    rows = [
        (wording.STATUSES.get(status, status), f"{number(count)} ({size(sizes[status])})")
        for status, count in sorted(counts.items())
        if count
    ]
    observed = document["observations"]
    for kind, label in (
        ("PictureFacts", "That name a camera"),
        ("HashMatch", "Files of any kind in a hash set"),
        ("BlockMatch", "Parts of known files"),
    ):
        if observed.get(kind):
            rows.append((label, number(observed[kind])))
    return rows


def _artefacts(document: dict[str, Any]) -> list[tuple[str, str]]:
    """The kinds of record that were read in this case, and on what their reading was validated."""
    from artefacts.registry import all_artefacts

    met = {record["what"] for record in document["coverage"] if record["status"] != "missing"}
    return [(f"{item.title} ({item.parser})", item.validation) for item in all_artefacts() if item.id in met]


def _artefact_titles() -> dict[str, str]:
    from artefacts.registry import all_artefacts

    return {artefact.id: artefact.title for artefact in all_artefacts()}


def _what(what: str, titles: dict[str, str]) -> str:
    kind, _, name = what.partition(": ")
    if kind == "files" and name in TITLES:
        return f"Files: {TITLES[name]}"
    return titles.get(what) or what[:1].upper() + what[1:]


def _source(source: dict[str, Any]) -> dict[str, Any]:
    facts = [("Kind", source["kind"] or ""), ("Size", _exact_size(source["size"])), *pairs(source["facts"])]
    for file in source["files"][:20]:
        details = (file["path"], _exact_size(file.get("size")), f"SHA-256 {file['sha256']}" if file.get("sha256") else "")
        facts.append(("File", ", ".join(part for part in details if part)))
    if len(source["files"]) > 20:
        facts.append(("Files", f"and {number(len(source['files']) - 20)} more, in report.json"))
    if source.get("sha256"):
        facts.append(("SHA-256 of the media", source["sha256"]))
    volumes = [
        {
            "id": volume["id"],
            "kind": ", ".join(part for part in (volume["filesystem"], volume["description"], volume["scheme"]) if part),
            "label": volume["label"] or "",
            "encryption": f"{volume['encrypted']}, {'unlocked' if volume['unlocked'] else 'locked'}" if volume["encrypted"] else "",
            "entries": number(volume["entries"]),
            "size": size(volume["length"]),
            "state": ": ".join(part for part in (wording.STATUSES.get(volume["status"], volume["status"]), volume["reason"]) if part),
            "gap": is_gap(volume),
        }
        for volume in source["volumes"]
    ]
    return {"id": source["id"], "path": source["path"], "facts": [(label, text) for label, text in facts if text], "volumes": volumes}


def _exact_size(value: int | None) -> str:
    if value is None:
        return ""
    return f"{value:,} bytes" + (f" ({size(value)})" if value >= 1000 else "")


def _method(document: dict[str, Any]) -> dict[str, Any]:
    method, tool = document["method"], document["tool"]
    facts = [("Tool", f"{tool['name']} {tool['version']}"), ("SHA-256 of the tool", tool["self_sha256"] or "not recorded")]
    profile = method["profile"]
    facts += pairs(profile, "Profile") if isinstance(profile, dict) else [("Profile", str(profile or "not recorded"))]
    runs = [
        {
            "started": moment(run["started"]),
            "finished": moment(run["finished"]),
            "ending": (("Complete. " if run["complete"] else "Not complete. ") + run["reason"])
            if run["finished"]
            else "Cut off before its end",
        }
        for run in method["attempts"]
    ]
    return {
        "facts": facts,
        "rules": pairs(method["rules"]),
        "hash_sets": [pairs(item) if isinstance(item, dict) else [("Set", str(item))] for item in method["hash_sets"]],
        "command": " ".join(_quoted(str(part)) for part in ["triage", *method["arguments"]]) if method["arguments"] else "",
        "runs": runs,
        "artefacts": _artefacts(document),
        "timings": [(_label(name), f"{seconds:,.1f} seconds") for name, seconds in document["timings"].items()],
        "observations": [(kind, number(count)) for kind, count in document["observations"].items()],
    }


def _quoted(part: str) -> str:
    return part if re.fullmatch(r"[\w@%+=:,./\\-]+", part) else "'" + part.replace("'", "'\"'\"'") + "'"


def pairs(value: dict[str, Any], label: str = "") -> list[tuple[str, str]]:
    """A JSON object as labelled texts, one a leaf: ``{"a": {"b": 1}}`` gives ``[("A, b", "1")]``."""
    out: list[tuple[str, str]] = []
    for key, item in value.items():
        name = f"{label}, {key}" if label else _label(str(key))
        if isinstance(item, dict):
            out += pairs(item, name)
        elif isinstance(item, list):
            out.append((name, ", ".join(str(part) for part in item)))
        elif item not in (None, ""):
            out.append((name, number(item) if type(item) is int else str(item)))
    return out


def _notes(notes: dict[str, Any]) -> dict[str, Any]:
    blank = {"what": "", "why": "", "action": "", "text": "", "where": "", "reason": ""}
    rows = [{**blank, **item, "time": moment(item["time"])} for item in notes["items"][:NOTES]]
    return {"rows": rows, "hidden": notes["total"] - len(rows)}


def _activity(days: dict[str, dict[str, int]]) -> dict[str, Any]:
    """Counts by day where the last ones shown cover enough, by month or year where they would not."""
    period, cut = next(
        ((name, cut) for name, cut in (("day", 10), ("month", 7)) if len({day[:cut] for day in days}) <= ACTIVITY_ROWS), ("year", 4)
    )
    bins: dict[str, Counter[str]] = {}
    for day, counts in days.items():
        bins.setdefault(day[:cut], Counter()).update(counts)
    names = sorted(bins)
    most = max((counts.total() for counts in bins.values()), default=0)
    rows = [
        {
            "when": _period(name),
            "total": bins[name].total(),
            "share": f"{max(1, bins[name].total() * 100 // most)}",
            "kinds": ", ".join(f"{_kind(kind)} {number(count)}" for kind, count in _largest(bins[name])),
        }
        for name in names[-ACTIVITY_ROWS:]
    ]
    summary = ""
    if names:
        first, last = min(days), max(days)
        summary = (
            f"There are records on {number(len(days))} {'day' if len(days) == 1 else 'days'}, from {_period(first)} to {_period(last)}."
        )
    hidden = len(names) - len(rows)
    return {"period": period, "rows": rows, "summary": summary, "hidden": hidden, "hidden_words": f"earlier {period}s are"}


def _kind(kind: str) -> str:
    """An observation type in words: ``AttachedDevice`` is ``attached devices``."""
    return _KINDS.get(kind) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower() + "s"


def _largest(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3]


def _period(text: str) -> str:
    parts = text.split("-")
    month = _MONTHS[int(parts[1]) - 1] if len(parts) > 1 else ""
    return " ".join(part for part in (str(int(parts[2])) if len(parts) > 2 else "", month, parts[0]) if part)

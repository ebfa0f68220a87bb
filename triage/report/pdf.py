"""``report.pdf``: the report to print and to hand over, from the same model as ``report.html``, page one with the same content.

Tagged (headings, lists, tables), with bookmarks and its own fonts. Long lists are shorter than in ``report.html``; what is cut is said. What
a journal holds is only ever text here: it is made visible, escaped, and drawn, so that nothing of it can become a link or a command.

The same document gives the same bytes: the times in the file are those of the case.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageBreak, PageTemplate, Spacer

from report_templates import FONTS
from triage.report import page, wording
from triage.report.page import number
from triage.report.pdf_tags import FOOT_SIZE, TOTAL, Figure, Grid, Node, TaggedCanvas, Words
from triage.text import visible

SANS, BOLD, MONO = "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono"
LONGEST_TEXT = page.LONGEST_TEXT
LONGEST_CELL = 300
FINDINGS = 100
CONDITION_FINDINGS = 15
COVERAGE_ROWS = 150
DEVICES = 60
NOTES = 60
_MARGIN, _FOOT = 16 * mm, 9 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_SOFT, _INK, _LINE, _WASH = HexColor("#4a4f58"), HexColor("#000000"), HexColor("#9a9fa8"), HexColor("#f0f0f0")
_IN_HTML = "in report.html"
_ABOUT = (
    "This PDF shows less than report.html. Letters that its fonts do not have are shown by number, such as ⟨U+4E2D⟩. "
    "Words that are written from right to left are printed letter by letter from the left. The exact text is in report.json."
)


def _style(
    name: str, size: float, font: str = SANS, *, before: float = 0, after: float = 2, lead: float = 1.32, **more: Any
) -> ParagraphStyle:
    return ParagraphStyle(
        name, fontName=font, fontSize=size, leading=size * lead, spaceBefore=before, spaceAfter=after, textColor=_INK, **more
    )


_H1 = _style("h1", 21, BOLD, before=1, after=4, lead=1.15)
_H2 = _style("h2", 13, BOLD, before=14, after=5, keepWithNext=1)
_H3 = _style("h3", 10.5, BOLD, before=9, after=3, keepWithNext=1)
_H4 = _style("h4", 9, BOLD, before=8, after=2, keepWithNext=1)
_ONE = _style("one", 10.5, BOLD, before=7, after=2, keepWithNext=1)
_P = _style("p", 8.6, after=3)
_BIG = _style("big", 10, after=2)
_BOLD = _style("bold", 8.6, BOLD, after=3, keepWithNext=1)
_SMALL = _style("small", 7.4, after=2)
_ITEM = _style("item", 8.6, after=1.5, leftIndent=13, bulletIndent=2)
_SUB = _style("sub", 8, after=1, leftIndent=13, bulletIndent=2)
_PAIR = _style("pair", 7.8, after=1, leftIndent=92, firstLineIndent=-92)
_CELL = _style("cell", 7, after=0, lead=1.25, splitLongWords=1)
_HEAD = _style("head", 7, BOLD, after=0, lead=1.25)
_NUMBER = _style("number", 7, after=0, lead=1.25, alignment=TA_RIGHT)


def render(document: dict[str, Any]) -> bytes:
    """The PDF for a document of ``document.build``."""
    fonts()
    model = page.model(document)
    story = _Story(document, model)
    story.build()
    out = io.BytesIO()
    reference = str(document["visit"].get("reference") or document.get("case_id") or "")
    title = f"{wording.OUTCOMES[model['outcome']]}: device triage report {reference}".strip()
    template = BaseDocTemplate(
        out, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=14 * mm, bottomMargin=20 * mm, title=_plain(title, SANS),
        author="", subject="Device triage report", creator=_plain(f"{document['tool']['name']} {document['tool']['version']}", SANS),
        lang="en-GB", invariant=1, pageCompression=1,
    )  # fmt: skip
    frame = Frame(_MARGIN, 20 * mm, _WIDTH, A4[1] - 34 * mm, 0, 0, 0, 0)
    template.addPageTemplates([PageTemplate(frames=[frame])])
    foot = _foot(document)

    def canvas(*arguments: Any, **options: Any) -> TaggedCanvas:
        made = TaggedCanvas(*arguments, **{**options, "initialFontName": SANS})
        made.root, made.foot, made.foot_font = story.root, foot, SANS
        _set_time(made, document)
        return made

    template.build(story.flow, canvasmaker=canvas)
    return out.getvalue()


@cache
def fonts() -> dict[str, frozenset[int]]:
    """Make the fonts known to reportlab; returns for each the characters it has."""
    for name in (SANS, BOLD, MONO):
        pdfmetrics.registerFont(TTFont(name, str(FONTS / f"{name}.ttf")))
    pdfmetrics.registerFontFamily(SANS, normal=SANS, bold=BOLD, italic=SANS, boldItalic=BOLD)
    return {name: frozenset(pdfmetrics.getFont(name).face.charToGlyph) for name in (SANS, BOLD, MONO)}


def _plain(text: str, font: str, limit: int = LONGEST_TEXT) -> str:
    """Text that can be drawn: what acts is made visible, characters that the font lacks are shown by number, and it is not endless."""
    shown = visible(text, limit)
    if not shown.isascii():
        known = fonts()[font]
        shown = "".join(c if ord(c) in known else f"⟨U+{ord(c):04X}⟩" for c in shown).replace("⟩⟨U+", " U+")
    return shown if len(shown) <= 2 * limit else f"{shown[: 2 * limit]} ⟨…⟩"


def _x(text: Any, font: str = SANS, limit: int = LONGEST_TEXT) -> str:
    """The same, escaped: reportlab reads paragraphs as XML."""
    return escape(_plain(str(text), font, limit))


def _mono(text: str, limit: int = LONGEST_TEXT) -> str:
    return f'<font name="{MONO}" size="-0.6">{_x(text, MONO, limit)}</font>'


def _set_time(canvas: TaggedCanvas, document: dict[str, Any]) -> None:
    """The times in the file's own description are those of the case, and so is its id, not those of the moment of writing."""
    canvas._doc.signature = hashlib.md5(
        b"triage report", usedforsecurity=False
    )  # it had begun with the time, which the environment can set
    stamp = canvas._doc._timeStamp
    try:
        when = datetime.fromisoformat(str(document["visit"]["finished"] or document["visit"]["started"]).replace("Z", "+00:00"))
    except ValueError:
        return
    stamp.YMDhms, stamp.dhh, stamp.dmm = when.timetuple()[:6], 0, 0


def _foot(document: dict[str, Any]) -> Callable[[TaggedCanvas, int], None]:
    case = _plain(f"Case {document['case_id'] or 'without id'}", SANS, 60)
    reference = document["visit"].get("reference")
    left = f"{_plain(str(reference), SANS, 40)} · {case}" if reference else case

    def draw(canvas: TaggedCanvas, at: int) -> None:
        canvas.setFont(SANS, FOOT_SIZE)
        canvas.setFillColor(_SOFT)
        canvas.setStrokeColor(_LINE)
        canvas.line(_MARGIN, _FOOT + 18, A4[0] - _MARGIN, _FOOT + 18)
        canvas.drawString(_MARGIN, _FOOT + 9, left)
        canvas.drawRightString(A4[0] - _MARGIN - 12, _FOOT + 9, f"Page {at} of")
        canvas.saveState()
        canvas.translate(A4[0] - _MARGIN - 10, _FOOT + 9)
        canvas.doForm(TOTAL)
        canvas.restoreState()
        canvas.drawString(_MARGIN, _FOOT, "Fingerprint of the seal, read out at the end: ______  ______  ______  ______  ______  ______")
        canvas.drawRightString(A4[0] - _MARGIN, _FOOT, wording.DECISION)

    return draw


class _Story:
    """Builds what is drawn and its structure, side by side."""

    def __init__(self, document: dict[str, Any], model: dict[str, Any]) -> None:
        self.document, self.model = document, model
        self.root = Node("Document")
        self.flow: list[Flowable] = []
        self._marks = 0

    def build(self) -> None:
        """Page one, then the parts in the order of report.html."""
        self._page_one()
        self.flow.append(PageBreak())
        self._conditions()
        self._findings()
        self._devices()
        self._activity()
        self._cleanup()
        self._software()
        self._coverage()
        self._sources()
        self._method()
        self._audit()

    # --- pieces ------------------------------------------------------------------------------------------------------------------

    def _words(self, markup: str, style: ParagraphStyle, node: Node, bullet: str | None = None) -> Words:
        words = Words(markup, style, bulletText=bullet)
        words.node = node
        return words

    def _heading(self, text: str, level: int = 2, style: ParagraphStyle | None = None) -> None:
        words = self._words(_x(text, BOLD), style or {1: _H1, 2: _H2, 3: _H3, 4: _H4}[level], self.root.add(f"H{level}"))
        if level <= 3:
            self._marks += 1
            words.bookmark = (f"m{self._marks}", _plain(text, BOLD, 120), 0 if level <= 2 else 1)
        self.flow.append(words)

    def _text(self, text: str, style: ParagraphStyle = _P) -> None:
        self._markup(_x(text), style)

    def _markup(self, markup: str, style: ParagraphStyle = _P) -> None:
        self.flow.append(self._words(markup, style, self.root.add("P")))

    def _items(self, texts: Sequence[str], most: int, where: str, *, numbered: bool = False, style: ParagraphStyle = _ITEM) -> None:
        self._list([_x(text) for text in texts[:most]], numbered=numbered, style=style)
        if len(texts) > most:
            self._text(f"And {number(len(texts) - most)} more, {where}.")

    def _list(self, markups: Iterable[str], *, numbered: bool = False, style: ParagraphStyle = _ITEM) -> None:
        node = self.root.add("L")
        for place, markup in enumerate(markups, 1):
            self.flow.append(self._words(markup, style, node.add("LI").add("LBody"), f"{place}." if numbered else "•"))

    def _pairs(self, rows: Iterable[tuple[str, str]], mono: Sequence[str] = ()) -> None:
        node = self.root.add("L")
        for label, text in rows:
            shown = _mono(text) if label in mono else _x(text)
            markup = f'<font color="#4a4f58">{_x(label)}:</font> {shown}'
            self.flow.append(self._words(markup, _PAIR, node.add("LI").add("LBody")))

    def _left_out(self, count: int, what: str, where: str) -> None:
        if count > 0:
            self._text(f"{number(count)} {what} not shown here. {where}", _BOLD)

    def _table(self, head: Sequence[str], widths: Sequence[float], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> None:
        """``rows``: cells as markup. ``widths`` in parts of the page."""
        table = self.root.add("Table")
        line = table.add("TR")
        cells = [[self._words(_x(text, BOLD), _HEAD, line.add("TH", scope="Column")) for text in head]]
        for row in rows:
            line = table.add("TR")
            cells.append([self._words(cell, _NUMBER if at in numbers else _CELL, line.add("TD")) for at, cell in enumerate(row)])
        grid = Grid(
            cells,
            colWidths=[_WIDTH * width / sum(widths) for width in widths],
            repeatRows=1,
            style=[
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, 0), 1, _INK),
                ("LINEBELOW", (0, 1), (-1, -1), 0.4, _LINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 5),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ],
        )
        self.flow += [grid, Spacer(0, 6)]

    # --- parts -------------------------------------------------------------------------------------------------------------------

    def _page_one(self) -> None:
        model, assessment = self.model, self.model["assessment"]
        visit = model["visit"]
        self._text(f"Device triage report. {'Reference ' + visit['reference'] if visit['reference'] else 'No reference recorded'}", _SMALL)
        if model["alarm"]:
            self._boxed([(model["alarm"], _BOLD)], 2)
        self._boxed(
            [("Result", _SMALL), (wording.OUTCOMES[model["outcome"]], _H1), (assessment["headline"], _BIG), (model["looked_at"], _BIG)], 1
        )
        if model["reasons"]:
            self._one("Why")
            self._items(model["reasons"], 3, model["reasons_in"], numbered=True)
        if assessment["counter_indications"]:
            self._one("What points the other way")
            self._items(assessment["counter_indications"], 3, "in report.json")
        self._one("What to do")
        self._items(model["advice"], 7, "in report.json")
        self._text(wording.DECISION, _BOLD)
        self._one("What was not checked")
        if assessment["not_checked"]:
            self._items(assessment["not_checked"], 5, "under What was and was not checked")
        else:
            self._text(wording.ALL_CHECKED)
        self._one("How much was looked at")
        self._text(", ".join(f"{count} {what}" for count, what in model["figures"]) + ".")
        self._one("Who, when and on what authority")
        if not visit["recorded"]:
            self._text(wording.NO_VISIT, _BOLD)
        self._pairs(model["who"])
        self._text(wording.CLOCK, _SMALL)
        self._text(wording.SEAL, _SMALL)

    def _one(self, text: str) -> None:
        self._heading(text, 2, _ONE)

    def _boxed(self, texts: Sequence[tuple[str, ParagraphStyle]], thick: float) -> None:
        words = []
        for text, style in texts:
            heading = style is _H1
            made = self._words(_x(text, style.fontName), style, self.root.add("H1" if heading else "P"))
            if heading:
                made.bookmark = ("result", _plain(text, BOLD, 120), 0)
            words.append(made)
        box = [("BOX", (0, 0), (-1, -1), thick, _INK), ("LINEBEFORE", (0, 0), (0, -1), 5, _INK), ("LEFTPADDING", (0, 0), (-1, -1), 12)]
        inside = [("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 2)]
        self.flow += [Grid([[item] for item in words], colWidths=[_WIDTH], style=[*box, *inside]), Spacer(0, 6)]

    def _conditions(self) -> None:
        self._heading("Conditions of the order")
        conditions = self.model["conditions"]
        if not conditions:
            self._text("No conditions were given for this scan.")
            return
        self._text(wording.CONDITIONS_MEAN)
        for item in conditions:
            self._heading(f"Condition {item['id']}: {wording.CONDITIONS[item['outcome']]}", 3)
            self._text(f"“{item['text']}”")
            if item["shown"]:
                self._text(f"Observations relevant to condition {item['id']}. The strongest is of {item['strength']} severity.")
                shown = item["shown"][:CONDITION_FINDINGS]
                self._list(f"{_x(f['title'])}{', in ' + _mono(f['path']) if f['path'] else ''}" for f in shown)
                self._left_out(len(item["findings"]) - len(shown), "further observations are", "They are in report.json.")
            else:
                self._items(item["reasons"], 10, "in report.json")
            for title, texts in item["more"]:
                self._text(title, _BOLD)
                self._items(texts, 8, "in report.json", style=_SUB)

    def _findings(self) -> None:
        self._heading("Findings")
        model = self.model
        if not model["groups"]:
            self._text(f"No finding was made in what was checked: {model['figures_text']}.")
            return
        total = model["findings_total"]
        self._text(f"{number(total)} {'finding' if total == 1 else 'findings'}. {wording.FINDINGS_MEAN}")
        strongest = {finding["id"] for finding in self.document["findings"][:FINDINGS]}
        self._left_out(total - len(strongest), "weaker findings are", "See report.html and report.json.")
        for group in model["groups"]:
            shown = [finding for finding in group["findings"] if finding["id"] in strongest]
            if not shown:
                continue
            of_all = f" shown of {number(group['total'])}" if group["total"] > len(shown) else ""
            self._heading(f"{group['category']} ({number(len(shown))}{of_all})", 3)
            for finding in shown:
                self._finding(finding)

    def _finding(self, finding: dict[str, Any]) -> None:
        self._heading(finding["title"], 4)
        strength = f"Severity {finding['severity']} of 5, {wording.SEVERITIES[finding['severity']]}."
        self._markup(f"<b>{_x(strength, BOLD)}</b> {_x(wording.INDICATES[finding['indicates']])}.")
        self._text(finding["explanation"])
        if finding["context"]:
            self._text(finding["context"])
        self._text("It may be innocent:", _BOLD)
        self._items(finding["innocent_explanations"], 10, "in report.json", style=_SUB)
        self._pairs(finding["details"], ("Path", "MD5", "SHA-1", "SHA-256"))

    def _devices(self) -> None:
        self._heading("Devices met")
        devices = self.model["devices"]
        if not devices["rows"]:
            self._text("No record of a device was read. A device that was never connected leaves none.")
        else:
            self._text(f"{' '.join(f'{words}: {number(count)}.' for words, count in devices['summary'])} {wording.DEVICES_MEAN}")
            if devices["drawing"]:
                self._drawing(devices["drawing"])
            if devices["questions"]:
                self._heading("Questions to ask", 3)
                self._items(devices["questions"], 12, "in report.json", numbered=True)
            self._table(
                ("Device", "Seen", "Declared?", "Where it is recorded"),
                (28, 22, 18, 32),
                (
                    (
                        f"{row['number']}. {_x(row['title'], limit=LONGEST_CELL)}<br/>{_x(row['kind'])}<br/>{_mono(row['numbers'], LONGEST_CELL)}",
                        _x(f"First {row['first']}. Last {row['last']}."),
                        f"<b>{_x(row['declared'], BOLD)}</b><br/>{_x(row['why'], limit=LONGEST_CELL)}",
                        _x("; ".join(row["proofs"]) + f". How sure: {row['strength']}.", limit=LONGEST_CELL),
                    )
                    for row in devices["rows"][:DEVICES]
                ),
            )
            self._left_out(devices["hidden"] + max(0, len(devices["rows"]) - DEVICES), "devices are", "All of them are in report.json.")
        if devices["others_count"]:
            self._text(
                f"Mice, keyboards, hubs and the like, which hold nothing, {number(devices['others_count'])} in all: {devices['others']}.",
                _SMALL,
            )

    def _drawing(self, drawing: dict[str, Any]) -> None:
        scale = _WIDTH / drawing["width"]
        height = drawing["height"] * scale

        def paint(canvas: Any) -> None:
            canvas.setFont(SANS, 6.5)
            canvas.setFillColor(_INK)
            canvas.setStrokeColor(_LINE)
            for tick in drawing["ticks"]:
                canvas.line(tick["x"] * scale, 0, tick["x"] * scale, height - 12)
                canvas.drawString(tick["x"] * scale, height - 8, str(tick["year"]))
            canvas.setStrokeColor(_INK)
            for bar in drawing["bars"]:
                y = height - bar["y"] * scale
                canvas.drawString(0, y - 2, _plain(bar["text"], SANS, 60))
                canvas.setLineWidth(4 if bar["open"] else 1)
                canvas.line(bar["x1"] * scale, y, bar["x2"] * scale, y)

        node = self.root.add("Figure", alt=_plain(f"Devices over time. {drawing['words']}", SANS))
        self.flow += [Figure(_WIDTH, height, node, paint), Spacer(0, 4)]
        self._text(wording.DEVICE_LINES, _SMALL)

    def _activity(self) -> None:
        self._heading("Use over time")
        activity = self.model["activity"]
        if activity["drawing"]:
            self._plot(activity["drawing"])
        if not activity["rows"]:
            self._text("No record with a time was read.")
        else:
            self._text(f"{wording.ACTIVITY_MEAN.format(period=activity['period'])} {activity['summary']}")
            rows = ((_x(row["when"]), number(row["total"]), _x(row["kinds"])) for row in activity["rows"])
            self._table((activity["period"].capitalize(), "Records", "Of these"), (25, 12, 63), rows, (1,))
            self._left_out(activity["hidden"], activity["hidden_words"], "All days are in report.json.")
        self._text(wording.TIMELINE, _SMALL)

    def _plot(self, plot: dict[str, Any]) -> None:
        scale = _WIDTH / plot["width"]
        height = plot["height"] * scale

        def paint(canvas: Any) -> None:
            canvas.setFont(SANS, 6.5)
            canvas.setFillColor(_INK)
            canvas.setStrokeColor(_LINE)
            for tick in plot["ticks"]:
                canvas.line(tick["x"] * scale, 0, tick["x"] * scale, height - 12)
                canvas.drawString(tick["x"] * scale + 1, height - 8, tick["text"])
            canvas.setStrokeColor(_INK)
            for lane in plot["lanes"]:
                canvas.drawString(0, height - lane["y"] * scale, lane["text"])
            canvas.line(plot["left"] * scale, height - plot["base"] * scale, _WIDTH, height - plot["base"] * scale)
            for bar in plot["bars"]:
                top = height - bar["y"] * scale
                canvas.rect(bar["x"] * scale, top - bar["height"] * scale, bar["width"] * scale, bar["height"] * scale, stroke=0, fill=1)
            for mark in plot["cleanup"]:
                x, y = mark["x"] * scale, height - mark["y"] * scale
                path = canvas.beginPath()
                path.moveTo(x, y + 4)
                path.lineTo(x + 4, y - 4)
                path.lineTo(x - 4, y - 4)
                path.close()
                canvas.drawPath(path, stroke=0, fill=1)
            for mark in plot["devices"]:
                canvas.circle(mark["x"] * scale, height - mark["y"] * scale, 3, stroke=1, fill=0)

        node = self.root.add("Figure", alt=_plain(f"Use, clean-up and new devices by day. {plot['words']}", SANS, 2 * LONGEST_TEXT))
        self.flow += [Figure(_WIDTH, height, node, paint), Spacer(0, 4)]
        self._text(
            f"{plot['words']} In the drawing, bars are records of use, triangles are signs of clean-up, circles are devices.", _SMALL
        )

    def _cleanup(self) -> None:
        self._heading("Signs of clean-up")
        cleanup, gone = self.model["cleanup"], self.model["gone"]
        if cleanup["periods"] or cleanup["signs"]:
            self._text(wording.CLEANUP_MEAN)
        else:
            self._text("No sign of clean-up was found in what was checked. Records can be removed without a trace.")
        for period in cleanup["periods"][:NOTES]:
            self._heading(f"{period['when']}: {period['strength']}, {period['score']} of 100", 3)
            for text in (period["detail"], f"Use in these days: {period['use']}" if period["use"] else ""):
                if text:
                    self._text(text)
            parts = ((part, f" It may be innocent: {part['innocent']}" if part["innocent"] else "") for part in period["parts"])
            self._list(_x(f"{part['what']} ({part['strength']}, {part['points']} points).{innocent}") for part, innocent in parts)
        if cleanup["signs"]:
            keys = ("when", "kind", "strength", "detail")
            rows = (tuple(_x(sign[key], limit=LONGEST_CELL) for key in keys) for sign in cleanup["signs"])
            self._table(("When", "What", "Strength", "In words"), (22, 20, 10, 48), rows)
        self._left_out(cleanup["hidden"], "further signs are", "They are in report.json.")
        if gone["rows"]:
            self._heading("Files that records remember and that are not here now", 3)
            self._text(wording.GONE_MEAN)
            files = (
                (_mono(row["path"], LONGEST_CELL), *(_x(row[key], limit=LONGEST_CELL) for key in ("seen", "where", "how")))
                for row in gone["rows"]
            )
            self._table(("File", "Last seen", "Where it went", "Remembered by"), (42, 16, 16, 26), files)
            self._left_out(gone["hidden"], "further files are", "They are in report.json.")

    def _software(self) -> None:
        self._heading("Programs that may matter")
        software = self.model["software"]
        if software["rows"]:
            self._text(wording.SOFTWARE_MEAN)
            rows = (
                (
                    f"<b>{_x(row['name'], BOLD, LONGEST_CELL)}</b><br/>{_x(row['what'], limit=LONGEST_CELL)}",
                    _x(f"{row['state']}. Severity {row['severity']} of 5. How sure: {row['strength']}."),
                    _x(row["when"]),
                    _x(f"{row['summary']} It may be innocent: {row['innocent']}", limit=2 * LONGEST_CELL),
                )
                for row in software["rows"]
            )
            self._table(("Program", "State", "Seen", "What the traces say"), (24, 18, 18, 40), rows)
            self._left_out(software["hidden"], "further programs are", "They are in report.json.")
        else:
            self._text("No program of the software catalogue was met in what was checked.")
        self._heading("Pictures and videos")
        if self.model["pictures"]:
            self._text("By count. No picture is shown here.")
            self._pairs(self.model["pictures"])
        else:
            self._text("No picture or video was met in what was checked.")

    def _coverage(self) -> None:
        self._heading("What was and was not checked")
        coverage = self.model["coverage"]
        if not coverage["rows"] and not coverage["missing"]:
            self._text(wording.NO_COVERAGE, _BOLD)
            return
        self._text(wording.COVERAGE_MEAN)
        rows = coverage["rows"][:COVERAGE_ROWS]
        self._table(
            ("What", "Where", "What became of it", "Number", "Size", "Reason"),
            (30, 10, 20, 9, 9, 22),
            (
                (
                    _x(row["what"], limit=LONGEST_CELL) + (f"<br/>{_mono(row['path'], LONGEST_CELL)}" if row["path"] else ""),
                    _x(row["where"], limit=LONGEST_CELL),
                    f"<b>{_x('Gap: ' + row['status'], BOLD)}</b>" if row["gap"] else _x(row["status"]),
                    row["count"],
                    row["size"],
                    _x(row["reason"] or "", limit=LONGEST_CELL),
                )
                for row in rows
            ),
            (3, 4),
        )
        self._left_out(coverage["hidden"] + len(coverage["rows"]) - len(rows), "further lines are", "All are in report.json.")
        if coverage["left_out"]:
            self._heading("Left out by a rule", 3)
            self._items(coverage["left_out"], 20, "in report.json")
        if coverage["missing"]:
            self._heading("Looked for and not there", 3)
            for item in coverage["missing"]:
                where = f"On {item['where']}: " if item["where"] else ""
                self._text(f"{where}{number(len(item['titles']))} kinds of record ({item['reason']}). They are named {_IN_HTML}.")

    def _sources(self) -> None:
        self._heading("Devices and volumes")
        for source in self.model["sources"]:
            self._heading(f"{source['id']}: {source['path']}", 3)
            self._pairs(source["facts"])
            if not source["volumes"]:
                self._text("No volume was found on it.")
                continue
            keys = ("id", "kind", "label", "encryption", "entries", "size")
            self._table(
                ("Volume", "Kind", "Label", "Encryption", "Entries", "Size", "State"),
                (9, 20, 14, 14, 11, 10, 22),
                (
                    (*(_x(v[key], limit=LONGEST_CELL) for key in keys), _x(("Gap: " if v["gap"] else "") + v["state"], limit=LONGEST_CELL))
                    for v in source["volumes"]
                ),
                (4, 5),
            )
        if not self.model["sources"]:
            self._text("No source was opened.")

    def _method(self) -> None:
        self._heading("How it was done, and how to do it again")
        method = self.model["method"]
        self._pairs(method["facts"])
        if method["rules"]:
            self._heading("Rules, by SHA-256", 3)
            self._pairs(method["rules"])
        self._heading("Hash sets", 3)
        for facts in method["hash_sets"]:
            self._pairs(facts)
        if not method["hash_sets"]:
            self._text("No hash set was loaded. No file could be known by its hash.")
        if method["artefacts"]:
            self._heading("Records that were read, and on what their reading was validated", 3)
            self._list(f"{_x(title)}: {_x(validation)}" for title, validation in method["artefacts"])
        self._heading("To do it again", 3)
        self._text(wording.AGAIN)
        if method["command"]:
            self._markup(_mono(method["command"]))
        self._heading("Runs", 3)
        rows = ((str(at), _x(run["started"]), _x(run["finished"]), _x(run["ending"])) for at, run in enumerate(method["runs"], 1))
        self._table(("Run", "Started", "Ended", "How it ended"), (8, 28, 28, 36), rows)
        self._text(_ABOUT, _SMALL)

    def _audit(self) -> None:
        for title, name, columns, empty in (
            ("What the scan touched", "touches", (("What", "what"), ("Why", "why")), wording.NO_TOUCH),
            ("What the officer did and noted", "operator", (("Action", "action"), ("Note", "text")), "None recorded."),
            ("What went wrong and was survived", "errors", (("Where", "where"), ("What", "reason")), "None recorded."),
        ):
            self._heading(title)
            notes = self.model[name]
            shown = notes["rows"][:NOTES]
            if not shown:
                self._text(empty)
                continue
            cells = ((_x(row["time"]), *(_x(row[key], limit=LONGEST_CELL) for _, key in columns)) for row in shown)
            self._table(("When", *(label for label, _ in columns)), (22, 39, 39), cells)
            self._left_out(notes["hidden"] + len(notes["rows"]) - len(shown), "further lines are", "They are in the journal.")

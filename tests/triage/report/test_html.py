"""report.html: one file that needs nothing, says the outcome in words, hides no gap, and lets no evidence act."""

from __future__ import annotations

import base64
import hashlib
import html as html_module
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from artefacts.registry import all_artefacts
from triage.report import document, html, wording
from triage.report import page as page_model
from triage.report.case import load
from triage.report.html import _css_string
from triage.report.page import _activity, moment, number, pairs, size
from triage.text import visible

CASES = ("clean", "found", "locked", "referred", "hostile")
ELEMENTS = set(re.findall(r"\S+", "html head meta title style body a header p strong bdi main div h1 h2 h3 h4 ol ul li dl dt dd nav section article span b br table caption thead tbody tr th td svg rect line text path circle"))  # fmt: skip
ATTRIBUTES = set(re.findall(r"\S+", "lang charset http-equiv content name class href id aria-label aria-hidden role scope data-label viewbox preserveaspectratio x y width height aria-labelledby x1 x2 y1 y2 d cx cy r"))  # fmt: skip


class Page(HTMLParser):
    """What a browser would make of the page: elements, attributes, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def _page(makers: SimpleNamespace, tmp_path: Path, name: str) -> str:
    return html.render(document.build(load(getattr(makers, name)(tmp_path / name))))


def _page_one(page: str) -> str:
    return page[page.index('<main id="page-one">') : page.index('<nav class="contents"')]


@pytest.mark.parametrize("name", CASES)
def test_one_file_without_script_or_network(makers: SimpleNamespace, tmp_path: Path, name: str) -> None:
    page = _page(makers, tmp_path, name)
    parsed = Page(page)
    assert {tag for tag, _ in parsed.elements} <= ELEMENTS
    assert {attribute for _, attributes in parsed.elements for attribute in attributes} <= ATTRIBUTES
    assert all(attributes["href"].startswith("#") for tag, attributes in parsed.elements if tag == "a")
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["href"][1:] for tag, attributes in parsed.elements if tag == "a"} <= set(ids)
    (policy,) = [a["content"] for tag, a in parsed.elements if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    style = page[page.index("<style>") + 7 : page.index("</style>")]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    page.encode("utf-8")


def test_evidence_in_a_style_sheet_is_only_text(makers: SimpleNamespace, tmp_path: Path) -> None:
    assert _css_string('a"\\; } @import </style>\n£') == "a\\22 \\5c \\3b  \\7d  \\40 import \\3c \\2f style\\3e \\a \\a3 "
    page = _page(makers, tmp_path, "hostile")
    style = page[page.index("<style>") : page.index("</style>")]
    assert "script" in style and "<script" not in style and page.count("</style>") == 1


@pytest.mark.parametrize("name", CASES)
def test_nothing_acts_in_the_text(makers: SimpleNamespace, tmp_path: Path, name: str) -> None:
    page = _page(makers, tmp_path, name)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)
    assert max(map(len, page.split())) < 2_000


def test_hostile_text_is_shown_as_text(makers: SimpleNamespace, tmp_path: Path) -> None:
    page = _page(makers, tmp_path, "hostile")
    for text in makers.HOSTILE:
        assert (
            str(html_module.escape(visible("/" + text, page_model.LONGEST_TEXT))).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
            in page
        )
    assert "{{7*7}}" in page and "{{7*7}}" in Page(page).text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("found", "Grounds to consider seizure"),
        ("referred", "A specialist should look"),
        ("clean", "Nothing found in what was checked"),
        ("locked", "Could not be checked"),
    ],
)
def test_page_one_says_the_outcome_and_all_that_belongs_to_it(makers: SimpleNamespace, tmp_path: Path, name: str, words: str) -> None:
    page = _page_one(_page(makers, tmp_path, name))
    text = Page(page).text
    assert f"<h1>{words}</h1>" in page
    others = set(wording.OUTCOMES.values()) - {words}
    assert not [other for other in others if other in text]
    for heading in ("What to do", "What was not checked", "How much was looked at", "Who, when and on what authority"):
        assert f"<h2>{heading}</h2>" in page
    assert wording.DECISION in text and wording.CLOCK in text and wording.SEAL in text
    assert "breach" not in text.lower() and "guilty" not in text.lower()


def test_nothing_found_stands_only_beside_how_much_was_looked_at(makers: SimpleNamespace, tmp_path: Path) -> None:
    page = _page(makers, tmp_path, "clean")
    text = Page(_page_one(page)).text
    assert "Nothing found in what was checked. Looked at 1 of 1 volume: 41,220 files, 21.2 GB." in text
    assert "41,220 files read (21.2 GB)" in text and "131,906 files and folders listed" in text
    assert "No finding was made in what was checked: 1 device or image, 1 volume, 131,906 files and folders listed" in Page(page).text


def test_no_visit_file_is_said_on_page_one(makers: SimpleNamespace, tmp_path: Path) -> None:
    assert wording.NO_VISIT in Page(_page_one(_page(makers, tmp_path, "locked"))).text
    assert wording.NO_VISIT not in _page(makers, tmp_path, "found")


def test_an_unlocked_live_machine_is_the_first_thing_said(makers: SimpleNamespace, tmp_path: Path) -> None:
    page = _page_one(_page(makers, tmp_path, "referred"))
    alarm = '<div class="alarm" role="note"><p>Do not switch this computer off.'
    assert page.index(alarm) < page.index("<h1>")
    assert page.count("Do not switch this computer off") == 1
    assert alarm not in _page(makers, tmp_path, "found")


def test_gaps_come_first_and_in_words(makers: SimpleNamespace, tmp_path: Path) -> None:
    page = _page(makers, tmp_path, "found")
    coverage = page[page.index('<h2 id="coverage">') : page.index('<h2 id="sources">')]
    rows = re.findall(r"<tr role=\"row\"(?: class=\"(gap)\")?><td.*?</tr>", coverage)
    assert rows == ["gap"] * 3 + [""] * (len(rows) - 3) and len(rows) == 10
    assert coverage.count("Gap: ") == 3
    assert "Encrypted, not read" in coverage and "BitLocker, no key was given" in coverage and "Left out by a rule" in coverage


def test_every_artefact_that_was_looked_for_is_named(makers: SimpleNamespace, tmp_path: Path) -> None:
    maker = makers.Maker(tmp_path / "c").open().source()
    artefacts = all_artefacts()
    for artefact in artefacts[1:]:
        maker.total(artefact.id, "missing", 1, volume="", reason="no such file was found")
    maker.total(artefacts[0].id, "failed", 1)
    text = Page(html.render(document.build(load(maker.finish())))).text
    assert len(artefacts) > 3
    missing = text[text.index("Looked for and not there") : text.index("( no such file was found )")]
    for artefact in artefacts[1:]:
        assert visible(artefact.title) in missing
    assert re.search(rf"{re.escape(artefacts[0].title)} +{re.escape(artefacts[0].id)} .*?Gap: Went wrong while being read", text)


def test_innocent_explanations_stand_beside_each_finding(makers: SimpleNamespace, tmp_path: Path) -> None:
    page = _page(makers, tmp_path, "found")
    articles = re.findall(r"<article.*?</article>", page, re.DOTALL)
    assert len(articles) == 6
    for article in articles:
        assert "It may be innocent:" in article and article.count("<li>") >= 1 and "<details" not in article
    assert "Many computers are sold with BitLocker turned on." in page


def test_large_cases_say_exactly_what_is_left_out(makers: SimpleNamespace, tmp_path: Path) -> None:
    maker = makers.Maker(tmp_path / "c").open(makers.VISIT).source()
    for place in range(page_model.FINDINGS + 37):
        maker.add("finding", **makers.finding(place, bears_on=["keep_history"]))
    for place in range(page_model.COVERAGE_ROWS + 11):
        maker.cover("YARA", "failed", 1, path=f"/{place:04d}", reason="r")
    for place in range(page_model.NOTES + 5):
        maker.add("error", where="w", reason=f"number {place}")
    page = html.render(document.build(load(maker.finish())))
    text = Page(page).text
    assert page.count("<article") == page_model.FINDINGS
    assert "237 findings, the strongest first" in text and "37 weaker findings are not shown here. All are in report.json." in text
    assert "11 further lines are not shown here. Of these, 11 are gaps." in text
    assert "5 further errors are not shown here. They are in the journal." in text
    assert f"{237 - page_model.CONDITION_FINDINGS} further observations are not shown here. They are in report.json." in text


def test_a_force_can_change_its_brand(makers: SimpleNamespace, tmp_path: Path) -> None:
    folder = tmp_path / "force"
    folder.mkdir()
    (folder / "report.html.j2").write_text(
        '{% extends "base/report.html.j2" %}{% block brand %}<p>Example Constabulary</p>{% endblock %}', "utf-8"
    )
    built = document.build(load(makers.clean(tmp_path / "c")))
    page = html.render(built, overrides=folder)
    assert "<p>Example Constabulary</p>" in page and "<strong>Device triage report</strong>" not in page
    assert "Nothing found in what was checked" in page


def test_own_templates_are_named_on_the_command_line(makers: SimpleNamespace, tmp_path: Path) -> None:
    folder, case, out = tmp_path / "force", makers.clean(tmp_path / "c"), tmp_path / "out"
    folder.mkdir()

    def report() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "triage.cli", "report", str(case), "--out", str(out), "--template-dir", str(folder)]
        return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3])

    assert (report().returncode, out.exists()) == (2, False)
    (folder / "report.html.j2").write_text("{% if %}", "utf-8")
    wrong = report()
    assert wrong.returncode == 1 and "is wrong" in wrong.stderr and "Traceback" not in wrong.stderr
    (folder / "report.html.j2").write_text('{% extends "base/report.html.j2" %}{% block brand %}<p>Force</p>{% endblock %}', "utf-8")
    assert report().returncode == 0 and "<p>Force</p>" in (out / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (99_949, "99.9 kB"), (99_950, "100 kB"), (999_499, "999 kB"),
     (999_500, "1.0 MB"), (21_214_000_000, "21.2 GB"), (10**24, "1000000 EB")],
)  # fmt: skip
def test_sizes(value: int | None, text: str) -> None:
    assert size(value) == text


def test_small_words() -> None:
    assert number(1234567) == "1,234,567" and number(None) == ""
    assert moment("2026-11-21T09:05:07.123456Z") == "21 November 2026, 09:05:07 UTC"
    assert moment("2026-99-21T09:05:07Z") == "2026-99-21T09:05:07Z" and moment(None) == ""
    assert pairs({"a_b": {"c": 12345, "d": None}, "e": [1, "x"], "f": True}) == [("A b, c", "12,345"), ("E", "1, x"), ("F", "True")]


def test_use_is_shown_by_a_period_that_fits() -> None:
    days = {f"2026-01-{day:02d}": {"PageVisit": day} for day in range(1, 32)}
    assert [_activity(days)[key] for key in ("period", "hidden")] == ["day", 0]
    assert _activity(days)["rows"][30] == {"when": "31 January 2026", "total": 31, "share": "100", "kinds": "pages 31"}
    days["2026-02-01"] = {"Download": 1}
    assert [row["total"] for row in _activity(days)["rows"]] == [496, 1]
    wide = {f"{year:04d}-06-01": {"PageVisit": 1} for year in range(1980, 2027)}
    shown = _activity(wide)
    assert (shown["period"], shown["hidden"], shown["hidden_words"], shown["rows"][-1]["when"]) == ("year", 16, "earlier years are", "2026")


def _syllables(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word.lower()))
    if re.search(r"[^aeiouyl]e$|[^aeiouydt]ed$|[^aeiouysxzhcg]es$", word.lower()) and groups > 1:
        groups -= 1
    return max(1, groups)


def reading_ease(text: str) -> float:
    """Flesch's reading ease, 206.835 − 1.015 words per sentence − 84.6 syllables per word; syllables are counted by vowel groups."""
    sentences = [part for part in re.split(r"[.!?:]+(?:\s|$)", text) if re.search(r"[a-z]", part)]
    words = re.findall(r"[A-Za-z']+", text)
    return 206.835 - 1.015 * len(words) / len(sentences) - 84.6 * sum(map(_syllables, words)) / len(words)


def test_the_measure_of_reading_ease() -> None:
    assert reading_ease("The cat sat on the mat. The dog ran off.") > 100
    assert (
        reading_ease("Notwithstanding evidential considerations, authoritative determinations necessitate multidisciplinary evaluation.")
        < 0
    )


@pytest.mark.parametrize("name", ["clean", "found", "locked", "referred"])
def test_page_one_reads_easily(makers: SimpleNamespace, tmp_path: Path, name: str) -> None:
    page = _page_one(_page(makers, tmp_path, name))
    page = page[: page.index('<dl class="figures">')] + page[page.index('<p class="small soft">') :]
    sentences = re.findall(r"<(?:p|li|h1|h2)[^>]*>(.*?)</(?:p|li|h1|h2)>", page, re.DOTALL)
    text = " ".join(re.sub(r"<[^>]+>", "", part).strip().rstrip(".") + "." for part in sentences)
    assert reading_ease(html_module.unescape(text)) >= 55


CONTRASTS = [("#16181d", "#ffffff"), ("#4a4f58", "#ffffff"), ("#4a4f58", "#f3f4f6"), ("#0b4a8f", "#ffffff")]


@pytest.mark.parametrize(("ink", "paper"), CONTRASTS)
def test_contrast_is_at_least_aa(ink: str, paper: str) -> None:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    assert (light(paper) + 0.05) / (light(ink) + 0.05) >= 4.5


@pytest.mark.tools
@pytest.mark.slow
@pytest.mark.parametrize("name", ["hostile", "found"])
def test_in_a_real_browser_nothing_is_added_and_nothing_refused(makers: SimpleNamespace, tmp_path: Path, name: str) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    page = _page(makers, tmp_path, name)
    file = tmp_path / "report.html"
    file.write_text(page, "utf-8")
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'p'}", "--dump-dom", file.as_uri()],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    wanted, got = Page(page), Page(done.stdout.decode("utf-8"))
    assert [tag for tag, _ in got.elements] == [tag for tag, _ in wanted.elements]
    assert got.text.strip() == wanted.text.strip()
    assert b"Content Security Policy" not in done.stderr and b"Refused" not in done.stderr

"""report.pdf: the same bytes from the same journal, page one as in report.html, tagged, fonts inside, and nothing of evidence acts."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pypdfium2
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from triage.report import document, html, pdf
from triage.report import page as page_model
from triage.report.case import load

CASES = ("clean", "found", "locked", "referred", "hostile")


def _built(makers: SimpleNamespace, tmp_path: Path, name: str) -> dict[str, Any]:
    return document.build(load(getattr(makers, name)(tmp_path / name)))


def _pages(data: bytes) -> list[str]:
    """The text of each page, blanks evened out, words that were broken at the end of a line joined by a blank."""
    with pypdfium2.PdfDocument(data) as opened:
        return [re.sub(r"\s+", " ", page.get_textpage().get_text_range().replace("\ufffe", "")) for page in opened]


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("name", CASES)
def test_same_document_same_bytes(makers: SimpleNamespace, tmp_path: Path, name: str) -> None:
    built = _built(makers, tmp_path, name)
    assert pdf.render(built) == pdf.render(built)


def test_same_bytes_in_another_process_zone_and_time(makers: SimpleNamespace, tmp_path: Path) -> None:
    case = makers.found(tmp_path / "c")
    code = (
        "import sys, pathlib; from triage.report import document, pdf; from triage.report.case import load;"
        "sys.stdout.buffer.write(pdf.render(document.build(load(pathlib.Path(sys.argv[1])))))"
    )
    environment = {**os.environ, "TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "1000000000", "LANG": "C", "PYTHONHASHSEED": "7"}
    other = subprocess.run(
        [sys.executable, "-c", code, str(case)], capture_output=True, check=True, env=environment, cwd=Path(__file__).parents[3]
    )
    mine = pdf.render(document.build(load(case)))
    assert other.stdout == mine
    assert mine.startswith(b"%PDF-") and len(mine) > 50_000


@pytest.mark.parametrize("name", ["clean", "found", "locked", "referred"])
def test_page_one_says_what_the_page_says(makers: SimpleNamespace, tmp_path: Path, name: str) -> None:
    built = _built(makers, tmp_path, name)
    first = _squeezed(_pages(pdf.render(built))[0])
    page = html.render(built)
    one = page[page.index('<main id="page-one">') : page.index('<nav class="contents"')]
    texts = re.findall(r"<(?:h1|h2|li|p|dd)\b[^>]*>(.*?)</(?:h1|h2|li|p|dd)>", one, re.DOTALL)
    assert len(texts) > 15
    for text in texts:
        plain = re.sub(r"<[^>]+>", "", text).replace("&#39;", "'").replace("&#34;", '"').replace("&amp;", "&").replace("&gt;", ">").strip()
        assert _squeezed(plain) in first, plain


def test_foot_of_every_page(makers: SimpleNamespace, tmp_path: Path) -> None:
    pages = _pages(pdf.render(_built(makers, tmp_path, "found")))
    assert len(pages) > 3
    for number, text in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in text.replace(f"of{len(pages)}", f"of {len(pages)}")
        assert "OM/2026/0417 · Case c-0001" in text and "Fingerprint of the seal" in text


@pytest.mark.parametrize("name", CASES)
def test_fonts_are_inside_and_letters_can_be_read_back(
    makers: SimpleNamespace, tmp_path: Path, pdf_dictionaries: Callable[[bytes], Iterator[dict[str, Any]]], name: str
) -> None:
    fonts = [item for item in pdf_dictionaries(pdf.render(_built(makers, tmp_path, name))) if item.get("/Type") == "/Font"]
    used = [font for font in fonts if font["/Subtype"] != "/Type1"]
    assert {re.sub(r"^/[A-Z]+\+", "", str(font["/BaseFont"])) for font in used} == {"DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono"}
    for font in used:
        assert "/FontFile2" in font["/FontDescriptor"] and "/ToUnicode" in font


@pytest.mark.parametrize("name", CASES)
def test_all_that_is_drawn_is_in_the_structure_or_an_artifact(makers: SimpleNamespace, tmp_path: Path, name: str) -> None:
    data = pdf.render(_built(makers, tmp_path, name))
    reader = PdfFileReader(io.BytesIO(data))
    root = reader.root
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "en-GB" and root["/ViewerPreferences"]["/DisplayDocTitle"]
    roles: dict[str, int] = {}

    def walk(node: Any) -> Iterator[tuple[int, int]]:
        roles[node["/S"]] = roles.get(node["/S"], 0) + 1
        for at in range(len(node["/K"])):
            kid = node["/K"][at]
            if kid.get("/Type") == "/MCR":
                yield kid.raw_get("/Pg").idnum, int(kid["/MCID"])
            else:
                yield from walk(kid)

    assert len(root["/StructTreeRoot"]["/K"]) == 1
    top = root["/StructTreeRoot"]["/K"][0]
    owned = list(walk(top))
    assert len(owned) == len(set(owned)) > 20
    assert {"/Document", "/H1", "/H2", "/P", "/L", "/LI", "/LBody", "/Table", "/TR", "/TH", "/TD"} <= set(roles)
    assert roles["/H1"] == 1
    numbers = root["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    found = set()
    pages = root["/Pages"]["/Kids"]
    for place in range(len(pages)):
        page, reference = pages[place], pages.raw_get(place).idnum
        assert page["/StructParents"] == place and page["/Tabs"] == "/S"
        tokens = re.findall(
            rb"/MCID (\d+)>> BDC|(/Artifact BMC)|\b(EMC)\b|\b(Tj|TJ|re|S|f|B|Do)\s*(?=\n|$|\s)", _without_strings(page["/Contents"].data)
        )
        depth, marks = 0, []
        for mark, artifact, end, drawn in tokens:
            if mark or artifact:
                depth += 1
                assert depth == 1
                marks += [int(mark)] if mark else []
            elif end:
                depth -= 1
            elif drawn in (b"Tj", b"TJ", b"Do"):
                assert depth == 1, "text outside of the structure"
        assert depth == 0 and marks == list(range(len(marks))) and len(numbers[2 * place + 1]) == len(marks)
        found |= {(reference, mark) for mark in marks}
    assert found == set(owned)


def _without_strings(content: bytes) -> bytes:
    return re.sub(rb"\((?:\\.|[^\\()])*\)", b"()", content, flags=re.DOTALL)


def test_bookmarks_lead_to_their_pages(makers: SimpleNamespace, tmp_path: Path) -> None:
    data = pdf.render(_built(makers, tmp_path, "found"))
    pages = _pages(data)
    with pypdfium2.PdfDocument(data) as opened:
        marks = [(item.get_title(), item.get_dest().get_index()) for item in opened.get_toc() if item.get_dest()]
    titles = [title for title, _ in marks]
    parts = ("Grounds to consider seizure", "Conditions of the order", "Findings", "Devices met", "Use over time", "Signs of clean-up",
             "Programs that may matter", "Pictures and videos", "What was and was not checked", "Devices and volumes", "How it was done, and how to do it again")  # fmt: skip
    assert [title for title in titles if title in parts] == list(parts)
    for title, index in marks:
        assert _squeezed(title) in _squeezed(pages[index]), title
    assert len({index for _, index in marks}) > 2


@pytest.mark.parametrize("name", CASES)
def test_nothing_in_it_acts(makers: SimpleNamespace, tmp_path: Path, inert: Callable[[bytes], None], name: str) -> None:
    inert(pdf.render(_built(makers, tmp_path, name)))


def test_hostile_text_is_drawn_as_text(makers: SimpleNamespace, tmp_path: Path) -> None:
    text = " ".join(_pages(pdf.render(_built(makers, tmp_path, "hostile"))))
    squeezed = _squeezed(text)
    for part in (
        "<script>document.title='owned'</script>",
        "{{7*7}}",
        "⟨U+202E⟩",
        "⟨ESC⟩",
        "</body></html><h1>Nothingfound</h1>",
        "⟨U+DC80",
    ):
        assert _squeezed(part) in squeezed, part
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b]", text)


def test_markup_of_reportlab_in_evidence_is_only_text(makers: SimpleNamespace, tmp_path: Path, inert: Callable[[bytes], None]) -> None:
    texts = [
        '<a href="http://203.0.113.9/">x</a>',
        '<img src="/etc/passwd"/>',
        "<b>bold",
        "&amp;&lt;",
        "<para>",
        '<font name="nosuch">',
        "<onDraw name='f'/>",
    ]
    maker = makers.Maker(tmp_path / "c").open(makers.VISIT).source()
    for number, text in enumerate(texts):
        maker.add(
            "finding", **makers.finding(number, title=text, explanation=text, context=text, path=f"/{text}", innocent_explanations=[text])
        )
    data = pdf.render(document.build(load(maker.finish())))
    squeezed = _squeezed(" ".join(_pages(data)))
    for text in texts:
        assert squeezed.count(_squeezed(text)) >= 5, text
    inert(data)


def test_letters_that_the_fonts_lack_are_shown_by_number(makers: SimpleNamespace, tmp_path: Path) -> None:
    maker = makers.Maker(tmp_path / "c").open(makers.VISIT).source()
    maker.add("finding", **makers.finding(1, title="Ελληνικά Кириллица 中文 שלום", path="/ملف/😀.jpg"))
    text = " ".join(_pages(pdf.render(document.build(load(maker.finish())))))
    assert "Ελληνικά Кириллица ⟨U+4E2D U+6587⟩" in text
    assert "⟨U+25A1⟩" not in text and "\ufffd" not in text


@pytest.mark.parametrize("letter", ["W", "中", "\u202e", "W ", "ﷺ"])
def test_endless_text_in_every_place_still_makes_pages(makers: SimpleNamespace, tmp_path: Path, letter: str) -> None:
    long = letter * 20_000
    maker = makers.Maker(tmp_path / "c").open(
        {**makers.VISIT, "reference": long, "officer": {"name": long}, "conditions": [{"id": long, "text": long, "checks": []}]}
    )
    maker.source(path=long, facts={long: long}).volume(id="v2", label=long, filesystem=long, description=long, reason=long)
    maker.add(
        "finding",
        **makers.finding(1, title=long, path=long, explanation=long, innocent_explanations=[long] * 5, context=long, category=long),
    )
    maker.cover(long, "failed", 1, reason=long, path=long)
    maker.add("error", where=long, reason=long)
    maker.add("operator", action=long, text=long)
    pages = _pages(pdf.render(document.build(load(maker.finish()))))
    assert 3 < len(pages) < 60


def test_long_lists_are_cut_and_say_so(makers: SimpleNamespace, tmp_path: Path) -> None:
    maker = makers.Maker(tmp_path / "c").open(makers.VISIT).source()
    for place in range(page_model.FINDINGS + 37):
        maker.add("finding", **makers.finding(place, bears_on=["keep_history"]))
    for place in range(page_model.COVERAGE_ROWS + 11):
        maker.cover("YARA", "failed", 1, path=f"/{place:04d}", reason="r")
    for place in range(pdf.NOTES + 5):
        maker.add("error", where="w", reason=f"number {place}")
    text = " ".join(_pages(pdf.render(document.build(load(maker.finish())))))
    assert f"{237 - pdf.FINDINGS} weaker findings are not shown here. See report.html and report.json." in text
    assert f"{page_model.COVERAGE_ROWS + 11 - pdf.COVERAGE_ROWS} further lines are not shown here. All are in report.json." in text
    assert "5 further lines are not shown here. They are in the journal." in text


@pytest.mark.tools
def test_poppler_finds_it_sound(makers: SimpleNamespace, tmp_path: Path) -> None:
    if shutil.which("pdfinfo") is None:
        pytest.skip("no pdfinfo (poppler-utils) on this machine")
    file = tmp_path / "report.pdf"
    file.write_bytes(pdf.render(_built(makers, tmp_path, "found")))
    done = subprocess.run(["pdfinfo", "-struct-text", str(file)], capture_output=True, text=True, check=True)
    assert not done.stderr
    assert re.search(r"H1 \(block\)\s+\"Grounds to consider seizure\"", done.stdout)
    assert len(re.findall(r"TH:\n +/Scope /Column", done.stdout)) >= 10
    facts = subprocess.run(["pdfinfo", str(file)], capture_output=True, text=True, check=True).stdout
    assert re.search(r"Tagged: +yes", facts) and re.search(r"JavaScript: +no", facts)

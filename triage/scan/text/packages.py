"""Documents that are zips: Office Open XML (ECMA-376), OpenDocument (ISO/IEC 26300) and XPS (ECMA-388)."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from artefacts.coverage import Problem, Status
from triage.scan.text.markup import xml_text
from triage.scan.text.parts import Budget, Member, Part, Text


@dataclass(frozen=True, slots=True)
class Package:
    """Which members of a package hold words, and how its XML parts them."""

    words: re.Pattern[str]
    embedded: re.Pattern[str]
    breaks: frozenset[str]
    attributes: frozenset[tuple[str, str]]


_OOXML = Package(
    # Document, headers, footers, notes, comments; strings, sheets, their comments; slides, their notes and comments; properties; hyperlinks.
    re.compile(
        r"(?:word/(?:document\d*|header\d+|footer\d+|footnotes|endnotes|comments\w*|glossary/document)\.xml"
        r"|xl/(?:sharedStrings|workbook|comments\d*|worksheets/sheet\d+|threadedComments/\w+|tables/\w+|drawings/\w+|comments/\w+)\.xml"
        r"|ppt/(?:slides/slide\d+|notesSlides/\w+|comments/\w+|comments\d*|slideMasters/\w+|slideLayouts/\w+|diagrams/data\d+)\.xml"
        r"|word/diagrams/data\d+\.xml|docProps/\w+\.xml|(?:word|xl|ppt)/(?:\w+/)*_rels/[\w.]+\.rels)",
        re.IGNORECASE,
    ),
    re.compile(r"(?:word|xl|ppt)/embeddings/.+", re.IGNORECASE),
    frozenset(
        [
            "p",
            "br",
            "cr",
            "tab",
            "row",
            "c",
            "si",
            "is",
            "t-break",
            "tr",
            "tc",
            "text",
            "definedName",
            "lpwstr",
            "lpstr",
            "title",
            "subject",
            "creator",
            "keywords",
            "description",
        ]
    ),
    frozenset((("sheet", "name"), ("Relationship", "Target"), ("docPr", "descr"), ("cNvPr", "descr"), ("tableColumn", "name"))),
)
_ODF = Package(
    re.compile(r"(?:.+/)?(?:content|styles|meta)\.xml"),
    re.compile(r"Object [^/]+"),
    frozenset(["p", "h", "tab", "s", "line-break", "title", "subject", "description", "keyword", "creator", "user-defined"]),
    frozenset((("table", "name"), ("a", "href"), ("page", "name"))),
)
_MARKUP = re.compile(r".*\.(?:xml|rels|vml)|mimetype", re.IGNORECASE)
_XPS = Package(
    re.compile(r"(?:.+/)?(?:[^/]+\.fpage|docProps/\w+\.xml)", re.IGNORECASE),
    re.compile(r"(?!)"),
    frozenset(["Glyphs", "Canvas", "title", "subject", "creator", "keywords", "description"]),
    frozenset((("Glyphs", "UnicodeString"), ("Path", "FixedPage.NavigateUri"))),
)
_ENCRYPTION = b"encryption-data"


def recognise(names: set[str]) -> Package | None:
    """The kind of document that a zip with these members is; None for an archive."""
    if "[Content_Types].xml" in names and any(name.lower().startswith(("word/", "xl/", "ppt/")) for name in names):
        return _OOXML
    if any(name.lower().endswith(".fpage") for name in names):
        return _XPS
    return _ODF if "content.xml" in names and "META-INF/manifest.xml" in names else None


def read(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], package: Package, budget: Budget) -> Iterator[Part]:
    """The words of each part that holds any, and embedded documents."""
    if package is _ODF and _ENCRYPTION in _content(archive, "META-INF/manifest.xml", budget)[0]:
        yield Problem("is protected by a password", Status.ENCRYPTED)
        return
    for info in members:
        name = info.filename
        is_words = package.words.fullmatch(name) is not None
        is_part = is_words or _MARKUP.fullmatch(name) is not None
        if (is_words and not budget.words) or not (is_words or package.embedded.fullmatch(name) or (budget.everything and not is_part)):
            continue
        if not budget.member() or budget.spent:
            yield Problem(budget.spent)
            return
        data, reason = _content(archive, name, budget)
        if reason:
            yield Problem(reason, locator=name)
        if not is_words:
            yield Member(name, data, "in a document")
        elif data:
            text, wrong = xml_text(data, package.breaks, package.attributes, budget)
            if wrong and not reason:
                yield Problem(wrong, locator=name)
            yield Text(text, name)


def _content(archive: zipfile.ZipFile, name: str, budget: Budget) -> tuple[bytes, str]:
    try:
        info = archive.getinfo(name)
        with archive.open(info) as content:
            return budget.expand(content, info.compress_size)
    except Exception as error:
        return b"", f"a part cannot be unpacked: {str(error) or type(error).__name__}"

"""PDF, read by PDFium: the text of each page with its notes, links and filled-in forms, what is attached, and the document's own description of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from artefacts.coverage import Problem, Status
from triage.scan.text import hidden, pdf_annotations
from triage.scan.text.parts import Budget, Member, Part, Text

MAX_PAGES = 2000
_MAX_PAGE_TEXT = 4 << 20
# PDFium puts one of these where a line ends in a hyphen that parts a word.
_HYPHENATED = re.compile("[\ufffe\x02][ \r\n]*")
_PROPERTIES = ("Title", "Author", "Subject", "Keywords")


def read(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """Text by page, attachments, properties."""
    import pypdfium2
    from pypdfium2 import PdfiumError

    if budget.everything:
        # A JPEG lies in a PDF as the file that it was: found there, it has its own bytes, and a damaged document gives it, too.
        yield from hidden.pictures(stream.read(hidden.MAX_HELD), budget, "in a document")
        stream.seek(0)
    try:
        document = pypdfium2.PdfDocument(stream)
    except PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            yield Problem("is protected by a password", Status.ENCRYPTED)
        else:
            yield Problem(f"is damaged: {error}")
        return
    try:
        yield from _read(document, budget, PdfiumError)
    finally:
        document.close()


def _read(document: Any, budget: Budget, failure: type[Exception]) -> Iterator[Part]:
    found = document.get_metadata_dict()
    with suppress(failure):
        document.init_forms()  # else the values filled into forms are no text of their pages
    yield Text("\n".join(found.get(name, "") for name in _PROPERTIES), "properties", "title")
    pages = len(document) if budget.words else 0
    for number in range(min(pages, MAX_PAGES)):
        if budget.spent:
            yield Problem(budget.spent)
            return
        text = _page(document, number, failure)
        if text is None:
            yield Problem("a page cannot be read", locator=f"page {number + 1}")
            continue
        budget.took(len(text))
        yield Text(_HYPHENATED.sub("", text), f"page {number + 1}")
    if pages > MAX_PAGES:
        yield Problem(f"has {pages} pages: the first {MAX_PAGES} were read")
    for number in range(document.count_attachments()):
        if not budget.member() or budget.spent:
            yield Problem(budget.spent)
            return
        attachment = document.get_attachment(number)
        try:
            data = bytes(attachment.get_data())
        except failure:
            yield Problem("an attachment cannot be read", locator=f"attachment {number + 1}")
            continue
        budget.took(len(data))
        yield Member(attachment.get_name() or f"attachment {number + 1}", data)


def _page(document: Any, number: int, failure: type[Exception]) -> str | None:
    """The text of a page; None where it cannot be read."""
    page = text = None
    try:
        page = document[number]
        text = page.get_textpage()
        words = [str(text.get_text_range(0, min(text.count_chars(), _MAX_PAGE_TEXT)))]
        return "\n".join(dict.fromkeys([*words, *pdf_annotations.texts(document, page, document.formenv)]))
    except failure:
        return None
    finally:
        if text is not None:
            text.close()
        if page is not None:
            page.close()

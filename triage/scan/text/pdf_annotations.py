"""What stands on a page of a PDF without being part of it: notes, values filled into forms, and where links lead."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

MAX_ANNOTATIONS = 5000
"""Of one page."""
_MAX_BYTES = 1 << 20
_KEYS = (b"Contents", b"Subj", b"T")


def texts(document: Any, page: Any, forms: Any) -> Iterator[str]:
    """The words of the annotations of ``page``, a pypdfium2 ``PdfPage``; ``forms``: the document's form environment, None without forms."""
    import pypdfium2.raw as pdfium

    for number in range(min(pdfium.FPDFPage_GetAnnotCount(page), MAX_ANNOTATIONS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        try:
            for key in _KEYS:
                yield _wide(lambda buffer, size: pdfium.FPDFAnnot_GetStringValue(annotation, key, buffer, size))  # noqa: B023
            if forms is not None and pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_WIDGET:
                yield _wide(lambda buffer, size: pdfium.FPDFAnnot_GetFormFieldValue(forms, annotation, buffer, size))  # noqa: B023
            link = pdfium.FPDFAnnot_GetLink(annotation)
            action = pdfium.FPDFLink_GetAction(link) if link else None
            if action:
                yield _bytes(lambda buffer, size: pdfium.FPDFAction_GetURIPath(document, action, buffer, size)).decode("utf-8", "replace")  # noqa: B023
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)


def _wide(get: Callable[[Any, int], int]) -> str:
    import pypdfium2.raw as pdfium

    return _bytes(lambda buffer, size: get(ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)) if buffer else None, size), 2).decode(
        "utf-16-le", "replace"
    )


def _bytes(get: Callable[[Any, int], int], width: int = 1) -> bytes:
    """PDFium's way to give a string: asked once for its length in bytes with the zero at its end, once for itself."""
    size = get(None, 0)
    if not width < size <= _MAX_BYTES:
        return b""
    buffer = ctypes.create_string_buffer(size)
    get(buffer, size)
    return buffer.raw[: size - width]

"""XML from the network: small, without anything that could grow or reach out."""

from __future__ import annotations

from xml.etree import ElementTree

LARGEST = 256 << 10  # bytes


def parse(data: bytes) -> ElementTree.Element | None:
    """The root element; None for what is too large, not XML, or declares entities."""
    if len(data) > LARGEST or b"<!DOCTYPE" in data or b"<!ENTITY" in data or b"\0" in data:
        return None
    start = data.find(b"<")
    try:
        return ElementTree.fromstring(data[max(start, 0) :])
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError):
        return None


def local(element: ElementTree.Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def first(root: ElementTree.Element, name: str) -> str:
    """The text of the first element below called ``name`` in any namespace, empty where there is none."""
    return next(((element.text or "").strip() for element in root.iter() if local(element) == name), "")

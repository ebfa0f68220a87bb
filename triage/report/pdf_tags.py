"""The structure of a tagged PDF (ISO 32000-1, 14.7 and 14.8), which reportlab does not write: what is a heading, a list, a table, a cell.

A screen reader follows the tree of ``Node``; everything drawn is either in a node or an artifact (a rule, a background, the foot of a page).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFObjectReference, PDFString
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, Table

TOTAL, FOOT_SIZE = "total", 7
"""The form that holds the number of pages, which is known last, and the size of its letters."""


@dataclass(eq=False, slots=True)
class Node:
    """An element of the structure: ``role`` is a standard type (H1, P, L, LI, Table, TR, TH, TD …); ``scope`` of a TH: Column or Row."""

    role: str
    kids: list[Node] = field(default_factory=list)
    scope: str = ""
    alt: str = ""
    marks: list[tuple[int, int]] = field(default_factory=list)
    """Page (from 1) and number on it of each piece of content."""

    def add(self, role: str, **changes: Any) -> Node:
        """A new last child."""
        self.kids.append(Node(role, **changes))
        return self.kids[-1]


class TaggedCanvas(Canvas):  # type: ignore[misc]
    """A canvas whose pages know their pieces of content. ``foot``, set on the canvas before it is drawn on, draws the foot of a page."""

    root: Node
    foot: Callable[[TaggedCanvas, int], None]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._marks: list[list[Node]] = [[]]

    @contextmanager
    def tagged(self, node: Node) -> Iterator[None]:
        """What is drawn inside belongs to ``node``."""
        page = self._marks[-1]
        node.marks.append((len(self._marks), len(page)))
        self._code.append(f"/{node.role} <</MCID {len(page)}>> BDC")
        page.append(node)
        yield
        self._code.append("EMC")

    @contextmanager
    def artifact(self) -> Iterator[None]:
        """What is drawn inside means nothing to somebody who does not see it."""
        self._code.append("/Artifact BMC")
        yield
        self._code.append("EMC")

    def showPage(self) -> None:
        """End the page."""
        number = len(self._marks)
        with self.artifact():
            self.foot(self, number)
        super().showPage()
        page = self._doc.Pages.pages[-1]
        page.__NoDefault__ = [*page.__NoDefault__, "StructParents", "Tabs"]
        page.StructParents, page.Tabs = number - 1, PDFName("S")
        self._marks.append([])

    def save(self) -> None:
        """Write the file: the number of pages, which every foot names, then the structure."""
        pages = len(self._marks) - 1
        self.beginForm(TOTAL)
        self.setFont(self.foot_font, FOOT_SIZE)
        self.drawString(0, 0, str(pages))
        self.endForm()
        self._write_structure()
        super().save()

    foot_font: str

    def _write_structure(self) -> None:
        references: dict[int, Any] = {}
        document = self._doc

        def element(node: Node, parent: Any) -> Any | None:
            if not node.marks and not any(_drawn(kid) for kid in node.kids):
                return None
            dictionary = PDFDictionary({"Type": PDFName("StructElem"), "S": PDFName(node.role), "P": parent})
            reference = document.Reference(dictionary)
            references[id(node)] = reference
            kids: list[Any] = [
                PDFDictionary({"Type": PDFName("MCR"), "Pg": PDFObjectReference(f"Page{page}"), "MCID": number})
                for page, number in node.marks
            ]
            kids += [made for kid in node.kids if (made := element(kid, reference)) is not None]
            dictionary.dict["K"] = PDFArray(kids)
            if node.alt:
                dictionary.dict["Alt"] = PDFString(node.alt)
            if node.scope:
                dictionary.dict["A"] = PDFDictionary({"O": PDFName("Table"), "Scope": PDFName(node.scope)})
            return reference

        tree = PDFDictionary({"Type": PDFName("StructTreeRoot")})
        top = document.Reference(tree)
        tree.dict["K"] = PDFArray([element(self.root, top)])
        parents: list[Any] = []
        for number, page in enumerate(self._marks[:-1]):
            parents += [number, document.Reference(PDFArray([references[id(node)] for node in page]))]
        tree.dict["ParentTree"] = document.Reference(PDFDictionary({"Nums": PDFArray(parents)}))
        tree.dict["ParentTreeNextKey"] = len(self._marks) - 1
        document.Catalog.StructTreeRoot = tree
        document.Catalog.MarkInfo = PDFDictionary({"Marked": "true"})
        document.Catalog.ViewerPreferences = PDFDictionary({"DisplayDocTitle": "true"})


def _drawn(node: Node) -> bool:
    return bool(node.marks) or any(_drawn(kid) for kid in node.kids)


class Words(Paragraph):  # type: ignore[misc]
    """A paragraph in a node. ``bookmark``: (name, title, level) where it is a heading that the outline names."""

    node: Node
    bookmark: tuple[str, str, int] | None = None

    def split(self, width: float, height: float) -> list[Words]:
        """Its parts on this page and the next, in the same node."""
        parts: list[Words] = super().split(width, height)
        for part in parts:
            part.node = self.node
        if parts:
            parts[0].bookmark = self.bookmark
        return parts

    def draw(self) -> None:
        """Draw it as content of its node."""
        canvas: TaggedCanvas = self.canv
        if self.bookmark is not None:
            name, title, level = self.bookmark
            canvas.bookmarkPage(name)
            canvas.addOutlineEntry(title, name, level, closed=level > 0)
        # The head of a table is drawn again on every page; it is read once.
        repeated = self.node.role == "TH" and bool(self.node.marks)
        with canvas.artifact() if repeated else canvas.tagged(self.node):
            super().draw()


class Grid(Table):  # type: ignore[misc]
    """A table whose cells hold ``Words``; its lines and backgrounds are artifacts."""

    def _drawBkgrnd(self) -> None:
        with self.canv.artifact():
            super()._drawBkgrnd()

    def _drawLines(self) -> None:
        with self.canv.artifact():
            super()._drawLines()


class Figure(Flowable):  # type: ignore[misc]
    """A drawing with a text alternative. ``paint`` draws it from its lower left corner."""

    def __init__(self, width: float, height: float, node: Node, paint: Callable[[Canvas], None]) -> None:
        super().__init__()
        self.width, self.height, self.node, self.paint = width, height, node, paint

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """Its size."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw it as content of its node."""
        with self.canv.tagged(self.node):
            self.paint(self.canv)

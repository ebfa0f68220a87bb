"""XML from evidence, element by element: nothing is expanded, nothing fetched, and a damaged end costs only the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.registry import EvidenceFile

LARGEST = 512 << 20  # bytes
_PIECE = 1 << 16
_MOST_DEPTH = 64
_LONGEST_TEXT = 4_096  # characters of one element


@dataclass(slots=True)
class Element:
    """One element at its end: its name without namespace, attributes, own text, the names above it (outermost first), its line.

    ``inside``: name and text of the elements directly in it, first of each name; ``above``: the attributes of the one it lies in.
    """

    name: str
    attributes: dict[str, str]
    parents: tuple[str, ...]
    line: int
    above: dict[str, str]
    text: str = ""
    inside: dict[str, str] = field(default_factory=dict)

    @property
    def locator(self) -> str:
        """``line=12``."""
        return f"line={self.line}"


class _Refused(Exception):
    pass


class _Reader:
    def __init__(self) -> None:
        self.done: deque[Element] = deque()
        self.open: list[Element] = []
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.EntityDeclHandler = self._entity

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.open) >= _MOST_DEPTH:
            raise _Refused(f"is nested more than {_MOST_DEPTH} deep")
        parents = tuple(element.name for element in self.open)
        above = self.open[-1].attributes if self.open else {}
        plain = {key.rpartition("}")[2]: value for key, value in attributes.items()}
        self.open.append(Element(name.rpartition("}")[2], plain, parents, self.parser.CurrentLineNumber, above))

    def _end(self, _: str) -> None:
        element = self.open.pop()
        element.text = element.text.strip()
        if self.open and len(self.open[-1].inside) < 100:
            self.open[-1].inside.setdefault(element.name, element.text)
        self.done.append(element)

    def _text(self, text: str) -> None:
        if self.open and len(self.open[-1].text) < _LONGEST_TEXT:
            self.open[-1].text += text[: _LONGEST_TEXT - len(self.open[-1].text)]

    def _entity(self, *_: object) -> None:
        # No program that is read here declares any, and they are how a small file becomes a huge one.
        raise _Refused("declares entities")


def elements(file: EvidenceFile, roots: tuple[str, ...]) -> Iterator[Element | Problem]:
    """Every element of ``file`` in the order in which they end; one ``Problem`` where it is damaged, after all that was sound.

    Raises ``Unrecognised`` where the outermost element is not one of ``roots`` (lower case), or where none begins.
    """
    reader = _Reader()
    known = False
    total = 0
    with file.open() as stream:
        problem: Problem | None = None
        while problem is None:
            piece = stream.read(_PIECE)
            total += len(piece)
            try:
                if total > LARGEST:
                    raise _Refused(f"is larger than {LARGEST} bytes")
                reader.parser.Parse(piece, not piece)
            except (expat.ExpatError, _Refused, ValueError, LookupError) as error:
                problem = Problem(f"the XML {_reason(error)}", Status.FAILED, f"line={reader.parser.CurrentLineNumber}")
            if not known and (reader.open or reader.done):
                root = (reader.open[0] if reader.open else reader.done[-1]).name
                if root.lower() not in roots:
                    raise Unrecognised(f"XML of another kind: it begins with {root[:40]}")
                known = True
            while reader.done:
                yield reader.done.popleft()
            if not piece:
                break
    if not known:
        raise Unrecognised("not XML" if problem is None else f"not XML, or damaged: {problem.reason}")
    if problem is not None:
        yield problem


def _reason(error: Exception) -> str:
    return f"is damaged or cut short ({error})" if isinstance(error, expat.ExpatError) else f"{error}"

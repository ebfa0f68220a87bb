"""HTML, XML and JSON as the words a reader sees: tags taken out where they part no words, entities and escapes undone.

Own tokenizer: ``html.parser`` takes time that grows with the square of the file on unclosed constructs, and evidence is hostile. Each
search below goes on from where the last one ended, or is not made again once it has found nothing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator
from typing import BinaryIO
from xml.parsers import expat

from artefacts.coverage import Problem
from triage.scan.text.kinds import decode
from triage.scan.text.parts import MAX_READ, Budget, Part, Text

_INLINE = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "mark",
        "nobr",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "tt",
        "u",
        "var",
        "wbr",
        "emphasis",
        "hi",
        "text-run",
    ]
)
_NAME = re.compile(r"/?([A-Za-z][A-Za-z0-9:_.-]*)")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([\"\\/bfnrt]))")
_CHUNK = 1 << 16


def read(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """The words of an HTML or XML file, of which the first 64 MiB are read."""
    yield Text(plain(decode(stream.read(MAX_READ))))
    if stream.read(1):
        yield Problem(f"only its first {MAX_READ >> 20} MiB were read as markup")
    budget.beat()


def read_json(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    r"""A JSON file with its escapes undone; nothing where there are none (it is matched as it stands, too)."""
    text = decode(stream.read(MAX_READ))
    budget.beat()
    if "\\" in text:
        yield Text(unescape(text))


def unescape(text: str) -> str:
    r"""JSON with its escapes undone (``\u00e9``, ``\n``)."""
    return _ESCAPE.sub(_unescaped, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return {"n": "\n", "t": "\t", "r": "\r", "b": " ", "f": " "}.get(match[2], match[2])


def plain(text: str) -> str:
    """Marked-up text without its tags: those inside a line (``<b>``, ``<span>``) vanish, any other becomes a line break. Comments and
    scripts stay as text. An unclosed tag at the end is left out."""
    out: list[str] = []
    at = 0
    while (start := text.find("<", at)) >= 0:
        name = _NAME.match(text, start + 1)
        if name is None and text[start + 1 : start + 2] not in ("!", "?"):
            out.append(text[at : start + 1])  # a less-than sign
            at = start + 1
            continue
        out.append(text[at:start])
        if text.startswith(("<!--", "<![CDATA["), start):
            at = start + (4 if text.startswith("<!--", start) else 9)  # what is commented out was still written by somebody
            continue
        end = text.find(">", start)
        if end < 0:
            at = len(text)
            break
        if name is None or name[1].lower() not in _INLINE:
            out.append("\n")
        at = end + 1
    out.append(text[at:])
    return html.unescape("".join(out))


class _Refused(Exception):
    pass


def xml_text(data: bytes, breaks: Collection[str], attributes: Collection[tuple[str, str]], budget: Budget) -> tuple[str, str]:
    """The character data of an XML part, and why it ended early (empty where it did not).

    ``breaks``: local names of elements that end a line; no other element parts words. ``attributes``: (element, attribute) local names whose
    values are words too; a relationship only where it leads out of the document. Entity declarations are refused, whatever they declare: no program of the trade writes one.
    """
    out: list[str] = []
    wanted = frozenset(attributes)
    elements = frozenset(element for element, _ in wanted)

    def begin(name: str, values: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local in elements and (local != "Relationship" or values.get("TargetMode") == "External"):
            out.extend(f"\n{value}\n" for key, value in values.items() if (local, key.rpartition(":")[2]) in wanted)

    def end(name: str) -> None:
        if name.rpartition(":")[2] in breaks:
            out.append("\n")

    def refuse(*_: object) -> None:
        raise _Refused

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = out.append
    parser.EntityDeclHandler = refuse
    try:
        for at in range(0, len(data), _CHUNK):
            parser.Parse(data[at : at + _CHUNK])
            budget.beat()
        parser.Parse(b"", True)
    except _Refused:
        return "".join(out), "declares entities of its own: not read on"
    except (expat.ExpatError, ValueError) as error:
        return "".join(out), f"is damaged XML: {error}"
    return "".join(out), ""

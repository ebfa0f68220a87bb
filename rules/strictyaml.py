"""YAML as the rules and the visit file use it: plain data with line numbers, none of YAML's surprises.

YAML 1.1 reads ``on`` as true, ``12:30`` as 750, ``0123`` as 83 and ``No`` as false; a reference, a serial number or a field called ``on``
must survive. So only ``true``, ``false``, ``null`` and decimal numbers are anything but text, and in ``text_only`` mode only ``null`` is.
Tags and aliases are refused (objects, "billion laughs"), a key given twice is reported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_BYTES = 4 << 20
MAX_DEPTH = 32
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_PLAIN_TAGS = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"})

Place = tuple[str | int, ...]


class YamlError(Exception):
    """The document cannot be read. ``line`` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(slots=True)
class Document:
    """``value``: None, or dicts, lists, text, numbers, booleans. ``lines``: the line (from 1) of each place, ``("conditions", 0, "id")``.

    ``repeated``: the places of keys that were given twice; the first value stands.
    """

    value: Any
    lines: dict[Place, int] = field(default_factory=dict)
    repeated: list[Place] = field(default_factory=list)

    def line(self, place: Place) -> int:
        """The line of ``place``, or of the nearest place around it that exists."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def parse(data: bytes, *, text_only: bool = False, limit: int = MAX_BYTES) -> Document:
    """Read one YAML document (UTF-8, or UTF-16 with a byte order mark). Raises ``YamlError`` for anything that is not plain data."""
    if len(data) > limit:
        raise YamlError(1, f"is larger than {limit} bytes")
    try:
        node = _compose(data)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(mark.line + 1 if mark else 1, f"is not valid YAML: {error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        line = data[: error.position].count(b"\n") + 1 if isinstance(error.position, int) else 1
        raise YamlError(line, f"holds a character that YAML does not allow: {error.reason}") from None
    except (yaml.YAMLError, UnicodeError, ValueError) as error:
        raise YamlError(1, f"is not valid YAML: {error}") from None
    except RecursionError:
        raise YamlError(1, "is nested too deeply") from None
    document = Document(None)
    if node is not None:
        document.value = _value(node, (), document, set(), text_only)
    return document


def _compose(data: bytes) -> yaml.Node | None:
    """libyaml is fifteen times as fast as PyYAML, but its recursion knows no limit, and its reasons are not ours: what is nested deeply or
    has a fault is left to PyYAML."""
    if yaml.__with_libyaml__:
        depth = 0
        try:
            for event in yaml.parse(data, Loader=yaml.CBaseLoader):
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
                if depth > MAX_DEPTH:
                    break
            else:
                return yaml.compose(data, Loader=yaml.CBaseLoader)
        except (yaml.YAMLError, UnicodeError, ValueError):
            pass
    return yaml.compose(data, Loader=yaml.BaseLoader)


def _value(node: yaml.Node, place: Place, document: Document, seen: set[int], text_only: bool) -> Any:
    line = node.start_mark.line + 1
    if id(node) in seen:
        raise YamlError(line, "is used again by an alias (*name): write the value out")
    if node.tag not in _PLAIN_TAGS:
        raise YamlError(line, f"uses the tag {node.tag}: only plain data is allowed")
    if len(place) > MAX_DEPTH:
        raise YamlError(line, "is nested too deeply")
    seen.add(id(node))
    document.lines.setdefault(place, line)
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*place, index), document, seen, text_only) for index, child in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        out: dict[str, Any] = {}
        for key_node, child in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlError(key_node.start_mark.line + 1, "uses a list or a mapping as a key")
            key = _whole(str(key_node.value))
            where = (*place, key)
            if key in out:
                document.repeated.append(where)
                document.lines[where] = key_node.start_mark.line + 1
                continue
            document.lines[where] = key_node.start_mark.line + 1
            out[key] = _value(child, where, document, seen, text_only)
        return out
    text = _whole(str(node.value))
    return _scalar(text, text_only) if isinstance(node, yaml.ScalarNode) and not node.style else text


def _whole(text: str) -> str:
    """JSON writes characters beyond U+FFFF as two escapes; PyYAML reads them as two halves, which are joined here."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text


def _scalar(text: str, text_only: bool) -> Any:
    if text_only:
        return None if text in ("", "~", "null") else text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text

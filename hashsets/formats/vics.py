"""VICS JSON (Project VIC data model) 1.2, 1.3 and 2.0, hash sets and cases, read as a stream.

There is no public schema; the form is the one other readers met (see STANDARDS: 1.1): a root object with ``odata.metadata`` or
``@odata.context`` and ``value``, a list of Media, or of cases that each have a list ``Media``. Exporters write numbers and booleans as
text, hashes as empty text, ``Category`` as null. Nothing else of a media object is kept; PhotoDNA values are passed over.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from hashsets.entries import ALGORITHMS, MAX_CODE_LENGTH, Entry, Problems, entry_of, parse_digest, shown
from hashsets.errors import Damaged, UnknownFormat

_CONTEXT = re.compile(r"DataModels/([\d.]+)\.xml(?:/([^/]+)/\$metadata)?#(Media|Cases)")
_CONTEXT_KEYS = ("odata.metadata", "@odata.context", "odata.context")
_MAX_VALUE = 1 << 24
_MAX_DEPTH = 64
_EVENTS_LOOKED_AT = 2000
_OPEN, _CLOSE = ("start_map", "start_array"), ("end_map", "end_array")


class Form(NamedTuple):
    """What the context says: data model version, region (of 2.0; it selects the category table) and content, each "" where not said."""

    version: str
    region: str
    content: str

    @property
    def title(self) -> str:
        return " ".join(["VICS", *filter(None, (self.version, self.region, {"Cases": "case", "Media": "hash set"}.get(self.content, "")))])


class _Bounded:
    """Hands bytes on, but never more than ``_MAX_VALUE`` without a quotation mark: the parser would hold such a value whole."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._name = name
        self._run = 0

    def read(self, size: int = -1) -> bytes:
        # The parser first asks for no bytes at all, to see what kind they are.
        data = self._stream.read(size if 0 <= size <= 1 << 20 else 1 << 16)
        last = data.replace(b'\\"', b"__").rfind(b'"')
        self._run = self._run + len(data) if last < 0 else len(data) - last
        if self._run > _MAX_VALUE:
            raise Damaged(f"{self._name} holds a single value of more than {_MAX_VALUE} bytes: that is no hash set.")
        return data


def _events(path: Path) -> Iterator[tuple[str, Any]]:
    import ijson

    with path.open("rb") as stream:
        if stream.read(3) != codecs.BOM_UTF8:
            stream.seek(0)
        depth = 0
        try:
            for event, value in ijson.basic_parse(_Bounded(stream, path.name), use_float=True):
                if event in _OPEN:
                    depth += 1
                    if depth > _MAX_DEPTH:
                        raise Damaged(f"{path.name} is nested more than {_MAX_DEPTH} deep: that is no hash set.")
                elif event in _CLOSE:
                    depth -= 1
                yield event, value
        except ijson.IncompleteJSONError:
            raise Damaged(f"{path.name} is JSON that is cut short or malformed: nothing of it is used.") from None
        except (ijson.JSONError, UnicodeDecodeError, ValueError, OverflowError) as error:
            raise Damaged(f"{path.name} is malformed JSON ({shown(str(error))}): nothing of it is used.") from None


def recognise(path: Path) -> Form:
    """What the start of the file says. Raises ``UnknownFormat`` for JSON of another kind, ``Damaged`` for none."""
    key, depth, has_value = "", 0, False
    for seen, (event, value) in enumerate(_events(path)):
        depth += (event in _OPEN) - (event in _CLOSE)
        if event == "map_key" and depth == 1:
            key = value
            has_value |= key == "value"
        elif event == "string" and depth == 1 and key in _CONTEXT_KEYS:
            found = _CONTEXT.search(value)
            return Form(found.group(1), found.group(2) or "", found.group(3)) if found else Form("", "", "")
        if seen > _EVENTS_LOOKED_AT:
            break
    if has_value:
        return Form("", "", "")
    raise UnknownFormat(f"{path.name} is JSON, but not a VICS hash set or case.")


@dataclass(slots=True)
class _Media:
    """The media object being read; ``pair`` is the {HashName, HashValue} object inside it being read."""

    fields: dict[str, Any] = field(default_factory=dict)
    alternatives: list[tuple[str, str]] = field(default_factory=list)
    pair: dict[str, str] = field(default_factory=dict)

    def end_part(self) -> None:
        """An object inside has ended."""
        name = self.pair.get("hashname", "").lower().replace("-", "")
        if name in ALGORITHMS and self.pair.get("hashvalue") and len(self.alternatives) < 100:
            self.alternatives.append((name, self.pair["hashvalue"]))
        self.pair.clear()


_WANTED = {"md5": "md5", "sha1": "sha1", "sha256": "sha256", "mediasize": "size", "category": "code"}
_MEDIA_OF_CASE = ["", "value", "", "Media"]
_MEDIA_AT = (["", "value", ""], [*_MEDIA_OF_CASE, ""])


def entries(path: Path, problems: Problems) -> Iterator[Entry]:
    """One entry a media object; a problem's line is the number of the media object. Raises ``Damaged``."""
    keys: list[str] = []  # the key under which each open object or list stands; the root has none
    media: _Media | None = None
    media_depth = number = 0
    key = ""
    for event, value in _events(path):
        if event == "map_key":
            key = value
        elif event in _OPEN:
            keys.append(key)
            key = ""
            if keys in _MEDIA_AT and event == "start_map":
                media, media_depth = _Media(), len(keys)
            elif keys == _MEDIA_OF_CASE:
                media = None  # what holds it is a case
        elif event in _CLOSE:
            if media is not None and event == "end_map":
                if len(keys) == media_depth:
                    number += 1
                    entry = _entry(media, number, problems)
                    if entry is not None:
                        yield entry
                    media = None
                else:
                    media.end_part()
            keys.pop()
            key = ""
        elif media is not None:
            name = key.lower()
            if len(keys) == media_depth:
                if name in _WANTED:
                    media.fields[_WANTED[name]] = value
            elif name in ("hashname", "hashvalue"):
                media.pair[name] = str(value)


def _entry(media: _Media, number: int, problems: Problems) -> Entry | None:
    given = [(name, media.fields[name]) for name in ALGORITHMS if media.fields.get(name)]
    digests: dict[str, bytes] = {}
    for algorithm, text in [*given, *media.alternatives]:
        try:
            digests.setdefault(algorithm, parse_digest(str(text), algorithm)[1])
        except ValueError as error:
            problems.add(number, str(error))
    if not digests:
        if not given:
            problems.add(number, "no MD5, SHA-1 or SHA-256")
        return None
    size, code = media.fields.get("size"), media.fields.get("code")
    digits = str(size)
    return entry_of(
        digests,
        size=int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None,
        code=None if code in (None, "") else str(code)[: MAX_CODE_LENGTH + 1],
    )

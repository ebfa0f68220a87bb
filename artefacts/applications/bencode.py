"""Bencoding, the notation of BitTorrent's files: the tree as far as it is sound, and what was wrong.

Source: BEP 3, "bencoding" (bittorrent.org). Dictionaries give ``dict`` with text keys, lists ``list``, numbers ``int``, strings ``bytes``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from artefacts.coverage import Problem, Status, Unrecognised

_MOST_DEPTH = 64
_MOST_VALUES = 2_000_000
_NUMBER = re.compile(rb"i(-?\d{1,20})e")
_LENGTH = re.compile(rb"(\d{1,10}):")


@dataclass(slots=True)
class Decoded:
    """The outermost dictionary; ``spans``: first byte and end of each of its values; ``problem`` where the file is not whole."""

    tree: dict[str, Any] = field(default_factory=dict)
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    problem: Problem | None = None


def decode(data: bytes) -> Decoded:
    """Decode ``data``, a dictionary. Raises ``Unrecognised`` for what is none."""
    if data[:1] != b"d" or (data[1:2] != b"e" and _LENGTH.match(data, 1) is None):
        raise Unrecognised("not bencoded")
    found = Decoded()
    stack: list[dict[str, Any] | list[Any]] = [found.tree]
    keys: list[str | None] = [None]
    starts: list[int] = [0]
    at, count = 1, 0
    while stack:
        count += 1
        sign = data[at : at + 1]
        holder, key = stack[-1], keys[-1]
        if count > _MOST_VALUES or len(stack) > _MOST_DEPTH:
            found.problem = _problem("holds too many values, or too many inside one another", at)
            return found
        value: Any
        if sign == b"e":
            begun = starts[-1]
            for pile in (stack, keys, starts):
                pile.pop()
            at += 1
            if len(stack) == 1 and keys[0] is not None:
                found.spans[keys[0]] = (begun, at)
                keys[0] = None
            elif stack:
                keys[-1] = None
            continue
        if isinstance(holder, dict) and key is None:
            length = _LENGTH.match(data, at)
            if length is None or length.end() + int(length[1]) > len(data):
                found.problem = _problem("is cut short or damaged: a name should follow", at)
                return found
            at = length.end() + int(length[1])
            keys[-1] = data[length.end() : at].decode("utf-8", "backslashreplace")
            continue
        begun = at
        if sign in (b"d", b"l"):
            value, at = {} if sign == b"d" else [], at + 1
        elif (number := _NUMBER.match(data, at)) is not None:
            value, at = int(number[1]), number.end()
        elif (length := _LENGTH.match(data, at)) is not None and length.end() + int(length[1]) <= len(data):
            at = length.end() + int(length[1])
            value = data[length.end() : at]
        else:
            found.problem = _problem("is cut short" if at >= len(data) or length is not None else "is damaged", at)
            return found
        if isinstance(holder, dict):
            holder[key or ""] = value
        else:
            holder.append(value)
        if isinstance(value, (dict, list)):
            stack.append(value)
            keys.append(None)
            starts.append(begun)
            continue
        if len(stack) == 1:
            found.spans[key or ""] = (begun, at)
        if isinstance(holder, dict):
            keys[-1] = None
    return found


def text(tree: Any, *names: str) -> str | None:
    """The first of ``names`` in the dictionary ``tree`` that is a string, as text; None where none is."""
    for name in names:
        value = tree.get(name) if isinstance(tree, dict) else None
        if isinstance(value, bytes) and value:
            return value[:16_384].decode("utf-8", "backslashreplace")
    return None


def integer(tree: Any, *names: str) -> int | None:
    """The first of ``names`` in the dictionary ``tree`` that is a number."""
    for name in names:
        value = tree.get(name) if isinstance(tree, dict) else None
        if isinstance(value, int):
            return value
    return None


def digest(tree: Any, name: str, size: int) -> str | None:
    """A digest of ``size`` bytes in the dictionary ``tree``: its bytes, or its hex, as lower-case hex."""
    value = tree.get(name) if isinstance(tree, dict) else None
    if not isinstance(value, bytes):
        return None
    if len(value) == size:
        return value.hex()
    if len(value) == 2 * size and re.fullmatch(rb"[0-9A-Fa-f]+", value):
        return value.decode("ascii").lower()
    return None


def _problem(reason: str, at: int) -> Problem:
    return Problem(f"the file {reason}", Status.FAILED, f"offset={at}")

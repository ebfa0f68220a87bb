"""Bencoded files of BitTorrent programs (BEP 3): the names and addresses in them.

A torrent file holds the name of what it is for and of each file in it (``info``: ``name``, ``files``: ``path``); the resume files of qBittorrent, µTorrent,
Transmission and others are written in the same way and hold where it was stored, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from artefacts.coverage import Problem
from triage.scan.text.parts import MAX_READ, Budget, Part, Text

_START = re.compile(rb"d([1-9]\d?):")
_NAMES = frozenset(
    ("name", "name.utf-8", "path", "path.utf-8", "caption", "save_path", "qbt-savepath", "qbt-name", "destination", "mapped_files", "files")
)
_ADDRESSES = frozenset(("announce", "announce-list", "url-list", "httpseeds", "publisher-url", "trackers", "comment", "source"))
_INTEGER = re.compile(rb"i-?\d{1,20}e")
_LENGTH = re.compile(rb"(\d{1,9}):")
_MAX_DEPTH = 64


def begins(head: bytes) -> bool:
    """Whether a content begins with a bencoded dictionary whose first key is a word with a value after it."""
    match = _START.match(head)
    if match is None:
        return False
    end = match.end() + int(match[1])
    key = head[match.end() : end]
    return (
        len(key) == int(match[1])
        and re.fullmatch(rb"[ -~]+", key) is not None
        and re.match(rb"[dl]|i-?\d|\d{1,9}:", head[end : end + 12]) is not None
    )


def read(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """Names, each once, and addresses; their locator is the way of keys to them."""
    data = stream.read(MAX_READ)
    seen: set[tuple[str, str]] = set()
    way: list[str] = []
    wants_key: list[bool | None] = []  # of each container open: in a dictionary, whether a key comes next; None in a list
    at = 0
    while at < len(data):
        sign = data[at : at + 1]
        if sign in (b"d", b"l"):
            if len(wants_key) >= _MAX_DEPTH:
                yield Problem(f"is nested more than {_MAX_DEPTH} deep: the rest was left")
                return
            wants_key.append(True if sign == b"d" else None)
            way.append("")
            at += 1
            continue
        if sign == b"e" and wants_key:
            wants_key.pop()
            way.pop()
            at += 1
        elif (number := _INTEGER.match(data, at)) is not None:
            at = number.end()
        elif (length := _LENGTH.match(data, at)) is not None:
            at = length.end() + int(length[1])
            value = data[length.end() : at]
            if wants_key and wants_key[-1]:
                way[-1] = value.decode("utf-8", "replace")
                wants_key[-1] = False
                if value.endswith(b".torrent"):  # in µTorrent's resume.dat the torrents' names are the keys
                    yield from _text(value, [*way, "name"], seen, budget)
                continue
            yield from _text(value, way, seen, budget)
            if at > len(data):
                break
        else:
            yield Problem("is damaged: what stands there is no bencoded value", locator=f"offset={at}")
            return
        if not wants_key:
            return
        if wants_key[-1] is False:
            wants_key[-1] = True
    yield Problem("is cut short")


def _text(value: bytes, way: list[str], seen: set[tuple[str, str]], budget: Budget) -> Iterator[Part]:
    key = next((part.lower() for part in reversed(way) if part), "")
    where = "name" if key in _NAMES else "url" if key in _ADDRESSES else ""
    text = value[:65536].decode("utf-8", "replace")
    if not where or (text, where) in seen:
        return
    seen.add((text, where))
    budget.took(len(value))
    yield Text(text, " ▸ ".join(part for part in way if part)[:200], where)

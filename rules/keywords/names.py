"""Known file names: exact but for case, or nearly the same, as copies and renamings leave them.

``name`` is the whole name with its ending. ``name-like`` compares what is left of a name without its ending, separators, digits, and the marks
of a copy (``(1)``, ``- Copy``, ``Copy of``), and, from eight letters on, forgives one letter more, less or other.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from rules.keywords.folding import fold
from rules.keywords.terms import Term

MAX_NAME = 255
FUZZY_FROM, LEAST = 8, 4
_ENDING = re.compile(r"\.(?=[^.]*[a-z])[a-z0-9]{1,5}$")
_COPY = re.compile(r"(?:\s*-\s*copy(?:\s*\(\d+\))?|\s*\(\d+\)|\s+copy(?:\s+\d+)?)$|^copy(?:\s+\(\d+\))?\s+of\s+")
_NO_LETTER = re.compile(r"[\W\d_]+")


def last_part(text: str) -> tuple[int, str]:
    """Where the last part of a name or path begins, Windows or other, and that part."""
    text = text.rstrip("/\\")
    start = max(text.rfind("/"), text.rfind("\\")) + 1
    return start, text[start:]


def skeleton(name: str) -> str:
    """The letters of a name by which copies and renamings of it are the same."""
    text, longer = _ENDING.sub("", fold(name[:MAX_NAME])), ""
    while text != longer:
        text, longer = _COPY.sub("", text), text
    return _NO_LETTER.sub("", text)


def check(term: Term) -> None:
    """Raises ``ValueError`` for a name that cannot be looked for, and for options that names do not have."""
    if len(term.text) > MAX_NAME:
        raise ValueError(f"is longer than {MAX_NAME} characters")
    if term.near or term.substitutions:
        raise ValueError(f"has the form {term.form}, which takes neither near nor substitutions")
    if term.where - {"name"}:
        raise ValueError(f"has the form {term.form}, which is looked for in names only")
    if "/" in term.text or "\\" in term.text:
        raise ValueError("holds a path: only the name itself is compared")
    if term.form == "name-like" and len(skeleton(term.text)) < LEAST:
        raise ValueError(f"has fewer than {LEAST} letters besides its ending, digits and signs: give it the form name")
    if not fold(term.text).strip():
        raise ValueError("holds no character that can be seen")


class NameIndex:
    """Names by their number. Of two names one letter apart, the front half or the back half is the same: both halves are the index."""

    def __init__(self, terms: Iterable[tuple[int, Term]]) -> None:
        self._exact: defaultdict[str, list[int]] = defaultdict(list)
        self._like: defaultdict[str, list[int]] = defaultdict(list)
        self._halves: defaultdict[tuple[int, bool, str], set[str]] = defaultdict(set)
        for number, term in terms:
            if term.form == "name":
                self._exact[fold(term.text).strip()].append(number)
                continue
            bones = skeleton(term.text)
            self._like[bones].append(number)
            if len(bones) >= FUZZY_FROM:
                middle = len(bones) // 2
                self._halves[len(bones), True, bones[:middle]].add(bones)
                self._halves[len(bones), False, bones[middle:]].add(bones)

    def find(self, name: str) -> list[int]:
        """The numbers of the names that ``name`` (a last part) is or is like, rising."""
        found = set(self._exact.get(fold(name[: MAX_NAME + 1]).strip(), ()))
        if self._like:
            bones = skeleton(name)
            found.update(self._like.get(bones, ()))
            for near in self._near(bones):
                found.update(self._like[near])
        return sorted(found)

    def _near(self, bones: str) -> set[str]:
        size = len(bones)
        near: set[str] = set()
        for length in range(max(FUZZY_FROM, size - 1), size + 2):
            middle = length // 2
            front = self._halves.get((length, True, bones[:middle]), ())
            back = self._halves.get((length, False, bones[size - (length - middle) :]), ())
            near.update(other for other in (*front, *back) if other not in near and one_apart(bones, other))
        return near


def one_apart(one: str, other: str) -> bool:
    """True if a single letter added, left out or changed makes one of the other, or none."""
    if abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    at = 0
    while at < len(short) and short[at] == long[at]:
        at += 1
    return short[at + (len(short) == len(long)) :] == long[at + 1 :]

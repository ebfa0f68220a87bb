"""One term of a keyword library, as its keeper wrote it."""

from __future__ import annotations

from dataclasses import dataclass

FORMS = ("word", "phrase", "stem", "wildcard", "regex", "name", "name-like")
"""word: that word and no other. phrase: its words in order, whatever parts them. stem: every word that begins so. wildcard: ``*`` any letters
or digits, ``?`` one. regex: RE2 syntax (https://github.com/google/re2/wiki/Syntax), case-blind, no word boundaries of its own. name: a whole
file name, case-blind. name-like: a file name as copies and renamings leave it (see ``names``)."""

NAME_FORMS = ("name", "name-like")

PLACES = ("search_terms", "title", "url", "name", "text", "application")
"""The kinds of text a term can be confined to with ``where``."""

CATEGORIES = (
    "grooming", "indecent images", "pornography", "radicalisation", "self-harm", "suicide", "bullying", "drugs", "violence",
    "discrimination", "anonymisers", "deletion",
)  # fmt: skip
"""The standard set; a force's own list may name others."""

MAX_SEVERITY = 5


@dataclass(frozen=True, slots=True)
class Near:
    """The term counts only with one of ``terms`` (words or phrases) at most ``words`` words before or after it; 1 is the next word."""

    terms: tuple[str, ...]
    words: int


@dataclass(frozen=True, slots=True)
class Term:
    """One term. ``where`` empty: everywhere. ``unless``: words or phrases that silence it nearby. ``substitutions``: digits and signs
    count for the letters they are written for (see ``substitutions``). ``file`` and ``line``: where it was written."""

    text: str
    category: str
    severity: int
    form: str = "word"
    language: str | None = None
    near: Near | None = None
    unless: tuple[str, ...] = ()
    where: frozenset[str] = frozenset()
    library: str = ""
    file: str = ""
    line: int = 0
    substitutions: bool = False

"""Why a term hits in a text, and why it does not: for the keeper who writes a library."""

from __future__ import annotations

from dataclasses import dataclass

from rules.keywords import names
from rules.keywords.boundaries import breaks_at, word_end
from rules.keywords.folding import Folded, decode, fold, fold_bytes
from rules.keywords.matcher import plain_text
from rules.keywords.patterns import Pattern, compile_loose, compile_term
from rules.keywords.substitutions import is_substituted, plain
from rules.keywords.surroundings import Surroundings, surroundings
from rules.keywords.terms import NAME_FORMS, PLACES, Term


@dataclass(frozen=True, slots=True)
class Place:
    """Where the term, or its longest part, stands in the text. ``objection``: why it does not count, in words; None if it is a hit."""

    found: str
    objection: str | None


def explain(term: Term, text: str, where: str) -> list[Place]:
    """Every place in ``text`` (of the kind ``where``) at which ``term`` could be meant, in order; empty where it does not stand at all.

    Raises ``ValueError`` for a term that cannot be looked for, with the reason, and for an unknown ``where``.
    """
    if where not in PLACES:
        raise ValueError(f"no kind of text is called {where!r}: {', '.join(PLACES)}")
    if term.form in NAME_FORMS:
        return _named(term, text, where)
    pattern, conditions = compile_term(term), surroundings(term)
    folded = fold_bytes(plain_text(text, where).encode("utf-8", "replace"))
    ends = _ends(folded.data, pattern)
    spans = list(pattern.spans(folded.data, ends))
    out = []
    for start, end in spans:
        out.append((start, _place(folded, start, end, _objection(term, conditions, where, folded.data, start, end))))
    if term.substitutions:
        loose, swapped = compile_loose(term), plain(folded.data)
        for start, end in loose.spans(swapped, _ends(swapped, loose)):
            if any(start < stop and first < end for first, stop in spans):
                continue
            objection = _objection(term, conditions, where, folded.data, start, end)
            if not is_substituted(folded.data[start:end], fold(term.text)):
                objection = "other letters or only digits: not a substitution"
            out.append((start, _place(folded, start, end, objection)))
    size = len(pattern.anchor)
    for end in ends:
        if size and not any(start <= end - size and end <= stop for start, stop in spans):
            out.append((end - size, _missed(folded, pattern, end - size, end)))
    return [place for _, place in sorted(out, key=lambda item: item[0])]


def _objection(term: Term, conditions: Surroundings | None, where: str, data: bytes, start: int, end: int) -> str | None:
    if term.where and where not in term.where:
        return f"the term is confined to {', '.join(sorted(term.where))}"
    return conditions.objection(data, start, end) if conditions else None


def _named(term: Term, text: str, where: str) -> list[Place]:
    names.check(term)
    _, name = names.last_part(text)
    if where != "name":
        return [Place(name, f"the form {term.form} is looked for in names only")]
    if names.NameIndex([(0, term)]).find(name):
        return [Place(name, None)]
    if term.form == "name":
        return []
    return [Place(name, f"{names.skeleton(name)!r} is left to compare with {names.skeleton(term.text)!r}")]


def _ends(data: bytes, pattern: Pattern) -> list[int]:
    if not pattern.anchor:
        return [len(data)]
    ends, at = [], data.find(pattern.anchor)
    while at >= 0:
        ends.append(at + len(pattern.anchor))
        at = data.find(pattern.anchor, at + 1)
    return ends


def _missed(folded: Folded, pattern: Pattern, start: int, end: int) -> Place:
    first, last = start, word_end(folded.data, end)
    while first > 0 and not breaks_at(folded.data, first):
        first -= 1
        while first > 0 and folded.data[first] & 0xC0 == 0x80:
            first -= 1
    left, right = pattern.bounds
    if (left and first < start) or (right and last > end):
        return _place(folded, start, end, f"inside the longer word {folded.data[first:last].decode('utf-8', 'replace')!r}")
    return _place(folded, start, end, "the rest of the term does not stand around it")


def _place(folded: Folded, start: int, end: int, objection: str | None) -> Place:
    return Place(decode(folded.raw[folded.origin(start) : folded.origin(end, end=True)]), objection)

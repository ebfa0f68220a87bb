"""Letters written as digits and signs to slip past a word list (``l4ntern``, ``l@nt3rn``): an option of a term, off by default.

Term and text are both brought to one letter for each class. Every sign is one byte and so is its letter: offsets do not move.
"""

from __future__ import annotations

CLASSES = ("o0", "l1i", "e3", "a4@", "s5$", "t7")
"""The first stands for all of its class."""
MIN_LETTERS = 3
_FROM, _TO = "".join(CLASSES), "".join(group[0] * len(group) for group in CLASSES)
_TABLE = bytes.maketrans(_FROM.encode(), _TO.encode())
_TEXT_TABLE = str.maketrans(_FROM, _TO)
_SIGNS = b"013457@$"


def plain(data: bytes) -> bytes:
    """Folded text with every substitution undone, of the same length."""
    return data.translate(_TABLE)


def plain_term(folded: str) -> str:
    """The same for the folded text of a term. Raises ``ValueError`` for one with so few letters that numbers would be taken for it."""
    if sum(character.isalpha() for character in folded) < MIN_LETTERS:
        raise ValueError(f"has fewer than {MIN_LETTERS} letters: with substitutions it would match numbers")
    return folded.translate(_TEXT_TABLE)


def is_substituted(written: bytes, term: str) -> bool:
    """Whether ``written``, folded, which matches the folded ``term`` once substitutions are undone, really holds one.

    ``tall`` for ``tail`` holds none, though i and l are one class, and is another word; ``7417`` holds no letter, and is a number.
    """
    own = term.encode()
    more = _signs(written) > _signs(own)
    return more and any(byte >= 0x80 or chr(byte).isalpha() for byte in written)


def _signs(data: bytes) -> int:
    return sum(data.count(sign) for sign in _SIGNS)

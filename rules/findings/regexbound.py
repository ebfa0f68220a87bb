"""Regular expressions with a bounded cost: evidence is hostile text, and Python's matcher has no time limit.

The number of ways in which a backtracking matcher can try an expression at one position is estimated from its parse tree, on the
safe side, for the longest text that is ever given to it; an expression with too many is refused when the rule is loaded.
"""

from __future__ import annotations

import re
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

MAX_TEXT = 1024  # characters of a field that are looked at
MAX_WAYS = 16 * (MAX_TEXT + 1)
_CEILING = 1 << 62
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)


def compile_bounded(pattern: str) -> re.Pattern[str]:
    """Compile ``pattern``, case-blind. Raises ``ValueError`` with a plain reason if it is wrong or could take too long."""
    try:
        tree = _parser.parse(pattern, re.IGNORECASE)
        ways = _ways(tree)
        compiled = re.compile(pattern, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    if ways > MAX_WAYS:
        raise ValueError("could take too long on hostile text: at most one open-ended repeat (* or +), and no repeat inside a repeat")
    return compiled


def _ways(tree: Any) -> int:
    total = 1
    for operation, argument in tree:
        total = min(total * _item_ways(operation, argument), _CEILING)
    return total


def _item_ways(operation: Any, argument: Any) -> int:
    if operation in _REPEATS:
        least, most, inside = argument
        most = min(int(most), MAX_TEXT)
        inner = _ways(inside)
        counts = most - min(int(least), most) + 1
        return counts if inner == 1 else min(counts * inner ** min(most, 62), _CEILING)
    if operation is _constants.BRANCH:
        return sum(_ways(branch) for branch in argument[1])
    if operation is _constants.SUBPATTERN:
        return _ways(argument[-1])
    if operation in (_constants.ASSERT, _constants.ASSERT_NOT):
        return _ways(argument[1])
    if operation in (_constants.GROUPREF, _constants.GROUPREF_EXISTS, _constants.ATOMIC_GROUP, _constants.POSSESSIVE_REPEAT):
        return _CEILING  # rare, and hard to bound: refused
    return 1

"""The small language in which a rule says when it applies: tests on one field, joined by ``all``, ``any`` and ``not``.

In YAML::

    {field: role, equals: alert}
    {field: severity, gte: 4, lte: 5}
    {any: [{field: url, contains: example}, {not: {field: user, exists: true}}]}

``equals`` and ``in`` compare exactly (text with text, numbers with numbers, booleans with booleans). ``contains`` is case-blind for text
and membership for a list. ``matches`` searches a case-blind regular expression of bounded cost in the first 1,024 characters. ``gte``
and ``lte`` compare numbers, and times (RFC 3339, UTC) with times. ``exists`` is about a value other than null. Several tests in one mapping must all hold.
A field that is absent or of another kind fails every test but ``exists: false``; a test never raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rules.findings.fields import lookup
from rules.findings.regexbound import MAX_TEXT, compile_bounded

MAX_LIST = 1000
OPERATORS = ("equals", "in", "contains", "matches", "gte", "lte", "exists")


class RuleError(Exception):
    """A rule is wrong. ``place`` are the keys that lead to the fault from where the reader began, ``reason`` a plain sentence."""

    def __init__(self, place: tuple[str | int, ...], reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Test:
    """One operator applied to one field."""

    __test__ = False  # not a test case, whatever pytest thinks of the name

    field: str
    operator: str
    operand: Any

    def holds(self, observation: Mapping[str, Any]) -> bool:
        """Whether the observation passes."""
        value = lookup(observation, self.field)
        if self.operator == "exists":
            return (value is not None) is self.operand
        return value is not None and _OPERATIONS[self.operator](value, self.operand)

    def fields(self) -> Iterator[str]:
        """The field names that are read."""
        yield self.field


@dataclass(frozen=True, slots=True)
class Group:
    """``all``, ``any`` or ``not`` (which has one part) over other conditions."""

    kind: str
    parts: tuple[Condition, ...]

    def holds(self, observation: Mapping[str, Any]) -> bool:
        """Whether the observation passes."""
        if self.kind == "all":
            return all(part.holds(observation) for part in self.parts)
        if self.kind == "any":
            return any(part.holds(observation) for part in self.parts)
        return not self.parts[0].holds(observation)

    def fields(self) -> Iterator[str]:
        """The field names that are read."""
        for part in self.parts:
            yield from part.fields()


Condition = Test | Group
ALWAYS = Group("all", ())


def parse_condition(value: Any, place: tuple[str | int, ...] = ()) -> Condition:
    """Build a condition from its YAML value. Raises ``RuleError``."""
    if isinstance(value, list):
        return Group("all", tuple(parse_condition(part, (*place, index)) for index, part in enumerate(value)))
    if not isinstance(value, dict) or not value:
        raise RuleError(place, "a condition is a mapping such as {field: role, equals: alert}")
    if "field" in value:
        return _field_tests(value, place)
    if len(value) != 1 or next(iter(value)) not in ("all", "any", "not"):
        raise RuleError(place, "a condition has a field with its tests, or one of all, any, not")
    kind, inner = next(iter(value.items()))
    if kind == "not":
        return Group("not", (parse_condition(inner, (*place, kind)),))
    if not isinstance(inner, list) or not inner:
        raise RuleError((*place, kind), f"{kind} needs a list of conditions")
    return Group(kind, tuple(parse_condition(part, (*place, kind, index)) for index, part in enumerate(inner)))


def _field_tests(value: dict[str, Any], place: tuple[str | int, ...]) -> Condition:
    name = value["field"]
    if not isinstance(name, str) or not name:
        raise RuleError((*place, "field"), "the field name is missing")
    tests: list[Condition] = []
    for operator, operand in value.items():
        if operator == "field":
            continue
        if operator not in OPERATORS:
            raise RuleError((*place, operator), f"{operator} is not a test; the tests are {', '.join(OPERATORS)}")
        try:
            tests.append(Test(name, operator, _operand(operator, operand)))
        except ValueError as error:
            raise RuleError((*place, operator), f"{operator}: {error}") from None
    if not tests:
        raise RuleError(place, f"there is no test for the field {name}")
    return tests[0] if len(tests) == 1 else Group("all", tuple(tests))


def _operand(operator: str, operand: Any) -> Any:
    if operator == "matches":
        if not isinstance(operand, str) or not operand:
            raise ValueError("needs a regular expression")
        return compile_bounded(operand)
    if operator == "in":
        if not isinstance(operand, list) or not 0 < len(operand) <= MAX_LIST or any(isinstance(item, dict | list) for item in operand):
            raise ValueError(f"needs a list of 1 to {MAX_LIST} values")
        return tuple(operand)
    if operator == "exists":
        if not isinstance(operand, bool):
            raise ValueError("needs true or false")
        return operand
    if operator == "contains" and isinstance(operand, str) and operand:
        return operand.casefold()
    if operator in ("gte", "lte") and (isinstance(operand, bool) or not isinstance(operand, int | float | str)):
        raise ValueError("needs a number or a time")
    if operand is None or operand == "" or isinstance(operand, dict | list):
        raise ValueError("needs a value")
    return operand


def _equals(value: Any, operand: Any) -> bool:
    return isinstance(value, bool) == isinstance(operand, bool) and bool(value == operand)


def _in(value: Any, operand: tuple[Any, ...]) -> bool:
    return any(_equals(value, item) for item in operand)


def _contains(value: Any, operand: Any) -> bool:
    if isinstance(value, str):
        return isinstance(operand, str) and operand in value.casefold()
    if isinstance(value, list | tuple):
        return any(_equals(item.casefold() if isinstance(item, str) else item, operand) for item in value)
    return False


def _matches(value: Any, operand: re.Pattern[str]) -> bool:
    return isinstance(value, str) and operand.search(value[:MAX_TEXT]) is not None


def _comparable(value: Any, operand: Any) -> tuple[Any, Any] | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float) and isinstance(operand, int | float):
        return value, operand
    if isinstance(value, str) and isinstance(operand, str):
        return value.rstrip("Z"), operand.rstrip("Z")  # without the Z, "…:00" sorts before "…:00.5"
    return None


def _gte(value: Any, operand: Any) -> bool:
    pair = _comparable(value, operand)
    return pair is not None and bool(pair[0] >= pair[1])


def _lte(value: Any, operand: Any) -> bool:
    pair = _comparable(value, operand)
    return pair is not None and bool(pair[0] <= pair[1])


_OPERATIONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": _equals,
    "in": _in,
    "contains": _contains,
    "matches": _matches,
    "gte": _gte,
    "lte": _lte,
}

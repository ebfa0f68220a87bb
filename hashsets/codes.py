"""Category codes: kept verbatim, named only by the keeper's own table.

The codes of national sets differ by country and by version and are not public: code 0 alone means "not categorised" in one table
and "not pertinent" in another. No table is built in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hashsets.entries import ALGORITHMS, MAX_CODE_LENGTH, MAX_CODES, shown
from hashsets.errors import HashSetError


@dataclass(frozen=True, slots=True)
class Category:
    """What the keeper says a code means. ``alert`` False: listed, but no reason to raise an alert. ``severity`` is 1 to 5 or None."""

    label: str
    severity: int | None = None
    alert: bool = True


@dataclass(frozen=True, slots=True)
class CategoryTable:
    """The keeper's table: code, verbatim, to its category, and where the table comes from (region, set_name, issued, signed_by …)."""

    codes: dict[str, Category] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        codes = {code: {"label": c.label, "severity": c.severity, "alert": c.alert} for code, c in self.codes.items()}
        return {**self.origin, "codes": codes}

    @classmethod
    def from_json(cls, data: Any) -> CategoryTable:
        """From ``{region, set_name, set_version, issued, codes: {"1": {label, severity, alert}}, signed_by}``; only ``codes`` must be there.

        Raises ``HashSetError`` where it is anything else.
        """
        codes = data.get("codes") if isinstance(data, dict) else None
        if not isinstance(codes, dict):
            raise HashSetError("A category table is a JSON object with the key 'codes'.")
        origin = {str(k): v for k, v in data.items() if k != "codes" and isinstance(v, str)}
        return cls({str(code): _category(str(code), value) for code, value in codes.items()}, origin)

    @classmethod
    def load(cls, path: Path) -> CategoryTable:
        """From a UTF-8 JSON file. Raises ``HashSetError`` or ``OSError``."""
        try:
            return cls.from_json(json.loads(path.read_text("utf-8-sig")))
        except (ValueError, RecursionError) as error:
            raise HashSetError(f"{path.name} is not a category table: {error}.") from None


def _category(code: str, value: Any) -> Category:
    label, severity, alert = (
        (value.get("label"), value.get("severity"), value.get("alert", True)) if isinstance(value, dict) else (None,) * 3
    )
    if not isinstance(label, str) or not label.strip() or not isinstance(alert, bool):
        raise HashSetError(f"Code {shown(code)} of the category table needs a label (text) and may have alert (true or false).")
    if severity is not None and (not isinstance(severity, int) or isinstance(severity, bool) or not 1 <= severity <= 5):
        raise HashSetError(f"Code {shown(code)} of the category table has a severity that is not 1 to 5.")
    return Category(label, severity, alert)


@dataclass(frozen=True, slots=True)
class Kind:
    """What an entry carries besides its hash: its codes (several where the set contradicts itself) and the algorithms it is listed by."""

    codes: tuple[str, ...]
    algorithms: tuple[str, ...]


class CodeBook:
    """Numbers the distinct kinds of entry, so that one costs a byte or two on the stick."""

    def __init__(self, kinds: list[Kind] | None = None) -> None:
        self.kinds: list[Kind] = kinds or []
        self._numbers = {kind: number for number, kind in enumerate(self.kinds)}

    def number(self, kind: Kind) -> int:
        """Raises ``HashSetError`` past ``MAX_CODES`` kinds: such a column is not a category."""
        number = self._numbers.get(kind)
        if number is None:
            if len(self.kinds) >= MAX_CODES:
                raise HashSetError(
                    f"More than {MAX_CODES} different category codes: the column map names a column that is not the category."
                )
            if any(len(code) > MAX_CODE_LENGTH for code in kind.codes):
                raise HashSetError(f"A category code is longer than {MAX_CODE_LENGTH} characters: the column is not the category.")
            number = self._numbers[kind] = len(self.kinds)
            self.kinds.append(kind)
        return number

    def union(self, first: int, second: int) -> int:
        """The number of the kind that both entries of one hash make together."""
        a, b = self.kinds[first], self.kinds[second]
        codes = tuple(dict.fromkeys(a.codes + b.codes))
        return self.number(Kind(tuple(sorted(codes)), tuple(n for n in ALGORITHMS if n in a.algorithms or n in b.algorithms)))

    def to_json(self) -> list[list[list[str]]]:
        return [[list(kind.codes), list(kind.algorithms)] for kind in self.kinds]

    @classmethod
    def from_json(cls, data: Any) -> CodeBook:
        """Raises ``TypeError`` or ``ValueError`` where ``data`` is not what ``to_json`` gives."""
        return cls([Kind(tuple(map(str, codes)), tuple(map(str, algorithms))) for codes, algorithms in data])

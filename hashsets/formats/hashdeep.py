"""hashdeep lists (md5deep and hashdeep 4 manual): ``%%%% HASHDEEP-1.0``, ``%%%% size,md5,sha256,filename``, ``##`` remarks, then rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hashsets.entries import ALGORITHMS, Entry, Problems, entry_of, parse_digest
from hashsets.errors import Damaged
from hashsets.formats.text import numbered_lines

SIGNATURE = "%%%% HASHDEEP-1."


def entries(path: Path, problems: Problems) -> Iterator[Entry]:
    """Raises ``Damaged`` where rows come before the line that names the columns."""
    columns: list[str] = []
    for number, line in numbered_lines(path, problems):
        if line.startswith("%%%%"):
            if not line.startswith(SIGNATURE):
                columns = [column.strip().lower() for column in line[4:].split(",")]
        elif line and not line.startswith("##"):
            if not columns:
                raise Damaged(f"{path.name} is a hashdeep list without the line that names its columns.")
            entry = _row(columns, line, number, problems)
            if entry is not None:
                yield entry


def _row(columns: list[str], line: str, number: int, problems: Problems) -> Entry | None:
    # The name comes last and may hold commas.
    values = line.split(",", len(columns) - 1)
    if len(values) < len(columns):
        problems.add(number, f"{len(values)} of {len(columns)} columns")
        return None
    row = dict(zip(columns, values, strict=True))
    digests: dict[str, bytes] = {}
    for algorithm in ALGORITHMS:
        if algorithm in row:
            try:
                digests[algorithm] = parse_digest(row[algorithm], algorithm)[1]
            except ValueError as error:
                problems.add(number, str(error))
    if not digests:
        return None
    size = row.get("size", "")
    return entry_of(digests, size=int(size) if size.isascii() and size.isdigit() and len(size) <= 18 else None)

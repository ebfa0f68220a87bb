"""``open_set``: a built store or a list as it comes, told apart by their contents."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from hashsets import bloom, store
from hashsets.codes import CategoryTable, CodeBook
from hashsets.entries import ALGORITHMS, KEPT_BYTES, Problems, check_role
from hashsets.errors import Damaged, HashSetError
from hashsets.formats.columns import ColumnMap
from hashsets.formats.recognise import ListSource, recognise
from hashsets.hash_set import HashSet, TableSet
from hashsets.ingest import drop_empty_file, entry_count
from hashsets.rows import Sorter
from hashsets.table import table_in_memory

MAX_IN_MEMORY = 5_000_000  # digests of a list that is used as it is; about 500 MB while it is read


def open_set(
    path: Path,
    *,
    key: bytes | None = None,
    role: str | None = None,
    mapping: CategoryTable | None = None,
    columns: ColumnMap | None = None,
) -> HashSet:
    """The hash set at ``path``: a built store, a Bloom filter, or a list in any format that is read.

    A store carries its role and category table; a list needs ``role`` (``alert`` or ``ignore``) and may be given ``mapping`` and
    ``columns``. A role given for a store must be its own. ``key`` is the secret of a keyed store, from ``load_key``.

    Raises ``RoleMissing``, ``RoleRefused``, ``KeyNeeded``, ``WrongKey``, ``Damaged``, ``UnknownFormat`` or another ``HashSetError``,
    and ``OSError`` where the file cannot be read. Bad lines of a text list do not raise: they are in ``problems``.
    """
    if path.is_dir():
        raise HashSetError(f"{path.name} is a folder: build a hash set from it first.")
    if store.is_store(path):
        opened = store.open_store(path, key)
        if role is not None and role != opened.role:
            held = opened.role
            opened.close()
            raise HashSetError(f"{path.name} was built for {held!r} and cannot be used for {role!r}.")
        return opened
    if bloom.is_filter(path):
        return bloom.open_filter(path, role=check_role(role, path.name))
    found = recognise(path, columns)
    categories = mapping or CategoryTable()
    found.check_role(check_role(role, path.name), bool(categories.codes))
    return _in_memory(found, check_role(role, path.name), categories)


def _in_memory(source: ListSource, role: str, categories: CategoryTable) -> TableSet:
    book, problems = CodeBook(), Problems()
    # Nothing is spilled: MAX_IN_MEMORY is below the size of a run.
    sorters = {name: Sorter(KEPT_BYTES[name], book, Path(tempfile.gettempdir())) for name in ALGORITHMS}
    read = 0
    for algorithm, rows in source.read(book, problems):
        sorters[algorithm].add(drop_empty_file(algorithm, rows, role, problems))
        read += len(rows)
        if read > MAX_IN_MEMORY:
            raise HashSetError(f"{source.path.name} has more than {MAX_IN_MEMORY:,} hashes: build a hash set from it first.")
    sorted_rows = {name: sorter.finish() for name, sorter in sorters.items()}
    tables = {name: table_in_memory(rows) for name, rows in sorted_rows.items() if rows.count}
    if not tables:
        reason = f" ({problems.kept[0].reason}, line {problems.kept[0].line})" if problems.total else ""
        raise Damaged(f"{source.path.name} holds no usable hash{reason}.")
    with source.path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    name = source.name or source.path.stem
    count = sum(entry_count(algorithm, sorted_rows[algorithm], book) for algorithm in tables)
    identity = {
        "name": name,
        "version": source.version,
        "role": role,
        "count": count,
        "algorithms": sorted(tables),
        "sha256": digest,
        "sha256_of": "the whole file",
        "file": source.path.name,
        "format": source.format,
        "keyed": False,
        "sources": [{"file": source.path.name, "format": source.format, "sha256": digest, "problems": problems.total}],
        "built": None,
        "categories": categories.to_json(),
    }
    return TableSet(
        name=name,
        version=source.version,
        role=role,
        count=count,
        algorithms=frozenset(tables),
        identity=identity,
        problems=problems,
        tables=tables,
        kinds=book,
        categories=categories,
    )

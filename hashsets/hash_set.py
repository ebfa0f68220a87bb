"""A hash set that answers: is this file listed, under which code, and does its size agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hashsets.codes import CategoryTable, CodeBook
from hashsets.entries import ALGORITHMS, KEPT_BYTES, Problems, parse_digest
from hashsets.errors import Damaged, HashSetError, NotEnumerable
from hashsets.keys import Keyer
from hashsets.rows import Keys, Rows, keys_of, make_rows
from hashsets.table import Table

STRENGTH = ("sha256", "sha1", "md5")  # a match on the first says most


class Match(NamedTuple):
    """An entry that a digest met.

    ``code`` is the category code as the set has it (joined by `` / `` where the set lists the hash under several), ``label`` and
    ``severity`` (1 to 5) what the keeper's table says of it: both None for a code that the table does not have.
    ``alert`` is False in an ignore set, and where the keeper's table says that the code is no alert. ``size`` is the size in bytes the
    set gives and ``size_matches`` whether the file's agrees (None: one of the two is not known).
    ``listed_by`` are the algorithms under which the entry is listed, ``confirmed_by`` and ``contradicted_by`` those of them that were
    also looked up for the file and agreed, or did not (same MD5, other SHA-1: a collision or a faulty set; only ``match_all`` and
    ``match_hex`` fill them). ``proof`` is False for a Bloom filter, whose matches may be chance.
    """

    set: str
    role: str
    algorithm: str
    code: str | None = None
    label: str | None = None
    severity: int | None = None
    alert: bool = True
    size: int | None = None
    size_matches: bool | None = None
    listed_by: tuple[str, ...] = ()
    confirmed_by: tuple[str, ...] = ()
    contradicted_by: tuple[str, ...] = ()
    proof: bool = True


@dataclass(slots=True, kw_only=True)
class HashSet:
    """What every hash set has. ``count`` is the number of distinct entries; ``problems`` what could not be read of its lists.

    ``identity`` is for the report: name, version, role, count, algorithms, sha256 and what it is of, sources with their digests, built.
    """

    name: str
    version: str | None
    role: str
    count: int
    algorithms: frozenset[str]
    identity: dict[str, Any]
    problems: Problems = field(default_factory=Problems)
    is_proof: bool = True

    def match(self, algorithm: str, digests: Sequence[bytes], sizes: Sequence[int | None] | None = None) -> list[Match | None]:
        """For each whole digest its match or None; ``sizes`` are those of the files, in bytes.

        Raises ``HashSetError`` for an algorithm that the set is not listed by (see ``algorithms``), ``ValueError`` for a digest of the
        wrong length, ``Damaged`` where the part of the store that is needed is not as it was written.
        """
        raise NotImplementedError

    def match_all(self, digests: Mapping[str, Sequence[bytes | None]], sizes: Sequence[int | None] | None = None) -> list[Match | None]:
        """For each file its match on the strongest algorithm that meets an entry, and what the other algorithms say of it.

        ``digests`` has for each algorithm one digest, or None, a file. Algorithms the set does not have are passed over.
        """
        found: dict[str, list[Match | None]] = {}
        files = 0
        for algorithm, column in digests.items():
            files = len(column)
            if algorithm in self.algorithms:
                there = [i for i, digest in enumerate(column) if digest is not None]
                some_sizes = None if sizes is None else [sizes[i] for i in there]
                answers: list[Match | None] = [None] * files
                for i, answer in zip(there, self.match(algorithm, [d for d in column if d is not None], some_sizes), strict=True):
                    answers[i] = answer
                found[algorithm] = answers
        result: list[Match | None] = [None] * files
        for algorithm in reversed(STRENGTH):
            for i, match in enumerate(found.get(algorithm, ())):
                if match is not None:
                    result[i] = match
        for i, match in enumerate(result):
            if match is not None and len(found) > 1:
                others = [a for a in match.listed_by if a != match.algorithm and a in found and digests[a][i] is not None]
                agreed = tuple(a for a in others if found[a][i] is not None)
                result[i] = match._replace(confirmed_by=agreed, contradicted_by=tuple(a for a in others if a not in agreed))
        return result

    def rows(self) -> Iterator[tuple[str, Rows]]:
        """(algorithm, rows) of all entries, sorted, their kinds numbered by ``book``. Raises ``NotEnumerable``."""
        raise NotEnumerable(f"The entries of {self.name} cannot be listed.")

    @property
    def book(self) -> CodeBook:
        """The kinds that ``rows`` number."""
        return CodeBook()

    def close(self) -> None:
        """Let go of the file."""


@dataclass(slots=True, kw_only=True)
class TableSet(HashSet):
    """A set of exact digests, in memory or in a store."""

    tables: dict[str, Table]
    kinds: CodeBook
    categories: CategoryTable
    keyer: Keyer | None = None
    _answers: dict[tuple[str, int], Match] = field(default_factory=dict)

    @property
    def book(self) -> CodeBook:
        return self.kinds

    def match(self, algorithm: str, digests: Sequence[bytes], sizes: Sequence[int | None] | None = None) -> list[Match | None]:
        keys = self._stored_keys(algorithm, keys_of(algorithm, digests))
        table = self.tables[algorithm]
        positions = table.find(keys)
        hits = np.flatnonzero(positions >= 0)
        answers: list[Match | None] = [None] * len(digests)
        if not len(hits):
            return answers
        kinds, stored = self._values(table, keys[hits], positions[hits])
        listed = kinds.tolist()
        by_kind = {kind: self._answer(algorithm, kind) for kind in set(listed)}
        for i, kind in zip(hits.tolist(), listed, strict=True):
            answers[i] = by_kind[kind]
        for i, size in zip(hits.tolist(), [] if stored is None else stored.tolist(), strict=False):
            answer = answers[i]
            if size >= 0 and answer is not None:
                given = sizes[i] if sizes is not None else None
                answers[i] = answer._replace(size=size, size_matches=None if given is None else given == size)
        return answers

    def find(self, algorithm: str, keys: Keys) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """For (n, width) whole or kept digests: the number of each one's entry or -1, and the kind numbers of those found.

        Raises as ``match`` does.
        """
        stored = self._stored_keys(algorithm, keys)
        positions = self.tables[algorithm].find(stored)
        found = positions >= 0
        return positions, self._values(self.tables[algorithm], stored[found], positions[found])[0]

    def _values(self, table: Table, keys: Keys, positions: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any] | None]:
        kinds, sizes = table.kinds_at(positions), table.sizes_at(positions)
        if self.keyer and len(keys):
            kinds, sizes = self.keyer.reveal(keys, kinds if table.kinds is not None else None, sizes, table.only_kind)
        if len(kinds) and int(kinds.max()) >= len(self.kinds.kinds):
            raise Damaged(f"{self.name} names a kind of entry that it does not have.")
        return kinds, sizes

    def _stored_keys(self, algorithm: str, keys: Keys) -> Keys:
        if algorithm not in self.tables:
            raise HashSetError(f"{self.name} lists no {algorithm}; it lists {', '.join(sorted(self.algorithms))}.")
        keys = keys[:, : KEPT_BYTES[algorithm]]
        return self.keyer.tags(algorithm, keys) if self.keyer else keys

    def _answer(self, algorithm: str, number: int) -> Match:
        answer = self._answers.get((algorithm, number))
        if answer is None:
            kind = self.kinds.kinds[number]
            known = [self.categories.codes[code] for code in kind.codes if code in self.categories.codes]
            severities = [category.severity for category in known if category.severity is not None]
            # One code that is unmapped or an alert makes the entry an alert: of several, the graver counts.
            alert = self.role == "alert" and (not kind.codes or len(known) < len(kind.codes) or any(category.alert for category in known))
            answer = self._answers[(algorithm, number)] = Match(
                self.name,
                self.role,
                algorithm,
                code=" / ".join(kind.codes) or None,
                label=" / ".join(category.label for category in known) or None,
                severity=max(severities, default=None),
                alert=alert,
                listed_by=kind.algorithms,
            )
        return answer

    def rows(self) -> Iterator[tuple[str, Rows]]:
        if self.keyer:
            raise NotEnumerable(f"{self.name} is keyed: its hashes cannot be read back. Build from its source lists instead.")
        for algorithm in ALGORITHMS:
            table = self.tables.get(algorithm)
            for start in range(0, table.layout.entries if table else 0, 1 << 20):
                assert table is not None
                keys = table.keys_from(start, start + (1 << 20))
                positions = np.arange(start, start + len(keys), dtype=np.int64)
                sizes = table.sizes_at(positions)
                yield algorithm, make_rows(keys, table.kinds_at(positions), sizes if sizes is not None else -1)

    def close(self) -> None:
        self.tables = {}


def match_hex(sets: Sequence[HashSet], hashes: Mapping[str, str]) -> list[Match]:
    """Every set's match for a file of which only hashes are known: from a P2P database, Amcache, a thumbnail or recycle-bin record.

    ``hashes`` maps md5, sha1 or sha256 to hexadecimal text in either case; Amcache's SHA-1 with four leading zeros is understood.
    Other algorithms, and text that is no hash of its algorithm, are passed over: evidence holds all sorts of things in such columns.
    Algorithms that a set does not list are passed over too; see ``HashSet.algorithms``. Raises ``Damaged``.
    """
    digests: dict[str, Sequence[bytes | None]] = {}
    for name, text in hashes.items():
        algorithm = name.lower().replace("-", "")
        text = text.strip()
        if algorithm == "sha1" and len(text) == 44 and text.startswith("0000"):
            text = text[4:]
        try:
            if algorithm in ALGORITHMS:
                digests[algorithm] = [parse_digest(text, algorithm)[1]]
        except ValueError:
            continue
    matches: list[Match] = []
    for hash_set in sets:
        matches.extend(match for match in hash_set.match_all(digests) if match is not None)
    return matches

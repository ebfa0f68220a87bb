"""Digests against the hash sets: of files, of what lies inside them, and those that records remember."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artefacts.coverage import Status
from artefacts.observations import HashMatch, Observation
from artefacts.times import NoTime
from triage.evidence.model import Entry
from triage.scan.content import ALGORITHMS, digests_of
from triage.scan.emit import Emitter
from triage.scan.inspect.item import Item, Subject, entry_time
from triage.scan.inspect.recorder import Recorder
from triage.scan.setup import Setup

if TYPE_CHECKING:
    from hashsets import HashSet, Match


class HashLookup:
    """The hash sets of a scan. One for each worker; they are opened when first asked."""

    def __init__(self, setup: Setup, emit: Emitter, recorder: Recorder) -> None:
        self._setup, self._emit, self._recorder = setup, emit, recorder

    @cached_property
    def sets(self) -> list[HashSet]:
        """The sets, open."""
        import hashsets

        return [
            hashsets.open_set(Path(item.path), role=item.role, key=bytes.fromhex(item.key) if item.key else None)
            for item in self._setup.hash_sets
        ]

    @cached_property
    def algorithms(self) -> tuple[str, ...]:
        """The digests to make of every file: those that the sets use, or all."""
        if self._setup.profile.digests == "all" or not self.sets:
            return ALGORITHMS
        needed = {name for hash_set in self.sets for name in hash_set.algorithms}
        return tuple(name for name in ALGORITHMS if name in needed) or ALGORITHMS

    def files(self, items: Sequence[Item], complete: Callable[[Item], None]) -> None:
        """Look files up, all at once. ``complete`` makes the digests that a file still lacks, for one that is to be reported."""
        # The empty file has a digest, lists hold it, and every disk has thousands: it is never a match.
        wanted = [item for item in items if item.content is not None and item.content.digests and item.entry.size > 0]
        digests = {name: [item.content.digests.get(name) if item.content else None for item in wanted] for name in self.algorithms}
        sizes = [item.entry.size for item in wanted]
        known, alerts = self._judged(digests, sizes)
        for number in known:
            wanted[number].known = True
        for number, hash_set, match in alerts:
            item = wanted[number]
            item.known = False
            complete(item)
            assert item.content is not None
            entry = item.entry
            hashes = {name: digest.hex() for name, digest in item.content.digests.items()}
            observation = _hash_match(hash_set, match, entry.path, hashes)
            observation.size, observation.allocated, observation.locator = entry.size, entry.allocated, entry.address
            observation.time = entry_time(entry, entry.modified)
            self._recorder.observe(observation, "hash_match/1", entry)
        left = [item for item in wanted if item.known]
        if left:
            size = sum(item.entry.size for item in left)
            self._emit.count("content checks", Status.SKIPPED, "known file of an ignore set", times=len(left), size=size)

    def subjects(self, subjects: Sequence[Subject]) -> None:
        """Look up what was found inside files. Each has the digests that the sets need; one whose bytes are not held has all."""
        wanted = [subject for subject in subjects if subject.size > 0]
        digests = {name: [subject.digests.get(name) for subject in wanted] for name in self.algorithms}
        known, alerts = self._judged(digests, [subject.size for subject in wanted])
        for number in known:
            wanted[number].known = True
        for number, hash_set, match in alerts:
            subject = wanted[number]
            subject.known = False
            entry, inside = subject.entry, subject.inside
            assert inside is not None
            if subject.data is not None:
                subject.digests |= digests_of(subject.data, [name for name in ALGORITHMS if name not in subject.digests])
            hashes = {name: digest.hex() for name, digest in subject.digests.items()}
            observation = _hash_match(hash_set, match, subject.path, hashes)
            observation.size, observation.allocated, observation.recovered = subject.size, entry.allocated, inside.recovered
            observation.locator, observation.inside, observation.reached = subject.locator, inside.chain, inside.how
            observation.offset, observation.outer_size = inside.offset, entry.size if entry.path else None
            observation.time = entry_time(entry, entry.modified) if entry.path else NoTime("in no file")
            self._recorder.observe(observation, "hash_match/1", entry)

    def _judged(
        self, digests: Mapping[str, Sequence[bytes | None]], sizes: Sequence[int]
    ) -> tuple[set[int], list[tuple[int, HashSet, Match]]]:
        """The numbers of those that an ``ignore`` set knows for certain, and the matches in the others."""
        known: set[int] = set()
        alerts: list[tuple[int, HashSet, Match]] = []
        if not sizes:
            return known, alerts
        for hash_set in self.sets:
            for number, match in enumerate(self._matches(hash_set, digests, sizes)):
                if match is None:
                    continue
                if hash_set.role != "ignore":
                    alerts.append((number, hash_set, match))
                elif match.proof:
                    known.add(number)
        return known, alerts

    def _matches(self, hash_set: HashSet, digests: Mapping[str, Sequence[bytes | None]], sizes: Sequence[int]) -> Sequence[Match | None]:
        """What a set says of files; a part of the set that is damaged is said, and answers nothing."""
        from hashsets import HashSetError

        try:
            return hash_set.match_all(digests, sizes)
        except HashSetError as error:
            self._emit.count(f"hash set {hash_set.name}", Status.FAILED, str(error), times=len(sizes), size=sum(sizes))
            return [None] * len(sizes)

    def remembered(self, entry: Entry, item: Observation, data: Mapping[str, Any]) -> None:
        """A digest that a record remembers (Amcache, a P2P database) matches although the file itself is gone."""
        from hashsets import HashSetError, match_hex

        hashes: Mapping[str, str] = data.get("hashes") or {}
        if not hashes:
            return
        for hash_set in self.sets:
            try:
                matches = match_hex([hash_set], hashes) if hash_set.role == "alert" else []
            except HashSetError as error:
                self._emit.count(f"hash set {hash_set.name}", Status.FAILED, str(error))
                continue
            for match in matches:
                observation = _hash_match(hash_set, match, str(data.get("path") or data.get("name") or entry.path), dict(hashes))
                observation.allocated, observation.locator = False, item.locator
                self._recorder.observe(observation, "hash_match/1", entry)


def _hash_match(hash_set: HashSet, match: Match, path: str, hashes: dict[str, str]) -> HashMatch:
    return HashMatch(
        path=path,
        algorithm=match.algorithm,
        digest=hashes[match.algorithm],
        set_name=hash_set.name,
        set_version=hash_set.version,
        role="alert" if match.alert else "listed",
        code=match.code,
        label=match.label,
        size_matches=match.size_matches,
        confirmed_by=match.confirmed_by,
        contradicted_by=match.contradicted_by,
        hashes=hashes,
    )

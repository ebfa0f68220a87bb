"""A sweep from beginning to end: passes of random blocks over a whole source, each read in disk order, and what they prove."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artefacts.coverage import Status
from triage.extent import BLIND_SPOTS, SWEPT, SWEPT_VOLUMES, size_words
from triage.scan.examination import TRIES, Examination
from triage.scan.pool import Death, Pool, Task
from triage.sweep.matches import with_blocks
from triage.sweep.regions import Region
from triage.sweep.sampling import (
    BLOCK,
    CHUNK,
    Pass,
    Shuffle,
    chance,
    exhaustive_passes,
    largest_missed,
    passes,
    percent,
    samples_needed,
)
from triage.sweep.worker import main

SHARE = 16
"""A sweep with time left ends when one block in so many is read: beyond that, reading everything takes hardly longer."""
_BLIND_SPOTS = (
    "encrypted files and volumes are blind spots: known material inside looks like anything else",
    "compressed or packed files, and documents with pictures inside, are blind spots: their blocks are not those of the listed file",
    "files of less than two blocks (8 kB) are blind spots, and so are those that a file system keeps in its own records",
    "files that were changed, however little to the eye, are blind spots: a sweep knows exact copies only",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """``confidence``: 0 to 1, exclusive. ``amount``: bytes of known material that the sweep must be able to meet with it. ``listed``: the
    share of the reference files' bytes that is in listed blocks, 0 to 1."""

    seed: int
    confidence: float
    amount: int
    listed: float
    exhaustive: bool = False

    def to_json(self) -> dict[str, Any]:
        """As written to the journal."""
        return asdict(self)


@dataclass(slots=True)
class Piece:
    """Blocks of one pass in one region, read as one task. ``offsets``: bytes from the start of the volume, little-endian int64."""

    volume: str
    samples: int
    step: int
    offsets: bytes
    tries: int = 0


def pieces(regions: Sequence[Region], numbers: NDArray[np.int64]) -> Iterator[Piece]:
    """Blocks, by their ascending numbers through all regions, in pieces that lie in one region each."""
    first = 0
    for region in regions:
        low, high = np.searchsorted(numbers, (first, first + region.blocks))
        offsets = (region.start + (numbers[low:high] - first) * BLOCK).astype("<i8")
        for at in range(0, len(offsets), CHUNK):
            part = offsets[at : at + CHUNK]
            yield Piece(region.volume, len(part), region.step, part.tobytes())
        first += region.blocks


class Sweep(Examination):
    """One attempt at a sweep of one source."""

    MAIN = staticmethod(main)

    def __init__(self, *arguments: Any, settings: Settings, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._settings = settings
        (self._source,) = self._setup.sources
        self._regions: list[Region] = []
        self._blocks = 0
        self._single: list[dict[str, Any]] = []
        self._cut_short = 0

    def _work(self, pool: Pool) -> None:
        self._open(pool)
        if self._state.sources[self._source]["size"] is None:
            return
        self._plan_regions(pool)
        wanted = list(self._passes())
        read = self._passes_read()
        done = sum(item["samples"] for item in read.values())
        total = done + sum(item.stop - item.start for item in wanted if item.number not in read)
        self._progress.phase("sweep", files=total, size=total * BLOCK)
        clock = time.monotonic()
        try:
            for item in wanted:
                if item.number not in read:
                    done += self._pass(pool, item, done)
        finally:
            self._timings["read"] += time.monotonic() - clock

    def _passes(self) -> Iterator[Pass]:
        if self._settings.exhaustive:
            return exhaustive_passes(self._blocks)
        return passes(min(self._blocks, max(self._needed(), -(-self._blocks // SHARE))))

    def _passes_read(self) -> dict[int, dict[str, Any]]:
        """The passes read to their end, by earlier attempts too; none where the source is no longer of the size it had."""
        return {number: item for number, item in self._state.passes.items() if item["blocks"] == self._blocks}

    def _target(self, amount: int) -> int:
        """Blocks that ``amount`` bytes of known material have in the list, as its files have on average."""
        return max(1, int(amount / BLOCK * self._settings.listed))

    def _needed(self) -> int:
        return samples_needed(self._blocks, self._target(self._settings.amount), self._settings.confidence)

    # --- what is sampled ---------------------------------------------------------------------------------------------------------

    def _plan_regions(self, pool: Pool) -> None:
        tries = 0

        def on_done(task: Task, result: dict[str, Any]) -> None:
            self._regions = [Region(*values) for values in result["regions"]]

        def on_death(task: Task, death: Death) -> None:
            nonlocal tries
            tries += 1
            if tries < TRIES:
                queue.append(task)
            else:
                self._cover(self._source, "", SWEPT, Status.FAILED, death.reason)

        queue = deque([self._task({"do": "regions", "source": self._source}, note=None)])
        self._drive(pool, queue, on_done, on_death)
        self._blocks = sum(region.blocks for region in self._regions)

    def _numbers(self, item: Pass) -> NDArray[np.int64]:
        if self._settings.exhaustive:
            return np.arange(item.start, item.stop, dtype=np.int64)
        return Shuffle(self._blocks, self._settings.seed).stretch(item.start, item.stop)

    # --- reading -----------------------------------------------------------------------------------------------------------------

    def _pass(self, pool: Pool, item: Pass, before: int) -> int:
        """Read one pass, journal it, return its number of samples. Hits of two blocks and more are journalled as they are met."""
        planned = pieces(self._regions, self._numbers(item))
        again: deque[Piece] = deque()
        volumes: dict[str, Counter[str]] = {region.volume: Counter() for region in self._regions}
        single: list[dict[str, Any]] = []
        done = 0

        def next_task() -> Task | None:
            piece = again.popleft() if again else next(planned, None)
            if piece is None:
                return None
            head = {"do": "sample", "source": self._source, "volume": piece.volume, "step": piece.step, "resolve": not piece.tries}
            return self._task(head, piece.offsets, note=piece)

        def on_done(task: Task, result: dict[str, Any]) -> None:
            nonlocal done
            piece: Piece = task.note
            done += piece.samples
            single.extend(result["single"])
            volumes[piece.volume].update(
                samples=piece.samples, blank=result["blank"], unreadable=result["unreadable"], bytes=result["bytes"], hits=result["hits"]
            )

        def on_death(task: Task, death: Death) -> None:
            nonlocal done
            piece: Piece = task.note
            piece.tries += 1
            if piece.tries < TRIES:
                again.append(piece)
                return
            done += piece.samples
            volumes[piece.volume].update(samples=piece.samples, unreadable=piece.samples)
            self._cover(self._source, piece.volume, SWEPT, Status.FAILED, f"blocks not read: {death.reason}", count=piece.samples)

        def tick() -> None:
            self._progress.update(files=before + done, size=(before + done) * BLOCK)

        try:
            self._drive(pool, None, on_done, on_death, next_task=next_task, tick=tick)
        except BaseException:
            self._single += single
            self._cut_short = done
            raise
        columns = ("samples", "blank", "unreadable", "bytes")
        sums = {name: sum(counts[name] for counts in volumes.values()) for name in columns}
        record = {
            "source": self._source, "pass": item.number, "start": item.start, "stop": item.stop, "blocks": self._blocks, **sums,
            "volumes": {name: [counts[column] for column in columns] for name, counts in volumes.items()},
            "single": sorted(single, key=lambda data: str(data["id"])),
        }  # fmt: skip
        self._journal.append("sweep_pass", record)
        self._journal.flush(durable=True)
        self._state.passes[item.number] = record
        return done

    # --- the end -----------------------------------------------------------------------------------------------------------------

    def _conclude(self, complete: bool, reason: str) -> bool:
        read = list(self._passes_read().values()) if self._blocks else []
        self._tell_single(read)
        if not self._blocks:
            if self._state.sources.get(self._source, {}).get("size") is not None:
                status = Status.EMPTY if complete else Status.OUT_OF_TIME
                self._cover(self._source, "", SWEPT, status, "there is no block that could be sampled" if complete else reason)
            return complete
        samples, blank, unreadable, size = (sum(item[name] for item in read) for name in ("samples", "blank", "unreadable", "bytes"))
        told = samples - unreadable
        for region in self._regions:
            counts = [sum(item["volumes"].get(region.volume, [0] * 4)[at] for item in read) for at in range(4)]
            self._region(region, counts)
        for text in _BLIND_SPOTS:
            self._cover(self._source, "", BLIND_SPOTS, Status.SKIPPED, text, count=0)
        if samples:
            trimmed = (
                f"{percent(blank / samples)} of the blocks read held one value only, zeros as a rule. On a solid-state drive erased data looks "
                "like that once it was trimmed, and cannot be met"
            )
            self._cover(self._source, "", BLIND_SPOTS, Status.SKIPPED, trimmed, size=blank * BLOCK, count=blank)
        if unreadable:
            self._cover(
                self._source, "", SWEPT, Status.UNREADABLE, "blocks that could not be read", size=unreadable * BLOCK, count=unreadable
            )
        enough = self._blocks if self._settings.exhaustive else self._needed()
        if told:
            self._cover(self._source, "", SWEPT, Status.PARSED, self._odds(told), size=size, count=told)
        if told >= enough or samples >= self._blocks:
            return True
        short = f"{enough - told:,} more blocks are needed for the odds that were asked for: {reason}"
        if complete:
            return True  # all was asked of the disk, and what it did not give is said as unreadable
        self._cover(self._source, "", SWEPT, Status.OUT_OF_TIME, short, size=(enough - told) * BLOCK, count=enough - told)
        return False

    def _region(self, region: Region, counts: list[int]) -> None:
        samples, _, _, size = counts
        reason = f"{samples:,} of {region.blocks:,} blocks; {region.words}"
        status = Status.PARSED if samples or not region.blocks else Status.OUT_OF_TIME
        # A small volume may have no block in a sample of the whole disk: it was part of the draw all the same.
        if not samples and self._passes_read():
            status = Status.PARSED
        self._cover(
            self._source,
            region.volume,
            SWEPT_VOLUMES[not region.volume],
            status,
            reason,
            size=size,
            count=samples,
        )

    def _odds(self, samples: int) -> str:
        """What the blocks that were read prove, in plain words. Never that a disk is clean."""
        settings, total = self._settings, self._blocks
        if samples >= total:
            return f"All {total:,} blocks were read. {self._met()}"
        if settings.exhaustive:
            return f"The first {samples:,} of {total:,} blocks were read, in order. Of the rest this says nothing. {self._met()}"
        amount = size_words(settings.amount)
        found = chance(total, self._target(settings.amount), samples)
        words = (
            f"Sampled {samples:,} of {total:,} blocks ({percent(samples / total)}), drawn at random. If at least {amount} of known material "
            f"were on this disk, this sweep would have met it with {percent(found)} probability. {self._met()}"
        )
        if not self._any_found():
            least = largest_missed(total, samples, settings.confidence)
            most = size_words(int(least * BLOCK / settings.listed))
            words += f" At {percent(settings.confidence)}, less than {most} of it may be there all the same."
        return words

    def _any_found(self) -> bool:
        return any(finding.rule == "blocks.known_file" for finding in self._state.book.final())

    def _met(self) -> str:
        return "Known material was met." if self._any_found() else "None was met."

    def _tell_single(self, read: list[dict[str, Any]]) -> None:
        """Single blocks become observations now. Where two different ones of a file were met at different places, they count together."""
        singles = {data["id"]: data for item in read for data in item["single"]}
        singles |= {data["id"]: data for data in self._single}
        together: dict[tuple[str, str], set[int]] = {}
        for data in singles.values():
            together.setdefault((data["set_name"], data["reference"]), set()).update(data["reference_offsets"])
        for key in sorted(singles):
            data = singles[key]
            count = len(together[data["set_name"], data["reference"]])
            self._observation(with_blocks(data, count) if count > 1 else data)

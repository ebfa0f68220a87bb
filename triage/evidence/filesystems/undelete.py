"""Which clusters a deleted file of a FAT or exFAT volume probably had.

Deletion on FAT clears the chain and leaves the first cluster and the size. A file that had more than one cluster can then only be
guessed at. The guess here is better than "the clusters that follow": clusters in use are left out, and so are those where other
deleted files begin or that they fill without a gap. Everything so found is called a guess. exFAT states where a file is contiguous and
leaves the chains of others in place, so that these are facts, as long as the clusters are still free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from triage.evidence.filesystems.fat import Clusters, Layout

MAX_PIECES = 4096
_MAX_CHAIN = 1 << 20


class Claim(NamedTuple):
    """A deleted entry that wants clusters: ``length`` of them from ``first``. ``stamp``: the newest of its times, 0 if unknown."""

    first: int
    length: int
    contiguous: bool
    doubtful: bool
    stamp: int


@dataclass(slots=True)
class Space:
    """What a claim gets: stretches ``(first, count)`` and what they may be relied on for (see ``Entry.content``)."""

    pieces: list[tuple[int, int]]
    content: str
    reused: bool = False


def share_out(layout: Layout, clusters: Clusters, claims: Sequence[Claim]) -> list[Space]:
    """One ``Space`` for each claim, in order. Deterministic; linear in the clusters handed out."""
    used = bytearray(clusters.used)
    spaces = [Space([], "overwritten") for _ in claims]
    owner: dict[int, int] = {}
    for index, claim in enumerate(claims):
        rival = owner.get(claim.first)
        if rival is None or claim.stamp > claims[rival].stamp:
            owner[claim.first] = index
    open_claims = []
    for index in sorted(range(len(claims)), key=lambda index: (-claims[index].stamp, claims[index].first, index)):
        claim = claims[index]
        if not layout.holds(claim.first) or claim.length < 1:
            spaces[index].content = "none"
        elif owner[claim.first] != index:
            spaces[index].reused = True
        elif not used[claim.first]:
            open_claims.append(index)
    starts = bytearray(len(used))
    for index in open_claims:
        starts[claims[index].first] = 1
    rest = []
    for index in open_claims:
        if not _certain(clusters, claims[index], used, layout, spaces[index]) and not _unbroken(claims[index], used, starts, spaces[index]):
            rest.append(index)
    for index in sorted(rest, key=lambda index: claims[index].first):
        _gather(claims[index], used, starts, spaces[index])
    for index, claim in enumerate(claims):
        if spaces[index].reused and claim == claims[owner[claim.first]]:
            # The same file under its name before it was renamed or moved: what is its own is not in somebody else's hands.
            spaces[index] = spaces[owner[claim.first]]
    return spaces


def _take(used: bytearray, first: int, count: int) -> None:
    used[first : first + count] = b"\1" * count


def _certain(clusters: Clusters, claim: Claim, used: bytearray, layout: Layout, space: Space) -> bool:
    """Clusters the file system states; newer files come first, so that what they took is lost to older ones."""
    if claim.contiguous:
        pieces = [(claim.first, claim.length)]
    elif layout.type == "exfat" and 1 < claim.length <= _MAX_CHAIN and (chain := clusters.chain(claim.first, claim.length)):
        pieces = _joined(chain)
    else:
        return False
    if any(first + count > len(used) or used.find(1, first, first + count) >= 0 for first, count in pieces):
        if claim.contiguous:
            space.pieces = [(first, min(count, len(used) - first)) for first, count in pieces]
        return claim.contiguous
    for first, count in pieces:
        _take(used, first, count)
    space.pieces, space.content = pieces, "recoverable"
    return True


def _joined(chain: list[int]) -> list[tuple[int, int]]:
    pieces: list[tuple[int, int]] = []
    for cluster in chain:
        if pieces and sum(pieces[-1]) == cluster:
            pieces[-1] = (pieces[-1][0], pieces[-1][1] + 1)
        else:
            pieces.append((cluster, 1))
    return pieces


def _unbroken(claim: Claim, used: bytearray, starts: bytearray, space: Space) -> bool:
    """The stretch from the first cluster, where it is free and nothing else that was deleted begins in it."""
    end = claim.first + claim.length
    if end > len(used) or used.find(1, claim.first, end) >= 0 or starts.find(1, claim.first + 1, end) >= 0:
        return False
    _take(used, claim.first, claim.length)
    space.pieces = [(claim.first, claim.length)]
    space.content = "recoverable" if claim.length == 1 and not claim.doubtful else "guess"
    return True


def _gather(claim: Claim, used: bytearray, starts: bytearray, space: Space) -> None:
    """The first cluster and then the free ones after it that are nobody else's."""
    if used[claim.first]:
        return
    starts[claim.first] = 0
    at, wanted = claim.first, claim.length
    while wanted and len(space.pieces) < MAX_PIECES:
        at = used.find(0, at)
        if at < 0:
            break
        if starts[at]:
            at += 1
            continue
        stops = [stop for stop in (used.find(1, at, at + wanted), starts.find(1, at, at + wanted)) if stop >= 0]
        end = min([*stops, at + wanted, len(used)])
        _take(used, at, end - at)
        space.pieces.append((at, end - at))
        wanted -= end - at
        at = end
    space.content = "overwritten" if wanted else "guess"

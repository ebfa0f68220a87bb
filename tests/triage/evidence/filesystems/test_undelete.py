"""Sharing out the free clusters of a FAT volume among deleted files."""

from __future__ import annotations

from typing import Any, cast

from triage.evidence.filesystems.fat import Clusters, Layout
from triage.evidence.filesystems.undelete import Claim, Space, share_out

CLUSTERS = 40


class Table:
    """An allocation table: the clusters in use, and the links it holds."""

    def __init__(self, used: tuple[int, ...] = (), links: dict[int, int] | None = None) -> None:
        self.used = bytearray(CLUSTERS + 2)
        self.used[:2] = b"\1\1"
        for cluster in used:
            self.used[cluster] = 1
        self._links = links or {}

    def chain(self, first: int, count: int) -> list[int] | None:
        chain = [first]
        while len(chain) < count:
            if chain[-1] not in self._links:
                return None
            chain.append(self._links[chain[-1]])
        return chain


def share(claims: list[Claim], table: Table | None = None, kind: str = "fat16") -> list[Space]:
    layout = Layout(kind, 512, 512, CLUSTERS, 512, 512, 1024, 2048, 0, 512, 0)
    return share_out(layout, cast(Clusters, cast(Any, table or Table())), claims)


def claim(first: int, length: int, stamp: int = 0, *, contiguous: bool = False, doubtful: bool = False) -> Claim:
    return Claim(first, length, contiguous, doubtful, stamp)


def test_one_cluster_is_certain_and_more_are_a_guess() -> None:
    assert share([claim(5, 1), claim(10, 3)]) == [Space([(5, 1)], "recoverable"), Space([(10, 3)], "guess")]


def test_the_first_cluster_taken() -> None:
    assert share([claim(5, 2)], Table(used=(5,))) == [Space([], "overwritten")]


def test_clusters_of_others_are_left_out() -> None:
    assert share([claim(5, 4)], Table(used=(6, 7))) == [Space([(5, 1), (8, 3)], "guess")]
    # The middle of frag3.dat of the DFTT image: another deleted file lies in it, whole.
    assert share([claim(14, 2), claim(15, 2)]) == [Space([(14, 1), (17, 1)], "guess"), Space([(15, 2)], "guess")]


def test_not_enough_left() -> None:
    assert share([claim(40, 4)]) == [Space([(40, 2)], "overwritten")]


def test_two_that_began_in_one_place() -> None:
    older, newer = claim(5, 1, 10), claim(5, 2, 20)
    assert share([older, newer]) == [Space([], "overwritten", reused=True), Space([(5, 2)], "guess")]


def test_a_renamed_file_is_the_same_file() -> None:
    assert share([claim(5, 2, 10), claim(5, 2, 10)]) == [Space([(5, 2)], "guess")] * 2


def test_half_a_cluster_number() -> None:
    assert share([claim(5, 1, doubtful=True)]) == [Space([(5, 1)], "guess")]


def test_exfat_states_where_it_is() -> None:
    table = Table(used=(12,), links={20: 30, 30: 25})
    assert share([claim(5, 3, contiguous=True), claim(10, 4, contiguous=True), claim(20, 3)], table, "exfat") == [
        Space([(5, 3)], "recoverable"),
        Space([(10, 4)], "overwritten"),
        Space([(20, 1), (30, 1), (25, 1)], "recoverable"),
    ]


def test_newer_file_over_an_older_one() -> None:
    older, newer = claim(5, 6, 10, contiguous=True), claim(8, 2, 20, contiguous=True)
    assert [space.content for space in share([older, newer], kind="exfat")] == ["overwritten", "recoverable"]


def test_nonsense_gets_nothing() -> None:
    assert [space.content for space in share([claim(0, 1), claim(1, 1), claim(500, 1), claim(5, 0), claim(5, 1 << 40)])] == ["none"] * 4 + [
        "overwritten"
    ]

from __future__ import annotations

import math

import numpy as np
import pytest

from triage.sweep.sampling import (
    FIRST_PASS,
    LARGEST_PASS,
    Shuffle,
    chance,
    exhaustive_passes,
    largest_missed,
    passes,
    percent,
    samples_needed,
)


@pytest.mark.parametrize(("blocks", "target", "samples"), [(1000, 10, 100), (1000, 100, 10), (50, 1, 49), (5000, 5, 1), (10_000, 700, 900)])
def test_the_chance_is_that_of_drawing_without_replacement(blocks: int, target: int, samples: int) -> None:
    exact = 1 - math.comb(blocks - target, samples) / math.comb(blocks, samples)
    assert chance(blocks, target, samples) == pytest.approx(exact, abs=1e-12)
    assert chance(blocks, target, samples) == pytest.approx(chance(blocks, samples, target), abs=1e-12)


def test_both_ways_to_the_chance_agree() -> None:
    # More than 100,000 of each: by the logarithm of the gamma function; here beside the product itself.
    blocks, target, samples = 1 << 34, 150_000, 200_000
    product = -math.expm1(float(np.log1p(-samples / (blocks - np.arange(target, dtype=float))).sum()))
    assert chance(blocks, target, samples) == pytest.approx(product, rel=1e-3)


def test_the_ends_of_the_chance() -> None:
    assert chance(100, 0, 50) == chance(100, 50, 0) == 0
    assert chance(100, 51, 50) == 1 and chance(100, 100, 1) == 1
    assert 0.999999 < chance(1 << 21, 50_000, 140_000) < 1, "a miss is possible, so a hit is not certain"


def test_figures_of_the_literature() -> None:
    # 500 GB, 10 MiB, 90%: 109,795 reads (Naval Postgraduate School); the others after Garfinkel et al.
    assert samples_needed(500 * 10**9 // 4096, 10 * 2**20 // 4096, 0.90) == pytest.approx(109_795, rel=0.002)
    assert samples_needed(10**12 // 4096, 100 * 2**20 // 4096, 0.95) == pytest.approx(29_000, rel=0.02)
    # The rule of three: nothing met in n, so at 95% less than a share of 3/n.
    assert largest_missed(10**8, 10_000, 0.95) == pytest.approx(10**8 * 3 / 10_000, rel=0.01)


def test_needed_and_missed_are_the_least() -> None:
    needed = samples_needed(1 << 21, 4860, 0.99)
    assert chance(1 << 21, 4860, needed) >= 0.99 > chance(1 << 21, 4860, needed - 1)
    least = largest_missed(1 << 21, 3072, 0.99)
    assert chance(1 << 21, least, 3072) >= 0.99 > chance(1 << 21, least - 1, 3072)
    assert samples_needed(10, 1, 0.99) == 10 and largest_missed(10, 0, 0.99) == 10 and samples_needed(0, 1, 0.99) == 0


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 1000, 4096, 4097, 65_537])
def test_an_order_of_all_numbers(count: int) -> None:
    whole = Shuffle(count, 3).stretch(0, count)
    assert whole.tolist() == list(range(count))
    parts = [Shuffle(count, 3).stretch(start, start + 500) for start in range(0, count, 500)]
    assert sorted(np.concatenate(parts).tolist()) == list(range(count))
    assert all((np.diff(part) > 0).all() for part in parts), "ascending: the order in which a disk is read"


def test_the_order_is_that_of_the_seed() -> None:
    first = Shuffle(1 << 28, 1).stretch(0, 1000)
    assert (first == Shuffle(1 << 28, 1).stretch(0, 1000)).all()
    assert len(set(first.tolist()) & set(Shuffle(1 << 28, 2).stretch(0, 1000).tolist())) < 5


def test_every_stretch_is_spread_evenly() -> None:
    count, bins = 3_000_001, 50
    for start in (0, 16_384, 1_000_000):
        drawn = Shuffle(count, 9).stretch(start, start + 20_000)
        counts = np.bincount(drawn * bins // count, minlength=bins)
        squares = float(((counts - 400) ** 2 / 400).sum())
        assert squares < 90, f"chi-squared with 49 degrees of freedom: {squares:.0f}"
        gaps = np.bincount(drawn % 64, minlength=64)
        assert gaps.min() > 220 and gaps.max() < 420, "no remainder is left out"


@pytest.mark.parametrize(("confidence", "least", "most"), [(0.99, 385, 400), (0.5, 160, 240)])
def test_the_odds_are_kept(confidence: float, least: int, most: int) -> None:
    """4,900 blocks in twenty pieces of a disk of 8 GiB, drawn for by 400 seeds: met as often as the odds say."""
    blocks = 1 << 21
    known = np.zeros(blocks, bool)
    for piece in range(20):
        known[piece * 100_003 : piece * 100_003 + 245] = True
    samples = samples_needed(blocks, int(known.sum()), confidence)
    met = sum(bool(known[Shuffle(blocks, seed).stretch(0, samples)].any()) for seed in range(400))
    assert least <= met <= most


def test_passes() -> None:
    plan = list(passes(100_000))
    assert [item.number for item in plan] == list(range(len(plan)))
    assert [item.start for item in plan[1:]] == [item.stop for item in plan[:-1]] and plan[0].start == 0
    assert plan[0].stop == FIRST_PASS and max(item.stop - item.start for item in plan) == LARGEST_PASS
    assert plan[-1].stop == 100_000
    assert list(passes(7168)) == plan[:3], "a longer sweep begins like a shorter one"
    whole = list(exhaustive_passes(300_000))
    assert whole[0].start == 0 and whole[-1].stop == 300_000
    assert [item.start for item in whole[1:]] == [item.stop for item in whole[:-1]]
    assert not list(passes(0)) and not list(exhaustive_passes(0))


def test_a_probability_in_words_is_never_rounded_up() -> None:
    shown = [percent(value) for value in (0, 0.0694, 0.5, 0.98999, 0.99, 0.9949, 0.999, 0.99999, math.nextafter(1.0, 0.0), 1)]
    assert shown == ["0%", "6.9%", "50%", "98.9%", "99%", "99.4%", "99.9%", "more than 99.9%", "more than 99.9%", "100%"]

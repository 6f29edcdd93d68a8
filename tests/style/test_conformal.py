"""Percentiles: valid on exchangeable works, refused on few, never below one in n + 1."""

from functools import cache

import numpy as np
import pytest

from musai.errors import BadInput
from musai.style import conformal
from tests.style.shelf import rng


def made(draw, count, passages=3, width=6, shift=0.0):
    """Works with a mean of their own and passages around it; (rows, works)."""
    own = draw.normal(size=(count, width)) + shift
    works = np.repeat(np.arange(count), passages)
    return own[works] + 0.7 * draw.normal(size=(len(works), width)), works


@cache
def tried(times, smooth, seed):
    draw, found = rng(seed), []
    for _ in range(times):
        rows, works = made(draw, 26)
        new = rows[25 * 3]
        held, whose = rows[: 25 * 3], works[: 25 * 3]
        chance = float(draw.random())
        found.append(
            conformal.smoothed(held, whose, new, chance)
            if smooth
            else conformal.p_value(held, whose, new)
        )
    return np.array(found)


@pytest.mark.parametrize("level", [0.05, 0.1, 0.25, 0.5, 0.75, 0.9])
def test_a_smoothed_percentile_of_an_exchangeable_work_is_uniform(level):
    # 1,500 draws: three standard errors are at most .039.
    share = (tried(1500, True, 1) <= level).mean()
    assert abs(share - level) < 3 * np.sqrt(level * (1 - level) / 1500)


@pytest.mark.parametrize("level", [0.05, 0.1, 0.25, 0.5, 0.75])
def test_a_percentile_as_told_is_small_no_more_often_than_it_says(level):
    share = (tried(1500, False, 2) <= level).mean()
    assert share < level + 3 * np.sqrt(level * (1 - level) / 1500)


def test_the_smallest_percentile_is_one_in_the_works_and_one():
    rows, works = made(rng(3), 24)
    assert conformal.p_value(rows, works, rows[0] + 100) == pytest.approx(1 / 25)


def test_a_passage_at_the_mean_is_as_usual_as_can_be():
    rows, works = made(rng(4), 24)
    assert conformal.p_value(rows, works, rows.mean(axis=0)) == 1.0


def test_equal_passages_tie_and_count_in_full():
    rows = np.ones((40, 3))
    assert conformal.p_value(rows, np.arange(40), np.ones(3)) == 1.0


def test_a_work_with_more_passages_counts_no_more_than_another():
    rows, works = made(rng(5), 24, passages=1)
    again = np.concatenate([rows, rows[:1], rows[:1]])
    twice = np.concatenate([works, works[:1], works[:1]])
    new = rows[3] * 1.1
    assert conformal.p_value(again, twice, new) == pytest.approx(
        conformal.p_value(rows, works, new)
    )


def test_the_order_of_the_passages_changes_nothing():
    rows, works = made(rng(6), 24)
    order = rng(7).permutation(len(rows))
    new = rows[5] + 0.3
    assert conformal.p_value(rows[order], works[order], new) == conformal.p_value(rows, works, new)


def test_nineteen_works_are_refused_with_the_legal_number():
    rows, works = made(rng(8), 19)
    with pytest.raises(BadInput, match=r"19; legal is 20"):
        conformal.p_value(rows, works, rows[0])

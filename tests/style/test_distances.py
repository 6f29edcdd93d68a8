"""Overlapping areas and the discrepancy, on groups that are equal and groups that are not."""

import numpy as np
import pytest

from musai.style import distances
from musai.style.features import COLUMNS, WIDTH
from tests.style.shelf import rng


def test_two_equal_sets_of_distances_overlap_wholly():
    values = rng(1).normal(size=500) ** 2
    assert distances.overlapping_area(values, values) == pytest.approx(1, abs=0.01)


def test_sets_far_apart_do_not_overlap():
    assert distances.overlapping_area(np.zeros(50), np.full(50, 9.0)) == pytest.approx(0, abs=0.01)


def test_the_area_of_two_normal_densities_is_the_known_one():
    # N(0,1) and N(1,1) share 2 * Phi(-1/2) = .617; Scott's width blurs it a little upwards.
    draw = rng(2)
    area = distances.overlapping_area(draw.normal(size=20_000), 1 + draw.normal(size=20_000))
    assert area == pytest.approx(0.617, abs=0.02)


def test_constant_sets_overlap_wholly():
    assert distances.overlapping_area(np.zeros(5), np.zeros(7)) == pytest.approx(1, abs=0.01)


def test_areas_are_told_for_every_feature():
    draw = rng(3)
    found = distances.areas(draw.normal(size=(4, WIDTH)), draw.normal(size=(25, WIDTH)))
    assert set(found) == set(COLUMNS)
    assert all(0 <= area <= 1 for area in found.values())


def test_the_discrepancy_is_the_unbiased_estimate_by_its_formula():
    kernel = np.array(
        [[1, 0.5, 0.2, 0.1], [0.5, 1, 0.3, 0.4], [0.2, 0.3, 1, 0.6], [0.1, 0.4, 0.6, 1]]
    )
    # Within .5 and .6, between the mean of .2, .1, .3, .4.
    found = distances.discrepancy(kernel, np.array([[1.0, 1, 0, 0]]))
    assert found == pytest.approx([0.5 + 0.6 - 2 * 0.25])


def judged(shift, seed, ours=8, theirs=24, permutations=99):
    """p of groups of works of two passages each, whose means lie `shift` apart."""
    draw = rng(seed)
    unit = np.repeat(np.arange(ours + theirs), 2)
    own = draw.normal(size=(ours + theirs, 5)) + shift * (np.arange(ours + theirs) < ours)[:, None]
    rows = own[unit] + 0.1 * draw.normal(size=(len(unit), 5))
    return distances.permutation_test(distances.unit_kernel(rows, unit), ours, permutations, draw)[
        1
    ]


def test_groups_of_one_kind_are_told_apart_no_more_often_than_the_level_says():
    found = np.array([judged(0.0, 100 + k) for k in range(150)])
    assert (found <= 0.1).mean() < 0.1 + 3 * np.sqrt(0.09 / 150)
    assert found.min() >= 0.01


def test_groups_of_different_kinds_are_told_apart():
    assert max(judged(2.0, 300 + k) for k in range(10)) == 0.01


def test_equal_works_are_never_told_apart():
    kernel = distances.unit_kernel(np.ones((12, 3)), np.arange(12))
    found = distances.permutation_test(kernel, 4, 99, rng(5))
    assert found == (pytest.approx(0), 1.0)


def test_the_same_generator_gives_the_same_percentile():
    assert judged(0.5, 9) == judged(0.5, 9)

"""What tells phrases from human ones, on music where the answer is known."""

import numpy as np
import pytest

from musai.music import Phrase
from musai.quality.likeness import auc, boosted, features, folds, likeness, scale_of, told
from musai.quality.listener import listened
from tests.style.shelf import JUMPER, WALKER, tune

GROUPS = [f"work {n // 2}" for n in range(16)]


def tunes(composer: str, first: int) -> list[Phrase]:
    return [tune(composer, first + n) for n in range(16)]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.1, 0.2, 0.8, 0.9], 1.0),
        ([0.8, 0.9, 0.1, 0.2], 0.0),
        ([0.5] * 4, 0.5),
        ([1, 3, 2, 4], 0.75),
    ],
)
def test_the_area_under_the_curve_counts_pairs_and_ties_half(scores, expected) -> None:
    assert auc(np.array(scores, float), np.array([False, False, True, True])) == expected


def test_music_of_one_hand_is_alike_and_of_another_is_not() -> None:
    walker, other = features(tunes(WALKER, 0)), features(tunes(WALKER, 100))
    jumper = features(tunes(JUMPER, 0))
    scale = scale_of(walker)
    same = likeness(other, GROUPS, walker, GROUPS, scale)
    apart = likeness(jumper, GROUPS, walker, GROUPS, scale)
    assert same.area > apart.area
    assert same.discrepancy < apart.discrepancy
    assert apart.p_value < 0.01
    assert same.p_value > 0.05


def test_works_are_dealt_out_to_folds_whole() -> None:
    fold = folds(GROUPS)
    assert all(
        len({int(f) for f, g in zip(fold, GROUPS, strict=True) if g == one}) == 1 for one in GROUPS
    )
    assert set(fold.tolist()) == set(range(5))


@pytest.mark.parametrize("judge", ["boosted", "transformer"])
def test_both_judges_tell_two_hands_apart_and_one_hand_from_itself_hardly(judge: str) -> None:
    pytest.importorskip("sklearn")
    human = np.repeat([False, True], 16)
    groups = [*(f"a {g}" for g in GROUPS), *(f"b {g}" for g in GROUPS)]
    fold = folds(groups)

    def heard(other: list[Phrase]) -> float:
        both = [*other, *tunes(WALKER, 0)]
        scores = (
            boosted(features(both), human, fold)
            if judge == "boosted"
            else listened(both, human, fold)
        )
        found = told(scores, human, groups)
        assert found.low <= found.auc <= found.high
        return found.auc

    assert heard(tunes(JUMPER, 0)) > 0.95
    assert heard(tunes(WALKER, 300)) < 0.85


def test_the_listener_gives_the_same_scores_each_time() -> None:
    both = [*tunes(JUMPER, 0)[:6], *tunes(WALKER, 0)[:6]]
    human, fold = np.repeat([False, True], 6), np.arange(12) % 3
    assert np.array_equal(listened(both, human, fold), listened(both, human, fold))

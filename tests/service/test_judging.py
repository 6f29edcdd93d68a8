"""What people find of matches: before the numbers and after, and how well the two agree."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from musai.errors import BadInput, NotFound
from musai.report.dossier import Judgement
from musai.service.judging import LEAST, agreement
from tests.report.fixtures import QUOTE
from tests.service.desk import World, world


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    made = world(tmp_path)
    made.match(made.phrase())
    yield made
    made.ledger.close()


def judge(here: World, who: str = "Ann", **more: object) -> Judgement:
    return here.history.judge(QUOTE.id, here.work().id, who=who, **more)  # type: ignore[arg-type]


def test_a_rating_by_ear_then_a_mark_are_kept_and_both_count(here: World) -> None:
    rated = judge(here, likeness=4, by_ear=True)
    marked = judge(here, mark="relevant", note="bar 3")
    assert (rated.likeness, rated.by_ear, marked.mark, marked.note) == (
        4,
        True,
        "relevant",
        "bar 3",
    )
    assert [one.latest for one in here.history.judgements()] == [True, True]
    hit = here.history.phrase(QUOTE.id).hits[0]
    assert (hit.mark, hit.likeness) == ("relevant", 4)
    assert here.history.row(QUOTE.id).marks == {"relevant": 1}
    here.ledger.verify().check()


def test_the_latest_mark_counts_and_the_earlier_one_stays_readable(here: World) -> None:
    judge(here, mark="relevant")
    judge(here, mark="dismissed")
    assert [(one.mark, one.latest) for one in here.history.judgements()] == [
        ("relevant", False),
        ("dismissed", True),
    ]
    assert [one.mark for one in here.history.judgements(history=False)] == ["dismissed"]


def test_an_empty_mark_withdraws_one(here: World) -> None:
    judge(here, mark="relevant")
    judge(here, mark="")
    assert here.history.row(QUOTE.id).marks == {}
    assert here.history.phrases(mark="relevant").total == 0


def test_who_has_seen_the_numbers_or_marked_the_match_rates_no_longer_by_ear(here: World) -> None:
    here.history.shown(QUOTE.id, here.work().id, who="Ann")
    with pytest.raises(BadInput, match="Ann has seen the numbers"):
        judge(here, likeness=3, by_ear=True)
    assert judge(here, "Bob", likeness=3, by_ear=True).by_ear
    judge(here, "Bob", mark="dismissed")
    with pytest.raises(BadInput, match="before them"):
        judge(here, "Bob", likeness=5, by_ear=True)
    assert not judge(here, likeness=3).by_ear


def test_numbers_shown_twice_are_recorded_once(here: World) -> None:
    before = len(here.ledger)
    here.history.shown(QUOTE.id, here.work().id, who=" Ann ")
    here.history.shown(QUOTE.id, here.work().id, who="Ann")
    assert len(here.ledger) == before + 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, "says nothing"),
        ({"likeness": 6}, "legal is 1 to 5"),
        ({"mark": "stolen"}, "legal is relevant, common stock, licensed, dismissed"),
        ({"mark": "licensed", "note": "x" * 5000}, "up to 4000"),
        ({"mark": "licensed", "who": " "}, "1 to 100 characters"),
        ({"mark": "licensed", "by_ear": True}, "by ear a likeness is rated"),
        ({"mark": "licensed", "likeness": 2, "by_ear": True}, "before the match is marked"),
    ],
)
def test_a_judgement_out_of_range_is_refused_and_not_recorded(
    here: World, wrong: dict, says: str
) -> None:
    before = len(here.ledger)
    with pytest.raises(BadInput, match=says):
        judge(here, **wrong)
    assert len(here.ledger) == before


def test_a_work_that_no_comparison_names_cannot_be_judged(here: World) -> None:
    with pytest.raises(NotFound, match="does not name"):
        here.history.judge(QUOTE.id, "b" * 64, who="Ann", mark="relevant")


def told(count: int, ratings: list[int], who: str = "Ann") -> list[Judgement]:
    return [
        Judgement(
            seq=n + 1,
            utc="2026-11-25",
            phrase_id=f"{n}",
            work_id="w",
            corpus="reels",
            who=who,
            likeness=ratings[n % len(ratings)],
            by_ear=True,
        )
        for n in range(count)
    ]


def test_agreement_is_spearmans_rho_with_ties_and_an_interval() -> None:
    ratings = [1, 2, 2, 3, 3, 3, 4, 5, 5, 1, 4, 2]
    scores = [8.0, 9.5, 20.0, 14.0, 18.0, 13.0, 30.0, 28.0, 41.0, 11.0, 17.0, 9.0]
    found = agreement(
        told(12, ratings), {(f"{n}", "w"): score for n, score in enumerate(scores)}, {}
    )
    assert found.rho == pytest.approx(spearmanr(ratings, scores).statistic)
    assert found.n == 12
    assert found.low is not None
    assert found.high is not None
    assert found.rho is not None
    assert -1 < found.low < found.rho < found.high < 1


def test_the_interval_holds_the_true_correlation_about_as_often_as_it_says() -> None:
    rng = np.random.Generator(np.random.Philox(5))
    inside = 0
    for _ in range(400):
        both = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 30)
        ratings = np.clip(np.round(both[:, 0] * 1.2 + 3), 1, 5).astype(int).tolist()
        scores = {(f"{n}", "w"): float(value) for n, value in enumerate(both[:, 1])}
        found = agreement(told(30, ratings), scores, {})
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= 0.565 <= found.high
    assert 0.92 <= inside / 400 <= 0.98


@pytest.mark.parametrize(
    ("count", "ratings", "why"),
    [
        (LEAST - 1, [1, 2, 3], f"told from {LEAST} on"),
        (LEAST, [3], "all ratings are the same"),
        (0, [1], "0 matches"),
    ],
)
def test_too_few_or_equal_ratings_give_no_correlation_and_say_why(
    count: int, ratings: list[int], why: str
) -> None:
    scores = {(f"{n}", "w"): float(n) for n in range(count)}
    found = agreement(told(count, ratings), scores, {})
    assert (found.rho, found.low, found.high, found.n) == (None, None, None, count)
    assert why in found.why


def test_several_reviewers_of_one_match_count_as_one_match() -> None:
    scores = {(f"{n}", "w"): float(n) for n in range(12)}
    both = told(12, [1, 2, 3, 4, 5]) + told(12, [2, 2, 3, 4, 4], "Bob")
    found = agreement(both, scores, {})
    assert (found.n, found.reviewers) == (12, 2)


def test_marks_are_counted_by_light(here: World) -> None:
    judge(here, mark="licensed")
    judge(here, "Bob", mark="relevant")
    found = here.history.agreement()
    assert [(one.light, one.mark, one.count) for one in found.marks] == [("amber", "relevant", 1)]
    assert found.rho is None


def test_ratings_after_the_numbers_do_not_enter_the_agreement(here: World) -> None:
    judge(here, likeness=5)
    assert here.history.agreement().n == 0

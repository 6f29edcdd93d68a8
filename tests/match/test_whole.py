"""The global mode lays two whole lines out, and its sums are those of all alignments."""

import itertools
import math

import made
import numpy as np
import pytest

from musai.errors import BadInput, NotFound
from musai.match import whole
from musai.match.learned import Whole, learned
from musai.match.scores import profile, scores_in_use
from musai.match.streams import symbols
from musai.match.versions import lay_out


def names(text: str) -> np.ndarray:
    return np.array(["CdDeEFgGaAbB".index(c) for c in text])


def test_a_line_and_itself_are_laid_out_note_for_note() -> None:
    line = names("CDEFGAGFEDC")
    laid = whole.lay_out(line, line)
    assert laid.pairs.tolist() == [[k, k] for k in range(len(line))]
    assert laid.transposition == 0
    assert laid.expected > 0.95


def test_a_dropped_note_stands_alone_and_a_changed_one_keeps_its_partner() -> None:
    first, second = names("CDEFGABbaGFEDC"), names("CDEFABbaGFdDC")
    laid = whole.lay_out(first, second, transposition=0)
    partner = dict(laid.pairs.tolist())
    assert 4 not in partner
    assert partner[3] == 3
    assert partner[5] == 4
    assert partner[11] == 10, "E is answered by d flat"


@pytest.mark.parametrize("up", range(-5, 7))
def test_the_transposition_leads_from_the_second_line_to_the_first(up: int) -> None:
    line = made.melody(3, 40)[2]
    laid = whole.lay_out(line + up, line)
    assert laid.transposition == up
    assert len(laid.pairs) == 40


def test_of_equal_notes_in_a_row_the_one_that_lasts_as_long_is_the_partner() -> None:
    first, second = np.array([60, 62, 62, 64]), np.array([60, 62, 64])
    long, short = np.array([1, 4, 1, 1]), np.array([1, 4, 1])
    laid = whole.lay_out(first, second, (long, short), transposition=0)
    assert dict(laid.pairs.tolist())[1] == 1
    laid = whole.lay_out(first, second, (long[[0, 2, 1, 3]], short), transposition=0)
    assert dict(laid.pairs.tolist())[2] == 1


def all_paths(m: int, n: int) -> list[list[int]]:
    found = []
    for pairs in range(min(m, n) + 1):
        ways = [0] * pairs + [1] * (m - pairs) + [2] * (n - pairs)
        found += [list(path) for path in set(itertools.permutations(ways))]
    return found


def test_the_sums_are_those_over_every_alignment_one_by_one() -> None:
    rng = np.random.Generator(np.random.Philox(5))
    pair, first, second = rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=2)
    known = Whole(
        np.zeros(1), np.zeros(1), np.zeros(1), rng.normal(size=(3, 3)), rng.normal(size=3), first
    )
    total, paired = 0.0, np.zeros((3, 2))
    for path in all_paths(3, 2):
        weight = float(known.start[path[0]])
        weight += sum(float(known.turns[a, b]) for a, b in itertools.pairwise(path))
        i = j = 0
        held = []
        for way in path:
            weight += float(pair[i, j] if way == 0 else first[i] if way == 1 else second[j])
            held += [(i, j)] if way == 0 else []
            i, j = i + (way != 2), j + (way != 1)
        total += math.exp(weight)
        for place in held:
            paired[place] += math.exp(weight)
    log, found, alone = whole.posterior(known, pair, first, second)
    assert log == pytest.approx(math.log(total))
    assert found == pytest.approx(paired / total)
    assert alone == pytest.approx(1 - paired.sum(axis=1) / total)


def test_a_line_of_one_note_is_laid_out_and_an_empty_or_endless_one_is_refused() -> None:
    assert whole.lay_out(np.array([60]), np.array([60])).pairs.tolist() == [[0, 0]]
    for length in (0, whole.LONGEST + 1):
        with pytest.raises(BadInput, match="legal is 1 to 2000"):
            whole.lay_out(np.zeros(length, int), np.array([60]))


def test_the_learned_weights_agree_with_experts_better_than_a_simple_alignment() -> None:
    figures = learned().made
    assert figures["agreement"] >= 0.93
    assert figures["examples"] == 164


def test_unrelated_notes_score_below_nothing_on_average() -> None:
    """A local alignment needs that, else every match runs on to both ends."""
    rng = np.random.Generator(np.random.Philox(2))
    table = profile(symbols(np.cumsum(rng.integers(-4, 5, 200)) + 60, np.arange(200) * 240))
    near = scores_in_use()
    agreeing = table[:, 4].mean() / 16
    assert 0.1 * agreeing + 0.3 * near.near1 + 0.6 * near.far < 0


def test_a_version_of_a_work_is_laid_out_note_by_note(matcher, shelf) -> None:
    tune = shelf.music["tune 12"]
    kept = [k for k in range(50) if k not in (7, 30)]
    version = matcher.lay_out(made.moved(tune, kept, up=3, stretch=0.5), tune.notes_id)
    assert version.transposition == 3
    assert version.notes == 48
    right = sum(kept[mine] == theirs for mine, theirs in version.pairs)
    assert right >= 46
    assert len(version.certainty) == len(version.pairs)
    assert version.expected > 0.8


def test_a_work_that_is_not_there_is_named(matcher, shelf) -> None:
    with pytest.raises(NotFound, match="no work 'nothing'"):
        lay_out(matcher.catalogue, shelf.music["tune 1"], shelf.music["tune 1"], "nothing")

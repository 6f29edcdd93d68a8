"""What is given stands ahead of its time and is never asked; what is asked for is all there."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musai.music import Phrase
from musai.transformer import data
from musai.transformer import vocabulary as v
from musai.transformer.encoding import encode, header_of
from musai.transformer.tasks import Task, apply, draw_task, weight_of
from tests.transformer.test_encoding import grid_phrases

C = v.COLUMN


def rng(number=1):
    return np.random.Generator(np.random.Philox(number))


def duet():
    """Four bars of two voices, a note a bar each: 60 to 63 above, 48 to 51 below."""
    return Phrase.from_notes(
        [0, 0, 4, 4, 8, 8, 12, 12], [4] * 8, [60, 48, 61, 49, 62, 50, 63, 51], voices=[0, 1] * 4
    )


def told(task):
    encoded = encode(duet(), header_of(duet()), 0)
    rows, targets = apply(encoded.rows, encoded.header, task, rng())
    words = []
    for row in rows[encoded.header :]:
        pitch = row[C["pitch"]] - 1
        kind = row[C["kind"]]
        words.append("|" if kind == v.BAR else f"({pitch})" if kind == v.GIVEN else str(pitch))
    return " ".join(words), rows, targets


def test_a_voice_beside_comes_a_bar_early():
    line, rows, targets = told(Task(0, 4, frozenset({0}), lead=1))
    assert line == "| (48) (49) 60 | (50) 61 | (51) 62 | 63"
    assert targets[targets[:, 2] >= 0, 2].tolist() == [60, 61, 62, 63]
    ahead = rows[:, C["ahead"]]
    assert ahead[ahead > 0].tolist() == [1, 2, 2, 2]


def test_what_follows_a_gap_is_told_where_it_begins_and_the_gap_ends_the_passage():
    line, rows, _ = told(Task(1, 2, frozenset({0, 1}), after=2))
    assert line == "| 60 48 | (62) (50) (63) (51) 61 49"
    ahead = rows[:, C["ahead"]]
    assert ahead[ahead > 0].tolist() == [2, 2, 3, 3]
    # What is given stands in the bar that tells it, and counts its own from there.
    bars = rows[:, C["bar"]]
    assert bars[bars > 0].tolist() == [1] * 3 + [2] * 7


def test_before_a_gap_all_is_plain_and_inside_the_others_are_given():
    line, *_ = told(Task(2, 3, frozenset({1}), lead=4, after=1))
    assert line == "| 60 48 | 61 49 | (62) (63) (51) 50"


def test_the_structural_share_of_the_notes_is_given():
    tune = Phrase.from_notes(
        [0, 1.25, 1.5, 1.75, 2.25, 2.5], [1.25, 0.25, 0.25, 0.25, 0.25, 1.5],
        [60, 61, 62, 63, 64, 65],
    )  # fmt: skip
    encoded = encode(tune, header_of(tune), 0)
    rows, _ = apply(encoded.rows, encoded.header, Task(0, 1, frozenset({0}), kept=1 / 6), rng())
    assert rows[rows[:, 0] == v.GIVEN][:, C["pitch"]].tolist() == [61]


def test_long_notes_on_strong_beats_weigh_most():
    weights = weight_of(np.array([0, 48, 24, 12, 6]), np.array([24, 24, 24, 12, 6]), 96)
    assert (np.diff(weights) < 0).all()


@given(grid_phrases(), st.integers(0, 2**32))
def test_whatever_is_given_the_rest_is_asked_and_follows_in_time(phrase, seed):
    encoded = encode(phrase, header_of(phrase), 0)
    bars = len(encoded.bar_rows)
    task = draw_task(bars, 4, rng(seed))
    rows, targets = apply(encoded.rows, encoded.header, task, rng(seed))
    kind = rows[:, C["kind"]]
    assert 0 <= task.first < task.last <= bars
    assert (kind == v.BAR).sum() == task.last
    for row, target in zip(rows[1:], targets[:-1], strict=True):
        if row[0] == v.NOTE:
            assert target[:4].tolist() == [row[C[name]] - 1 for name in tuple(v.OUTPUTS)[:4]]
        elif row[0] == v.BAR:
            assert target[0] in (v.BARLINE, -1)
        else:
            assert (target == -1).all()
    bar = np.cumsum(kind == v.BAR) - 1
    inside = (kind == v.NOTE) & (bar >= task.first)
    assert set((rows[inside, C["voice"]] - 1).tolist()) <= task.asked
    if not task.kept:
        whole = encoded.rows
        own = np.cumsum(whole[:, 0] == v.BAR) - 1
        gap = (whole[:, 0] == v.NOTE) & (own >= task.first) & (own < task.last)
        wanted = gap & np.isin(whole[:, C["voice"]] - 1, list(task.asked))
        assert inside.sum() == wanted.sum()
    sizes = np.array(list(v.INPUTS.values()))
    assert ((rows >= 0) & (rows < sizes)).all()


def test_a_share_of_an_epochs_samples_has_something_given_and_it_never_changes():
    pieces = [data.encode_work(f"w{i}", duet(), 0, "duets") for i in range(40)]
    plans = [data.plan_epoch(pieces, {}, 64, 1, 0, 0.5) for _ in range(2)]
    assert plans[0] == plans[1]
    tasks = [sample.task is not None for sample in plans[0]]
    assert 0 < sum(tasks) < len(tasks)
    for sample in plans[0]:
        first, second = (data.rows_of(sample, pieces[sample.piece], 64) for _ in range(2))
        assert np.array_equal(first[0], second[0])
        assert (first[0][:, 0] == v.GIVEN).any() <= (sample.task is not None)

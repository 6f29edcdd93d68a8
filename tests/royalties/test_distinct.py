"""Copies in any key and tempo add no distinct note, and a work cut in two has as many as before."""

import numpy as np
import pytest

from musai.music import NoteArray, notes_array
from musai.royalties.distinct import note_ids


def tune(count: int, seed: int = 1) -> NoteArray:
    """A line that does not repeat itself."""
    rng = np.random.Generator(np.random.Philox(seed))
    onsets = np.concatenate([[0], np.cumsum(rng.choice([120, 240, 360, 480], count - 1))])
    return notes_array(onsets, 100, rng.integers(50, 80, count), 80, 0)


def moved(work: NoteArray, steps: int = 0, slower: int = 1, later: int = 0) -> NoteArray:
    columns = (work[name].astype(np.int64) for name in ("onset", "duration", "pitch"))
    onset, duration, pitch = columns
    return notes_array(onset * slower + later, duration * slower, pitch + steps, 80, 0)


def distinct(works: list[NoteArray], clusters: list[int] | None = None) -> int:
    found = note_ids(works, clusters or [1] * len(works))
    return len(np.unique(np.concatenate(found)))


def test_every_note_of_a_line_that_does_not_repeat_is_distinct() -> None:
    assert distinct([tune(100)]) == 100


@pytest.mark.parametrize("copy", [{}, {"steps": 5}, {"slower": 3}, {"steps": -7, "slower": 2}])
def test_a_copy_adds_nothing(copy: dict[str, int]) -> None:
    first, second = note_ids([tune(100), moved(tune(100), **copy)], [1, 1])
    assert first.tolist() == second.tolist()
    assert len(first) == 100


def test_a_work_of_another_cluster_adds_all_it_has() -> None:
    assert distinct([tune(100), tune(100)], [1, 2]) == 200


def test_a_strain_played_twice_counts_once() -> None:
    once = tune(64)
    twice = np.concatenate([once, moved(once, later=480 * 200)])
    assert distinct([twice]) == 64


@pytest.mark.parametrize("cut", [8, 33, 50, 92])
def test_a_work_cut_in_two_has_as_many_distinct_notes_as_before(cut: int) -> None:
    whole = tune(100)
    assert distinct([whole[:cut], whole[cut:]], [1, 2]) == 100
    assert distinct([whole[:cut], whole[cut:], whole]) == 100


def test_few_notes_and_no_notes_are_counted_as_they_are() -> None:
    assert distinct([tune(3)]) == 3
    assert [len(ids) for ids in note_ids([tune(3)[:0], tune(9)], [1, 1])] == [0, 9]

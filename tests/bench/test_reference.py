"""The benchmark's own reference is right, and so are its quantiles."""

import numpy as np
import pytest

from musai.music import Phrase
from tests.bench.matching import Plain, wandering
from tests.bench.server import motif
from tests.bench.table import quantile


def smith_waterman(query: list[int], line: list[int]) -> int:
    """The textbook's way, cell by cell."""
    best, above = 0, [0] * (len(line) + 1)
    for step in query:
        row = [0]
        for j, other in enumerate(line, 1):
            agree = Plain.AGREES if other == step else Plain.DIFFERS
            gaps = above[j] - Plain.GAP, row[j - 1] - Plain.GAP
            row.append(max(0, above[j - 1] + agree, *gaps))
        best, above = max(best, *row), row
    return best


def test_the_plain_alignment_is_smith_and_waterman_s() -> None:
    rng = np.random.Generator(np.random.Philox(3))
    works = [wandering(rng) for _ in range(20)]
    query = rng.integers(50, 70, 12)
    lines = [np.diff(work.notes["pitch"].astype(int)).tolist() for work in works]
    expected = [smith_waterman(np.diff(query).tolist(), line) for line in lines]
    assert max(expected) > min(expected)
    assert Plain(works).scores(query).tolist() == expected


def test_a_work_of_two_voices_scores_as_its_better_line() -> None:
    low = Phrase.from_notes([0, 1, 2, 3], 1, [40, 42, 44, 45])
    both = Phrase.from_notes(
        [0, 1, 2, 3, 0, 1, 2, 3], 1, [40, 42, 44, 45, 60, 60, 60, 60], 80, [0] * 4 + [1] * 4
    )
    query = np.array([50, 52, 54, 55])
    assert Plain([low, both]).scores(query).tolist() == [6, 6]


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.95, 4), (0.25, 1), (0.26, 2), (0, 1)])
def test_quantiles_are_values_that_occurred(share: float, value: int) -> None:
    assert quantile([3, 1, 4, 2], share) == value


def test_motifs_are_two_bars_and_the_same_for_the_same_seed() -> None:
    assert motif(7, 3) == motif(7, 3) != motif(7, 4)
    assert {motif(7, number).bars for number in range(50)} == {2}

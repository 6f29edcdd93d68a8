"""A null in short: quantiles of the scores that a verdict's statistic was held against."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musai.match import search
from musai.match.hits import Verdict
from musai.match.null import Null
from musai.match.scores import UNITS
from musai.match.significance import phrase_p
from musai.music.phrase import Phrase

QUANTILES = 21


@dataclass(frozen=True, slots=True)
class Spread:
    """Best scores of unrelated phrases as long as a line of `notes` notes.

    `quantiles` in bits, evenly spaced from the lowest to the highest.
    """

    notes: int
    quantiles: tuple[float, ...]


def spread(nulls: Sequence[Null], verdict: Verdict, phrase: Phrase) -> Spread | None:
    """The spread behind a verdict on a phrase, by the null that it names.

    Of the phrase's lines it is the one whose p is the verdict's; None where the verdict has no p
    or, because the null has changed since, no line gives it.
    """
    null = next((null for null in nulls if null.reference == verdict.null_reference), None)
    if verdict.p_value is None or null is None:
        return None
    lines, _ = search.lines(phrase)
    score = round(verdict.statistic * UNITS)
    tested = [
        (len(line), p) for line in lines if (p := phrase_p(null, len(line), score)) is not None
    ]
    for notes, p in tested:
        if abs(min(1.0, len(tested) * p) - verdict.p_value) < 1e-9:
            return Spread(notes, _quantiles(null, notes))
    return None


def _quantiles(null: Null, notes: int) -> tuple[float, ...]:
    """Between two length classes each rank's score is interpolated, as for p."""
    lengths = null.lengths.astype(float)
    high = int(np.searchsorted(lengths, notes))
    low = high if lengths[high] == notes else high - 1
    weight = 0.0 if low == high else (notes - lengths[low]) / (lengths[high] - lengths[low])
    best = (1 - weight) * null.best[low] + weight * null.best[high]
    at = np.quantile(best / UNITS, np.linspace(0, 1, QUANTILES))
    return tuple(round(float(score), 2) for score in at)

"""From scores to probabilities: p of a phrase, p of one work, q over works.

Empirical where the null counted enough, above that a generalised Pareto
tail fitted by probability-weighted moments (Hosking and Wallis 1987), marked
as extrapolated and never below one in all that the null counted.
"""

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from musai.match.null import Null, residual

LEVEL = 0.01
"""p at which the verdict decides, and q at which a work by itself is significant."""

RED_LEVEL = 0.001

COUNTED = 100
"""Scores that a null must hold at or above a score for its p to be read off directly."""

TAIL = 0.002
"""Share of single works' scores to which the tail is fitted."""

_ALL = slice(None)

Ints = NDArray[Any]
Floats = NDArray[np.float64]


def phrase_p(null: Null, notes: int, score: int) -> float | None:
    """(1 + scores of the null at or above `score`) / (1 + size), for a line of `notes` notes.

    Between two length classes the null's quantiles are interpolated.  None
    where the null knows no lines of that length.
    """
    at = _between(null, notes)
    if at is None:
        return None
    low, high, weight = at
    best = (1 - weight) * null.best[low] + weight * null.best[high]
    return float((1 + (best >= score - 1e-9).sum()) / (1 + null.size))


def chance_p(null: Null, notes: int, score: int) -> float | None:
    """(1 + decoys at or above `score`) / (1 + decoys): could chance bring it?  As `phrase_p`."""
    at = _between(null, notes)
    if at is None:
        return None
    low, high, weight = at
    best = (1 - weight) * null.decoys[low] + weight * null.decoys[high]
    return float((1 + (best >= score - 1e-9).sum()) / (1 + null.decoys.shape[1]))


def extrapolated_p(null: Null, notes: int, score: int) -> float | None:
    """The Pareto tail's p where the null counted no score as high; else None."""
    at = _between(null, notes)
    if at is None:
        return None
    low, high, weight = at
    best = (1 - weight) * null.best[low] + weight * null.best[high]
    if score <= best[-1]:
        return None
    cut = float(np.quantile(best, 0.95))
    tail = pareto(best[best > cut] - cut, np.ones(int((best > cut).sum())))
    return float((best > cut).mean() * tail.above(np.array([score - cut]))[0])


def _between(null: Null, notes: int) -> tuple[int, int, float] | None:
    lengths = null.lengths
    if not lengths[0] <= notes <= lengths[-1]:
        return None
    high = int(np.searchsorted(lengths, notes))
    low = high if lengths[high] == notes else high - 1
    if low == high:
        return low, high, 0.0
    return low, high, float((notes - lengths[low]) / (lengths[high] - lengths[low]))


@dataclass(frozen=True, slots=True)
class Pareto:
    """A generalised Pareto distribution of exceedances: shape `xi`, scale `sigma`."""

    xi: float
    sigma: float

    def above(self, x: Floats) -> Floats:
        """P(exceedance > x)."""
        if abs(self.xi) < 1e-6:
            return np.exp(-x / self.sigma)
        inside = np.maximum(0.0, 1 + self.xi * x / self.sigma)
        with np.errstate(divide="ignore"):
            return np.asarray(inside ** (-1 / self.xi), np.float64)


def pareto(values: Ints, weights: Ints) -> Pareto:
    """Fit by probability-weighted moments to exceedances (> 0) that occur `weights` times."""
    total = float(weights.sum())
    if total < 10:
        return Pareto(0.0, max(1.0, float(np.average(values, weights=weights)) if total else 1.0))
    order = np.argsort(values)
    x, w = values[order].astype(float), weights[order].astype(float)
    rank = (np.cumsum(w) - w / 2) / total
    first = float((w * x).sum() / total)
    second = float((w * x * (1 - rank)).sum() / total)
    shape = first / (first - 2 * second) - 2 if first != 2 * second else 0.0
    # A lighter tail than an exponential one is not believed: it would end somewhere.
    xi = float(np.clip(-shape, 0.0, 0.5))
    return Pareto(xi, max(1e-6, first * (1 - xi)))


def work_p(null: Null, notes: int, score: Ints, log_notes: Floats) -> tuple[Floats, NDArray[Any]]:
    """p of each work by itself, and whether it was extrapolated.

    `score` int (works,) in units, `log_notes` as `null.log_notes`.  Between
    length classes log p is interpolated.  Lines longer or shorter than the
    null knows take its nearest class.
    """
    inside = int(np.clip(notes, null.lengths[0], null.lengths[-1]))
    between = _between(null, inside)
    assert between is not None
    low, high, weight = between
    table = _table(null, low)
    r = residual(score, log_notes, float(null.slope[low]))
    if not weight:
        return table.p[r], table.extended[r]
    other = _table(null, high)
    r2 = residual(score, log_notes, float(null.slope[high]))
    p = np.exp((1 - weight) * table.log[r] + weight * other.log[r2])
    return p, table.extended[r] | other.extended[r2]


@dataclass(frozen=True, slots=True)
class _Table:
    """p of every residual r, shape (BINS,), its logarithm, and whether it was extrapolated."""

    p: Floats
    log: Floats
    extended: NDArray[np.bool_]


_tables: WeakKeyDictionary[Null, dict[int, _Table]] = WeakKeyDictionary()


def _table(null: Null, which: int) -> _Table:
    held = _tables.setdefault(null, {})
    if which not in held:
        held[which] = _tabulated(null.pairs[which])
    return held[which]


def _tabulated(counts: Ints) -> _Table:
    total = float(counts.sum())
    above = np.cumsum(counts[::-1])[::-1]
    r = np.arange(len(counts))
    p = (1 + above) / (1 + total)
    # The tail starts where `TAIL` of all scores lie above, or more where that is few.
    cut = int(np.searchsorted(-above, -max(TAIL * total, 10 * COUNTED)))
    extended = (above < COUNTED) & (r > cut)
    if extended.any():
        held = np.arange(cut + 1, len(counts))
        tail = pareto(held - cut, counts[held])
        share = above[min(cut + 1, len(above) - 1)] / max(1.0, total)
        # The tail smooths what was counted few times; it never goes below what was counted.
        least = 1 / (1 + total)
        beyond = (r[extended] - cut - 0.5).astype(np.float64)
        p[extended] = np.maximum(least, share * tail.above(beyond))
    p = np.minimum(1.0, p).astype(np.float64)
    return _Table(p, np.log(p), extended)


def q_values(p: Floats, some: Ints | slice = _ALL) -> Floats:
    """Benjamini-Hochberg q over all p given, of those at `some` places only."""
    count = len(p)
    ordered = np.sort(p)
    q = np.minimum.accumulate((ordered * count / np.arange(1, count + 1))[::-1])[::-1]
    # Equal p have equal q.
    return np.minimum(1.0, q[np.searchsorted(ordered, p[some])])

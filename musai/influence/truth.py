"""How far an estimate of influence can be trusted: against models trained without some works.

The linear datamodeling score (S. M. Park and others, "TRAK: attributing model behavior at scale",
2023): for subsets of the works, the sum of an estimate over what was left out against what really
became of the outcome, as Spearman's rank correlation, averaged over queries.  The drop, its unit
and the seeds are part of the number: two scores compare only where all three agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from musai.transformer import data

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def subsets(units: Sequence[str], drop: float, count: int, seed: int) -> Bools:
    """Which works are left out, (count, works): whole units (a work's own name, or its owner's).

    Units are drawn until a share `drop` of the works is out, rounded up; each subset from a
    generator of its own, so that more subsets leave the first ones as they were.
    """
    names = sorted(set(units))
    of = np.array([names.index(unit) for unit in units])
    out = np.zeros((count, len(units)), bool)
    for k in range(count):
        for unit in data.generator(seed, "subset", k).permutation(len(names)):
            if out[k].sum() >= drop * len(units):
                break
            out[k] |= of == unit
    return out


def foretold(scores: Floats, out: Bools) -> Floats:
    """The change that an estimate foretells, (subsets, queries), from scores (queries, works)."""
    changes: Floats = -(out.astype(np.float64) @ scores.T)
    return changes


@dataclass(frozen=True, slots=True)
class Reliability:
    """A score, the 95% interval over queries and subsets, and each query's own correlation."""

    lds: float
    low: float
    high: float
    by_query: tuple[float, ...]


def reliability(said: Floats, came: Floats, seed: int = 7, times: int = 1000) -> Reliability:
    """LDS of what was foretold against what came, both (subsets, queries).

    The interval is a percentile bootstrap that draws subsets and queries anew, both.  A query
    whose changes or foretold changes are all alike counts 0.
    """
    subsets_, queries = came.shape
    rng = data.generator(seed, "bootstrap lds")
    drawn = np.empty(times)
    for t in range(times):
        rows = rng.integers(subsets_, size=subsets_)
        columns = rng.integers(queries, size=queries)
        drawn[t] = correlations(said[rows][:, columns], came[rows][:, columns]).mean()
    each = correlations(said, came)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Reliability(float(each.mean()), float(low), float(high), tuple(each.tolist()))


def calibrated(said: Floats, came: Floats, left_out: NDArray[np.int64]) -> tuple[float, float]:
    """What a unit of a score is worth in nats, and the nats of one work that this leaves unexplained.

    Least squares through nothing over all subsets and queries; the rest's standard deviation as if
    each of the works left out (`left_out`, by subset) had its own, independent part in it.
    """
    size = float((said * said).sum())
    slope = float((said * came).sum()) / size if size > 0 else 0.0
    rest = (came - slope * said) ** 2 / np.maximum(1, left_out)[:, None]
    return slope, float(np.sqrt(rest.mean()))


def correlations(a: Floats, b: Floats) -> Floats:
    """Spearman's correlation of each column, ties at their mean rank; 0 where one is constant."""
    x, y = (rankdata(m, axis=0) - (len(m) + 1) / 2 for m in (a, b))
    size = np.sqrt((x * x).sum(0) * (y * y).sum(0))
    held: Floats = np.divide((x * y).sum(0), size, out=np.zeros(a.shape[1]), where=size > 0)
    return held


def by_owner(scores: Floats, owners: Sequence[Mapping[str, int]]) -> dict[str, Floats]:
    """Scores (queries, works) summed to owners, each work split by its owners' shares in basis points.

    What is negative is summed too and not cut off before: works of one owner may pull both ways.
    """
    found: dict[str, Floats] = {}
    for work, shares in enumerate(owners):
        for name, points in shares.items():
            part = scores[:, work] * (points / 10_000)
            found[name] = found.get(name, np.zeros(len(scores))) + part
    return found

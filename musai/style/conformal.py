"""How usual is a passage among the passages of a group: conformal p-values by work.

Conventions.  A group is passages (n, d) with the work of each, placed in the
main directions of the corpus (`Space`).  The measure of non-conformity is the distance from the
mean of all other works, in the metric of their covariance (Mahalanobis 1936),
shrunk the more the fewer works there are.  Each work's turn is the same as the new
passage's: its passage against all others, the new one among them (full
conformal prediction: Vovk, Gammerman and Shafer 2005).  Where a work has several passages
each counts its share of one (hierarchical conformal prediction: Lee, Barber
and Willett 2023), so works, not passages, are what p counts:

    p = (1 + sum over works of the share of its passages at least as far) / (works + 1)

If the new passage's work is one more of the same kind, P(p <= a) <= a.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from musai.errors import check_range
from musai.style.counting import Floats
from musai.style.features import COLUMNS, rooted
from musai.style.passages import Ints

MIN_WORKS = 20
"""Works that a group needs; with fewer no p below 1/20 could be had at all."""


DIRECTIONS = 20
"""Main directions of a corpus that are looked at, and one for all that lies beside them."""


@dataclass(frozen=True, slots=True)
class Space:
    """The main directions of scaled rows: their mean (d,) and axes (d, k)."""

    centre: Floats
    axes: Floats

    def place(self, scaled_rows: Floats) -> Floats:
        """Rows (n, d) as coordinates (n, k + 1), the last the distance from all directions."""
        apart = scaled_rows - self.centre
        along = apart @ self.axes
        beside = (apart**2).sum(axis=1) - (along**2).sum(axis=1)
        return np.column_stack([along, np.sqrt(np.maximum(0, beside))])


def space_of(scaled_rows: Floats, works: int) -> Space:
    """The space of a corpus of so many works: a direction for every ten, `DIRECTIONS` at most.

    More would follow the few works so closely that whatever is new lies beside them.
    """
    centre = scaled_rows.mean(axis=0)
    apart = scaled_rows - centre
    axes = np.linalg.eigh(apart.T @ apart)[1][:, ::-1]
    return Space(centre, axes[:, : min(DIRECTIONS, max(1, works // 10))])


def block_scale(rows: Floats) -> Floats:
    """Factors (d,) after which each feature of rooted rows has a total variance of one.

    A feature that never varies counts nothing.
    """
    spread = rows.var(axis=0)
    scale = np.zeros(rows.shape[1])
    for part in COLUMNS.values():
        total = float(spread[part].sum())
        scale[part] = 1 / np.sqrt(total) if total > 1e-12 else 0.0
    return scale


def scaled(rows: Floats, scale: Floats) -> Floats:
    """Rows of features in the space that distances are taken in."""
    return rooted(rows) * scale


def p_value(held: Floats, works: Ints, new: Floats) -> float:
    """Conformal p of a passage `new` (d,) in a group `held` (n, d), `works` (n,) naming the works.

    Raises `BadInput` for a group of fewer than `MIN_WORKS` works.
    """
    above, level, count = counted(held, works, new)
    return (1 + above + level) / (count + 1)


def counted(held: Floats, works: Ints, new: Floats) -> tuple[float, float, int]:
    """(works farther from the mean than `new`, works as far, works), both counted in shares."""
    _, number, passages = np.unique(works, return_inverse=True, return_counts=True)
    count = len(passages)
    check_range("number of works in the group", count, MIN_WORKS, 10**9)
    order = np.argsort(number, kind="stable")
    held, number = held[order], number[order]
    weight = 1 / passages[number]
    far, here = _distances(held, number, weight, new)
    return float(weight[far > here].sum()), float(weight[far == here].sum()), count


def _distances(held: Floats, number: Ints, weight: Floats, new: Floats) -> tuple[Floats, float]:
    """Squared distance of each passage, in order of work, and of the new one, each in its turn."""
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    count = len(starts)
    first = np.add.reduceat(held * weight[:, None], starts, axis=0)
    second = np.add.reduceat(weight[:, None, None] * _squares(held), starts, axis=0)
    mean = first.sum(axis=0) / count
    here = new - mean
    own = here @ np.linalg.solve(_metric(mean, second.sum(axis=0) / count, count), here)
    means = (first.sum(axis=0) + new - first) / count
    metrics = _metric(means, (second.sum(axis=0) + _squares(new) - second) / count, count)
    apart = held - means[number]
    turned = np.linalg.inv(metrics)[number]
    far = np.einsum("ni,nij,nj->n", apart, turned, apart, optimize=True)
    return _round(far), float(_round(own))


def _squares(rows: Floats) -> Floats:
    return np.asarray(rows[..., :, None] * rows[..., None, :], np.float64)


def _metric(mean: Floats, second: Floats, count: int) -> Floats:
    """Covariance by two moments, drawn towards a multiple of the identity as works are few."""
    spread = second - _squares(mean)
    width = mean.shape[-1]
    share = width / (width + count)
    level = np.trace(spread, axis1=-2, axis2=-1) / width
    # Where nothing varies any metric will do.
    floor = np.maximum(level, 1e-9)[..., None, None] * np.eye(width)
    return np.asarray((1 - share) * spread + share * floor, np.float64)


def smoothed(held: Floats, works: Ints, new: Floats, chance: float) -> float:
    """The same with ties, the new passage's own among them, counted in part: exactly uniform.

    `chance` is uniform on (0, 1).  For measuring the coverage; what is told is `p_value`.
    """
    above, level, count = counted(held, works, new)
    return (above + chance * (level + 1)) / (count + 1)


def _round(distance: Any) -> Floats:
    """So that equal passages are equally far, whatever the order of their sums."""
    return np.asarray(np.round(distance, 7))

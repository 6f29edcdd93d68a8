"""How usual is a passage among the passages of a group: conformal p-values by work.

Conventions.  A group is passages (n, d) with the work of each.  The measure of
non-conformity is the distance from the mean of the bag, which holds every
work of the group and the new passage with equal weight (full conformal
prediction: Vovk, Gammerman and Shafer 2005).  Where a work has several
passages each counts its share of one (hierarchical conformal prediction: Lee,
Barber and Willett 2023), so works, not passages, are what p counts:

    p = (1 + sum over works of the share of its passages at least as far) / (works + 1)

If the new passage's work is one more of the same kind, P(p <= a) <= a.
"""

from typing import Any

import numpy as np

from musai.errors import check_range
from musai.style.counting import Floats
from musai.style.features import COLUMNS, rooted
from musai.style.passages import Ints

MIN_WORKS = 20
"""Works that a group needs; with fewer no p below 1/20 could be had at all."""


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
    weight = 1 / passages[number]
    own = np.zeros((count, held.shape[1]))
    np.add.at(own, number, held * weight[:, None])
    mean = (own.sum(axis=0) + new) / (count + 1)
    # In the bag of a passage's own turn it stands for its work alone, as the new one does.
    bags = mean + (held - own[number]) / (count + 1)
    far = _round(np.linalg.norm(held - bags, axis=1))
    here = float(_round(np.linalg.norm(new - mean)))
    return float(weight[far > here].sum()), float(weight[far == here].sum()), count


def smoothed(held: Floats, works: Ints, new: Floats, chance: float) -> float:
    """The same with ties, the new passage's own among them, counted in part: exactly uniform.

    `chance` is uniform on (0, 1).  For measuring the coverage; what is told is `p_value`.
    """
    above, level, count = counted(held, works, new)
    return (above + chance * (level + 1)) / (count + 1)


def _round(distance: Any) -> Floats:
    """So that equal passages are equally far, whatever the order of their sums."""
    return np.asarray(np.round(distance, 9))

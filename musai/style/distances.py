"""Several phrases beside a group of works: overlapping areas and maximum mean discrepancy.

Conventions.  A unit is a phrase or a work; it has one passage or more, each a
row in the space of `musai.style.conformal.scaled`.  Works are dealt out whole.

The overlapping area of a feature (Yang and Lerch 2020) is that of two
densities: of the distances within the group, and of those between phrases and
group.  The discrepancy (Gretton et al. 2012) has a Gaussian kernel as
wide as the median distance, and is judged by permuting units.
"""

import numpy as np
from scipy.spatial.distance import cdist

from musai.style.counting import Floats
from musai.style.features import COLUMNS
from musai.style.passages import Ints

GRID = 200
"""Points at which two densities are compared."""

LEAST_WIDTH = 0.01
"""Width of a density's kernel at least: feature distances are about one."""


def areas(phrases: Floats, group: Floats) -> dict[str, float]:
    """Overlapping area by feature, 0 to 1, of mean rows of units: (m, d) phrases, (n, d) works."""
    upper = np.triu_indices(len(group), 1)
    found = {}
    for name, part in COLUMNS.items():
        within = cdist(group[:, part], group[:, part])[upper]
        between = cdist(phrases[:, part], group[:, part]).ravel()
        found[name] = overlapping_area(within, between)
    return found


def overlapping_area(one: Floats, other: Floats) -> float:
    """Area under the lower of two Gaussian kernel densities (Scott's width), 0 to 1."""
    widths = [max(LEAST_WIDTH, float(x.std()) * len(x) ** -0.2) for x in (one, other)]
    room = 4 * max(widths)
    low, high = min(one.min(), other.min()) - room, max(one.max(), other.max()) + room
    # A kernel narrower than the grid would fall between its points.
    widths = [max(width, float(high - low) / GRID) for width in widths]
    grid = np.linspace(low, high, GRID)
    heights = [_density(x, width, grid) for x, width in zip((one, other), widths, strict=True)]
    area = float(np.trapezoid(np.minimum(*heights), grid))
    return min(1.0, max(0.0, area))


def _density(values: Floats, width: float, grid: Floats) -> Floats:
    # Counted into the grid's cells first: a large group has millions of distances.
    step = grid[1] - grid[0]
    counts, _ = np.histogram(values, np.append(grid - step / 2, grid[-1] + step / 2))
    kernel = np.exp(-0.5 * ((grid[:, None] - grid) / width) ** 2) / (width * np.sqrt(2 * np.pi))
    return np.asarray(kernel @ counts / len(values), np.float64)


def unit_kernel(rows: Floats, unit: Ints) -> Floats:
    """Mean Gaussian kernel between the passages of each two units, shape (units, units).

    The kernel's width is the median distance between passages of different units; 1 where all are equal.
    """
    apart = cdist(rows, rows)
    median = float(np.median(apart[unit[:, None] != unit])) or 1.0
    kernel = np.exp(-0.5 * (apart / median) ** 2)
    share = np.zeros((int(unit.max()) + 1, len(unit)))
    share[unit, np.arange(len(unit))] = 1 / np.bincount(unit)[unit]
    return np.asarray(share @ kernel @ share.T)


def discrepancy(kernel: Floats, ours: Floats) -> Floats:
    """Unbiased squared discrepancy of every split: `ours` (splits, units) is 1 where a unit is ours.

    Raises nothing; both sides need two units or more.
    """
    theirs = 1 - ours
    own = np.diag(kernel)
    m, n = ours.sum(axis=1), theirs.sum(axis=1)
    near = ours @ kernel
    within = ((near * ours).sum(axis=1) - ours @ own) / (m * (m - 1))
    beyond = theirs @ kernel
    other = ((beyond * theirs).sum(axis=1) - theirs @ own) / (n * (n - 1))
    found = within + other - 2 * (near * theirs).sum(axis=1) / (m * n)
    return np.asarray(found, np.float64)


def permutation_test(
    kernel: Floats, ours: int, permutations: int, rng: np.random.Generator
) -> tuple[float, float]:
    """(discrepancy, p) of the first `ours` units against the rest; p = (1 + #) / (1 + permutations)."""
    first = np.zeros((1, len(kernel)))
    first[0, :ours] = 1
    found = float(discrepancy(kernel, first)[0])
    dealt = rng.permuted(np.repeat(first, permutations, axis=0), axis=1)
    # Sums in another order differ in their last bits; equal splits must count as equal.
    beyond = int((discrepancy(kernel, dealt) >= found - 1e-12).sum())
    return found, (1 + beyond) / (1 + permutations)

"""How like human music phrases are: features side by side, and whether they can be told from it.

Overlapping areas (Yang and Lerch 2020) and the discrepancy (MMD, Gretton et al. 2012) are those of
`musai.style.distances`.  Two classifiers try to tell a phrase from the human's: gradient-boosted trees on
the style features, and a small transformer on the events.  Each is tested on works that it was not trained on;
area under the curve .5: nothing tells them apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from musai.errors import BadInput
from musai.music import Phrase
from musai.style import conformal, distances
from musai.style.features import rooted, vector

PERMUTATIONS = 999
FOLDS = 5
BOOTSTRAPS = 500

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """Beside human phrases of other works: area by feature, discrepancy, and its p."""

    areas: dict[str, float]
    discrepancy: float
    p_value: float

    @property
    def area(self) -> float:
        """The mean over all features."""
        return float(np.mean(list(self.areas.values())))


@dataclass(frozen=True, slots=True)
class Told:
    """Area under the curve of a classifier, 95% by drawing works; .5 where nothing is told apart."""

    auc: float
    low: float
    high: float


def features(phrases: Sequence[Phrase]) -> Floats:
    """Style features of phrases, (phrases, width)."""
    return np.array([vector(phrase) for phrase in phrases])


def likeness(
    ours: Floats,
    our_groups: Sequence[str],
    human: Floats,
    human_groups: Sequence[str],
    scale: Floats,
) -> Likeness:
    """Rows of features of phrases beside those of human ones of other works.

    `scale` as of `conformal.block_scale`.  Works are permuted whole.
    """
    units = _numbers(our_groups)
    others = _numbers(human_groups)
    count = int(units.max()) + 1
    rows = np.concatenate([conformal.scaled(ours, scale), conformal.scaled(human, scale)])
    unit = np.concatenate([units, count + others])
    draw = np.random.Generator(np.random.Philox(key=0))
    kernel = distances.unit_kernel(rows, unit)
    mmd, p = distances.permutation_test(kernel, count, PERMUTATIONS, draw)
    mean = np.array([rows[unit == k].mean(axis=0) for k in range(int(unit.max()) + 1)])
    return Likeness(distances.areas(mean[:count], mean[count:]), mmd, p)


def scale_of(human: Floats) -> Floats:
    """The scale that all likenesses of a table share."""
    return conformal.block_scale(rooted(human))


def folds(groups: Sequence[str]) -> Ints:
    """The fold of each phrase: works are dealt out whole, turn by turn."""
    return _numbers(groups) % FOLDS


def boosted(rows: Floats, human: NDArray[np.bool_], fold: Ints) -> Floats:
    """Scores of phrases by boosted trees that were trained on the other folds; high: human.

    Raises `BadInput` where scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
    except ImportError:
        raise BadInput('the table needs scikit-learn: pip install "musai[quality]"') from None
    scores = np.zeros(len(rows))
    for number in range(FOLDS):
        inside = fold == number
        if not inside.any() or len(set(human[~inside].tolist())) < 2:
            continue
        judge = HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=200, max_leaf_nodes=15, min_samples_leaf=10,
            early_stopping=False, random_state=0,
        )  # fmt: skip
        # One thread: on so few rows more of them only wait for each other.
        with threadpool_limits(1):
            judge.fit(rows[~inside], human[~inside])
            scores[inside] = judge.predict_proba(rows[inside])[:, 1]
    return scores


def told(scores: Floats, human: NDArray[np.bool_], groups: Sequence[str]) -> Told:
    """How well scores tell human from not, with an interval by drawing works with replacement."""
    units = _numbers(groups)
    members = [np.flatnonzero(units == k) for k in range(int(units.max()) + 1)]
    draw = np.random.Generator(np.random.Philox(key=1))
    values = []
    for _ in range(BOOTSTRAPS):
        picked = np.concatenate(
            [members[k] for k in draw.integers(len(members), size=len(members))]
        )
        if 0 < human[picked].sum() < len(picked):
            values.append(auc(scores[picked], human[picked]))
    low, high = np.quantile(values, [0.025, 0.975])
    return Told(auc(scores, human), float(low), float(high))


def auc(scores: Floats, human: NDArray[np.bool_]) -> float:
    """Chance that a human phrase scores above one that is not, equal scores counted half."""
    ordered = np.sort(scores[~human])
    below = np.searchsorted(ordered, scores[human], "left")
    not_above = np.searchsorted(ordered, scores[human], "right")
    return float((below + not_above).mean() / 2 / len(ordered))


def _numbers(groups: Sequence[str]) -> Ints:
    return np.unique(np.array(groups), return_inverse=True)[1].astype(np.int64)

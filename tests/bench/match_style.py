"""How well style tells composers apart, and whether its percentiles hold: songs, held out by work.

`python -m tests.bench.match_style` runs it alone.  Needs real music beside
the checkout: ../shared/data/openscore-lieder.
"""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
from scipy.optimize import minimize  # noqa: E402
from scipy.special import log_softmax  # noqa: E402

from musai.corpus import Corpus  # noqa: E402
from musai.style import Style, classify, conformal, distances  # noqa: E402
from musai.style.conformal import MIN_WORKS  # noqa: E402
from tests.bench.table import OUT, Result, save_rows, show  # noqa: E402

DATA = Path("../shared/data")
BARS = 8
SPLITS = 100
LEVELS = np.arange(0.05, 0.96, 0.05)
REPEATS = 3


def style_rows(result: Result, place: Path, seed: int) -> None:
    """Top-1 and top-3 beside a plain logistic regression, and coverage of the percentiles."""
    style = Style.open(_lieder(place))
    level = style._level(BARS)
    members = {
        name: np.intersect1d(held, level.rows.works)
        for (kind, name), held in style._members.items()
        if kind == "composer"
    }
    chosen = {name: held for name, held in members.items() if len(held) >= MIN_WORKS}
    assigned(result, level, list(chosen.values()), seed)
    coverage(result, level, list(chosen.values()), seed)
    discrepancies(result, level, list(chosen.values()), seed)


def _lieder(place: Path) -> Corpus:
    folder = place / "corpora" / "lieder"
    if not (folder / "catalogue.jsonl").is_file():
        return Corpus.build(DATA / "openscore-lieder", folder, name="lieder")
    return Corpus.open(folder)


# ------------------------------------------------------------------ which composer


def assigned(result: Result, level: Any, groups: list[Any], seed: int) -> None:
    """Phrases of works left out, given to one of the composers by both classifiers."""
    label = np.full(int(level.rows.works.max()) + 1, -1)
    for number, works in enumerate(groups):
        label[works] = number
    held = label[level.rows.works] >= 0
    rows, works = level.rows.features[held], level.rows.works[held]
    labels = label[works]
    told = [row for k in range(REPEATS) for row in _fold_rows(rows, labels, works, (seed, k))]
    save_rows("match_style", told)
    for name, which in (("", "ours"), ("_logistic", "logistic")):
        ranks = np.array([row[f"{which}_rank"] for row in told])
        result.figures[f"style_top1{name}"] = round(float((ranks < 1).mean()), 4)
        result.figures[f"style_top3{name}"] = round(float((ranks < 3).mean()), 4)
    what = f"composer of {BARS} bars, one of {len(groups)}, works left out"
    for top in ("top1", "top3"):
        ours, plain = (f"{result.figures[f'style_{top}{n}']:.3f}" for n in ("", "_logistic"))
        result.add(f"{what}, {top}", ours, plain, "plain logistic regression")
    most = float(np.bincount(labels).max() / len(labels))
    result.figures["style_top1_most_frequent"] = round(most, 4)
    result.figures["style_calibration_error"] = round(_calibration_error(told), 4)
    result.add("nearest composer: told less right (expected calibration error)",
               f"{result.figures['style_calibration_error']:.3f}")  # fmt: skip


def _fold_rows(
    rows: Any, labels: Any, works: Any, key: tuple[int, int]
) -> Iterator[dict[str, Any]]:
    rng = np.random.Generator(np.random.Philox(key=[key[0], 30 + key[1]]))
    names = [str(k) for k in range(int(labels.max()) + 1)]
    for test in classify.folds(labels, works, rng):
        made = classify.calibrated(rows[~test], labels[~test], works[~test], names)
        ours = made.probabilities(rows[test])
        plain = logistic(rows[~test], labels[~test], rows[test])
        for k, (a, b) in enumerate(zip(ours, plain, strict=True)):
            true = labels[test][k]
            yield {
                "repeat": key[1],
                "work": int(works[test][k]),
                "composer": int(true),
                "ours_rank": int((a > a[true]).sum()),
                "logistic_rank": int((b > b[true]).sum()),
                "told": round(float(a.max()), 4),
            }


def logistic(rows: Any, labels: Any, test: Any, penalty: float = 1.0) -> Any:
    """Scores of a multinomial logistic regression on standardised features, L2 penalty 1."""
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 1e-9)
    known, width = (rows - centre) * scale, rows.shape[1]
    count = int(labels.max()) + 1
    truth = np.eye(count)[labels]

    def loss(flat: Any) -> tuple[float, Any]:
        slopes = flat.reshape(width + 1, count)
        told = log_softmax(known @ slopes[:-1] + slopes[-1], axis=1)
        off = np.exp(told) - truth
        down = np.concatenate([known.T @ off + penalty * slopes[:-1], off.sum(axis=0)[None]])
        value = -(truth * told).sum() + penalty / 2 * (slopes[:-1] ** 2).sum()
        return float(value), down.ravel()

    start = np.zeros((width + 1) * count)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    slopes = found.reshape(width + 1, count)
    return (test - centre) * scale @ slopes[:-1] + slopes[-1]


def _calibration_error(told: list[dict[str, Any]], bins: int = 10) -> float:
    """Mean gap between the probability of the first choice and how often it is right, by tenths."""
    sure = np.array([row["told"] for row in told])
    right = np.array([row["ours_rank"] == 0 for row in told])
    part = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [abs(sure[part == k].mean() - right[part == k].mean()) * (part == k).mean()
            for k in range(bins) if (part == k).any()]  # fmt: skip
    return float(sum(gaps))


# ------------------------------------------------------------------ percentiles


def coverage(result: Result, level: Any, groups: list[Any], seed: int) -> None:
    """Coverage of works left out at random, and how often another composer's songs are told apart."""
    rng = np.random.Generator(np.random.Philox(key=[seed, 31]))
    exact, told, others = [], [], []
    for _ in range(SPLITS):
        for number, works in enumerate(groups):
            dealt = rng.permutation(works)
            keep = max(MIN_WORKS, int(0.8 * len(works)))
            bag = _passages(level, dealt[:keep])
            for work in dealt[keep:]:
                new = _one(level, work, rng)
                above, level_with, count = conformal.counted(*bag, new)
                exact.append((above + rng.random() * (level_with + 1)) / (count + 1))
                told.append((1 + above + level_with) / (count + 1))
            stranger = groups[(number + 1 + int(rng.integers(len(groups) - 1))) % len(groups)]
            others.append(conformal.p_value(*bag, _one(level, int(rng.choice(stranger)), rng)))
    kept = (np.array(exact)[:, None] > LEVELS).mean(axis=0)
    served = (np.array(told)[:, None] > LEVELS).mean(axis=0)
    gap = 100 * float(abs(kept - (1 - LEVELS)).max())
    below = 100 * float((1 - LEVELS - served).max())
    result.figures["conformal_coverage_gap"] = round(gap, 2)
    result.figures["conformal_coverage_below"] = round(max(0.0, below), 2)
    result.figures["conformal_power_10"] = round(float((np.array(others) <= 0.1).mean()), 4)
    result.add(f"percentiles: coverage off by, at most ({SPLITS} splits)", f"{gap:.2f} points")
    result.add(
        "percentiles as told: coverage below nominal, at most", f"{max(0.0, below):.2f} points"
    )
    result.add("another composer's phrase has p <= .1", f"{result.figures['conformal_power_10']:.3f}",
               "0.1", "its own composer's")  # fmt: skip


def _passages(level: Any, works: Any) -> tuple[Any, Any]:
    chosen = np.flatnonzero(np.isin(level.rows.works, works))
    return level.placed[chosen], level.rows.works[chosen]


def _one(level: Any, work: int, rng: np.random.Generator) -> Any:
    return level.placed[rng.choice(np.flatnonzero(level.rows.works == work))]


# ------------------------------------------------------------------ several phrases


def discrepancies(result: Result, level: Any, groups: list[Any], seed: int, count: int = 8) -> None:
    """Eight works of a composer against the rest of their own, and against another's: p <= .05."""
    rng = np.random.Generator(np.random.Philox(key=[seed, 32]))
    found: dict[str, list[bool]] = {"same": [], "other": []}
    for number, works in enumerate(groups):
        for _ in range(12):
            dealt = rng.permutation(works)
            other = groups[(number + 1 + int(rng.integers(len(groups) - 1))) % len(groups)]
            for name, group in (("same", dealt[count:]), ("other", other)):
                found[name].append(_judged(level, dealt[:count], group, rng) <= 0.05)
    for name, what in (("same", "their own composer's"), ("other", "another composer's")):
        share = float(np.mean(found[name]))
        result.figures[f"style_mmd_{name}"] = round(share, 4)
        result.add(f"eight works against {what}: p <= .05", f"{share:.3f}")


def _judged(level: Any, ours: Any, theirs: Any, rng: np.random.Generator) -> float:
    chosen = [np.flatnonzero(np.isin(level.rows.works, works)) for works in (ours, theirs)]
    rows = [(level.scaled[part], level.rows.works[part]) for part in chosen]
    units = [np.unique(works, return_inverse=True)[1] for _, works in rows]
    kernel = distances.unit_kernel(
        np.concatenate([held for held, _ in rows]),
        np.concatenate([units[0], units[0].max() + 1 + units[1]]),
    )
    return distances.permutation_test(kernel, len(ours), 199, rng)[1]


def main() -> None:
    """This part alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    result = Result()
    style_rows(result, (OUT / "home").absolute(), chosen.seed)
    show([result])
    print(json.dumps({"seed": chosen.seed, **result.figures}))


if __name__ == "__main__":
    main()

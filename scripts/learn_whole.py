"""Learn the weights of the global mode from alignments that experts made.

A conditional random field over all alignments of two lines (see
`musai/match/whole.py`), fitted by L-BFGS with a ridge.  `learn_scores.py`
runs it; `make bench-match` cross-validates it.
"""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from musai.match import whole
from musai.match.learned import Whole
from musai.match.whole_loops import FIRST, PAIR, SECOND

PITCH_CLASSES = {name: k for k, name in enumerate("CdDeEFgGaAbB")}
FOLDS = 10
SHRINK = 0.3
"""Ridge on all weights; of .3, 1 and 3 the one that agreed best."""


@dataclass(frozen=True, slots=True)
class Example:
    """Two lines as an expert laid them out: `ways` column by column, `partner` of the first's notes."""

    family: str
    first: np.ndarray
    second: np.ndarray
    ways: np.ndarray
    partner: np.ndarray


def read(path: Path) -> list[Example]:
    """The experts' pairs; two pairs that have a song in common are one family."""
    sides: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            sides[row["pair"]][row["side"]] = row
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            name = parent[name]
        return name

    def song(row: dict[str, str]) -> str:
        return f"{row['language']} {row['title']}"

    for two in sides.values():
        parent[root(song(two["a"]))] = root(song(two["b"]))
    return [
        example(root(song(two["a"])), two["a"]["aligned"], two["b"]["aligned"])
        for two in sides.values()
    ]


def example(family: str, first: str, second: str) -> Example:
    ways = [
        PAIR if a != "-" != b else (FIRST if a != "-" else SECOND)
        for a, b in zip(first, second, strict=True)
        if (a, b) != ("-", "-")
    ]
    partner, j = [], 0
    for way in ways:
        if way != SECOND:
            partner.append(j if way == PAIR else -1)
        j += way != FIRST
    lines = [np.array([PITCH_CLASSES[c] for c in side if c != "-"]) for side in (first, second)]
    return Example(family, lines[0], lines[1], np.array(ways), np.array(partner))


def folds(examples: Sequence[Example]) -> list[tuple[list[Example], list[Example]]]:
    """(learned from, judged by), families dealt out by their names' order."""
    names = sorted({e.family for e in examples})
    order = np.random.Generator(np.random.Philox(key=[1, 0])).permutation(len(names))
    fold = {names[k]: place % FOLDS for place, k in enumerate(order)}
    return [
        (
            [e for e in examples if fold[e.family] != k],
            [e for e in examples if fold[e.family] == k],
        )
        for k in range(FOLDS)
    ]


def cross_validated(examples: Sequence[Example]) -> float:
    """Share of the first lines' notes that get the partner, or the gap, that the expert gave."""
    right = total = 0
    for known, judged in folds(examples):
        weights = of_vector(fit(known))
        for one in judged:
            right += int((laid(weights, one) == one.partner).sum())
            total += len(one.partner)
    return right / total


def laid(weights: Whole, one: Example) -> np.ndarray:
    seen = features(one)
    _, paired, alone = whole.posterior(weights, *whole.weights(weights, *seen))
    partner = np.full(len(one.first), -1, np.int64)
    whole.kernels().likeliest(paired, alone, partner)
    return partner


def features(one: Example) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        whole.pair_features(one.first, one.second),
        whole.gap_features(one.first),
        whole.gap_features(one.second),
    )


SIZES = {
    "pair": (len(whole.PAIR_NAMES),),
    "first": (len(whole.GAP_NAMES),),
    "second": (len(whole.GAP_NAMES),),
    "turns": (3, 3),
    "start": (3,),
}


def unpacked(vector: np.ndarray) -> dict[str, np.ndarray]:
    """The weights by name, views of one vector."""
    held, at = {}, 0
    for name, shape in SIZES.items():
        count = int(np.prod(shape))
        held[name] = vector[at : at + count].reshape(shape)
        at += count
    return held


def of_vector(vector: np.ndarray) -> Whole:
    return Whole(**unpacked(vector), duration=np.zeros(3))


def fit(examples: Sequence[Example]) -> np.ndarray:
    """The weights under which the experts' alignments are most probable (ridge, L-BFGS)."""
    seen = [(features(e), observed(e)) for e in examples]
    begin = np.zeros(sum(int(np.prod(shape)) for shape in SIZES.values()))
    begin[0] = 2.0
    found = minimize(
        loss, begin, args=(seen,), jac=True, method="L-BFGS-B", options={"maxiter": 120}
    )
    return np.asarray(found.x)


def observed(one: Example) -> dict[str, np.ndarray]:
    """How often each feature stands in the expert's alignment."""
    pair, first, second = features(one)
    held = unpacked(np.zeros(sum(int(np.prod(shape)) for shape in SIZES.values())))
    i = j = 0
    for place, way in enumerate(one.ways):
        if way == PAIR:
            held["pair"][:] += pair[i, j]
        elif way == FIRST:
            held["first"][:] += first[i]
        else:
            held["second"][:] += second[j]
        i += way != SECOND
        j += way != FIRST
        if place:
            held["turns"][one.ways[place - 1], way] += 1
        else:
            held["start"][way] += 1
    return held


def loss(vector: np.ndarray, seen: Sequence[Any]) -> tuple[float, np.ndarray]:
    """Negative log-likelihood with its gradient: expected counts less observed ones."""
    weights = of_vector(vector)
    slope = np.zeros_like(vector)
    out = unpacked(slope)
    total = SHRINK * float((vector**2).sum())
    for (pair, first, second), counted in seen:
        log = whole.weights(weights, pair, first, second)
        every, paired, alone, turns, start = expected(weights, *log)
        mine = sum(float((counted[n] * getattr(weights, n)).sum()) for n in SIZES)
        total += every - mine
        out["pair"][:] += np.tensordot(paired, pair, 2)
        out["first"][:] += alone[0] @ first
        out["second"][:] += alone[1] @ second
        out["turns"][:] += turns
        out["start"][:] += start
        for name in SIZES:
            out[name][:] -= counted[name]
    return total, slope + 2 * SHRINK * vector


def expected(weights: Whole, pair: Any, first: Any, second: Any) -> Any:
    """Log weight of all alignments, and expected pairs, notes alone, turns and starts."""
    m, n = pair.shape
    ahead, behind = np.empty((3, m + 1, n + 1)), np.empty((3, m + 1, n + 1))
    every = whole.kernels().forward(pair, first, second, weights.turns, weights.start, ahead)
    whole.kernels().backward(pair, first, second, weights.turns, behind)
    # What it weighs to go on from (i, j) by each way, the rest of the path included.
    after = np.full((3, m + 1, n + 1), -1e30)
    after[PAIR, :m, :n] = behind[PAIR, 1:, 1:] + pair
    after[FIRST, :m, :] = behind[FIRST, 1:, :] + first[:, None]
    after[SECOND, :, :n] = behind[SECOND, :, 1:] + second[None, :]
    turns = np.array(
        [
            [np.exp(ahead[s] + weights.turns[s, t] + after[t] - every).sum() for t in range(3)]
            for s in range(3)
        ]
    )
    start = np.exp(weights.start + after[:, 0, 0] - every)
    both = np.exp(ahead + behind - every)
    alone = (both[FIRST, 1:, :].sum(axis=1), both[SECOND, :, 1:].sum(axis=0))
    return every, both[PAIR, 1:, 1:], alone, turns, start

"""What an aligned note is worth: log-odds against how predictable it was anyway.

A step that agrees is worth log2(P(agrees | related) / P(step | the two steps
before it)), in sixteenths of a bit, and a ratio class likewise given the one
before it: a note that any melody would have brought next says little, a rare
one says much.  (Plain alignment counts both the same and finds cadences
everywhere.)  What disagrees costs the same everywhere.  The probabilities come
from `background.npz`, counts over reference music made by
`scripts/learn_background.py`, and from `learned.json`, how related lines differ,
made by `scripts/learn_scores.py`; `docs/matching.md` has the figures.
"""

import functools
import hashlib
import math
from dataclasses import astuple, dataclass
from importlib import resources
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match import kernels as k
from musai.match.learned import Rates, learned
from musai.match.streams import DRUM_STEP, NO_RATIO, Symbols

UNITS = 16
"""Score units a bit."""

STEP_RANGE = 13
"""The background tells steps apart up to an octave; 13 stands for all larger."""

RATIO_RANGE = 5
"""The background tells ratio classes apart up to here."""

NEVER = -600
"""Bits of a move that is not open."""

Ints = NDArray[Any]
Floats = NDArray[np.float64]


DIVERGENCE = 3.0
"""How much more often than in the pairs learned from a passage's moves go wrong.

Those pairs were related songs, whole; a phrase that reworks a passage may be
less faithful.  Of 1, 2, 3, 4 and 6 times, this found most edited passages of
music that the matcher is not judged by (docs/matching.md)."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Log-odds in bits; `scores_at` makes them of the rates that were learned."""

    agree_step: float
    """Probability that a step of related music agrees."""
    agree_ratio: float
    """Probability that a ratio class of related music agrees."""
    near1: float
    near2: float
    octave: float
    far: float
    ratio_near: float
    ratio_far: float
    changed: float
    extra: float
    missing: float
    gap_open: float
    gap_extend: float
    floor: float = 0.1
    """A step that agrees is worth at least this, so that an exact match runs to its ends."""
    step_cap: float = 6.0
    """No step is worth more than this, so that one odd leap does not decide."""
    ratio_cap: float = 5.0

    @property
    def version(self) -> str:
        """Eight hexadecimal digits that change with any value or with the background."""
        return _version(self)


def scores_at(rates: Rates, divergence: float) -> Scores:
    """log2(P(move | related) / P(move | unrelated)), every wrong move `divergence` times as frequent.

    A move that mends (a note changed, too many or missing) is worth a step
    that agrees and what stands here: it rests on the sum of two steps, which
    is rarer by chance than one step after others.
    """
    chance = rates.by_chance

    def odds(name: str) -> float:
        return round(math.log2(divergence * getattr(rates, name) / chance[name]), 4)

    def beside(name: str) -> float:
        return round(math.log2(divergence * getattr(rates, name) / rates.equal), 4)

    return Scores(
        agree_step=rates.equal,
        agree_ratio=rates.ratio_equal,
        near1=odds("near1"),
        near2=odds("near2"),
        octave=odds("octave"),
        far=odds("far"),
        ratio_near=odds("ratio_near"),
        ratio_far=odds("ratio_far"),
        changed=beside("changed") + chance["mend"],
        extra=beside("extra") + chance["mend"],
        missing=beside("missing") + chance["mend"],
        # A gap opens on either side.
        gap_open=1 - beside("gap"),
        gap_extend=round(-math.log2(rates.gap_longer), 4),
    )


@functools.cache
def _version(scores: Scores) -> str:
    text = repr(astuple(scores)) + background().digest
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@functools.cache
def scores_in_use() -> Scores:
    """The scores of every match."""
    return scores_at(learned().rates, DIVERGENCE)


@dataclass(frozen=True, slots=True)
class Background:
    """Probabilities of the next step given two, and of the next ratio class given one.

    `step1` (27,), `step2` (27, 27) and `step3` (27, 27, 27), last axis the
    step itself; `ratio1` (11,), `ratio2` (11, 11); all in bits (-log2 p).
    """

    step1: Floats
    step2: Floats
    step3: Floats
    ratio1: Floats
    ratio2: Floats
    digest: str

    @classmethod
    def of(cls, steps: Ints, ratios: Ints) -> "Background":
        """From counts of three steps in a row (27, 27, 27) and of two ratio classes (11, 11).

        Each order leans on the one below it by adding 20 (ratios: 10)
        pseudo-counts shaped like it.
        """
        bigrams, unigrams = steps.sum(0), steps.sum((0, 1))
        p1 = (unigrams + 0.5) / (unigrams + 0.5).sum()
        p2 = (bigrams + 20 * p1) / (bigrams.sum(1, keepdims=True) + 20)
        p3 = (steps + 20 * p2) / (steps.sum(2, keepdims=True) + 20)
        q1 = (ratios.sum(0) + 0.5) / (ratios.sum(0) + 0.5).sum()
        q2 = (ratios + 10 * q1) / (ratios.sum(1, keepdims=True) + 10)
        digest = hashlib.sha256(steps.astype("<i8").tobytes() + ratios.astype("<i8").tobytes())
        b1, b2, b3, r1, r2 = (-np.log2(p) for p in (p1, p2, p3, q1, q2))
        return cls(b1, b2, b3, r1, r2, digest.hexdigest())


@functools.cache
def background() -> Background:
    """The background that ships with the package."""
    data = resources.files("musai.match").joinpath("background.npz").read_bytes()
    with np.load(BytesIO(data)) as held:
        return Background.of(held["steps"], held["ratios"])


def profile(line: Symbols, scores: Scores | None = None, known: Background | None = None) -> Ints:
    """The query profile of a line: int16 (notes - 1, COLUMNS), one row a note from the second on.

    Columns as named in `kernels.py`.
    """
    scores, known = scores or scores_in_use(), known or background()
    steps = line.steps[1:].astype(np.int64)
    rows = len(steps)
    table = np.zeros((rows, k.COLUMNS))
    table[:, k.EQUAL : k.RHYTHM] = (0, scores.near1, scores.near2, scores.octave, scores.far)
    table[:, k.EQUAL] = np.log2(scores.agree_step) + _step_bits(steps, known)
    table[:, k.EQUAL] = np.clip(table[:, k.EQUAL], scores.floor, scores.step_cap)
    # That both are drums says nothing, their rhythm speaks; with a melody drums have nothing in common.
    drums = steps == DRUM_STEP
    table[drums, k.EQUAL] = scores.floor
    table[drums, k.NEAR1 : k.RHYTHM] = NEVER
    table[1:, k.RHYTHM] = _ratio_bits(line.ratios[2:], known) + np.log2(scores.agree_ratio)
    table[:, k.RHYTHM] = np.clip(table[:, k.RHYTHM], 0, scores.ratio_cap)
    table[1:, k.RHYTHM_NEAR] = scores.ratio_near
    table[1:, k.RHYTHM_FAR] = scores.ratio_far
    for column, cost in (
        (k.CHANGED, scores.changed),
        (k.EXTRA, scores.extra),
        (k.MISSING, scores.missing),
    ):
        table[:, column] = table[:, k.EQUAL] + cost
    table[:, k.RHYTHM2] = table[:, k.RHYTHM]
    table[:2, k.RHYTHM2] = table[:2, k.RHYTHM_FAR]
    # Nothing stands two notes before the second note.
    table[0, (k.CHANGED, k.EXTRA)] = NEVER
    table[:, k.OPEN], table[:, k.EXTEND] = scores.gap_open, scores.gap_extend
    table *= UNITS
    table[:, k.STEP] = steps
    table[1:, k.STEP2] = steps[1:] + steps[:-1]
    table[:, k.RATIO], table[:, k.RATIO2] = line.ratios[1:], line.ratios2[1:]
    table[0, k.RATIO] = table[:2, k.RATIO2] = NO_RATIO
    return np.rint(table).astype(np.int16)


def own_score(table: Ints) -> int:
    """The score of a phrase with itself: the most that any work can reach, in units."""
    return int(table[:, (k.EQUAL, k.RHYTHM)].astype(np.int64).sum())


def step_class(steps: Ints) -> Ints:
    """Steps as indices into a background's axes."""
    return np.clip(steps.astype(np.int64), -STEP_RANGE, STEP_RANGE) + STEP_RANGE


def ratio_index(ratios: Ints) -> Ints:
    """Ratio classes as indices into a background's axes."""
    return np.clip(ratios.astype(np.int64), -RATIO_RANGE, RATIO_RANGE) + RATIO_RANGE


def _step_bits(steps: Ints, known: Background) -> Floats:
    x = step_class(steps)
    bits = known.step1[x]
    bits[1:] = known.step2[x[:-1], x[1:]]
    bits[2:] = known.step3[x[:-2], x[1:-1], x[2:]]
    return bits


def _ratio_bits(ratios: Ints, known: Background) -> Floats:
    x = ratio_index(ratios)
    bits = known.ratio1[x]
    bits[1:] = known.ratio2[x[:-1], x[1:]]
    return bits


def counts(lines: list[Symbols]) -> tuple[Ints, Ints]:
    """Counts for `Background.of` over some lines."""
    width, ratio_width = 2 * STEP_RANGE + 1, 2 * RATIO_RANGE + 1
    steps = np.zeros((width, width, width), np.int64)
    ratios = np.zeros((ratio_width, ratio_width), np.int64)
    for line in lines:
        x = step_class(line.steps[1:])
        np.add.at(steps, (x[:-2], x[1:-1], x[2:]), 1)
        y = ratio_index(line.ratios[2:])
        np.add.at(ratios, (y[:-1], y[1:]), 1)
    return steps, ratios

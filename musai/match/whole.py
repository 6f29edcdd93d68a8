"""The global mode: two whole lines laid out note against note, from first to last.

For two works, or two versions of one, whose relation is already known or
suspected; the local mode (`search`) is what finds them.  The model is a
conditional random field over all alignments of the two lines (Lafferty,
McCallum and Pereira 2001; for pairs of sequences as in C. Do, S. Gross and S.
Batzoglou, "CONTRAlign", 2006).  Its weights were learned from alignments made
by experts (`scripts/learn_scores.py`, `learned.json`); those know pitch
classes only, so what a duration says was learned apart from versions of one
tune.  The answer is the alignment that is expected to be right most often,
and how sure each pair is.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.errors import check_range
from musai.match.compiled import kernels
from musai.match.learned import Whole, learned

LONGEST = 2000
"""Notes of a line that is laid out whole; the work grows with the product of both."""

TRIED = 3
"""Likeliest transpositions that are tried."""

ALIKE = ("pair equal", *(f"pair off by {k}" for k in range(1, 7)))
CONTEXT = (
    "changed between equals",
    "changed beside an equal",
    "equal between equals",
    "equal beside an equal",
    "changed, step before equal",
    "changed, step after equal",
    "far apart",
    "not at one place",
)
GAPS = ("repeats the note before", "repeated after", "first", "last", "near the note before")
RETURNS = "between two equals"
PAIR_NAMES = (*ALIKE, *CONTEXT)
GAP_NAMES = (*GAPS, RETURNS)
"""Names of the features of a pair and of a note alone, in the order of the weights."""

Ints = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Laid:
    """Two lines laid out: `pairs` int (n, 2), `certainty` (n,) of each pair, and what it rests on.

    `alone` (notes of the first line,): probability that a note has no
    partner.  `transposition` leads from the second line to the first, in
    semitones from -5 to 6.  `expected` is the share of the first line's notes
    that are expected to be laid out as an expert would.
    """

    pairs: Ints
    certainty: Floats
    alone: Floats
    transposition: int
    expected: float


def lay_out(
    first: Ints,
    second: Ints,
    durations: tuple[Ints, Ints] | None = None,
    transposition: int | None = None,
) -> Laid:
    """Lay two lines out against each other.

    `first` and `second` are pitches (MIDI numbers, or pitch classes), shape
    (m,) and (n,), 1 to `LONGEST` notes; `durations` in any unit, or none;
    `transposition` where it is known, else the likeliest is found.  Raises
    `BadInput` for a line that is empty or too long.
    """
    for line in (first, second):
        check_range("notes of a line", len(line), 1, LONGEST)
    times = None if durations is None else _times(*durations)
    shifts = [transposition] if transposition is not None else _shifts(first, second)
    tried = [_laid(first, second, shift, times) for shift in shifts]
    return max(tried, key=lambda held: held[0])[1]


def _laid(first: Ints, second: Ints, shift: int, times: Floats | None) -> tuple[float, Laid]:
    known = learned().whole
    a, b = first.astype(np.int64) % 12, (second.astype(np.int64) + shift) % 12
    weight = weights(known, pair_features(a, b), gap_features(a), gap_features(b))
    if times is not None:
        weight = (weight[0] + np.asarray(known.duration)[times.astype(int)], *weight[1:])
    total, paired, alone = posterior(known, *weight)
    partner = np.full(len(a), -1, np.int64)
    right = kernels().likeliest(paired, alone, partner)
    held = np.flatnonzero(partner >= 0)
    pairs = np.stack((held, partner[held]), axis=1)
    certainty = paired[pairs[:, 0], pairs[:, 1]]
    near = (shift + 5) % 12 - 5
    return total, Laid(pairs, certainty, alone, near, right / len(a))


def weights(
    known: Whole, pair: Floats, first: Floats, second: Floats
) -> tuple[Floats, Floats, Floats]:
    """Log weight of every pair (m, n), and of every note alone (m,), (n,)."""
    return pair @ known.pair, first @ known.first, second @ known.second


def posterior(
    known: Whole, pair: Floats, first: Floats, second: Floats
) -> tuple[float, Floats, Floats]:
    """Log weight of all alignments; probability of each pair (m, n), of each first note alone (m,)."""
    shape = (3, pair.shape[0] + 1, pair.shape[1] + 1)
    ahead, behind = np.empty(shape), np.empty(shape)
    total = kernels().forward(pair, first, second, known.turns, known.start, ahead)
    kernels().backward(pair, first, second, known.turns, behind)
    paired = np.exp(ahead[0, 1:, 1:] + behind[0, 1:, 1:] - total)
    alone = np.exp(ahead[1, 1:, :] + behind[1, 1:, :] - total).sum(axis=1)
    return total, paired, alone


def pair_features(a: Ints, b: Ints) -> Floats:
    """What can be seen of every pair of notes, (m, n, `PAIR_NAMES`); `a`, `b` pitch classes."""
    apart = np.abs(a[:, None] - b[None, :])
    apart = np.minimum(apart, 12 - apart)
    equal = apart == 0
    before, after = _beside(a, b, 1), _beside(a, b, -1)
    both, one = before & after, before ^ after
    rise = [np.concatenate(([99], np.diff(line) % 12)) for line in (a, b)]
    fall = [np.concatenate((np.diff(line) % 12, [99])) for line in (a, b)]
    step_before, step_after = rise[0][:, None] == rise[1], fall[0][:, None] == fall[1]
    place = [np.arange(len(line)) / max(1, len(line) - 1) for line in (a, b)]
    off = np.abs(place[0][:, None] - place[1]) * max(len(a), len(b))
    seen = [apart == k for k in range(7)]
    seen += [~equal & both, ~equal & one, equal & both, equal & one]
    seen += [~equal & step_before, ~equal & step_after, np.minimum(off, 8) / 8, np.minimum(off, 1)]
    return np.stack([part.astype(float) for part in seen], axis=-1)


def gap_features(line: Ints) -> Floats:
    """What can be seen of every note that stands alone, (n, `GAP_NAMES`); `line` pitch classes."""
    before = np.concatenate(([-1], line[:-1]))
    after = np.concatenate((line[1:], [-1]))
    at = np.arange(len(line))
    near = np.abs(line - before) % 12
    seen = [line == before, line == after, at == 0, at == len(line) - 1, near <= 2]
    seen.append((near > 0) & (before == after))
    return np.stack(seen, axis=-1).astype(float)


def _beside(a: Ints, b: Ints, way: int) -> NDArray[np.bool_]:
    """Whether the notes before (`way` 1) or after (-1) are equal."""
    sides = [np.full(len(line), -1 - k) for k, line in enumerate((a, b))]
    for side, line in zip(sides, (a, b), strict=True):
        if way > 0:
            side[1:] = line[:-1]
        else:
            side[:-1] = line[1:]
    # Both lines begin, or both end: that is beside an equal too.
    same: NDArray[np.bool_] = sides[0][:, None] == sides[1]
    edge = 0 if way > 0 else -1
    same[edge, edge] = True
    return same


def _times(first: Ints, second: Ints) -> Floats:
    """Class of the ratio of every two durations, the tempo taken away: half octaves, 0 to 2."""
    logs = [np.log2(np.maximum(1e-9, line.astype(float))) for line in (first, second)]
    logs = [line - np.median(line) for line in logs]
    classes: Floats = np.minimum(2, np.rint(2 * np.abs(logs[0][:, None] - logs[1])))
    return classes


def _shifts(first: Ints, second: Ints) -> list[int]:
    """The transpositions under which the lines have most pitch classes in common."""
    held = [np.bincount(line.astype(np.int64) % 12, minlength=12) for line in (first, second)]
    common = [float(np.minimum(held[0], np.roll(held[1], shift)).sum()) for shift in range(12)]
    return sorted(range(12), key=lambda shift: (-common[shift], shift))[:TRIED]

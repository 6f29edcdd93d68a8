"""What all features are made of: histograms by passage, lines of a passage, its key, its chords.

Every function takes arrays over a whole table of passages and gives one row a
passage; a passage with nothing to count has a row of zeros.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.music.keys import PROFILES
from musai.style.passages import Ints, Notes, Table

Floats = NDArray[np.float64]

LONGEST = 16
"""Beats that one note is counted in, at most."""


def shares(rows: Ints, bins: Ints, shape: tuple[int, int], weights: Any = None) -> Floats:
    """Histogram of `bins` (n,) by row, each row of the given (rows, bins) summing to 1 or 0."""
    counted = np.bincount(rows * shape[1] + bins, weights, shape[0] * shape[1])
    held = counted.astype(np.float64).reshape(shape)
    return over(held, held.sum(axis=1, keepdims=True))


def means(rows: Ints, values: Any, count: int) -> Floats:
    """Mean of `values` (n,) by row, shape (count,)."""
    return over(np.bincount(rows, values, count), np.bincount(rows, minlength=count))


def over(above: Any, below: Any) -> Floats:
    """The quotient, 0 where there is nothing to divide by."""
    divided = np.divide(above, below, out=np.zeros(np.shape(above)), where=np.asarray(below) > 0)
    return np.asarray(divided, np.float64)


@dataclass(frozen=True, slots=True)
class Steps:
    """Pairs of successive notes of lines: passage and line, step in semitones, wait in ticks.

    `last` says that the next pair goes on where this one ends.
    """

    passage: Ints
    line: Ints
    step: Ints
    wait: Ints

    @property
    def joined(self) -> Ints:
        """Indices of pairs whose next pair belongs to the same line."""
        return np.flatnonzero(self.line[1:] == self.line[:-1])


def edge(notes: Notes, line: Ints, top: bool = True) -> Notes:
    """The highest or the lowest note at each onset of each line, in order of line and onset."""
    order = np.lexsort((notes.pitch if top else -notes.pitch, notes.onset, line))
    onset, lines = notes.onset[order], line[order]
    last = np.ones(len(order), bool)
    last[:-1] = (onset[1:] != onset[:-1]) | (lines[1:] != lines[:-1])
    return notes[order[last]]


def steps(notes: Notes, line: Ints) -> Steps:
    """The pairs of neighbours in a table of lines that `edge` has made."""
    same = np.flatnonzero(line[1:] == line[:-1])
    return Steps(
        notes.passage[same],
        line[same],
        notes.pitch[same + 1] - notes.pitch[same],
        notes.onset[same + 1] - notes.onset[same],
    )


def extremes(rows: Ints, values: Ints, count: int) -> tuple[Floats, Floats]:
    """(lowest, highest) of `values` by row; 0 for a row without any."""
    low, high = np.full(count, 128.0), np.full(count, -1.0)
    np.minimum.at(low, rows, values)
    np.maximum.at(high, rows, values)
    empty = high < 0
    return np.where(empty, 0, low), np.where(empty, 0, high)


def key_fits(table: Table) -> Floats:
    """Correlation of each of 12 major and 12 minor profiles with the sounding time of each class.

    Krumhansl and Kessler's profiles (1982), as in `musai.music.keys`; shape (count, 24).
    """
    notes = table.pitched
    weights = shares(notes.passage, notes.pitch % 12, (table.count, 12), sounding(notes))
    profiles = np.array([np.roll(p, k) for p in PROFILES for k in range(12)])
    profiles = profiles - profiles.mean(axis=1, keepdims=True)
    spread = weights - weights.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(spread, axis=1)[:, None] * np.linalg.norm(profiles, axis=1)
    # A flat histogram differs from its mean by rounding alone.
    fits = np.divide(spread @ profiles.T, norms, out=np.zeros_like(norms), where=norms > 1e-9)
    # Whole millionths, so that no choice of key hangs on a sum's last bit.
    return np.asarray(np.rint(fits * 1e6) / 1e6)


def tonics(fits: Floats) -> Ints:
    """The pitch class of the best fitting key's tonic, shape (count,)."""
    return np.asarray(fits.argmax(axis=1) % 12)


def sounding(notes: Notes) -> Floats:
    """Ticks that each note counts: its own, two quarters at most."""
    return np.minimum(notes.duration, 960).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Beats:
    """Beats in which something sounds: passage, number, pitch classes as 12 bits, lowest pitch."""

    passage: Ints
    beat: Ints
    classes: Ints
    lowest: Ints


def beats(table: Table) -> Beats:
    """The beats of all passages, in order; a beat is that of the passage's first signature."""
    notes = table.pitched
    beat = np.maximum(1, table.metre[:, 1])[notes.passage]
    first = notes.onset // beat
    spread = np.minimum((notes.onset + notes.duration - 1) // beat - first, LONGEST - 1) + 1
    which = np.repeat(np.arange(len(notes)), spread)
    offset = np.arange(len(which)) - np.repeat(np.cumsum(spread) - spread, spread)
    number = first[which] + offset
    passage, pitch = notes.passage[which], notes.pitch[which]
    order = np.lexsort((pitch, number, passage))
    passage, number, pitch = passage[order], number[order], pitch[order]
    new = np.ones(len(order), bool)
    new[1:] = (passage[1:] != passage[:-1]) | (number[1:] != number[:-1])
    starts = np.flatnonzero(new)
    bits = np.left_shift(1, pitch % 12)
    held = np.bitwise_or.reduceat(bits, starts) if len(starts) else bits
    return Beats(passage[starts], number[starts], held, pitch[starts])

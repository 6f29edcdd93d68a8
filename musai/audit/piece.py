"""A piece as arrays: its notes by pitch and time, its grid, and how dense it is around a place.

Units: ticks at 480 a quarter; pitches are MIDI numbers.  A note's row is its pitch, and
for drums its pitch + 128, so that a drum is never taken for a pitch.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.music import TICKS, Phrase

Ints = NDArray[np.int64]

GRIDS = (480, 240, 160, 120, 80, 60, 40, 30, 20)
"""Grids that are recognised, the coarsest first: quarters, eighths, their triplets, sixteenths, ..."""

ON_GRID = 0.97
"""A piece is on a grid when this share of its onsets is."""

FINEST = 20
"""Places in time are told apart down to so many ticks."""

WINDOW = 8 * TICKS
"""A neighbourhood reaches so far to each side."""

_ROW = 1 << 30


@dataclass(frozen=True, eq=False)
class Piece:
    """Notes as int64 arrays of one length, in the phrase's canonical order."""

    phrase: Phrase
    onset: Ints
    duration: Ints
    pitch: Ints
    velocity: Ints
    voice: Ints
    row: Ints

    @classmethod
    def of(cls, phrase: Phrase) -> "Piece":
        """The arrays of a phrase."""
        notes = phrase.notes
        columns = [notes[name].astype(np.int64) for name in notes.dtype.names or ()]
        drums = np.array([voice.drum for voice in phrase.voices], bool)
        row = columns[2] + 128 * drums[columns[4]] if len(notes) else columns[2]
        onset, duration, pitch, velocity, voice = columns
        return cls(phrase, onset, duration, pitch, velocity, voice, row)

    def __len__(self) -> int:
        return len(self.onset)

    @cached_property
    def grid(self) -> int:
        """The coarsest of `GRIDS` that nearly all onsets lie on, else 1."""
        if len(self) == 0:
            return 1
        return next((g for g in GRIDS if (self.onset % g == 0).mean() >= ON_GRID), 1)

    @property
    def slot(self) -> int:
        """Length of a place in time that a note may take."""
        return max(FINEST, self.grid)

    @property
    def tolerance(self) -> int:
        """How far from where it was put a note may lie and still be as it was put: half the grid."""
        return max(3, self.grid // 2 + 1)

    @property
    def reach(self) -> int:
        """How far from where it was put a note is looked for."""
        return max(32, self.tolerance)

    @cached_property
    def order(self) -> Ints:
        """Notes by row and onset."""
        return np.lexsort((self.onset, self.row)).astype(np.int64)

    @cached_property
    def keys(self) -> Ints:
        """Row and onset of the notes of `order` in one rising number each."""
        return keys_of(self.row[self.order], self.onset[self.order])

    @cached_property
    def bars(self) -> Ints:
        """Ticks of the bar lines, the end of the last bar among them."""
        found = self.phrase.metre.bars_until(max(1, self.phrase.length))
        last, signature = found[-1]
        return np.array([*(tick for tick, _ in found), last + signature.bar_ticks], np.int64)

    def bar_ticks(self, tick: int) -> int:
        """Length of the bars at a tick."""
        return self.phrase.metre.signature_at(max(0, tick)).bar_ticks

    def crowd(self, row: Ints, time: Ints) -> NDArray[np.float64]:
        """Share of the places in the neighbourhood that hold a note of that row."""
        low = np.searchsorted(self.keys, keys_of(row, time - WINDOW))
        high = np.searchsorted(self.keys, keys_of(row, time + WINDOW))
        return (high - low) / (2 * WINDOW / self.slot)


def keys_of(row: Ints, time: Ints) -> Ints:
    """Row and time in one number; times are held within what a row has room for."""
    held: Ints = row * _ROW + np.clip(time + WINDOW, 0, _ROW - 1)
    return held


def nearest(keys: Ints, wanted: Ints, reach: int) -> tuple[Ints, Ints]:
    """Index of the key nearest to each wanted one and its distance; -1 beyond `reach` ticks.

    A key that several want goes to the nearest of them.
    """
    if len(keys) == 0:
        return np.full(len(wanted), -1), np.zeros(len(wanted), np.int64)
    right = np.clip(np.searchsorted(keys, wanted), 0, len(keys) - 1)
    left = np.maximum(right - 1, 0)
    closer = np.abs(keys[left] - wanted) <= np.abs(keys[right] - wanted)
    # Of two notes at one place take the first, so that the next of a pair finds the other.
    found = np.where(closer, left, right)
    found = np.searchsorted(keys, keys[found])
    for _ in range(3):
        away = np.abs(keys[np.minimum(found, len(keys) - 1)] - wanted)
        taken = _doubled(found, away)
        step = np.minimum(found + 1, len(keys) - 1)
        twin = taken & (keys[step] == keys[found]) & (step > found)
        if not twin.any():
            break
        found = np.where(twin, step, found)
    away = np.abs(keys[found] - wanted)
    lost = (away > reach) | _doubled(found, away)
    return np.where(lost, -1, found), away


def _doubled(found: Ints, away: Ints) -> NDArray[Any]:
    """Those whose key goes to another, because that one is nearer or came first."""
    order = np.lexsort((np.arange(len(found)), away, found))
    ranked = found[order]
    again = np.zeros(len(found), bool)
    again[order[1:]] = ranked[1:] == ranked[:-1]
    return again

"""Where a note stands: its place in the bar, and whether a phrase of the music begins with it.

Related music agrees in this more often than chance would have it (phrase
position alone is worth much: P. van Kranenburg, A. Volk and F. Wiering, "A
comparison between global and local features for computational classification
of folk song melodies", 2013).  `learned.json` says how much, from versions of
tunes.  A phrase that was cut out of its bars has none to speak of: then
nothing is gained, and nothing is lost.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match.compiled import kernels
from musai.match.learned import learned
from musai.match.streams import SPREAD
from musai.music.metre import Metre

Ints = NDArray[Any]

MOST = 6.0
"""Bits that agreement says at most: where one note stands tells where the others do, so all of them
together say little more than where in its bars the music began.  Of 2, 4, 6 and 8, the last two found most."""

KINDS = 8
"""Kinds of place: twice the level, and one more where a phrase begins."""

LONG = 2.0
"""A note that comes after so many times the line's median wait begins a phrase: a rest or a long note
stands before it (after the gap rules of F. Lerdahl and R. Jackendoff, 1983)."""


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of a metre, shape (signatures,): where each signature begins, ticks of bar and beat."""

    starts: Ints
    bars: Ints
    beats: Ints

    @classmethod
    def of(cls, metre: Metre) -> "Bars":
        """Those of a metre."""
        held = [(s.tick, s.bar_ticks, s.beat_ticks) for s in metre.signatures]
        return cls(*np.array(held, np.int64).T)

    def levels(self, onsets: Ints) -> Ints:
        """The metrical level of each onset (ticks), int8 (n,); `SPREAD` / 2 beside it still counts."""
        out = np.empty(len(onsets), np.int8)
        kernels().levels(self.starts, self.bars, self.beats, onsets, SPREAD // 2, out)
        return out

    def kinds(self, onsets: Ints) -> Ints:
        """The kind of place of every note of a line, int8 (n,)."""
        held: Ints = 2 * self.levels(onsets) + beginnings(onsets)
        return held


def beginnings(onsets: Ints) -> Ints:
    """Which notes of a line with rising onsets begin a phrase, bool (n,); the first one does."""
    out = np.zeros(len(onsets), bool)
    out[:1] = True
    if len(onsets) > 2:
        waits = onsets[1:].astype(np.int64) - onsets[:-1]
        out[1:] = waits >= LONG * np.partition(waits, len(waits) // 2)[len(waits) // 2]
    return out


def agreement(first: Ints, second: Ints) -> float:
    """Bits by which paired notes speak for being related: their kinds of place, (n,) each.

    The sum of log-odds, but no more than `MOST`, as it would be believed by one who gives the
    phrase's bars an even chance of meaning nothing: false bars cost one bit at most.
    """
    total = min(MOST, float(learned().places[first, second].sum()))
    return math.log2(0.5 + 2.0 ** (total - 1.0))

"""What may come next: masks that leave no invalid event to be drawn.

Rules, all hard: exactly the bars asked for; time never runs backwards;
notes that begin together come by voice, then by rising pitch; no pitch is
struck again while it sounds in its voice; a voice that is one line sounds
one note at a time; pitches stay within the voice's register; no note
outlasts the phrase; the first bar sounds, an answer by its first beat.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musai.transformer import vocabulary as v
from musai.transformer.encoding import Bar

MOST_AT_ONCE = 6
"""Notes that one voice may sound at once; fewer than the semitones of the narrowest register."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Part:
    """Limits of one voice: lowest and highest (moved) pitch, and whether it is one line."""

    low: int = 0
    high: int = 127
    line: bool = True


class Grammar:
    """The state of one answer: bars passed, notes sounding.  Steps count from its first bar line.

    `latest`: the last step of the first bar at which the first note may begin.
    """

    def __init__(self, bars: Sequence[Bar], parts: Sequence[Part], latest: int = v.MAX_BAR) -> None:
        self._latest = latest
        self._lengths = [bar.steps for bar in bars]
        self._starts = np.concatenate([[0], np.cumsum(self._lengths)]).tolist()
        self._parts = tuple(parts)
        self._sounding: list[dict[int, int]] = [{} for _ in parts]
        self._last = (-1, 0, 0)
        self._notes = 0
        self.bar = 0

    @property
    def done(self) -> bool:
        """Whether all bars have passed."""
        return self.bar == len(self._lengths)

    def onset(self, position: int) -> int:
        """Steps from the answer's first bar line."""
        return int(self._starts[self.bar] + position)

    def positions(self) -> Mask:
        """Which steps of this bar, or the bar line, may come next; shape (193,)."""
        mask = np.zeros(v.MAX_BAR + 1, bool)
        length, here = self._lengths[self.bar], self._last[0]
        free = min(self._free_from(i) for i in range(len(self._parts))) - self._starts[self.bar]
        mask[max(here + 1, free, 0) : length] = True
        if here >= 0:
            mask[here] = bool(self.voices(here).any())
        mask[v.BARLINE] = self._notes > 0
        if self._notes == 0:
            mask[self._latest + 1 : v.BARLINE] = False
        return mask

    def voices(self, position: int) -> Mask:
        """Which voices may begin a note there; shape (16,)."""
        mask = np.zeros(v.VOICES, bool)
        onset = self.onset(position)
        for i in range(len(self._parts)):
            if self._free_from(i) <= onset:
                together = position == self._last[0]
                mask[i] = (not together) or i > self._last[1]
                if together and i == self._last[1]:
                    mask[i] = bool(self.pitches(position, i).any())
        return mask

    def pitches(self, position: int, voice: int) -> Mask:
        """Which (moved) pitches may begin there; shape (128,)."""
        part, onset = self._parts[voice], self.onset(position)
        mask = np.zeros(128, bool)
        mask[part.low : part.high + 1] = True
        for pitch, end in self._sounding[voice].items():
            if end > onset:
                mask[pitch] = False
        if (position, voice) == self._last[:2]:
            mask[: self._last[2] + 1] = False
        return mask

    def durations(self, position: int) -> Mask:
        """Which lengths end within the phrase; the shortest always may, shape (48,)."""
        left = self._starts[-1] - self.onset(position)
        mask: Mask = np.less_equal(v.DURATIONS, left)
        mask[0] = True
        return mask

    def push(self, position: int, voice: int, pitch: int, duration: int) -> None:
        """A note was drawn; `duration` is an index into DURATIONS."""
        onset = self.onset(position)
        ends = self._sounding[voice]
        self._sounding[voice] = {p: end for p, end in ends.items() if end > onset}
        self._sounding[voice][pitch] = onset + int(v.DURATIONS[duration])
        self._last = (position, voice, pitch)
        self._notes += 1

    def push_barline(self) -> None:
        """The bar is over."""
        self.bar += 1
        self._last = (-1, 0, 0)

    def _free_from(self, voice: int) -> int:
        ends = sorted(self._sounding[voice].values())
        if self._parts[voice].line:
            return ends[-1] if ends else 0
        return ends[-MOST_AT_ONCE] if len(ends) >= MOST_AT_ONCE else 0

"""What may come next: masks that leave no invalid event to be drawn.

Rules, all hard: exactly the bars asked for; time never runs backwards;
notes that begin together come by voice, then by rising pitch; no pitch is
struck again while it sounds in its voice; a voice that is one line sounds
one note at a time; pitches stay within the voice's register; no note
outlasts the phrase; the first bar sounds, an answer by its first beat.
Notes that are kept count as if they had been drawn.

`Limits` are the request's own, as hard as the others: places on a rhythm
grid, notes at once, a scale, and chords: what sounds on a beat belongs to the
chord of that beat, so a note off the beat may be any note of the scale, but
not outlast the next beat where it does not belong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musai.transformer import vocabulary as v
from musai.transformer.copying import shallow
from musai.transformer.encoding import Bar

MOST_AT_ONCE = 6
"""Notes that one voice may sound at once; fewer than the semitones of the narrowest register."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Part:
    """Limits of one voice: lowest and highest (moved) pitch, whether it is one line, whether it is
    asked to play at all, and whether it is drums, which know no scale."""

    low: int = 0
    high: int = 127
    line: bool = True
    asked: bool = True
    drum: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A note that stands in the answer: steps from its first bar line, moved pitch, voice."""

    onset: int
    end: int
    pitch: int
    voice: int


@dataclass(frozen=True, slots=True)
class Harmony:
    """Chords over time: `tones[i]` are the (moved) pitches, shape (128,), that fit step `beats[i]`.

    `beats` rise from 0; chords change on beats only.
    """

    beats: NDArray[np.int_]
    tones: Mask

    def at(self, onset: int) -> tuple[Mask, bool]:
        """The tones in force at a step, and whether a beat stands there."""
        i = int(np.searchsorted(self.beats, onset, side="right")) - 1
        return self.tones[i], bool(self.beats[i] == onset)

    def until(self, onset: int, pitch: int) -> int | None:
        """The first later beat to which a pitch does not belong."""
        i = int(np.searchsorted(self.beats, onset, side="right"))
        wrong = np.flatnonzero(~self.tones[i:, pitch])
        return int(self.beats[i + wrong[0]]) if len(wrong) else None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request limits: grid in steps, notes at once (0: any), (moved) pitches, chords."""

    grid: int = 1
    polyphony: int = 0
    scale: Mask | None = None
    harmony: Harmony | None = None


_NO_LIMITS = Limits()


class Grammar:
    """The state of one answer: bars passed, notes sounding.  Steps count from its first bar line.

    `latest`: the last step of the first bar at which the first note may begin; None where the
    first bar need not sound.
    """

    def __init__(
        self,
        bars: Sequence[Bar],
        parts: Sequence[Part],
        latest: int | None = v.MAX_BAR,
        kept: Sequence[Kept] = (),
        limits: Limits = _NO_LIMITS,
    ) -> None:
        self._latest = latest
        self._limits = limits
        self._lengths = [bar.steps for bar in bars]
        self._starts = np.concatenate([[0], np.cumsum(self._lengths)]).tolist()
        self._parts = tuple(parts)
        self._kept = [[note for note in kept if note.voice == i] for i in range(len(parts))]
        self._beside = _sounding(self._kept, self._starts[-1])
        self._sounding: list[dict[int, int]] = [{} for _ in parts]
        self._most = [self._most_of(i) for i in range(len(parts))]
        self._last = (-1, 0, 0)
        self._notes = len(kept)
        self.drawn = 0
        self.bar = 0

    @property
    def done(self) -> bool:
        """Whether all bars have passed."""
        return self.bar == len(self._lengths)

    @property
    def last(self) -> tuple[int, int]:
        """Where in this bar the last note began, and its voice; -1 and 0 where none has."""
        return self._last[:2]

    def ended(self, voice: int) -> int | None:
        """The step at which what was drawn in a voice ends; None where nothing was."""
        return max(self._sounding[voice].values(), default=None)

    def onset(self, position: int) -> int:
        """Steps from the answer's first bar line."""
        return int(self._starts[self.bar] + position)

    def positions(self) -> Mask:
        """Which steps of this bar, or the bar line, may come next; shape (193,)."""
        mask = np.zeros(v.MAX_BAR + 1, bool)
        length, here = self._lengths[self.bar], self._last[0]
        start = self._starts[self.bar]
        steps = np.arange(start, start + length)
        for i, part in enumerate(self._parts):
            if part.asked:
                mask[:length] |= self._free(i, steps)
        mask[: max(here, 0)] = False
        if self._limits.grid > 1:
            mask[:length] &= np.arange(length) % self._limits.grid == 0
        if here >= 0:
            mask[here] = bool(self.voices(here).any())
        if self._notes == 0 and self._latest is not None:
            mask[self._latest + 1 : v.BARLINE] = False
        # Silence at the end is no answer: one note sounds, unless there is no room for any.
        last = self._latest is not None or self.bar + 1 == len(self._lengths)
        mask[v.BARLINE] = self._notes > 0 or not (last and mask[:length].any())
        return mask

    def voices(self, position: int) -> Mask:
        """Which voices may begin a note there; shape (16,)."""
        mask = np.zeros(v.VOICES, bool)
        onset = np.array([self.onset(position)])
        for i, part in enumerate(self._parts):
            if part.asked and self._free(i, onset)[0]:
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
        mask &= self._tones(part, onset)
        for pitch, end in self._sounding[voice].items():
            if end > onset:
                mask[pitch] = False
        for note in self._kept[voice]:
            if note.onset <= onset < note.end:
                mask[note.pitch] = False
        if (position, voice) == self._last[:2]:
            mask[: self._last[2] + 1] = False
        return mask

    def durations(self, position: int, voice: int, pitch: int) -> Mask:
        """Which lengths end within the phrase and before what is kept; the shortest always may.

        Shape (48,).
        """
        onset = self.onset(position)
        end = self._starts[-1]
        for note in self._kept[voice]:
            if note.onset > onset and (self._parts[voice].line or note.pitch == pitch):
                end = min(end, note.onset)
        harmony = None if self._parts[voice].drum else self._limits.harmony
        if harmony is not None:
            end = min(end, harmony.until(onset, pitch) or end)
        if self._limits.polyphony:
            end = min(end, self._full(onset))
        mask: Mask = np.less_equal(v.DURATIONS, end - onset)
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
        self.drawn += 1

    def push_barline(self) -> None:
        """The bar is over."""
        self.bar += 1
        self._last = (-1, 0, 0)

    def copy(self) -> "Grammar":
        """The same state, to come back to."""
        same = shallow(self)
        same._sounding = list(self._sounding)
        return same

    def _free(self, voice: int, steps: NDArray[np.int_]) -> Mask:
        """At which of these steps the voice has room for one more note."""
        ends = np.array(list(self._sounding[voice].values()), int)
        count = (ends[:, None] > steps).sum(axis=0) + self._beside[voice][steps]
        free: Mask = count < self._most[voice]
        if self._limits.polyphony:
            free &= self._count(steps) < self._limits.polyphony
        return free

    def _most_of(self, voice: int) -> int:
        """Notes that a voice may sound at once: never all that the scale and a chord leave it."""
        part = self._parts[voice]
        if part.line:
            return 1
        masks = [np.ones(128, bool)]
        if not part.drum and self._limits.scale is not None:
            masks = [self._limits.scale]
        if not part.drum and self._limits.harmony is not None:
            masks = list(self._limits.harmony.tones)
        return min(MOST_AT_ONCE, *(int(m[part.low : part.high + 1].sum()) for m in masks))

    def _tones(self, part: Part, onset: int) -> Mask:
        """Which pitches the scale and the chord allow at a step."""
        scale = self._limits.scale
        if part.drum or (scale is None and self._limits.harmony is None):
            return np.ones(128, bool)
        if self._limits.harmony is None:
            return scale if scale is not None else np.ones(128, bool)
        chord, beat = self._limits.harmony.at(onset)
        if beat:
            return chord
        return np.ones(128, bool) if scale is None else scale

    def _count(self, steps: NDArray[np.int_]) -> NDArray[np.int_]:
        """Notes of all voices that sound at these steps, as far as is known."""
        ends = np.array([end for voice in self._sounding for end in voice.values()], int)
        beside = sum(one[steps] for one in self._beside)
        count: NDArray[np.int_] = (ends[:, None] > steps).sum(axis=0) + beside
        return count

    def _full(self, onset: int) -> int:
        """The first later step at which one more note would be too many."""
        end = int(self._starts[-1])
        later = np.flatnonzero(self._count(np.arange(onset + 1, end)) >= self._limits.polyphony)
        return onset + 1 + int(later[0]) if len(later) else end


def _sounding(kept: Sequence[Sequence[Kept]], length: int) -> list[NDArray[np.int_]]:
    """How many kept notes of each voice sound at each step."""
    out = []
    for notes in kept:
        change = np.zeros(length + 1, int)
        for note in notes:
            change[note.onset] += 1
            change[min(note.end, length)] -= 1
        out.append(np.cumsum(change)[:length])
    return out

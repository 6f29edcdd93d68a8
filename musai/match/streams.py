"""Lines of notes in a phrase: what is compared with what.

A stream is a line with rising onsets: a voice that is one already, the top
and the bottom of a voice that is not, and the skyline and the bass of all
pitched voices together.  Drums make lines of their own, of rhythm alone: every
step of theirs is `DRUM_STEP`, which no pitched line has.

A line's symbols are, for every note, the step (in semitones, from the note
before) and the ratio of the time since the note before to the time between
the two notes before that; so nothing changes when the phrase is transposed or
its tempo is.  `ratios2` and the sum of two steps say the same with one note
left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match.compiled import kernels
from musai.music.notes import NoteArray
from musai.music.phrase import Phrase

MAX_STEP = 40
"""Larger steps count as this one (so that the sum of two and a marker fit eight bits)."""

MAX_RATIO = 8
"""Ratio classes go from -8 to 8."""

DRUM_STEP = 63
"""Every step of a line of drums: it agrees with itself and is far from every other."""

NO_STEP = 127
"""Step of a work's note that has no note before it; ratios likewise."""

NO_RATIO = 100
"""Ratio class of a phrase's note that has none: unlike every class and unlike `NO_STEP`."""

SPREAD = 20
"""Notes that start within so many ticks (a 24th of a quarter) are one chord."""

DRUMS = "drums"
"""The kind of line that has no pitch."""

SHORTEST = 3
"""Notes that a stream has at least."""

SAME = 0.9
"""Two lines that share this part of their notes are one."""

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Stream:
    """One line: what it is, its voice (-1: all), and its notes as indices into the phrase's."""

    kind: str
    voice: int
    index: Ints

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, slots=True)
class Symbols:
    """Steps and ratio classes of one line, int8, one a note."""

    steps: Ints
    ratios: Ints
    ratios2: Ints

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, part: slice) -> "Symbols":
        return Symbols(self.steps[part], self.ratios[part], self.ratios2[part])


def streams(phrase: Phrase) -> list[Stream]:
    """All different lines of a phrase with `SHORTEST` notes or more.

    A line that shares `SAME` of its notes and those of an earlier one is left out.
    """
    found: list[Stream] = []
    for stream in _lines(phrase):
        if len(stream) >= SHORTEST and not any(_same(stream, other) for other in found):
            found.append(stream)
    return found


def _same(stream: Stream, other: Stream) -> bool:
    longer = max(len(stream), len(other))
    if min(len(stream), len(other)) < SAME * longer:
        return False
    return len(np.intersect1d(stream.index, other.index, assume_unique=True)) >= SAME * longer


def _lines(phrase: Phrase) -> Iterator[Stream]:
    voice_of = phrase.notes["voice"]
    pitched = [v for v in range(len(phrase.voices)) if not phrase.voices[v].drum]
    present = [v for v in pitched if (voice_of == v).any()]
    for voice in present:
        index = np.flatnonzero(voice_of == voice)
        top = _edge(phrase.notes, index, True)
        bottom = _edge(phrase.notes, index, False)
        if len(top) == len(index):
            yield Stream("line", voice, top)
            continue
        yield Stream("top", voice, top)
        yield Stream("bottom", voice, bottom)
    if len(present) > 1:
        index = np.flatnonzero(np.isin(voice_of, present))
        yield Stream("skyline", -1, _edge(phrase.notes, index, True))
        yield Stream("bass", -1, _edge(phrase.notes, index, False))
    for voice in sorted(set(range(len(phrase.voices))) - set(pitched)):
        index = np.flatnonzero(voice_of == voice)
        if len(index):
            yield Stream(DRUMS, voice, _edge(phrase.notes, index, False))


def _edge(notes: NoteArray, index: Ints, top: bool) -> Ints:
    part = notes[index]
    onsets = part["onset"].astype(np.int64)
    chosen = np.empty(len(part), np.int32)
    count = kernels().skyline(
        onsets, onsets + part["duration"], part["pitch"].astype(np.int64), top, SPREAD, chosen
    )
    return index[chosen[:count]].astype(np.uint32)


def symbols(pitches: Ints, onsets: Ints, drums: bool = False) -> Symbols:
    """Symbols of a line from its pitches and rising onsets (ticks), both shape (n,)."""
    starts = np.zeros(min(1, len(pitches)), np.int64)
    return symbols_of_lines(pitches, onsets, starts, np.full(len(pitches), drums))


def symbols_of_lines(
    pitches: Ints, onsets: Ints, starts: Ints, drums: Ints | None = None
) -> Symbols:
    """Symbols of lines that lie one after the other, each beginning at one of `starts`.

    `drums` bool (n,): notes of lines of drums.
    """
    count = len(pitches)
    steps = np.full(count, NO_STEP, np.int8)
    steps[1:] = np.clip(np.diff(pitches.astype(np.int16)), -MAX_STEP, MAX_STEP)
    if drums is not None:
        steps[drums] = DRUM_STEP
    # From one line to the next time runs back; what that gives is marked below.
    onsets = onsets.astype(np.int64)
    gaps = np.log2(np.maximum(1, onsets[1:] - onsets[:-1]))
    ratios = np.full(count, NO_STEP, np.int8)
    ratios[2:] = ratio_class(gaps[1:] - gaps[:-1])
    ratios2 = np.full(count, NO_STEP, np.int8)
    if count > 3:
        wide = np.log2(np.maximum(1, onsets[2:] - onsets[:-2]))
        ratios2[3:] = ratio_class(wide[1:] - gaps[:-2])
    for signs, lost in ((steps, 1), (ratios, 2), (ratios2, 3)):
        for k in range(lost):
            signs[np.minimum(starts + k, count - 1)] = NO_STEP
    return Symbols(steps, ratios, ratios2)


def ratio_class(octaves: Ints) -> Ints:
    """Class of a time ratio given as its binary logarithm: half octaves, rounded."""
    classes: Ints = np.clip(np.rint(2 * octaves), -MAX_RATIO, MAX_RATIO).astype(np.int8)
    return classes

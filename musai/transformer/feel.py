"""How it is played: swing and accents, taken from the context and given to the answer.

The model hears and says notes on an even grid.  Before it listens, a human's
timing is brought to that grid; before the answer sounds, the human's swing
and loudness are put back.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musai.music import TICKS, NoteArray, Phrase
from musai.music.metre import Signature
from musai.music.notes import untangled
from musai.transformer.vocabulary import STEP_TICKS

ACCENTS = (96, 86, 80, 74)
"""Velocity at the bar line, on a beat, half way between beats, elsewhere, where nothing is told."""

_PLAYED = np.array([0, 6, 8, 12, 16, 18, 24]) * STEP_TICKS
"""Places in a quarter that played notes go to: sixteenths and triplets."""


@dataclass(frozen=True, slots=True)
class Feel:
    """`swing`: where the second eighth stands in its quarter, .5 even, .667 triplets.

    `accents`: velocity at the bar line, on beats, half way, elsewhere; `level`: the mean that a request
    asks of velocities that the model draws, None where they stay as drawn.
    """

    swing: float = 0.5
    accents: tuple[int, int, int, int] = ACCENTS
    level: float | None = None

    def onset(self, tick: int) -> int:
        """An even tick as it is played."""
        return _warped(tick, 0.5, self.swing)

    def velocity(self, tick_in_bar: int, signature: Signature) -> int:
        """Velocity of a note at an even tick of the bar."""
        return self.accents[level(tick_in_bar, signature)]

    def struck(
        self, drawn: int, mean: float, tick_in_bar: int, signature: Signature, drum: bool
    ) -> int:
        """A drawn velocity as it is played: drums as drawn, others with half of the metre's accents,
        since most scores that a model learns from are all of one loudness.

        `mean` of what was drawn so far, this note too: what is louder than that stays louder than
        the level asked for.
        """
        accent = 0.0
        if not drum:
            usual = sum(self.accents) / len(self.accents)
            accent = (self.velocity(tick_in_bar, signature) - usual) / 2
        louder = 0.0 if self.level is None else self.level - mean
        return int(min(127, max(1, round(drawn + louder + accent))))


def level(tick_in_bar: int, signature: Signature) -> int:
    """0 at the bar line, 1 on a beat, 2 half way between beats, 3 elsewhere."""
    beat = signature.beat_ticks
    if tick_in_bar == 0:
        return 0
    if tick_in_bar % beat == 0:
        return 1
    return 2 if tick_in_bar % (beat // 3 if beat % 720 == 0 else beat // 2) == 0 else 3


def heard(phrase: Phrase) -> tuple[Phrase, Feel]:
    """The phrase on the even grid, and the feel that was taken from it."""
    notes = phrase.notes
    if len(notes) == 0:
        return phrase, Feel()
    swing = _swing(notes["onset"].astype(np.int64))
    even = notes.copy()
    onsets = notes["onset"].astype(np.int64)
    ends = onsets + notes["duration"]
    if swing != 0.5:
        onsets = np.array([_warped(int(t), swing, 0.5) for t in onsets])
        ends = np.array([_warped(int(t), swing, 0.5) for t in ends])
    if (onsets % STEP_TICKS).any():
        onsets = snapped(onsets)
        ends = np.maximum(snapped(ends), onsets + 6 * STEP_TICKS)
    even["onset"] = np.maximum(onsets, 0)
    even["duration"] = np.maximum(ends - onsets, 1)
    if swing != 0.5 or (notes["onset"] % STEP_TICKS).any():
        even = joined(untangled(even), [voice.drum for voice in phrase.voices])
    even = untangled(even)
    length = max(phrase.length, int((even["onset"].astype(np.int64) + even["duration"]).max()))
    placed = phrase.with_notes(even, length)
    return placed, Feel(swing, _accents(phrase, even))


def snapped(ticks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ticks moved to the nearest sixteenth or triplet eighth."""
    quarter, inside = np.divmod(ticks, TICKS)
    nearest = _PLAYED[np.abs(inside[:, None] - _PLAYED[None, :]).argmin(axis=1)]
    placed: NDArray[np.int64] = quarter * TICKS + nearest
    return placed


def joined(notes: NoteArray, drums: Iterable[bool]) -> NoteArray:
    """Played notes of a single line held until the next begins where the gap is short.

    Fingers lift early; scores, from which the model learned, write full lengths.
    """
    out = notes.copy()
    for voice, drum in enumerate(drums):
        mine = np.flatnonzero(out["voice"] == voice)
        if drum or len(mine) < 2:
            continue
        step = np.diff(out["onset"][mine].astype(np.int64))
        held = out["duration"][mine[:-1]].astype(np.int64)
        if (step > 0).all():
            full = (held > step) | (held >= step * 0.6)
            out["duration"][mine[:-1]] = np.where(full, step, held)
    return out


def _swing(onsets: NDArray[np.int64]) -> float:
    inside = (onsets % TICKS) / TICKS
    late = inside[(inside > 0.54) & (inside < 0.72)]
    even = inside[((inside > 0.2) & (inside < 0.54)) | (inside > 0.72)]
    # Triplets proper also sound on the first third; swing does not.
    if len(late) < 3 or len(late) < 4 * len(even):
        return 0.5
    return round(float(np.median(late)), 3)


def _warped(tick: int, before: float, after: float) -> int:
    """Moves the middle of every quarter from share `before` to share `after`, the rest in proportion."""
    if before == after:
        return tick
    quarter, inside = divmod(tick, TICKS)
    knee, to = before * TICKS, after * TICKS
    if inside <= knee:
        return quarter * TICKS + round(inside * to / knee)
    return quarter * TICKS + round(to + (inside - knee) * (TICKS - to) / (TICKS - knee))


def _accents(phrase: Phrase, even: NoteArray) -> tuple[int, int, int, int]:
    found: list[list[int]] = [[], [], [], []]
    bars = phrase.metre.bars_until(max(1, phrase.length))
    starts = np.array([tick for tick, _ in bars])
    for onset, velocity in zip(even["onset"].tolist(), even["velocity"].tolist(), strict=True):
        index = int(np.searchsorted(starts, onset, side="right")) - 1
        found[level(onset - bars[index][0], bars[index][1])].append(velocity)
    mean = float(np.mean([velocity for level_ in found for velocity in level_]))
    centre = sum(ACCENTS) / len(ACCENTS)
    if float(np.std(phrase.notes["velocity"])) == 0:
        # A flat context says how loud, not where the accents are.
        values = [mean + accent - centre for accent in ACCENTS]
    else:
        values = [
            float(np.mean(own)) if own else mean + accent - centre
            for own, accent in zip(found, ACCENTS, strict=True)
        ]
    a, b, c, d = (int(np.clip(round(value), 1, 127)) for value in values)
    return a, b, c, d

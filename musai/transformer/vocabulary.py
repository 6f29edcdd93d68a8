"""THE table of the model's language: fields, their sizes, and what each value means.

A piece is a row of events, one a note, one a bar line, after a short header.
Every event is a row of small integers, one a field.  `INPUTS` lists all
fields that an event may carry; 0 always says "none" or "not told", so any
wish can be left open.  `OUTPUTS` lists the fields that the model predicts of
the next event, in the order in which they are drawn.

Time is on a grid of 24 steps a quarter (exact for 32nds, triplets and
sextuplets); pitch is moved so that the piece's key signature has no sharps
or flats (drums stay), so that what is learned in one key is known in all.

Kinds of event::

    HEAD    once, first: mode, tempo, collection
    VOICE   one a voice: its instrument, register, density
    BAR     a bar line: time signature, bars that remain
    NOTE    a note that the model made or continues from
    GIVEN   a note told ahead of its time (anticipation, Thickstun et al.
            2023): another voice to accompany, or what follows a gap; its
            bar, counted from the current one, is in "ahead"
"""

from typing import Final

import numpy as np

from musai.errors import BadInput
from musai.music import TICKS

GRID: Final = 24
"""Steps a quarter note."""

STEP_TICKS: Final = TICKS // GRID
"""Ticks of one step."""

MAX_BAR: Final = 192
"""Steps of the longest bar (8 quarters); longer ones are split."""

BARLINE: Final = MAX_BAR
"""The value of output field `position` that closes the bar instead of sounding a note."""

VOICES: Final = 16
AHEAD: Final = 16
"""The most bars that a given note may be told before its own."""

HEAD, VOICE, BAR, NOTE, GIVEN = 1, 2, 3, 4, 5

# fmt: off
DURATIONS: Final = np.array([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 18, 20, 21, 22, 24, 27, 30, 32, 33, 36, 40,
    42, 45, 48, 54, 60, 64, 66, 72, 80, 84, 90, 96, 108, 120, 132, 144, 168, 192, 240, 288, 384, 576,
])
# fmt: on
"""Lengths in grid steps that output field `duration` can say."""

INPUTS: Final[dict[str, int]] = {
    "kind": 6,
    "position": 1 + MAX_BAR,
    "voice": 1 + VOICES,
    "instrument": 33,
    "pitch": 129,
    "interval": 50,
    "duration": 1 + len(DURATIONS),
    "velocity": 17,
    "nudge": 16,
    "numerator": 34,
    "denominator": 8,
    "remaining": 34,
    "bar": 17,
    "ahead": 18,
    "mode": 3,
    "tempo": 17,
    "collection": 33,
    "register": 17,
    "density": 17,
}
"""Sizes of the input fields, 0 ("none") counted."""

OUTPUTS: Final[dict[str, int]] = {
    "position": MAX_BAR + 1,
    "voice": VOICES,
    "pitch": 128,
    "duration": len(DURATIONS),
    "velocity": 16,
    "nudge": 15,
}
"""Sizes of the output fields in the order drawn; a recipe may leave out the last two."""

DRAWN: Final = 5
"""Output fields that a player draws at most: the nudge is learned and not drawn, since a streamed note
cannot come before one that has sounded."""

LOUDNESS: Final = 8
"""Velocities of one class."""

COLUMN: Final = {name: i for i, name in enumerate(INPUTS)}
OFFSETS: Final = np.concatenate([[0], np.cumsum(list(INPUTS.values()))])[:-1]
ROWS: Final = sum(INPUTS.values())
"""Rows of the one embedding matrix: the fields stand in it one after the other."""

CARD: Final = ("instrument", "register", "density", "pitch", "duration")
"""Fields of a voice's card, as input values: what the header tells of it, and its last note."""

CARD_OFFSETS: Final = np.cumsum([0, *(INPUTS[name] for name in CARD)])[:-1]
CARD_ROWS: Final = sum(INPUTS[name] for name in CARD)

if OFFSETS[-1] + INPUTS["density"] != ROWS:  # pragma: no cover
    raise AssertionError("input offsets do not add up")

DRUMS: Final = 17
INSTRUMENTS: Final = (
    "piano", "chromatic percussion", "organ", "guitar", "bass", "strings", "ensemble", "brass",
    "reed", "pipe", "synth lead", "synth pad", "synth effects", "ethnic", "percussive", "effects",
    "drums",
)  # fmt: skip
"""Instrument classes: the families of General MIDI, then drums; input value is index + 1."""

SNARE: Final = 38
KIT: Final = (35, 59)
"""Key of the snare, and the lowest and highest of a drum kit in General MIDI; what lies above is Latin percussion."""

DENOMINATORS: Final = {1: 1, 2: 2, 4: 3, 8: 4, 16: 5, 32: 6, 64: 7}


def instrument_class(program: int, drum: bool) -> int:
    """Input value of field `instrument` for a General MIDI program."""
    return DRUMS if drum else 1 + program // 8


def duration_class(steps: np.ndarray | int) -> np.ndarray:
    """Index into `DURATIONS` of the length nearest in ratio; lengths under 1 count as 1."""
    logs = np.log(DURATIONS)
    wanted = np.log(np.maximum(1, np.atleast_1d(steps)))
    classes: np.ndarray = np.abs(wanted[:, None] - logs[None, :]).argmin(axis=1)
    return classes


def tempo_class(bpm: float) -> int:
    """1 to 16, three to the octave, from 30 quarters a minute up."""
    return int(np.clip(1 + np.floor(3 * np.log2(bpm / 30)), 1, 16))


def density_class(notes_per_bar: float) -> int:
    """1 to 16, two to the octave, from a quarter note a bar up."""
    return int(np.clip(1 + np.floor(2 * np.log2(max(notes_per_bar, 0.25) / 0.25)), 1, 16))


def register_class(mean_pitch: float) -> int:
    """1 to 16: the mean pitch in steps of eight semitones."""
    return int(np.clip(1 + mean_pitch // 8, 1, 16))


def remaining_class(bars: int | None) -> int:
    """1 + bars that remain after this one, 33 for 32 and more, 0 for "not told"."""
    return 0 if bars is None else 1 + min(bars, 32)


def collection_class(name: str | None, collections: tuple[str, ...]) -> int:
    """1 + index among the model's collections, 0 for None; `BadInput` for a name unknown to it."""
    if name is None:
        return 0
    if name not in collections:
        raise BadInput(f"collection is {name!r}; legal is {', '.join(collections) or 'none'}")
    return 1 + collections.index(name)

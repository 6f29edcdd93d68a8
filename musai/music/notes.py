"""The note array: one packed structured dtype for notes in bulk, 11 bytes a note.

Units: onset and duration in ticks at `TICKS` a quarter note; pitch a MIDI
number (60 is middle C); velocity 1 to 127; voice an index into the phrase's
voices.  Canonical order is onset, voice, pitch.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from musai.errors import BadInput

TICKS = 480
"""Ticks a quarter note."""

MAX_TICK = 2**28 - 1
"""The last tick that a phrase may reach, and the longest wait that a MIDI file can hold in one
event: 559,240 quarters."""

NOTE = np.dtype(
    [("onset", "<u4"), ("duration", "<u4"), ("pitch", "u1"), ("velocity", "u1"), ("voice", "u1")]
)

_RANGES = {
    "onset": (0, MAX_TICK),
    "duration": (1, MAX_TICK),
    "pitch": (0, 127),
    "velocity": (1, 127),
    "voice": (0, 63),
}

NoteArray = NDArray[Any]


class Note(NamedTuple):
    """One note on its way from the model to an ear: the fields of `NOTE` as plain integers."""

    onset: int
    duration: int
    pitch: int
    velocity: int
    voice: int


def notes_array(
    onset: ArrayLike,
    duration: ArrayLike,
    pitch: ArrayLike,
    velocity: ArrayLike = 80,
    voice: ArrayLike = 0,
) -> NoteArray:
    """Notes of dtype `NOTE`, shape (n,), in canonical order; scalars are spread over all notes.

    Raises `BadInput` naming the first value outside its range.
    """
    given = zip(_RANGES, (onset, duration, pitch, velocity, voice), strict=True)
    columns = {name: numbers(name, values) for name, values in given}
    count = columns["onset"].size
    notes = np.zeros(count, NOTE)
    for name, values in columns.items():
        if values.ndim and values.size != count:
            raise BadInput(
                f"{values.size} values of {name} for {count} onsets; legal is one a note"
            )
        notes[name] = _checked(name, values)
    return canonical(notes)


def canonical(notes: NoteArray) -> NoteArray:
    """The same notes sorted by onset, voice, pitch, duration, velocity."""
    keys = ("velocity", "duration", "pitch", "voice", "onset")
    return notes[np.lexsort(tuple(notes[key] for key in keys))]


def untangled(notes: NoteArray) -> NoteArray:
    """Notes such that no two of one voice and pitch sound at once.

    Of notes with the same onset, voice and pitch the longest stays, of those the
    loudest; a note that still sounds when its voice strikes its pitch again ends there.
    """
    if len(notes) < 2:
        return canonical(notes)
    falling = (-notes[name].astype(np.int64) for name in ("velocity", "duration"))
    order = np.lexsort((*falling, notes["onset"], notes["pitch"], notes["voice"]))
    ordered = notes[order]
    line = ordered["voice"].astype(np.int64) * 128 + ordered["pitch"]
    first = np.ones(len(ordered), bool)
    first[1:] = (line[1:] != line[:-1]) | (ordered["onset"][1:] != ordered["onset"][:-1])
    ordered, line = ordered[first].copy(), line[first]
    gap = np.diff(ordered["onset"].astype(np.int64))
    gap[line[1:] != line[:-1]] = MAX_TICK
    ordered["duration"][:-1] = np.minimum(ordered["duration"][:-1], gap)
    return canonical(ordered)


def end_tick(notes: NoteArray) -> int:
    """The tick at which the last note ends; 0 for no notes."""
    if len(notes) == 0:
        return 0
    return int((notes["onset"].astype(np.int64) + notes["duration"]).max())


def numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """`values` as finite numbers, a scalar or one row; raises `BadInput` naming them `name`."""
    try:
        given = np.asarray(values)
        if given.dtype.kind not in "buifO":
            raise TypeError
        row = given.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"{name} holds something that is not a number") from None
    if row.ndim > 1:
        raise BadInput(f"{name} has the shape {row.shape}; legal is one row")
    if not np.isfinite(row).all():
        raise BadInput(f"{name} holds a value that is not a finite number")
    return row


def _checked(name: str, values: NDArray[np.float64]) -> NDArray[np.int64]:
    low, high = _RANGES[name]
    wrong = (values < low) | (values > high) | (values != np.floor(values))
    if wrong.any():
        value = values[wrong].flat[0]
        raise BadInput(f"{name} is {value:.10g}; legal is a whole number from {low} to {high}")
    return values.astype(np.int64)

"""From frames to notes: what a pitch track, loudness and flux say that one voice sang.

Notes are the cheapest path through semitones and silence at a price for every change (Viterbi), so
vibrato and glides stay one note; the grid of semitones is moved to the singer's own tuning first.  A
frame with a pitch counts the more against silence the louder it is, so quick notes between two changes are
not passed over.  A pitch that is struck again is told by the flux of the spectrum and by loudness that sinks
and swells, and its onset is where the swell leaves the bottom.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHORTEST_NOTE = 6
"""Frames; shorter stretches are slips between notes."""
FAINT = 0.02
"""Of the loudest frame: what is quieter has no pitch."""
LATE = 3
"""Frames that a change of pitch is told late."""
RISE_LATE = 3
"""Frames from an onset until its swell or its flux is seen."""
SLIP = 9
"""Frames; what is shorter and runs into another pitch is the way there."""
BEFORE = 10
"""Frames before a change of pitch within which its stroke is sought."""
AFTER = 4
"""Frames behind it, likewise."""
SILENCE = 8
"""Frames of silence after which a stroke is sought right where the pitch begins, the same number behind
and before."""
TAIL = 8
"""Frames before a note's end in which it is not struck again."""
CHANGE = 5.0
"""What leaving a semitone, or silence, costs on the best path."""
UNVOICED = 0.7
"""What a frame without a pitch costs inside a note."""
VOICED, LOUDER = 0.4, 2.0
"""What a frame with a pitch costs inside silence, and how many times that more as loud as usual."""
QUIET = 15.0
"""Decibels below the usual loudness at which a frame with a pitch costs no more than that."""
FAR = 2.0
"""The most that a frame off its note's pitch costs."""
SWELL = 3.0
"""Decibels that the sound swells within 120 ms where it is struck."""
RISE = 1.5
"""Decibels above the bottom at which a swell has begun."""
STRUCK = 6.0
"""How far a peak of the flux stands above the usual flux where something is struck."""
STILL = 0.03
"""The usual flux of what hardly changes, at least: between the notes of a clean tone there is none, and
any ripple would stand out from nothing."""
STROKE = 16
"""Frames that one stroke lasts."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Heard:
    """Notes as they were sung, shape (n,) each: onset and end in seconds, MIDI pitch, loudness 0 to 1."""

    onsets: Floats
    ends: Floats
    pitches: Ints
    loudness: Floats


def notes_of(hertz: Floats, loud: Floats, new: Floats, seconds: float = 0.01) -> Heard:
    """Notes from tracks of one value a frame of `seconds`: pitch (nan: none), loudness, flux."""
    midi = np.full(len(hertz), np.nan)
    heard = np.isfinite(hertz) & (loud > FAINT * float(loud.max(initial=0.0)))
    midi[heard] = 69 + 12 * np.log2(hertz[heard] / 440)
    if heard.sum() < SHORTEST_NOTE:
        return _told([], loud, seconds)
    level = 20 * np.log10(np.maximum(loud, 1e-5))
    path = _path(midi - _tuning(midi[heard]), level)
    edges = np.flatnonzero(np.diff(path, prepend=-1, append=-1))
    stretches = [(int(a), int(b)) for a, b in itertools.pairwise(edges) if path[a] > 0]
    again = _struck(level, new)
    found: list[tuple[int, int, int]] = []
    last, ended, slip = 0, -SILENCE, None
    for (start, end), after in zip(stretches, [*stretches[1:], (len(path), 0)], strict=True):
        if end - start < SLIP and after[0] == end:
            # Too short between two notes to be more than the way from one to the other.
            slip = start if slip is None else slip
            continue
        first = _beginning(again, start, last, slip is None and start - ended >= SILENCE)
        if slip is not None and start - slip <= SLIP:
            first = min(first, (slip + start) // 2)
        first = max(last, first)
        inside = again[(again >= start + STROKE) & (again < end - TAIL)] - RISE_LATE
        cuts = [first, *inside.tolist(), end]
        found += [(a, b, int(path[start])) for a, b in itertools.pairwise(cuts)]
        last, ended, slip = max(first + 1, end - 2 * LATE), end, None
    return _told([row for row in found if row[1] - row[0] >= SHORTEST_NOTE], loud, seconds)


def _beginning(again: Ints, start: int, last: int, silent: bool) -> int:
    """The frame at which a note begins whose pitch is told from `start` on; not before `last`.

    Its pitch is told only once half of a frame lies within it; its stroke is not.  After silence
    the last stroke counts: what came before it was the end of another note.
    """
    before = AFTER if silent else BEFORE
    near = again[(again >= max(last, start - before)) & (again <= start + AFTER)]
    if len(near) == 0:
        return start - LATE
    return int(near[-1 if silent else 0]) - RISE_LATE


def _told(found: list[tuple[int, int, int]], loud: Floats, seconds: float) -> Heard:
    rows = np.array(found, np.int64).reshape(-1, 3)
    times = rows[:, :2].astype(np.float64) * seconds
    top = float(loud.max(initial=1e-9))
    return Heard(
        times[:, 0],
        times[:, 1],
        rows[:, 2],
        np.array([float(loud[a:b].max()) / top for a, b, _ in found]),
    )


def _tuning(midi: Floats) -> float:
    """How far the singer is from equal temperament at 440 Hz, in semitones, -.5 to .5."""
    angle = np.angle(np.exp(2j * np.pi * midi).mean())
    return float(angle / (2 * np.pi))


def _path(midi: Floats, level: Floats) -> Ints:
    """The semitone of every frame on the cheapest path, 0 for silence (Viterbi); `level` in decibels."""
    low, high = int(np.nanmin(midi)) - 1, int(np.nanmax(midi)) + 2
    pitches = np.arange(low, high + 1)
    told = ~np.isnan(midi)
    sure = np.clip((level - (float(np.median(level[told])) - QUIET)) / QUIET, 0, 1)
    cost = np.full((len(midi), len(pitches) + 1), UNVOICED)
    cost[:, 0] = np.where(told, VOICED * (1 + LOUDER * sure), 0.0)
    cost[told, 1:] = np.minimum(FAR, 2 * np.abs(midi[told, None] - pitches) ** 1.5)
    total, came = cost[0], np.zeros(cost.shape, np.int64)
    stay = np.arange(cost.shape[1])
    for frame in range(1, len(midi)):
        best = int(np.argmin(total))
        moved = total[best] + CHANGE
        came[frame] = np.where(total <= moved, stay, best)
        total = np.minimum(total, moved) + cost[frame]
    path = np.zeros(len(midi), np.int64)
    path[-1] = int(np.argmin(total))
    for frame in range(len(midi) - 1, 0, -1):
        path[frame - 1] = came[frame, path[frame]]
    return np.where(path == 0, 0, path + low - 1)


def _struck(level: Floats, new: Floats) -> Ints:
    """Frames at which something is struck: the sound swells from a dip, or its spectrum turns new."""
    windows = np.lib.stride_tricks.sliding_window_view
    around = windows(np.pad(level, 5, mode="edge"), 11)
    ahead = windows(np.pad(level, (0, 12), mode="edge"), 13)
    swells = np.flatnonzero((level <= around.min(axis=1)) & (ahead.max(axis=1) - level >= SWELL))
    peaks = windows(np.pad(new, 5), 11).max(axis=1)
    usual = max(float(np.median(new)), STILL)
    turns = np.flatnonzero((new >= peaks) & (new > STRUCK * usual))
    frames = np.unique(np.concatenate([[_risen(level, dip) for dip in swells.tolist()], turns]))
    kept: list[int] = []
    for frame in frames.astype(int).tolist():
        # A swell and the flux behind it are one stroke, which begins with the first of them.
        if not kept or frame - kept[-1] > STROKE:
            kept.append(frame)
    return np.array(kept, np.int64)


def _risen(level: Floats, dip: int) -> int:
    """The last frame at the bottom of a dip before the sound swells to its top within 120 ms."""
    swell = level[dip : dip + 13]
    bottom = np.flatnonzero(swell[: int(np.argmax(swell)) + 1] < level[dip] + RISE)
    return dip + int(bottom[-1])

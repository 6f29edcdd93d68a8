"""Phrase <-> events.  Conventions: see `vocabulary`.

`encode` gives rows of shape (n, len(INPUTS)) and, beside each row, what the
model should say next, shape (n, len(OUTPUTS)), -1 where nothing is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musai.music import Phrase
from musai.music.keys import phrase_key, to_white_keys
from musai.transformer import vocabulary as v
from musai.transformer.copying import shallow
from musai.transformer.performed import PADS, placed, velocity_class
from musai.transformer.vocabulary import STEP_TICKS

Rows = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class VoiceWish:
    """What the header tells about one voice; 0 is "not told"."""

    instrument: int = 0
    register: int = 0
    density: int = 0


@dataclass(frozen=True, slots=True)
class Header:
    """What the model is told before the first bar; 0 is "not told"."""

    voices: tuple[VoiceWish, ...] = (VoiceWish(),)
    mode: int = 0
    tempo: int = 0
    collection: int = 0

    def rows(self) -> Rows:
        """One HEAD row, then one VOICE row a voice."""
        out = np.zeros((1 + len(self.voices), len(v.INPUTS)), np.int16)
        _put(out[0], kind=v.HEAD, mode=self.mode, tempo=self.tempo, collection=self.collection)
        for i, wish in enumerate(self.voices):
            _put(
                out[1 + i],
                kind=v.VOICE,
                voice=1 + i,
                instrument=wish.instrument,
                register=wish.register,
                density=wish.density,
            )
        return out


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar on the grid: its first tick, its length in grid steps, its signature."""

    tick: int
    steps: int
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class GridNote:
    """A note on the grid: bar index, step within the bar, moved pitch, classes of the rest.

    `velocity` and `nudge` are input values, 0 where they are not told.
    """

    bar: int
    position: int
    voice: int
    pitch: int
    duration: int
    velocity: int = 0
    nudge: int = 0


def bars_of(phrase: Phrase) -> list[Bar]:
    """The phrase's bars; one longer than the grid's longest is split into equal parts."""
    starts = phrase.metre.bars_until(max(phrase.length, 1))
    bars = []
    for i, (tick, signature) in enumerate(starts):
        later = starts[i + 1][0] if i + 1 < len(starts) else tick + signature.bar_ticks
        steps = max(1, round((later - tick) / STEP_TICKS))
        parts = -(-steps // v.MAX_BAR)
        for part in range(parts):
            first, last = steps * part // parts, steps * (part + 1) // parts
            numerator = min(33, max(1, signature.numerator // parts))
            bars.append(
                Bar(tick + first * STEP_TICKS, last - first, numerator, signature.denominator)
            )
    return bars


def header_of(phrase: Phrase, collection: int = 0, played: float = 1.0) -> Header:
    """Everything that can be told of a finished piece, or of one of which a part was played:
    its densities count as if it went on alike."""
    _, minor = phrase_key(phrase)
    bars = max(1, phrase.bars) * played
    wishes = []
    for i, voice in enumerate(phrase.voices[: v.VOICES]):
        mine = phrase.notes[phrase.notes["voice"] == i]
        register = v.register_class(float(mine["pitch"].mean())) if len(mine) else 0
        density = v.density_class(len(mine) / bars) if len(mine) else 0
        wishes.append(VoiceWish(v.instrument_class(voice.program, voice.drum), register, density))
    return Header(
        tuple(wishes),
        2 if minor else 1,
        v.tempo_class(phrase.metre.tempos[0].bpm),
        collection,
    )


def shift_of(phrase: Phrase) -> int:
    """Semitones that move the phrase's key signature to no sharps and no flats."""
    return to_white_keys(*phrase_key(phrase))


def grid_notes(
    phrase: Phrase, bars: Sequence[Bar], shift: int, *, played: bool = False, loud: bool = False
) -> list[GridNote]:
    """Notes on the grid, sorted as the model says them: bar, position, voice, pitch.

    `played` tells velocity and nudge too, and brings a performance to the places that it means;
    `loud` tells velocity alone.
    Of two notes that fall on one step, voice and pitch the first stays; voices past the
    sixteenth are left out; a moved pitch outside 0 to 127 comes back by octaves.
    """
    notes = phrase.notes[phrase.notes["voice"] < v.VOICES]
    ticks = np.array([bar.tick for bar in bars], np.int64)
    onset = notes["onset"].astype(np.int64)
    velocity = nudge = np.zeros(len(notes), int)
    if played:
        onset, nudge = placed(onset)
    if played or loud:
        velocity = velocity_class(notes["velocity"].astype(int))
    which = np.searchsorted(ticks, onset, side="right") - 1
    position = np.rint((onset - ticks[which]) / STEP_TICKS).astype(int)
    late = position >= np.array([bar.steps for bar in bars])[which]
    spill = late & (which + 1 < len(bars))
    position = np.where(
        spill, 0, np.where(late, np.array([b.steps for b in bars])[which] - 1, position)
    )
    which = np.where(spill, which + 1, which)
    duration = v.duration_class(np.rint(notes["duration"] / STEP_TICKS).astype(int))
    drum = np.array([voice.drum for voice in phrase.voices])[notes["voice"]]
    pitch = moved(notes["pitch"].astype(int), np.where(drum, 0, shift))
    if played or loud:
        for pad, known in PADS.items():
            pitch[drum & (pitch == pad)] = known
    found: dict[tuple[int, int, int, int], GridNote] = {}
    for row in zip(
        which.tolist(),
        position.tolist(),
        notes["voice"].tolist(),
        pitch.tolist(),
        duration.tolist(),
        velocity.tolist(),
        nudge.tolist(),
        strict=True,
    ):
        found.setdefault(row[:4], GridNote(*row))
    return [found[key] for key in sorted(found)]


def moved(pitch: NDArray[np.int_], shift: NDArray[np.int_] | int) -> NDArray[np.int_]:
    """Pitches moved by `shift`, those that leave 0 to 127 brought back by an octave."""
    out = pitch + shift
    return np.where(out < 0, out + 12, np.where(out > 127, out - 12, out))


@dataclass(frozen=True, slots=True)
class Encoded:
    """Events of one piece: rows, what comes next at each, and the rows at which bars begin."""

    rows: Rows
    targets: Rows
    header: int
    bar_rows: NDArray[np.int64]


class RowWriter:
    """Turns bars and notes into rows, one by one, as the decoder needs them too."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.bar = -1
        self.place = (0, 0, 0, 0)
        self.last: dict[int, tuple[int, int]] = {}
        """Pitch and class of the length of each voice's last note."""

    def copy(self) -> "RowWriter":
        """The same state, to come back to."""
        same = shallow(self)
        same.last = dict(self.last)
        return same

    def bar_row(self, bar: Bar, remaining: int | None) -> Rows:
        """The row of a bar line that opens `bar`."""
        self.bar += 1
        self.place = (
            min(bar.numerator, 33),
            v.DENOMINATORS[bar.denominator],
            v.remaining_class(remaining),
            1 + self.bar % 16,
        )
        return self._row(kind=v.BAR)

    def note_row(
        self,
        position: int,
        voice: int,
        pitch: int,
        duration: int,
        velocity: int = 0,
        nudge: int = 0,
    ) -> Rows:
        """The row of a note in the current bar; velocity and nudge as input values, 0 not told."""
        row = self._row(kind=v.NOTE, position=1 + position, interval=self._interval(voice, pitch))
        _put(row, velocity=velocity, nudge=nudge)
        self.last[voice] = pitch, duration
        return self._note(row, voice, pitch, duration)

    def card(self, voice: int) -> tuple[int, ...]:
        """What is known of a voice now, `vocabulary.CARD`: what the header tells of it, its last note."""
        wishes = self.header.voices
        wish = wishes[voice] if voice < len(wishes) else VoiceWish()
        pitch, duration = self.last.get(voice, (-1, -1))
        return wish.instrument, wish.register, wish.density, 1 + pitch, 1 + duration

    def given_row(self, note: GridNote, ahead: int) -> Rows:
        """The row of a note told ahead; `ahead` is its bar counted from the current one."""
        row = self._row(kind=v.GIVEN, position=1 + note.position, ahead=1 + min(ahead, v.AHEAD))
        _put(row, velocity=note.velocity)
        return self._note(row, note.voice, note.pitch, note.duration)

    def _interval(self, voice: int, pitch: int) -> int:
        before = self.last.get(voice)
        return 0 if before is None else 25 + max(-24, min(24, pitch - before[0]))

    def _note(self, row: Rows, voice: int, pitch: int, duration: int) -> Rows:
        wishes = self.header.voices
        instrument = wishes[voice].instrument if voice < len(wishes) else 0
        _put(row, voice=1 + voice, instrument=instrument, pitch=1 + pitch, duration=1 + duration)
        return row

    def _row(self, **values: int) -> Rows:
        row = np.zeros(len(v.INPUTS), np.int16)
        numerator, denominator, remaining, bar = self.place
        _put(row, numerator=numerator, denominator=denominator, remaining=remaining, bar=bar)
        _put(row, **values)
        return row


def encode(
    phrase: Phrase,
    header: Header,
    shift: int,
    *,
    tell_remaining: bool = True,
    played: bool = False,
) -> Encoded:
    """All events of a piece, nothing given: bar by bar, note by note; `played`: see `grid_notes`."""
    bars = bars_of(phrase)
    by_bar: list[list[GridNote]] = [[] for _ in bars]
    for note in grid_notes(phrase, bars, shift, played=played):
        by_bar[note.bar].append(note)
    writer = RowWriter(header)
    rows = list(header.rows())
    start, bar_rows = len(rows), []
    for index, bar in enumerate(bars):
        bar_rows.append(len(rows))
        rows.append(writer.bar_row(bar, len(bars) - 1 - index if tell_remaining else None))
        rows.extend(
            writer.note_row(
                note.position, note.voice, note.pitch, note.duration, note.velocity, note.nudge
            )
            for note in by_bar[index]
        )
    table = np.array(rows, np.int16)
    return Encoded(table, successors(table), start, np.array(bar_rows))


def successors(rows: Rows) -> Rows:
    """What each row should say of the next, (n, len(OUTPUTS)), -1 where nothing is asked.

    Notes and bar lines are asked for, the header and given notes are not; after the last row
    comes a bar line.
    """
    kind = rows[:, v.COLUMN["kind"]]
    said = np.full((len(rows), len(v.OUTPUTS)), -1, np.int16)
    notes = kind == v.NOTE
    said[notes] = rows[notes][:, [v.COLUMN[name] for name in v.OUTPUTS]] - 1
    said[kind == v.BAR, 0] = v.BARLINE
    nexts = np.full_like(said, -1)
    nexts[:-1] = said[1:]
    nexts[-1, 0] = v.BARLINE
    header = np.flatnonzero(kind <= v.VOICE)
    nexts[header] = -1
    return nexts


def decode_rows(
    rows: Rows, bars: Sequence[Bar], shift: int, drums: frozenset[int] = frozenset()
) -> list[tuple[int, int, int, int]]:
    """(onset tick, duration ticks, pitch, voice) of every NOTE row: the inverse of `encode`."""
    column = v.COLUMN
    bar, out = -1, []
    for row in rows:
        if row[column["kind"]] == v.BAR:
            bar += 1
        elif row[column["kind"]] == v.NOTE:
            voice = int(row[column["voice"]]) - 1
            pitch = int(row[column["pitch"]]) - 1
            if voice not in drums:
                pitch = int(moved(np.array(pitch), -shift))
            onset = bars[bar].tick + (int(row[column["position"]]) - 1) * STEP_TICKS
            length = int(v.DURATIONS[row[column["duration"]] - 1]) * STEP_TICKS
            out.append((onset, length, pitch, voice))
    return out


def _put(row: Rows, **values: int) -> None:
    for name, value in values.items():
        row[v.COLUMN[name]] = value

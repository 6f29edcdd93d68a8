"""Music as a report holds it: the records of a score, and what all records of a report are."""

from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all records: immutable, unknown fields refused."""


class ScoreNote(msgspec.Struct, frozen=True, array_like=True):
    """One note as a row: onset, duration, pitch, velocity, voice."""

    onset: Count
    duration: Count
    pitch: Count
    velocity: Count
    voice: Count


class ScoreVoice(Record, frozen=True):
    """Who plays: a name, a General MIDI program, or drums."""

    name: str
    program: Count
    drum: bool


class ScoreTempo(Record, frozen=True):
    """A tempo from a tick on, in whole microseconds a quarter note."""

    tick: Count
    us_per_quarter: Count


class ScoreSignature(Record, frozen=True):
    """A time signature from a tick on."""

    tick: Count
    numerator: Count
    denominator: Count


class ScoreKey(Record, frozen=True):
    """A key signature from a tick on: -7 (flats) to 7 (sharps)."""

    tick: Count
    fifths: int
    minor: bool


class Score(Record, frozen=True):
    """A phrase in plain values; enough to draw it and to write it as MIDI again."""

    length: Count
    tempos: tuple[ScoreTempo, ...]
    signatures: tuple[ScoreSignature, ...]
    keys: tuple[ScoreKey, ...]
    voices: tuple[ScoreVoice, ...]
    notes: tuple[ScoreNote, ...]

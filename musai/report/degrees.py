"""Spelling and scale degrees: what a MIDI pitch is called in a key.

Pitches are spelt on the line of fifths (F C G D A E B, one fifth a step): a
key takes the twelve neighbours that its chromatic notes are usually written
with.  A degree counts from the tonic in the key's own scale: in minor, 3, 6
and 7 are those of the natural minor, and a leading note is ♯7.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from musai.music import Metre, NoteArray, Phrase
from musai.music.keys import estimate_key, minor_within, pitched, signature_of
from musai.report.names import key_name
from musai.report.records import LocalKey

_FIFTHS = "FCGDAEB"
_SIGNS = {-2: "𝄫", -1: "♭", 0: "", 1: "♯", 2: "𝄪"}
_BELOW = {False: -4, True: -2}
"""Fifths below the key's signature at which its chromatic notes begin: ♭6 in major, ♭2 in minor."""


@dataclass(frozen=True, slots=True)
class Spelt:
    """A pitch as it is written: letter, accidental (-2 to 2), octave (4 holds middle C)."""

    letter: str
    accidental: int
    octave: int

    def __str__(self) -> str:
        return f"{self.letter}{_SIGNS[self.accidental]}{self.octave}"


def spell(pitch: int, fifths: int, minor: bool) -> Spelt:
    """How a MIDI pitch is written in a key of `fifths` sharps."""
    place = _place(pitch, fifths, minor)
    accidental = (place + 1) // 7
    return Spelt(_FIFTHS[(place + 1) % 7], accidental, (pitch - accidental) // 12 - 1)


def degree(pitch: int, fifths: int, minor: bool) -> str:
    """The scale degree, 1 to 7, with a sharp or flat where it leaves the scale.

    >>> degree(61, 0, False), degree(68, 0, True)
    ('♯1', '♯7')
    """
    from_tonic = _place(pitch, fifths, minor) - fifths - (3 if minor else 0)
    number = 4 * from_tonic % 7 + 1
    lowest = -4 if minor else -1
    altered = (from_tonic - lowest) // 7
    return f"{_SIGNS[altered]}{number}"


def _place(pitch: int, fifths: int, minor: bool) -> int:
    """The pitch's place on the line of fifths (C is 0) among the twelve that the key uses."""
    first = fifths + _BELOW[minor]
    return first + (7 * pitch - first) % 12


def said(key: LocalKey) -> str:
    """A key with where it is from: "E♭ major (as written)"."""
    source = {
        "written": "as written",
        "taken": "taken from the other side",
        "estimated": "estimated",
    }[key.source]
    return f"{key_name(key.fifths, key.minor)} ({source})"


def local_keys(
    phrase: Phrase,
    work: Phrase,
    semitones: int,
    spans: tuple[tuple[float, float], tuple[float, float]],
) -> tuple[LocalKey, LocalKey]:
    """The keys of two passages, each in its own pitches; `spans` are the ticks that they cover.

    A signature in force at the beginning holds on its side; where only one side has one the
    other takes it, moved by `semitones`; where neither has, one key is estimated from the notes
    of both.  Files seldom say whether a key is minor: where they do not, the notes decide.
    """
    written = [
        _signature(side.metre, span[0]) for side, span in zip((phrase, work), spans, strict=True)
    ]
    heard = np.concatenate([_heard(phrase, spans[0], 0), _heard(work, spans[1], semitones)])
    if written == [None, None]:
        tonic, minor = estimate_key(heard)
        common = LocalKey(fifths=signature_of(tonic, minor), minor=minor, source="estimated")
        return common, _moved(common, -semitones, "estimated")
    ours = _sure(written[0], heard)
    theirs = _sure(written[1], _shifted(heard, -semitones))
    if ours is None and theirs is not None:
        ours = _moved(theirs, semitones, "taken")
    if theirs is None and ours is not None:
        theirs = _moved(ours, -semitones, "taken")
    assert ours is not None
    assert theirs is not None
    return ours, theirs


def _signature(metre: Metre, tick: float) -> tuple[int, bool] | None:
    """The signature in force, as (sharps, minor); the first one where it comes later."""
    if not metre.keys:
        return None
    here = [key for key in metre.keys if key.tick <= tick] or [metre.keys[0]]
    return here[-1].fifths, here[-1].minor


def _sure(written: tuple[int, bool] | None, heard: NoteArray) -> LocalKey | None:
    if written is None:
        return None
    fifths, minor = written
    return LocalKey(fifths=fifths, minor=minor or minor_within(fifths, heard), source="written")


def _moved(key: LocalKey, semitones: int, source: Literal["taken", "estimated"]) -> LocalKey:
    tonic = (7 * key.fifths + (9 if key.minor else 0) + semitones) % 12
    fifths = key.fifths if semitones % 12 == 0 else signature_of(tonic, key.minor)
    return LocalKey(fifths=fifths, minor=key.minor, source=source)


def _heard(phrase: Phrase, span: tuple[float, float], semitones: int) -> NoteArray:
    notes = pitched(phrase)
    onsets = notes["onset"].astype(float)
    inside = (onsets < span[1]) & (onsets + notes["duration"] > span[0])
    return _shifted(notes[inside], semitones)


def _shifted(notes: NoteArray, semitones: int) -> NoteArray:
    """The notes' pitch classes, moved: enough to hear a key by."""
    moved = notes.copy()
    moved["pitch"] = (notes["pitch"].astype(int) + semitones) % 12
    return moved

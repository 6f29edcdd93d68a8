"""A comparison in staff notation: the phrase above, the work under it in the same key and time.

`notate` makes MEI, the XML of the Music Encoding Initiative, which any engraver of
MEI can draw (`engraving` does with Verovio).  Both staves share bars, key
signature and clef, so that what is alike stands one above the other.  Only the
compared line is written, in the bars of the side in which it lies more plainly
(`axes`).  Under each note stands its scale degree in the key of its own side,
and under that a sign where the note is not equal.
"""

from dataclasses import dataclass, field

from musai.errors import BadInput
from musai.music import Metre
from musai.report import mei
from musai.report.axes import Axis, Whose, axis_of
from musai.report.bars import Bar
from musai.report.mei import Staff
from musai.report.records import ComparedNote, Comparison
from musai.report.rhythm import FINEST, Event, Sound, beats_of, events_of

MAX_BARS = 16
MAX_NOTES_A_BAR = 48
LOWEST, HIGHEST = 13, 126
"""Pitches that MEI has an octave number for, however they are spelt."""


@dataclass(frozen=True, slots=True)
class Notation:
    """MEI and what a page needs to tell of it; without MEI, `reason` says why.

    `whose` bars and values are written; `cut` bars of the passage are not;
    `notes` maps the XML id of every note to the note (each part of a tied one
    has an id of its own).
    """

    mei: str = ""
    reason: str = ""
    whose: Whose = "phrase"
    bars: int = 0
    cut: int = 0
    notes: dict[str, ComparedNote] = field(default_factory=dict)


def notate(comparison: Comparison, metre: Metre, ident: str = "m") -> Notation:
    """The notation of a comparison; `metre` is the phrase's.

    XML ids begin with `ident`.  What cannot be written raises nothing; `reason` tells of it.
    """
    try:
        return _notated(comparison, metre, ident)
    except BadInput as error:
        return Notation(reason=str(error))


def _notated(comparison: Comparison, metre: Metre, ident: str) -> Notation:
    ours, theirs = comparison.phrase_key, comparison.work_key
    if ours is None or theirs is None:
        raise BadInput("it was recorded without keys")
    sides = [[n for n in s if n.likeness != "other"] for s in (comparison.phrase, comparison.work)]
    pitches = [n.pitch for side in sides for n in side]
    if not pitches:
        raise BadInput("no note was compared")
    if min(pitches) < LOWEST or max(pitches) > HIGHEST:
        raise BadInput(
            f"its pitches go from {min(pitches)} to {max(pitches)}; "
            f"written are {LOWEST} to {HIGHEST}"
        )
    axis = axis_of(comparison, metre)
    sounds = [axis.sounds(side) for side in sides]
    bars, cut = _bars(axis, sounds)
    beats = beats_of(bars, [sound for side in sounds for sound in side])
    # Both on the grids that fit both: what is played alike is written alike.
    events = [
        events_of(beats, [s for s in side if s.onset < bars[-1].last - FINEST / 2])
        for side in sounds
    ]
    _check(bars, events)
    spelling = ours.fifths, ours.minor
    staves = [
        Staff(number, f"{ident}{letter}", side, held, spelling, key)
        for number, letter, side, held, key in zip(
            (1, 2), "pw", sides, events, (ours, theirs), strict=True
        )
    ]
    middle = sorted(pitches)[len(pitches) // 2]
    head = mei.head(bars[0], ours.fifths, middle, ("phrase", "work"))
    text = mei.document(head, list(mei.bars(bars, beats, staves, not cut)))
    notes = staves[0].ids | staves[1].ids
    return Notation(text, "", axis.whose, len(bars), cut, notes)


def _bars(axis: Axis, sounds: list[list[Sound]]) -> tuple[list[Bar], int]:
    """The bars to write, and how many more the passage has."""
    onsets = [sound.onset for side in sounds for sound in side]
    last = max(onsets) + FINEST
    found = axis.bars(min(onsets) + FINEST / 2, last, 1000)
    if not found:
        raise BadInput("its notes lie in no bar")
    return found[:MAX_BARS], len(found[MAX_BARS:])


def _check(bars: list[Bar], events: list[list[Event]]) -> None:
    """Refuse a bar that nobody could read."""
    for bar in bars:
        for side in events:
            held = sum(
                len(e.notes) + len(e.graces) for e in side if bar.first <= e.start < bar.last
            )
            if held > MAX_NOTES_A_BAR:
                raise BadInput(
                    f"its bar {bar.number} holds {held} notes of a side; "
                    f"written are up to {MAX_NOTES_A_BAR}"
                )

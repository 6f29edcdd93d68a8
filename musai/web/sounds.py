"""What a page plays: notes as (second, seconds, pitch, velocity), and where their systems stand."""

from typing import Any

import numpy as np

from musai.music import Metre, Phrase
from musai.report.aligned import WIDEST_LINE
from musai.report.bars import bars_between, systems
from musai.report.compare import MAX_WINDOW_BARS
from musai.report.records import ComparedNote, Comparison

BARS = 16
"""Bars of a work's or a phrase's beginning that a page draws and plays."""

VELOCITY = 84
DRUM = 128
"""Added to a pitch that is a drum's."""


def beginning(phrase: Phrase, bars: int = BARS) -> Phrase:
    """The first bars of a phrase; all of it where it has no more."""
    found = bars_between(phrase.metre, 0, max(1, phrase.length), bars + 1)
    if len(found) <= bars:
        return phrase
    end = int(found[bars - 1].last)
    notes = phrase.notes[phrase.notes["onset"] < end].copy()
    notes["duration"] = np.minimum(notes["duration"], end - notes["onset"].astype(np.int64))
    return Phrase(notes, phrase.metre, phrase.voices, end)


def sounds_of(phrase: Phrase) -> dict[str, Any]:
    """A phrase for the player of a page."""
    drum = [voice.drum for voice in phrase.voices]
    rows = []
    for onset, duration, pitch, velocity, voice in phrase.notes.tolist():
        start = phrase.metre.seconds(onset)
        end = phrase.metre.seconds(onset + duration)
        rows.append([round(start, 4), round(end - start, 4), pitch + DRUM * drum[voice], velocity])
    return {"a": rows, "length": round(phrase.metre.seconds(phrase.length), 3)}


def sounds_of_both(comparison: Comparison, metre: Metre) -> dict[str, Any]:
    """Both sides of a comparison on one time axis, that of the phrase; `own` are the work's pitches
    in its own key.  `systems` are the first and last second of each line of the picture."""
    first = metre.seconds(max(0, round(comparison.first)))

    def at(tick: float) -> float:
        return round(metre.seconds(max(0, round(tick))) - first, 4)

    def rows(notes: tuple[ComparedNote, ...]) -> list[list[float]]:
        held = []
        for note in notes:
            start = max(0.0, at(note.onset))
            end = at(min(note.onset + note.duration, comparison.last))
            if end > start:
                held.append([start, round(end - start, 4), note.pitch, VELOCITY, note.written])
        return held

    bars = bars_between(metre, comparison.first, comparison.last, MAX_WINDOW_BARS)
    lines = systems(bars, WIDEST_LINE)
    return {
        "a": rows(comparison.phrase),
        "b": rows(comparison.work),
        "length": at(comparison.last),
        "systems": [[at(line[0].first), at(line[-1].last)] for line in lines],
    }

"""THE table of features: name, what it counts, how many numbers, unit, source of the method.

Tempo, loudness, instruments and the number of voices are left out: files of one edition share
them, and then they tell editors apart rather than composers.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from musai.music.phrase import Phrase
from musai.style import pitches, rhythms
from musai.style.counting import Floats
from musai.style.passages import Table, one

VERSION = 1
"""Changes whenever a number of any feature does."""


class Feature(NamedTuple):
    """A row of the table: `of` gives an array (passages, width)."""

    of: Callable[[Table], Floats]
    width: int
    unit: str
    source: str
    what: str

    @property
    def name(self) -> str:
        """The name of its function."""
        return self.of.__name__

    @property
    def histogram(self) -> bool:
        """Whether its numbers are the shares of one whole."""
        return self.unit.startswith("share") and "," not in self.unit


_KK = "Krumhansl and Kessler 1982"
_JS = "McKay and Fujinaga 2006"
_YL = "Yang and Lerch 2020"
_LL = "Longuet-Higgins and Lee 1984"
_PA = "Parsons 1975"

FEATURES = (
    Feature(pitches.degrees, 12, "share of time", _YL, "semitones above the tonic"),
    Feature(pitches.bass_degrees, 12, "share", _JS, "the bass above the tonic"),
    Feature(pitches.key_fit, 3, "correlation", _KK, "best major, best minor, difference"),
    Feature(pitches.top_intervals, 25, "share", _JS, "steps of the top line"),
    Feature(pitches.bass_intervals, 25, "share", _JS, "steps of the bass"),
    Feature(pitches.voice_intervals, 25, "share", _JS, "steps of all voices"),
    Feature(pitches.interval_pairs, 25, "share", _YL, "two kinds of step in a row"),
    Feature(pitches.contour, 6, "shares, semitones", _PA, "rise, fall, stay, turns, size, slope"),
    Feature(pitches.register, 6, "MIDI pitch", _JS, "mean, spread, ends, top and bass"),
    Feature(pitches.tessitura, 32, "share", _JS, "notes by bands of four semitones"),
    Feature(pitches.compass, 3, "semitones", _JS, "range of all, top line, bass"),
    Feature(pitches.spacing, 25, "share", _JS, "semitones between notes struck at once"),
    Feature(pitches.attacks, 8, "share", _JS, "notes struck at once"),
    Feature(pitches.chord_sizes, 7, "share of beats", _JS, "pitch classes in a beat"),
    Feature(pitches.chord_kinds, 10, "share of beats", _JS, "triads and sevenths"),
    Feature(pitches.chord_degrees, 24, "share of chords", _JS, "roots above the tonic"),
    Feature(pitches.chord_moves, 12, "share of moves", _JS, "root to root"),
    Feature(pitches.above_bass, 11, "share", _JS, "pitch classes above the lowest note"),
    Feature(rhythms.lengths, 14, "share", _YL, "lengths of notes"),
    Feature(rhythms.waits, 14, "share", _YL, "time between onsets"),
    Feature(rhythms.voice_waits, 14, "share", _YL, "time between onsets of a voice"),
    Feature(rhythms.wait_pairs, 36, "share", _YL, "two times in a row"),
    Feature(rhythms.beat_places, 12, "share", _JS, "onsets in twelfths of the beat"),
    Feature(rhythms.bar_places, 16, "share", _JS, "onsets in sixteenths of the bar"),
    Feature(rhythms.voice_places, 24, "share", _JS, "onsets of voices in 24ths of the bar"),
    Feature(rhythms.accents, 5, "share", _JS, "metrical strength of onsets"),
    Feature(rhythms.syncopation, 2, "shares, strength", _LL, "weak onsets held over a beat"),
    Feature(rhythms.metre, 4, "quarters, beats", _JS, "the first time signature"),
    Feature(rhythms.density, 4, "a quarter, share", _JS, "notes, onsets, busiest voice, sound"),
    Feature(rhythms.polyphony, 9, "shares, notes", _JS, "notes sounding at onsets"),
    Feature(rhythms.triplets, 1, "part", _JS, "onsets that divide the beat otherwise"),
    Feature(rhythms.repetition, 3, "part", _JS, "bars and notes that repeat the last"),
)
"""THE table, in the order of the vector."""

WIDTH = sum(feature.width for feature in FEATURES)

_ENDS = np.cumsum([feature.width for feature in FEATURES]).tolist()

COLUMNS = {f.name: slice(end - f.width, end) for f, end in zip(FEATURES, _ENDS, strict=True)}
"""Where in the vector each feature stands."""

HISTOGRAMS = np.concatenate([np.full(f.width, f.histogram) for f in FEATURES])
"""Which numbers are shares of a histogram: they are compared by their roots (Hellinger)."""


def rooted(rows: Floats) -> Floats:
    """The rows with square roots of all histograms, as distances and classifier take them."""
    return np.asarray(np.where(HISTOGRAMS, np.sqrt(np.maximum(rows, 0)), rows), np.float64)


def extract(table: Table) -> Floats:
    """The features of every passage, (passages, WIDTH); finite, zeros where there is nothing."""
    return np.concatenate([feature.of(table) for feature in FEATURES], axis=1)


def vector(phrase: Phrase) -> Floats:
    """The features of a phrase (its first 16 bars at most), shape (WIDTH,)."""
    return np.asarray(extract(one(phrase))[0], np.float64)

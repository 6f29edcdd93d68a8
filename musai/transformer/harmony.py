"""Scales and chord symbols: names -> pitch classes."""

import re
from typing import Final

from musai.errors import BadRequest

SCALES: Final[dict[str, tuple[int, ...]]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 8, 9, 10, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole tone": (0, 2, 4, 6, 8, 10),
}
"""Semitones above the tonic; "key" means the key's own, minor with both its sixths and sevenths."""

QUALITIES: Final[dict[str, tuple[int, ...]]] = {
    "": (0, 4, 7), "m": (0, 3, 7), "5": (0, 7), "dim": (0, 3, 6), "aug": (0, 4, 8),
    "sus2": (0, 2, 7), "sus4": (0, 5, 7), "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9),
    "7": (0, 4, 7, 10), "maj7": (0, 4, 7, 11), "m7": (0, 3, 7, 10), "mmaj7": (0, 3, 7, 11),
    "dim7": (0, 3, 6, 9), "m7b5": (0, 3, 6, 10), "7sus4": (0, 5, 7, 10),
    "9": (0, 2, 4, 7, 10), "maj9": (0, 2, 4, 7, 11), "m9": (0, 2, 3, 7, 10), "add9": (0, 2, 4, 7),
}  # fmt: skip
"""Semitones above the root."""

_LETTERS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_CHORD: Final = re.compile(r"([A-G])([#b]?)([^/]*)(?:/([A-G])([#b]?))?")

Classes = frozenset[int]

EVERY: Final[Classes] = frozenset(range(12))


def scale_classes(name: str, tonic: int, minor: bool) -> Classes:
    """Pitch classes of a scale on a tonic.  Raises `BadRequest` listing the names."""
    if name == "key":
        name = "melodic minor" if minor else "major"
    if name not in SCALES:
        raise BadRequest(f"scale is {name!r}; legal is key, {', '.join(SCALES)}")
    return frozenset((tonic + step) % 12 for step in SCALES[name])


def chord_classes(symbol: str) -> Classes:
    """Pitch classes of a chord symbol such as "C", "F#m7", "Bbmaj7/D".  Raises `BadRequest`."""
    found = _CHORD.fullmatch(symbol)
    if found is None or found[3] not in QUALITIES:
        raise BadRequest(
            f"chord is {symbol!r}; legal is a root (C, F#, Bb), then one of "
            f"{', '.join(filter(None, QUALITIES))} or nothing, then perhaps /bass"
        )
    root = _class(found[1], found[2])
    tones = {(root + step) % 12 for step in QUALITIES[found[3]]}
    return frozenset(tones | ({_class(found[4], found[5])} if found[4] else set()))


def _class(letter: str, sign: str) -> int:
    return (_LETTERS[letter] + {"": 0, "#": 1, "b": -1}[sign]) % 12


def chord_track(text: str) -> tuple[tuple[Classes, ...], ...]:
    """Chords bar by bar of a text such as "C | Am F | G": bars apart by |, chords by spaces.

    The chords of a bar last equally long.  Raises `BadRequest`.
    """
    bars = [bar.split() for bar in text.split("|")]
    if not all(bars):
        raise BadRequest(f'chords is {text!r}; legal is chords bar by bar, as in "C | Am F | G7"')
    if max(map(len, bars)) > 8:
        raise BadRequest(f"chords has a bar of {max(map(len, bars))} chords; legal is 1 to 8")
    return tuple(tuple(chord_classes(chord) for chord in bar) for bar in bars)

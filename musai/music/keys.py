"""Which key fits: Krumhansl and Kessler's probe-tone profiles (1982).

A major key and its relative minor share a signature; `estimate_key` chooses
among all 24, `minor_within` between the two of one signature.
"""

import numpy as np
from numpy.typing import NDArray

from musai.music.notes import NoteArray
from musai.music.phrase import Phrase

_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])

PROFILES = (_MAJOR, _MINOR)
"""Of a major and of a minor key, from the tonic up."""


def estimate_key(notes: NoteArray) -> tuple[int, bool]:
    """(tonic pitch class, minor) whose profile correlates best with the sounding time of each class.

    No notes: C major.  Ties go to the lower pitch class, major first.
    """
    weights = _weights(notes)
    if np.ptp(weights) == 0:
        return 0, False
    fits = _fits(weights)
    scores = [
        (fits[12 * minor + tonic], -tonic, not minor)
        for minor in (False, True)
        for tonic in range(12)
    ]
    _, tonic, major = max(scores)
    return -tonic, not major


def minor_within(fifths: int, notes: NoteArray) -> bool:
    """Whether the minor key of a signature (-7 to 7 sharps) fits better than its major key.

    No notes, or as good a fit: the major key.
    """
    weights = _weights(notes)
    if np.ptp(weights) == 0:
        return False
    tonic = 7 * fifths % 12
    fits = _fits(weights)
    return fits[12 + (tonic + 9) % 12] > fits[tonic]


def signature_of(tonic: int, minor: bool) -> int:
    """The signature of a key with the fewest accidentals: -5 (flats) to 6 (sharps).

    >>> signature_of(10, False)
    -2
    """
    major = (tonic + (3 if minor else 0)) % 12
    sharps = 7 * major % 12
    return sharps - 12 if sharps > 6 else sharps


def to_white_keys(tonic: int, minor: bool) -> int:
    """Semitones, -6 to 5, that move this key to C major or A minor."""
    home = (9 if minor else 0) - tonic
    return (home + 6) % 12 - 6


def phrase_key(phrase: Phrase) -> tuple[int, bool]:
    """The key that the metre names first, else the one estimated from the notes."""
    if phrase.metre.keys:
        key = phrase.metre.keys[0]
        return key.tonic, key.minor
    return estimate_key(pitched(phrase))


def pitched(phrase: Phrase) -> NoteArray:
    """The notes of a phrase without those of drums."""
    drums = [i for i, voice in enumerate(phrase.voices) if voice.drum]
    return phrase.notes[~np.isin(phrase.notes["voice"], drums)]


def _weights(notes: NoteArray) -> NDArray[np.float64]:
    """Sounding time of each pitch class in ticks, two quarters a note at most."""
    sounding = np.minimum(notes["duration"], 960).astype(float)
    return np.bincount(notes["pitch"] % 12, sounding, 12).astype(np.float64)


_TURNED = np.stack([np.roll(profile, tonic) for profile in PROFILES for tonic in range(12)])
_UNIT = _TURNED - _TURNED.mean(axis=1, keepdims=True)
_UNIT /= np.sqrt((_UNIT**2).sum(axis=1, keepdims=True))


def _fits(weights: NDArray[np.float64]) -> list[int]:
    """Millionths of the correlation with all 24 keys, the major ones first.

    Integers, so that no choice hangs on a sum's last bit.
    """
    centred = weights - weights.mean()
    fits = _UNIT @ (centred / np.sqrt((centred**2).sum()))
    return [round(1e6 * float(fit)) for fit in fits]

"""Which key signature fits: Krumhansl and Kessler's probe-tone profiles (1982).

Only the signature matters here (a major key and its relative minor are one),
which makes the choice steady on a few notes.
"""

import numpy as np

from musai.music import NoteArray, Phrase

_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])


def estimate_key(notes: NoteArray) -> tuple[int, bool]:
    """(tonic pitch class, minor) whose profile correlates best with the sounding time of each class.

    No notes: C major.  Ties go to the lower pitch class, major first.
    """
    weights = np.bincount(
        notes["pitch"] % 12, weights=np.minimum(notes["duration"], 960).astype(float), minlength=12
    )
    if np.ptp(weights) == 0:
        return 0, False
    # Integers, so that the choice cannot hang on the last bit of a sum.
    scores = [
        (round(1e6 * float(np.corrcoef(np.roll(profile, tonic), weights)[0, 1])), -tonic, not minor)
        for minor, profile in ((False, _MAJOR), (True, _MINOR))
        for tonic in range(12)
    ]
    _, tonic, major = max(scores)
    return -tonic, not major


def to_white_keys(tonic: int, minor: bool) -> int:
    """Semitones, -6 to 5, that move this key to C major or A minor."""
    home = (9 if minor else 0) - tonic
    return (home + 6) % 12 - 6


def phrase_key(phrase: Phrase) -> tuple[int, bool]:
    """The key that the metre names first, else the one estimated from the notes."""
    if phrase.metre.keys:
        key = phrase.metre.keys[0]
        return key.tonic, key.minor
    drums = [i for i, voice in enumerate(phrase.voices) if voice.drum]
    return estimate_key(phrase.notes[~np.isin(phrase.notes["voice"], drums)])

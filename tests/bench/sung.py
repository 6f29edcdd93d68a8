"""Lines of songs as somebody might sing them: rendered by fluidsynth, with noise added.

Needs real music beside the checkout (../shared/data/openscore-lieder), fluidsynth, and a soundfont.
"""

import csv
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musai.music import Metre, Phrase, Voice, notes_array
from musai.music.notes import TICKS

DATA = Path("../shared/data/openscore-lieder")
FONTS = tuple(
    Path("/usr/share/sounds/sf2") / name
    for name in ("FluidR3_GM.sf2", "TimGM6mb.sf2", "default-GM.sf2")
)
RATE = 44_100
SECONDS = 16.0
SINGERS = ("voice", "sing", "stimme", "chant", "gesang", "canto", "soprano", "tenor", "alto")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """A sung line: where it comes from, its notes in seconds, and the phrase that is rendered."""

    title: str
    onsets: Floats
    ends: Floats
    pitches: NDArray[np.int64]
    tempo: float
    phrase: Phrase


TUNED_ON = 29
"""Every 29th song served to choose the numbers in `musai.music.sung`; none of them is in a test."""


def lines(count: int, data: Path = DATA) -> list[Line]:
    """Vocal lines of `count` songs, spread over the whole collection, about `SECONDS` each."""
    with (data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for number, row in enumerate(csv.DictReader(file)) if number % TUNED_ON]
    found: list[Line] = []
    for row in rows[5 :: max(1, len(rows) // (2 * count))]:
        line = _line(row["title"], Phrase.from_midi(data / row["path"]))
        if line is not None:
            found.append(line)
        if len(found) == count:
            break
    return found


def _line(title: str, song: Phrase) -> Line | None:
    if not any(word in song.voices[0].name.lower() for word in SINGERS):
        return None
    notes = song.notes[song.notes["voice"] == 0]
    if len(notes) < 12:
        return None
    # One voice: of notes struck together the highest, each until the next at most.
    onset, first = np.unique(notes["onset"].astype(np.int64), return_index=True)
    highest = np.maximum.reduceat(notes["pitch"].astype(np.int64), first)
    length = notes["duration"][first].astype(np.int64)
    tempo = song.metre.tempos[0].bpm
    per_second = tempo / 60 * TICKS
    inside = onset < onset[0] + SECONDS * per_second
    onset, highest, length = onset[inside] - onset[0], highest[inside], length[inside]
    if len(onset) < 12:
        return None
    length[:-1] = np.minimum(length[:-1], np.diff(onset))
    phrase = Phrase(notes_array(onset, length, highest, 88), Metre.of(tempo), (Voice("voice", 53),))
    start = onset / per_second
    return Line(title, start, start + length / per_second, highest, tempo, phrase)


def soundfont() -> Path | None:
    """A General MIDI soundfont of this machine."""
    return next((path for path in FONTS if path.is_file()), None)


def rendered(line: Line, program: int) -> Floats:
    """The line's sound at `RATE`, one channel, played by a General MIDI program, dry."""
    phrase = Phrase(line.phrase.notes, line.phrase.metre, (Voice("voice", program),))
    with tempfile.TemporaryDirectory() as name:
        score, sound = Path(name) / "line.mid", Path(name) / "line.raw"
        score.write_bytes(phrase.to_midi())
        subprocess.run(
            ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-r", str(RATE), "-g", "1",
             "-T", "raw", "-O", "s16", "-F", str(sound), str(soundfont()), str(score)],
            check=True, capture_output=True,
        )  # fmt: skip
        both = np.fromfile(sound, "<i2").reshape(-1, 2)
    return both.mean(axis=1) / 32768


def noisy(samples: Floats, decibels: float | None, seed: int) -> Floats:
    """The sound with pink noise `decibels` below it (None: as it is)."""
    if decibels is None:
        return samples
    drawn = np.random.Generator(np.random.Philox(seed)).standard_normal(len(samples))
    spectrum = np.fft.rfft(drawn)
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    pink = np.fft.irfft(spectrum, len(samples))
    power = np.sqrt((samples**2).mean())
    made: Floats = samples + pink / pink.std() * power * 10 ** (-decibels / 20)
    return made

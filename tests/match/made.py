"""Melodies made for the tests, and a corpus that lives in a folder of its own."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from musai.corpus import Creator, Term, Terms, Work
from musai.music import Metre, NoteArray, Phrase, Voice

STEPS = (-4, -3, -2, -2, -1, 1, 2, 2, 3, 4, 5, -5, 7, -7, 12)
GAPS = (0.5, 0.5, 1.0, 1.0, 1.5, 0.25, 0.25, 2.0)


def rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def melody(seed: int, notes: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Onsets and durations in quarters, pitches: a line that keeps to its register."""
    draw = rng(seed)
    pitch = [60]
    while len(pitch) < notes:
        step = int(draw.choice(STEPS))
        pitch.append(pitch[-1] + step if 45 <= pitch[-1] + step <= 84 else pitch[-1] - step)
    gaps = draw.choice(GAPS, notes)
    return np.concatenate(([0.0], np.cumsum(gaps)[:-1])), gaps, np.array(pitch)


def tune(seed: int, notes: int = 60) -> Phrase:
    return Phrase.from_notes(*melody(seed, notes))


def quartet(seed: int, notes: int = 40) -> Phrase:
    """Four lines in four voices, each within an octave or two of its own."""
    parts = [melody(seed * 10 + v, notes) for v in range(4)]
    return Phrase.from_notes(
        np.concatenate([p[0] for p in parts]),
        np.concatenate([p[1] for p in parts]),
        np.concatenate([p[2] + 12 - 8 * v for v, p in enumerate(parts)]),
        voices=np.repeat(range(4), notes),
        names=[Voice(name) for name in ("one", "two", "three", "four")],
    )


def moved(phrase: Phrase, chosen: Sequence[int], up: int = 0, stretch: float = 1.0) -> Phrase:
    """Some notes of a phrase alone, transposed and stretched, from tick 0."""
    part = phrase.notes[np.asarray(chosen)]
    return Phrase.from_notes(
        (part["onset"] - part["onset"].min()) / 480 * stretch,
        part["duration"] / 480 * stretch,
        part["pitch"].astype(int) + up,
        voices=part["voice"],
        names=phrase.voices,
    )


def joined(first: Phrase, second: Phrase) -> Phrase:
    """One line after another."""
    notes = np.concatenate((first.notes, second.notes))
    onset = notes["onset"].astype(float)
    onset[len(first) :] += first.length
    return Phrase.from_notes(onset / 480, notes["duration"] / 480, notes["pitch"])


@dataclass
class Shelf:
    """A corpus in memory, with a folder for its index; `reads` counts what was asked of it."""

    path: Path
    music: dict[str, Phrase]
    name: str = "shelf"
    composers: dict[str, str] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()
    breaks_at: int = -1
    reads: int = 0

    @property
    def works(self) -> list[Work]:
        no = Terms().changed("match", Term("denied", "the owner says so"))
        return [
            Work(
                id=phrase.notes_id,
                title=title,
                creators=(Creator(self.composers[title]),) if title in self.composers else (),
                licence="CC0-1.0",
                terms=no if title in self.denied else Terms(),
                notes=len(phrase),
                path=f"{title}.mid",
            )
            for title, phrase in self.music.items()
        ]

    @property
    def id(self) -> str:
        return hashlib.sha256(repr(self.works).encode()).hexdigest()

    def notes_of(self, work_id: str) -> NoteArray:
        return next(p for p in self.music.values() if p.notes_id == work_id).notes

    def metre_of(self, work_id: str) -> Metre:
        return next(p for p in self.music.values() if p.notes_id == work_id).metre

    def phrase(self, work_id: str) -> Phrase:
        if self.reads == self.breaks_at:
            raise KeyboardInterrupt
        self.reads += 1
        return next(p for p in self.music.values() if p.notes_id == work_id)


def shelf(path: Path, count: int = 40, **more: object) -> Shelf:
    """A shelf of tunes called "tune 0", "tune 1", ..."""
    music = {f"tune {k}": tune(1000 + k, 50 + k) for k in range(count)}
    return Shelf(path, music, **more)  # type: ignore[arg-type]

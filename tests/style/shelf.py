"""Works made for the tests: composers who differ in steps and rhythm, on a shelf in memory."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musai.corpus import Creator, Term, Terms, Work
from musai.music import Phrase

WALKER, JUMPER = "A. Walker", "B. Jumper"
STEPS = {WALKER: (-2, -1, 1, 2), JUMPER: (-7, -5, 5, 7)}
GAPS = {WALKER: (0.5, 0.5, 1.0), JUMPER: (0.25, 0.75, 1.5)}


def rng(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[*key, 0][:2]))


def tune(composer: str, seed: int, bars: int = 9) -> Phrase:
    """A line of so many bars of four quarters."""
    draw = rng(seed, len(composer) + ord(composer[0]))
    gaps = draw.choice(GAPS[composer], 16 * bars)
    onsets = np.concatenate([[0], np.cumsum(gaps)[:-1]])
    kept = onsets < 4 * bars - 1
    pitch = 60 + np.cumsum(draw.choice(STEPS[composer], len(gaps))) % 24
    return Phrase.from_notes(onsets[kept], gaps[kept], pitch[kept], length=4 * bars + 1)


@dataclass
class Shelf:
    """A corpus in memory; `reads` counts the phrases asked of it."""

    path: Path
    music: list[tuple[str, str, Phrase]]
    name: str = "shelf"
    denied: int = 0
    reads: int = 0

    @property
    def works(self) -> list[Work]:
        no = Terms().changed("match", Term("denied", "the owner says so"))
        return [
            Work(
                id=phrase.notes_id,
                title=f"piece {number}",
                creators=(Creator(composer),) if composer else (),
                collection=collection,
                licence="CC0-1.0",
                terms=no if number < self.denied else Terms(),
                notes=len(phrase),
            )
            for number, (composer, collection, phrase) in enumerate(self.music)
        ]

    @property
    def id(self) -> str:
        return hashlib.sha256(repr(self.works).encode()).hexdigest()

    def phrase(self, work_id: str) -> Phrase:
        self.reads += 1
        return next(p for _, _, p in self.music if p.notes_id == work_id)


def shelf(path: Path, walkers: int = 24, jumpers: int = 22, few: int = 5) -> Shelf:
    """Walkers and jumpers, all in a book, a few of them in a leaflet."""
    made = [(WALKER, "book", tune(WALKER, k)) for k in range(walkers)]
    made += [(JUMPER, "book", tune(JUMPER, k)) for k in range(jumpers)]
    made += [("", "leaflet", tune(WALKER, 500 + k)) for k in range(few)]
    return Shelf(path, made)

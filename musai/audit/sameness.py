"""How much alike are some takes, beside as many passages of a corpus.

A take is a vector of its figures of one to three steps with their rhythm, which neither key nor tempo
changes, each length of figure of equal weight; two takes are as similar as the cosine of their
vectors.  The Vendi score (Friedman and Dieng 2023) is the effective number of different takes: the
exponential of the entropy of the similarity matrix's eigenvalues over its size (order 1), or the inverse of the
largest (order infinity, of Pasarkar and Dieng 2024), from 1, all alike, to their number, nothing in common.
By itself that says little, since passages of this length share figures in any music: so it is set beside
bootstraps of passages of the corpus, equally long and equally many.
Distinct-n (Li et al. 2016) is the share of figures that are not repetitions of another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.corpus import Corpus
from musai.errors import BadInput
from musai.music import Phrase
from musai.music.notes import NoteArray

LENGTHS = (1, 2, 3)
"""Steps in a figure; a figure of n steps has n + 2 notes, since a step's rhythm needs the one before."""

WIDEST = 12
"""Semitones of a step; wider ones count as this."""

PASSAGES = 240
"""Passages that a corpus is measured by, from different works where there are so many."""

ROUNDS = 100
"""Bootstraps of each size."""

SIZES = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""Notes of a passage, so few different ones that one yardstick serves many takes."""

_SIGNS = (2 * WIDEST + 1) * 3

Floats = NDArray[np.float64]
Figures = tuple[NDArray[np.int64], Floats]
"""Numbers of figures, rising, and how often each occurs."""


def figures(notes: NoteArray) -> tuple[Figures, ...]:
    """For each of `LENGTHS` the figures of the notes' lines: in each voice the highest note of each onset."""
    signs = [_signs(line) for line in lines(notes)]
    out = []
    for length in LENGTHS:
        found = [np.zeros(0, np.int64)]
        for row in signs:
            count = len(row) - length + 1
            if count > 0:
                found.append(sum(row[k : k + count] * _SIGNS**k for k in range(length)))
        numbers, counts = np.unique(np.concatenate(found), return_counts=True)
        out.append((numbers, counts.astype(float)))
    return tuple(out)


def lines(notes: NoteArray) -> list[NoteArray]:
    """In each voice the highest note of each onset, in order of time."""
    out = []
    for voice in np.unique(notes["voice"]):
        mine = notes[notes["voice"] == voice]
        mine = mine[np.lexsort((-mine["pitch"].astype(int), mine["onset"]))]
        first = np.concatenate([[True], np.diff(mine["onset"].astype(np.int64)) > 0])
        out.append(mine[first])
    return out


def _signs(line: NoteArray) -> NDArray[np.int64]:
    """A number for each step: how far, and whether its time is shorter, equal or longer than before."""
    steps = np.clip(np.diff(line["pitch"].astype(np.int64)), -WIDEST, WIDEST) + WIDEST
    waits = np.log2(np.maximum(1, np.diff(line["onset"].astype(np.int64))))
    rhythm = np.clip(np.rint(2 * np.diff(waits)), -1, 1).astype(np.int64) + 1
    signs: NDArray[np.int64] = steps[1:] * 3 + rhythm
    return signs


def similarity(items: Sequence[tuple[Figures, ...]]) -> Floats:
    """Cosines of all pairs, (n, n), the mean over `LENGTHS`; an item without figures is like itself alone."""
    total = np.zeros((len(items), len(items)))
    for at in range(len(LENGTHS)):
        numbers = np.concatenate([item[at][0] for item in items])
        counts = np.concatenate([item[at][1] for item in items])
        rows = np.repeat(np.arange(len(items)), [len(item[at][0]) for item in items])
        known, columns = np.unique(numbers, return_inverse=True)
        table = np.zeros((len(items), max(1, len(known))))
        table[rows, columns] = counts
        table /= np.maximum(1e-12, np.linalg.norm(table, axis=1))[:, None]
        total += table @ table.T / len(LENGTHS)
    np.fill_diagonal(total, 1.0)
    return total


def vendi(similar: Floats, order: float = 1.0) -> Floats:
    """Effective number of different items of similarity matrices (..., n, n), of order 1 or infinity."""
    share = np.clip(np.linalg.eigvalsh(similar / similar.shape[-1]), 0, None)
    share /= share.sum(axis=-1, keepdims=True)
    if np.isinf(order):
        return np.asarray(1 / share.max(axis=-1))
    entropy = -(share * np.log(np.where(share > 0, share, 1))).sum(axis=-1)
    return np.asarray(np.exp(entropy))


def distinct(items: Sequence[tuple[Figures, ...]]) -> dict[int, float]:
    """For each number of notes of a figure, the share of the figures that are different ones."""
    out = {}
    for at, length in enumerate(LENGTHS):
        held = [item[at] for item in items]
        total = sum(float(counts.sum()) for _, counts in held)
        known = np.unique(np.concatenate([numbers for numbers, _ in held]))
        out[length + 2] = len(known) / total if total else 1.0
    return out


@dataclass(frozen=True, eq=False)
class Yardstick:
    """Passages of a corpus, each of `notes` notes of one line, and how alike they are."""

    corpus: str
    notes: int
    items: tuple[tuple[Figures, ...], ...]
    similar: Floats
    _curves: dict[int, tuple[Floats, Floats]] = field(default_factory=dict)

    @classmethod
    def of(cls, corpus: Corpus, notes: int) -> "Yardstick":
        """Of a corpus: passages drawn by a generator keyed by the corpus's id, so always the same.

        Raises `BadInput` where fewer than 20 works have a line so long.
        """
        rng = np.random.Generator(np.random.Philox(int(corpus.id[:16], 16)))
        works = [work.id for work in corpus.allowed("match") if work.notes >= notes]
        items = []
        for i in rng.permutation(len(works)).tolist():
            long = [one for one in lines(corpus.notes_of(works[i])) if len(one) >= notes]
            if long:
                line = long[int(rng.integers(len(long)))]
                start = int(rng.integers(len(line) - notes + 1))
                items.append(figures(line[start : start + notes]))
            if len(items) == PASSAGES:
                break
        if len(items) < 20:
            raise BadInput(
                f"corpus {corpus.name} has {len(items)} works with {notes} notes in a line; legal is "
                "20 or more to measure sameness by"
            )
        return cls(corpus.name, notes, tuple(items), similarity(items))

    def curve(self, most: int) -> tuple[Floats, Floats]:
        """Scores of order 1 and infinity of bootstraps: (most, rounds), sizes 1 to `most`."""
        most = min(most, len(self.items))
        if most not in self._curves:
            both = [self._scores(size) for size in range(1, most + 1)]
            one, other = (np.stack(rows) for rows in zip(*both, strict=True))
            self._curves[most] = one, other
        return self._curves[most]

    def _scores(self, size: int) -> tuple[Floats, Floats]:
        chosen = self.draws(size)
        blocks = self.similar[chosen[:, :, None], chosen[:, None, :]]
        return vendi(blocks), vendi(blocks, np.inf)

    def draws(self, size: int) -> NDArray[np.int64]:
        """Numbers of passages, (rounds, size), each row without repetition; the same every time."""
        rng = np.random.Generator(np.random.Philox(size))
        rows = rng.permuted(np.tile(np.arange(len(self.items)), (ROUNDS, 1)), axis=1)
        chosen: NDArray[np.int64] = rows[:, :size]
        return chosen


@dataclass(frozen=True, slots=True)
class Gauge:
    """How varied some takes are.

    `vendi`, `vendi_inf` are theirs; `corpus_vendi` is the mean of equal-sized bootstraps, with the
    5% and 95% points in `corpus_low`, `corpus_high`; `ratio` is the one over the other.
    `equals` passages of the corpus are as varied as these takes, at most their number.
    """

    takes: int
    corpus: str
    notes: int
    vendi: float
    vendi_inf: float
    corpus_vendi: float
    corpus_low: float
    corpus_high: float
    corpus_vendi_inf: float
    ratio: float
    ratio_inf: float
    equals: float

    @property
    def sentence(self) -> str:
        """In words."""
        number = f"{self.equals:.0f}" if self.equals >= 9.5 else f"{self.equals:.1f}"
        few = "1 tune" if number == "1.0" else f"{number.removesuffix('.0')} tunes"
        more = " or more" if self.equals >= self.takes else ""
        return (
            f"These {self.takes} takes are as varied as {few}{more} of {self.corpus} "
            f"(passages of {self.notes} notes)."
        )


def gauge(items: Sequence[tuple[Figures, ...]], stick: Yardstick) -> Gauge:
    """How varied items are by a yardstick.  Raises `BadInput` for fewer than two, or too many."""
    count = len(items)
    if not 2 <= count <= len(stick.items):
        raise BadInput(
            f"sameness is asked of {count} takes; legal is 2 to {len(stick.items)}, the passages of "
            f"{stick.corpus} that it is measured by"
        )
    similar = similarity(items)
    one, most = float(vendi(similar)), float(vendi(similar, np.inf))
    first, last = stick.curve(count)
    means = np.maximum.accumulate(first.mean(axis=1))
    low, high = np.quantile(first[-1], (0.05, 0.95))
    return Gauge(
        takes=count,
        corpus=stick.corpus,
        notes=stick.notes,
        vendi=one,
        vendi_inf=most,
        corpus_vendi=float(means[-1]),
        corpus_low=float(low),
        corpus_high=float(high),
        corpus_vendi_inf=float(last[-1].mean()),
        ratio=one / float(means[-1]),
        ratio_inf=most / float(last[-1].mean()),
        equals=float(np.interp(one, means, np.arange(1, count + 1))),
    )


def length_of(notes: Sequence[int]) -> int:
    """How long passages beside takes of so many notes are: the one of `SIZES` next to the median."""
    middle = max(1.0, float(np.median(notes)))
    return min(SIZES, key=lambda size: abs(np.log(size / middle)))


def voice_notes(phrase: Phrase) -> int:
    """Notes of the longest line of a phrase: how long a passage beside it should be."""
    return max((len(line) for line in lines(phrase.notes)), default=0)


@lru_cache(maxsize=32)
def _held(path: str, corpus_id: str, notes: int) -> Yardstick:
    return Yardstick.of(Corpus.open(path), notes)


def yardstick(corpus: Corpus, notes: int) -> Yardstick:
    """The yardstick of a corpus for takes of so many notes, made once in this process."""
    return _held(str(corpus.path), corpus.id, notes)


def mean_similarity(similar: Floats, same: NDArray[Any]) -> float | None:
    """Mean similarity of the pairs that `same` (n, n) marks, each pair once; None where there are none."""
    pairs = np.triu(np.asarray(same, bool), 1)
    return float(similar[pairs].mean()) if pairs.any() else None

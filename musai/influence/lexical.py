"""Tier 0: words in common, the words being runs of notes (BM25).

The words of a work are runs of three, four and five notes by step and ratio class, as the matcher
reads lines, so that neither key nor tempo matters.  BM25 is Robertson's and Zaragoza's ("The
probabilistic relevance framework: BM25 and beyond", 2009).  It knows nothing of the model: it is what
any measure of influence has to beat (it beats several on text).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musai.match.streams import ratio_class
from musai.music import Phrase

RUNS = (3, 4, 5)
"""Notes of a run."""

K1, B = 1.2, 0.75
"""How soon a repeated run stops counting, and how far a work's length is made up for: the usual ones."""

Run = tuple[int, ...]
Floats = NDArray[np.float64]


def runs(phrase: Phrase) -> Counter[Run]:
    """How often each run occurs: its steps in semitones, then its ratio classes in half octaves.

    Every voice is read by its highest note of a moment; drums are left out, having no steps.
    """
    found: Counter[Run] = Counter()
    for voice, held in enumerate(phrase.voices):
        if held.drum:
            continue
        notes = phrase.notes[phrase.notes["voice"] == voice]
        onsets, first = np.unique(notes["onset"][::-1], return_index=True)
        pitches = notes["pitch"][::-1][first].astype(int)
        steps = np.diff(pitches).tolist()
        waits = np.log2(np.maximum(1, np.diff(onsets.astype(np.int64))))
        ratios = ratio_class(np.diff(waits)).tolist()
        for size in RUNS:
            for k in range(len(steps) - size + 2):
                found[(*steps[k : k + size - 1], 99, *ratios[k : k + size - 2])] += 1
    return found


@dataclass(frozen=True, slots=True)
class Words:
    """The runs of a catalogue, by run: which works hold it, how often."""

    postings: dict[Run, tuple[tuple[int, int], ...]]
    lengths: Floats

    @classmethod
    def of(cls, works: Iterable[Phrase]) -> "Words":
        """Read all works."""
        postings: dict[Run, list[tuple[int, int]]] = defaultdict(list)
        lengths = []
        for number, phrase in enumerate(works):
            counted = runs(phrase)
            lengths.append(float(counted.total()))
            for run, count in counted.items():
                postings[run].append((number, count))
        return cls({run: tuple(held) for run, held in postings.items()}, np.array(lengths))

    def scores(self, phrase: Phrase) -> Floats:
        """BM25 of every work for a phrase, (works,); 0 where no run is shared."""
        out = np.zeros(len(self.lengths))
        total = len(self.lengths)
        mean = self.lengths.mean() if total else 1.0
        spread = K1 * (1 - B + B * self.lengths / max(1.0, mean))
        for run, asked in runs(phrase).items():
            held = self.postings.get(run, ())
            rarity = math.log(1 + (total - len(held) + 0.5) / (len(held) + 0.5))
            for work, count in held:
                out[work] += asked * rarity * count * (K1 + 1) / (count + spread[work])
        return out


def scores(works: Sequence[Phrase], queries: Sequence[Phrase]) -> Floats:
    """BM25 of every work for every query, (queries, works)."""
    words = Words.of(works)
    return np.stack([words.scores(query) for query in queries])

"""Tier 0: words in common, the words being runs of notes (BM25).

The words of a work are runs of three, four and five notes by step and ratio class, as the matcher
reads lines, so that neither key nor tempo matters.  BM25 is Robertson's and Zaragoza's ("The
probabilistic relevance framework: BM25 and beyond", 2009).  It knows nothing of the model: it is what
any measure of influence has to beat (it beats several on text).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musai.match.streams import ratio_class
from musai.music import Phrase

SIZES = (3, 4, 5)
"""Notes of a run."""

K1, B = 1.2, 0.75
"""How soon a repeated run stops counting, and how far a work's length is made up for: the usual ones."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def word(steps: Sequence[Ints] | Sequence[int], ratios: Sequence[Ints] | Sequence[int]) -> Ints:
    """The number of a run: its steps in semitones and ratio classes, a byte each, under its size."""
    number = np.asarray(len(steps) + 1, np.int64)
    for part in (*steps, *ratios):
        number = 256 * number + (np.asarray(part, np.int64) + 128)
    return number


def runs(phrase: Phrase) -> tuple[Ints, Ints]:
    """The words of a phrase in order, and how often each occurs.

    Every voice is read by its highest note of a moment; drums are left out, having no steps.
    """
    found = [np.empty(0, np.int64)]
    for voice, held in enumerate(phrase.voices):
        if held.drum:
            continue
        notes = phrase.notes[phrase.notes["voice"] == voice]
        onsets, first = np.unique(notes["onset"][::-1], return_index=True)
        steps = np.diff(notes["pitch"][::-1][first].astype(np.int64))
        waits = np.log2(np.maximum(1, np.diff(onsets.astype(np.int64))))
        ratios = ratio_class(np.diff(waits)).astype(np.int64)
        for size in SIZES:
            count = len(steps) - size + 2
            if count > 0:
                each = [steps[k : k + count] for k in range(size - 1)]
                found.append(word(each, [ratios[k : k + count] for k in range(size - 2)]))
    words, counts = np.unique(np.concatenate(found), return_counts=True)
    return words, counts


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a catalogue.

    `words` in order (w,); the works that hold word k, and how often, are `works` and `counts` from
    `starts[k]` to `starts[k + 1]`; `lengths` (works,) in words.
    """

    words: Ints
    starts: Ints
    works: Ints
    counts: Ints
    lengths: Floats

    @classmethod
    def of(cls, works: Iterable[Phrase]) -> "Words":
        """Read all works."""
        read = [runs(phrase) for phrase in works]
        nothing = [np.empty(0, np.int64)]
        words = np.concatenate([words for words, _ in read] or nothing)
        counts = np.concatenate([counts for _, counts in read] or nothing)
        holders = np.repeat(np.arange(len(read)), [len(words) for words, _ in read])
        order = np.argsort(words, kind="stable")
        found, starts = np.unique(words[order], return_index=True)
        lengths = np.array([counts.sum() for _, counts in read], np.float64)
        return cls(found, np.append(starts, len(words)), holders[order], counts[order], lengths)

    def scores(self, phrase: Phrase) -> Floats:
        """BM25 of every work for a phrase, (works,); 0 where no run is shared."""
        total = len(self.lengths)
        out = np.zeros(total)
        mean = self.lengths.mean() if total else 1.0
        spread = K1 * (1 - B + B * self.lengths / max(1.0, mean))
        asked, often = runs(phrase)
        places = np.searchsorted(self.words, asked)
        for place, run, times in zip(places.tolist(), asked, often, strict=True):
            if place == len(self.words) or self.words[place] != run:
                continue
            part = slice(self.starts[place], self.starts[place + 1])
            works, count = self.works[part], self.counts[part]
            rarity = math.log(1 + (total - len(works) + 0.5) / (len(works) + 0.5))
            out[works] += times * rarity * count * (K1 + 1) / (count + spread[works])
        return out


def scores(works: Sequence[Phrase], queries: Sequence[Phrase]) -> Floats:
    """BM25 of every work for every query, (queries, works)."""
    words = Words.of(works)
    return np.stack([words.scores(query) for query in queries])

"""Near-duplicates: works that share most of their melody, told in seconds for a whole corpus.

A quick look for `musai corpus check`, no verdict: that is the matcher's.  A
work becomes the set of its voices' runs of `RUN` successive intervals (the
highest note of each onset; drums left out), so transposition, tempo and
rhythm do not matter.  Two works are near-duplicates when their sets overlap
by `ALIKE` or more of their union (Jaccard).  Candidates share one of the
`SKETCH` smallest hashes of their sets (Broder 1997, "On the resemblance and
containment of documents"); their overlap is then counted exactly.
"""

from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from musai.corpus.corpus import Corpus
from musai.corpus.work import Work
from musai.errors import Altered
from musai.music import NoteArray, Phrase

RUN = 6
ALIKE = 0.5
SKETCH = 48
COMMON = 200
"""A hash that more works than this share says nothing about any two of them."""

Grams = NDArray[np.uint64]


def grams(phrase: Phrase) -> Grams:
    """The set of hashed interval runs of a phrase, sorted; empty for one of few notes."""
    found = [
        _runs(_top(phrase.notes[phrase.notes["voice"] == number]))
        for number, voice in enumerate(phrase.voices)
        if not voice.drum
    ]
    return np.unique(np.concatenate(found)) if found else np.zeros(0, np.uint64)


def _top(notes: NoteArray) -> NDArray[np.int64]:
    """The highest pitch of each onset."""
    order = np.lexsort((-notes["pitch"].astype(np.int64), notes["onset"]))
    onsets = notes["onset"][order]
    first = np.ones(len(onsets), bool)
    first[1:] = onsets[1:] != onsets[:-1]
    pitches: NDArray[np.int64] = notes["pitch"][order][first].astype(np.int64)
    return pitches


def _runs(pitches: NDArray[np.int64]) -> Grams:
    intervals = np.diff(pitches)
    # A note struck over and over is a run that everything holds.
    if len(intervals) < RUN:
        return np.zeros(0, np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(intervals, RUN)
    windows = windows[(windows != 0).any(axis=1)]
    packed = np.zeros(len(windows), np.uint64)
    for column in range(RUN):
        packed = packed * np.uint64(257) + (windows[:, column] + 128).astype(np.uint64)
    return _mixed(packed)


def _mixed(values: Grams) -> Grams:
    """Well-spread 64-bit hashes (the finalizer of SplitMix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def near_duplicates(corpus: Corpus) -> list[list[Work]]:
    """Clusters of works that are nearly the same melody, the largest first.

    Works whose stored notes cannot be read are passed over: `verify` names them.
    """
    sets: list[Grams] = []
    for work in corpus.works:
        try:
            sets.append(grams(corpus.phrase(work.id)))
        except Altered:
            sets.append(np.zeros(0, np.uint64))
    parent = list(range(len(sets)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for a, b in candidates(sets):
        if root(a) != root(b) and jaccard(sets[a], sets[b]) >= ALIKE:
            parent[root(b)] = root(a)
    clusters: dict[int, list[Work]] = defaultdict(list)
    for i, work in enumerate(corpus.works):
        clusters[root(i)].append(work)
    found = [cluster for cluster in clusters.values() if len(cluster) > 1]
    return sorted(found, key=lambda cluster: -len(cluster))


def candidates(sets: list[Grams]) -> list[tuple[int, int]]:
    """Pairs of sets that share a hash of their sketches, the likeliest first."""
    holders: dict[int, list[int]] = defaultdict(list)
    for i, members in enumerate(sets):
        for value in members[:SKETCH].tolist():
            holders[value].append(i)
    counts = Counter[tuple[int, int]]()
    for works in holders.values():
        if 2 <= len(works) <= COMMON:
            counts.update(combinations(works, 2))
    # Works alike by half share about half their sketch; 3 of 48 leaves nothing out.
    small = {i for i, members in enumerate(sets) if len(members) < SKETCH}
    return [
        pair for pair, n in counts.most_common() if n >= 3 or pair[0] in small or pair[1] in small
    ]


def jaccard(a: Grams, b: Grams) -> float:
    """The overlap of two sets as a share of their union, 0 to 1; 0 for two empty sets."""
    shared = len(np.intersect1d(a, b, assume_unique=True))
    union = len(a) + len(b) - shared
    return shared / union if union else 0.0

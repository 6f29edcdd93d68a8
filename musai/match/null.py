"""How well unrelated music matches: the reference null of a corpus.

For `SIZE` phrases of reference works, the best score over all works of the
corpus that are unrelated to the phrase's own: another title, no creator in
common (where both are known), neither holding `grams.NEAR_DUPLICATE` of the
other's figures, not in one cluster with it.  None of this looks at the
local score.  One sweep of 64 notes gives the score of its first 5, 6, ... 64
notes too, so one phrase serves every length class.

The same pass counts the scores of single unrelated works, for the p-value
of a hit by itself: r = S - b ln(m), m the notes of the work's streams, b by
regression for each length class (the part of ln(n) is then constant).
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match import grams, search
from musai.match.catalogue import Catalogue
from musai.match.index import Index
from musai.match.kernels import FLOOR
from musai.match.scores import UNITS, Scores, profile
from musai.match.segment import KINDS
from musai.match.streams import symbols

SIZE = 10_000
"""Phrases in a null."""

LENGTHS = (5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64)
"""Notes of the length classes."""

FEWEST_WORKS = 30
"""Clusters of works that a reference must have, that no single piece makes its null."""

PILOT = 200
"""Phrases from which the slope on ln(m) is learned."""

LOW, BINS = -100 * UNITS, 400 * UNITS
"""The histogram of single works' scores holds r in units from LOW on."""

VERSION = 1

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Null:
    """The null of one corpus by one reference.

    `best` int16 (classes, phrases), each row rising: best scores in units.
    `slope` (classes,) in units per ln(note); `pairs` int64 (classes, BINS):
    histogram of r over single unrelated works.
    """

    reference: str
    version: str
    lengths: Ints
    best: Ints
    slope: NDArray[np.float64]
    pairs: Ints

    @property
    def size(self) -> int:
        """Phrases counted."""
        return int(self.best.shape[1])

    def save_to(self) -> dict[str, Any]:
        """As arrays for `numpy.savez`."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def of(cls, held: Any) -> "Null":
        """From what `numpy.load` gives."""
        return cls(
            reference=str(held["reference"]),
            version=str(held["version"]),
            **{n: held[n] for n in ("lengths", "best", "slope", "pairs")},
        )


def version(target: Catalogue, reference: Catalogue, seed: int, size: int) -> str:
    """Sixteen hexadecimal digits over everything that a null depends on."""
    parts = (VERSION, target.corpus_id, reference.corpus_id, Scores().version, seed, size, LENGTHS)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


class TooFew(Exception):
    """The reference has too few works for a null; the message says how few."""


class Related:
    """Which works of a corpus are related to a reference's work."""

    def __init__(self, target: Catalogue, reference: Catalogue) -> None:
        self._target, self._reference = target, reference
        self._same = target.corpus_id == reference.corpus_id
        mine, other = target.index.sets(), reference.index.sets()
        share = grams.coverage(other, mine).tocsr()
        back = grams.coverage(mine, other).T.tocsr()
        self._share = share.maximum(back)
        self._titles = np.array(target.titles)
        holders: dict[str, list[int]] = {}
        for number, names in enumerate(target.creators):
            for name in names:
                holders.setdefault(name, []).append(number)
        self._holders = {name: np.array(numbers) for name, numbers in holders.items()}

    def mask(self, work: int) -> NDArray[np.bool_]:
        """True for every work of the corpus that is related to work number `work` of the reference."""
        out = np.zeros(len(self._titles), bool)
        title = self._reference.titles[work]
        if title:
            out |= self._titles == title
        for name in self._reference.creators[work]:
            out[self._holders.get(name, np.zeros(0, int))] = True
        row = self._share[[work]]
        out[row.indices[row.data >= grams.NEAR_DUPLICATE]] = True
        if self._same:
            cluster = self._target.index.cluster
            out |= np.isin(cluster, np.unique(cluster[out])) | (cluster == cluster[work])
        return out


@dataclass(frozen=True, slots=True)
class Sources:
    """The streams that reference phrases are cut from, by cluster."""

    lengths: tuple[int, ...]
    streams: tuple[tuple[tuple[int, int, int], ...], ...]
    """For each cluster its (work, segment, stream) with enough notes."""


def sources(reference: Catalogue) -> Sources:
    """Streams long enough for the longest length class that enough clusters can fill."""
    index = reference.index
    held: dict[int, list[tuple[int, int, int, int]]] = {}
    offset = 0
    for number, part in enumerate(index.segments):
        work_of = np.repeat(np.arange(part.works), np.diff(part.work_streams)) + offset
        length = np.diff(part.stream_notes)
        tuneful = part.stream_kind != KINDS.index("bottom")
        tuneful &= part.stream_kind != KINDS.index("bass")
        for s in np.flatnonzero(tuneful & index.alive[work_of]):
            work = int(work_of[s])
            entry = (int(length[s]), work, number, int(s))
            held.setdefault(int(index.cluster[work]), []).append(entry)
        offset += part.works
    longest = sorted((max(e[0] for e in entries) for entries in held.values()), reverse=True)
    if len(longest) < FEWEST_WORKS:
        raise TooFew(
            f"{reference.name} has {len(longest)} different works; a null needs {FEWEST_WORKS}"
        )
    usable = max(FEWEST_WORKS, len(longest) // 2)
    reach = max((n for n in LENGTHS if n <= longest[usable - 1]), default=0)
    if not reach:
        raise TooFew(f"{reference.name} has no lines of {LENGTHS[0]} notes")
    streams = tuple(
        tuple((w, g, s) for n, w, g, s in entries if n >= reach)
        for _, entries in sorted(held.items())
        if max(e[0] for e in entries) >= reach
    )
    return Sources(tuple(n for n in LENGTHS if n <= reach), streams)


def draw(reference: Catalogue, pool: Sources, seed: int, number: int) -> tuple[int, search.Line]:
    """Reference phrase `number`: its work, and its line of the longest length class.

    A cluster, one of its lines and a place in it, each with equal chances;
    keyed by seed and number alone.
    """
    rng = np.random.Generator(np.random.Philox(key=[seed, number]))
    choices = pool.streams[int(rng.integers(len(pool.streams)))]
    work, segment, stream = choices[int(rng.integers(len(choices)))]
    pitch, onset = reference.index.segments[segment].line(stream)
    reach = pool.lengths[-1]
    start = int(rng.integers(len(pitch) - reach + 1))
    pitch, onset = pitch[start : start + reach], onset[start : start + reach]
    return work, _line(pitch, onset)


def _line(pitch: Ints, onset: Ints) -> search.Line:
    signs = symbols(pitch, onset)
    index = np.arange(len(pitch))
    return search.Line("line", 0, index, pitch, onset, signs, profile(signs))


def build(
    target: Catalogue,
    reference: Catalogue,
    seed: int = 0,
    size: int = SIZE,
) -> Iterator["Draft"]:
    """Build a null phrase by phrase; yields what there is so far."""
    pool = sources(reference)
    related = Related(target, reference)
    draft = Draft.start(target, pool, size)
    checks = np.array(pool.lengths) - 1
    number = 0
    while draft.done < size:
        work, line = draw(reference, pool, seed, number)
        number += 1
        away = related.mask(work) | ~target.index.alive
        if away.all():
            if number >= 1000 and draft.done < number // 50:
                raise TooFew(f"{target.name} has no work unrelated to those of {reference.name}")
            continue
        works = search.exhaustive(target.index, line, checks).works
        draft.add(works, away)
        yield draft


class Draft:
    """A null in the making."""

    def __init__(self, lengths: Sequence[int], log_notes: Ints, size: int) -> None:
        self.lengths = np.array(lengths)
        self.best = np.zeros((len(lengths), size), np.int16)
        self.done = 0
        self._log = log_notes
        self._pilot: list[tuple[Ints, Ints]] = []
        self.slope = np.zeros(len(lengths))
        self.pairs = np.zeros((len(lengths), BINS), np.int64)

    @classmethod
    def start(cls, target: Catalogue, pool: Sources, size: int) -> "Draft":
        """An empty draft for the target's works."""
        return cls(pool.lengths, log_notes(target.index), size)

    def add(self, works: Ints, away: NDArray[np.bool_]) -> None:
        """Count one phrase: `works` int16 (classes, works), `away` the related ones."""
        self.best[:, self.done] = np.where(away, FLOOR, works).max(axis=1)
        self.done += 1
        if len(self._pilot) < PILOT and not self.pairs.any():
            self._pilot.append((works, away))
            if len(self._pilot) == PILOT or self.done == self.best.shape[1]:
                self._learn()
            return
        self._count(works, away)

    def _learn(self) -> None:
        kept = [(w[:, ~away], self._log[~away]) for w, away in self._pilot]
        x = np.concatenate([log for _, log in kept])
        spread = x - x.mean()
        total = float((spread**2).sum())
        for c in range(len(self.lengths)):
            y = np.concatenate([w[c] for w, _ in kept]).astype(float)
            self.slope[c] = float((spread * y).sum()) / total if total > 0 else 0.0
        for works, away in self._pilot:
            self._count(works, away)
        self._pilot = []

    def _count(self, works: Ints, away: NDArray[np.bool_]) -> None:
        log = self._log[~away]
        for c in range(len(self.lengths)):
            r = residual(works[c, ~away], log, self.slope[c])
            self.pairs[c] += np.bincount(r, minlength=BINS)

    def finish(self, reference: str, version: str) -> Null:
        """The null."""
        best = np.sort(self.best[:, : self.done], axis=1)
        return Null(reference, version, self.lengths, best, self.slope, self.pairs)


def log_notes(index: Index) -> NDArray[np.float64]:
    """ln of the notes in each work's streams."""
    parts = [
        p.stream_notes[p.work_streams[1:]] - p.stream_notes[p.work_streams[:-1]]
        for p in index.segments
    ]
    notes: NDArray[np.float64] = np.log(np.maximum(1, np.concatenate(parts)))
    return notes


def residual(score: Ints, log: Ints, slope: float) -> Ints:
    """r as an index into the histogram: score less what the work's length explains."""
    r = np.rint(score - slope * log).astype(np.int64) - LOW
    return np.clip(r, 0, BINS - 1)

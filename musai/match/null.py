"""How well unrelated music matches: the reference null of a corpus.

For `SIZE` phrases of reference works, the best score over all works of the
corpus that are unrelated to the phrase's own (`related.py`).  One sweep of 64 notes gives the score of its first 5, 6, ... 64
notes too, so one phrase serves every length class.

The same pass counts the scores of single unrelated works, for the p-value
of a hit by itself: r = S - b ln(m), m the notes of the work's streams, b by
regression for each length class (the part of ln(n) is then constant).
"""

import hashlib
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from musai.match import decoys, search
from musai.match.catalogue import Catalogue
from musai.match.index import Index
from musai.match.related import LENGTHS, Related, TooFew, draw, sources
from musai.match.scores import UNITS, scores_in_use

SIZE = 10_000
"""Phrases in a null."""

PILOT = 200
"""Phrases from which the slope on ln(m) is learned."""

LOW, BINS = -100 * UNITS, 400 * UNITS
"""The histogram of single works' scores holds r in units from LOW on."""

DECOYS = 10
"""One decoy is counted for so many phrases."""

VERSION = 5

Ints = NDArray[Any]

Made = TypeVar("Made")
Scored = tuple[Ints, NDArray[np.bool_], NDArray[np.bool_]]
"""One phrase: its scores (classes, works), the works that are its own, those related to it."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Null:
    """The null of one corpus by one reference.

    `best` int16 (classes, phrases), each row rising: best scores in units over
    unrelated works; `bare` the same with nothing excluded but the phrase's own
    work and its near-duplicates.
    `decoys` int16 (classes, decoys), each row rising: best scores of lines
    that are like the reference by chance alone (`decoys.py`).
    `slope` (classes,) in units per ln(note); `pairs` int64 (classes, BINS):
    histogram of r over single unrelated works; `works` rising uint64: the
    works of the corpus when it was made, by `fingerprints`.
    """

    reference: str
    version: str
    lengths: Ints
    best: Ints
    bare: Ints
    decoys: Ints
    slope: NDArray[np.float64]
    pairs: Ints
    works: Ints

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
            **{
                n: held[n] for n in ("lengths", "best", "bare", "decoys", "slope", "pairs", "works")
            },
        )


def basis(target: Catalogue, reference: Catalogue, seed: int, size: int) -> str:
    """Eight hexadecimal digits over what a null depends on besides the corpus itself."""
    source = "itself" if target.corpus_id == reference.corpus_id else reference.corpus_id
    return _digits(VERSION, source, scores_in_use().version, seed, size, LENGTHS)[:8]


def version(target: Catalogue, reference: Catalogue, seed: int, size: int) -> str:
    """Sixteen hexadecimal digits and a hyphen over everything that a null depends on."""
    first = basis(target, reference, seed, size)
    return f"{first}-{_digits(first, target.corpus_id)[:8]}"


def _digits(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def fingerprints(index: Index) -> Ints:
    """Eight bytes of the hash of each work's id, rising, uint64."""
    ids = [work for work, alive in zip(index.work_ids, index.alive, strict=True) if alive]
    held = b"".join(hashlib.sha256(work.encode()).digest()[:8] for work in ids)
    return np.sort(np.frombuffer(held, "<u8"))


def build(
    target: Catalogue,
    reference: Catalogue,
    seed: int = 0,
    size: int = SIZE,
    held: dict[str, Any] | None = None,
    threads: int = 1,
) -> Iterator["Draft"]:
    """Build a null phrase by phrase; yields what there is so far.

    `held` is what `Draft.state` gave when an earlier build broke off; the null comes out the
    same as without the break, and the same with any number of threads.
    """
    pool = sources(reference, apart=target.corpus_id != reference.corpus_id)
    related = Related(target, reference)
    draft = Draft(pool.lengths, target.index, size)
    if held is not None:
        draft.go_on(held)
    checks = np.array(pool.lengths) - 1

    def scored(number: int) -> Scored | None:
        phrase = draw(reference, pool, seed, number)
        own = related.own(phrase.work) | ~target.index.alive
        away = own | related.mask(phrase.work)
        if away.all():
            return None
        found = search.exhaustive(target.index, phrase.line, checks)
        return found.works, own, related.checked(phrase, found, away)

    if draft.done < size:
        for one in in_order(scored, draft.drawn, threads):
            draft.drawn += 1
            if one is not None:
                draft.add(*one)
            elif draft.drawn >= 1000 and draft.done < draft.drawn // 50:
                raise TooFew(f"{target.name} has no work unrelated to those of {reference.name}")
            if draft.done == size:
                break
            yield draft
    known = decoys.chain(reference)

    def chanced(number: int) -> Ints:
        line = decoys.line(known, pool.lengths[-1], seed, number)
        best: Ints = search.exhaustive(target.index, line, checks).works.max(axis=1, initial=0)
        return best

    count = draft.decoys.shape[1]
    for number, best in zip(range(count), in_order(chanced, 0, threads), strict=False):
        draft.decoys[:, number] = best
    yield draft


def in_order(work: Callable[[int], Made], first: int, threads: int) -> Iterator[Made]:
    """`work(first)`, `work(first + 1)`, ... without end, so many at once (the sweep holds no lock)."""
    if threads == 1:
        yield from map(work, itertools.count(first))
        return
    with ThreadPoolExecutor(threads) as pool:
        asked = deque(pool.submit(work, first + k) for k in range(2 * threads))
        try:
            for number in itertools.count(first + len(asked)):
                yield asked.popleft().result()
                asked.append(pool.submit(work, number))
        finally:
            for future in asked:
                future.cancel()


class Draft:
    """A null in the making."""

    def __init__(self, lengths: Sequence[int], index: Index, size: int) -> None:
        self.lengths = np.array(lengths)
        self.best = np.zeros((len(lengths), size), np.int16)
        self.bare = np.zeros((len(lengths), size), np.int16)
        self.decoys = np.zeros((len(lengths), max(1, size // DECOYS)), np.int16)
        self.done = 0
        """Phrases counted."""
        self.drawn = 0
        """Phrases drawn: some have no unrelated work to be matched with."""
        self._log = log_notes(index)
        self._works = fingerprints(index)
        self._pilot: list[tuple[Ints, NDArray[np.bool_]]] | None = []
        self.slope = np.zeros(len(lengths))
        self.pairs = np.zeros((len(lengths), BINS), np.int64)

    def add(self, works: Ints, own: NDArray[np.bool_], away: NDArray[np.bool_]) -> None:
        """Count one phrase.

        `works` int16 (classes, works); `own` the works that are the phrase's
        own, `away` all that are related to it.
        """
        self.best[:, self.done] = np.where(away, 0, works).max(axis=1)
        self.bare[:, self.done] = np.where(own, 0, works).max(axis=1)
        self.done += 1
        if self._pilot is None:
            self._count(works, away)
            return
        self._pilot.append((works, away))
        if len(self._pilot) == PILOT or self.done == self.best.shape[1]:
            self._learn()

    def state(self) -> dict[str, Any] | None:
        """All that `go_on` needs, as arrays; None before the slope is learned."""
        if self._pilot is not None:
            return None
        best, bare = self.best[:, : self.done], self.bare[:, : self.done]
        counted = {"best": best, "bare": bare, "slope": self.slope, "pairs": self.pairs}
        return {**counted, "drawn": np.array(self.drawn), "lengths": self.lengths}

    def go_on(self, held: dict[str, Any]) -> None:
        """Take over what another draft of the same null had counted."""
        names = {"best", "bare", "slope", "pairs", "drawn", "lengths"}
        if not names <= held.keys() or not np.array_equal(held["lengths"], self.lengths):
            return
        self.done, self.drawn = held["best"].shape[1], int(held["drawn"])
        self.best[:, : self.done], self.bare[:, : self.done] = held["best"], held["bare"]
        self.slope, self.pairs = held["slope"].copy(), held["pairs"].copy()
        self._pilot = None

    def _learn(self) -> None:
        pilot, self._pilot = self._pilot or [], None
        kept = [(w[:, ~away], self._log[~away]) for w, away in pilot]
        x = np.concatenate([log for _, log in kept])
        spread = x - x.mean()
        total = float((spread**2).sum())
        for c in range(len(self.lengths)):
            y = np.concatenate([w[c] for w, _ in kept]).astype(float)
            self.slope[c] = float((spread * y).sum()) / total if total > 0 else 0.0
        for works, away in pilot:
            self._count(works, away)

    def _count(self, works: Ints, away: NDArray[np.bool_]) -> None:
        log = self._log[~away]
        for c in range(len(self.lengths)):
            r = residual(works[c, ~away], log, self.slope[c])
            self.pairs[c] += np.bincount(r, minlength=BINS)

    def finish(self, reference: str, version: str) -> Null:
        """The null."""
        done = slice(self.done)
        return Null(
            reference=reference,
            version=version,
            lengths=self.lengths,
            best=np.sort(self.best[:, done], axis=1),
            bare=np.sort(self.bare[:, done], axis=1),
            decoys=np.sort(self.decoys, axis=1),
            slope=self.slope,
            pairs=self.pairs,
            works=self._works,
        )


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

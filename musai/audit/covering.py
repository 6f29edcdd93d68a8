"""Which stretches of which takes make up a piece: a cover by blocks, the best evidence first.

For a stretch of a take laid on the piece, each of its notes is found there or not.
The evidence of a note is the logarithm of how much likelier that is for a stretch of the take than
for music that has nothing to do with it, whose notes fall where the piece's own
neighbourhood has them.  The best stretch of a placement is the one of most evidence in sum
(Kadane's maximal segment); a block stands if its evidence pays for having been sought
in so many places.  Its notes are taken, and the next best is sought among the others.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from musai.audit.piece import Ints, Piece, keys_of, nearest
from musai.audit.placing import HIGHEST, Placement, placements, scales_of
from musai.music import TICKS

HELD = 0.75
"""Share of a block's notes that are expected to be as they were."""

MOST_EVIDENCE = 3.5
"""Evidence of one note, in nats, at most."""

MARGIN = 9.0
"""Nats that a block must have beyond its price: at 3, 2.5% of the notes of unrelated songs were taken
for a take's, at 9 less than 1%."""

LEAST_NOTES = 4
"""Notes of a block that are there, at least."""

AT_A_BAR = 1.5
"""Nats by which a cut at a bar line is likelier than one elsewhere."""

NONE = np.zeros(0, np.int64)

PLAIN_KEY, PLAIN_BAR, PLAIN_BEAT = 0.7, 0.7, 0.2
"""Share of blocks that stand in the piece's own key, are moved by whole bars, by beats."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Block:
    """Notes `first` to `last` (exclusive) of a source, laid at a place.

    `here` and `there` are notes of the source and of the piece that are the same,
    by number; `evidence` in nats beyond the price of having sought.
    """

    place: Placement
    first: int
    last: int
    here: Ints
    there: Ints
    evidence: float


def cover(
    sources: Sequence[Piece],
    piece: Piece,
    favour: Sequence[float] = (),
    progress: Progress | None = None,
) -> list[Block]:
    """Blocks that make up the piece, the best evidence first; no note of the piece is in two.

    `favour` adds nats to the blocks of each source (a take that was kept is likelier).
    """
    scales = scales_of(sources, piece)
    favour = favour or [0.0] * len(sources)
    seekers = []
    for number, source in enumerate(sources):
        if progress:
            progress(number, len(sources))
        seekers += [
            Seeker(source, piece, place, favour[number] - log(len(sources)))
            for place in placements(number, source, piece, scales)
        ]
    if progress:
        progress(len(sources), len(sources))
    return _greedy(piece, seekers)


def _greedy(piece: Piece, seekers: Sequence["Seeker"]) -> list[Block]:
    """Evidence only falls as notes are taken, so a block that is best when looked at anew is best."""
    free = np.ones(len(piece), bool)
    heap: list[tuple[float, int, int, Block]] = []
    for i, seeker in enumerate(seekers):
        block = seeker.best(free, 0)
        if block is not None:
            heapq.heappush(heap, (-block.evidence, i, 0, block))
    found: list[tuple[Seeker, Block]] = []
    home = 0
    while heap:
        _, i, seen, block = heapq.heappop(heap)
        if seen == len(found):
            found.append((seekers[i], block))
            free[block.there] = False
            home = found[0][1].place.transposition
        again = seekers[i].best(free, home)
        if again is not None:
            heapq.heappush(heap, (-again.evidence, i, len(found), again))
    return _recut(piece, found, free)


def _recut(
    piece: Piece, found: Sequence[tuple["Seeker", Block]], free: NDArray[np.bool_]
) -> list[Block]:
    """The same blocks with the cuts between neighbours where both have most evidence.

    The first of two that was found may have reached over a bar line into the other.
    """
    order = sorted(range(len(found)), key=lambda i: found[i][0].time[found[i][1].first])
    blocks = [block for _, block in found]
    for one, other in pairwise(order):
        seekers = found[one][0], found[other][0]
        voices = piece.voice[blocks[one].there], piece.voice[blocks[other].there]
        if not np.intersect1d(*voices).size:
            continue
        for i in (one, other):
            free[blocks[i].there] = True
        cut = _cut(piece, seekers, (blocks[one], blocks[other]), free)
        for i, block in zip((one, other), cut, strict=True):
            blocks[i] = block
            free[block.there] = False
    return [block for block in blocks if len(block.there)]


def _cut(
    piece: Piece,
    seekers: tuple["Seeker", "Seeker"],
    blocks: tuple[Block, Block],
    free: NDArray[np.bool_],
) -> tuple[Block, Block]:
    """Two blocks with the cut between them moved: a bar line is likelier than any other place."""
    left, right = seekers
    start, end = int(left.time[blocks[0].first]), int(right.time[blocks[1].last - 1])
    inside = [
        (s.time >= start) & (s.time <= end) & (s.number >= least) & (s.number < most)
        for s, least, most in (
            (left, blocks[0].first, len(left.time)),
            (right, 0, blocks[1].last),
        )
    ]
    told = [s.found(free) for s in seekers]
    ticks = np.unique(np.concatenate([s.time[k] for s, k in zip(seekers, inside, strict=True)]))
    bars = piece.bars[(piece.bars > start) & (piece.bars <= end)]
    places = np.unique(np.concatenate([ticks[ticks > start], bars]))
    if len(places) == 0:
        return blocks
    # A block need not reach the cut: behind its last note of evidence nothing is lost.
    before = _best_until(left.time[inside[0]], told[0].gains[inside[0]], places)
    after = _best_from(right.time[inside[1]], told[1].gains[inside[1]], places)
    worth = before + after + AT_A_BAR * np.isin(places, piece.bars)
    cut = int(places[worth.argmax()])
    return (
        left.block(blocks[0], told[0], blocks[0].first, int(np.searchsorted(left.time, cut))),
        right.block(blocks[1], told[1], int(np.searchsorted(right.time, cut)), blocks[1].last),
    )


def _best_until(time: Ints, gains: NDArray[np.float64], places: Ints) -> NDArray[np.float64]:
    """The most that the notes from the first on, to one before each place, gain in sum."""
    sums = np.concatenate([[0.0], np.maximum.accumulate(np.cumsum(gains))])
    best: NDArray[np.float64] = sums[np.searchsorted(time, places)]
    return best


def _best_from(time: Ints, gains: NDArray[np.float64], places: Ints) -> NDArray[np.float64]:
    """The most that the notes from one behind each place, to the last, gain in sum."""
    sums = np.concatenate([np.maximum.accumulate(np.cumsum(gains[::-1]))[::-1], [0.0]])
    best: NDArray[np.float64] = sums[np.searchsorted(time, places)]
    return best


@dataclass(frozen=True, eq=False)
class Found:
    """For each note of a source: is it there, which note of the piece is it, its evidence."""

    hit: NDArray[np.bool_]
    there: Ints
    gains: NDArray[np.float64]


class Seeker:
    """A placement with what does not change: where each note would be and how crowded it is there."""

    def __init__(self, source: Piece, piece: Piece, place: Placement, favour: float) -> None:
        self.source, self.piece, self.place = source, piece, place
        self.time = place.ticks(source.onset)
        moved = np.where(source.row < 128, source.row + place.transposition, source.row)
        self.keys = keys_of(moved, self.time)
        self.crowd = piece.crowd(moved, self.time)
        self.favour = favour
        self.number = np.arange(len(source))

    def found(self, free: NDArray[np.bool_]) -> "Found":
        """Which of the notes are there among those of the piece that are free."""
        order = self.piece.order[free[self.piece.order]]
        at, away = nearest(self.piece.keys[free[self.piece.order]], self.keys, self.piece.reach)
        hit = at >= 0
        there = np.full(len(at), -1)
        there[hit] = order[at[hit]]
        return Found(hit, there, self._evidence(hit, away))

    def best(self, free: NDArray[np.bool_], home: int) -> Block | None:
        """The best stretch among the notes that are free; None where it does not pay."""
        found = self.found(free)
        if found.hit.sum() < LEAST_NOTES:
            return None
        first, last, total = _maximal(found.gains)
        worth = total - self._price(home) + self.favour
        if worth < MARGIN or found.hit[first:last].sum() < LEAST_NOTES:
            return None
        return self.block(Block(self.place, 0, 0, NONE, NONE, worth), found, first, last)

    def block(self, like: Block, found: "Found", first: int, last: int) -> Block:
        """A block over other notes of the source, without those at its ends that are not there."""
        inside = np.flatnonzero(found.hit[first:last]) + first
        if len(inside):
            sums = np.cumsum(found.gains[first:last])
            last = first + int(sums.argmax()) + 1
            rest = np.cumsum(found.gains[first:last][::-1])
            first = last - int(rest.argmax()) - 1
            inside = np.flatnonzero(found.hit[first:last]) + first
        return Block(like.place, first, last, inside, found.there[inside], like.evidence)

    def _evidence(self, hit: NDArray[np.bool_], away: Ints) -> NDArray[np.float64]:
        near = 1 + 2 * (away // self.piece.slot)
        chance = np.clip(self.crowd * near, 0.01, 0.9)
        there = np.minimum(np.log(HELD / chance), MOST_EVIDENCE)
        gone = np.log((1 - HELD) / (1 - np.minimum(self.crowd, 0.6)))
        return np.where(hit, there, gone)

    def _price(self, home: int) -> float:
        """How much choice there was: minus the logarithm of the prior of this place, in nats."""
        place, piece = self.place, self.piece
        in_key = place.transposition in (0, home)
        key = PLAIN_KEY / 2 if in_key else (1 - PLAIN_KEY) / (2 * HIGHEST)
        bars = max(1.0, piece.phrase.length / piece.bar_ticks(0))
        beats = bars * piece.bar_ticks(0) / TICKS
        slots = beats * TICKS / piece.slot
        if place.shift % piece.bar_ticks(0) == 0:
            where = PLAIN_BAR / bars
        elif place.shift % TICKS == 0:
            where = PLAIN_BEAT / beats
        else:
            where = (1 - PLAIN_BAR - PLAIN_BEAT) / slots
        scale = 0.9 if place.scale == 1 else 0.05
        return -log(key) - log(min(1.0, where)) - log(scale)


def _maximal(gains: NDArray[np.float64]) -> tuple[int, int, float]:
    """The stretch of largest sum: first, last (exclusive), sum."""
    sums = np.concatenate([[0.0], np.cumsum(gains)])
    lowest = np.minimum.accumulate(sums)
    last = int((sums - lowest)[1:].argmax()) + 1
    first = int(np.argmin(sums[:last]))
    return first, last, float(sums[last] - sums[first])

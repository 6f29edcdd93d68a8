"""Which works come first, and how one of them holds the phrase."""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match import align, places, search
from musai.match.compiled import kernels
from musai.match.index import Index
from musai.match.scores import UNITS
from musai.match.segment import KINDS
from musai.music.metre import Metre
from musai.music.notes import NoteArray

TUNING = 12
"""Two lines of a phrase lie in a work together when their transpositions agree but for octaves."""

LOOKED_AT = 8
"""Clusters that are ordered again by pitch."""

IN_PLACE = 1.5 * UNITS
"""What a note is worth that agrees in pitch; of 0, 1/4, 1/2, 1 and 2 bits the last two found most."""

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Scores by line and cluster.

    `best` int (clusters,): the work of each cluster that stands for it;
    `scores` (lines, clusters); `worth` (clusters,) what they are ordered by,
    in units; `order` the clusters that matched at all, best first; `usual` (lines,) the score
    that one work in twenty exceeds.
    """

    best: Ints
    scores: Ints
    worth: Ints
    order: Ints
    usual: Ints


def rank(index: Index, scores: Ints, sample: NDArray[np.bool_] | None = None) -> Ranked:
    """Rank clusters by `scores` (lines, works), the local scores in units.

    One line: by its score.  Several: by the sum over lines of what exceeds
    the 95th percentile of that line's scores, so that a work that holds all
    voices comes before one that holds a single voice a little better.  Where not all works were
    looked at, `sample` bool (works,) are those that say what is usual.
    """
    usual = np.zeros((len(scores), 1))
    if len(scores) > 1:
        known = index.alive if sample is None else sample
        usual = np.quantile(scores[:, known], 0.95, axis=1, keepdims=True)
        worth = np.maximum(0, scores - usual).sum(axis=0) + 1e-6 * scores.max(axis=0)
    else:
        worth = scores[0]  # int16, which numpy sorts by their digits
    order = np.argsort(-worth, kind="stable")
    order = order[index.alive[order]]
    clusters = index.cluster[order]
    # The last to be written is the first in order.
    first = np.empty(len(worth), np.int64)
    first[clusters[::-1]] = order[::-1]
    best = order[first[clusters] == order]
    held = worth[best].astype(float)
    order = np.arange(np.count_nonzero(held > 0))
    return Ranked(best, scores[:, best], held, order, usual[:, 0])


InBars = Callable[["Lie", int], float]
"""What the places in the bar of an alignment's notes say for a work, in bits."""


def again(lies: "Lies", ranked: Ranked, in_bars: InBars | None = None) -> Ranked:
    """The first `LOOKED_AT` clusters in order again, by pitch and by place in the bar.

    The score is of steps, which forget where a line stood before a wrong one;
    under the transposition of most pairs a note that agrees is worth `IN_PLACE` more.
    """
    first = ranked.order[:LOOKED_AT]
    worth = ranked.worth.astype(float)
    leading = np.argmax(ranked.scores[:, first], axis=0)
    for which in np.unique(leading).tolist():
        lies.expect(which, ranked.best[first[leading == which]].tolist())
    for cluster, which in zip(first.tolist(), leading.tolist(), strict=True):
        held = lies.of(which, int(ranked.best[cluster]))
        if held is None:
            continue
        worth[cluster] += IN_PLACE * held.explained.equal
        if in_bars is not None:
            worth[cluster] += UNITS * in_bars(held, int(ranked.best[cluster]))
    moved = first[np.argsort(-worth[first], kind="stable")]
    order = np.concatenate((moved, ranked.order[LOOKED_AT:]))
    return Ranked(ranked.best, ranked.scores, worth, order, ranked.usual)


def in_bars(lies: "Lies", metre: Metre, bars_of: Callable[[int], places.Bars]) -> InBars:
    """For `again`: the phrase's `metre`, and the bars of each work."""
    mine = places.Bars.of(metre)

    @functools.cache
    def ours_of(which: int) -> Ints:
        return mine.kinds(lies.onsets(which))

    def bits(lie: Lie, work: int) -> float:
        pairs = lie.explained.pairs
        onset = lies.stream(lie)
        # From the note before on, that the first one is not taken for a beginning.
        start = max(0, int(pairs[0, 1]) - 1)
        theirs = bars_of(work).kinds(onset[start : int(pairs[-1, 1]) + 1])
        ours = ours_of(lie.line)
        return places.agreement(ours[pairs[:, 0]], theirs[pairs[:, 1] - start])

    return bits


@dataclass(frozen=True, slots=True)
class Lie:
    """How a work holds a line of the phrase; `pairs` are note indices of the phrase and the work.

    `place`: segment and stream that hold it, `stream` in words; `first` and `last`: the passage
    within the line.
    """

    line: int
    score: int
    place: tuple[int, int]
    stream: str
    explained: align.Explained
    pairs: Ints
    first: int
    last: int


class Lies:
    """How works hold the lines of one phrase, each worked out once."""

    def __init__(
        self, index: Index, lines: Sequence[search.Line], found: Sequence[search.Found]
    ) -> None:
        self._index, self._lines, self._found = index, lines, found
        self._held: dict[tuple[int, int], Lie | None] = {}

    def of(self, which: int, work: int) -> Lie | None:
        """The best alignment of line `which` with a work; None where they have nothing in common."""
        if (which, work) not in self._held:
            self.expect(which, [work])
        return self._held[which, work]

    def onsets(self, which: int) -> Ints:
        """The onsets of a line of the phrase."""
        return self._lines[which].onset

    def stream(self, lie: Lie) -> Ints:
        """The onsets of the stream of the work that it is with."""
        segment, stream = lie.place
        return self._index.segments[segment].line(stream)[1]

    def expect(self, which: int, works: Iterable[int]) -> None:
        """Work out line `which` in several works at once: that is quicker than one by one."""
        asked: dict[int, list[tuple[int, int]]] = {}
        for work in works:
            if (which, work) not in self._held:
                segment, local = search.locate(self._index, work)
                asked.setdefault(segment, []).append((work, local))
        for segment, held in asked.items():
            numbers = np.array([number for _, number in held], np.int64)
            for (work, _), one in zip(held, self._lies(which, segment, numbers), strict=True):
                self._held[which, work] = one

    def _lies(self, which: int, segment: int, works: Ints) -> Iterator[Lie | None]:
        line, part = self._lines[which], self._index.segments[segment]
        found = self._found[which]
        numbers = np.zeros((len(works), 8), np.int64)
        tempos = np.ones(len(works))
        pairs = np.zeros((len(works), len(line) + 1, 2), np.int32)
        placed = np.zeros(pairs.shape, np.int64)
        kernels().lies(
            (part.work_streams, part.stream_blocks, part.stream_notes),
            (part.stream_lane, part.stream_column),
            (part.steps, part.ratios, part.ratios2),
            (part.pitch, part.onset, part.note),
            found.blocks[segment],
            works,
            found.everywhere,
            (line.profile, line.pitch, line.onset, line.index),
            align.RHYTHM_TOLERANCE,
            numbers,
            tempos,
            pairs,
            placed,
        )
        for (stream, score, total, shift, equal, run, extra, missing), tempo, mine, here in zip(
            numbers.tolist(), tempos.tolist(), pairs, placed, strict=True
        ):
            if total == 0:
                yield None
                continue
            told = align.Explained(
                mine[:total], shift, tempo, equal, total - equal, extra, missing, run
            )
            kind, voice = KINDS[part.stream_kind[stream]], int(part.stream_voice[stream])
            name = kind if voice < 0 else f"{kind} of voice {voice + 1}"
            first = int(mine[0, 0])
            last = first + total + extra - 1
            yield Lie(which, score, (segment, stream), name, told, here[:total], first, last)


def together(best: Lie, others: Sequence[Lie], query: NoteArray, work: NoteArray) -> Ints:
    """Pairs of all notes that lie in the work as the best line says, int (n, 2).

    Led by the best line and those that agree with it in transposition (but
    for octaves) and tempo, then every other note of the phrase that the work
    has at that time and pitch.
    """
    pairs = {tuple(pair) for pair in best.pairs.tolist()}
    used_query, used_work = {p[0] for p in pairs}, {p[1] for p in pairs}
    for other in others:
        if not _agree(best, other, query, work):
            continue
        for i, j in other.pairs.tolist():
            if i not in used_query and j not in used_work:
                pairs.add((i, j))
                used_query.add(i)
                used_work.add(j)
    return align.on_both_sides(
        query,
        work,
        np.array(sorted(pairs)),
        best.explained.transposition,
        best.explained.tempo_ratio,
    )


def _agree(best: Lie, other: Lie, query: NoteArray, work: NoteArray) -> bool:
    shift = best.explained.transposition - other.explained.transposition
    tempo = best.explained.tempo_ratio / other.explained.tempo_ratio
    if shift % TUNING or abs(np.log2(tempo)) > 0.1:
        return False
    # The same place too: where the other line begins, the best line's clock must say the same.
    i, j = other.pairs[0]
    lead_i, lead_j = best.pairs[0]
    due = (
        float(work["onset"][lead_j])
        + (float(query["onset"][i]) - float(query["onset"][lead_i])) / best.explained.tempo_ratio
    )
    return abs(due - float(work["onset"][j])) <= 480

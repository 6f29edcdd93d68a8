"""Reference phrases, and which works of a corpus are related to one.

Related is a work with the same title (but for spelling), with a creator in
common (where both are known), of one cluster, or such that one of two whole
lines is covered to `COVERED` by their alignment; or that shares so much of
its figures.  None of this looks at how well the phrase itself matches.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match import grams, search
from musai.match.catalogue import Catalogue
from musai.match.segment import BLOCK, DRUMS, KINDS

LENGTHS = (5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64)
"""Notes of the length classes."""

FEWEST_WORKS = 30
"""Clusters of works that a reference must have, that no single piece makes its null."""

COVERED = 0.6
"""Two works are one when the alignment of two of their lines covers so much of either."""

FEWEST_NOTES = 24
"""Notes that such an alignment has at least: two scraps of a line are not one for a shared cadence."""

WHOLE = 240
"""Notes of a longer line that stand for it: those around the phrase, and around its match."""

Ints = NDArray[Any]


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
        self._by_stem = _numbers(target.titles)
        self._by_name = _numbers(target.creators)
        self._ids = {work_id: k for k, work_id in enumerate(target.index.work_ids)}
        self._covered: dict[tuple[int, ...], bool] = {}

    def own(self, work: int) -> NDArray[np.bool_]:
        """True for the reference's work itself, and its near-duplicates, where the corpus has them."""
        out = np.zeros(len(self._target.titles), bool)
        same = self._ids.get(self._reference.index.work_ids[work])
        if same is not None:
            cluster = self._target.index.cluster
            out |= cluster == cluster[same]
        return out

    def mask(self, work: int) -> NDArray[np.bool_]:
        """True for what is related to the reference's work by title, creator or figures."""
        out = self.own(work)
        for number in self._titled(self._reference.titles[work]):
            out[number] = True
        for name in self._reference.creators[work]:
            out[self._by_name.get(name, [])] = True
        row = self._share[[work]]
        out[row.indices[row.data >= grams.NEAR_DUPLICATE]] = True
        cluster = self._target.index.cluster
        return out | np.isin(cluster, np.unique(cluster[out]))

    def checked(
        self, phrase: "Drawn", found: search.Found, away: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """`away` together with the best-matching works that turn out to be covered.

        For each length class the best work left is looked at, and taken away
        if it is related, until the best is unrelated: only the best counts.
        """
        out = away.copy()
        cluster = self._target.index.cluster
        for c in range(len(found.works)):
            blocks = [b[c] for b in found.blocks]
            while not out.all():
                scores = np.where(out, -1, found.works[c])
                best = int(np.argmax(scores))
                if scores[best] <= 0 or not self._covers(phrase, blocks, best):
                    break
                out |= cluster == cluster[best]
        return out

    def _titled(self, stems: frozenset[str]) -> set[int]:
        """Works that bear a title: the same telling words, or all of the shorter title's, two or more."""
        if not stems:
            return set()
        held: dict[int, int] = {}
        for stem in stems:
            for number in self._by_stem.get(stem, []):
                held[number] = held.get(number, 0) + 1
        sizes = ((n, c, len(self._target.titles[n])) for n, c in held.items())
        return {
            n
            for n, c, size in sizes
            if c == min(size, len(stems)) and (c > 1 or size == len(stems))
        }

    def _covers(self, phrase: "Drawn", blocks: list[Ints], work: int) -> bool:
        segment, stream, block = search.best_block(self._target.index, blocks, work)
        part = self._target.index.segments[segment]
        middle = (block - int(part.stream_blocks[stream])) * BLOCK + BLOCK // 2
        key = (phrase.segment, phrase.stream, phrase.start // WHOLE, segment, stream, middle)
        if key not in self._covered:
            pitch, onset = self._reference.index.segments[phrase.segment].line(phrase.stream)
            first, last = _around(phrase.start + len(phrase.line) // 2, len(pitch))
            whole = search.line_from(pitch[first:last], onset[first:last])
            low, high = _around(middle, len(part.line(stream)[0]))
            pairs = len(search.trace(part, stream, whole, low, high).pairs)
            fewest = max(FEWEST_NOTES, COVERED * min(len(whole), high - low))
            self._covered[key] = pairs >= fewest
        return self._covered[key]


def _around(middle: int, length: int) -> tuple[int, int]:
    """First and last of the `WHOLE` notes around one; of a shorter line, all."""
    first = max(0, min(middle - WHOLE // 2, length - WHOLE))
    return first, min(length, first + WHOLE)


def _numbers(words: tuple[frozenset[str], ...]) -> dict[str, list[int]]:
    """The works that have each word."""
    out: dict[str, list[int]] = {}
    for number, held in enumerate(words):
        for word in held:
            out.setdefault(word, []).append(number)
    return out


@dataclass(frozen=True, slots=True)
class Sources:
    """The streams that reference phrases are cut from, by cluster."""

    lengths: tuple[int, ...]
    streams: tuple[tuple[tuple[int, int, int], ...], ...]
    """For each cluster its (work, segment, stream) with enough notes."""
    groups: tuple[tuple[int, ...], ...]
    """Numbers of clusters, by collection; each group has the same chance."""


def sources(reference: Catalogue, apart: bool = False) -> Sources:
    """Streams long enough for the longest length class that enough clusters can fill.

    With `apart` every collection of the reference has the same chance, so that a
    large one does not stand for all music: for judging a corpus of another kind.
    """
    index = reference.index
    held: dict[int, list[tuple[int, int, int, int]]] = {}
    offset = 0
    for number, part in enumerate(index.segments):
        work_of = np.repeat(np.arange(part.works), np.diff(part.work_streams)) + offset
        length = np.diff(part.stream_notes)
        tuneful = part.stream_kind != KINDS.index("bottom")
        tuneful &= part.stream_kind != KINDS.index("bass")
        tuneful &= part.stream_kind != DRUMS
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
    groups: dict[str, list[int]] = {}
    for number, entries_kept in enumerate(streams):
        row = reference.rows[entries_kept[0][0]]
        groups.setdefault(getattr(row, "collection", "") if apart else "", []).append(number)
    by_name = tuple(tuple(groups[name]) for name in sorted(groups))
    return Sources(tuple(n for n in LENGTHS if n <= reach), streams, by_name)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A reference phrase: where it is from, and its line of the longest length class."""

    work: int
    segment: int
    stream: int
    start: int
    line: search.Line


def draw(reference: Catalogue, pool: Sources, seed: int, number: int) -> Drawn:
    """Reference phrase `number`.

    A collection, a cluster, one of its lines and a place in it, each with equal
    chances; keyed by seed and number alone.
    """
    rng = np.random.Generator(np.random.Philox(key=[seed, number]))
    group = pool.groups[int(rng.integers(len(pool.groups)))]
    choices = pool.streams[group[int(rng.integers(len(group)))]]
    work, segment, stream = choices[int(rng.integers(len(choices)))]
    pitch, onset = reference.index.segments[segment].line(stream)
    reach = pool.lengths[-1]
    start = int(rng.integers(len(pitch) - reach + 1))
    pitch, onset = pitch[start : start + reach], onset[start : start + reach]
    return Drawn(work, segment, stream, start, search.line_from(pitch, onset))

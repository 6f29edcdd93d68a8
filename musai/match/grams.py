"""Figures of a few successive steps: which works share them, and where.

A figure is a number made of successive steps, so it does not change with
the key or the tempo.  `coverage` says how much of one whole work another
one holds: near-duplicates, and which works a null must not call unrelated.
`candidates.py` finds by shorter ones where a phrase may lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match.segment import DRUMS, Segment
from musai.match.streams import NO_STEP

WIDTH = 27
"""Steps from -13 to 13 make a figure's digits; larger ones count as 13."""

FIGURE = 6
"""Steps in the figures by which whole works are compared."""

COMMON = 0.05
"""Figures in more than this share of the works say nothing about two of them."""

NEAR_DUPLICATE = 0.6
"""Two works that hold this share of each other's figures are one."""

Ints = NDArray[Any]


def figures(steps: Ints, length: int) -> Ints:
    """Numbers of the `length` successive steps that start at each position; -1 across a line's end.

    `steps` int8 (n,), `NO_STEP` where a line begins.  Result int64 (n,).
    """
    digits = np.clip(steps, -13, 13).astype(np.int64) + 13
    count = len(steps) - length + 1
    out = np.full(len(steps), -1, np.int64)
    if count <= 0:
        return out
    value = np.zeros(count, np.int64)
    broken = np.zeros(count, bool)
    for k in range(length):
        value = value * WIDTH + digits[k : k + count]
        broken |= steps[k : k + count] == NO_STEP
    out[:count] = np.where(broken, -1, value)
    return out


def line_steps(segment: Segment) -> Ints:
    """Steps of all streams one after the other, int8 (notes,); none of drums, which have no pitch."""
    steps = np.full(len(segment.pitch), NO_STEP, np.int8)
    if len(steps) > 1:
        steps[1:] = np.clip(np.diff(segment.pitch.astype(np.int16)), -40, 40)
    starts = segment.stream_notes[:-1]
    steps[starts[starts < len(steps)]] = NO_STEP
    steps[np.repeat(segment.stream_kind == DRUMS, np.diff(segment.stream_notes))] = NO_STEP
    return steps


@dataclass(frozen=True, slots=True)
class FigureSets:
    """The figures of every work: work `i` holds `keys[offsets[i]:offsets[i + 1]]`, rising."""

    keys: Ints
    offsets: Ints

    @classmethod
    def joined(cls, parts: Sequence["FigureSets"]) -> "FigureSets":
        """The works of all parts, one after another."""
        keys = np.concatenate([part.keys for part in parts])
        ends = [part.offsets[1:].astype(np.int64) for part in parts]
        shift = np.cumsum([0, *(len(part.keys) for part in parts)])
        moved = (end + by for end, by in zip(ends, shift, strict=False))
        return cls(keys, np.concatenate([[0], *moved]))

    @property
    def bytes(self) -> int:
        """Bytes of both arrays."""
        return int(self.keys.nbytes + self.offsets.nbytes)

    @classmethod
    def of(cls, segment: Segment) -> "FigureSets":
        """The figures of a segment's works, each counted once a work."""
        keys = figures(line_steps(segment), FIGURE)
        work = np.repeat(
            np.repeat(np.arange(segment.works), np.diff(segment.work_streams)),
            np.diff(segment.stream_notes),
        )
        held = keys >= 0
        # Work and figure in one number, which sorts faster than pairs.
        both = np.unique(work[held] * WIDTH**FIGURE + keys[held])
        offsets = np.searchsorted(both, np.arange(segment.works + 1) * WIDTH**FIGURE)
        return cls((both % WIDTH**FIGURE).astype(np.uint32), offsets.astype(np.uint32))


def coverage(left: FigureSets, right: FigureSets) -> Any:
    """Share of each left work's figures that each right work holds: a sparse (left, right) matrix.

    Figures that more than `COMMON` of all works hold are left out on both
    sides; a work that has no others is like nothing.
    """
    from scipy import sparse

    keys, inverse = np.unique(np.concatenate((left.keys, right.keys)), return_inverse=True)
    counts = np.bincount(inverse, minlength=len(keys))
    works = len(left.offsets) + len(right.offsets) - 2
    rare = (counts <= _most(works)).astype(np.float32)
    split = len(left.keys)
    shape = (len(left.offsets) - 1, len(keys))
    a = sparse.csr_matrix((rare[inverse[:split]], inverse[:split], left.offsets), shape=shape)
    shape = (len(right.offsets) - 1, len(keys))
    b = sparse.csr_matrix((rare[inverse[split:]], inverse[split:], right.offsets), shape=shape)
    total = np.maximum(1, np.asarray(a.sum(axis=1)).ravel())
    return sparse.diags(1 / total) @ (a @ b.T)


def _most(works: int) -> float:
    """Works that a figure may stand in and still say something about two of them."""
    return max(20, COMMON * works)


def clusters(sets: FigureSets) -> Ints:
    """Number of every work's cluster: near-duplicates, directly or through others, share one.

    A cluster's number is that of its first work.
    """
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    count = len(sets.offsets) - 1
    if count == 0:
        return np.zeros(0, np.int32)
    share = coverage(sets, sets).tocsr()
    both = share.minimum(share.T).tocoo()
    close = both.data >= NEAR_DUPLICATE
    graph = sparse.coo_matrix((close[close], (both.row[close], both.col[close])), (count, count))
    _, label = connected_components(graph, directed=False)
    _, first = np.unique(label, return_index=True)
    numbers: Ints = first[label].astype(np.int32)
    return numbers


def clusters_with(before: Ints, sets: FigureSets, added: int) -> Ints:
    """`clusters` when the last `added` works are new and the clusters of the others are known.

    Only the new works are compared, and of an old work all figures count, common ones too:
    a little stricter than `clusters`, which is run again once a fifth is new.
    """
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    count, known = len(sets.offsets) - 1, len(before)
    keys = np.unique(sets.keys[int(sets.offsets[known]) :])
    # A table of the figures' last sixteen bits leaves few to be looked up.
    told = np.zeros(1 << 16, bool)
    told[keys & 0xFFFF] = True
    mine = np.flatnonzero(told[sets.keys & 0xFFFF])
    mine = mine[np.isin(sets.keys[mine], keys)]
    work = np.searchsorted(sets.offsets, mine, side="right") - 1
    slot = np.searchsorted(keys, sets.keys[mine])
    rare = (np.bincount(slot, minlength=len(keys)) <= _most(count))[slot]
    work, slot = work[rare], slot[rare]
    ones = np.ones(len(work), np.float32)
    table = sparse.csr_matrix((ones, (work, slot)), (count, max(1, len(keys))))
    shared = (table[known:] @ table.T).tocoo()
    total = np.diff(sets.offsets).astype(float)
    total[known:] = np.bincount(work, minlength=count)[known:]
    fewest = np.maximum(1, np.maximum(total[known + shared.row], total[shared.col]))
    close = shared.data >= NEAR_DUPLICATE * fewest
    left = np.concatenate((np.arange(known), known + shared.row[close]))
    right = np.concatenate((before, shared.col[close]))
    graph = sparse.coo_matrix((np.ones(len(left)), (left, right)), (count, count))
    _, label = connected_components(graph, directed=False)
    _, first = np.unique(label, return_index=True)
    numbers: Ints = first[label].astype(np.int32)
    return numbers

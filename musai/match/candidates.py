"""Where in a segment a phrase may lie: short figures vote, and the places they vote for are aligned.

Every three steps of the phrase are looked up in the postings; each place
where they stand votes, the more the rarer the figure, for where the phrase would
begin there.  The places with most votes are cut out of their streams, laid
out in lanes and swept like a small segment of their own, so that thousands
of them cost a millisecond.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match.compiled import kernels
from musai.match.grams import figures, line_steps
from musai.match.kernels import LANES
from musai.match.segment import BLOCK, Segment
from musai.match.streams import NO_STEP, Symbols, symbols_of_lines

KEY = 3
"""Steps in the figures by which candidates are found."""

BUDGET = 200_000
"""Places looked at for one line: its rarest figures first, and at least one figure."""

MOST = 5000
"""Windows that are aligned."""

POWER = 3
"""A figure votes with its rarity in bits to this power: common ones hardly count."""

BUCKET = 8
"""Notes by which two beginnings may differ and still be one."""

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Postings:
    """Where every figure of `KEY` steps stands: positions in a segment's notes, by figure."""

    figure: Ints
    offsets: Ints
    position: Ints

    @classmethod
    def of(cls, segment: Segment) -> "Postings":
        """The postings of all streams of a segment."""
        keys = figures(line_steps(segment), KEY)
        position = np.argsort(keys, kind="stable")
        position = position[np.searchsorted(keys[position], 0) :]
        figure, first = np.unique(keys[position], return_index=True)
        offsets = np.append(first, len(position))
        return cls(figure.astype(np.uint32), offsets.astype(np.uint32), position.astype(np.uint32))

    @property
    def bytes(self) -> int:
        """Bytes of all arrays."""
        return int(sum(getattr(self, field.name).nbytes for field in fields(self)))

    def beginnings(self, steps: Ints) -> Ints:
        """Positions in the segment where a line may begin, best first, to within `BUCKET` notes.

        `steps` int8 of the line, first `NO_STEP`.
        """
        keys = figures(steps, KEY)
        where = np.flatnonzero(keys >= 0)
        if not len(self.figure) or not len(where):
            return np.zeros(0, np.int64)
        slot = np.minimum(np.searchsorted(self.figure, keys[where]), len(self.figure) - 1)
        known = self.figure[slot] == keys[where]
        where, slot = where[known], slot[known]
        size = self.offsets[slot + 1].astype(np.int64) - self.offsets[slot]
        rarest = np.argsort(size, kind="stable")
        rarest = rarest[: max(1, int((np.cumsum(size[rarest]) <= BUDGET).sum()))]
        where, slot, size = where[rarest], slot[rarest], size[rarest]
        if not len(slot):
            return np.zeros(0, np.int64)
        parts = [self.position[self.offsets[s] : self.offsets[s + 1]] for s in slot]
        shift = np.concatenate(parts).astype(np.int64) - np.repeat(where, size)
        weight = np.repeat(np.log2(1 + len(self.position) / size) ** POWER, size)
        # A phrase may begin before the segment does: the first buckets are for that.
        before = 1 + len(steps) // BUCKET
        votes = np.bincount(shift // BUCKET + before, weight)
        # A note added or dropped moves the beginning: neighbours vote together.
        both = votes.copy()
        both[1:] += np.where(votes[1:] > 0, votes[:-1], 0)
        both[:-1] += np.where(votes[:-1] > 0, votes[1:], 0)
        bucket = np.flatnonzero(votes)
        if len(bucket) > MOST:
            bucket = bucket[np.argpartition(-both[bucket], MOST)[:MOST]]
        order = np.argsort(-both[bucket], kind="stable")
        begin: Ints = (bucket[order] - before) * BUCKET
        return begin


@dataclass(frozen=True, slots=True)
class Windows:
    """Parts of streams: positions `start` to `stop` in a segment, and the block each ends in."""

    start: Ints
    stop: Ints
    block: Ints


def windows(part: Segment, begin: Ints, notes: int) -> Windows:
    """The windows around places where a line of so many notes may begin, within their streams."""
    middle = np.clip(begin + notes // 2, 0, max(0, len(part.pitch) - 1))
    stream = np.searchsorted(part.stream_notes, middle, side="right") - 1
    first, last = part.stream_notes[stream], part.stream_notes[stream + 1]
    start = np.maximum(first, begin - notes // 2 - 4)
    stop = np.minimum(last, begin + notes + notes // 2 + BUCKET + 4)
    block = part.stream_blocks[stream] + (np.minimum(middle, last - 1) - first) // BLOCK
    kept = stop - start > 2
    return Windows(start[kept], stop[kept], block[kept])


def align(part: Segment, held: Windows, profile: Ints) -> Ints:
    """The best score of each window, int16 (windows,)."""
    count = len(held.start)
    lengths = held.stop - held.start
    out = np.zeros((1, count), np.int16)
    best: Ints = out[0]
    if count == 0:
        return best
    ends = np.cumsum(lengths)
    within = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
    at = np.repeat(held.start, lengths) + within
    signs = symbols_of_lines(part.pitch[at], part.onset[at], ends - lengths)
    # Rows of `LANES` windows, each row as wide as the widest window.
    wide = int(lengths.max())
    row, lane = np.divmod(np.arange(count), LANES)
    column = row * wide
    place = (np.repeat(column, lengths) + within) * LANES + np.repeat(lane, lengths)
    grid = _grid(signs, place, (int(row[-1]) + 1) * wide)
    kernels().sweep(
        grid.steps,
        grid.ratios,
        grid.ratios2,
        (column + wide).astype(np.int32),
        lane.astype(np.int32),
        np.arange(count, dtype=np.int32),
        np.ones(count, bool),
        profile,
        np.array([len(profile)]),
        out,
    )
    return best


def _grid(signs: Symbols, place: Ints, columns: int) -> Symbols:
    flat = [np.full(columns * LANES, NO_STEP, np.int8) for _ in range(3)]
    for made, values in zip(flat, (signs.steps, signs.ratios, signs.ratios2), strict=True):
        made[place] = values
    steps, ratios, ratios2 = (made.reshape(columns, LANES) for made in flat)
    return Symbols(steps, ratios, ratios2)

"""How many works hold one line, in one call: place, alignment, and what it means.

`ranking.Lies` asks for the fifty works that a match tells of; one by one, each
would cost more in handing arrays over than in aligning.

Importing this module imports numba, which costs half a second.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from musai.match import kernels, told
from musai.match.segment import BLOCK
from musai.match.streams import NO_STEP, SHORTEST

Ints = NDArray[Any]

STREAM, SCORE, TOTAL, SHIFT, EQUAL, RUN, EXTRA, MISSING = range(8)
"""Columns of `numbers`: the stream, the score, the pairs, of those what `told.read` says, and how many
notes of the line and of the stream stand between the first pair and the last without a partner."""

trace = numba.njit(nogil=True, cache=True)(kernels.trace)
worths = numba.njit(nogil=True, cache=True)(kernels.worths)
read = numba.njit(nogil=True, cache=True)(told.read)


@numba.njit(nogil=True, cache=True)
def _best_block(work_streams: Ints, stream_blocks: Ints, scores: Ints, work: int) -> Any:
    """Stream and block of a work's best score; (-1, -1) where it has no notes."""
    best, stream, block = -1, -1, -1
    for s in range(work_streams[work], work_streams[work + 1]):
        for b in range(stream_blocks[s], stream_blocks[s + 1]):
            if scores[b] > best:
                best, stream, block = scores[b], s, b
    return stream, block


@numba.njit(nogil=True, cache=True)
def _aligned(
    symbols: tuple[Ints, Ints, Ints],
    place: tuple[int, int],
    start: int,
    stop: int,
    told: tuple[Ints, Ints],
    enough: int,
) -> Any:
    """Score and pairs int32 (n, 2), first pair first, with notes start:stop of a stream."""
    lane, column = place
    profile, worth = told
    if stop - start < SHORTEST:
        return 0, np.zeros((0, 2), np.int32)
    steps = symbols[0][column + start : column + stop, lane].copy()
    ratios = symbols[1][column + start : column + stop, lane].copy()
    ratios2 = symbols[2][column + start : column + stop, lane].copy()
    steps[0] = NO_STEP
    rows = profile.shape[0]
    ways = np.empty((stop - start, rows), np.uint8)
    pairs = np.empty((3 * rows + 6, 3), np.int32)
    score, count = trace(steps, ratios, ratios2, profile, worth, enough, ways, pairs)
    kept = np.empty((count, 2), np.int32)
    total = 0
    for a in range(count):
        i, j = pairs[count - 1 - a, 0], pairs[count - 1 - a, 1]
        # At a gap both of its ends name the note that stands still: the later pair holds.
        if a + 1 < count and (pairs[count - 2 - a, 0] == i or pairs[count - 2 - a, 1] == j):
            continue
        kept[total, 0], kept[total, 1] = i, j + start
        total += 1
    return score, kept[:total]


@numba.njit(nogil=True, cache=True)
def lies(
    offsets: tuple[Ints, Ints, Ints],
    dealt: tuple[Ints, Ints],
    symbols: tuple[Ints, Ints, Ints],
    notes: tuple[Ints, Ints, Ints],
    scores: Ints,
    works: Ints,
    everywhere: bool,
    query: tuple[Ints, Ints, Ints, Ints],
    tolerance: float,
    numbers: Ints,
    tempos: Ints,
    pairs: Ints,
    placed: Ints,
) -> None:
    """The best alignment of a line with each of `works`, numbers within one segment.

    `offsets`: `work_streams`, `stream_blocks`, `stream_notes`; `dealt`: `stream_lane`,
    `stream_column`; `symbols`: `steps`, `ratios`, `ratios2`; `notes`: `pitch`, `onset`, `note`, all of
    the segment; `scores` by block, `everywhere` as in `search.Found`; `query`: profile, pitch, onset
    and index of the line.  Writes `numbers` int64 (works, 8), `tempos` (works,), `pairs` int32
    (works, notes of the line + 1, 2) by line and stream, `placed` int64 by phrase and work.
    """
    work_streams, stream_blocks, stream_notes = offsets
    stream_lane, stream_column = dealt
    pitch, onset, note = notes
    profile, query_pitch, query_onset, query_index = query
    told = profile, worths(profile)
    size = len(query_pitch)
    for n in range(len(works)):
        stream, block = _best_block(work_streams, stream_blocks, scores, works[n])
        numbers[n] = 0
        numbers[n, STREAM] = stream
        if stream < 0:
            continue
        first, last = stream_notes[stream], stream_notes[stream + 1]
        dealt_to = stream_lane[stream], stream_column[stream]
        enough = scores[block] if everywhere else kernels.NEVER_ENOUGH
        begin = (block - stream_blocks[stream]) * BLOCK
        start, stop = max(0, begin - 2 * size - 16), min(begin + BLOCK, last - first)
        score, found = _aligned(symbols, dealt_to, start, stop, told, enough)
        if score < scores[block]:
            # A path with long gaps began before, or one of the index engine's ends after.
            stop = min(begin + BLOCK + 2 * size, last - first)
            score, found = _aligned(symbols, dealt_to, 0, stop, told, enough)
        numbers[n, SCORE] = score
        if len(found) == 0:
            continue
        line = pitch[first:last], onset[first:last]
        total, shift, tempo, equal, run = read(
            query_pitch, query_onset, line[0], line[1], found, tolerance, pairs[n]
        )
        numbers[n, TOTAL], numbers[n, SHIFT] = total, shift
        numbers[n, EQUAL], numbers[n, RUN] = equal, run
        tempos[n] = tempo
        for column, side in ((EXTRA, 0), (MISSING, 1)):
            numbers[n, column] = pairs[n, total - 1, side] - pairs[n, 0, side] + 1 - total
        for a in range(total):
            placed[n, a, 0] = query_index[pairs[n, a, 0]]
            placed[n, a, 1] = note[first + pairs[n, a, 1]]

"""The loop that counts votes for diagonals, as a plain Python function over numpy arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BUCKET = 8
"""Diagonals by which two votes may differ and still be one."""

Ints = NDArray[Any]


def vote(
    slots: Ints,
    weight: NDArray[np.float32],
    offsets: Ints,
    position: Ints,
    stream_notes: Ints,
    fading: NDArray[np.float32],
    best: NDArray[np.float32],
) -> None:
    """Into `best` float32 (streams,): the strongest diagonal of a line in each stream.

    `slots` int64 (notes,): the figure that begins at each note of the line, -1
    for none; `weight`, `offsets` and `position`: the postings; `stream_notes`
    int64 (streams + 1,): where the notes of each stream begin; `fading`: what is left of a vote
    after so many notes of the line.
    """
    size = len(slots)
    count = (int(stream_notes[-1]) + size) // BUCKET + 1
    last = np.zeros(count, np.int32)
    value = np.zeros(count, np.float32)
    peak = np.zeros(count, np.float32)
    where = np.zeros(count, np.int64)
    for i in range(size):
        slot = slots[i]
        if slot < 0 or weight[slot] <= 0:
            continue
        for p in range(int(offsets[slot]), int(offsets[slot + 1])):
            at = int(position[p])
            diagonal = (at + size - i) // BUCKET
            gap = i - last[diagonal]
            left = fading[gap] if gap < len(fading) else np.float32(0)
            value[diagonal] = value[diagonal] * left + weight[slot]
            last[diagonal] = i
            if value[diagonal] > peak[diagonal]:
                peak[diagonal] = value[diagonal]
                where[diagonal] = at
    stream = 0
    for diagonal in range(count):
        if peak[diagonal] <= 0:
            continue
        at = where[diagonal]
        # Neighbouring diagonals lie in the same stream or nearly: no search is needed.
        while at < stream_notes[stream]:
            stream -= 1
        while at >= stream_notes[stream + 1]:
            stream += 1
        if peak[diagonal] > best[stream]:
            best[stream] = peak[diagonal]

"""The loops of the global mode, as plain Python functions over numpy arrays.

`compiled.py` compiles them.  A path through two lines takes one note of each
(a pair), one of the first alone or one of the second alone; its weight is the
product of what its notes and its turns weigh, here as sums of natural
logarithms.  The three sums below are the forward-backward algorithm on pairs
of sequences (Durbin, Eddy, Krogh and Mitchison 1998, chapter 4).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAIR, FIRST, SECOND = 0, 1, 2
"""The three ways a path can go on; axes of `turns`."""

NOTHING = -1e30
"""Logarithm of what cannot be."""

Floats = NDArray[Any]


def forward(
    pair: Floats, first: Floats, second: Floats, turns: Floats, start: Floats, out: Floats
) -> float:
    """Fill `out` (3, m + 1, n + 1): log weight of all paths that took i and j notes and ended so.

    `pair` (m, n), `first` (m,), `second` (n,), `turns` (3, 3) from way to
    way, `start` (3,).  Returns the log weight of all whole paths.
    """
    m, n = pair.shape
    out[:] = NOTHING
    for i in range(m + 1):
        for j in range(n + 1):
            for way in range(3):
                back_i = i - 1 if way != SECOND else i
                back_j = j - 1 if way != FIRST else j
                if back_i < 0 or back_j < 0:
                    continue
                top = NOTHING
                if back_i == 0 and back_j == 0:
                    top = start[way]
                for before in range(3):
                    top = max(top, out[before, back_i, back_j] + turns[before, way])
                if top <= NOTHING:
                    continue
                total = 0.0
                if back_i == 0 and back_j == 0:
                    total += math.exp(start[way] - top)
                for before in range(3):
                    total += math.exp(out[before, back_i, back_j] + turns[before, way] - top)
                here = first[i - 1] if way == FIRST else second[j - 1]
                if way == PAIR:
                    here = pair[i - 1, j - 1]
                out[way, i, j] = top + math.log(total) + here
    top = max(out[0, m, n], out[1, m, n], out[2, m, n])
    total = 0.0
    for way in range(3):
        total += math.exp(out[way, m, n] - top)
    return float(top + math.log(total))


def backward(pair: Floats, first: Floats, second: Floats, turns: Floats, out: Floats) -> None:
    """Fill `out` (3, m + 1, n + 1): log weight of all ways on from there to the end."""
    m, n = pair.shape
    out[:] = NOTHING
    after = np.empty(3)
    for i in range(m, -1, -1):
        for j in range(n, -1, -1):
            if i == m and j == n:
                for way in range(3):
                    out[way, i, j] = 0.0
                continue
            after[:] = NOTHING
            if i < m and j < n:
                after[PAIR] = out[PAIR, i + 1, j + 1] + pair[i, j]
            if i < m:
                after[FIRST] = out[FIRST, i + 1, j] + first[i]
            if j < n:
                after[SECOND] = out[SECOND, i, j + 1] + second[j]
            for way in range(3):
                top = NOTHING
                for then in range(3):
                    top = max(top, after[then] + turns[way, then])
                total = 0.0
                for then in range(3):
                    total += math.exp(after[then] + turns[way, then] - top)
                out[way, i, j] = top + math.log(total)


def likeliest(paired: Floats, alone: Floats, partner: Floats) -> float:
    """The partners of the first line's notes that are expected to be right most often.

    `paired` (m, n) and `alone` (m,) are probabilities; `partner` int (m,)
    takes the second line's note, -1 for none.  Returns the expected number
    of notes that are right.  (Maximum expected accuracy, as in C. Do et al.,
    "ProbCons", 2005.)
    """
    m, n = paired.shape
    best = np.zeros((m + 1, n + 1))
    ways = np.full((m + 1, n + 1), SECOND, np.int8)
    for i in range(1, m + 1):
        for j in range(n + 1):
            best[i, j] = best[i - 1, j] + alone[i - 1]
            ways[i, j] = FIRST
            if j > 0 and best[i - 1, j - 1] + paired[i - 1, j - 1] >= best[i, j]:
                best[i, j] = best[i - 1, j - 1] + paired[i - 1, j - 1]
                ways[i, j] = PAIR
            if j > 0 and best[i, j - 1] > best[i, j]:
                best[i, j] = best[i, j - 1]
                ways[i, j] = SECOND
    i, j = m, n
    while i > 0:
        way = ways[i, j]
        if way == SECOND:
            j -= 1
            continue
        partner[i - 1] = j - 1 if way == PAIR else -1
        i -= 1
        if way == PAIR:
            j -= 1
    return float(best[m, n])

"""Runs: k notes in a row of one line, as a number that neither key nor tempo changes.

A run of k notes has k - 1 steps and k - 2 ratio classes, `streams.symbols` of its notes but for
those that look back beyond its first.  Its key is 64 bits: 56 are a hash of everything but the last step,
the low eight are that step.  So all notes that would make a run of k - 1 notes one of a work's
stand side by side in a sorted table, and are known as soon as the time of the next note is.

Equal runs have equal keys.  Two different runs share one about once in 10^11 look-ups of a
million: a guard that blocks by keys never misses a run, and errs to the safe side once in a
life.  The hash is multilinear (Carter and Wegman 1979): a sum of symbols, each times an odd
number of its own, modulo 2^64, then mixed.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import log2
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match.streams import DRUM_STEP, MAX_RATIO, MAX_STEP, symbols_of_lines

SHORTEST_RUN, LONGEST_RUN = 4, 64
"""Notes of the shortest and the longest run that has a key."""

_WORD = (1 << 64) - 1
_STEP_BITS = 8
_LAST = (1 << _STEP_BITS) - 1

Ints = NDArray[Any]


def _mixed(word: int) -> int:
    """The finish of SplitMix64 (Steele et al. 2014)."""
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & _WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & _WORD
    return word ^ (word >> 31)


_FACTORS = tuple(_mixed(0x9E3779B97F4A7C15 * (i + 1) & _WORD) | 1 for i in range(LONGEST_RUN))


def _sign(step: int, ratio: int) -> int:
    """One number of a step and the ratio class of the note after it."""
    return (step + MAX_STEP) * 32 + ratio + MAX_RATIO + 1


def step_of(low: int, high: int, drums: bool = False) -> int:
    """The step from one pitch to the next."""
    return DRUM_STEP if drums else max(-MAX_STEP, min(MAX_STEP, high - low))


def ratio_of(before: int, after: int) -> int:
    """The class of the ratio of two waits in ticks."""
    return max(-MAX_RATIO, min(MAX_RATIO, round(2 * (log2(max(1, after)) - log2(max(1, before))))))


def prefix_of(signs: Sequence[int]) -> int:
    """The high 56 bits, in place, of the key of a run with these k - 2 signs."""
    return _mixed(sum(map(mul, _FACTORS, signs)) & _WORD) & ~_LAST


@lru_cache(4096)
def sign_of(step: int, before: int, after: int) -> int:
    """The sign of a note: the step to it, the waits before and after it in ticks."""
    return _sign(step, ratio_of(before, after))


def key_of(prefix: int, step: int) -> int:
    """The key of a run from its prefix and its last step."""
    return prefix | (step + MAX_STEP)


def last_step(key: int) -> int:
    """The last step of a run."""
    return (key & _LAST) - MAX_STEP


def line_keys(pitches: Ints, onsets: Ints, starts: Ints, drums: Ints, k: int) -> tuple[Ints, Ints]:
    """Keys of all runs of k notes of lines that lie one after the other.

    `pitches`, `onsets` (ticks) and `drums` bool, all (n,); each line begins at one of `starts`.
    Result: uint64 keys (m,) and the note at which each run begins, rising.
    """
    count = len(pitches) - k + 1
    if count <= 0:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    signs = symbols_of_lines(pitches, onsets, starts, drums)
    steps = signs.steps.astype(np.int64)
    words = np.zeros(len(pitches), np.uint64)
    words[1:-1] = ((steps[1:-1] + MAX_STEP) * 32 + signs.ratios[2:] + MAX_RATIO + 1).astype(
        np.uint64
    )
    total = np.zeros(count, np.uint64)
    for i in range(k - 2):
        total += np.uint64(_FACTORS[i]) * words[1 + i : 1 + i + count]
    keys = _mixed_all(total) & np.uint64(_WORD & ~_LAST)
    keys |= (steps[k - 1 :] + MAX_STEP).astype(np.uint64) & np.uint64(_LAST)
    line = np.zeros(len(pitches), np.int64)
    line[starts[starts < len(line)]] = 1
    line = np.cumsum(line)
    whole = np.flatnonzero(line[:count] == line[k - 1 :])
    return keys[whole], whole


def _mixed_all(words: Ints) -> Ints:
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Ints = words ^ (words >> np.uint64(31))
    return mixed

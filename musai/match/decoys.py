"""Decoys: lines that chance might bring, made like some music but quoting none of it.

A Markov chain of the first order: each step is one that follows the last step
somewhere in the music, each time gap one that follows the last gap.  What
such lines score against a corpus is what chance alone brings.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match import search
from musai.match.catalogue import Catalogue
from musai.match.segment import KINDS

LOWEST, HIGHEST = 36, 96
"""A decoy turns back at these pitches."""

MOST = 2_000_000
"""Notes of the music that are listened to."""

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Chain:
    """Steps and time gaps of some music, with the places of each value.

    `step_order` sorts the places of `steps` by their value: those of step `v` are
    `step_order[step_first[v + 128]:step_first[v + 129]]`.  `gaps` holds numbers of
    `gap_values` (ticks), likewise with `gap_order` and `gap_first`.
    """

    steps: Ints
    gaps: Ints
    step_order: Ints
    step_first: Ints
    gap_values: Ints
    gap_order: Ints
    gap_first: Ints


def chain(reference: Catalogue) -> Chain:
    """The chain of a catalogue's tuneful lines (no basses, no bottoms)."""
    pitches, onsets, total = [], [], 0
    for part in reference.index.segments:
        kinds = [KINDS.index(kind) for kind in ("line", "top", "skyline")]
        for stream in np.flatnonzero(np.isin(part.stream_kind, kinds)):
            pitch, onset = part.line(int(stream))
            total += len(pitch)
            if total <= MOST and len(pitch) > 2:
                pitches.append(np.diff(pitch.astype(np.int64)))
                onsets.append(np.diff(onset.astype(np.int64)))
    steps, gaps = np.concatenate(pitches), np.concatenate(onsets)
    values, numbers = np.unique(gaps, return_inverse=True)
    # The last place has nothing after it.
    step_order = np.argsort(steps[:-1], kind="stable")
    step_first = np.searchsorted(steps[:-1][step_order], np.arange(-128, 129))
    gap_order = np.argsort(numbers[:-1], kind="stable")
    gap_first = np.searchsorted(numbers[:-1][gap_order], np.arange(len(values) + 1))
    return Chain(steps, numbers, step_order, step_first, values, gap_order, gap_first)


def decoy(made_of: Chain, notes: int, seed: int, number: int) -> tuple[Ints, Ints]:
    """Pitches and onsets (ticks) of decoy `number`, keyed by seed and number alone."""
    rng = np.random.Generator(np.random.Philox(key=[seed, (1 << 32) + number]))
    draws = rng.random((notes, 2))
    at = int(rng.integers(len(made_of.steps)))
    step, gap = int(made_of.steps[at]), int(made_of.gaps[at])
    pitches, onsets = [60], [0]
    for by_step, by_gap in draws[1:]:
        turned = -step if not LOWEST <= pitches[-1] + step <= HIGHEST else step
        pitches.append(pitches[-1] + turned)
        onsets.append(onsets[-1] + max(1, int(made_of.gap_values[gap])))
        first, last = made_of.step_first[step + 128 : step + 130]
        if last > first:
            step = int(made_of.steps[made_of.step_order[first + int(by_step * (last - first))] + 1])
        first, last = made_of.gap_first[gap : gap + 2]
        if last > first:
            gap = int(made_of.gaps[made_of.gap_order[first + int(by_gap * (last - first))] + 1])
    return np.array(pitches), np.array(onsets)


def line(made_of: Chain, notes: int, seed: int, number: int) -> search.Line:
    """A decoy, ready to be searched for."""
    return search.line_from(*decoy(made_of, notes, seed, number))

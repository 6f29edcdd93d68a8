"""What an alignment means: transposition, tempo, what is equal and how long it runs.

Conventions: transposition and tempo ratio lead from the work to the
phrase.  A phrase that is a work's passage moved up by 3 semitones and
played twice as slowly has transposition 3 and tempo ratio 2.0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RHYTHM_TOLERANCE = 0.25
"""Two time gaps are of one class when they differ by less than this, in octaves, after the tempo."""

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Explained:
    """An alignment in a reader's terms, after its pairs were stretched as far as both sides go on alike.

    The transposition is the commonest difference in pitch; the tempo comes
    from the gaps that agree with their median.  A run is of pairs that follow
    one another on both sides, equal in interval and, the tempo taken away, in
    rhythm class: `told.read` works them out.

    `pairs` int (n, 2) of note numbers in the two lines; `equal`, `changed`
    count pairs, `extra` notes of the phrase without a partner between the
    first pair and the last, `missing` those of the work; `longest_run` in
    notes.
    """

    pairs: Ints
    transposition: int
    tempo_ratio: float
    equal: int
    changed: int
    extra: int
    missing: int
    longest_run: int


def on_both_sides(query: Ints, work: Ints, pairs: Ints, transposition: int, tempo: float) -> Ints:
    """Pairs of all notes of two polyphonic passages, led by the pairs of one line.

    `query` and `work` are note arrays, `pairs` int (n, 2) into them.  A note
    is paired when the work has its pitch (transposed) at its time, to within
    a tenth of the phrase's usual gap.  Every note is used once at most.
    """
    at = query["onset"].astype(float)
    led = np.unique(np.stack((at[pairs[:, 0]], work["onset"][pairs[:, 1]].astype(float))), axis=1)
    low, high = led[0, 0], led[0, -1]
    mapped = np.interp(at, led[0], led[1])
    mapped = np.where(at < low, led[1, 0] + (at - low) / tempo, mapped)
    mapped = np.where(at > high, led[1, -1] + (at - high) / tempo, mapped)
    gaps = np.diff(led[1])
    slack = max(1.0, 0.1 * float(np.median(gaps))) if len(gaps) else 1.0
    used_query, used_work = set(pairs[:, 0].tolist()), set(pairs[:, 1].tolist())
    out = [tuple(p) for p in pairs.tolist()]
    onsets = work["onset"].astype(float)
    first = np.searchsorted(onsets, mapped - slack)
    last = np.searchsorted(onsets, mapped + slack, side="right")
    # Plain lists: taking single notes out of arrays costs ten times as much.
    mine, theirs = (query["pitch"].astype(int) - transposition).tolist(), work["pitch"].tolist()
    for i, (start, stop) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        if start == stop or i in used_query:
            continue
        for j in range(start, stop):
            if mine[i] == theirs[j] and j not in used_work:
                used_work.add(j)
                out.append((i, j))
                break
    return np.array(sorted(out), np.int64)

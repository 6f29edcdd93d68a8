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
class Passage:
    """Two lines and the pairs between them: pitches, onsets (ticks), and pairs int (n, 2)."""

    query_pitch: Ints
    query_onset: Ints
    work_pitch: Ints
    work_onset: Ints
    pairs: Ints


@dataclass(frozen=True, slots=True)
class Explained:
    """An alignment in a reader's terms.

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


def explain(passage: Passage) -> Explained:
    """Explain a passage, after stretching its pairs as far as both sides go on alike."""
    shift = _transposition(passage)
    tempo = _tempo(passage)
    pairs = _stretched(passage, tempo)
    whole = Passage(
        passage.query_pitch, passage.query_onset, passage.work_pitch, passage.work_onset, pairs
    )
    moved = whole.query_pitch[pairs[:, 0]].astype(int) - whole.work_pitch[pairs[:, 1]]
    equal = int((moved == shift).sum())
    span = pairs[-1] - pairs[0] + 1 if len(pairs) else np.zeros(2, int)
    return Explained(
        pairs=pairs,
        transposition=shift,
        tempo_ratio=tempo,
        equal=equal,
        changed=len(pairs) - equal,
        extra=int(span[0]) - len(pairs),
        missing=int(span[1]) - len(pairs),
        longest_run=longest_run(whole, tempo),
    )


def _transposition(passage: Passage) -> int:
    """The commonest difference in pitch; of several, the one nearest to none."""
    if len(passage.pairs) == 0:
        return 0
    moved = passage.query_pitch[passage.pairs[:, 0]].astype(int)
    moved = moved - passage.work_pitch[passage.pairs[:, 1]]
    values, counts = np.unique(moved, return_counts=True)
    best = values[counts == counts.max()]
    return int(best[np.argmin(np.abs(best))])


def _gaps(passage: Passage) -> tuple[Ints, Ints]:
    """Time from each pair to the next on both sides, in ticks, float."""
    query = np.diff(passage.query_onset[passage.pairs[:, 0]].astype(float))
    work = np.diff(passage.work_onset[passage.pairs[:, 1]].astype(float))
    return query, work


def _tempo(passage: Passage) -> float:
    """The phrase's time over the work's, from the gaps that agree with their median."""
    query, work = _gaps(passage)
    if len(query) == 0:
        return 1.0
    octaves = np.log2(query / work)
    agree = np.abs(octaves - np.median(octaves)) < RHYTHM_TOLERANCE
    if not agree.any():
        return float(query.sum() / work.sum())
    return float(query[agree].sum() / work[agree].sum())


def _alike(passage: Passage, a: Ints, b: Ints, tempo: float) -> bool:
    """Whether the step from pair a to pair b is equal in interval and rhythm."""
    step = int(passage.query_pitch[b[0]]) - int(passage.query_pitch[a[0]])
    other = int(passage.work_pitch[b[1]]) - int(passage.work_pitch[a[1]])
    if step != other:
        return False
    gap = float(passage.query_onset[b[0]]) - float(passage.query_onset[a[0]])
    held = float(passage.work_onset[b[1]]) - float(passage.work_onset[a[1]])
    return bool(abs(np.log2(gap / (held * tempo))) < RHYTHM_TOLERANCE)


def _stretched(passage: Passage, tempo: float) -> Ints:
    """The pairs, gone on at both ends while interval and rhythm stay equal."""
    pairs = [np.asarray(p) for p in passage.pairs]
    if not pairs:
        return passage.pairs
    one = np.ones(2, int)
    while pairs[0].min() > 0 and _alike(passage, pairs[0] - one, pairs[0], tempo):
        pairs.insert(0, pairs[0] - one)
    ends = np.array([len(passage.query_pitch), len(passage.work_pitch)]) - 1
    while (pairs[-1] < ends).all() and _alike(passage, pairs[-1], pairs[-1] + one, tempo):
        pairs.append(pairs[-1] + one)
    return np.stack(pairs)


def longest_run(passage: Passage, tempo: float) -> int:
    """Notes in the longest run of pairs that follow one another equal in interval and rhythm."""
    pairs = passage.pairs
    if len(pairs) < 2:
        return len(pairs)
    query, work = _gaps(passage)
    neighbours = (np.diff(pairs, axis=0) == 1).all(axis=1)
    steps = np.diff(passage.query_pitch[pairs[:, 0]].astype(int))
    steps = steps == np.diff(passage.work_pitch[pairs[:, 1]].astype(int))
    alike = neighbours & steps & (np.abs(np.log2(query / (work * tempo))) < RHYTHM_TOLERANCE)
    ends = np.flatnonzero(np.concatenate(([True], ~alike, [True])))
    return int(np.diff(ends).max())


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
    for i in range(len(query)):
        if i in used_query:
            continue
        for j in range(int(first[i]), int(last[i])):
            same = int(query["pitch"][i]) - int(work["pitch"][j]) == transposition
            if same and j not in used_work:
                used_work.add(j)
                out.append((i, j))
                break
    return np.array(sorted(out), np.int64)

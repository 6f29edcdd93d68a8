"""The loop that reads an alignment: transposition, tempo, how far it stretches, how long it runs.

Plain Python over numpy arrays, compiled by `compiled.py`; `align.py` says
what the numbers mean.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[Any]


def read(
    query_pitch: Ints,
    query_onset: Ints,
    work_pitch: Ints,
    work_onset: Ints,
    pairs: Ints,
    tolerance: float,
    out: Ints,
) -> tuple[int, int, float, int, int]:
    """Read `pairs` int (n, 2), n > 0; the stretched pairs go to `out` int32 (rows, 2).

    Returns (pairs in `out`, transposition, tempo ratio, equal pairs, longest
    run).  `out` needs a row for every note of the phrase.
    """
    count = pairs.shape[0]
    shift = transposition = 0
    most = 0
    # The commonest difference in pitch; of several, the one nearest to none.
    for a in range(count):
        shift = int(np.int64(query_pitch[pairs[a, 0]]) - np.int64(work_pitch[pairs[a, 1]]))
        same = 0
        for b in range(count):
            if np.int64(query_pitch[pairs[b, 0]]) - np.int64(work_pitch[pairs[b, 1]]) == shift:
                same += 1
        if same > most or (same == most and abs(shift) < abs(transposition)):
            most, transposition = same, shift
    # The phrase's time over the work's, from the gaps that agree with their median.
    tempo = 1.0
    if count > 1:
        octaves = np.zeros(count - 1)
        for a in range(count - 1):
            query = float(query_onset[pairs[a + 1, 0]]) - float(query_onset[pairs[a, 0]])
            work = float(work_onset[pairs[a + 1, 1]]) - float(work_onset[pairs[a, 1]])
            octaves[a] = np.log2(query / work)
        ordered = np.sort(octaves)
        half = (count - 1) // 2
        middle = ordered[half] if count % 2 == 0 else (ordered[half - 1] + ordered[half]) / 2
        query = work = 0.0
        for a in range(count - 1):
            if abs(octaves[a] - middle) < tolerance:
                query += float(query_onset[pairs[a + 1, 0]]) - float(query_onset[pairs[a, 0]])
                work += float(work_onset[pairs[a + 1, 1]]) - float(work_onset[pairs[a, 1]])
        if work == 0.0:
            query = float(query_onset[pairs[count - 1, 0]]) - float(query_onset[pairs[0, 0]])
            work = float(work_onset[pairs[count - 1, 1]]) - float(work_onset[pairs[0, 1]])
        tempo = query / work
    # Both ends go on while interval and rhythm stay equal.
    before = 0
    i, j = int(pairs[0, 0]), int(pairs[0, 1])
    while i > 0 and j > 0:
        if np.int64(query_pitch[i]) - np.int64(query_pitch[i - 1]) != np.int64(
            work_pitch[j]
        ) - np.int64(work_pitch[j - 1]):
            break
        query = float(query_onset[i]) - float(query_onset[i - 1])
        work = float(work_onset[j]) - float(work_onset[j - 1])
        if abs(np.log2(query / (work * tempo))) >= tolerance:
            break
        i -= 1
        j -= 1
        before += 1
    total = 0
    for a in range(before):
        out[total, 0] = i + a
        out[total, 1] = j + a
        total += 1
    for a in range(count):
        out[total, 0] = pairs[a, 0]
        out[total, 1] = pairs[a, 1]
        total += 1
    i, j = int(pairs[count - 1, 0]), int(pairs[count - 1, 1])
    while i + 1 < len(query_pitch) and j + 1 < len(work_pitch):
        if np.int64(query_pitch[i + 1]) - np.int64(query_pitch[i]) != np.int64(
            work_pitch[j + 1]
        ) - np.int64(work_pitch[j]):
            break
        query = float(query_onset[i + 1]) - float(query_onset[i])
        work = float(work_onset[j + 1]) - float(work_onset[j])
        if abs(np.log2(query / (work * tempo))) >= tolerance:
            break
        i += 1
        j += 1
        out[total, 0] = i
        out[total, 1] = j
        total += 1
    equal = 0
    run = longest = 1
    for a in range(total):
        if np.int64(query_pitch[out[a, 0]]) - np.int64(work_pitch[out[a, 1]]) == transposition:
            equal += 1
        if a == 0:
            continue
        alike = out[a, 0] - out[a - 1, 0] == 1 and out[a, 1] - out[a - 1, 1] == 1
        alike = alike and np.int64(query_pitch[out[a, 0]]) - np.int64(
            query_pitch[out[a - 1, 0]]
        ) == np.int64(work_pitch[out[a, 1]]) - np.int64(work_pitch[out[a - 1, 1]])
        if alike:
            query = float(query_onset[out[a, 0]]) - float(query_onset[out[a - 1, 0]])
            work = float(work_onset[out[a, 1]]) - float(work_onset[out[a - 1, 1]])
            alike = abs(np.log2(query / (work * tempo))) < tolerance
        run = run + 1 if alike else 1
        longest = max(longest, run)
    return total, transposition, tempo, equal, longest

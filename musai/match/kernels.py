"""The inner loops, as plain Python functions over numpy arrays.

`compiled.kernels()` compiles them; uncompiled they are the slow reference
of the tests.  Conventions: integers only; a stream is a line of notes with
rising onsets; scores are sixteenths of a bit in int16.  Every loop over
`LANES` is written so that the compiler turns it into vector instructions:
the narrow casts are there for that and change no value.

The sweep aligns one phrase with 64 streams in lockstep (inter-sequence
vectors, as in T. Rognes, "Faster Smith-Waterman database searches with
inter-sequence SIMD parallelisation", 2011).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LANES = 64
"""Streams aligned in lockstep."""

FLOOR = -30000
"""A score that no path can have, far enough from the end of int16 to be added to."""

NEVER_ENOUGH = 2**30
"""A score that no alignment reaches."""

# Columns of a query profile, one row a note from the second on; see scores.py.
STEP, STEP2, RATIO, RATIO2 = 0, 1, 2, 3
EQUAL, NEAR1, NEAR2, OCTAVE, FAR = 4, 5, 6, 7, 8
RHYTHM, RHYTHM_NEAR, RHYTHM_FAR = 9, 10, 11
CHANGED, EXTRA, MISSING, RHYTHM2 = 12, 13, 14, 15
OPEN, EXTEND = 16, 17
COLUMNS = 18

Ints = NDArray[Any]


def sweep(
    steps: Ints,
    ratios: Ints,
    ratios2: Ints,
    event_column: Ints,
    event_lane: Ints,
    event_block: Ints,
    event_reset: Ints,
    profile: Ints,
    checks: Ints,
    out: Ints,
) -> None:
    """Best local alignment of a phrase's first notes with every block of every stream.

    `steps`, `ratios`, `ratios2` int8 (columns, LANES); events in order of
    column end a block of a lane before that column (block -1: none) and,
    where `event_reset`, start another stream there; `profile` int16 (rows,
    COLUMNS); `checks` rising numbers of rows; `out` int16 (checks, blocks):
    the best score of any path that ends in the block and uses only the
    first `checks[c]` rows.
    """
    columns = steps.shape[0]
    rows = profile.shape[0]
    count = checks.shape[0]
    # The score matrix at this column and the two before; rows 0 and 1 are the border.
    here = np.zeros((rows + 2, LANES), np.int16)
    back1 = np.zeros((rows + 2, LANES), np.int16)
    back2 = np.zeros((rows + 2, LANES), np.int16)
    gap_work = np.full((rows, LANES), FLOOR, np.int16)
    gap_query = np.zeros(LANES, np.int16)
    top = np.zeros(LANES, np.int16)
    best = np.zeros((count, LANES), np.int16)
    step2 = np.zeros(LANES, np.int8)
    zero = np.int16(0)
    never = np.int16(-10000)
    event = 0
    events = event_column.shape[0]
    for j in range(columns):
        while event < events and event_column[event] == j:
            lane = event_lane[event]
            block = event_block[event]
            for c in range(count):
                if block >= 0:
                    out[c, block] = best[c, lane]
                best[c, lane] = 0
            if event_reset[event]:
                for i in range(rows + 2):
                    back1[i, lane] = 0
                    back2[i, lane] = 0
                for i in range(rows):
                    gap_work[i, lane] = FLOOR
            event += 1
        for k in range(LANES):
            gap_query[k] = FLOOR
            top[k] = 0
        if j > 0:
            for k in range(LANES):
                step2[k] = np.int8(steps[j, k] + steps[j - 1, k])
        c = 0
        for i in range(rows):
            a1 = np.int8(profile[i, STEP])
            a2 = np.int8(profile[i, STEP2])
            b1 = np.int8(profile[i, RATIO])
            b2 = np.int8(profile[i, RATIO2])
            equal = np.int16(profile[i, EQUAL])
            near1 = np.int16(profile[i, NEAR1])
            near2 = np.int16(profile[i, NEAR2])
            octave = np.int16(profile[i, OCTAVE])
            far = np.int16(profile[i, FAR])
            rhythm = np.int16(profile[i, RHYTHM])
            rhythm_near = np.int16(profile[i, RHYTHM_NEAR])
            rhythm_far = np.int16(profile[i, RHYTHM_FAR])
            changed = np.int16(profile[i, CHANGED])
            extra = np.int16(profile[i, EXTRA])
            missing = np.int16(profile[i, MISSING])
            rhythm2 = np.int16(profile[i, RHYTHM2])
            opening = np.int16(profile[i, OPEN])
            extending = np.int16(profile[i, EXTEND])
            for k in range(LANES):
                u1 = steps[j, k]
                u2 = step2[k]
                x1 = ratios[j, k]
                x2 = ratios2[j, k]
                d = np.int8(abs(np.int8(u1 - a1)))
                s = (
                    equal
                    if d == 0
                    else (near1 if d == 1 else (near2 if d == 2 else (octave if d == 12 else far)))
                )
                x = np.int8(abs(np.int8(x1 - b1)))
                s = np.int16(s + (rhythm if x == 0 else (rhythm_near if x == 1 else rhythm_far)))
                h = np.int16(back1[i + 1, k] + s)
                # One note changed between two that agree.
                s = np.int16(
                    (changed if u2 == a2 else never) + (rhythm2 if x2 == b2 else rhythm_far)
                )
                s = np.int16(back2[i, k] + s)
                if s > h:
                    h = s
                # One note of the phrase that the work lacks.
                s = np.int16((extra if u1 == a2 else never) + (rhythm2 if x1 == b2 else rhythm_far))
                s = np.int16(back1[i, k] + s)
                if s > h:
                    h = s
                # One note of the work that the phrase lacks.
                s = np.int16(
                    (missing if u2 == a1 else never) + (rhythm if x2 == b1 else rhythm_far)
                )
                s = np.int16(back2[i + 1, k] + s)
                if s > h:
                    h = s
                if h < zero:
                    h = zero
                e = gap_work[i, k]
                f = gap_query[k]
                if e > h:
                    h = e
                if f > h:
                    h = f
                here[i + 2, k] = h
                g = np.int16(h - opening)
                e = np.int16(e - extending)
                f = np.int16(f - extending)
                gap_work[i, k] = g if g > e else e
                gap_query[k] = g if g > f else f
                if h > top[k]:
                    top[k] = h
            if c < count and i + 1 == checks[c]:
                for k in range(LANES):
                    if top[k] > best[c, k]:
                        best[c, k] = top[k]
                c += 1
        spare = back2
        back2 = back1
        back1 = here
        here = spare
    while event < events:
        lane = event_lane[event]
        block = event_block[event]
        if block >= 0:
            for c in range(count):
                out[c, block] = best[c, lane]
        event += 1


def skyline(onsets: Ints, ends: Ints, pitches: Ints, top: bool, spread: int, chosen: Ints) -> int:
    """Indices of the highest (`top`) or lowest notes in `chosen`; returns how many.

    Notes in order of onset.  Of notes that start within `spread` ticks of
    the first of them one stays; it is left out when a note beyond it that
    started earlier sounds through more than half of it.
    """
    sounding_until = np.zeros(128, np.int64)
    count = 0
    total = onsets.shape[0]
    start = 0
    while start < total:
        stop = start + 1
        while stop < total and onsets[stop] - onsets[start] <= spread:
            stop += 1
        pick = start
        for k in range(start + 1, stop):
            higher = pitches[k] > pitches[pick]
            if higher == top and pitches[k] != pitches[pick]:
                pick = k
        half = onsets[pick] + (ends[pick] - onsets[pick]) // 2
        covered = False
        if top:
            for p in range(pitches[pick] + 1, 128):
                covered = covered or sounding_until[p] > half
        else:
            for p in range(0, pitches[pick]):
                covered = covered or sounding_until[p] > half
        if not covered:
            chosen[count] = pick
            count += 1
        for k in range(start, stop):
            if ends[k] > sounding_until[pitches[k]]:
                sounding_until[pitches[k]] = ends[k]
        start = stop
    return count


BAR, BEAT, HALF, BETWEEN = 3, 2, 1, 0
"""Metrical levels: on a bar line, on another beat, half way between beats, elsewhere."""


def levels(starts: Ints, bars: Ints, beats: Ints, onsets: Ints, slack: int, out: Ints) -> None:
    """The metrical level of each of some onsets, in any order, to `out` (n,).

    `starts`, `bars`, `beats` as in `places.Bars`; `slack` ticks beside a place still count.
    """
    of = 0
    for n in range(onsets.shape[0]):
        onset = np.int64(onsets[n])
        if onset < starts[of]:
            of = 0
        while of + 1 < starts.shape[0] and starts[of + 1] <= onset:
            of += 1
        inside = onset - starts[of]
        out[n] = BETWEEN
        for level, every in ((HALF, beats[of] // 2), (BEAT, beats[of]), (BAR, bars[of])):
            past = inside % every
            if past <= slack or every - past <= slack:
                out[n] = level


STOP, DIRECT, VIA_CHANGED, VIA_EXTRA, VIA_MISSING, SKIP_WORK, SKIP_QUERY = range(7)
"""How a cell of the score matrix was reached; the low three bits of a direction."""

SKIP_WORK_ON, SKIP_QUERY_ON = 8, 16
"""Bits of a direction: that gap goes on beyond this cell."""


def worths(profile: Ints) -> Ints:
    """What each sign is worth against each row of a query profile, int32 (rows, 2, 256).

    Steps in the first of the two, time ratios in the second; a sign from -128 on at its place
    from there.
    """
    rows = profile.shape[0]
    out = np.empty((rows, 2, 256), np.int32)
    for i in range(rows):
        out[i, 0] = profile[i, FAR]
        out[i, 1] = profile[i, RHYTHM_FAR]
        for away in (12, 2, 1, 0):
            column = OCTAVE if away == 12 else EQUAL + away
            for sign in (-away, away):
                # Eight bits, as in the sweep.
                out[i, 0, (profile[i, STEP] + sign) % 256 ^ 128] = profile[i, column]
        for away in (1, 0):
            for sign in (-away, away):
                out[i, 1, (profile[i, RATIO] + sign) % 256 ^ 128] = profile[i, RHYTHM + away]
    return out


def trace(
    steps: Ints,
    ratios: Ints,
    ratios2: Ints,
    profile: Ints,
    worth: Ints,
    enough: int,
    ways: Ints,
    pairs: Ints,
) -> tuple[int, int]:
    """The best local alignment of a phrase with one stream: its score and its pairs.

    `steps`, `ratios`, `ratios2` int8 (notes,); `profile` as in `sweep`,
    `worth` its `worths`; what comes after is not looked at once a score is `enough`; `ways` uint8
    (notes, rows) is written over; `pairs` int32 (any, 3) takes (note of the
    phrase, note of the stream, 1 if the pair is a changed note), last pair
    first.  Returns (score, number of pairs); the score is that of `sweep`.
    """
    rows = profile.shape[0]
    columns = steps.shape[0]
    back1 = np.zeros(rows + 2, np.int32)
    back2 = np.zeros(rows + 2, np.int32)
    here = np.zeros(rows + 2, np.int32)
    gap_work = np.full(rows, FLOOR, np.int32)
    best, best_i, best_j = 0, -1, -1
    for j in range(columns):
        u1 = int(steps[j])
        u2 = 127
        if j > 0:
            # Eight bits, as in the sweep.
            u2 = (u1 + int(steps[j - 1]) + 128) % 256 - 128
        x1 = int(ratios[j])
        x2 = int(ratios2[j])
        gap_query = FLOOR
        for i in range(rows):
            h = back1[i + 1] + worth[i, 0, u1 + 128] + worth[i, 1, x1 + 128]
            far = int(profile[i, RHYTHM_FAR])
            way = DIRECT
            if u2 == profile[i, STEP2]:
                s = int(profile[i, CHANGED])
                s += int(profile[i, RHYTHM2]) if x2 == profile[i, RATIO2] else far
                if back2[i] + s > h:
                    h = back2[i] + s
                    way = VIA_CHANGED
            if u1 == profile[i, STEP2]:
                s = int(profile[i, EXTRA])
                s += int(profile[i, RHYTHM2]) if x1 == profile[i, RATIO2] else far
                if back1[i] + s > h:
                    h = back1[i] + s
                    way = VIA_EXTRA
            if u2 == profile[i, STEP]:
                s = int(profile[i, MISSING])
                s += int(profile[i, RHYTHM]) if x2 == profile[i, RATIO] else far
                if back2[i + 1] + s > h:
                    h = back2[i + 1] + s
                    way = VIA_MISSING
            if h <= 0:
                h = 0
                way = STOP
            if gap_work[i] > h:
                h = gap_work[i]
                way = SKIP_WORK
            if gap_query > h:
                h = gap_query
                way = SKIP_QUERY
            here[i + 2] = h
            if h > best:
                best, best_i, best_j = h, i, j
            opened = h - int(profile[i, OPEN])
            extend = int(profile[i, EXTEND])
            if gap_work[i] - extend > opened:
                gap_work[i] -= extend
                way |= SKIP_WORK_ON
            else:
                gap_work[i] = opened
            if gap_query - extend > opened:
                gap_query -= extend
                way |= SKIP_QUERY_ON
            else:
                gap_query = opened
            ways[j, i] = way
        if best >= enough:
            break
        spare = back2
        back2 = back1
        back1 = here
        here = spare
    count = 0
    i, j = best_i, best_j
    last_i, last_j = -1, -1
    while i >= 0 and j >= 0:
        way = ways[j, i] & 7
        if way == STOP:
            break
        if way == SKIP_WORK:
            j -= 1
            while j >= 0 and ways[j, i] & SKIP_WORK_ON:
                j -= 1
            continue
        if way == SKIP_QUERY:
            i -= 1
            while i >= 0 and ways[j, i] & SKIP_QUERY_ON:
                i -= 1
            continue
        if (i, j) != (last_i, last_j):
            pairs[count] = (i + 1, j, 0)
            count += 1
        if way == VIA_CHANGED:
            pairs[count] = (i, j - 1, 1)
            count += 1
        i -= 2 if way in (VIA_CHANGED, VIA_EXTRA) else 1
        j -= 2 if way in (VIA_CHANGED, VIA_MISSING) else 1
        pairs[count] = (i + 1, j, 0)
        count += 1
        last_i, last_j = i, j
    return best, count

"""The loops against a textbook, uncompiled and compiled, lane by lane."""

import made
import numpy as np
import pytest

from musai.match import kernels as k
from musai.match import scores, search, segment
from musai.match.compiled import kernels
from musai.match.streams import NO_STEP, Symbols, symbols


def textbook(line: Symbols, table: np.ndarray) -> int:
    """The best local score, written straight from the definition of the moves."""
    rows, notes = len(table), len(line)
    h = np.zeros((rows + 2, notes + 2), int)
    gap_work = np.full((rows + 2, notes + 2), k.FLOOR)
    gap_query = np.full((rows + 2, notes + 2), k.FLOOR)
    for j in range(notes):
        for i in range(rows):
            row = {n: int(v) for n, v in enumerate(table[i])}
            step, ratio, ratio2 = int(line.steps[j]), int(line.ratios[j]), int(line.ratios2[j])
            known = j > 0 and step != NO_STEP and int(line.steps[j - 1]) != NO_STEP
            both = step + int(line.steps[j - 1]) if known else None
            off = abs(step - row[k.STEP])
            named = {0: k.EQUAL, 1: k.NEAR1, 2: k.NEAR2, 12: k.OCTAVE}
            late = abs(ratio - row[k.RATIO])
            timed = {0: k.RHYTHM, 1: k.RHYTHM_NEAR}
            options = [
                0,
                h[i + 1, j + 1] + row[named.get(off, k.FAR)] + row[timed.get(late, k.RHYTHM_FAR)],
            ]
            if both == row[k.STEP2]:
                bonus = row[k.RHYTHM2] if ratio2 == row[k.RATIO2] else row[k.RHYTHM_FAR]
                options.append(h[i, j] + row[k.CHANGED] + bonus)
            if step == row[k.STEP2]:
                bonus = row[k.RHYTHM2] if ratio == row[k.RATIO2] else row[k.RHYTHM_FAR]
                options.append(h[i, j + 1] + row[k.EXTRA] + bonus)
            if both == row[k.STEP]:
                bonus = row[k.RHYTHM] if ratio2 == row[k.RATIO] else row[k.RHYTHM_FAR]
                options.append(h[i + 1, j] + row[k.MISSING] + bonus)
            costs = row[k.OPEN], row[k.EXTEND]
            gap_work[i + 2, j + 2] = max(
                h[i + 2, j + 1] - costs[0], gap_work[i + 2, j + 1] - costs[1]
            )
            gap_query[i + 2, j + 2] = max(
                h[i + 1, j + 2] - costs[0], gap_query[i + 1, j + 2] - costs[1]
            )
            if i == 0:
                gap_query[i + 2, j + 2] = k.FLOOR
            h[i + 2, j + 2] = max(*options, gap_work[i + 2, j + 2], gap_query[i + 2, j + 2])
    return int(h.max())


def line_of(phrase, start=0, stop=None):
    part = phrase.notes[start:stop]
    return symbols(part["pitch"], part["onset"])


def traced(line: Symbols, table: np.ndarray, run=k.trace, enough: int = k.NEVER_ENOUGH):
    ways = np.zeros((len(line), len(table)), np.uint8)
    pairs = np.zeros((3 * len(table) + 6, 3), np.int32)
    signs = line.steps, line.ratios, line.ratios2
    score, count = run(*signs, table, k.worths(table), enough, ways, pairs)
    return score, pairs[:count][::-1]


@pytest.mark.parametrize("seed", range(6))
def test_trace_finds_the_score_of_the_textbook(seed):
    work, query = made.tune(seed, 40), made.tune(seed + 50, 12)
    cut = made.moved(work, [5, 6, 7, 9, 10, 11, 12, 13, 15], up=3)
    for phrase in (query, cut):
        table = scores.profile(line_of(phrase))
        expected = textbook(line_of(work), table)
        assert traced(line_of(work), table)[0] == expected
        assert traced(line_of(work), table, kernels().trace)[0] == expected


@pytest.mark.parametrize("seed", range(6))
def test_a_trace_that_knows_its_score_ends_where_the_whole_one_does(seed):
    work, query = made.tune(seed, 80), made.tune(seed + 50, 12)
    table = scores.profile(line_of(query))
    score, pairs = traced(line_of(work), table)
    known, found = traced(line_of(work), table, enough=score)
    assert known == score
    assert found.tolist() == pairs.tolist()


def test_the_compiled_worths_are_the_plain_ones():
    table = scores.profile(line_of(made.tune(3, 20)))
    plain = k.worths(table)
    assert (kernels().worths(table) == plain).all()
    step = int(table[4, k.STEP])
    assert plain[4, 0, [step + 128, step + 129, step + 126]].tolist() == [
        table[4, k.EQUAL], table[4, k.NEAR1], table[4, k.NEAR2]
    ]  # fmt: skip


def test_the_sweep_gives_every_stream_the_score_of_the_trace():
    phrases = [made.tune(s, 30 + 7 * s) for s in range(30)] + [made.tune(99, 700)]
    part = segment.build(phrases)
    query = made.moved(phrases[7], range(20, 36), up=-5, stretch=0.8)
    line = search.line_of(query, np.arange(len(query)))
    out = np.zeros((1, part.blocks), np.int16)
    kernels().sweep(*lanes(part), line.profile, np.array([len(line) - 1]), out)
    by_stream = part.stream_scores(out[0])
    expected = [traced(line_of(p), line.profile, kernels().trace)[0] for p in phrases]
    assert by_stream.tolist() == expected
    assert int(np.argmax(by_stream)) == 7


def test_the_uncompiled_sweep_is_the_compiled_one():
    part = segment.build([made.tune(s, 12) for s in range(3)])
    line = search.line_of(made.tune(1, 12), np.arange(6))
    outs = []
    for run in (k.sweep, kernels().sweep):
        out = np.zeros((1, part.blocks), np.int16)
        # Eight bits wrap around, compiled or not; numpy's scalars warn of it.
        with np.errstate(over="ignore"):
            run(*lanes(part), line.profile, np.array([5]), out)
        outs.append(out.tolist())
    assert outs[0] == outs[1]


def test_a_sweep_with_checks_scores_each_beginning_of_the_phrase():
    phrases = [made.tune(s, 60) for s in range(12)]
    part = segment.build(phrases)
    query = made.moved(phrases[3], range(10, 42))
    whole = search.line_of(query, np.arange(32))
    checks = np.array([4, 7, 15, 31])
    out = np.zeros((4, part.blocks), np.int16)
    kernels().sweep(*lanes(part), whole.profile, checks, out)
    for row, rows in zip(out, checks, strict=True):
        alone = np.zeros((1, part.blocks), np.int16)
        short = search.line_of(query, np.arange(rows + 1))
        kernels().sweep(*lanes(part), short.profile, np.array([rows]), alone)
        assert row.tolist() == alone[0].tolist()


def test_skyline_and_bass_keep_the_outer_notes():
    onset = np.array([0, 0, 0, 240, 480, 485, 960])
    end = np.array([480, 480, 960, 480, 960, 960, 1440])
    pitch = np.array([60, 64, 48, 62, 65, 69, 40])
    for run in (k.skyline, kernels().skyline):
        for top, expected in ((True, [1, 5, 6]), (False, [2, 6])):
            chosen = np.zeros(7, np.int32)
            count = run(onset, end, pitch, top, 20, chosen)
            assert chosen[:count].tolist() == expected


def lanes(part):
    return (
        part.steps,
        part.ratios,
        part.ratios2,
        part.event_column,
        part.event_lane,
        part.event_block,
        part.event_reset,
    )

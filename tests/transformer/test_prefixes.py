"""Beginnings that are kept: what was read once is not read again, and no bit differs."""

import numpy as np

from musai.transformer.engine import Cache
from musai.transformer.prefixes import ASKED, Prefixes
from tests.transformer.test_engine import ENGINE, random_rows


def plainly(rows):
    return Cache(ENGINE).read(rows)


def test_who_reads_on_in_a_lent_beginning_is_not_disturbed_by_its_reader():
    rows, own = random_rows(100), random_rows(40, seed=6)
    kept = Prefixes(ENGINE)
    reader = kept.read(rows, "ahead")
    next(reader)
    next(reader)
    start = kept.fork(rows[:32])
    assert start.read == 32
    start.cache.read(own[:16])
    next(reader, None)
    next(reader, None)
    assert np.array_equal(start.cache.read(own[16:]), plainly(np.concatenate([rows[:32], own])))


def test_of_what_was_asked_for_the_last_stay_and_of_a_topic_the_last_one():
    kept = Prefixes(ENGINE)
    asked = [random_rows(40, seed=seed) for seed in range(ASKED + 1)]
    for rows in [*asked, asked[1]]:
        list(kept.read(rows))
    assert [kept.fork(rows).read for rows in asked] == [0] + [40] * ASKED
    list(kept.read(random_rows(40, seed=20), "jam"))
    list(kept.read(random_rows(40, seed=21), "jam"))
    assert [kept.fork(random_rows(40, seed=seed)).read for seed in (20, 21)] == [0, 40]


def test_a_beginning_that_overfills_the_window_is_read_in_steps_and_gives_the_same_bits():
    rows, more = random_rows(300), random_rows(10, seed=8)
    kept = Prefixes(ENGINE)
    for _ in kept.read(rows, "ahead"):
        start = kept.fork(rows[:250])
        state = start.cache.read(rows[start.read : 250]) if start.read < 250 else start.state
        assert np.array_equal(state, plainly(rows[:250]))
    start = kept.fork(rows)
    assert start.read == len(rows)
    assert np.array_equal(start.cache.read(more), plainly(np.concatenate([rows, more])))

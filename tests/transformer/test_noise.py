"""The noise is a pure function of seed, event, field and attempt."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musai.transformer.noise import FEW, Noise, key_of, log

PINNED = [11610823401870029240, 15998731016602878646, 2056653967165568464, 1675599512200147167]


def test_words_are_those_of_every_release():
    assert Noise(7).words(0, 0, 0, 4).tolist() == PINNED


def test_the_key_depends_on_the_seed_alone():
    assert key_of(7).tolist() == key_of(7).tolist()
    assert key_of(7).tolist() != key_of(8).tolist()


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**40), st.integers(0, 5), st.integers(0, 9))
def test_what_was_drawn_before_changes_nothing(seed, event, field, attempt):
    used = Noise(seed)
    used.gumbel(event + 1, field, 17)
    used.gumbel(0, 5, 3, attempt)
    fresh = Noise(seed).gumbel(event, field, 50, attempt)
    assert np.array_equal(used.gumbel(event, field, 50, attempt), fresh)


def test_a_choice_keeps_its_noise_whatever_else_is_allowed():
    noise = Noise(3)
    among = np.array([2, 5, 40])
    assert np.array_equal(noise.gumbel(4, 1, 64, 0, among), noise.gumbel(4, 1, 64)[among])


def test_event_field_and_attempt_each_change_the_noise():
    noise = Noise(3)
    here = noise.gumbel(1, 1, 8)
    for other in (noise.gumbel(2, 1, 8), noise.gumbel(1, 2, 8), noise.gumbel(1, 1, 8, 1)):
        assert not np.intersect1d(here, other).size


def test_the_values_are_gumbels():
    values = np.concatenate([Noise(1).gumbel(event, 0, 200) for event in range(2000)])
    # Mean: Euler's constant; standard deviation: pi / sqrt 6. Five standard errors.
    assert abs(values.mean() - 0.5772156649) < 5 * 1.2826 / math.sqrt(len(values))
    assert abs(values.std() - math.pi / math.sqrt(6)) < 0.015


@given(st.lists(st.floats(2.0**-1000, 2.0**1000), min_size=1, max_size=50))
def test_the_logarithm_is_within_two_units_in_the_last_place(values):
    x = np.array(values)
    exact = np.array([math.log(value) for value in values])
    assert (np.abs(log(x) - exact) <= 2.5 * np.spacing(np.maximum(np.abs(exact), 1e-16))).all()


@given(st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=FEW))
def test_a_few_logarithms_are_those_of_many_to_the_bit(values):
    many = np.array(values + [1.0] * FEW)
    assert log(np.array(values)).tolist() == log(many)[: len(values)].tolist()


def test_the_logarithm_is_pinned_to_the_bit():
    values = log(np.array([0.5, 2.0, 3.0, 0.1, 1.0, 1 - 2**-53, 1e300]))
    assert [value.hex() for value in values.tolist()] == [
        "-0x1.62e42fefa39efp-1",
        "0x1.62e42fefa39efp-1",
        "0x1.193ea7aad030bp+0",
        "-0x1.26bb1bbb55515p+1",
        "0x0.0p+0",
        "-0x1.0000000000000p-53",
        "0x1.5963447f87fb5p+9",
    ]

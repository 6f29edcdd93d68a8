"""A performance says which places it means, and how far off it is played."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musai.music import Phrase, Voice
from musai.transformer import vocabulary as v
from musai.transformer.encoding import encode, header_of
from musai.transformer.performed import EVEN, NUDGE_TICKS, placed, velocity_class


def test_late_sixteenths_are_sixteenths_played_late():
    places, nudge = placed(np.array([0, 131, 240, 352, 488]))
    assert places.tolist() == [0, 120, 240, 360, 480]
    assert (nudge - EVEN).tolist() == [0, 1, 0, -1, 1]


def test_triplets_stay_triplets_and_a_roll_stays_a_roll():
    assert placed(np.array([3, 158, 322]))[0].tolist() == [0, 160, 320]
    assert placed(np.array([2, 59, 121, 182, 239, 301, 362, 419]))[0].tolist() == list(
        range(0, 480, 60)
    )


@given(st.lists(st.integers(0, 400), min_size=1, max_size=20))
def test_what_lies_on_the_grid_stays(steps):
    onsets = np.array(steps) * v.STEP_TICKS
    places, nudge = placed(onsets)
    assert np.array_equal(places, onsets)
    assert (nudge == EVEN).all()


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30))
def test_places_and_nudges_are_near_what_was_played(onsets):
    places, nudge = placed(np.array(onsets))
    assert (places >= 0).all()
    assert ((nudge >= 1) & (nudge <= 15)).all()
    assert (np.abs(np.array(onsets) - places) <= 80).all()
    near = np.abs(np.array(onsets) - places) <= 7 * NUDGE_TICKS
    meant = places + (nudge - EVEN) * NUDGE_TICKS
    assert (np.abs(meant - np.array(onsets))[near] <= NUDGE_TICKS / 2 + 0.5).all()


def test_loudness_and_timing_are_asked_for_and_pads_are_named_as_general_midi_does():
    kit = Phrase.from_notes(
        [0, 0.525, 1], [0.25] * 3, [36, 22, 38], [100, 40, 127], names=(Voice("kit", 0, True),)
    )
    encoded = encode(kit, header_of(kit), 0, played=True)
    asked = encoded.targets[encoded.targets[:, 2] >= 0]
    assert asked[:, 2].tolist() == [36, 42, 38]
    assert asked[:, 4].tolist() == [12, 5, 15]
    assert asked[1, 5] + 1 > EVEN
    assert velocity_class(np.array([1, 127])).tolist() == [1, 16]

"""A human's timing goes to the grid and comes back as swing and accents."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musai.music import Phrase, Signature
from musai.transformer.feel import ACCENTS, Feel, heard, level
from tests.transformer.models import motif

SWUNG = Phrase.from_notes(
    [0, 0.66, 1, 1.67, 2, 2.65, 3, 3.66], [0.6, 0.3] * 4, [60, 62, 64, 65, 67, 69, 71, 72], length=4
)


def test_an_even_phrase_stays_as_it_is():
    even, feel = heard(motif())
    assert np.array_equal(even.notes["onset"], motif().notes["onset"])
    assert feel.swing == 0.5


def test_swing_is_taken_out_and_put_back():
    even, feel = heard(SWUNG)
    assert even.notes["onset"].tolist() == [240 * i for i in range(8)]
    assert 0.65 <= feel.swing <= 0.67
    played = [feel.onset(tick) for tick in even.notes["onset"].tolist()]
    assert np.abs(np.array(played) - SWUNG.notes["onset"]).max() <= 8


def test_triplets_are_not_swing():
    triplets = Phrase.from_notes(np.arange(12) / 3, [1 / 3] * 12, [60] * 12, length=4)
    even, feel = heard(triplets)
    assert feel.swing == 0.5
    assert even.notes["onset"].tolist() == triplets.notes["onset"].tolist()


def test_played_notes_go_to_sixteenths_and_are_held_until_the_next():
    loose = Phrase.from_notes(
        [0.02, 0.98, 2.03, 2.51], [0.8, 0.9, 0.4, 0.3], [60, 62, 64, 65], length=4
    )
    even, _ = heard(loose)
    assert even.notes["onset"].tolist() == [0, 480, 960, 1200]
    assert even.notes["duration"][:3].tolist() == [480, 480, 240]


@given(st.floats(0.55, 0.7), st.integers(0, 4000), st.integers(1, 4000))
def test_swing_never_turns_time_back(swing, tick, more):
    feel = Feel(swing)
    assert feel.onset(tick) <= feel.onset(tick + more)


def test_loudness_follows_the_prompt():
    soft = Phrase.from_notes(range(4), [1] * 4, [60] * 4, [50, 30, 40, 30], length=4)
    assert heard(soft)[1].accents[:2] == (50, 33)
    flat = Phrase.from_notes(range(4), [1] * 4, [60] * 4, 40, length=4)
    accents = heard(flat)[1].accents
    assert accents[0] > accents[1] > accents[3]
    assert abs(np.mean(accents) - 40) <= 1


def test_without_a_prompt_the_metre_gives_the_accents():
    signature = Signature(0, 6, 8)
    assert [level(tick, signature) for tick in (0, 240, 720, 960, 60)] == [0, 2, 1, 2, 3]
    assert Feel().velocity(0, signature) == ACCENTS[0]

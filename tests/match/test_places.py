"""Places in the bar and beginnings of phrases, and what they say for a match."""

import made
import numpy as np
import pytest

from musai.match import Matcher, places
from musai.music import Metre, Phrase, Signature

COMMON_TIME = places.Bars.of(Metre.of(signature=(4, 4)))


def test_a_bar_line_is_above_a_beat_and_a_beat_above_half_a_beat():
    onsets = np.array([0, 120, 240, 480, 960, 1920, 2160])
    assert COMMON_TIME.levels(onsets).tolist() == [3, 0, 1, 2, 2, 3, 1]


def test_compound_time_has_dotted_beats():
    bars = places.Bars.of(Metre.of(signature=(6, 8)))
    assert bars.levels(np.array([0, 240, 480, 720, 1440])).tolist() == [3, 0, 0, 2, 3]


def test_bars_are_counted_from_the_last_change_of_signature():
    metre = Metre(signatures=(Signature(0, 4, 4), Signature(1920, 3, 4)))
    assert places.Bars.of(metre).levels(np.array([1440, 1920, 3360])).tolist() == [2, 3, 3]


def test_a_note_played_a_little_beside_the_beat_is_on_it():
    assert COMMON_TIME.levels(np.array([475, 490, 500])).tolist() == [2, 2, 0]


def test_a_phrase_begins_after_a_rest_or_a_long_note():
    onsets = np.array([0, 240, 480, 720, 1680, 1920, 2160])
    assert np.flatnonzero(places.beginnings(onsets)).tolist() == [0, 4]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_lines_of_hardly_any_notes_have_a_beginning_at_most(count):
    assert places.beginnings(np.arange(count) * 480).tolist() == [True, False][:count]


def test_agreement_is_bounded_above_and_costs_one_bit_at_most():
    on_bars, between = np.full(40, 6), np.zeros(40, np.int64)
    assert places.agreement(on_bars, on_bars) == pytest.approx(places.MOST - 1, abs=0.03)
    assert places.agreement(on_bars, between) == pytest.approx(-1, abs=1e-6)


def after(own: int, melody: Phrase, quarter: float) -> Phrase:
    """A work of its own that comes to a melody at that quarter."""
    onsets, durations, pitches = made.melody(own, 40)
    return Phrase.from_notes(
        np.append(onsets, melody.notes["onset"] / 480 + quarter),
        np.append(durations, melody.notes["duration"] / 480),
        np.append(pitches, melody.notes["pitch"]),
    )


def test_of_two_works_with_one_melody_the_one_in_the_phrases_bars_is_first(tmp_path):
    melody = made.tune(5, 10)
    works = {"on the bar": after(60, melody, 120), "off the beat": after(61, melody, 120.75)}
    shelf = made.Shelf(tmp_path, {**works, **{f"other {k}": made.tune(20 + k) for k in range(3)}})
    matcher = Matcher.open(shelf, references=[], null="there")
    for quarter, title in ((4, "on the bar"), (4.75, "off the beat")):
        asked = Phrase.from_notes(
            melody.notes["onset"] / 480 + quarter,
            melody.notes["duration"] / 480,
            melody.notes["pitch"],
        )
        assert matcher.match(asked)[0].title == title

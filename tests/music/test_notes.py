"""Facts about the note array."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musai.errors import BadInput
from musai.music import NOTE, NoteArray, notes_array
from musai.music.notes import MAX_TICK, canonical, end_tick, untangled
from tests.strategies import notes


@st.composite
def tangles(draw: st.DrawFn) -> NoteArray:
    """Notes that overlap as often as not."""
    note = st.tuples(
        st.integers(0, 20),
        st.integers(1, 20),
        st.integers(60, 61),
        st.integers(1, 127),
        st.integers(0, 1),
    )
    return notes_array(*np.array(draw(st.lists(note, min_size=1, max_size=25))).T)


def sounding(array: NoteArray) -> set[tuple[int, int, int]]:
    """(tick, pitch, voice) of everything that sounds."""
    return {
        (tick, pitch, voice)
        for onset, duration, pitch, _, voice in array.tolist()
        for tick in range(onset, onset + duration)
    }


def test_a_note_takes_eleven_bytes() -> None:
    assert NOTE.itemsize == 11


def test_scalars_are_spread_and_notes_sorted() -> None:
    array = notes_array([480, 0], 240, [60, 64])
    assert array.tolist() == [(0, 240, 64, 80, 0), (480, 240, 60, 80, 0)]


def test_order_is_onset_voice_pitch() -> None:
    array = notes_array([0, 0, 0, 1], 5, [60, 50, 70, 1], 80, [1, 1, 0, 0])
    assert array[["onset", "voice", "pitch"]].tolist() == [
        (0, 0, 70),
        (0, 1, 50),
        (0, 1, 60),
        (1, 0, 1),
    ]


@pytest.mark.parametrize(
    ("name", "value", "legal"),
    [
        ("onset", -1, "0 to 268435455"),
        ("onset", MAX_TICK + 1, "0 to 268435455"),
        ("onset", 0.5, "0 to 268435455"),
        ("duration", 0, "1 to 268435455"),
        ("pitch", 128, "0 to 127"),
        ("velocity", 0, "1 to 127"),
        ("voice", 64, "0 to 63"),
    ],
)
def test_a_value_out_of_range_is_named_with_the_range(name: str, value: float, legal: str) -> None:
    columns = {"onset": [0.0], "duration": [1.0], "pitch": [60.0], "velocity": 80, "voice": 0}
    with pytest.raises(
        BadInput, match=f"{name} is {value:.10g}; legal is a whole number from {legal}"
    ):
        notes_array(**{**columns, name: [value]})


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([float("nan")], "not a finite number"),
        ([float("inf")], "not a finite number"),
        ([10**400], "not a number"),
        (["C4"], "not a number"),
        ([1j], "not a number"),
        ([None], "not a number|not a finite number"),
        ([[60, 62]], "legal is one row"),
        ([60, 62], "2 values of pitch for 1 onsets"),
    ],
)
def test_what_is_no_pitch_is_named(value: object, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        notes_array([0], [1], value)  # type: ignore[arg-type]


@given(notes(voice_count=3))
def test_canonical_order_does_not_depend_on_the_order_given(array: NoteArray) -> None:
    assert canonical(array[::-1]).tobytes() == array.tobytes()


@given(tangles())
def test_untangled_notes_do_not_overlap(array: NoteArray) -> None:
    after = untangled(array)
    durations = int(after["duration"].sum())
    assert len(sounding(after)) == durations


@given(tangles())
def test_untangling_twice_is_untangling_once(array: NoteArray) -> None:
    once = untangled(array)
    assert np.array_equal(once, untangled(once))


@given(tangles())
def test_untangling_keeps_every_distinct_attack_and_adds_no_sound(array: NoteArray) -> None:
    after = untangled(array)
    attack = ["onset", "pitch", "voice"]
    assert set(after[attack].tolist()) == set(array[attack].tolist())
    assert len(after) == len(set(array[attack].tolist()))
    assert sounding(after) <= sounding(array)


@given(tangles(), st.randoms(use_true_random=False))
def test_untangling_does_not_depend_on_the_order_given(array: NoteArray, random: Random) -> None:
    order = list(range(len(array)))
    random.shuffle(order)
    assert np.array_equal(untangled(array[order]), untangled(array))


def test_of_two_notes_at_once_the_longest_then_the_loudest_stays() -> None:
    array = notes_array([0, 0, 0], [10, 20, 20], 60, [100, 50, 70])
    assert untangled(array).tolist() == [(0, 20, 60, 70, 0)]


def test_a_pitch_struck_again_ends_the_note_that_sounds() -> None:
    array = notes_array([0, 10], [30, 5], 60)
    assert untangled(array)["duration"].tolist() == [10, 5]


@pytest.mark.parametrize("value", [[], [0]])
def test_a_phrase_of_nothing_or_one_note_has_an_end(value: list[int]) -> None:
    array = untangled(notes_array(value, 7, 60))
    assert end_tick(array) == 7 * len(value)

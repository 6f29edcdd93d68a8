"""Phrase and events say the same."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musai.music import Metre, Phrase, Signature, Tempo, Voice
from musai.music.keys import estimate_key, to_white_keys
from musai.transformer import vocabulary as v
from musai.transformer.encoding import (
    bars_of,
    decode_rows,
    encode,
    header_of,
    shift_of,
)
from tests.strategies import phrases
from tests.transformer.models import motif


def kinds(encoded):
    return encoded.rows[:, v.COLUMN["kind"]].tolist()


@st.composite
def grid_phrases(draw):
    """Phrases whose notes the grid can hold: up to 4 voices, lengths of DURATIONS."""
    note = st.tuples(
        st.integers(0, 400),
        st.sampled_from(v.DURATIONS.tolist()),
        st.integers(12, 115),
        st.integers(0, 3),
    )
    rows = draw(st.lists(note, min_size=1, max_size=30))
    onset, steps, pitch, voice = np.array(rows).T
    signature = draw(st.sampled_from([(4, 4), (3, 4), (6, 8), (2, 2), (5, 8)]))
    return Phrase.from_notes(
        onset / v.GRID, steps / v.GRID, pitch, voices=voice, names=(Voice(),) * 4,
        metre=Metre.of(signature=signature),
    )  # fmt: skip


@given(grid_phrases())
def test_encoding_then_decoding_gives_every_onset_pitch_and_voice(phrase):
    shift = shift_of(phrase)
    encoded = encode(phrase, header_of(phrase), shift)
    found = decode_rows(encoded.rows, bars_of(phrase), shift)
    told = {(n["onset"], n["pitch"], n["voice"]) for n in phrase.notes}
    assert sorted((onset, pitch, voice) for onset, _, pitch, voice in found) == sorted(told)


@given(grid_phrases())
def test_each_target_is_what_the_next_row_says(phrase):
    encoded = encode(phrase, header_of(phrase), shift_of(phrase))
    for row, target in zip(encoded.rows[1:], encoded.targets[:-1], strict=True):
        kind = row[v.COLUMN["kind"]]
        if kind == v.NOTE:
            said = [row[v.COLUMN[name]] - 1 for name in tuple(v.OUTPUTS)[:4]]
            assert target[:4].tolist() == said
        elif target[0] >= 0:
            assert (kind, target[0]) == (v.BAR, v.BARLINE)
    assert encoded.targets[-1, 0] == v.BARLINE


@given(phrases())
def test_any_phrase_is_encoded_within_the_ranges_of_the_table(phrase):
    # The length of wild phrases is cut, so that their empty bars stay countable.
    if (
        len(phrase.metre.bars_until(min(phrase.length, 480 * 400))) > 300
        or phrase.length > 480 * 400
    ):
        return
    encoded = encode(phrase, header_of(phrase), shift_of(phrase))
    sizes = np.array(list(v.INPUTS.values()))
    assert (encoded.rows >= 0).all()
    assert (encoded.rows < sizes).all()
    assert (encoded.targets < np.array(list(v.OUTPUTS.values()))).all()


def test_bars_stand_before_their_notes_and_count_down():
    encoded = encode(motif(), header_of(motif()), 0)
    assert kinds(encoded)[:3] == [v.HEAD, v.VOICE, v.BAR]
    bars = encoded.rows[encoded.bar_rows]
    assert bars[:, v.COLUMN["remaining"]].tolist() == [2, 1]
    assert bars[:, v.COLUMN["numerator"]].tolist() == [4, 4]


def test_a_bar_longer_than_the_grid_is_split():
    long = Phrase.from_notes([0, 11], [1, 1], [60, 62], metre=Metre.of(signature=(12, 4)))
    assert [bar.steps for bar in bars_of(long)] == [144, 144]
    notes = decode_rows(encode(long, header_of(long), 0).rows, bars_of(long), 0)
    assert [onset for onset, *_ in notes] == [0, 11 * 480]


def test_a_change_of_metre_is_told_at_its_bar():
    metre = Metre((Tempo(0, 500000),), (Signature(0, 4, 4), Signature(1920, 3, 4)))
    phrase = Phrase.from_notes([0, 4, 7], [1, 1, 1], [60, 62, 64], metre=metre)
    encoded = encode(phrase, header_of(phrase), 0)
    assert encoded.rows[encoded.bar_rows, v.COLUMN["numerator"]].tolist() == [4, 3, 3]


def test_a_note_just_before_the_bar_line_belongs_to_the_next_bar():
    late = Phrase.from_notes([0, 3.999, 4], [1, 0.5, 1], [60, 62, 64], length=8)
    encoded = encode(late, header_of(late), 0)
    onsets = [onset for onset, *_ in decode_rows(encoded.rows, bars_of(late), 0)]
    assert onsets == [0, 1920, 1920]


def test_keys_are_found_and_moved_to_the_white_keys():
    d_major = Phrase.from_notes(range(8), [1] * 8, [62, 66, 69, 74, 73, 71, 69, 62])
    assert estimate_key(d_major.notes) == (2, False)
    assert to_white_keys(2, False) == -2
    assert to_white_keys(9, True) == 0
    assert {to_white_keys(tonic, False) for tonic in range(12)} == set(range(-6, 6))
    shift = shift_of(d_major)
    assert {(pitch + shift) % 12 for pitch in d_major.notes["pitch"].tolist()} <= {
        0,
        2,
        4,
        5,
        7,
        9,
        11,
    }


def test_the_same_tune_in_any_key_gives_the_same_events():
    pitches = np.array([62, 66, 69, 74, 73, 71, 69, 62])
    rows = []
    for shift in range(-5, 6):
        phrase = Phrase.from_notes(range(8), [1] * 8, pitches + shift)
        rows.append(encode(phrase, header_of(phrase), shift_of(phrase)).rows)
    notes = [r[r[:, v.COLUMN["kind"]] == v.NOTE] for r in rows]
    classes = [(n[:, v.COLUMN["pitch"]] - 1) % 12 for n in notes]
    assert all(np.array_equal(classes[0], other) for other in classes)


def test_the_grid_holds_triplets_and_32nds_exactly():
    assert v.STEP_TICKS * v.GRID == 480
    assert {3, 4, 6, 8, 12, 16} <= set(v.DURATIONS.tolist())

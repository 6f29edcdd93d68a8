import pytest
from hypothesis import given
from hypothesis import strategies as st

from musai.errors import BadInput
from musai.music import Metre
from musai.report.bars import bars_between
from musai.report.rhythm import Sound, beats_of, events_of, pieces_of


def pieces(sounds, metre=None, bars=4):
    lines = bars_between(metre or Metre.of(), 0, 10**9, bars)
    beats = beats_of(lines, sounds)
    events = events_of(beats, sounds)
    return [
        pieces_of(bar, [b for b in beats if bar.first <= b.first < bar.last], events)
        for bar in lines
    ]


def line(*spans):
    """Sounds from (onset, end) in quarters."""
    return [Sound(480 * a, 480 * b, k) for k, (a, b) in enumerate(spans)]


def told(bar):
    """(value in ticks, what: a note's number, "r" a rest; "~" tied on; "3" in a triplet)."""
    return [
        f"{'r' if p.event is None else p.event.notes[0]}:{p.written}{'~' * p.ties}{'3' * p.triplet}"
        for p in bar
    ]


def test_lengths_are_note_values_and_silences_rests():
    (bar,) = pieces(line((0, 1), (1, 1.5), (1.5, 2), (3, 4)), bars=1)
    assert told(bar) == ["0:480", "1:240", "2:240", "r:480", "3:480"]


def test_dots_where_a_value_and_a_half_fits_the_beat():
    (bar,) = pieces(line((0, 1.5), (1.5, 2), (2, 2.75), (2.75, 3), (3, 4)), bars=1)
    assert told(bar) == ["0:720", "1:240", "2:360", "3:120", "4:480"]


def test_a_note_over_the_bar_line_is_tied():
    first, second = pieces(line((0, 3), (3, 6), (6, 8)), bars=2)
    assert told(first) == ["0:1440", "1:480~"]
    assert told(second) == ["1:960", "2:960"]


def test_a_length_that_no_value_has_is_tied_at_the_beat():
    (bar,) = pieces(line((0, 1.25), (1.25, 2), (2, 4)), bars=1)
    assert told(bar) == ["0:480~", "0:120", "1:360", "2:960"]


def test_triplets_are_written_three_for_two():
    (bar,) = pieces(line((0, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 1), (1, 4)), bars=1)
    assert told(bar) == ["0:2403", "1:2403", "2:2403", "3:1440"]


def test_a_note_that_sounds_into_a_triplet_is_cut_at_its_edge():
    (bar,) = pieces(line((0, 4 / 3), (4 / 3, 2), (2, 4)), bars=1)
    assert told(bar) == ["0:480~", "0:2403", "1:4803", "2:960"]


def test_compound_time_shows_its_dotted_beats():
    (bar,) = pieces(line((0, 1), (1, 1.5), (1.5, 3)), Metre.of(signature=(6, 8)), 1)
    assert told(bar) == ["0:480", "1:240", "2:720"]
    (bar,) = pieces(line((0, 2), (2, 3)), Metre.of(signature=(6, 8)), 1)
    assert told(bar) == ["0:720~", "0:240", "1:480"]


def test_a_players_unevenness_is_rounded_away():
    sounds = [Sound(480 * k + d, 480 * k + 400, k) for k, d in enumerate((0, 14, -11, 9))]
    (bar,) = pieces(sounds, bars=1)
    assert told(bar) == ["0:480", "1:480", "2:480", "3:480"]


def test_notes_of_one_moment_are_a_chord_and_shorter_ones_before_it_grace_notes():
    lines = bars_between(Metre.of(), 0, 1920, 1)
    sounds = [Sound(0, 50, 0), Sound(0, 480, 1), Sound(52, 480, 2), Sound(480, 960, 3)]
    events = events_of(beats_of(lines, sounds), sounds)
    assert [(e.start, e.notes, e.graces) for e in events][-1] == (480, (3,), ())
    near = [Sound(480, 500, 0), Sound(526, 960, 1), Sound(0, 480, 2), Sound(960, 1920, 3)]
    graced = [e for e in events_of(beats_of(lines, near), near) if e.graces]
    assert all(e.notes == (1,) and e.graces == (0,) for e in graced)


def test_notes_on_no_grid_are_refused():
    onsets = [480 * beat + late for beat in range(8) for late in (30, 270)]
    with pytest.raises(BadInput, match="no grid"):
        pieces([Sound(t, t + 200, k) for k, t in enumerate(onsets)], bars=2)


@pytest.mark.parametrize("signature", [(1, 64), (255, 1)])
def test_a_signature_without_32nds_or_without_end_is_refused(signature):
    with pytest.raises(BadInput, match=f"{signature[0]}/{signature[1]}"):
        pieces(line((0, 1)), Metre.of(signature=signature), 1)


@given(
    st.lists(st.integers(0, 63), min_size=1, max_size=30, unique=True),
    st.sampled_from([(4, 4), (3, 4), (6, 8), (5, 8), (2, 2), (12, 8), (7, 16), (3, 8)]),
)
def test_every_bar_is_filled_exactly(places, signature):
    onsets = sorted(places)
    ends = [*onsets[1:], onsets[-1] + 3]
    sounds = [Sound(120 * a, 120 * b, k) for k, (a, b) in enumerate(zip(onsets, ends, strict=True))]
    metre = Metre.of(signature=signature)
    size = metre.signatures[0].bar_ticks
    for bar in pieces(sounds, metre, -(-66 * 120 // size)):
        assert sum(p.written * 2 // 3 if p.triplet else p.written for p in bar) == size

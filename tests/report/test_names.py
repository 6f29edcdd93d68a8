import pytest

from musai.music import Metre, Tempo
from musai.report import names


@pytest.mark.parametrize(
    ("pitch", "flats", "name"),
    [
        (60, False, "C4"),
        (69, False, "A4"),
        (61, False, "C♯4"),
        (61, True, "D♭4"),
        (0, False, "C-1"),
    ],
)
def test_pitches_have_their_scientific_names(pitch, flats, name):
    assert names.pitch_name(pitch, flats) == name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\u2013"),
        (0.5, "0.5"),
        (0.0123, "0.012"),
        (0.0001, "0.0001"),
        (0.00009999, "0.0001"),
        (0.0000312, "3.1 \u00d7 10\u207b\u2075"),
        (41.526, "41.53"),
        (12345.0, "12,345"),
        (0, "0"),
    ],
)
def test_numbers_have_the_digits_they_deserve(value, text):
    assert names.number(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100%"), (0.999, "99%"), (0.001, "<1%"), (0.0, "0%"), (0.505, "50%")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(share, text):
    assert names.percent(share) == text


def test_places_and_lengths_are_said_as_musicians_say_them():
    metre = Metre.of(100, (4, 4))
    assert names.place(metre, 0) == "bar 1, beat 1"
    assert names.place(metre, 1920 + 720) == "bar 2, beat 2½"
    assert names.quarters(480) == "1 quarter"
    assert names.quarters(720) == "1½ quarters"
    assert names.quarters(160) == "0.33 quarters"


def test_keys_tempos_and_intervals_have_names():
    assert names.key_name(-3, True) == "C minor"
    assert names.key_name(2, False) == "D major"
    assert names.tempo_text([Tempo.from_bpm(96)]) == "96 quarters a minute"
    assert names.tempo_text([Tempo.from_bpm(96), Tempo.from_bpm(72, 480)]) == (
        "72 to 96 quarters a minute"
    )
    assert names.interval(-1) == "1 semitone down"
    assert names.interval(3) == "3 semitones up"
    assert names.interval(0) == "same pitch"


def test_dates_are_written_out_and_what_is_no_date_stays():
    assert names.day("2026-11-20T14:03:00+00:00") == "20 November 2026, 14:03 UTC"
    assert names.day("yesterday") == "yesterday"


def test_lists_and_counts_read_as_english():
    assert names.listed(["a"]) == "a"
    assert names.listed(["a", "b", "c"]) == "a, b and c"
    assert names.counted(1, "note") == "1 note"
    assert names.counted(12000, "note") == "12,000 notes"

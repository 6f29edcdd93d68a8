"""Every feature on phrases small enough to be counted by hand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given

from musai.music import Metre, Phrase, Voice
from musai.style.features import COLUMNS, FEATURES, HISTOGRAMS, WIDTH, extract, vector
from musai.style.passages import Span, length_class, one, sounding_bars, spans, table
from tests.strategies import phrases

# C E G C, quarters from the first beat of a bar of four.
ARPEGGIO = Phrase.from_notes([0, 1, 2, 3], [1, 1, 1, 1], [60, 64, 67, 72])

# Two equal bars of two half notes: C3 E4 G4, then F3 A4 C5.
CHORDS = Phrase.from_notes(
    np.repeat([0, 2, 4, 6], 3), [2] * 12, [48, 64, 67, 53, 69, 72] * 2, metre=Metre.of()
)


def bins(width, **shares):
    """A row of zeros with some shares: bins(12, b0=0.5) has one half in bin 0."""
    row = np.zeros(width)
    for name, share in shares.items():
        row[int(name[1:])] = share
    return row


def told(phrase, name):
    return vector(phrase)[COLUMNS[name]]


ARPEGGIO_GOLDEN = {
    # C twice, E and G once, all as long; tonic C.
    "degrees": bins(12, b0=0.5, b4=0.25, b7=0.25),
    "bass_degrees": bins(12, b0=0.5, b4=0.25, b7=0.25),
    # Up 4, 3, 5 semitones; bin 12 is a repeated note.
    "top_intervals": bins(25, b16=1 / 3, b15=1 / 3, b17=1 / 3),
    "bass_intervals": bins(25, b16=1 / 3, b15=1 / 3, b17=1 / 3),
    "voice_intervals": bins(25, b16=1 / 3, b15=1 / 3, b17=1 / 3),
    # Leap up (kind 4) after leap up: 5 * 4 + 4.
    "interval_pairs": bins(25, b24=1.0),
    # All rise; mean step 12/3; slope (-1.5*60 - .5*64 + .5*67 + 1.5*72) / 5.
    "contour": [1, 0, 0, 0, 4, 3.9],
    # Mean 263/4; squares of -5.75, -1.75, 1.25, 6.25 sum to 76.75.
    "register": [65.75, np.sqrt(76.75 / 4), 60, 72, 65.75, 65.75],
    # 60 // 4 = 15, 64 and 67 // 4 = 16, 72 // 4 = 18.
    "tessitura": bins(32, b15=0.25, b16=0.5, b18=0.25),
    "compass": [12, 12, 12],
    "spacing": bins(25),
    "attacks": bins(8, b0=1.0),
    "chord_sizes": bins(7, b0=1.0),
    "chord_kinds": bins(10, b9=1.0),
    "chord_degrees": bins(24),
    "chord_moves": bins(12),
    "above_bass": bins(11),
    # A quarter is class 6; among the six coarse classes 3: 6 * 3 + 3.
    "lengths": bins(14, b6=1.0),
    "waits": bins(14, b6=1.0),
    "voice_waits": bins(14, b6=1.0),
    "wait_pairs": bins(36, b21=1.0),
    "beat_places": bins(12, b0=1.0),
    "bar_places": bins(16, b0=0.25, b4=0.25, b8=0.25, b12=0.25),
    "voice_places": bins(24, b0=0.25, b6=0.25, b12=0.25, b18=0.25),
    "accents": [0.25, 0.75, 0, 0, 0],
    "syncopation": [0, 0],
    "metre": [4, 4, 0, 0],
    # Four notes in four quarters, sound all the time.
    "density": [1, 1, 1, 1],
    "polyphony": [1, 0, 0, 0, 0, 0, 0, 0, 1],
    "triplets": [0],
    "repetition": [0, 0, 0],
}

CHORDS_GOLDEN = {
    # C four times in twelve notes of one length; tonic C.
    "degrees": bins(12, b0=4 / 12, b4=2 / 12, b5=2 / 12, b7=2 / 12, b9=2 / 12),
    "bass_degrees": bins(12, b0=0.5, b5=0.5),
    # C3 F3 C3 F3: up, down, up a fourth.
    "bass_intervals": bins(25, b17=2 / 3, b7=1 / 3),
    # G4 C5 G4 C5.
    "top_intervals": bins(25, b17=2 / 3, b7=1 / 3),
    # Leap up, down, up: (4, 0) and (0, 4).
    "interval_pairs": bins(25, b20=0.5, b4=0.5),
    # C3 to E4 are 16, E4 to G4 are 3; F3 to A4 and A4 to C5 the same.
    "spacing": bins(25, b16=0.5, b3=0.5),
    "attacks": bins(8, b2=1.0),
    "compass": [24, 5, 5],
    "chord_sizes": bins(7, b2=1.0),
    "chord_kinds": bins(10, b0=1.0),
    "chord_degrees": bins(24, b0=0.5, b5=0.5),
    # Beat by beat C C F F C C F F: four stay, two rise a fourth, one a fifth.
    "chord_moves": bins(12, b0=4 / 7, b5=2 / 7, b7=1 / 7),
    # A major third and a fifth above the lowest note, bins from 1 semitone on.
    "above_bass": bins(11, b3=0.5, b6=0.5),
    # A half is two half octaves above a quarter.
    "lengths": bins(14, b8=1.0),
    "waits": bins(14, b8=1.0),
    "accents": [0.5, 0.5, 0, 0, 0],
    # 12 notes and 4 onsets in 8 quarters.
    "density": [1.5, 0.5, 1.5, 1],
    "polyphony": [0, 0, 1, 0, 0, 0, 0, 0, 3],
    # The second bar repeats the first's rhythm and pitch classes; no top note repeats.
    "repetition": [1, 1, 0],
    # Of three steps of the top line two rise; both neighbours turn.
    "contour": [2 / 3, 1 / 3, 0, 1, 5, np.nan],
}


@pytest.mark.parametrize("name", [f.name for f in FEATURES if f.name != "key_fit"])
def test_a_feature_of_an_arpeggio_is_as_counted_by_hand(name):
    assert told(ARPEGGIO, name) == pytest.approx(ARPEGGIO_GOLDEN[name])


@pytest.mark.parametrize("name", CHORDS_GOLDEN)
def test_a_feature_of_two_chords_is_as_counted_by_hand(name):
    golden = np.asarray(CHORDS_GOLDEN[name], float)
    kept = ~np.isnan(golden)
    assert told(CHORDS, name)[kept] == pytest.approx(golden[kept])


def test_the_key_fit_is_the_correlation_with_the_probe_tones():
    # Shares .5 C, .25 E, .25 G; the major profile has mean 3.4825 and squares of 164.6799 in all.
    above = 0.5 * 6.35 + 0.25 * 4.38 + 0.25 * 5.19 - 3.4825
    norms = np.sqrt((0.25 + 2 * 0.0625 - 1 / 12) * (164.6799 - 12 * 3.4825**2))
    major, minor, apart = told(ARPEGGIO, "key_fit")
    assert major == pytest.approx(above / norms, abs=1e-6)
    assert apart == pytest.approx(minor - major)
    assert apart < 0


def test_syncopation_counts_weak_onsets_held_over_a_beat():
    # Of the four onsets before the last, those at 0.5 and 1.5 sound over the next beat.
    held = Phrase.from_notes([0, 0.5, 1.5, 2.5, 3], [0.5, 1, 1, 0.5, 1], [60] * 5)
    assert told(held, "syncopation") == pytest.approx([0.5, 0.5])
    # Held over the bar line: one of two, and it counts double.
    over_bar = Phrase.from_notes([3, 3.5, 4.5], [0.5, 1, 1], [60] * 3)
    assert told(over_bar, "syncopation") == pytest.approx([0.5, 1.0])


def test_triplets_are_onsets_on_thirds_of_a_plain_beat():
    thirds = Phrase.from_notes([0, 1 / 3, 2 / 3], [1 / 3] * 3, [60, 62, 64])
    assert told(thirds, "triplets") == pytest.approx([2 / 3])
    assert told(thirds, "beat_places") == pytest.approx(bins(12, b0=1 / 3, b4=1 / 3, b8=1 / 3))


def test_transposing_changes_only_what_knows_the_register():
    moved = Phrase.from_notes([0, 1, 2, 3], [1] * 4, [65, 69, 72, 77])
    for name, part in COLUMNS.items():
        same = np.allclose(vector(moved)[part], vector(ARPEGGIO)[part])
        assert same == (name not in ("register", "tessitura")), name


def test_drums_count_in_rhythm_and_not_in_pitch():
    drums = Phrase.from_notes([0, 1, 2], [0.5] * 3, [36, 38, 36], names=[Voice(drum=True)])
    assert told(drums, "waits") == pytest.approx(bins(14, b6=1.0))
    assert not told(drums, "degrees").any()
    assert not told(drums, "register").any()


BAD = {
    "nothing": Phrase.from_notes([], [], []),
    "a long silence": Phrase.from_notes([], [], [], length=1000),
    "one note": Phrase.from_notes([0], [1], [60]),
    "all equal notes": Phrase.from_notes(range(50), [1] * 50, [60] * 50),
    "one chord": Phrase.from_notes([0] * 3, [4] * 3, [60, 64, 67]),
    "all pitches": Phrase.from_notes([0] * 128, [4] * 128, range(128)),
    "drums only": Phrase.from_notes([0, 1], [1, 1], [36, 38], names=[Voice(drum=True)]),
    "10,000 notes at once": Phrase.from_notes(
        np.zeros(10_000),
        np.ones(10_000),
        np.arange(10_000) % 128,
        voices=np.arange(10_000) // 128 % 64,
    ),
    "the shortest notes": Phrase.from_notes([0, 0.01], [0, 0], [60, 61]),
    "a note of half a million quarters": Phrase.from_notes([0], [500_000], [60]),
    "a note after half a million quarters": Phrase.from_notes([500_000], [1], [60]),
}


@pytest.mark.parametrize("name", BAD)
def test_whatever_the_phrase_the_vector_is_finite_and_its_shares_sum_to_one_or_nothing(name):
    row = vector(BAD[name])
    assert row.shape == (WIDTH,)
    assert np.isfinite(row).all()
    for feature in FEATURES:
        if feature.histogram:
            total = row[COLUMNS[feature.name]].sum()
            assert total == pytest.approx(1) or total == 0, feature.name


@given(phrases())
def test_every_valid_phrase_has_finite_features(phrase):
    row = vector(phrase)
    assert np.isfinite(row).all()
    assert row[HISTOGRAMS].min() >= 0
    assert row[HISTOGRAMS].max() <= 1 + 1e-9


def test_passages_counted_together_are_as_counted_alone():
    held = [ARPEGGIO, BAD["drums only"], CHORDS, BAD["nothing"], BAD["one chord"]]
    together = extract(table([(p, [Span(0, max(1, p.length))]) for p in held]))
    alone = np.stack([vector(phrase) for phrase in held])
    assert np.array_equal(together, alone)


def test_every_function_gives_as_many_numbers_as_its_row_says():
    for feature in FEATURES:
        assert feature.of(one(CHORDS)).shape == (1, feature.width), feature.name


def test_passages_do_not_overlap_and_lie_between_bar_lines():
    long = Phrase.from_notes(range(80), [1] * 80, [60] * 80)  # 20 bars
    assert sounding_bars(long) == 20
    found = spans(long, 4)
    assert [span.stop - span.start for span in found] == [4 * 1920] * 3
    assert all(span.start % 1920 == 0 for span in found)
    assert all(a.stop <= b.start for a, b in pairwise(found))
    assert spans(ARPEGGIO, 2) == [Span(0, 1920)]  # half as long stands for itself
    assert spans(ARPEGGIO, 4) == []


@pytest.mark.parametrize(("bars", "nearest"), [(1, 1), (3, 4), (5, 4), (6, 8), (9, 8), (500, 16)])
def test_a_length_belongs_to_the_class_nearest_by_ratio(bars, nearest):
    assert length_class(bars) == nearest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musai.music import Metre, Phrase
from musai.report.compare import compare
from musai.report.degrees import degree, said, spell
from tests.report.fixtures import PAIRS, QUOTE, TUNE

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@pytest.mark.parametrize(
    ("fifths", "minor", "pitches", "degrees"),
    [
        (0, False, (60, 62, 64, 65, 67, 69, 71), "1 2 3 4 5 6 7"),
        (0, False, (61, 63, 66, 68, 70), "♯1 ♭3 ♯4 ♭6 ♭7"),
        (-3, False, (63, 65, 67, 71, 72), "1 2 3 ♭6 6"),
        # In A minor the natural scale is plain, the leading note G sharp is raised.
        (0, True, (69, 71, 72, 74, 76, 77, 79), "1 2 3 4 5 6 7"),
        (0, True, (68, 66, 70, 73), "♯7 ♯6 ♭2 ♯3"),
        (2, True, (71, 70, 74), "1 ♯7 3"),
    ],
)
def test_degrees_count_from_the_tonic_in_the_keys_own_scale(fifths, minor, pitches, degrees):
    assert " ".join(degree(pitch, fifths, minor) for pitch in pitches) == degrees


@pytest.mark.parametrize(
    ("pitch", "fifths", "minor", "name"),
    [
        (63, -3, False, "E♭4"),
        (63, 4, False, "D♯4"),
        (60, 7, False, "B♯3"),
        (71, -3, False, "C♭5"),
        (68, 0, True, "G♯4"),
        (70, 7, True, "A♯4"),
    ],
)
def test_pitches_are_spelt_as_the_key_writes_them(pitch, fifths, minor, name):
    assert str(spell(pitch, fifths, minor)) == name


@given(st.integers(0, 127), st.integers(-7, 7), st.booleans())
def test_a_spelling_sounds_as_the_pitch_that_it_spells(pitch, fifths, minor):
    spelt = spell(pitch, fifths, minor)
    assert 12 * (spelt.octave + 1) + LETTERS[spelt.letter] + spelt.accidental == pitch
    assert -2 <= spelt.accidental <= 2


@given(st.integers(0, 115), st.integers(-5, 4), st.booleans())
def test_degrees_do_not_change_when_key_and_notes_move_together(pitch, fifths, minor):
    # Two sharps more are a tone up.
    assert degree(pitch, fifths, minor) == degree(pitch + 2, fifths + 2, minor)


def keys(phrase, work, pairs=PAIRS):
    found = compare(phrase, work, pairs)
    return found.phrase_key, found.work_key


def test_a_written_signature_holds_and_the_other_side_takes_it():
    ours, theirs = keys(QUOTE, TUNE)
    assert (ours.fifths, ours.source) == (-3, "written")
    assert (theirs.fifths, theirs.source) == (0, "taken")
    assert said(ours) == "E♭ major (as written)"


def test_without_signatures_both_sides_are_estimated_as_one():
    bare = Phrase(QUOTE.notes, Metre.of(90), QUOTE.voices, QUOTE.length)
    ours, theirs = keys(bare, TUNE)
    assert (ours.fifths, ours.minor, ours.source) == (-3, False, "estimated")
    assert (theirs.fifths, theirs.minor, theirs.source) == (0, False, "estimated")


def test_a_signature_that_does_not_say_minor_is_heard_as_what_its_notes_are():
    pitches = [69, 72, 76, 69, 71, 72, 74, 76, 69, 68, 69]
    song = Phrase.from_notes(range(11), 1, pitches, metre=Metre.of(key=(0, False)))
    ours, _ = keys(song, song, [(i, i) for i in range(11)])
    assert (ours.fifths, ours.minor) == (0, True)

import pytest

from musai.music import Phrase, Voice
from musai.music.keys import estimate_key, minor_within, pitched, signature_of


def notes(*pitches):
    return Phrase.from_notes(range(len(pitches)), 1, pitches).notes


def test_a_scale_with_its_tonic_twice_is_in_its_key():
    assert estimate_key(notes(67, 69, 71, 72, 74, 76, 78, 79, 67, 71, 74)) == (7, False)


@pytest.mark.parametrize(
    ("tonic", "minor", "fifths"),
    [(0, False, 0), (9, True, 0), (10, False, -2), (6, False, 6), (1, False, -5), (3, True, 6)],
)
def test_a_key_has_the_signature_with_the_fewest_accidentals(tonic, minor, fifths):
    assert signature_of(tonic, minor) == fifths


def test_of_one_signature_the_major_or_the_minor_key_is_heard():
    in_c = (60, 64, 67, 72, 65, 64, 62, 67, 60, 64, 60)
    in_a = (69, 72, 76, 69, 71, 72, 74, 76, 69, 68, 69)
    assert not minor_within(0, notes(*in_c))
    assert minor_within(0, notes(*in_a))
    assert not minor_within(0, notes())


def test_drums_have_no_key():
    phrase = Phrase.from_notes(
        [0, 1], 1, [60, 38], voices=[0, 1], names=(Voice("flute"), Voice("kit", 0, True))
    )
    assert pitched(phrase)["pitch"].tolist() == [60]

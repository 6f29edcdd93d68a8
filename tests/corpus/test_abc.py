"""ABC: pitches, lengths and bars as printed; the cases are small tunes written for the test."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musai.corpus.abc import read_tune, split_tunes
from musai.corpus.abc_fields import AbcKey, read_key, read_metre
from musai.corpus.bars import Bar
from musai.corpus.tunes import clean, read_abc
from musai.errors import BadScore

E = Fraction(1, 8)


def bars(body: str, key: str = "C", metre: str = "4/4", unit: str = "1/8") -> list[Bar]:
    tune = read_tune("1", [f"M:{metre}", f"L:{unit}", f"K:{key}", *body.split("\n")])
    return next(iter(tune.lines.values()))


def notes(body: str, **fields: str) -> list[tuple[Fraction, Fraction, int]]:
    """(onset, length, pitch), onsets counted from the first bar as written."""
    at, found = Fraction(0), []
    for bar in bars(body, **fields):
        found += [(at + offset, length, pitch) for offset, length, pitch in bar.notes]
        at += bar.duration
    return found


def pitches(body: str, **fields: str) -> list[int]:
    return [pitch for _, _, pitch in notes(body, **fields)]


def lengths(body: str, **fields: str) -> list[Fraction]:
    return [length / E for _, length, _ in notes(body, **fields)]


def test_letters_and_octave_marks_are_pitches() -> None:
    assert pitches("C,, C, C c c' c''") == [36, 48, 60, 72, 84, 96]


@pytest.mark.parametrize(
    ("key", "fifths", "minor"),
    [
        ("C", 0, False),
        ("G", 1, False),
        ("Gm", -2, True),
        ("F#m", 3, True),
        ("Bb", -2, False),
        ("A Dorian", 1, True),
        ("Ador", 1, True),
        ("D Mixolydian % hexatonic", 1, False),
        ("EMin", 1, True),
        ("EM", 4, False),
        ("Glyd", 2, False),
        ("Bphr", 1, True),
        ("E Minor", 1, True),
        ("Cb", -7, False),
    ],
)
def test_keys_and_modes_are_signatures(key: str, fifths: int, minor: bool) -> None:
    found = read_key(key.split("%")[0], AbcKey(0, False, {}))
    assert (found.fifths, found.minor) == (fifths, minor)


def test_a_key_signature_alters_its_letters_in_every_octave() -> None:
    assert pitches("F f f, C", key="G") == [66, 78, 66, 60]
    assert pitches("B e A", key="Eb") == [70, 75, 68]


def test_the_pipe_scale_has_two_sharps() -> None:
    assert pitches("F C G", key="Hp") == [66, 61, 67]


def test_an_accidental_lasts_to_the_bar_line_in_every_octave() -> None:
    assert pitches("^Ff F | F") == [66, 78, 66, 65]
    assert pitches("_B =B B | B", key="F") == [70, 71, 71, 70]


def test_a_tied_note_keeps_its_accidental_over_the_bar_line() -> None:
    assert notes("^F8- | F2 F2") == [(0, 10 * E, 66), (10 * E, 2 * E, 65)]


def test_a_tie_joins_only_equal_pitches() -> None:
    assert lengths("C-C") == [2]
    assert lengths("C-D") == [1, 1]
    assert lengths("[CE]-[CE]") == [2, 2]
    assert lengths("[CE]-[CF]") == [2, 1, 1]


def test_note_lengths_are_fractions_of_the_unit() -> None:
    assert lengths("C2 C/ C// C3/2 C/4") == [
        2,
        Fraction(1, 2),
        Fraction(1, 4),
        Fraction(3, 2),
        Fraction(1, 4),
    ]


def test_broken_rhythm_lengthens_one_side_and_shortens_the_other() -> None:
    assert lengths("C>D") == [Fraction(3, 2), Fraction(1, 2)]
    assert lengths("C<D") == [Fraction(1, 2), Fraction(3, 2)]
    assert lengths("C>>D") == [Fraction(7, 4), Fraction(1, 4)]
    assert lengths("C > {g}D") == [Fraction(3, 2), Fraction(1, 2)]
    assert lengths("[CE]>D") == [Fraction(3, 2), Fraction(3, 2), Fraction(1, 2)]


def test_tuplets_take_the_time_that_they_say() -> None:
    assert lengths("(3CDE F") == [Fraction(2, 3)] * 3 + [1]
    assert lengths("(3:2:2C2D F") == [Fraction(4, 3), Fraction(2, 3), 1]
    assert lengths("(2CD", metre="6/8") == [Fraction(3, 2)] * 2
    assert lengths("(5CDEFG", metre="6/8") == [Fraction(3, 5)] * 5
    assert lengths("(5CDEFG", metre="4/4") == [Fraction(2, 5)] * 5


def test_a_slur_is_no_tuplet() -> None:
    assert lengths("(CDE) ((3CDE)") == [1, 1, 1] + [Fraction(2, 3)] * 3


def test_grace_notes_ornaments_chord_names_and_words_are_no_notes() -> None:
    plain = pitches("C D E F")
    decorated = '{gab}C "Am"D ~E !trill!F\nw: la la la la\n"^slowly"'
    assert pitches(decorated) == plain
    assert pitches("vC uD TE HF") == plain
    assert pitches("C`D``E y F") == plain


def test_chords_share_an_onset_and_last_as_their_first_note() -> None:
    assert notes("[C2E2G2] c") == [(0, 2 * E, 60), (0, 2 * E, 64), (0, 2 * E, 67), (2 * E, E, 72)]
    assert lengths("[CE]2 c") == [2, 2, 1]


def test_rests_take_time() -> None:
    assert [onset / E for onset, _, _ in notes("C z D x2 E Z | F")] == [0, 1 + 1, 1 + 1 + 1 + 2, 14]


def test_every_bar_line_repeat_and_ending_is_a_bar_line_and_loses_no_note() -> None:
    body = "|:CDEF GABc|1 c4 c4:|2 d4 d4||[1 e8:|[2 f8|]\n|:g8::a8:|"
    found = bars(body)
    assert [bar.duration for bar in found] == [1] * 7
    assert pitches(body) == [60, 62, 64, 65, 67, 69, 71, 72, 72, 72, 74, 74, 76, 77, 79, 81]
    assert [bar.ending for bar in found] == [0, 1, 2, 1, 2, 0, 0]
    assert [bar.opens for bar in found] == [True, False, False, False, False, True, True]


def test_a_label_in_brackets_is_no_chord() -> None:
    assert pitches('C2||["Coda" D2 E2 |]') == [60, 62, 64]


def test_a_line_that_ends_with_a_backslash_goes_on() -> None:
    assert [bar.duration / E for bar in bars("CD\\\nEF|GA")] == [4, 2]


def test_a_strain_that_closes_with_a_letter_is_music_and_no_field() -> None:
    assert pitches("c d\ne:|") == [72, 74, 76]


def test_fields_inside_a_tune_change_what_follows() -> None:
    assert pitches("F|[K:G]F|\nK:F\nB") == [65, 66, 70]
    assert lengths("C\nL:1/4\nC") == [1, 2]
    assert [bar.metre for bar in bars("C8|\nM:3/4\nC6|")] == [(4, 4), (3, 4)]


def test_voices_are_read_apart() -> None:
    tune = read_tune("1", ["M:4/4", "L:1/4", "K:C", "V:1", "cdef|", "V:2", "C4|", "[V:1] g4|"])
    assert {name: [len(b.notes) for b in line] for name, line in tune.lines.items()} == {
        "1": [4, 1],
        "2": [1],
    }


def test_an_overlay_sounds_in_the_same_bar() -> None:
    assert notes("c8 & C4 D4 |", unit="1/8") == [(0, 1, 72), (0, 4 * E, 60), (4 * E, 4 * E, 62)]


def test_text_after_a_tune_is_not_read_as_music() -> None:
    tunes = dict(split_tunes("X:1\nK:C\nCDEF|\n\nDeaf cabbage\n\nX:2\nK:C\nG4|\n"))
    assert [b.notes[0][2] for line in tunes.values() for b in read_tune("1", line).lines[""]] == [
        60,
        67,
    ]


def test_metres_are_read_as_printed() -> None:
    assert [read_metre(m) for m in ("C", "C|", "6/8", "2+3/8", "none")] == [
        (4, 4),
        (2, 2),
        (6, 8),
        (5, 8),
        None,
    ]
    for wrong in ("6/7", "0/4", "fast", "300/4"):
        with pytest.raises(BadScore, match="time signature"):
            read_metre(wrong)


def test_a_tune_at_fault_is_named_and_the_others_are_read() -> None:
    readings, faults = read_abc(
        "X:1\nT:None\nX:2\nT:Some\nK:C\nCDEF|\n\nX:3\nK:C\n\nX:4\nM:5/9\nK:C\nC\n"
    )
    assert [r.titles for r in readings] == [("Some",)]
    assert [fault.split(":")[0] for fault in faults] == ["tune 1", "tune 3", "tune 4"]


def test_a_text_without_a_tune_is_refused() -> None:
    with pytest.raises(BadScore, match="holds no tune"):
        read_abc("Dear Sir, please find enclosed")


def test_titles_read_as_people_write_them_and_hold_no_address() -> None:
    assert clean("Wild Rover, The") == "The Wild Rover"
    assert clean('"Down  the Lane"') == "Down the Lane"
    assert clean(r"Caf\'e") == "Café"
    assert clean("Sent by ann@example.org") == "Sent by"


@given(st.text(alphabet="ABCDEFGabcdefgz[](){}<>|:'^_=,/-\"!&\\ \n123", max_size=60))
def test_whatever_is_typed_gives_tunes_or_a_named_fault(body: str) -> None:
    readings, faults = read_abc(f"X:1\nM:6/8\nL:1/8\nK:D\n{body}\n")
    assert len(readings) + len(faults) == 1 or body.count("X:")
    for reading in readings:
        assert len(reading.phrase) > 0
        assert reading.phrase.length >= reading.phrase.notes["onset"].max()

"""Notes as characters: a sixteenth a column, the highest pitch on top."""

from musai.cli.textroll import name_of, text_roll
from musai.music import TICKS, Note

BAR = 4 * TICKS


def test_each_note_has_an_attack_and_is_held_for_its_length() -> None:
    notes = [Note(0, TICKS, 62, 80, 0), Note(TICKS, TICKS // 4, 60, 80, 0)]
    assert text_roll(notes, 1, BAR, marks="#-.|") == [
        "  D4 |#---............|",
        " C#4 |................|",
        "  C4 |....#...........|",
    ]


def test_a_repeated_note_shows_its_attack() -> None:
    notes = [Note(0, TICKS, 60, 80, 0), Note(TICKS // 2, TICKS // 2, 60, 80, 1)]
    assert text_roll(notes, 1, BAR, marks="#-.|") == ["  C4 |#-#-............|"]


def test_bars_are_divided_and_what_lies_beyond_is_cut() -> None:
    notes = [Note(2 * BAR - TICKS, 8 * TICKS, 60, 80, 0)]
    assert text_roll(notes, 2, BAR, marks="#-.|") == ["  C4 |................|............#---|"]


def test_before_the_first_note_only_given_pitches_make_a_picture() -> None:
    assert text_roll([], 1, BAR) == []
    assert len(text_roll([], 1, BAR, pitches=(60, 72))) == 13


def test_pitches_are_named_in_scientific_notation() -> None:
    assert [name_of(pitch) for pitch in (0, 60, 61, 127)] == ["C-1", "C4", "C#4", "G9"]

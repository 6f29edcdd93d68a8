import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings

from musai.music import Metre, Phrase, Voice
from musai.report.lanes import GUTTER, WIDTH
from musai.report.roll import MAX_SYSTEMS, roll_svg, summary
from tests.report.fixtures import TUNE
from tests.strategies import phrases

NAME = "{http://www.w3.org/2000/svg}"


def parsed(picture: str) -> ET.Element:
    return ET.fromstring(picture)


def bars_of(root: ET.Element) -> list[ET.Element]:
    return [e for e in root.iter() if "note" in (e.get("class") or "").split()]


def test_every_note_stands_at_its_time_and_pitch():
    two_bars = Phrase.from_notes([0, 2, 6], [1, 4, 2], [60, 64, 62], length=8)
    notes = bars_of(parsed(roll_svg(two_bars)))
    quarter = (WIDTH - 4 - GUTTER) / 8
    assert [float(n.get("x")) for n in notes] == pytest.approx(
        [GUTTER + 0.5 + quarter * onset for onset in (0, 2, 6)], abs=0.01
    )
    assert [float(n.get("width")) for n in notes] == pytest.approx(
        [quarter * length - 1 for length in (1, 4, 2)], abs=0.01
    )
    low, high, middle = (float(n.get("y")) for n in notes)
    assert low - middle == middle - high > 0


def test_bars_beats_and_pitches_are_named():
    root = parsed(roll_svg(TUNE))
    texts = [e.text for e in root.iter("text")]
    assert [t for t in texts if t in "12345"] == ["1", "2", "3", "4"]
    assert {"C4", "C5", "G4"} <= set(texts)
    assert len([e for e in root.iter() if e.get("class") == "beat"]) == 4 * 3
    tips = [e.text for e in root.iter("title")]
    assert "C4, bar 1, beat 1, 1 quarter, velocity 80" in tips
    assert "B4, bar 2, beat 2, ½ quarter, velocity 80" in tips


def test_pitches_are_spelt_as_the_key_says():
    flat = Phrase.from_notes([0], [1], [63], metre=Metre.of(100, key=(-3, False)))
    sharp = Phrase.from_notes([0], [1], [63])
    assert "E♭4" in roll_svg(flat)
    assert "D♯4" in roll_svg(sharp)


def test_voices_differ_by_pattern_and_drums_have_rows_of_their_own():
    names = (Voice("flute"), Voice("cello"), Voice("kit", 0, True))
    phrase = Phrase.from_notes([0, 1, 2], 1, [72, 48, 38], voices=[0, 1, 2], names=names)
    root = parsed(roll_svg(phrase, ident="here"))
    fills = {e.get("fill") for e in root.iter("rect")}
    assert "url(#here-hatch)" in fills
    texts = [e.text for e in root.iter("text")]
    assert "snare" in texts
    assert "Voices: flute solid, cello hatched, kit dotted." in texts


def test_nothing_needs_an_inline_style_or_a_script():
    picture = roll_svg(TUNE, title='<script>alert("1")</script>')
    assert not re.search(r"\sstyle=|<style|<script|\son\w+=|href=", picture)
    assert parsed(picture).find("title").text == '<script>alert("1")</script>'


def test_a_picture_of_its_own_carries_its_style():
    root = parsed(roll_svg(TUNE, standalone=True))
    assert root.tag == NAME + "svg"
    style = root.find(NAME + "style").text
    assert "prefers-color-scheme: dark" in style
    assert ".roll .note" in style
    assert int(root.get("height")) > 100


def test_a_long_phrase_is_cut_and_says_so():
    long = Phrase.from_notes([0, 999], 1, [60, 62])
    picture = roll_svg(long)
    assert f"Bars 1 to {4 * MAX_SYSTEMS} of 250." in picture
    assert len(bars_of(parsed(picture))) == 1


def test_no_notes_are_a_picture_too():
    empty = Phrase.from_notes([], [], [], length=8)
    assert not bars_of(parsed(roll_svg(empty)))
    assert summary(empty) == "No notes in 2 bars."


def test_the_summary_says_what_the_picture_shows():
    assert summary(TUNE) == "14 notes in 4 bars, from B3 to C5."


@settings(max_examples=25)
@given(phrases())
def test_any_phrase_makes_a_well_formed_picture(phrase):
    root = parsed(roll_svg(phrase, title="x", standalone=True))
    height = float(root.get("viewBox").split()[3])
    for note in bars_of(root):
        assert GUTTER <= float(note.get("x")) <= WIDTH
        assert 0 <= float(note.get("y")) <= height
        assert float(note.get("width")) > 0

"""No phrase is a crash, and none takes for ever."""

import made
import numpy as np
import pytest

from musai.match import Matcher, search
from musai.music import Phrase


def empty() -> Phrase:
    return Phrase.from_notes([], [], [])


def one_note() -> Phrase:
    return Phrase.from_notes([0], [1], [60])


def one_chord() -> Phrase:
    return Phrase.from_notes([0] * 20, [4] * 20, range(40, 60))


def ten_thousand_at_once() -> Phrase:
    voices = np.arange(10_000) % 64
    pitches = np.arange(10_000) // 64 % 128
    return Phrase.from_notes(np.zeros(10_000), np.ones(10_000), pitches, voices=voices)


@pytest.mark.parametrize("make", [empty, one_note, one_chord, ten_thousand_at_once])
def test_a_phrase_without_a_line_is_grey_and_says_why(matcher, make):
    found = matcher.match(make())
    assert len(found) == 0
    assert found.verdict.light == "grey"
    assert found.verdict.p_value is None
    assert "no line" in found.verdict.reason


def test_a_phrase_of_equal_notes_matches_without_weight(matcher):
    found = matcher.match(Phrase.from_notes(range(40), np.ones(40), np.full(40, 60)))
    assert all(hit.score < 20 for hit in found)


def test_a_hundred_thousand_notes_are_searched_in_so_many_windows(matcher, shelf):
    count = 100_000
    pitches = 60 + made.rng(4).integers(-12, 13, count)
    pitches[60_000:60_030] = shelf.music["tune 9"].notes["pitch"][:30]
    phrase = Phrase.from_notes(np.arange(count) / 4, np.full(count, 0.25), pitches)
    lines, share = search.lines(phrase)
    assert len(lines) == search.MAX_LINES
    assert all(len(line) == search.LONGEST for line in lines)
    assert 0 < share < 0.1
    found = matcher.match(phrase, top=3)
    assert found.verdict.searched == share
    assert "windows" in found.verdict.sentence


def test_a_corpus_of_one_work_matches_but_gives_no_verdict_without_a_reference(tmp_path):
    shelf = made.shelf(tmp_path, 1)
    matcher = Matcher.open(shelf, references=(), null="build")
    found = matcher.match(made.moved(shelf.music["tune 0"], range(20)))
    assert found[0].title == "tune 0"
    assert found[0].p_value is None
    assert found.verdict.light == "grey"
    assert "tunebook" in found.verdict.reason


def test_an_empty_corpus_is_no_error(tmp_path):
    matcher = Matcher.open(made.Shelf(tmp_path, {}), null="build")
    verdict = matcher.match(made.tune(1)).verdict
    assert (verdict.light, verdict.reason) == ("grey", "the corpus is empty")


def test_works_without_a_line_do_no_harm(tmp_path):
    music = {"silence": empty(), "one": one_note(), "tune": made.tune(1)}
    matcher = Matcher.open(made.Shelf(tmp_path, music), null="there")
    found = matcher.match(made.moved(music["tune"], range(12)))
    assert [hit.title for hit in found] == ["tune"]

"""A long phrase is laid against what its figures choose, and nothing that counts is lost by it."""

from dataclasses import replace

import made
import numpy as np
import pytest

from musai.match import chosen, search, segment, votes
from musai.match.compiled import kernels
from musai.match.streams import DRUMS, streams
from musai.music import Phrase


def long_phrase(shelf: made.Shelf, planted: str, start: int = 20) -> Phrase:
    """A quartet that is in no corpus; one of its voices quotes 16 notes in the middle."""
    base = made.quartet(77, 150)
    quoted = made.moved(shelf.music[planted], range(start, start + 16), up=3)
    notes = base.notes.copy()
    voice = np.flatnonzero(notes["voice"] == 2)[70:86]
    at = int(notes["onset"][voice[0]])
    notes["onset"][voice] = quoted.notes["onset"].astype(np.int64) + at
    notes["pitch"][voice] = quoted.notes["pitch"]
    notes["duration"][voice] = np.minimum(quoted.notes["duration"], 60)
    later = np.flatnonzero((notes["voice"] == 2) & (np.arange(len(notes)) > voice[-1]))
    gap = int(notes["onset"][voice[-1]]) + 480 - int(notes["onset"][later[0]])
    notes["onset"][later] = notes["onset"][later].astype(np.int64) + max(0, gap)
    order = np.lexsort((notes["pitch"], notes["voice"], notes["onset"]))
    notes = notes[order]
    return Phrase.from_notes(
        notes["onset"] / 480,
        np.full(len(notes), 0.1),
        notes["pitch"].astype(int),
        voices=notes["voice"],
        names=base.voices,
    )


@pytest.fixture
def few(monkeypatch):
    """So that a small shelf is not looked at whole."""
    monkeypatch.setattr(chosen, "LEAST_NOTES", 400)
    monkeypatch.setattr(chosen, "WHOLE", 2)


@pytest.mark.parametrize("tune", ["tune 5", "tune 22", "tune 37"])
def test_a_quotation_in_one_voice_of_a_long_file_is_found_as_by_a_search_of_everything(
    matcher, shelf, few, tune
):
    phrase = long_phrase(shelf, tune)
    by_figures = matcher.match(phrase, engine="figures")
    by_all = matcher.match(phrase, engine="exhaustive")
    assert by_figures.verdict.engine == "figures"
    assert by_figures[0].title == by_all[0].title == tune
    assert by_figures[0].score == by_all[0].score
    assert by_figures.verdict.statistic == by_all.verdict.statistic
    assert by_figures.verdict.longest_run == by_all.verdict.longest_run


def test_what_is_looked_at_has_the_score_that_the_whole_corpus_gives_it(matcher, shelf, few):
    index = matcher.index
    lines, _ = search.lines(long_phrase(shelf, "tune 9"))
    found, _, sample = search.search_all(index, lines, "figures")
    assert sample is not None
    assert 0 < sample.sum() < len(sample) / 4
    looked = np.zeros(len(index.alive), bool)
    for line, some in zip(lines, found, strict=True):
        whole = search.exhaustive(index, line)
        assert (some.works <= whole.works).all()
        equal = some.blocks[0] == whole.blocks[0]
        assert (equal | (some.blocks[0] == 0)).all()
        assert (some.works == whole.works)[sample].all()
        looked |= some.works > 0
    assert looked.sum() < len(looked)


def test_a_part_of_a_segment_is_swept_as_if_it_were_alone():
    works = [made.quartet(k) for k in range(5)]
    whole = segment.build(works)
    line = search.line_of(works[3], streams(works[3])[0].index[:24])
    numbers = np.array([1, 4, 6, 17])
    part = segment.part_of(whole, numbers)
    scores = []
    for one in (whole, part):
        out = np.zeros((1, one.blocks), np.int16)
        search.sweep(one, line.profile, np.array([len(line) - 1]), out)
        scores.append(one.stream_scores(out[0]))
    assert scores[1].tolist() == scores[0][numbers].tolist()


def test_the_uncompiled_count_of_votes_is_the_compiled_one():
    slots = np.array([0, -1, 1, 2, 1, 0], np.int64)
    weight = np.array([3.0, 1.5, 0.0], np.float32)
    offsets = np.array([0, 3, 7, 9], np.uint32)
    position = np.array([2, 30, 61, 4, 32, 33, 63, 0, 1], np.uint32)
    notes = np.array([0, 20, 20, 45, 64])
    fading = np.array([1, 0.9, 0.8, 0.7], np.float32)
    told = []
    for run in (votes.vote, kernels().vote):
        best = np.zeros(4, np.float32)
        run(slots, weight, offsets, position, notes, fading, best)
        told.append(best.tolist())
    assert told[0] == told[1]
    # Figure 1 at the line's note 4 and figure 0 at its note 5 vote for one diagonal of the first stream.
    assert told[0][0] == pytest.approx(1.5 * 0.9 + 3.0)
    assert told[0][1] == 0


def test_long_phrases_go_by_figures_and_short_ones_through_everything(matcher, shelf, monkeypatch):
    phrase = long_phrase(shelf, "tune 9")
    lines, _ = search.lines(phrase)
    assert search.engine_of(matcher.index, lines) == "exhaustive"
    monkeypatch.setattr(search, "MOST_CELLS", 100_000)
    assert search.engine_of(matcher.index, lines) == "figures"
    assert search.engine_of(matcher.index, lines[:1]) == "exhaustive"
    assert matcher.match(phrase)[0].title == "tune 9"


def test_lines_of_drums_have_no_figures_and_are_laid_against_everything(matcher, shelf, few):
    phrase = long_phrase(shelf, "tune 9")
    drums = tuple(replace(v, drum=v.name == "four") for v in phrase.voices)
    beaten = Phrase(phrase.notes, phrase.metre, drums, phrase.length)
    lines, _ = search.lines(beaten)
    assert any(line.kind == DRUMS for line in lines)
    matches = matcher.match(beaten, engine="figures")
    assert matches[0].title == "tune 9"


def test_works_that_were_taken_down_are_not_looked_at(matcher, shelf, few, monkeypatch):
    index = matcher.index
    lines, _ = search.lines(long_phrase(shelf, "tune 9"))
    best = int(np.argmax(search.search_all(index, lines, "figures")[0][0].works))
    alive = index.alive.copy()
    alive[best] = False
    gone = replace(index, alive=alive)
    found, _, sample = search.search_all(gone, lines, "figures")
    assert not sample[best]
    assert all(some.works[best] == 0 for some in found)

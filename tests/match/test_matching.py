"""The one thing matching is for: a passage comes home, and a stranger does not."""

import made
import numpy as np
import pytest

from musai.errors import NotFound
from musai.match import Matcher, ranking
from musai.music import Phrase, Voice


@pytest.mark.parametrize("stretch", [0.5, 0.7, 1.0, 1.4, 2.0])
@pytest.mark.parametrize(("tune", "start", "up"), [(3, 0, -6), (17, 12, 0), (39, 71, 6)])
def test_a_cut_phrase_is_found_first_and_everything_is_named(
    matcher, shelf, tune, start, up, stretch
):
    work = shelf.music[f"tune {tune}"]
    best = matcher.match(made.moved(work, range(start, start + 16), up, stretch))[0]
    assert best.title == f"tune {tune}"
    assert best.work_id == work.notes_id
    assert best.path == f"tune {tune}.mid"
    assert best.licence == "CC0-1.0"
    assert best.transposition == up
    assert best.tempo_ratio == pytest.approx(stretch, rel=0.02)
    assert best.longest_run == 16
    assert best.alignment == tuple((i, start + i) for i in range(16))
    assert best.coverage_query == 1.0
    assert best.coverage_work == pytest.approx(16 / len(work))
    assert (best.equal, best.changed, best.extra, best.missing) == (16, 0, 0, 0)


def test_changed_missing_and_added_notes_are_told_apart(matcher, shelf):
    work = shelf.music["tune 8"]
    part = work.notes[10:30].copy()
    part["pitch"][5] += 1
    part = np.delete(part, 11)
    onset, pitch = part["onset"] / 480, part["pitch"].astype(int)
    onset = np.insert(onset, 15, (onset[14] + onset[15]) / 2)
    pitch = np.insert(pitch, 15, 90)
    best = matcher.match(Phrase.from_notes(onset, np.full(20, 0.1), pitch))[0]
    assert best.title == "tune 8"
    assert (best.changed, best.missing, best.extra) == (1, 1, 1)
    assert best.equal == 18
    assert (5, 15) in best.alignment
    assert 21 not in [j for _, j in best.alignment]
    assert 15 not in [i for i, _ in best.alignment]


def test_a_passage_of_all_voices_is_found_and_all_its_notes_are_paired(matcher, shelf):
    work = shelf.music["quartet 4"]
    first, last = 10 * 480, 24 * 480
    chosen = np.flatnonzero((work.notes["onset"] >= first) & (work.notes["onset"] < last))
    for stretch in (0.5, 1.25):
        best = matcher.match(made.moved(work, chosen, up=-2, stretch=stretch))[0]
        assert best.title == "quartet 4"
        assert best.transposition == -2
        assert best.tempo_ratio == pytest.approx(stretch, rel=0.02)
        assert best.coverage_query > 0.97


def test_a_melody_moved_to_another_voice_by_octaves_is_found(matcher, shelf):
    work = shelf.music["quartet 2"]
    inner = np.flatnonzero(work.notes["voice"] == 2)[8:24]
    best = matcher.match(made.moved(work, inner, up=12))[0]
    assert (best.title, best.transposition, best.longest_run) == ("quartet 2", 12, 16)
    assert best.stream == "line of voice 3"


def test_the_index_engine_finds_what_the_exhaustive_one_finds(matcher, shelf):
    for tune in (0, 11, 25):
        cut = made.moved(shelf.music[f"tune {tune}"], range(5, 25), up=3, stretch=1.3)
        by_index = matcher.match(cut, engine="index")
        by_all = matcher.match(cut, engine="exhaustive")
        assert by_index.verdict.engine == "index"
        assert by_all.verdict.engine == "exhaustive"
        assert by_index[0].title == by_all[0].title == f"tune {tune}"
        assert by_index[0].score == by_all[0].score
        assert by_index[0].alignment == by_all[0].alignment


def test_matching_again_gives_the_same(matcher, shelf):
    cut = made.moved(shelf.music["tune 5"], range(20))
    assert matcher.match(cut) == matcher.match(cut)


def test_top_limits_the_hits_and_they_come_best_first(matcher, shelf):
    cut = made.moved(shelf.music["tune 30"], range(5, 21))
    assert len(matcher.match(cut, top=3)) == 3
    hits = matcher.match(cut, top=50)
    first = [hit.score + 1.5 * hit.equal for hit in hits[: ranking.LOOKED_AT]]
    assert first == sorted(first, reverse=True)
    rest = [hit.score for hit in hits[ranking.LOOKED_AT :]]
    assert rest == sorted(rest, reverse=True)


def test_of_two_works_of_nearly_one_score_that_with_more_notes_in_place_is_first(tmp_path):
    """One wrong note in the middle: steps agree as much where all that follows is a tone off."""
    onset, length, pitch = made.melody(900, 16)
    moved, changed = pitch.copy(), pitch.copy()
    moved[8:] += 2
    changed[8] += 2
    shelf = made.shelf(tmp_path, 8)
    shelf.music["off from there on"] = made.Phrase.from_notes(onset, length, moved)
    shelf.music["one note changed"] = made.Phrase.from_notes(onset, length, changed)
    found = Matcher.open(shelf, null="there").match(made.Phrase.from_notes(onset, length, pitch))
    assert [hit.title for hit in found[:2]] == ["one note changed", "off from there on"]
    assert found[0].equal == 15


def test_works_whose_terms_deny_matching_are_not_searched(tmp_path):
    shelf = made.shelf(tmp_path, 5, denied=frozenset({"tune 2"}))
    cut = made.moved(shelf.music["tune 2"], range(20))
    found = Matcher.open(shelf, null="there").match(cut)
    assert found.verdict.works == 4
    assert "tune 2" not in [hit.title for hit in found]


def test_near_duplicates_are_one_hit(tmp_path):
    shelf = made.shelf(tmp_path, 5)
    twin = shelf.music["tune 3"].notes.copy()
    twin["pitch"][30] += 1
    shelf.music["tune 3, another edition"] = Phrase(twin)
    found = Matcher.open(shelf, null="there").match(made.moved(shelf.music["tune 3"], range(20)))
    assert found.verdict.clusters == 5
    assert found[0].variants == (Phrase(twin).notes_id,)
    assert "tune 3, another edition" not in [hit.title for hit in found[1:]]


def beat(gaps: np.ndarray) -> Phrase:
    """A snare drum struck after these waits, in quarters."""
    onsets = np.concatenate(([0.0], np.cumsum(gaps)))
    kit = [Voice("kit", 0, True)]
    return Phrase.from_notes(onsets, np.full(len(onsets), 0.1), np.full(len(onsets), 38), names=kit)


def test_how_common_a_beat_is_comes_from_beats_that_hold_it(tmp_path):
    shared = np.resize([0.5, 0.25, 0.25, 0.75, 0.25, 1, 1.5], 14)
    own = [made.rng(k).choice([0.25, 0.5, 1, 1.5, 2], 60) for k in range(3)]
    beats = {f"beat {k}": beat(np.concatenate((gaps, shared))) for k, gaps in enumerate(own)}
    melodies = {f"tune {k}": made.tune(k) for k in range(4)}
    shelf = made.Shelf(tmp_path, {**beats, **melodies})
    hit = Matcher.open(shelf, references=[], null="there").match(beat(shared), common=1)[0]
    assert hit.stream.startswith("drums")
    assert hit.common is not None
    assert hit.common.works == 3


def test_drums_are_not_laid_out_by_pitch_and_the_error_says_why(tmp_path):
    drums = beat(np.resize([0.5, 0.25, 0.25], 30))
    shelf = made.Shelf(tmp_path, {"beat": drums, "tune": made.tune(1)})
    matcher = Matcher.open(shelf, references=[], null="there")
    with pytest.raises(NotFound, match="rhythm alone"):
        matcher.lay_out(drums, shelf.works[1].id)

import numpy as np
import pytest

from musai.errors import BadInput
from musai.music import Metre, Phrase
from musai.report.compare import compare
from tests.report.fixtures import PAIRS, QUOTE, TUNE


def test_a_quotation_is_brought_to_one_key_and_time():
    found = compare(QUOTE, TUNE, PAIRS)
    assert found.semitones == 3
    assert found.stretch == 2.0
    work = {n.pair: n for n in found.work if n.pair is not None}
    for note in found.phrase:
        partner = work[note.pair]
        assert (note.onset, note.likeness, note.in_run) == (
            partner.onset,
            partner.likeness,
            partner.in_run,
        )
        assert (note.pitch == partner.pitch) == (note.likeness == "equal")
        assert partner.pitch == partner.written + 3


def test_equal_changed_missing_and_added_notes_are_counted():
    counts = compare(QUOTE, TUNE, PAIRS).counts
    assert (counts.equal, counts.changed, counts.missing, counts.added) == (7, 1, 1, 0)
    turned = compare(TUNE, QUOTE, tuple((j, i) for i, j in PAIRS)).counts
    assert (turned.equal, turned.changed, turned.missing, turned.added) == (7, 1, 0, 1)


def test_the_longest_run_ends_at_a_change_and_at_a_gap():
    found = compare(QUOTE, TUNE, PAIRS)
    assert found.run == (0, 3)
    assert [n.in_run for n in found.phrase] == [True] * 4 + [False] * 4


def test_places_are_said_in_each_sides_own_bars():
    found = compare(QUOTE, TUNE, PAIRS)
    assert (found.phrase_place.last_bar, found.phrase_place.last_beat) == (4, 1.0)
    assert (found.work_place.last_bar, found.work_place.last_beat) == (2, 3.0)
    assert [(line.number, line.onset) for line in found.work_bars] == [(1, 0.0), (2, 3840.0)]
    assert (found.first, found.last) == (0, 7680)


def test_the_rest_of_the_work_is_shown_but_not_counted():
    part = compare(QUOTE, TUNE, PAIRS[:4])
    assert {n.likeness for n in part.work if n.pair is None} == {"other"}
    assert part.counts.missing == 0


def test_accompaniment_is_neither_missing_nor_added():
    melody, chords = TUNE.notes.copy(), TUNE.notes[:9].copy()
    chords["pitch"] -= 12
    work = Phrase.from_notes(
        np.concatenate([melody["onset"], chords["onset"]]) / 480,
        np.concatenate([melody["duration"], chords["duration"]]) / 480,
        np.concatenate([melody["pitch"], chords["pitch"]]),
        length=16,
    )
    top = [
        int(
            np.flatnonzero(
                (work.notes["onset"] == n["onset"]) & (work.notes["pitch"] == n["pitch"])
            )[0]
        )
        for n in melody
    ]
    counts = compare(QUOTE, work, tuple((i, top[j]) for i, j in PAIRS)).counts
    assert (counts.equal, counts.changed, counts.missing, counts.added) == (7, 1, 1, 0)


def test_a_chord_or_one_note_can_be_compared():
    one = Phrase.from_notes([0], [1], [60])
    found = compare(one, Phrase.from_notes([8], [2], [65]), [(0, 0)])
    assert (found.semitones, found.stretch, found.counts.equal, found.run) == (-5, 0.5, 1, None)
    chord = Phrase.from_notes([0, 0], 1, [60, 64])
    assert compare(chord, chord, [(0, 0), (1, 1)]).counts.equal == 2


def test_a_passage_from_the_middle_of_a_work_shows_the_works_own_bar_numbers():
    late = Phrase.from_notes(
        TUNE.notes["onset"] / 480 + 80,
        TUNE.notes["duration"] / 480,
        TUNE.notes["pitch"],
        metre=Metre.of(100),
    )
    same = compare(TUNE, late, [(i, i) for i in range(14)])
    assert [line.number for line in same.work_bars] == [21, 22, 23, 24]
    assert same.run == (0, 13)


@pytest.mark.parametrize("pairs", [(), ((0, 99),), ((99, 0),), ((-1, 0),)])
def test_an_impossible_alignment_is_refused(pairs):
    with pytest.raises(BadInput):
        compare(QUOTE, TUNE, pairs)


def test_the_run_is_judged_by_the_hits_tempo_not_by_the_picture():
    pitches = [60, 62, 64, 65, 67, 69]
    torn = Phrase.from_notes([0, 1, 2, 3, 10, 11], [1] * 6, pitches)
    even = Phrase.from_notes(range(6), [1] * 6, pitches)
    found = compare(torn, even, [(i, i) for i in range(6)], 1.0)
    assert found.stretch > 1.5
    assert found.run == (0, 3)

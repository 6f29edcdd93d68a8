"""Counts of voice leading, on settings whose faults are known."""

import pytest

from musai.music import Phrase, Voice
from musai.quality.harmony import accompaniment, leading, sounding, under
from tests.transformer.models import small_player


def setting(*lines: list[int]) -> Phrase:
    """A quarter a note, a voice a line, the first the highest."""
    voices = [v for v, line in enumerate(lines) for _ in line]
    onsets = [k for line in lines for k in range(len(line))]
    pitches = [pitch for line in lines for pitch in line]
    names = [Voice(f"voice {v}", 52) for v in range(len(lines))]
    return Phrase.from_notes(
        onsets, [1] * len(onsets), pitches, voices=voices, names=names, length=8
    )


def test_parallel_fifths_are_counted_and_contrary_motion_is_not() -> None:
    parallel = leading([setting([67, 69, 71, 72], [60, 62, 64, 65])])
    contrary = leading([setting([67, 65, 64, 62], [60, 62, 64, 65])])
    assert parallel.parallels == 100.0
    assert contrary.parallels == 0.0


def test_seconds_and_tritones_are_harsh_and_thirds_are_not() -> None:
    assert leading([setting([64, 65, 67, 69], [60, 62, 64, 65])]).harsh == 0.0
    assert leading([setting([62, 66, 71, 69], [60, 60, 60, 60])]).harsh == pytest.approx(3 / 4)


def test_crossings_and_leaps_are_counted_by_beat_and_step() -> None:
    crossed = leading([setting([60, 60, 60, 60], [55, 62, 55, 55])])
    assert crossed.crossings == pytest.approx(1 / 8)
    assert leading([setting([60, 74, 60, 62], [50, 50, 50, 50])]).leaps == pytest.approx(2 / 6)


def test_a_voice_that_rests_sounds_nowhere() -> None:
    table = sounding(setting([60, 62], [48, 50, 52]))
    assert table.shape == (8, 2)
    assert table[:4].tolist() == [[60, 48], [62, 50], [-1, 52], [-1, -1]]


def test_a_tune_keeps_its_own_voice_under_another_ones_voices() -> None:
    one, other = setting([67, 69], [60, 62]), setting([72, 74], [55, 57])
    both = under(one, other)
    assert sorted(both.notes["pitch"].tolist()) == [55, 57, 67, 69]


def test_a_player_sets_every_tune_and_the_composer_stands_beside_it() -> None:
    tunes = [setting([67, 69, 71, 72] * 2, [60 - n, 62, 64, 65] * 2, [48] * 8) for n in range(3)]
    found = accompaniment(small_player(), tunes, "")
    assert found.tunes == 3
    assert found.human == leading(tunes)
    assert found.model != found.human

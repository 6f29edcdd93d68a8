"""Loudness that a model says: drawn for every note, told of the prompt, moved by the request."""

import numpy as np
import pytest

from musai.evidence.replay import played
from musai.music import Phrase, Voice
from musai.music.metre import Signature
from musai.transformer import Request
from musai.transformer import vocabulary as v
from musai.transformer.feel import ACCENTS, Feel
from musai.transformer.performed import velocity_class, velocity_of
from musai.transformer.plan import make_plan
from tests.transformer.models import LOUD, motif, small_model, small_player

DRUMS = Request(bars=2, seed=5, voices="drums")


def test_a_drawn_class_sounds_in_its_middle() -> None:
    assert [velocity_of(i) for i in (0, 7, 15)] == [4, 60, 124]
    assert all(velocity_class(np.array([velocity_of(i)]))[0] == 1 + i for i in range(16))


def test_drums_sound_as_drawn_and_others_with_half_of_the_metre_s_accents() -> None:
    four = Signature(0, 4, 4)
    feel = Feel(accents=(100, 90, 80, 70))
    assert feel.struck(60, 99, 0, four, drum=True) == 60
    assert [feel.struck(60, 99, tick, four, drum=False) for tick in (0, 480, 240, 120)] == [
        68,
        62,
        58,
        52,
    ]


def test_a_level_is_the_mean_and_what_was_louder_stays_louder() -> None:
    four, feel = Signature(0, 4, 4), Feel(level=50.0)
    assert [feel.struck(drawn, 90.0, 0, four, drum=True) for drawn in (70, 90, 110)] == [30, 50, 70]
    assert feel.struck(90, 90.0, 0, four, drum=False) == round(
        50 + (ACCENTS[0] - np.mean(ACCENTS)) / 2
    )
    assert feel.struck(4, 90.0, 0, four, drum=True) == 1
    assert Feel(level=120.0).struck(124, 90.0, 0, four, drum=True) == 127


def test_velocities_are_drawn_and_the_request_moves_them_to_its_mean() -> None:
    player = small_player(LOUD)
    drawn = player.play(DRUMS).notes["velocity"].astype(int)
    assert set(drawn % v.LOUDNESS) == {4}
    assert len(set(drawn)) > 4
    softer = Request(bars=2, seed=5, voices="drums", velocity=64)
    moved = player.play(softer).notes["velocity"].astype(int)
    so_far = np.cumsum(drawn) / np.arange(1, len(drawn) + 1)
    assert np.array_equal(moved, np.clip(np.rint(drawn + 64 - so_far), 1, 127))


def test_the_prompt_s_velocities_are_told_to_a_model_that_knows_them() -> None:
    column = v.COLUMN["velocity"]
    told = make_plan(Request("continue", 1, 1, motif()), small_model(LOUD)).beginning()
    notes = told[:, v.COLUMN["kind"]] == v.NOTE
    assert (told[notes, column] == 1 + motif().notes["velocity"][0] // 8).all()
    untold = make_plan(Request("continue", 1, 1, motif()), small_model()).beginning()
    assert not untold[:, column].any()


def test_pads_that_general_midi_does_not_know_are_told_as_what_they_are() -> None:
    beat = Phrase.from_notes([0, 1, 2, 3], 0.5, [36, 22, 38, 26], names=(Voice("kit", 0, True),))
    told = make_plan(Request("continue", 1, 1, beat), small_model(LOUD)).beginning()
    notes = told[:, v.COLUMN["kind"]] == v.NOTE
    assert told[notes, v.COLUMN["pitch"]].tolist() == [37, 43, 39, 47]


@pytest.mark.parametrize("mode", ["generate", "continue", "accompany"])
def test_a_phrase_with_loudness_is_replayed_choice_by_choice(mode: str) -> None:
    context = None if mode == "generate" else motif()
    request = Request(mode, 1, 3, context)  # type: ignore[arg-type]
    one, recorder = played(small_player(LOUD), request)
    other, again = played(small_player(LOUD), request)
    assert one.id == other.id
    assert recorder.choices == again.choices
    assert {choice.field for choice in recorder.choices} == {0, 1, 2, 3, 4}

"""Choices are written down, given back, and measured by how much each misses being drawn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musai.evidence.replay import TAU, played, replay
from musai.evidence.trace import Choice, Departed, Forced, Recorder, deficit
from musai.transformer import Request
from musai.transformer.noise import Noise
from musai.transformer.sampling import Draw, choose
from tests.transformer.models import motif, small_player

GENERATE = Request(bars=3, seed=7, temperature=1.3)
ANSWER = Request(mode="answer", bars=4, seed=8, context=motif(), top_p=0.8)


@st.composite
def draws(draw: st.DrawFn) -> Draw:
    count = draw(st.integers(2, 12))
    values = st.floats(-6, 6, allow_nan=False)
    logits = np.array(draw(st.lists(values, min_size=count, max_size=count)))
    allowed = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    allowed[draw(st.integers(0, count - 1))] = True
    heat = draw(st.sampled_from([0.0, 0.5, 1.0, 1.3])), draw(st.sampled_from([0.5, 0.9, 1.0]))
    noise, event = Noise(draw(st.integers(0, 99))), draw(st.integers(0, 9))
    return Draw(logits, allowed, *heat, noise, event, 2)


@given(draws())
def test_what_is_drawn_misses_by_nothing(drawn: Draw) -> None:
    assert deficit(drawn, choose(drawn), TAU) == 0


@given(draws(), st.integers(0, 11))
def test_what_is_not_drawn_misses_by_something(drawn: Draw, other: int) -> None:
    # Of all choices: at the edge of the likeliest ones, equal logits may fall on either side.
    drawn = replace(drawn, top_p=1.0)
    other %= len(drawn.logits)
    chosen = choose(drawn)
    if not drawn.allowed[other] or other == chosen:
        return
    alike = drawn.temperature == 0 and drawn.logits[other] == drawn.logits[chosen]
    assert deficit(drawn, other, TAU) > TAU or alike


@given(draws(), st.integers(0, 2**32))
def test_whatever_arithmetic_does_within_its_bounds_no_draw_misses_by_more(
    drawn: Draw, key: int
) -> None:
    rng = np.random.Generator(np.random.Philox(key))
    shaken = drawn.logits + rng.uniform(-1, 1, len(drawn.logits)) * TAU / 4
    assert deficit(drawn, choose(replace(drawn, logits=shaken)), TAU) <= TAU


@pytest.mark.parametrize("request_", [GENERATE, ANSWER], ids=["generate", "answer"])
def test_the_recorded_choices_give_the_phrase_again(request_: Request) -> None:
    player = small_player()
    phrase, recorder = played(player, request_)
    assert phrase.id == player.play(request_).id
    assert 0 < recorder.open <= len(recorder.choices)
    forced = Forced(recorder.choices, TAU)
    again = player.phrase(request_, list(player.generate(request_, chooser=forced)))
    assert again.id == phrase.id
    assert forced.whole
    assert forced.deficits == [0.0] * len(recorder.choices)


def test_a_choice_that_was_not_recorded_ends_the_walk() -> None:
    player = small_player()
    _, recorder = played(player, GENERATE)
    with pytest.raises(Departed):
        list(player.generate(GENERATE, chooser=Forced(recorder.choices[:-1], TAU)))
    other = [recorder.choices[0]._replace(drawn=10_000), *recorder.choices[1:]]
    with pytest.raises(Departed):
        list(player.generate(GENERATE, chooser=Forced(other, TAU)))


def test_the_same_model_replays_exactly() -> None:
    phrase, recorder = played(small_player(), ANSWER)
    outcome = replay(small_player(), ANSWER, phrase, recorder.choices)
    assert (outcome.verdict, outcome.step, outcome.deficit) == ("EXACT", None, 0.0)


class _Shaken:
    """Draws as arithmetic would that is off by so much."""

    def __init__(self, by: float) -> None:
        self.by, self.recorder, self.calls = by, Recorder(), 0

    def __call__(self, draw: Draw) -> int:
        self.calls += 1
        rng = np.random.Generator(np.random.Philox(self.calls))
        off = self.by * rng.uniform(-1, 1, len(draw.logits))
        return self.recorder(replace(draw, logits=draw.logits + off))


def test_other_arithmetic_is_equivalent_and_more_than_that_diverges() -> None:
    """What a machine that errs by 0.1 drew: held against a bound of that size, and against ours."""
    player = small_player()
    flipped = 0
    for seed in range(16):
        request = Request(bars=4, seed=seed, temperature=1.3, top_p=1.0)
        shaken = _Shaken(0.1)
        notes = list(player.generate(request, chooser=shaken))
        phrase, choices = player.phrase(request, notes), shaken.recorder.choices
        wide = replay(player, request, phrase, choices, tau=0.3)
        ours = replay(player, request, phrase, choices)
        if phrase.id == player.play(request).id:
            assert wide.verdict == ours.verdict == "EXACT"
            continue
        flipped += 1
        assert wide.verdict == "EQUIVALENT"
        assert TAU < (wide.deficit or 0) <= 0.2
        assert ours.verdict == "DIVERGED"
        assert ours.step is not None
        assert str(choices[ours.step]) in ours.says
    assert flipped >= 3


def test_another_seed_another_model_and_rounded_weights_diverge_with_the_step_named() -> None:
    phrase, recorder = played(small_player(), GENERATE)
    other_seed = Request(bars=3, seed=8, temperature=1.3)
    for player, request in ((small_player(), other_seed), (small_player(seed=2), GENERATE)):
        outcome = replay(player, request, phrase, recorder.choices)
        assert outcome.verdict == "DIVERGED"
        assert "first at choice" in outcome.says
        assert "differs at note" in outcome.says
        assert outcome.step is not None


def test_without_choices_a_phrase_that_differs_diverges_note_by_note() -> None:
    phrase, _ = played(small_player(), GENERATE)
    outcome = replay(small_player(seed=2), GENERATE, phrase)
    assert outcome.verdict == "DIVERGED"
    assert "its choices were not recorded" in outcome.says


def test_a_choice_is_named_by_field_and_event() -> None:
    assert str(Choice(11, 2, 0, 67)) == "pitch of event 12"
    assert str(Choice(0, 0, 1, 3)) == "position of event 1, attempt 2"

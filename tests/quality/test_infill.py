"""A bar taken out and put back: the likelihoods that decide are those of the player's own choices."""

from dataclasses import replace

import numpy as np
import pytest

from musai.music import Phrase
from musai.quality import infill
from musai.quality.infill import GAP, Scorer, whole
from musai.quality.prompts import Prompt
from musai.transformer import Request
from musai.transformer.encoding import bars_of, grid_notes, shift_of
from musai.transformer.noise import Noise
from musai.transformer.sampling import Draw, choose
from tests.transformer.models import small_player


def passage(seed: int, bars: int) -> Phrase:
    draw = np.random.Generator(np.random.Philox(seed))
    steps = np.array([0, 2, 4, 5, 7, 9, 11])[draw.integers(0, 7, 4 * bars)]
    return Phrase.from_notes(np.arange(4 * bars), [1] * 4 * bars, 60 + steps, length=4 * bars)


def prompt(seed: int) -> Prompt:
    return Prompt(f"{seed:02}", f"{seed:02}", "", passage(seed, 4), passage(100 + seed, 8))


def test_what_a_player_draws_is_as_likely_as_it_said_when_it_drew() -> None:
    player, held = small_player(), prompt(1)
    nats = 0.0

    def counted(draw: Draw) -> int:
        nonlocal nats
        drawn = choose(draw)
        legal = draw.logits[draw.allowed]
        nats -= float(draw.logits[drawn] - np.log(np.exp(legal).sum()))
        return drawn

    request = Request("infill", 1, 5, whole(held), first=GAP, temperature=1.0, top_p=1.0)
    notes = list(player.generate(request, chooser=counted))
    # What was drawn, as notes of the grid in the key in which the model hears the passage.
    passage = whole(held)
    bars = bars_of(passage)
    empty = passage.notes[
        (passage.notes["onset"] < bars[GAP].tick) | (passage.notes["onset"] >= bars[GAP + 1].tick)
    ]
    drawn = Phrase.from_notes(
        [*(empty["onset"] / 480), *((n.onset + bars[GAP].tick) / 480 for n in notes)],
        [*(empty["duration"] / 480), *(n.duration / 480 for n in notes)],
        [*empty["pitch"], *(n.pitch for n in notes)],
        length=48,
    )
    grid = [n for n in grid_notes(drawn, bars, shift_of(passage)) if n.bar == GAP]
    assert infill._nats(player, held, grid) == pytest.approx(nats)


def test_a_note_that_the_masks_forbid_is_infinitely_unlikely() -> None:
    held = prompt(1)
    grid = grid_notes(whole(held), bars_of(whole(held)), 0)
    inside = [n for n in grid if n.bar == GAP]
    assert np.isfinite(infill._nats(small_player(), held, inside))
    assert infill._nats(small_player(), held, [replace(inside[0], pitch=2)]) == float("inf")


def test_every_gap_has_nine_rivals_and_one_of_ten_is_right_by_chance() -> None:
    found = infill.infill(small_player(), [prompt(seed) for seed in range(30)], 30)
    assert (found.gaps, found.among) == (30, 10)
    # Weights at random know nothing: near one in ten, and the interval says how near.
    assert found.low <= found.right <= found.high
    assert found.low < 0.3


def test_without_rivals_nothing_is_claimed() -> None:
    found = infill.infill(small_player(), [prompt(1), prompt(1)], 10)
    assert (found.gaps, found.low, found.high) == (0, 0.0, 1.0)


def test_a_scorer_says_the_notes_then_the_bar_line() -> None:
    grid = grid_notes(passage(3, 1), bars_of(passage(3, 1)), 0)
    scorer = Scorer(grid[:1])
    flat, every, noise = np.zeros(193), np.ones(193, bool), Noise(1)
    assert scorer(Draw(flat, every, 1, 1, noise, 0, 0)) == 0
    assert scorer(Draw(flat[:128], every[:128], 1, 1, noise, 0, 2)) == grid[0].pitch
    assert scorer(Draw(flat, every, 1, 1, noise, 1, 0)) == 192
    assert scorer.nats == pytest.approx(2 * np.log(193) + np.log(128))

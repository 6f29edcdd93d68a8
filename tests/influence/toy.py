"""A training small enough for finite differences: four short tunes, a network of a few thousand weights."""

import numpy as np
import torch

from musai.influence import smooth
from musai.influence.gradients import asked_of
from musai.music import Phrase
from musai.transformer import data
from musai.transformer.recipe import Recipe, Schedule
from musai.transformer.shape import Shape

RECIPE = Recipe(
    "toy",
    "none",
    shape=Shape(width=8, layers=1, heads=1, inner=16, window=64),
    schedule=Schedule(steps=6, rows_per_batch=96, rate=0.02, warmup=2, epsilon=1e-3),
    given=0.0,
)


def tune(number: int) -> Phrase:
    """Twenty-four eighth notes of a walk that its number draws."""
    rng = np.random.Generator(np.random.Philox(number))
    pitch = np.clip(66 + np.cumsum(rng.integers(-3, 4, 24)), 48, 84)
    return Phrase.from_notes(np.arange(24) / 2, [0.5] * 24, pitch)


def pieces(count: int, first: int = 0) -> list[data.Piece]:
    return [data.encode_work(f"work {n}", tune(n), 1, "toy") for n in range(first, first + count)]


def started(dtype: torch.dtype = torch.float64) -> smooth.State:
    """After some steps already, so that no weight is nothing."""
    return smooth.State.fresh(RECIPE.shape, 7, dtype)


def queries(count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [asked_of(piece, RECIPE.shape.window)[0] for piece in pieces(count, 50)]

"""Three replays that must come out DIVERGED: another seed, rounded weights, one work less in training."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from musai.evidence.replay import Outcome, played, replay
from musai.transformer import Player, Request, checkpoint, training
from musai.transformer.checkpoint import CollectionStyle, Model
from musai.transformer.data import Piece, encode_work
from musai.transformer.recipe import Recipe, Schedule
from musai.transformer.shape import Shape
from tests.bench.server import motif

WORKS, STEPS = 24, 60


def controls(seed: int) -> dict[str, Outcome]:
    """What came of each, by name; every one takes up to eight phrases until one differs."""
    whole = checkpoint.load()
    rounded = replace(whole, weights={k: _eight_bits(w) for k, w in whole.weights.items()})
    with_all, without = _small(seed, WORKS), _small(seed, WORKS - 1)
    requests = [Request(bars=8, seed=seed + i) for i in range(8)]
    shifted = [replace(one, seed=one.seed + 1) for one in requests]
    return {
        "wrong seed": _first(whole, whole, requests, shifted),
        "weights rounded to 8 bits": _first(whole, rounded, requests, requests),
        "one training work deleted": _first(with_all, without, requests, requests),
    }


def _first(made: Model, here: Model, asked: list[Request], again: list[Request]) -> Outcome:
    """The first replay that is no EXACT one."""
    old, new = Player(made), Player(here)
    for one, other in zip(asked, again, strict=True):
        phrase, recorder = played(old, one)
        outcome = replay(new, other, phrase, recorder.choices)
        if outcome.verdict != "EXACT":
            break
    return outcome


def _eight_bits(weights: np.ndarray) -> np.ndarray:
    """Each weight on one of 256 levels between the least and the greatest."""
    step = (weights.max() - weights.min()) / 255
    return (np.round(weights / step) * step).astype(np.float32) if step else weights


def _small(seed: int, works: int) -> Model:
    """A model of 60 steps on so many melodies, the same ones first."""
    shape = Shape(width=32, layers=2, heads=2, inner=64, window=128)
    schedule = Schedule(seed=seed, steps=STEPS, rows_per_batch=512, warmup=5)
    recipe = Recipe("control", "none", 0.0, shape, schedule)
    pieces: list[Piece] = [
        encode_work(f"{n:064x}", motif(seed, n), 1, "motifs") for n in range(works)
    ]
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as work:
        network = training.train(recipe, tuple(pieces), Path(work), progress=lambda _: None)
    weights = {name: network.weight(name).detach().numpy() for name in shape.weights()}
    style: CollectionStyle = checkpoint.load().styles[0]
    return Model("control", f"{works:064x}", Path(), shape, (style,), {}, weights)

"""Models for tests: random weights, small, made from numpy's Philox; no training, no files."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from musai.music import Phrase
from musai.transformer import Player
from musai.transformer.checkpoint import CollectionStyle, Model, VoiceStyle
from musai.transformer.shape import Shape

SMALL = Shape(width=32, layers=2, heads=2, inner=64, window=128)
LOUD = replace(SMALL, fields=6)
"""One that says loudness (and timing, which players do not draw)."""
CARDED = replace(LOUD, cards=True)
"""One that draws pitches in sight of the voice's card."""

MELODY = VoiceStyle("Melody", 73, False, 55, 88, True)
CHOIR = tuple(
    VoiceStyle(name, 52, False, low, low + 20, True)
    for name, low in (("Soprano", 60), ("Alto", 55), ("Tenor", 48), ("Bass", 40))
)
STYLES = (
    CollectionStyle("tunes", (MELODY,), 112.0, (4, 4), "G"),
    CollectionStyle("chorales", CHOIR, 80.0, (4, 4), "C"),
)


def random_weights(shape: Shape, seed: int = 1) -> dict[str, np.ndarray]:
    """Weights lively enough that every choice is open."""
    rng = np.random.Generator(np.random.Philox(seed))
    return {
        name: (rng.standard_normal(size) * size[0] ** -0.5).astype(np.float32)
        for name, size in shape.weights().items()
    }


def small_model(shape: Shape = SMALL, seed: int = 1) -> Model:
    """A model of random weights that knows two collections."""
    weights = random_weights(shape, seed)
    return Model("random", f"{seed:064x}", Path("nowhere"), shape, STYLES, {}, weights)


def small_player(shape: Shape = SMALL, seed: int = 1) -> Player:
    """A player of `small_model`."""
    return Player(small_model(shape, seed))


def motif() -> Phrase:
    """Two bars of melody in G."""
    return Phrase.from_notes(
        [0, 1, 1.5, 2, 3, 4, 5, 5.5, 6],
        [1, 0.5, 0.5, 1, 1, 1, 0.5, 0.5, 2],
        [67, 71, 69, 67, 74, 72, 71, 69, 71],
        length=8,
    )

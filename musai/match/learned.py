"""What was learned from music: rates of change between related lines, weights of the global mode.

`learned.json` is written by `scripts/learn_scores.py`, which says from what
and with which cross-validated figures.  Nothing here is set by hand.
"""

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rates:
    """How related lines differ: shares of all moves from one pair of notes to the next.

    `near1`, `near2`, `octave`, `far`: the step is off by one or two
    semitones, an octave, or anything else; `gap`: two notes or more of one
    side have no partner, `gap_longer` the share of gaps that go on by
    another note; `ratio_near`, `ratio_far`: the ratio class is off by one, by
    more.  `by_chance` has the rates of unrelated notes where they are needed,
    and `mend`: the bits by which the sum of two steps is rarer than a step.
    """

    equal: float
    near1: float
    near2: float
    octave: float
    far: float
    changed: float
    extra: float
    missing: float
    gap: float
    gap_longer: float
    ratio_equal: float
    ratio_near: float
    ratio_far: float
    by_chance: dict[str, float]


@dataclass(frozen=True, slots=True)
class Whole:
    """Weights of the global mode, natural logarithms; see `whole.py` for what they stand at."""

    pair: Floats
    first: Floats
    second: Floats
    turns: Floats
    start: Floats
    duration: Floats


@dataclass(frozen=True, slots=True)
class Learned:
    """All tables, and how they came about.

    `places` (8, 8): bits by which two kinds of place (`places.py`) speak for paired notes.
    """

    rates: Rates
    whole: Whole
    places: Floats
    made: dict[str, Any]


@functools.cache
def learned() -> Learned:
    """The tables that ship with the package."""
    text = resources.files("musai.match").joinpath("learned.json").read_text(encoding="utf-8")
    held = json.loads(text)
    whole = Whole(**{name: np.array(values) for name, values in held["whole"].items()})
    return Learned(Rates(**held["rates"]), whole, np.array(held["places"]), held["made"])

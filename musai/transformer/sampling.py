"""One choice from logits and noise: a pure function, no generator anywhere."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from musai.transformer.noise import Noise

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Chooser(Protocol):
    """What draws one choice: `choose`, or one that writes down or prescribes what is drawn."""

    def __call__(
        self,
        logits: Floats,
        allowed: Mask,
        temperature: float,
        top_p: float,
        noise: Noise,
        event: int,
        field: int,
        attempt: int = 0,
    ) -> int:
        """The index of the choice; see `choose`."""
        ...


def nucleus(scores: Floats, top_p: float) -> NDArray[np.intp]:
    """Indices of the likeliest choices that together reach `top_p` (Holtzman et al. 2020), sorted.

    `scores` are logits already divided by the temperature.
    """
    if top_p >= 1.0:
        return np.arange(len(scores))
    order = np.argsort(-scores, kind="stable")
    weights = np.exp(scores[order] - scores[order[0]])
    reached = np.cumsum(weights) / weights.sum()
    count = int(np.searchsorted(reached, top_p)) + 1
    return np.sort(order[:count])


def choose(
    logits: Floats,
    allowed: Mask,
    temperature: float,
    top_p: float,
    noise: Noise,
    event: int,
    field: int,
    attempt: int = 0,
) -> int:
    """The Gumbel-max choice among the allowed ones: argmax(logit / temperature + noise).

    Every choice has its own noise, whatever else is allowed, so a mask or a
    control changes only what it must.  Temperature 0 takes the likeliest.
    """
    legal = np.flatnonzero(allowed)
    if len(legal) == 0:
        raise AssertionError("the grammar left no choice")  # pragma: no cover
    if len(legal) == 1:
        return int(legal[0])
    if temperature == 0:
        return int(legal[np.argmax(logits[legal])])
    scores = logits[legal] / temperature
    kept = nucleus(scores, top_p)
    drawn = noise.gumbel(event, field, len(logits), attempt, legal[kept])
    return int(legal[kept[np.argmax(scores[kept] + drawn)]])

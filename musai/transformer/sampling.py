"""One choice from logits and noise: a pure function, no generator anywhere."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from musai.transformer.noise import Noise

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Draw:
    """One choice to be made: scores, what is legal, the heat, and by which names its noise is called.

    `logits` of all indices, `allowed` which of them the grammar leaves; temperature 0 takes the
    likeliest; `event`, `field` and `attempt` key the noise, whenever it is asked for.
    """

    logits: Floats
    allowed: Mask
    temperature: float
    top_p: float
    noise: Noise
    event: int
    field: int
    attempt: int = 0


class Chooser(Protocol):
    """What draws one choice: `choose`, or one that writes down or prescribes what is drawn."""

    def __call__(self, draw: Draw, /) -> int:
        """The index of the choice."""
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


def choose(draw: Draw) -> int:
    """The Gumbel-max choice among the allowed ones: argmax(logit / temperature + noise).

    Every choice has its own noise, whatever else is allowed, so a mask or a
    control changes only what it must.
    """
    legal = np.flatnonzero(draw.allowed)
    if len(legal) == 0:
        raise AssertionError("the grammar left no choice")  # pragma: no cover
    if len(legal) == 1:
        return int(legal[0])
    if draw.temperature == 0:
        return int(legal[np.argmax(draw.logits[legal])])
    scores = draw.logits[legal] / draw.temperature
    kept = nucleus(scores, draw.top_p)
    if len(kept) == 1:  # No noise would change it.
        return int(legal[kept[0]])
    noise = draw.noise.gumbel(draw.event, draw.field, len(draw.logits), draw.attempt, legal[kept])
    return int(legal[kept[np.argmax(scores[kept] + noise)]])

"""The choices of one answer: written down as they are drawn, and prescribed again later.

A choice is named by (event, field, attempt), as its noise is.  All of them are kept in the order
in which they were drawn, those that a guard took back among them, so that the same decisions
lead through the same walk.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from musai.transformer.sampling import Draw, Floats, Mask, choose

FIELDS = ("position", "voice", "pitch", "length", "velocity")
"""What is drawn of an event, in this order; see `musai.transformer.walk`."""


class Choice(NamedTuple):
    """One choice as it was drawn."""

    event: int
    field: int
    attempt: int
    drawn: int

    def __str__(self) -> str:
        again = f", attempt {self.attempt + 1}" if self.attempt else ""
        return f"{FIELDS[self.field]} of event {self.event + 1}{again}"


class Recorder:
    """Draws as always and writes down what was drawn.

    `open` counts the choices that had more than one legal index: the draws.
    """

    def __init__(self) -> None:
        self.choices: list[Choice] = []
        self.open = 0

    def __call__(self, draw: Draw, /) -> int:
        """See `choose`."""
        drawn = choose(draw)
        self.choices.append(Choice(draw.event, draw.field, draw.attempt, drawn))
        self.open += int(draw.allowed.sum()) > 1
        return drawn


class Departed(Exception):
    """The walk asks for a choice that was not recorded, or forbids the one that was."""


class Forced:
    """Draws nothing: gives the recorded choices back and measures by how much each would lose.

    `deficits`: for each choice the change of a logit that would be needed for it to be drawn
    here, 0 where it is what would be drawn.  `tau` is the change that arithmetic may make.
    """

    def __init__(self, choices: Sequence[Choice], tau: float) -> None:
        self._choices = choices
        self._tau = tau
        self.deficits: list[float] = []

    @property
    def whole(self) -> bool:
        """Whether every recorded choice was asked for."""
        return len(self.deficits) == len(self._choices)

    def __call__(self, draw: Draw, /) -> int:
        """The recorded choice.  Raises `Departed`."""
        at = len(self.deficits)
        if at == len(self._choices):
            raise Departed
        told = self._choices[at]
        asked = draw.event, draw.field, draw.attempt
        if told[:3] != asked or not _legal(draw.allowed, told.drawn):
            raise Departed
        self.deficits.append(deficit(draw, told.drawn, self._tau))
        return told.drawn


def deficit(draw: Draw, index: int, tau: float) -> float:
    """By how much of a logit this legal choice misses being drawn; 0 where it is drawn.

    With other arithmetic each logit may be off by `tau`.  So a rival counts only where it is
    within the likeliest choices (`top_p`) whatever that does, and the choice itself is out
    (infinity) only where it is beyond them whatever that does.
    """
    legal, logits = np.flatnonzero(draw.allowed), draw.logits
    if len(legal) == 1:
        return 0.0
    if draw.temperature == 0:
        return float(logits[legal].max() - logits[index])
    scores = logits[legal] / draw.temperature
    sums = scores + draw.noise.gumbel(draw.event, draw.field, len(logits), draw.attempt, legal)
    mine = int(np.searchsorted(legal, index))
    surely, perhaps = _within(scores, draw.top_p, tau / draw.temperature)
    if not perhaps[mine]:
        return float("inf")
    surely[mine] = True
    return float(sums[surely].max() - sums[mine]) * draw.temperature


def _within(scores: Floats, top_p: float, slack: float) -> tuple[Mask, Mask]:
    """Which choices are among the likeliest for sure, and which may be, if scores may err so."""
    if top_p >= 1:
        every = np.ones(len(scores), np.bool_)
        return every, every
    falling = np.sort(scores)[::-1]
    mass = np.exp(falling - falling[0])
    reached = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
    rising = falling[::-1]
    # Weight of what is likelier by more than two errors, and of all that is not less likely by them.
    least = reached[len(scores) - np.searchsorted(rising, scores + 2 * slack, "right")]
    most = reached[len(scores) - np.searchsorted(rising, scores - 2 * slack, "left") - 1]
    return most < top_p - 2 * slack, least < top_p + 2 * slack


def _legal(allowed: Mask, index: int) -> bool:
    return 0 <= index < len(allowed) and bool(allowed[index])

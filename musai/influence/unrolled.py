"""Tier 3: the derivative of an outcome through the whole of training, by the weight of each work.

Reverse mode over the steps of training (L. Engstrom and others, "Optimizing ML training with
metagradient descent", 2025; A. Ilyas and L. Engstrom, "MAGIC", 2025): the states after every k-th
step are kept on the way forward; on the way back each stretch is walked again and every step of
it differentiated once, so that memory grows with the root of the number of steps and the
time of one query is that of a few trainings.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from musai.influence.smooth import Batch, State, step, surprise
from musai.transformer.recipe import Recipe

Query = tuple[Tensor, Tensor]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Walk:
    """A training kept so that it can be walked back: its batches, and the states at `stops`."""

    recipe: Recipe
    steps: tuple[Batch, ...]
    counts: Tensor
    stops: dict[int, State]

    @property
    def end(self) -> State:
        """The state after the last step."""
        return self.stops[len(self.steps)]


def walk(
    recipe: Recipe,
    steps: Sequence[Batch],
    counts: Tensor,
    state: State,
    progress: Progress | None = None,
) -> Walk:
    """Train, keeping a state every root of the number of steps."""
    every = max(1, math.isqrt(len(steps)))
    stops = {0: state}
    for number, batch in enumerate(steps):
        state = step(recipe, state, batch, counts)
        if (number + 1) % every == 0 or number + 1 == len(steps):
            stops[number + 1] = state
            if progress is not None:
                progress(number + 1, len(steps))
    return Walk(recipe, tuple(steps), counts, stops)


def influence(held: Walk, queries: Sequence[Query], progress: Progress | None = None) -> Tensor:
    """d log p(query) / d count(work), (queries, works): the first change in nats as a work counts more.

    Minus a row's sum over some works is what leaving these out is foretold to change.
    """
    end = held.end.leaves()
    pulls = [_pull(held, end, query) for query in queries]
    out = torch.zeros(len(queries), len(held.counts), dtype=held.counts.dtype)
    marks = sorted(held.stops)
    for first, last in zip(marks[-2::-1], marks[:0:-1], strict=True):
        states = [held.stops[first]]
        for batch in held.steps[first : last - 1]:
            states.append(step(held.recipe, states[-1], batch, held.counts))
        for number in range(last - 1, first - 1, -1):
            pulls = _back(held, states[number - first], held.steps[number], pulls, out)
        if progress is not None:
            progress(len(held.steps) - first, len(held.steps))
    return out


def _pull(held: Walk, end: State, query: Query) -> list[Tensor]:
    """d log p / d state after the last step, in the order of `State.tensors`."""
    nats = surprise(held.recipe.shape, end.weights, query)
    by_weights = torch.autograd.grad(-nats, list(end.weights.values()))
    rest = (*end.means.values(), *end.squares.values())
    return [*by_weights, *(torch.zeros_like(t) for t in rest)]


def _back(
    held: Walk, before: State, batch: Batch, pulls: Sequence[list[Tensor]], out: Tensor
) -> list[list[Tensor]]:
    """The pulls before one step; what the counts of its works do is added to `out`."""
    leaves = before.leaves()
    counts = held.counts.detach().clone().requires_grad_()
    after = step(held.recipe, leaves, batch, counts, twice=True)
    ends, starts = after.tensors(), [*leaves.tensors(), counts]
    moved = []
    for number, pull in enumerate(pulls):
        *back, by_counts = torch.autograd.grad(
            ends, starts, grad_outputs=pull, retain_graph=number + 1 < len(pulls)
        )
        out[number] += by_counts
        moved.append(list(back))
    return moved

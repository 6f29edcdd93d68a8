"""Training as a smooth function of how much each work counts: one step, twice differentiable.

The network is `transformer.network.Network` with plain sums and products where the trained one
calls fused kernels that cannot be differentiated twice; the values agree to rounding.  The step
is Muon's or AdamW's, its epsilon under the root (A. Ilyas and L. Engstrom, "MAGIC: near-optimal data
attribution for deep learning", 2025: beside the root the derivative has no bound where a
gradient was nothing so far).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from musai.transformer import data
from musai.transformer import vocabulary as v
from musai.transformer.muon import MOMENTUM, direction
from musai.transformer.network import Network
from musai.transformer.recipe import Recipe, Schedule
from musai.transformer.shape import Shape
from musai.transformer.training import kind_of, rate_at, steps_of

Weights = dict[str, Tensor]


class Smooth(Network):
    """A network over given tensors, whichever graph they belong to."""

    def __init__(self, shape: Shape, weights: Mapping[str, Tensor]) -> None:
        nn.Module.__init__(self)
        self.shape = shape
        self.held = dict(weights)
        self.register_buffer("offsets", torch.as_tensor(v.OFFSETS), persistent=False)

    def weight(self, name: str) -> Tensor:
        """One weight by its name in `Shape.weights`."""
        return self.held[name]

    def gathered(self, ids: Tensor, table: str = "embed") -> Tensor:
        """Sums of rows of a table, differentiable twice."""
        rows = nn.functional.embedding(ids, self.held[table])
        summed: Tensor = (rows * (ids != 0).unsqueeze(-1)).sum(-2)
        return summed

    def attended(self, q: Tensor, k: Tensor, values: Tensor) -> Tensor:
        """Causal attention written out, differentiable twice."""
        length = q.shape[-2]
        later = torch.ones(length, length, dtype=torch.bool, device=q.device).triu(1)
        likeness = (q @ k.transpose(-1, -2)) * q.shape[-1] ** -0.5
        mixed: Tensor = likeness.masked_fill(later, -torch.inf).softmax(-1) @ values
        return mixed


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step reads: its number, rows and targets, and which work each row of them is of."""

    number: int
    rows: Tensor
    targets: Tensor
    works: Tensor


@dataclass(frozen=True, slots=True)
class State:
    """Weights and the two moments of their gradients, each by name in `Shape.weights`."""

    weights: Weights
    means: Weights
    squares: Weights

    @classmethod
    def fresh(cls, shape: Shape, seed: int, dtype: torch.dtype) -> "State":
        """Before the first step."""
        return cls.of(Network.fresh(shape, seed), dtype)

    @classmethod
    def of(cls, network: Network, dtype: torch.dtype = torch.float32) -> "State":
        """Before the first step from these weights."""
        names = network.shape.weights()
        weights = {name: network.weight(name).detach().to(dtype) for name in names}
        return cls(weights, _zeros(weights), _zeros(weights))

    def tensors(self) -> list[Tensor]:
        """All of them in one order."""
        return [t for part in (self.weights, self.means, self.squares) for t in part.values()]

    def like(self, tensors: Sequence[Tensor]) -> "State":
        """The state that these tensors, in that order, are."""
        names, count = list(self.weights), len(self.weights)
        parts = (tensors[i * count : (i + 1) * count] for i in range(3))
        return State(*(dict(zip(names, part, strict=True)) for part in parts))

    def leaves(self) -> "State":
        """The same values, to be differentiated by."""
        return self.like([t.detach().requires_grad_() for t in self.tensors()])


def _zeros(weights: Weights) -> Weights:
    return {name: torch.zeros_like(weight) for name, weight in weights.items()}


def batches(recipe: Recipe, pieces: Sequence[data.Piece]) -> list[Batch]:
    """Every batch of the recipe's schedule, in order."""
    number = {piece.work_id: n for n, piece in enumerate(pieces)}
    return [
        Batch(step, rows, targets, torch.tensor([number[i] for i in ids]))
        for step, rows, targets, ids in steps_of(recipe, pieces, 0)
    ]


def step(recipe: Recipe, state: State, batch: Batch, counts: Tensor, twice: bool = False) -> State:
    """The state after one step, in which each work counts as often as `counts` (works,) says.

    A count enters the sum of losses and not what that is divided by, so that a work at 0 leaves
    everything else of the step as it was.  `twice`: the result can be differentiated by the
    state, whose tensors must be leaves, and by the counts.
    """
    if not twice:
        state = state.leaves()
    names = list(state.weights)
    losses = Smooth(recipe.shape, state.weights).field_losses(batch.rows, batch.targets)
    asked = max(1, int((batch.targets[..., 0] >= 0).sum()))
    loss = (losses * counts[batch.works][None, :, None]).sum() / asked
    held = [state.weights[name] for name in names]
    gradients = torch.autograd.grad(loss, held, create_graph=twice)
    with torch.set_grad_enabled(twice):
        return _moved(
            recipe.schedule, state, dict(zip(names, gradients, strict=True)), batch.number
        )


def _moved(schedule: Schedule, state: State, gradients: Weights, number: int) -> State:
    size = torch.stack([(g * g).sum() for g in gradients.values()]).sum().sqrt()
    scale = (schedule.clip / (size + 1e-6)).clamp(max=1.0)
    rate = rate_at(schedule, number)
    weights, means, squares = {}, {}, {}
    for name, gradient in gradients.items():
        g, mean, square = gradient * scale, state.means[name], state.squares[name]
        kind = kind_of(name, schedule)
        if kind == "turned":
            mean = MOMENTUM * mean + (1 - MOMENTUM) * g
            moved = direction(g, mean)
        else:
            mean = schedule.beta1 * mean + (1 - schedule.beta1) * g
            square = schedule.beta2 * square + (1 - schedule.beta2) * g * g
            moved = _adam(schedule, mean, square, number + 1)
        decay = 0.0 if kind == "free" else schedule.decay
        weights[name] = state.weights[name] * (1 - rate * decay) - rate * moved
        means[name], squares[name] = mean, square
    return State(weights, means, squares)


def _adam(schedule: Schedule, mean: Tensor, square: Tensor, done: int) -> Tensor:
    mean, square = mean / (1 - schedule.beta1**done), square / (1 - schedule.beta2**done)
    return mean / torch.sqrt(square + schedule.epsilon**2)


def train(recipe: Recipe, steps: Sequence[Batch], counts: Tensor, state: State) -> State:
    """The state after all batches; nothing of the way is kept."""
    for batch in steps:
        state = step(recipe, state, batch, counts)
    return state


def surprise(shape: Shape, weights: Weights, query: tuple[Tensor, Tensor]) -> Tensor:
    """Nats of a query, the negative of its log-probability: rows and targets, one batch of each."""
    return Smooth(shape, weights).field_losses(*query).sum()

"""Muon: matrices moved by steps whose singular values are all about one.

K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024); the length of a
step is that of AdamW's, by J. Liu et al., "Muon is scalable for LLM training" (2025), so that one
learning rate serves both.  Torch's own rounds to bfloat16, which few processors have; here it is
float32 throughout, the same bits wherever the other products are.
"""

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor

MOMENTUM: Final = 0.95
ROUNDS: Final = 5
_A, _B, _C = 3.4445, -4.7750, 2.0315
"""The odd polynomial whose repetition brings singular values from (0, 1] near 1."""
_LEAST: Final = 1e-14
"""Under the root, so that nothing has a derivative there too."""


def orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest matrix whose singular values are 1, by five rounds of Newton and Schulz."""
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T
    x = x * torch.rsqrt((x * x).sum() + _LEAST)
    for _ in range(ROUNDS):
        square = x @ x.T
        x = _A * x + (_B * square + _C * square @ square) @ x
    return x if wide else x.T


def direction(gradient: Tensor, mean: Tensor) -> Tensor:
    """Where a matrix goes, as long as a step of AdamW; `mean` holds this gradient already."""
    ahead = gradient.lerp(mean, MOMENTUM)
    length: float = 0.2 * max(gradient.shape) ** 0.5
    return orthogonal(ahead) * length


class Muon(torch.optim.AdamW):
    """AdamW, but for the groups that say `orthogonal`: these hold matrices and move by Muon."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Move all weights by their gradients; no closure is called."""
        for group in self.param_groups:
            if group.get("orthogonal"):
                for weight in group["params"]:
                    self._turn(weight, group["lr"], group["weight_decay"])
        super().step()

    def _turn(self, weight: Tensor, rate: float, decay: float) -> None:
        gradient, weight.grad = weight.grad, None  # so that AdamW leaves it alone
        if gradient is None:
            return
        state = self.state[weight]
        if not state:
            state["mean"] = torch.zeros_like(weight)
        mean = state["mean"].lerp_(gradient, 1 - MOMENTUM)
        weight.mul_(1 - rate * decay).sub_(rate * direction(gradient, mean))

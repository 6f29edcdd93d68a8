"""Tier 1: gradients at the finished weights, layer by layer, each small enough to keep.

Every matrix's gradient is a sum of outer products; taken from both sides to 16 x 16 by random
matrices, it fits a file for thousands of works (S. K. Choe and others, "What is your data worth to
GPT?", 2024), and its empirical Fisher matrix, 256 x 256 a layer, can be inverted.  The estimate is
the influence function of that block (P. W. Koh and P. Liang, 2017): how the query's gradient
lies along the work's, where the works differ little counting most.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musai.transformer import data
from musai.transformer.network import Network
from musai.transformer.shape import Shape

SIDE = 16
"""Rows and columns that are left of a gradient."""

Floats = NDArray[np.float64]
Query = tuple[Tensor, Tensor]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Projection:
    """Two random matrices for every weight, (rows, SIDE) and (SIDE, columns), from a seed."""

    sides: dict[str, tuple[Tensor, Tensor]]

    @classmethod
    def of(cls, shape: Shape, seed: int = 7, side: int = SIDE) -> "Projection":
        """The matrices of a shape; a side that is small already stays as it is."""
        return cls(
            {
                name: (
                    _thin(size[0], side, seed, f"{name} rows"),
                    _thin(size[1], side, seed, f"{name} columns").T,
                )
                for name, size in shape.weights().items()
            }
        )

    def taken(self, gradients: dict[str, Tensor]) -> Floats:
        """(weights, SIDE * SIDE), one row a matrix."""
        rows = [
            (left.T @ gradients[name] @ right.T).flatten()
            for name, (left, right) in self.sides.items()
        ]
        width = max(len(row) for row in rows)
        out = np.zeros((len(rows), width))
        for row, kept in zip(out, rows, strict=True):
            row[: len(kept)] = kept.double().numpy()
        return out


def _thin(size: int, side: int, seed: int, purpose: str) -> Tensor:
    if size <= side:
        return torch.eye(size)
    rng = data.generator(seed, f"projection {purpose}")
    return torch.from_numpy(rng.standard_normal((size, side)) / side**0.5).float()


def asked_of(piece: data.Piece, window: int) -> list[Query]:
    """Rows and targets of a whole work, a window each, told everything."""
    parts = (data.rows_of(s, piece, window) for s in data.cut(piece, 0, window, None))
    return [
        (torch.from_numpy(rows), torch.from_numpy(targets))
        for rows, targets in (data.padded([part]) for part in parts)
    ]


def gradient(network: Network, windows: Iterable[Query]) -> dict[str, Tensor]:
    """The gradient of the nats of all windows, by name of the weight."""
    names = list(network.shape.weights())
    held = [network.weight(name) for name in names]
    total = [torch.zeros_like(weight) for weight in held]
    for rows, targets in windows:
        nats = network.field_losses(rows, targets).sum()
        for sum_, part in zip(total, torch.autograd.grad(nats, held), strict=True):
            sum_ += part
    return dict(zip(names, total, strict=True))


def table(
    network: Network,
    projection: Projection,
    works: Sequence[Sequence[Query]],
    progress: Progress | None = None,
) -> Floats:
    """What is kept of every work's gradient, (works, weights, SIDE * SIDE)."""
    out = []
    for number, windows in enumerate(works):
        out.append(projection.taken(gradient(network, windows)))
        if progress is not None:
            progress(number + 1, len(works))
    return np.stack(out)


def lifted(works: NDArray[np.floating[Any]], queries: Floats, damping: float) -> Floats:
    """Queries times the inverse of the works' empirical Fisher matrix, block by block, both as
    `table` makes them.

    `damping` is in units of the mean of each block's eigenvalues; infinite damping leaves the
    queries as they are.
    """
    if np.isinf(damping):
        return queries
    out = np.zeros(queries.shape)
    for block in range(works.shape[1]):
        held = works[:, block].astype(np.float64)
        fisher = held.T @ held / len(held)
        mean = np.trace(fisher) / len(fisher)
        if mean > 0:
            damped = fisher + damping * mean * np.eye(len(fisher))
            out[:, block] = np.linalg.solve(damped, queries[:, block].T).T
    return out


def scores(works: Floats, queries: Floats, damping: float) -> Floats:
    """d log p(query) / d count(work) up to a factor, (queries, works); see `lifted`."""
    found: Floats = np.einsum("qbd,wbd->qw", lifted(works, queries, damping), works)
    return found


def cosine(works: Floats, queries: Floats) -> Floats:
    """Cosines of whole gradients, as far as they are kept, (queries, works): the usual first try."""
    w, q = works.reshape(len(works), -1), queries.reshape(len(queries), -1)
    sizes = np.linalg.norm(q, axis=1)[:, None] * np.linalg.norm(w, axis=1)[None]
    held: Floats = np.divide(q @ w.T, sizes, out=np.zeros(sizes.shape), where=sizes > 0)
    return held


DAMPINGS = (0.001, 0.01, 0.1, 1.0, 10.0, np.inf)

DAMPING = np.inf
"""Where nobody measured on the model which is best: plain products, as on the bench."""


def damping_for(works: Floats, queries: Floats, lds: Callable[[Floats], float]) -> float:
    """The damping of `DAMPINGS` whose scores are best by `lds`, which must be of data kept for that."""
    return max(DAMPINGS, key=lambda damping: lds(scores(works, queries, damping)))

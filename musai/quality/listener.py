"""A small transformer that listens: trained to tell a model's phrases from the human's.

It reads the events of a phrase with nothing told but its metre, in the key without accidentals; two
layers, the mean of their states, one weight a state.  Repeatable: seeds are counters, one thread.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from musai.music import Phrase
from musai.quality.likeness import FOLDS, Floats, Ints
from musai.transformer.encoding import Header, Rows, VoiceWish, encode, shift_of
from musai.transformer.network import Network
from musai.transformer.shape import Shape

SHAPE = Shape(width=64, layers=2, heads=4, inner=128, window=512, fields=4)
EPOCHS = 12
BATCH = 32
SORTED = 8 * BATCH
RATE = 2e-3


def events(phrase: Phrase) -> Rows:
    """A phrase's rows, all wishes untold."""
    header = Header(tuple(VoiceWish() for _ in phrase.voices))
    return encode(phrase, header, shift_of(phrase), tell_remaining=False).rows[: SHAPE.window]


class Listener(torch.nn.Module):
    """The trunk of a player's network and one weight a state."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.network = Network.fresh(SHAPE, seed)
        self.weight = torch.nn.Parameter(torch.zeros(SHAPE.width))
        self.bias = torch.nn.Parameter(torch.zeros(()))

    def forward(self, rows: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Logits (batch,) of rows (batch, longest, fields): high for human."""
        states = self.network.states(rows)
        inside = torch.arange(rows.shape[1])[None] < lengths[:, None]
        mean = (states * inside[..., None]).sum(1) / lengths[:, None]
        scaled = mean * torch.rsqrt(mean.square().mean(-1, keepdim=True) + 1e-6)
        return scaled @ self.weight + self.bias


def listened(
    phrases: Sequence[Phrase],
    human: NDArray[np.bool_],
    fold: Ints,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Floats:
    """Scores of phrases by listeners that were trained on the other folds; high: human."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _listened(phrases, human, fold, progress)
    finally:
        torch.set_num_threads(threads)


def _listened(
    phrases: Sequence[Phrase],
    human: NDArray[np.bool_],
    fold: Ints,
    progress: Callable[[int, int], None],
) -> Floats:
    rows = [events(phrase) for phrase in phrases]
    scores = np.zeros(len(rows))
    for number in range(FOLDS):
        inside = np.flatnonzero(fold == number)
        outside = np.flatnonzero(fold != number)
        if not len(inside) or len(set(human[outside].tolist())) < 2:
            continue
        listener = _trained(rows, human, outside, number)
        scores[inside] = _scores(listener, rows, inside)
        progress(1 + number, FOLDS)
    return scores


def _trained(rows: Sequence[Rows], human: NDArray[np.bool_], which: Ints, seed: int) -> Listener:
    listener = Listener(seed)
    # As `_batches` cuts them: only the last part of an order ends in a smaller batch.
    steps = EPOCHS * -(-len(which) // BATCH)
    optimizer = torch.optim.AdamW(listener.parameters(), RATE, weight_decay=0.05)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    draw = np.random.Generator(np.random.Philox(key=seed))
    truth = torch.from_numpy(human.astype(np.float32))
    lengths = np.array([len(row) for row in rows])
    for _ in range(EPOCHS):
        for part in _batches(draw.permutation(which), lengths):
            loss = functional.binary_cross_entropy_with_logits(
                listener(*_padded([rows[i] for i in part])), truth[part]
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            rate.step()
    return listener


def _batches(order: Ints, lengths: Ints) -> Iterator[Ints]:
    """Batches of an order, its phrases sorted by length within each `SORTED` of them: a batch is read
    as long as its longest."""
    for start in range(0, len(order), SORTED):
        part = order[start : start + SORTED]
        part = part[np.argsort(lengths[part], kind="stable")]
        for first in range(0, len(part), BATCH):
            yield part[first : first + BATCH]


@torch.no_grad()
def _scores(listener: Listener, rows: Sequence[Rows], which: Ints) -> Floats:
    found = [
        listener(*_padded([rows[i] for i in which[start : start + BATCH]])).numpy()
        for start in range(0, len(which), BATCH)
    ]
    return np.concatenate(found).astype(np.float64)


def _padded(parts: Sequence[Rows]) -> tuple[torch.Tensor, torch.Tensor]:
    lengths = np.array([len(part) for part in parts])
    table = np.zeros((len(parts), int(lengths.max()), parts[0].shape[1]), np.int16)
    for i, part in enumerate(parts):
        table[i, : len(part)] = part
    return torch.from_numpy(table), torch.from_numpy(lengths)

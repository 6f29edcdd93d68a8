"""A phrase in passages of a few notes, so that influence can be told place by place."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from musai.influence.gradients import Floats, Projection, Query
from musai.music import Phrase
from musai.transformer import data
from musai.transformer import vocabulary as v
from musai.transformer.encoding import bars_of
from musai.transformer.network import Network

NOTES = 4
"""Notes of a passage, in the order in which the model says them."""

MOST = 24
"""Passages of a phrase; a longer phrase has longer ones, so that asking stays under a second."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Rows `start` to `stop` (not included) of a window, and the onsets of the notes they ask for."""

    window: int
    start: int
    stop: int
    onsets: tuple[int, ...]


def passages(piece: data.Piece, phrase: Phrase, window: int) -> list[Passage]:
    """The passages of a phrase; each target of its windows, as `gradients.asked_of` cuts them, is in one.

    `piece` is the phrase encoded.
    """
    encoded = piece.plain
    ticks = [bar.tick for bar in bars_of(phrase)]
    samples = list(data.cut(piece, 0, window, None))
    tables = [data.rows_of(sample, piece, window) for sample in samples]
    notes = sum(int((targets[:, 2] >= 0).sum()) for _, targets in tables)
    size = max(NOTES, math.ceil(notes / MOST))
    found: list[Passage] = []
    for number, (sample, (rows, targets)) in enumerate(zip(samples, tables, strict=True)):
        asked = np.flatnonzero(targets[:, 2] >= 0)
        if not len(asked):
            found.append(Passage(number, 0, len(rows), ()))
            continue
        first = int(encoded.bar_rows[sample.first]) - encoded.header
        bar = np.searchsorted(encoded.bar_rows, first + asked + 1, side="right") - 1
        steps = rows[np.minimum(asked + 1, len(rows) - 1), v.COLUMN["position"]].astype(int) - 1
        onsets = [ticks[b] + max(0, s) * v.STEP_TICKS for b, s in zip(bar, steps, strict=True)]
        starts = [0, *asked[size::size].tolist(), len(rows)]
        for at, (start, stop) in enumerate(pairwise(starts)):
            held = tuple(onsets[at * size : (at + 1) * size])
            found.append(Passage(number, start, stop, held))
    return found


def by_passage(
    network: Network,
    projection: Projection,
    windows: Sequence[Query],
    asked: Sequence[Passage],
) -> Floats:
    """What is kept of the gradient of each passage's nats, (passages, weights, SIDE * SIDE).

    They sum to what `gradients.table` keeps of the whole.
    """
    names = list(network.shape.weights())
    held = [network.weight(name) for name in names]
    out = []
    for number, (rows, targets) in enumerate(windows):
        nats = network.field_losses(rows, targets)[:, 0]
        for one in (p for p in asked if p.window == number):
            parts = torch.autograd.grad(
                nats[:, one.start : one.stop].sum(), held, retain_graph=True
            )
            out.append(projection.taken(dict(zip(names, parts, strict=True))))
    return np.stack(out)

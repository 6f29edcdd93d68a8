"""The plain way to do it: one token an attribute, one softmax over all of them.

The same trunk, works, optimizer and training loop as the player's; what differs is what it is compared
for: a note is four steps here (place, voice, pitch, length), each a token of one vocabulary, where the player takes one
step and draws the four from one state.  Bits are counted for the same things, so the two can stand in one table.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from musai.corpus import Corpus
from musai.transformer import training
from musai.transformer import vocabulary as v
from musai.transformer.checkpoint import RECIPE, Model
from musai.transformer.making import gather
from musai.transformer.network import Drop, Network, keep, norm, rotary, turned
from musai.transformer.recipe import Recipe
from musai.transformer.shape import Shape

Progress = Callable[[int, int, str], None]

WINDOW: Final = 192
"""Events of a window: some 800 tokens, which cost what 800 events cost the player."""

ROWS: Final = 1536
"""Events of a batch: some 6,000 tokens."""

FIELDS: Final = tuple(v.OUTPUTS)[:4]

_TOLD: Final = {
    v.HEAD: ("mode", "tempo", "collection"),
    v.VOICE: ("voice", "instrument", "register", "density"),
    v.BAR: ("numerator", "denominator", "remaining", "bar"),
    v.NOTE: FIELDS,
    v.GIVEN: ("ahead", *FIELDS),
}
"""Attributes that are told of each kind of event, in order; those that are "not told" have no token."""

_C: Final = v.COLUMN
VOCABULARY: Final = int(v.ROWS)
"""A token is a value of an input field: its row in the player's embedding; row 0 stands for nothing."""

BARLINE: Final = int(v.OFFSETS[_C["position"]]) + v.BARLINE + 1
"""The place of no note: the token that ends a bar."""

Ints = NDArray[np.int64]


class Tokens(NamedTuple):
    """Tokens of a batch, (batch, longest), 0 beyond the end; `asked` (n, 4): the batch's row, the token's
    place, its field, and the event whose target it is."""

    tokens: Ints
    asked: Ints


def tokens_of(rows: NDArray[np.int16], targets: NDArray[np.int16]) -> Tokens:
    """One token an attribute of rows (batch, length, fields) with their targets."""
    made: list[list[int]] = []
    asked: list[tuple[int, int, int, int]] = []
    for number, (events, wanted) in enumerate(zip(rows.tolist(), targets.tolist(), strict=True)):
        line: list[int] = []
        for k, row in enumerate(events):
            kind = row[0]
            if kind == 0:
                break
            if k and wanted[k - 1][0] >= 0:
                fields = FIELDS if kind == v.NOTE else FIELDS[:1]
                asked += [(number, len(line) + i, i, k - 1) for i in range(len(fields))]
            if kind == v.BAR:
                line.append(BARLINE)
            line += [v.OFFSETS[_C[name]] + row[_C[name]] for name in _TOLD[kind] if row[_C[name]]]
        else:
            k = len(events)
        if wanted[k - 1][0] == v.BARLINE:
            asked.append((number, len(line), 0, k - 1))
            line.append(BARLINE)
        made.append(line)
    table = np.zeros((len(made), max(map(len, made))), np.int64)
    for number, line in enumerate(made):
        table[number, : len(line)] = line
    return Tokens(table, np.array(asked, np.int64).reshape(-1, 4))


def weights_of(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight: the player's embedding and layers, and one head."""
    held = {n: size for n, size in shape.weights().items() if n == "embed" or n.startswith("layer")}
    return {**held, "head": (shape.width, VOCABULARY)}


class Plain(Network):
    """Takes the player's place in training and in measuring; it does not play."""

    def __init__(self, shape: Shape, seed: int) -> None:
        nn.Module.__init__(self)
        self.shape = shape
        generator = torch.Generator().manual_seed(seed)
        weights = {}
        for name, size in weights_of(shape).items():
            scale = 0.02 if name == "embed" else size[0] ** -0.5
            quiet = name.endswith(("head", ".out", ".down"))
            weights[name] = torch.randn(size, generator=generator) * (0.0 if quiet else scale)
        self.table = nn.ParameterDict(
            {name.replace(".", "/"): nn.Parameter(weight) for name, weight in weights.items()}
        )

    @property
    def parameters_count(self) -> int:
        """Weights in all."""
        return sum(weight.numel() for weight in self.parameters())

    def states_of(self, tokens: Tensor, drop: Drop = keep) -> Tensor:
        """(batch, length, width) from tokens (batch, length); each sees itself and the past."""
        shape = self.shape
        batch, length = tokens.shape
        x = drop(nn.functional.embedding(tokens, self.weight("embed"), padding_idx=0))
        cos, sin = rotary(shape, length, x.dtype)
        heads = (batch, length, 3, shape.heads, shape.width // shape.heads)
        for i in range(shape.layers):
            qkv = (norm(x) @ self.weight(f"layer{i}.qkv")).view(heads)
            q, k, values = (part.transpose(1, 2) for part in qkv.unbind(2))
            q, k = turned(norm(q), cos, sin), turned(norm(k), cos, sin)
            mixed = self.attended(q, k, values).transpose(1, 2).reshape(batch, length, shape.width)
            x = x + drop(mixed @ self.weight(f"layer{i}.out"))
            inner = (norm(x) @ self.weight(f"layer{i}.up")).relu().square()
            x = x + drop(inner @ self.weight(f"layer{i}.down"))
        return x

    def field_losses(self, rows: Tensor, targets: Tensor, drop: Drop = keep) -> Tensor:
        """Nats of every asked token, as `Network.field_losses` gives them: (fields, batch, length)."""
        told = tokens_of(rows.numpy(), targets.numpy())
        tokens, asked = torch.from_numpy(told.tokens), torch.from_numpy(told.asked)
        states = self.states_of(tokens, drop)
        which, place, field, event = asked.T
        logits = norm(states[which, place - 1]) @ self.weight("head")
        nats = nn.functional.cross_entropy(logits, tokens[which, place], reduction="none")
        losses = torch.zeros((self.shape.fields, *rows.shape[:2]), dtype=nats.dtype)
        return losses.index_put((field, which, event), nats)


class PlainBits(NamedTuple):
    """Weights, steps, and bits a note, whole and by field."""

    parameters: int
    steps: int
    bits: dict[str, float]


def measured(
    model: Model, corpus: Corpus, steps: int, folder: Path, progress: Progress
) -> PlainBits:
    """Train on the model's works and measure on those it never saw; goes on from a checkpoint in `folder`.

    Terms are asked as for any training.  Raises `NotAllowed`.
    """
    recipe = Recipe.read(model.folder / RECIPE)
    schedule = replace(recipe.schedule, steps=steps, warmup=min(200, steps), rows_per_batch=ROWS)
    # What every model and the n-grams say: no velocity, no nudge.
    shape = replace(recipe.shape, window=WINDOW, fields=len(FIELDS))
    recipe = replace(recipe, shape=shape, schedule=schedule, given=0.0)
    material = gather(corpus, recipe, datetime.now(UTC).date(), lambda text: None)
    training.prepare(recipe)
    plain = Plain(recipe.shape, recipe.schedule.seed)
    training.train(
        recipe, material.train, folder, network=plain,
        progress=lambda state: progress(int(state["step"]), steps, "one token an attribute"),
    )  # fmt: skip
    told = training.evaluate(plain, material.held_out, 2 * ROWS)
    return PlainBits(plain.parameters_count, steps, told)

"""The whole transformer, in torch: training and the slow reference of the decoder.

Decoder-only, pre-norm, rotary positions over event index, norms without
weights on queries and keys (QK-norm keeps training smooth, which influence
estimates need), squared ReLU.  The fields of the next event are drawn one
after the other: each head sees the row's state plus what the fields before
it said.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from musai.transformer import vocabulary as v
from musai.transformer.shape import EPSILON, ROTARY_BASE, Shape


def norm(x: Tensor) -> Tensor:
    """Root-mean-square norm over the last axis, without weights."""
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON)


def rotary(shape: Shape, length: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosines and sines, each (length, width / heads / 2)."""
    half = shape.width // shape.heads // 2
    rates = ROTARY_BASE ** (-torch.arange(half, dtype=torch.float64) / half)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * rates
    return angles.cos().to(dtype), angles.sin().to(dtype)


def turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotates the two halves of the last axis against each other by the row's angle."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


def cards_of(rows: Tensor) -> Tensor:
    """What is known of every voice at each row, (batch, length, voices, `vocabulary.CARD`), from rows
    (batch, length, fields): what the header tells of it, and its last note that was not given."""
    length = rows.shape[1]
    place = torch.arange(length, device=rows.device)[None, :, None]
    number = torch.arange(v.VOICES, device=rows.device) + 1
    mine = rows[..., v.COLUMN["voice"], None] == number
    parts = []
    for kind, names in ((v.VOICE, v.CARD[:3]), (v.NOTE, v.CARD[3:])):
        here = mine & (rows[..., v.COLUMN["kind"], None] == kind)
        last = torch.where(here, place, -1).cummax(1).values
        for name in names:
            told = rows[..., v.COLUMN[name], None].expand(-1, -1, v.VOICES)
            parts.append(told.gather(1, last.clamp(min=0)) * (last >= 0))
    return torch.stack(parts, -1)


Drop = Callable[[Tensor], Tensor]


def dropout(share: float, rng: np.random.Generator) -> Drop:
    """Dropout (Srivastava et al. 2014), in 256ths, whose masks come from this generator alone."""
    lost = round(256 * share)

    def drop(x: Tensor) -> Tensor:
        words = rng.integers(2**64, size=-(-x.numel() // 8), dtype=np.uint64)
        bytes_ = words.astype("<u8", copy=False).view(np.uint8)[: x.numel()]
        mask = torch.from_numpy(bytes_ >= lost).view(x.shape).to(x.device)
        return x * mask * (256 / (256 - lost))

    return drop


def keep(x: Tensor) -> Tensor:
    """No dropout."""
    return x


class Network(nn.Module):
    """`states` reads rows of events; `logits` says the next event's fields.

    Weights: see `Shape.weights`; all in one flat table by name, so that the
    file, the decoder and the audit room speak of the same things.
    """

    def __init__(self, shape: Shape, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.shape = shape
        self.table = nn.ParameterDict(
            {name.replace(".", "/"): nn.Parameter(weights[name]) for name in shape.weights()}
        )
        self.offsets: Tensor
        self.register_buffer("offsets", torch.as_tensor(v.OFFSETS), persistent=False)

    @classmethod
    def fresh(cls, shape: Shape, seed: int) -> "Network":
        """Random weights from a generator of their own; heads and outlets start at zero."""
        generator = torch.Generator().manual_seed(seed)
        weights = {}
        for name, size in shape.weights().items():
            quiet = name.endswith((".head", ".out", ".down"))
            scale = (
                0.0 if quiet else (0.02 if "embed" in name or "said" in name else size[0] ** -0.5)
            )
            weights[name] = torch.randn(size, generator=generator) * scale
        return cls(shape, weights)

    @classmethod
    def of(cls, shape: Shape, weights: Mapping[str, NDArray[np.float32]]) -> "Network":
        """A network with a model's weights, copied."""
        return cls(shape, {name: torch.from_numpy(np.array(w)) for name, w in weights.items()})

    def weight(self, name: str) -> Tensor:
        """One weight by its name in `Shape.weights`."""
        weight: Tensor = self.table[name.replace(".", "/")]
        return weight

    def states(self, rows: Tensor, drop: Drop = keep) -> Tensor:
        """(batch, length, width) from rows (batch, length, fields); each row sees itself and the past."""
        shape = self.shape
        batch, length, _ = rows.shape
        # Field value 0 means "none" and must add nothing: all of them point at row 0, left out.
        ids = torch.where(rows > 0, rows.long() + self.offsets, 0).view(batch * length, -1)
        x = drop(self.gathered(ids).view(batch, length, shape.width))
        cos, sin = rotary(shape, length, x.dtype)
        heads = (batch, length, 3, shape.heads, shape.width // shape.heads)
        for i in range(shape.layers):
            qkv = (norm(x) @ self.weight(f"layer{i}.qkv")).view(heads)
            q, k, values = (part.transpose(1, 2) for part in qkv.unbind(2))
            q, k = turned(norm(q), cos, sin), turned(norm(k), cos, sin)
            mixed = self.attended(q, k, values)
            mixed = mixed.transpose(1, 2).reshape(batch, length, shape.width)
            x = x + drop(mixed @ self.weight(f"layer{i}.out"))
            inner = (norm(x) @ self.weight(f"layer{i}.up")).relu().square()
            x = x + drop(inner @ self.weight(f"layer{i}.down"))
        return x

    def gathered(self, ids: Tensor, table: str = "embed") -> Tensor:
        """Sums of rows of a table, (rows, width) from ids (rows, fields); 0 adds nothing."""
        return nn.functional.embedding_bag(ids, self.weight(table), mode="sum", padding_idx=0)

    def cards(self, rows: Tensor) -> Tensor:
        """Cards of all voices at each row, see `cards_of`; without any field where none are used."""
        return (
            cards_of(rows) if self.shape.cards else rows.new_zeros((*rows.shape[:2], v.VOICES, 0))
        )

    def said(self, field: str, choice: Tensor, cards: Tensor) -> Tensor:
        """What choices (n,) add to the states from which the next field is drawn, (n, width);
        `cards` (n, voices, fields) as of the rows of these states."""
        added = self.weight(f"{field}.said")[choice]
        if field != "voice" or not self.shape.cards:
            return added
        card = cards[torch.arange(len(choice), device=choice.device), choice].long()
        # As in `states`: what is not told points at row 0, which adds nothing.
        ids = torch.where(card > 0, card + torch.as_tensor(v.CARD_OFFSETS, device=card.device), 0)
        return added + self.gathered(ids, "card.said")

    def attended(self, q: Tensor, k: Tensor, values: Tensor) -> Tensor:
        """Causal attention, all (batch, heads, length, width of a head)."""
        return nn.functional.scaled_dot_product_attention(q, k, values, is_causal=True)

    def field_logits(self, field: str, state: Tensor, drop: Drop = keep) -> Tensor:
        """Logits of one output field from the row's state and what earlier fields added to it."""
        mixed = (norm(state) @ self.weight(f"{field}.mix")).relu().square()
        return drop(mixed) @ self.weight(f"{field}.head")

    def field_losses(self, rows: Tensor, targets: Tensor, drop: Drop = keep) -> Tensor:
        """Nats of every asked target, (fields, batch, length), 0 where nothing is asked."""
        state, width = self.states(rows, drop), self.shape.width
        cards = self.cards(rows).flatten(0, 1)
        losses = []
        for i, field in enumerate(self.shape.outputs):
            target = targets[..., i].long()
            asked = target >= 0
            known = target.clamp(min=0)
            logits = self.field_logits(field, state[asked], drop)
            nats = nn.functional.cross_entropy(logits, known[asked], reduction="none")
            losses.append(torch.zeros_like(state[..., 0]).masked_scatter(asked, nats))
            if i + 1 < self.shape.fields:
                added = self.said(field, known.flatten(), cards).view(*known.shape, width)
                state = state + added * asked.unsqueeze(-1)
        return torch.stack(losses)

"""Shape: the numbers that fix the network, and the names and shapes of its weights.

Both the training network (torch) and the decoder (numpy) are built from this one table.
"""

from dataclasses import dataclass

from musai.errors import BadInput, check_range
from musai.transformer import vocabulary as v


@dataclass(frozen=True, slots=True)
class Shape:
    """Width of a row, layers, heads, width of the feed-forward part, longest row of events.

    `fields`: the output fields that are modelled, a prefix of `vocabulary.OUTPUTS`.  `cards`: whether
    the pitch is drawn in sight of what the voice plays and what it last played (`vocabulary.CARD`).
    """

    width: int = 128
    layers: int = 4
    heads: int = 4
    inner: int = 512
    window: int = 512
    fields: int = 4
    cards: bool = False

    def __post_init__(self) -> None:
        check_range("width", self.width, 8, 4096)
        check_range("layers", self.layers, 1, 64)
        check_range("window", self.window, 32, 65536)
        check_range("fields", self.fields, 4, len(v.OUTPUTS))
        check_range("heads", self.heads, 1, 256)
        check_range("inner", self.inner, 1, 65536)
        if self.width % (2 * self.heads):
            raise BadInput(
                f"heads is {self.heads}; legal is a number whose double divides the width, {self.width}"
            )

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the output fields, in the order drawn."""
        return tuple(v.OUTPUTS)[: self.fields]

    @property
    def loud(self) -> bool:
        """Whether the model learned loudness and timing, and says velocities."""
        return "velocity" in self.outputs

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight; matrices take a row vector from the left."""
        w = self.width
        table: dict[str, tuple[int, ...]] = {"embed": (v.ROWS, w)}
        for i in range(self.layers):
            table[f"layer{i}.qkv"] = (w, 3 * w)
            table[f"layer{i}.out"] = (w, w)
            table[f"layer{i}.up"] = (w, self.inner)
            table[f"layer{i}.down"] = (self.inner, w)
        for i, field in enumerate(self.outputs):
            table[f"{field}.mix"] = (w, w)
            table[f"{field}.head"] = (w, v.OUTPUTS[field])
            if i + 1 < self.fields:
                table[f"{field}.said"] = (v.OUTPUTS[field], w)
        if self.cards:
            table["card.said"] = (v.CARD_ROWS, w)
        return table

    @property
    def parameters(self) -> int:
        """Number of weights."""
        total = 0
        for shape in self.weights().values():
            size = 1
            for n in shape:
                size *= n
            total += size
        return total


ROTARY_BASE = 10_000.0
"""Rotary positions (Su et al. 2021): the slowest pair of a head turns once in about this many events."""

EPSILON = 1e-6
"""Added to the mean square before a norm's root."""

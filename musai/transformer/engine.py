"""The network in numpy, for serving: no torch, float64, one event at a time or blocks of sixteen.

Float64 makes the choice of a note the same on practically every machine:
two roundings of one logit differ by 1e-14 or so, and a draw hangs on that
about three times in 10^11 phrases.
"""

from collections.abc import Mapping
from copy import copy

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from musai.transformer import vocabulary as v
from musai.transformer.encoding import Rows
from musai.transformer.shape import EPSILON, ROTARY_BASE, Shape

Floats = NDArray[np.float64]

Mark = tuple[Floats, Floats, list[Rows], int]
"""What `Cache.back` needs: it shares the arrays, which are only ever written beyond its length."""

BLOCK = 16
"""Rows read at once, at most: a block ends where its index says or where a context ends, so that
the same context gives the same bits whether its beginning was read before or not."""


def norm(x: Floats) -> Floats:
    """Root-mean-square norm over the last axis, without weights."""
    mean: Floats = np.einsum("...i,...i->...", x, x)[..., None] / x.shape[-1]
    return x / np.sqrt(mean + EPSILON)


def turned(x: Floats, cos: Floats, sin: Floats) -> Floats:
    """Rotates the two halves of the last axis against each other."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


def squared_relu(x: Floats) -> Floats:
    """max(x, 0)^2, in place."""
    np.maximum(x, 0.0, out=x)
    return np.multiply(x, x, out=x)


class Engine:
    """The weights of one model, and the functions that read and say events."""

    def __init__(self, shape: Shape, weights: Mapping[str, NDArray[np.floating]]) -> None:
        self.shape = shape
        self.weights = {
            name: np.ascontiguousarray(weights[name], np.float64) for name in shape.weights()
        }
        half = shape.width // shape.heads // 2
        rates = ROTARY_BASE ** (-np.arange(half) / half)
        angles = np.arange(shape.window)[:, None] * rates
        self.cos, self.sin = np.cos(angles), np.sin(angles)
        self.layers = [
            tuple(self.weights[f"layer{i}.{part}"] for part in ("qkv", "out", "up", "down"))
            for i in range(shape.layers)
        ]
        self._scale = (shape.width // shape.heads) ** -0.5

    def embed(self, rows: Rows) -> Floats:
        """(n, width): the sum of the embeddings of all that each row tells."""
        table = self.weights["embed"]
        out = np.empty((len(rows), self.shape.width))
        for i, row in enumerate(rows):
            told = np.flatnonzero(row)
            out[i] = table[row[told] + v.OFFSETS[told]].sum(axis=0)
        return out

    def logits(self, field: str, state: Floats) -> Floats:
        """Logits of one output field, from (width,) or (n, width)."""
        mixed = squared_relu(norm(state) @ self.weights[f"{field}.mix"])
        logits: Floats = mixed @ self.weights[f"{field}.head"]
        return logits

    def said(self, field: str, choice: int) -> Floats:
        """What a choice adds to the state from which the next field is drawn."""
        added: Floats = self.weights[f"{field}.said"][choice]
        return added


class Cache:
    """What has been read: keys and values of one row of events, at most a window of them.

    When the window is full, reading starts anew from the header and the bars
    that fill the last half of it: memory stays constant however long the jam,
    and what is kept depends on the events alone.
    """

    def __init__(self, engine: Engine) -> None:
        shape = engine.shape
        self._size = (shape.layers, shape.heads, shape.window, shape.width // shape.heads)
        self._engine = engine
        self._keys, self._values = np.zeros(self._size), np.zeros(self._size)
        self._rows: list[Rows] = []
        self.length = 0

    def fork(self, length: int) -> "Cache":
        """Another cache that has read the first `length` rows of this one."""
        other = Cache(self._engine)
        other._keys[:, :, :length] = self._keys[:, :, :length]
        other._values[:, :, :length] = self._values[:, :, :length]
        other._rows, other.length = self._rows[:length], length
        return other

    def shared(self) -> "Cache":
        """Another cache that has read the same, in the same arrays: only one of the two may read on."""
        other = copy(self)
        other._rows = self._rows.copy()
        return other

    def mark(self) -> "Mark":
        """What has been read so far, to come back to."""
        return self._keys, self._values, self._rows, self.length

    def back(self, mark: "Mark") -> None:
        """Forget what was read since `mark`; the bits are those of one that never read it."""
        self._keys, self._values, self._rows, self.length = mark
        del self._rows[self.length :]

    def read(self, rows: Rows) -> Floats:
        """Read rows (n, fields) after all that was read; the state of the last, (width,)."""
        state = np.zeros(self._engine.shape.width)
        done = 0
        while done < len(rows):
            if self.length == self._engine.shape.window:
                self._restart()
            room = min(BLOCK - self.length % BLOCK, self._engine.shape.window - self.length)
            count = min(room, len(rows) - done)
            part = rows[done : done + count]
            state = self._forward(part)[-1]
            self._rows.extend(part)
            done += count
        return state

    def _restart(self) -> None:
        kind = v.COLUMN["kind"]
        kinds = np.array([row[kind] for row in self._rows])
        header = int((kinds[: v.VOICES + 1] <= v.VOICE).sum())
        bars = np.flatnonzero(kinds == v.BAR)
        late = bars[bars >= len(kinds) - self._engine.shape.window // 2]
        start = int(late[0]) if len(late) else len(kinds) - self._engine.shape.window // 4
        kept = np.array(self._rows[:header] + self._rows[start:], np.int16)
        # Anew, not over the old: a mark may lead back to what was read before.
        self._keys, self._values = np.zeros(self._size), np.zeros(self._size)
        self._rows, self.length = [], 0
        self.read(kept)

    def _forward(self, rows: Rows) -> Floats:
        engine, shape = self._engine, self._engine.shape
        count, start, end = len(rows), self.length, self.length + len(rows)
        hidden = shape.width // shape.heads
        cos, sin = engine.cos[start:end, None], engine.sin[start:end, None]
        x = engine.embed(rows)
        future = np.triu(np.full((count, count), -np.inf), 1) if count > 1 else None
        for i, (qkv_weight, out, up, down) in enumerate(engine.layers):
            qkv = (norm(x) @ qkv_weight).reshape(count, 3, shape.heads, hidden)
            q = turned(norm(qkv[:, 0]), cos, sin) * engine._scale
            keys, values = self._keys[i], self._values[i]
            keys[:, start:end] = turned(norm(qkv[:, 1]), cos, sin).transpose(1, 0, 2)
            values[:, start:end] = qkv[:, 2].transpose(1, 0, 2)
            scores = q.transpose(1, 0, 2) @ keys[:, :end].transpose(0, 2, 1)
            if future is not None:
                scores[:, :, start:] += future
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=-1, keepdims=True)
            mixed = (scores @ values[:, :end]).transpose(1, 0, 2).reshape(count, shape.width)
            x += mixed @ out
            x += squared_relu(norm(x) @ up) @ down
        self.length = end
        return x


def one_thread() -> None:
    """Keep BLAS on one thread in this process: products on more threads may differ in their last bit."""
    ThreadpoolController().limit(limits=1)

"""The network in numpy, for serving: no torch, float64, one event at a time or blocks of sixteen.

Float64 makes the choice of a note the same on practically every machine:
two roundings of one logit differ by 1e-14 or so, and a draw hangs on that
about three times in 10^11 phrases.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from musai.transformer import vocabulary as v
from musai.transformer.copying import shallow
from musai.transformer.encoding import Rows
from musai.transformer.shape import EPSILON, ROTARY_BASE, Shape

Floats = NDArray[np.float64]

Mark = tuple[Floats, Floats, list[Rows], int, int, int]
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

    def voiced(self, state: Floats, voice: int, card: Sequence[int]) -> Floats:
        """The state from which a voice's pitch is drawn; `card` as `RowWriter.card` tells it."""
        state = state + self.said("voice", voice)
        if not self.shape.cards:
            return state
        told = [at + value for at, value in zip(v.CARD_OFFSETS, card, strict=True) if value]
        voiced: Floats = state + self.weights["card.said"][told].sum(axis=0)
        return voiced


class Cache:
    """What has been read: keys and values of one row of events, at most a window of them.

    When the window is full, reading starts anew from the header and the bars
    that fill the last half of it: memory stays constant however long the jam,
    and what is kept depends on the events alone.  What would be dropped before
    anybody asked for its state is not read in the first place.
    """

    def __init__(self, engine: Engine) -> None:
        shape = engine.shape
        self._size = (shape.layers, shape.heads, shape.window, shape.width // shape.heads)
        self._engine = engine
        self._keys, self._values = np.zeros(self._size), np.zeros(self._size)
        self._rows: list[Rows] = []
        self.length = 0
        self._gone = 0
        """Rows that came by and are no longer held."""
        self._anew = 0
        """Of the rows held, those read anew when the window was last full."""

    def fork(self, count: int) -> "Cache":
        """Another cache that has read the first `count` rows of this one, as many as `whole` says."""
        other, length = Cache(self._engine), count - self._gone
        other._keys[:, :, :length] = self._keys[:, :, :length]
        other._values[:, :, :length] = self._values[:, :, :length]
        other._rows, other.length = self._rows[:length], length
        other._gone, other._anew = self._gone, self._anew
        return other

    def whole(self, count: int) -> int:
        """Of the first `count` rows read, those that another cache may have from here: whole blocks."""
        held = count - self._gone
        held -= held % BLOCK
        # Where just as many rows as fill the window came by, nothing was dropped yet.
        return held + self._gone if not self._gone or held > self._anew else 0

    def shared(self) -> "Cache":
        """Another cache that has read the same, in the same arrays: only one of the two may read on."""
        other = shallow(self)
        other._rows = self._rows.copy()
        return other

    def mark(self) -> "Mark":
        """What has been read so far, to come back to."""
        return self._keys, self._values, self._rows, self.length, self._gone, self._anew

    def back(self, mark: "Mark") -> None:
        """Forget what was read since `mark`; the bits are those of one that never read it."""
        self._keys, self._values, self._rows, self.length, self._gone, self._anew = mark
        del self._rows[self.length :]

    def read(self, rows: Rows) -> Floats:
        """Read rows (n, fields) after all that was read; the state of the last, (width,)."""
        cache, state = self, np.zeros(self._engine.shape.width)
        for cache, _, state in self.reading(rows):  # noqa: B007  (the last one counts)
            pass
        if cache is not self:
            # Anew, not over the old: a mark may lead back to what was read before.
            self.back(cache.mark())
        return state

    def reading(self, rows: Rows) -> Iterator["Reading"]:
        """Read rows block by block: after each, who has read how many of them, and the state.

        None of them while the window fills anew, which another cache does in this one's place.
        """
        cache, done = self, 0
        if self.length + len(rows) > self._engine.shape.window:
            cache, kept, done = self._overfull(rows)
            for at in range(0, len(kept), BLOCK):
                state = cache._forward(kept[at : at + BLOCK])
                yield Reading(cache, 0, state[-1])
        while done < len(rows):
            count = min(BLOCK - cache.length % BLOCK, len(rows) - done)
            state = cache._forward(rows[done : done + count])
            done += count
            yield Reading(cache, done, state[-1])

    def _overfull(self, rows: Rows) -> tuple["Cache", Rows, int]:
        """For rows that do not fit: an empty cache, what it is to read first, and how many of the rows
        are then behind it."""
        window, held, done = self._engine.shape.window, self._rows, 0
        gone = self._gone
        while len(held) + len(rows) - done > window:
            room = window - len(held)
            full = [*held, *rows[done : done + room]]
            held = _late(full, window)
            done += room
            gone += len(full) - len(held)
        other = Cache(self._engine)
        other._gone, other._anew = gone, len(held)
        return other, np.array(held, np.int16), done

    def _forward(self, rows: Rows) -> Floats:
        engine, shape = self._engine, self._engine.shape
        count, start, end = len(rows), self.length, self.length + len(rows)
        hidden = shape.width // shape.heads
        cos, sin = engine.cos[start:end, None, None], engine.sin[start:end, None, None]
        x = engine.embed(rows)
        future = np.triu(np.full((count, count), -np.inf), 1) if count > 1 else None
        for i, (qkv_weight, out, up, down) in enumerate(engine.layers):
            qkv = (norm(x) @ qkv_weight).reshape(count, 3, shape.heads, hidden)
            both = turned(norm(qkv[:, :2]), cos, sin)
            q = both[:, 0] * engine._scale
            keys, values = self._keys[i], self._values[i]
            keys[:, start:end] = both[:, 1].transpose(1, 0, 2)
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
        self._rows.extend(rows)
        self.length = end
        return x


class Reading(NamedTuple):
    """Who has read the first `done` of some rows; `state` is the last one's."""

    cache: Cache
    done: int
    state: Floats


def _late(rows: list[Rows], window: int) -> list[Rows]:
    """What is kept of a full window: the header, and the bars that fill the last half of it."""
    kinds = np.array([row[v.COLUMN["kind"]] for row in rows])
    header = int((kinds[: v.VOICES + 1] <= v.VOICE).sum())
    bars = np.flatnonzero(kinds == v.BAR)
    late = bars[bars >= len(kinds) - window // 2]
    start = int(late[0]) if len(late) else len(kinds) - window // 4
    return rows[:header] + rows[start:]


def one_thread() -> None:
    """Keep BLAS on one thread in this process: products on more threads may differ in their last bit."""
    ThreadpoolController().limit(limits=1)

"""The baseline every model is printed beside: interpolated n-grams on the same fields.

Each field has a ladder of contexts from rich to poor; a context's counts are
blended with the next poorer one by Witten and Bell's rule (PPM's method C,
Moffat 1990, without exclusion): p = (c + d * q) / (n + d), where n counts
the context, d its distinct successors, c the symbol and q is the poorer
context's p; at the bottom, all choices alike.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from musai.transformer import vocabulary as v
from musai.transformer.data import Piece
from musai.transformer.encoding import Rows

_FIELDS = tuple(v.OUTPUTS)[:4]
_C = v.COLUMN

Context = tuple[int, ...]


class Ladder:
    """Counts of one field under contexts of falling richness."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._counts: dict[Context, dict[int, int]] = defaultdict(dict)

    def count(self, contexts: Sequence[Context], symbol: int) -> None:
        """One more occurrence under each of the contexts."""
        for context in contexts:
            seen = self._counts[context]
            seen[symbol] = seen.get(symbol, 0) + 1

    def probabilities(self, contexts: Sequence[Context]) -> NDArray[np.float64]:
        """`probability` of every symbol at once, (size,)."""
        p = np.full(self._size, 1.0 / self._size)
        for context in reversed(contexts):
            seen = self._counts.get(context)
            if seen:
                p *= len(seen)
                p[list(seen)] += list(seen.values())
                p /= sum(seen.values()) + len(seen)
        return p

    def probability(self, contexts: Sequence[Context], symbol: int) -> float:
        """Blended probability; `contexts` run from rich to poor."""
        p = 1.0 / self._size
        for context in reversed(contexts):
            seen = self._counts.get(context)
            if seen:
                total, distinct = sum(seen.values()), len(seen)
                p = (seen.get(symbol, 0) + distinct * p) / (total + distinct)
        return p


class Baseline:
    """N-grams over the plain encoding of works.

    How many events each field looks back is chosen on every twentieth work, which is then
    counted as well: the strongest form of this baseline, not the handiest.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        aside = pieces[::20]
        rest = [piece for i, piece in enumerate(pieces) if i % 20] or list(pieces)
        trials = [_Counted(rest, dict.fromkeys(_FIELDS, order)).bits(aside) for order in range(6)]
        self.orders = {
            field: min(range(6), key=lambda order: trials[order][field]) for field in _FIELDS
        }
        self._counted = _Counted(pieces, self.orders)

    def bits(self, pieces: Sequence[Piece]) -> dict[str, float]:
        """Bits a note, whole and by field, summed as the model's are."""
        return self._counted.bits(pieces)

    def probabilities(self, field: str, contexts: Sequence[Context]) -> NDArray[np.float64]:
        """Of every symbol of a field in these contexts (`Heard.contexts`)."""
        return self._counted.ladders[field].probabilities(contexts)


class _Counted:
    def __init__(self, pieces: Sequence[Piece], orders: dict[str, int]) -> None:
        self._orders = orders
        self.ladders = {field: Ladder(v.OUTPUTS[field]) for field in _FIELDS}
        for piece in pieces:
            for field, contexts, symbol in asked(piece.plain.rows, piece.plain.targets, orders):
                self.ladders[field].count(contexts, symbol)

    def bits(self, pieces: Sequence[Piece]) -> dict[str, float]:
        total, notes = dict.fromkeys(_FIELDS, 0.0), 0
        for piece in pieces:
            rows, targets = piece.plain.rows, piece.plain.targets
            for field, contexts, symbol in asked(rows, targets, self._orders):
                total[field] -= math.log2(self.ladders[field].probability(contexts, symbol))
                notes += field == "pitch"
        bits = {field: value / max(1, notes) for field, value in total.items()}
        return {"bits_per_note": sum(bits.values()), **bits}


class Heard:
    """What has been said so far, as each field's ladder of contexts looks back at it."""

    def __init__(self, orders: Mapping[str, int]) -> None:
        self._orders = orders
        self._past: list[int] = []
        self._sung: list[int] = []
        self._pitches: dict[int, list[int]] = defaultdict(list)
        self._lengths: dict[int, list[int]] = defaultdict(list)

    def contexts(self, row: Sequence[int], said: Sequence[int]) -> list[Context]:
        """From rich to poor, of the field that follows those already `said` of the event after `row`."""
        place, length, voice_now = _now(row)
        metre = (row[_C["numerator"]], row[_C["denominator"]])
        field = _FIELDS[len(said)]
        order = self._orders[field]
        if field == "position":
            return _ladder(self._past, (place, length, voice_now), metre, order)
        together = int(said[0] == place - 1)
        if field == "voice":
            return _ladder(self._sung, (voice_now, together), (said[0],), order)
        if field == "pitch":
            below = row[_C["pitch"]] if together else 0
            return _ladder(self._pitches[said[1]], (below, said[1]), (said[0],), order)
        return _ladder(self._lengths[said[1]], (said[0], said[1]), metre, order)

    def take(self, row: Sequence[int], said: Sequence[int]) -> None:
        """The event after `row` is this one: position and, of a note, voice, pitch, duration."""
        place, length, _ = _now(row)
        self._past.append(place * 64 + length)
        if said[1] >= 0:
            self._sung.append(said[1])
            self._pitches[said[1]].append(said[2])
            self._lengths[said[1]].append(said[3])


def _now(row: Sequence[int]) -> tuple[int, int, int]:
    """Place, length and voice of a row; no place and no length of one that is no note."""
    note = row[_C["kind"]] == v.NOTE
    place, length = (row[_C["position"]], row[_C["duration"]]) if note else (0, 0)
    return place, length, row[_C["voice"]]


def asked(
    rows: Rows, targets: Rows, orders: Mapping[str, int]
) -> Iterator[tuple[str, list[Context], int]]:
    """(field, contexts from rich to poor, symbol) of everything that the encoding asks."""
    heard = Heard(orders)
    for row, target in zip(rows.tolist(), targets.tolist(), strict=True):
        said = target[: len(_FIELDS)]
        if said[0] < 0:
            continue
        for number in range(len(_FIELDS) if said[1] >= 0 else 1):
            yield _FIELDS[number], heard.contexts(row, said[:number]), said[number]
        heard.take(row, said)


def _ladder(history: Sequence[int], near: Context, far: Context, order: int) -> list[Context]:
    """From rich to poor: the last `order` events with what is told near, then fewer of them;
    at the bottom what is told far and near, the last told alone, and nothing."""
    ladder: list[Context] = []
    for back in range(min(order, len(history)), -1, -1):
        recent = tuple(history[len(history) - back :])
        if back == 0:
            ladder.append((0, 2, *near, *far))
        ladder.append((back, 1, *recent, *near))
    return [*ladder, (-1, near[-1]), (-2,)]

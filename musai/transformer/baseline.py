"""The baseline every model is printed beside: interpolated n-grams on the same fields.

Each field has a ladder of contexts from rich to poor (`musai.transformer.ladder`), blended from
its foot up; how far it reaches is chosen by field.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from musai.transformer import vocabulary as v
from musai.transformer.data import Piece
from musai.transformer.encoding import Rows
from musai.transformer.ladder import Asked, Context, Floats, Ints, Ladder

_FIELDS = tuple(v.OUTPUTS)[:4]
_C = v.COLUMN

MOST: Final = 5
"""Events that a field looks back, at most."""

_FOOT: Final = 4
"""Levels of a ladder that looks back at nothing."""

_ASIDE: Final = 20

Table = dict[str, tuple[Ints, Ints]]
"""Field -> hashes of contexts, a row a symbol from poor to rich, and symbols."""


class Baseline:
    """N-grams over the plain encoding of works.

    How many events each field looks back is chosen on every twentieth work, which is then
    counted as well: the strongest form of this baseline, not the handiest.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        aside = pieces[::_ASIDE]
        rest = [piece for i, piece in enumerate(pieces) if i % _ASIDE] or list(pieces)
        first, held = _table(rest), _table(aside)
        self.orders: dict[str, int] = {}
        self._ladders: dict[str, Ladder] = {}
        for field in _FIELDS:
            trial = Ladder(v.OUTPUTS[field], *first[field])
            bits = [_bits(p) for p in trial.rungs(*held[field])][_FOOT - 1 :]
            self.orders[field] = int(np.argmin(bits))
            # Those aside once more, unless they were among the rest already.
            both = (first, held) if len(rest) < len(pieces) else (first,)
            hashes, symbols = (np.concatenate([t[field][k] for t in both]) for k in (0, 1))
            depth = _FOOT + self.orders[field]
            self._ladders[field] = Ladder(v.OUTPUTS[field], hashes[:, :depth], symbols)
            del first[field]

    def bits(self, pieces: Sequence[Piece]) -> dict[str, float]:
        """Bits a note, whole and by field, summed as the model's are."""
        asked, bits = _table(pieces), {}
        notes = max(1, len(asked["pitch"][1]))
        for field, ladder in self._ladders.items():
            hashes, symbols = asked[field]
            *_, p = ladder.rungs(hashes[:, : _FOOT + self.orders[field]], symbols)
            bits[field] = _bits(p) / notes
        return {"bits_per_note": sum(bits.values()), **bits}

    def probabilities(self, field: str, contexts: Sequence[Context]) -> Floats:
        """Of every symbol of a field in these contexts (`Heard.contexts`)."""
        return self._ladders[field].probabilities(contexts)


def _bits(p: Floats) -> float:
    return -float(np.log2(p).sum())


def _table(pieces: Iterable[Piece]) -> Table:
    """All that pieces ask, with contexts as long as they may be."""
    orders = dict.fromkeys(_FIELDS, MOST)
    held = {field: Asked(_FOOT + MOST) for field in _FIELDS}
    for piece in pieces:
        for field, contexts, symbol in asked(piece.plain.rows, piece.plain.targets, orders):
            held[field].add(contexts, symbol)
    return {field: one.arrays for field, one in held.items()}


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

"""Counts of symbols under contexts of falling richness, and the blended probability that they give.

A context's counts are blended with the next poorer one by Witten and Bell's rule (PPM's method C,
Moffat 1990, without exclusion): p = (c + d * q) / (n + d), where n counts the context, d its
distinct successors, c the symbol and q is the poorer context's p; at the bottom, all choices alike.

Contexts are kept as 55 bits of their hash, a level of richness each, sorted: four million notes
take some hundred bytes a note, where tables of tuples took thousands.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Context = tuple[int, ...]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_SYMBOL_BITS: Final = 9
MOST_SYMBOLS: Final = 1 << _SYMBOL_BITS
_NONE: Final = 0
"""In place of the contexts that a short history does not have."""


class Asked:
    """Symbols, each with its contexts' hashes from poor to rich; `depth` levels at most."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._hashes, self._symbols = array("q"), array("h")

    def add(self, contexts: Sequence[Context], symbol: int) -> None:
        """One symbol under contexts from rich to poor."""
        self._hashes.extend(map(hash, reversed(contexts)))
        self._hashes.extend([_NONE] * (self._depth - len(contexts)))
        self._symbols.append(symbol)

    @property
    def arrays(self) -> tuple[Ints, Ints]:
        """Hashes (symbols, depth) and symbols (symbols,)."""
        hashes = np.frombuffer(self._hashes, np.int64) if self._hashes else np.zeros(0, np.int64)
        symbols = np.array(self._symbols, np.int64)
        return hashes.reshape(-1, self._depth), symbols


@dataclass(frozen=True, slots=True)
class Level:
    """Contexts of one richness, sorted; those of `pairs` from `starts[i]` on are context i's."""

    contexts: Ints
    starts: Ints
    totals: Ints
    pairs: Ints
    counts: Ints

    @classmethod
    def of(cls, hashes: Ints, symbols: Ints) -> "Level":
        """Count symbols under contexts, side by side."""
        there = hashes != _NONE
        pairs, counts = np.unique(_pair(hashes[there], symbols[there]), return_counts=True)
        contexts, starts = np.unique(pairs >> _SYMBOL_BITS, return_index=True)
        totals = np.add.reduceat(counts, starts) if len(pairs) else counts
        ends = np.append(starts, len(pairs))
        return cls(contexts, ends, totals, pairs, counts)

    def blended(self, poorer: Floats, hashes: Ints, symbols: Ints) -> Floats:
        """Probability of each symbol, given the poorer context's."""
        if not len(self.contexts):
            return poorer
        pairs = _pair(hashes, symbols)
        place = _found(self.contexts, pairs >> _SYMBOL_BITS)
        known = np.flatnonzero((place >= 0) & (hashes != _NONE))
        place = place[known]
        at = _found(self.pairs, pairs[known])
        seen = np.where(at >= 0, self.counts[at], 0)
        distinct = self.starts[place + 1] - self.starts[place]
        p = poorer.copy()
        p[known] = (seen + distinct * poorer[known]) / (self.totals[place] + distinct)
        return p

    def blend(self, p: Floats, context: Context) -> None:
        """The same of every symbol at once, (size,), in place."""
        key = (np.array([hash(context)]) << _SYMBOL_BITS) >> _SYMBOL_BITS
        place = int(_found(self.contexts, key)[0])
        if place < 0:
            return
        first, last = self.starts[place], self.starts[place + 1]
        p *= last - first
        p[self.pairs[first:last] & (MOST_SYMBOLS - 1)] += self.counts[first:last]
        p /= self.totals[place] + (last - first)


class Ladder:
    """Levels of contexts, from poor to rich, of one field of `size` symbols."""

    def __init__(self, size: int, hashes: Ints, symbols: Ints) -> None:
        self._size = size
        self._levels = [Level.of(column, symbols) for column in hashes.T]

    def probabilities(self, contexts: Sequence[Context]) -> Floats:
        """Of every symbol, (size,), where `contexts` run from rich to poor."""
        p = np.full(self._size, 1.0 / self._size)
        for level, context in zip(self._levels, reversed(contexts), strict=False):
            level.blend(p, context)
        return p

    def rungs(self, hashes: Ints, symbols: Ints) -> Iterable[Floats]:
        """Probabilities of asked symbols by the poorest level alone, by the two poorest, and so on."""
        p = np.full(len(symbols), 1.0 / self._size)
        for level, column in zip(self._levels, hashes.T, strict=True):
            p = level.blended(p, column, symbols)
            yield p


def _pair(hashes: Ints, symbols: Ints) -> Ints:
    return (hashes << _SYMBOL_BITS) | symbols


def _found(held: Ints, wanted: Ints) -> Ints:
    """Places of wanted values in sorted ones, -1 where they are not."""
    if not len(held):
        return np.full(len(wanted), -1)
    place = np.searchsorted(held, wanted)
    place[place == len(held)] = 0
    return np.where(held[place] == wanted, place, -1)

"""What has been read already: beginnings of contexts, kept so that they are not read twice.

Reading goes in blocks fixed by event index (see `engine`), so a beginning that
was read in whole blocks is, bit for bit, what reading it again would give: a
kept beginning saves time and changes no note.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

import numpy as np

from musai.transformer.encoding import Rows
from musai.transformer.engine import BLOCK, Cache, Engine

KEPT: Final = 8
"""Beginnings that are kept, the last used ones: one or two a jam."""


class Prefixes:
    """The last beginnings read with one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: OrderedDict[bytes, tuple[Rows, Cache]] = OrderedDict()

    def fork(self, rows: Rows) -> tuple[Cache, int]:
        """A cache that has read the longest kept beginning of `rows`, and how many rows that is."""
        best, found = 0, None
        for key, (kept, cache) in self._kept.items():
            same = min(len(kept), len(rows)) // BLOCK * BLOCK
            equal = (kept[:same] == rows[:same]).all(axis=1)
            length = same if equal.all() else int(equal.argmin()) // BLOCK * BLOCK
            if length > best:
                best, found = length, (key, cache)
        if found is None:
            return Cache(self._engine), 0
        self._kept.move_to_end(found[0])
        return found[1].fork(best), best

    def read(self, rows: Rows) -> Iterator[None]:
        """Read whole blocks of `rows` and keep them; stops after each block."""
        rows = rows[: min(len(rows), self._engine.shape.window) // BLOCK * BLOCK]
        cache, done = self.fork(rows)
        if done == len(rows):
            return
        while done < len(rows):
            cache.read(rows[done : done + BLOCK])
            done += BLOCK
            yield
        self._kept[np.ascontiguousarray(rows).tobytes()] = (rows, cache)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

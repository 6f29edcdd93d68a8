"""What has been read already: beginnings of contexts, kept so that they are not read twice.

Reading goes in blocks fixed by event index (see `engine`), so a beginning that
was read in whole blocks is, bit for bit, what reading it again would give: a
kept beginning saves time and changes no note.  Where all rows are the same to
the last one, nothing is left to be read.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from musai.transformer.encoding import Rows
from musai.transformer.engine import Cache, Engine, Floats

KEPT: Final = 16
"""Beginnings that are kept, one a topic, the last used ones."""

ASKED: Final = 4
"""Beginnings that are kept because they were asked for: the contexts that takes are made on by turns."""


@dataclass(slots=True)
class Beginning:
    """Rows that `cache` has read so far; `state` is the last one's."""

    rows: Rows
    cache: Cache
    state: Floats
    lent: bool = False
    """Whether somebody reads on in this cache's own arrays."""


class Start(NamedTuple):
    """A cache that has read the first `read` of some rows; `state` is the last one's."""

    cache: Cache
    read: int
    state: Floats


class Prefixes:
    """The last beginnings read with one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._nothing = np.zeros(engine.shape.width)
        self._kept: OrderedDict[str | bytes, Beginning] = OrderedDict()

    def fork(self, rows: Rows) -> Start:
        """A cache of one's own that has read as much of `rows` as any kept beginning has."""
        found, length = self._nearest(rows)
        if found is None:
            return Start(Cache(self._engine), 0, self._nothing)
        if length < len(rows):
            return Start(found.cache.fork(length), length, self._nothing)
        # Nobody reads the kept one on, so the first to come needs no copy.
        cache = found.cache.fork(length) if found.lent else found.cache.shared()
        found.lent = True
        return Start(cache, length, found.state)

    def read(self, rows: Rows, topic: str | None = None) -> Iterator[None]:
        """Read `rows`, in place of what was read for this topic; stops after each block.

        Without a topic they are kept as something asked for, the last `ASKED` of which stay.
        """
        found, done = self._nearest(rows)
        if found is None or done < len(rows):
            cache = Cache(self._engine) if found is None else found.cache.fork(done)
            found = Beginning(rows[:done], cache, self._nothing)
        self._keep(found, rows.tobytes() if topic is None else topic)
        reading = found.cache.reading(rows[done:])
        # Asked before each block: who was lent these arrays reads on in them.
        while not found.lent and (read := next(reading, None)):
            if read.done:
                found.cache, found.rows, found.state = (
                    read.cache,
                    rows[: done + read.done],
                    read.state,
                )
            yield

    def _keep(self, beginning: Beginning, topic: str | bytes) -> None:
        kept = self._kept
        kept.pop(topic, None)
        kept[topic] = beginning
        asked = [key for key in kept if isinstance(key, bytes)]
        for key in asked[:-ASKED]:
            del kept[key]
        while len(kept) > KEPT:
            kept.popitem(last=False)

    def _nearest(self, rows: Rows) -> tuple[Beginning | None, int]:
        """Who has read most of `rows`, and how many: all of them or whole blocks."""
        best, found = 0, None
        for kept in self._kept.values():
            same = min(len(kept.rows), len(rows))
            equal = (kept.rows[:same] == rows[:same]).all(axis=1)
            length = same if equal.all() else int(equal.argmin())
            if not length == len(kept.rows) == len(rows):
                length = kept.cache.whole(length)
            if length > best:
                best, found = length, kept
        return found, best

"""The runs that a corpus holds: what a guard must not let pass, and what is common stock.

One table a length of run, made from the index in a second or two, kept beside it and mapped
into memory.  A run that works by `STOCK` authors hold belongs to nobody and is not blocked:
scales and repeated notes stay legal.  Where nobody is named as author, works count by cluster of
near-duplicates, each as an author of its own.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.errors import MusaiError
from musai.match import index as indexes
from musai.match import packed
from musai.match.catalogue import Catalogue
from musai.match.runs import line_keys
from musai.match.segment import DRUMS, Segment

STOCK = 5
"""Authors who make a run common stock."""

LAYOUT = 2

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class HeldRuns:
    """Runs of one length: `blocked` keys (rising), held by `works[offsets[i]:offsets[i + 1]]`.

    `common` are the keys (rising) that `STOCK` authors or more hold.  Works are numbers in the
    index's order.  `sieve`, uint8: eight bits a key, those set where a key's highest bits point to.
    """

    blocked: Ints
    offsets: Ints
    works: Ints
    common: Ints
    sieve: Ints

    def keys(self, prefix: int) -> list[int]:
        """Keys of the blocked runs with this prefix."""
        # A search in memory that decoding has long pushed out of every cache costs some twenty
        # misses, the sieve one; and there is mostly nothing to find.
        place = (prefix >> 32) * 8 * len(self.sieve) >> 32
        if not int(self.sieve[place >> 3]) >> (place & 7) & 1:
            return []
        return self._found(prefix)

    def _found(self, prefix: int) -> list[int]:
        place = int(self.blocked.searchsorted(np.uint64(prefix)))
        found: list[int] = []
        while place < len(self.blocked) and int(self.blocked[place]) >> 8 == prefix >> 8:
            found.append(int(self.blocked[place]))
            place += 1
        return found

    def is_common(self, key: int) -> bool:
        """Whether this run is common stock."""
        place = int(np.searchsorted(self.common, np.uint64(key)))
        return place < len(self.common) and int(self.common[place]) == key

    def holders(self, key: int) -> list[int]:
        """Works that hold a blocked run."""
        place = int(np.searchsorted(self.blocked, np.uint64(key)))
        if place == len(self.blocked) or int(self.blocked[place]) != key:
            return []
        found: list[int] = self.works[self.offsets[place] : self.offsets[place + 1]].tolist()
        return found


def authors_of(catalogue: Catalogue) -> list[frozenset[str]]:
    """Who counts as author of each work of the index."""
    cluster = catalogue.index.cluster
    return [
        names or frozenset([f"cluster {cluster[work]}"])
        for work, names in enumerate(catalogue.creators)
    ]


def held_runs(catalogue: Catalogue, k: int) -> HeldRuns:
    """The runs of k notes of all living works of an index."""
    keys, work = living_keys(catalogue, k)
    # Works rise within each key, since the sort is stable.
    order = np.argsort(keys, kind="stable")
    keys, work = keys[order], work[order]
    new = np.ones(len(keys), bool)
    new[1:] = (keys[1:] != keys[:-1]) | (work[1:] != work[:-1])
    keys, work = keys[new], work[new]
    unique, which = np.unique(keys, return_inverse=True)
    common = author_counts(which, work, len(unique), authors_of(catalogue)) >= STOCK
    rare = ~common[which]
    offsets = np.searchsorted(keys[rare], unique[~common])
    return HeldRuns(
        unique[~common],
        np.append(offsets, int(rare.sum())).astype(np.uint32),
        work[rare].astype(np.uint32),
        unique[common],
        sieve_of(unique[~common]),
    )


def living_keys(catalogue: Catalogue, k: int) -> tuple[Ints, Ints]:
    """Keys of all runs of k notes of the living works of an index, and the work that holds each."""
    parts = []
    first = 0
    for part in catalogue.index.segments:
        keys, begin = segment_keys(part, k)
        work = first + work_of(part, begin)
        alive = catalogue.index.alive[work]
        parts.append((keys[alive], work[alive]))
        first += part.works
    return np.concatenate([keys for keys, _ in parts]), np.concatenate([work for _, work in parts])


def sieve_of(keys: Ints) -> Ints:
    """The sieve of uint64 keys, as many bytes as there are keys, one at least."""
    size = 8 * max(1, len(keys))
    flags = np.zeros(size, bool)
    flags[((keys >> np.uint64(32)) * np.uint64(size)) >> np.uint64(32)] = True
    return np.packbits(flags, bitorder="little")


def segment_keys(part: Segment, k: int) -> tuple[Ints, Ints]:
    """Keys of all runs of a segment's streams, and the note at which each begins."""
    drums = np.repeat(part.stream_kind == DRUMS, np.diff(part.stream_notes))
    return line_keys(part.pitch, part.onset, part.stream_notes[:-1], drums, k)


def work_of(part: Segment, note: Ints) -> Ints:
    """The segment's work that each of its notes belongs to."""
    stream = np.searchsorted(part.stream_notes, note, side="right") - 1
    found: Ints = np.searchsorted(part.work_streams, stream, side="right") - 1
    return found


def author_counts(which: Ints, work: Ints, keys: int, authors: Sequence[frozenset[str]]) -> Ints:
    """How many authors hold each key; `which` and `work` say who holds what."""
    number: dict[str, int] = {}
    rows = [[number.setdefault(name, len(number)) for name in sorted(names)] for names in authors]
    pairs = []
    for depth in range(max((len(row) for row in rows), default=0)):
        column = np.array([row[depth] if depth < len(row) else -1 for row in rows], np.int64)[work]
        pairs.append(which[column >= 0] * max(1, len(number)) + column[column >= 0])
    if not pairs:
        return np.zeros(keys, np.int64)
    held = np.unique(np.concatenate(pairs)) // max(1, len(number))
    return np.bincount(held, minlength=keys)


def open_runs(catalogue: Catalogue, folder: Path, k: int) -> HeldRuns:
    """The table of one length, made and written to the index's folder the first time."""
    path = folder / f"runs-{LAYOUT}-{k}.bin"
    if not path.exists():
        made = held_runs(catalogue, k)
        draft = path.with_name(f"{path.name}.{os.getpid()}.part")
        packed.save(draft, packed.table_of(made))
        draft.replace(path)
    return packed.made_of(HeldRuns, packed.load(path))


def index_folder(corpus: indexes.CorpusLike) -> Path:
    """Where the corpus's index lies.  Raises `MusaiError` where it has none yet."""
    folder = indexes.current_folder(Path(corpus.path))
    if folder is None:
        raise MusaiError(
            f"the corpus {corpus.name!r} has no index yet, so nothing can be guarded against it; "
            f"it is made while a server starts, or now by: musai match FILE --corpus {corpus.name}"
        )
    return folder

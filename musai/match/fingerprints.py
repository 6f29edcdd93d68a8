"""Fingerprints: what a model may ship instead of its music, so that copies are told all the same.

Of every line of every training work some runs of `RUN` notes are kept, as 40 bits of their key
(`runs.py`), which tell all but the last step: by winnowing (Schleimer, Wilkerson and Aiken 2003) of
each `WINDOW` neighbours the one that fewest authors hold, so that any `RUN` + `WINDOW` - 1 = 12 notes
in a row hold one that is kept, and shorter ones often.  What works by five authors or more hold is
left out, and so is rhythm without pitch: both are shared by everybody.  Twelve notes made of nothing
else, yet held by fewer, are kept as 48 bits of their own key.  No note can be read from either.

A look-up names works that hold a run of the phrase exactly, its last pitch aside, in any key and
tempo.  It knows nothing of changed notes, of significance, or of where in the work.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.errors import Altered, BadInput
from musai.match import packed
from musai.match.catalogue import Catalogue
from musai.match.held import (
    STOCK,
    author_counts,
    authors_of,
    held_runs,
    living_keys,
    segment_keys,
    work_of,
)
from musai.match.lines import runs_of
from musai.match.segment import DRUMS
from musai.music.phrase import Phrase

FILE = "fingerprints.bin"

RUN, WINDOW = 8, 5
"""Notes of a run, and neighbours of which one is kept."""

SURE = RUN + WINDOW - 1
"""Notes in a row of which one run is certainly kept."""

MAX_BYTES = 15_000_000

_BITS = 40
_LOW = 8
_STEP = 8

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Shared:
    """A training work that holds runs of a phrase: how many of the phrase's runs it has."""

    work_id: str
    title: str
    creators: str
    licence: str
    attribution: str
    runs: int


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Kept runs, rising: `high` uint32 and `low` uint8 are 40 bits of a key, `work` who holds it,
    a row of works.csv.  `long_...`: the same of runs of `SURE` notes, with the last step of each."""

    high: Ints
    low: Ints
    work: Ints
    long_high: Ints
    long_low: Ints
    long_step: Ints
    long_work: Ints

    def __len__(self) -> int:
        return len(self.work) + len(self.long_work)

    def shared(self, phrase: Phrase) -> Counter[int]:
        """How many different runs of a phrase each work holds."""
        found: Counter[int] = Counter()
        for key in set(runs_of(phrase, RUN, drums=False)):
            found.update(self.holders(key))
        for key in set(runs_of(phrase, SURE, drums=False)):
            found.update(self.long_holders(key))
        return found

    def holders(self, key: int) -> set[int]:
        """The works that a run with this key, or its prefix, was kept of."""
        return set(self.work[_rows(self.high, self.low, key)].tolist())

    def long_holders(self, key: int) -> set[int]:
        """The works that a run of `SURE` notes with this key was kept of."""
        rows = _rows(self.long_high, self.long_low, key)
        step = key & ((1 << _STEP) - 1)
        return {int(self.long_work[row]) for row in rows if self.long_step[row] == step}

    def long_keys(self, prefix: int) -> list[int]:
        """The keys of kept runs of `SURE` notes that begin so."""
        rows = _rows(self.long_high, self.long_low, prefix)
        return [prefix | step for step in sorted(set(self.long_step[rows].tolist()))]


def _rows(high: Ints, low: Ints, key: int) -> list[int]:
    """The rows that keep this key, or its prefix."""
    short = key >> (64 - _BITS)
    left, right = (
        int(np.searchsorted(high, np.uint32(short >> _LOW), side)) for side in ("left", "right")
    )
    held = low[left:right] == short & ((1 << _LOW) - 1)
    rows: list[int] = (left + np.flatnonzero(held)).tolist()
    return rows


def make(catalogue: Catalogue, work_ids: Sequence[str]) -> Fingerprints:
    """Fingerprints of the works of a corpus that these ids name, in the order of their numbers.

    Raises `BadInput` for an id that the corpus does not hold, and where they would be too large.
    """
    number = {work_id: i for i, work_id in enumerate(work_ids)}
    missing = sorted(set(work_ids) - set(catalogue.index.work_ids))
    if missing:
        raise BadInput(
            f"corpus {catalogue.name} lacks {len(missing)} of {len(work_ids)} works to be "
            f"fingerprinted, among them {', '.join(work[:12] for work in missing[:3])}"
        )
    rows = np.array([number.get(work_id, -1) for work_id in catalogue.index.work_ids], np.int64)
    short, work = _kept(catalogue, rows)
    keys, long_work = _beside(catalogue, rows, np.unique(short))
    kind = np.uint16 if len(work_ids) < 2**16 else np.uint32
    made = Fingerprints(
        *_halves(short),
        work.astype(kind),
        *_halves(_short(keys)),
        (keys & np.uint64((1 << _STEP) - 1)).astype(np.uint8),
        long_work.astype(kind),
    )
    size = sum(array.nbytes for array in packed.table_of(made).values())
    if size > MAX_BYTES:
        raise BadInput(f"the fingerprints have {size:,} bytes; legal is up to {MAX_BYTES:,}")
    return made


def _kept(catalogue: Catalogue, rows: Ints) -> tuple[Ints, Ints]:
    """What is kept of runs of `RUN` notes and the row of works.csv of each, rising.

    `rows`: the row of each work of the index, -1 of those that have none.
    """
    known, counts = _authors(catalogue)
    parts, first = [], 0
    for part in catalogue.index.segments:
        keys, begin = segment_keys(part, RUN)
        stream = np.searchsorted(part.stream_notes, begin, side="right") - 1
        short = _short(keys)
        authors = counts[np.minimum(np.searchsorted(known, short), len(known) - 1)]
        kept = winnowed(keys, stream, authors)
        work = rows[first + work_of(part, begin[kept])]
        chosen = (work >= 0) & (part.stream_kind[stream[kept]] != DRUMS)
        chosen &= authors[kept] < STOCK
        parts.append((short[kept][chosen] << np.uint64(24)) | work[chosen].astype(np.uint64))
        first += part.works
    both = np.unique(np.concatenate(parts))
    return both >> np.uint64(24), both & np.uint64((1 << 24) - 1)


def _beside(catalogue: Catalogue, rows: Ints, kept: Ints) -> tuple[Ints, Ints]:
    """Keys of the runs of `SURE` notes that hold nothing of what is kept, and their works, rising."""
    common = held_runs(catalogue, SURE).common
    parts, first = [], 0
    for part in catalogue.index.segments:
        keys, begin = segment_keys(part, SURE)
        short_keys, short_begin = segment_keys(part, RUN)
        held = np.isin(_short(short_keys), kept)
        at = np.searchsorted(short_begin, begin)
        known = np.any([held[at + k] for k in range(WINDOW)], axis=0)
        stream = np.searchsorted(part.stream_notes, begin, side="right") - 1
        work = rows[first + work_of(part, begin)]
        chosen = ~known & (work >= 0) & (part.stream_kind[stream] != DRUMS)
        chosen &= ~np.isin(keys, common)
        parts.append(np.stack([keys[chosen], work[chosen].astype(np.uint64)], axis=1))
        first += part.works
    pairs = np.unique(np.concatenate(parts), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _halves(short: Ints) -> tuple[Ints, Ints]:
    """The high and the low bits of what is kept."""
    low = (short & np.uint64((1 << _LOW) - 1)).astype(np.uint8)
    return (short >> np.uint64(_LOW)).astype(np.uint32), low


def _short(keys: Ints) -> Ints:
    """What is kept of keys."""
    short: Ints = keys >> np.uint64(64 - _BITS)
    return short


def _authors(catalogue: Catalogue) -> tuple[Ints, Ints]:
    """What would be kept of all runs of a corpus, rising, and how many authors hold each."""
    keys, work = living_keys(catalogue, RUN)
    unique, which = np.unique(_short(keys), return_inverse=True)
    counts = author_counts(which, work, len(unique), authors_of(catalogue))
    return unique, counts


def winnowed(keys: Ints, line: Ints, authors: Ints) -> Ints:
    """Indices of the keys that are kept, rising: of every `WINDOW` neighbours in a line the one of
    fewest authors, and of those with as few the least.

    `line` (n,): the line of each key, rising.  Of a line with fewer keys one is kept.
    """
    count = len(keys)
    if count == 0:
        return np.zeros(0, np.int64)
    mixed = keys * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(8)
    order = np.minimum(authors, STOCK).astype(np.uint64) << np.uint64(56) | mixed
    # A window past its line's end is cut short by values that are never the least.
    wide = np.full((WINDOW, count), np.uint64(2**64 - 1))
    for k in range(min(WINDOW, count)):
        inside = line[k:] == line[: count - k]
        wide[k, : count - k][inside] = order[k:][inside]
    least = np.arange(count) + wide.argmin(axis=0)
    ends = np.append(line[1:] != line[:-1], True)
    start = np.append(0, np.flatnonzero(ends)[:-1] + 1)
    length = np.flatnonzero(ends) + 1 - start
    at = np.arange(count) - np.repeat(start, length)
    # Whole windows, and of a line shorter than one the one that begins it.
    whole = (at + WINDOW <= np.repeat(length, length)) | (at == 0)
    kept: Ints = np.unique(least[whole])
    return kept


def save(made: Fingerprints, folder: Path) -> Path:
    """Write them into a model's folder."""
    path = folder / FILE
    packed.save(path, packed.table_of(made))
    return path


@dataclass(frozen=True, slots=True)
class Shelf:
    """A model's fingerprints with the rows of its works.csv."""

    prints: Fingerprints
    works: tuple[dict[str, str], ...]

    @classmethod
    def open(cls, folder: Path) -> "Shelf | None":
        """Those in a model's folder; None where it has none.  Raises `Altered`."""
        path = folder / FILE
        if not path.is_file():
            return None
        try:
            prints = packed.made_of(Fingerprints, packed.load(path))
            with (folder / "works.csv").open(encoding="utf-8", newline="") as file:
                rows = tuple(csv.DictReader(file))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Altered(f"{path} cannot be read: {error}") from None
        most = max(
            (int(held.max()) for held in (prints.work, prints.long_work) if len(held)), default=-1
        )
        if most >= len(rows):
            raise Altered(f"{path} names more works than {folder / 'works.csv'} has")
        return cls(prints, rows)

    def shared(self, phrase: Phrase, top: int = 5) -> list[Shared]:
        """The works that share most runs with a phrase."""
        counts = self.prints.shared(phrase)
        order = sorted(counts, key=lambda work: (-counts[work], work))[:top]
        return [
            Shared(
                row["id"],
                row["title"],
                row["creators"],
                row["licence"],
                row["attribution"],
                counts[work],
            )
            for work in order
            for row in [self.works[work]]
        ]


def sentence(found: Sequence[Shared], model: str) -> str:
    """What a look-up says, and that it can say no more."""
    limits = "nothing finer could be checked without the music itself"
    if not found:
        return (
            f"the fingerprints of the model {model!r} know no training work with {SURE} notes in a row "
            f"of it; {limits}"
        )
    named = "; ".join(f"{s.title or s.work_id[:12]} ({s.licence})" for s in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    # What is kept of a run does not tell its last step.
    return f"it shares exact runs of {RUN - 1} notes or more with {named}{more}; {limits}"

"""Training data: encoded works, their split, and the plan of every epoch.

Everything here is a pure function of the corpus, the recipe and counters;
randomness comes from Philox generators keyed by (seed, purpose, epoch).
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from musai.music import Phrase
from musai.transformer import vocabulary as v
from musai.transformer.encoding import Encoded, Rows, encode, header_of, shift_of
from musai.transformer.tasks import apply, draw_task

CROPS = (2, 4, 4, 6, 8, 8, 12, 16)
"""Lengths in bars of the pieces that works are cut into, so that short requests are at home."""

_NGRAM = 8
_SHARED = 0.25


def generator(seed: int, purpose: str, *counters: int) -> np.random.Generator:
    """A generator of its own for each purpose and counter."""
    text = f"musai-train-1 {seed} {purpose} {counters}".encode()
    key = np.frombuffer(hashlib.sha256(text).digest()[:16], np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


@dataclass(frozen=True, slots=True)
class Piece:
    """One work, encoded with nothing given; `tasks` make of its passages what is asked at play."""

    work_id: str
    collection: str
    plain: Encoded
    voices: int
    notes: int


def fitting(phrase: Phrase) -> Phrase:
    """The phrase, or its sixteen voices of most notes where it has more, in their order."""
    if len(phrase.voices) <= v.VOICES:
        return phrase
    counts = np.bincount(phrase.notes["voice"], minlength=len(phrase.voices))
    kept = np.sort(np.argsort(-counts, kind="stable")[: v.VOICES])
    notes = phrase.notes[np.isin(phrase.notes["voice"], kept)].copy()
    notes["voice"] = np.searchsorted(kept, notes["voice"])
    voices = tuple(phrase.voices[i] for i in kept)
    return Phrase(notes, phrase.metre, voices, phrase.length)


def encode_work(
    work_id: str, phrase: Phrase, collection: int, name: str, *, played: bool = False
) -> Piece:
    """A work as training draws from it; `played`: with velocity and timing."""
    phrase = fitting(phrase)
    plain = encode(phrase, header_of(phrase, collection), shift_of(phrase), played=played)
    return Piece(work_id, name, plain, len(phrase.voices), len(phrase))


def untold(piece: Piece) -> Piece:
    """The same work with its collection left untold, for models that do not know it."""
    rows = piece.plain.rows.copy()
    rows[:, v.COLUMN["collection"]] = 0
    return replace(piece, plain=replace(piece.plain, rows=rows))


def clusters(works: Sequence[tuple[str, str, Phrase]]) -> dict[str, str]:
    """Cluster name of each work id, for (id, title, phrase): near-duplicates go together.

    Two works are near-duplicates when the words of their titles are the same or a quarter of the
    distinct eight-interval runs of the shorter occur in the other.
    """
    parent = {work_id: work_id for work_id, _, _ in works}

    def root(x: str) -> str:
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    holders: dict[bytes, list[str]] = defaultdict(list)
    sizes: dict[str, int] = {}
    titles: dict[str, str] = {}
    for work_id, title, phrase in works:
        runs = _runs(phrase)
        sizes[work_id] = len(runs)
        for run in runs:
            holders[run].append(work_id)
        plain = "".join(c for c in title.casefold() if c.isalnum())
        if plain:
            parent[root(titles.setdefault(plain, work_id))] = root(work_id)
    shared: Counter[tuple[str, str]] = Counter()
    for ids in holders.values():
        if len(ids) <= 50:
            shared.update((a, b) for i, a in enumerate(ids) for b in ids[i + 1 :])
    for (a, b), count in shared.items():
        if count >= _SHARED * max(4, min(sizes[a], sizes[b])):
            parent[root(a)] = root(b)
    least: dict[str, str] = {}
    for work_id in sorted(parent):
        least.setdefault(root(work_id), work_id)
    return {work_id: least[root(work_id)] for work_id in parent}


def held_out(cluster: str, seed: int, share: float) -> bool:
    """Whether a cluster is kept from training: decided by its own name, not by its neighbours."""
    digest = hashlib.sha256(f"musai-held-out-1 {seed} {cluster}".encode()).digest()
    return int.from_bytes(digest[:8], "little") < share * 2**64


def first_aside(clusters: Iterable[str], seed: int) -> set[str]:
    """The one cluster that would be kept from training first, as the share of those grows."""

    def place(cluster: str) -> bytes:
        return hashlib.sha256(f"musai-held-out-1 {seed} {cluster}".encode()).digest()[:8][::-1]

    return {min(set(clusters), key=place)}


@dataclass(frozen=True, slots=True)
class Sample:
    """Bars `first` to `last` (not included) of a work.

    They belong to a piece that begins at bar `origin` and ends at bar `end`; where `task` is a
    number, something is given in them, drawn from that number.
    """

    piece: int
    first: int
    last: int
    origin: int
    end: int
    task: int | None = None


def plan_epoch(
    pieces: Sequence[Piece],
    weights: dict[str, float],
    window: int,
    seed: int,
    epoch: int,
    given: float = 0.0,
) -> list[Sample]:
    """The samples of one epoch, in the order of the works: every note once.

    `given`: the share of samples in which something is given.
    """
    samples: list[Sample] = []
    for index, piece in enumerate(pieces):
        rng = generator(seed, "plan " + piece.work_id, epoch)
        times = weights.get(piece.collection, 1.0)
        for _ in range(int(times) + int(rng.random() < times % 1)):
            for sample in cut(piece, index, window, rng if rng.random() < 0.5 else None):
                chosen = rng.random() < given
                task = int(rng.integers(2**62)) if chosen else None
                samples.append(replace(sample, task=task))
    return samples


def cut(piece: Piece, index: int, window: int, rng: np.random.Generator | None) -> Iterator[Sample]:
    """The work whole, or in pieces of their own with `rng`; windows where it is too long."""
    encoded = piece.plain
    bars = len(encoded.bar_rows)
    ends = [*encoded.bar_rows[1:].tolist(), len(encoded.rows)]
    room = window - encoded.header
    first = 0
    while first < bars:
        origin = 0 if rng is None else first
        end = bars if rng is None else min(bars, first + int(rng.choice(CROPS)))
        while first < end:
            last = first + 1
            while last < end and ends[last] - encoded.bar_rows[first] <= room:
                last += 1
            yield Sample(index, first, last, origin, end)
            first = last


def rows_of(sample: Sample, piece: Piece, window: int) -> tuple[Rows, Rows]:
    """Rows and targets of a sample: the header, then its bars, counted anew."""
    encoded = piece.plain
    head = encoded.header
    start = int(encoded.bar_rows[sample.first])
    whole = sample.last == len(encoded.bar_rows)
    stop = len(encoded.rows) if whole else int(encoded.bar_rows[sample.last])
    rows = np.concatenate([encoded.rows[:head], encoded.rows[start:stop]])
    bar = np.searchsorted(encoded.bar_rows, np.arange(start, stop), side="right") - 1
    rows[head:, v.COLUMN["remaining"]] = 1 + np.minimum(sample.end - 1 - bar, 32)
    rows[head:, v.COLUMN["bar"]] = 1 + (bar - sample.origin) % 16
    if sample.task is None:
        targets = np.concatenate([encoded.targets[:head], encoded.targets[start:stop]])
        targets[:head] = -1
    else:
        rng = generator(sample.task, "task")
        task = draw_task(sample.last - sample.first, piece.voices, rng)
        rows, targets = apply(rows, head, task, rng)
    return rows[:window], targets[:window]


_TELL = ("mode", "tempo", "collection", "instrument", "register", "density", "remaining")


def dim(rows: Rows, rng: np.random.Generator) -> Rows:
    """The rows with each kind of wish left untold three times in ten."""
    out = rows.copy()
    names: tuple[str, ...] = _TELL
    if rows[:, v.COLUMN["velocity"]].any():
        # Only then, so that what a recipe without these fields draws stays what it was.
        names = (*_TELL, "velocity", "nudge")
    for name, silent in zip(names, rng.random(len(names)) < 0.3, strict=True):
        if silent:
            out[:, v.COLUMN[name]] = 0
    return out


def batches(
    samples: Sequence[Sample],
    lengths: NDArray[np.int64],
    rows_per_batch: int,
    seed: int,
    epoch: int,
) -> list[list[int]]:
    """Sample numbers grouped so that a padded batch has about `rows_per_batch` rows, shuffled."""
    rng = generator(seed, "batches", epoch)
    order = rng.permutation(len(samples))
    pool = max(1, 32 * rows_per_batch // max(1, int(lengths.mean())))
    groups: list[list[int]] = []
    for start in range(0, len(order), pool):
        part = sorted(order[start : start + pool].tolist(), key=lambda i: (lengths[i], i))
        group: list[int] = []
        for i in part:
            if group and (len(group) + 1) * lengths[i] > rows_per_batch:
                groups.append(group)
                group = []
            group.append(i)
        groups.append(group)
    return [groups[i] for i in rng.permutation(len(groups))]


def padded(parts: Sequence[tuple[Rows, Rows]]) -> tuple[Rows, Rows]:
    """Rows and targets side by side, (batch, longest, fields); padding asks nothing."""
    longest = max(len(rows) for rows, _ in parts)
    rows = np.zeros((len(parts), longest, len(v.INPUTS)), np.int16)
    targets = np.full((len(parts), longest, len(v.OUTPUTS)), -1, np.int16)
    for i, (r, t) in enumerate(parts):
        rows[i, : len(r)], targets[i, : len(t)] = r, t
    return rows, targets


def _runs(phrase: Phrase) -> set[bytes]:
    runs: set[bytes] = set()
    for voice in range(len(phrase.voices)):
        if phrase.voices[voice].drum:
            continue  # Every rock beat would be every other's near-duplicate.
        pitch = phrase.notes["pitch"][phrase.notes["voice"] == voice].astype(np.int8)
        steps = np.diff(pitch)
        runs.update(steps[i : i + _NGRAM].tobytes() for i in range(len(steps) - _NGRAM + 1))
    return runs

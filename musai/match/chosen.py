"""What of a corpus a long phrase is laid against: its figures vote, and what they name is swept.

A file of a thousand notes has forty windows; to sweep a whole corpus for each
takes seconds.  Every three steps of its lines are looked up in the postings
instead.  Each place where they stand votes, the more the rarer the figure, for
the diagonal on which line and work would lie; a vote fades as the line goes
on, so that a short quotation in a long line counts like a short phrase.  The
works with the strongest diagonals are copied into a small segment, and what
is swept there has the score that the whole corpus would have given it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match.candidates import KEY, POWER, Postings
from musai.match.compiled import kernels
from musai.match.grams import figures
from musai.match.index import Index
from musai.match.segment import Segment, part_of

SHARE = 0.1
"""Share of a corpus's stream notes that is looked at."""

WHOLE = 16
"""Works of which all streams are looked at."""

LEAST_NOTES = 50_000
"""Stream notes that are looked at in any case, as far as there are."""

SAMPLE = 0.04
"""Share of the works that are looked at beside those: they say what is usual."""

COMMON = 0.005
"""A figure that begins at more than this share of a corpus's notes has no vote."""

HALF_LIFE = 24
"""Notes after which a vote counts half."""

Ints = NDArray[Any]

_FADING = (0.5 ** (np.arange(16 * HALF_LIFE) / HALF_LIFE)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Part:
    """Some streams of a segment laid out by themselves; `blocks` are their blocks' numbers there."""

    segment: Segment
    blocks: Ints


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is looked at: a part for each segment; `sample` bool (works,) says what is usual."""

    parts: tuple[Part, ...]
    sample: NDArray[np.bool_]


def choose(index: Index, lines: Sequence[Ints]) -> Chosen:
    """The streams that the lines' figures name; `lines` int8 steps, first `NO_STEP`."""
    parts = list(zip(index.segments, index.postings, strict=True))
    votes = np.concatenate([_votes(*part, lines) for part in parts], axis=1)
    notes = np.concatenate([np.diff(part.stream_notes) for part in index.segments])
    per_work = np.concatenate([np.diff(part.work_streams) for part in index.segments])
    work = np.repeat(np.arange(len(per_work)), per_work)
    votes *= index.alive[work]
    sample = np.zeros(len(per_work), bool)
    sample[np.flatnonzero(index.alive)[:: round(1 / SAMPLE)]] = True
    whole = sample.copy()
    whole[_holding_most(votes, per_work)[:WHOLE]] = True
    order = np.argsort(-votes.max(axis=0, initial=0), kind="stable")
    most = max(LEAST_NOTES, SHARE * notes.sum())
    taken = whole[work]
    taken[order[np.cumsum(notes[order]) <= most]] = True
    return Chosen(tuple(_parts(index, taken)), sample)


def _votes(part: Segment, postings: Postings, lines: Sequence[Ints]) -> NDArray[np.float32]:
    """The strongest diagonal of each line in each stream, float32 (lines, streams)."""
    out = np.zeros((len(lines), len(part.stream_notes) - 1), np.float32)
    if not len(postings.figure):
        return out
    notes = len(part.pitch)
    size: Ints = np.diff(postings.offsets.astype(np.int64))
    weight = (np.log2(1 + notes / size) ** POWER).astype(np.float32)
    weight[size > max(1, COMMON * notes)] = 0
    for line, best in zip(lines, out, strict=True):
        keys = figures(line, KEY)
        slot = np.minimum(np.searchsorted(postings.figure, keys), len(postings.figure) - 1)
        slot = np.where((keys >= 0) & (postings.figure[slot] == keys), slot, -1)
        kernels().vote(
            slot,
            weight,
            np.asarray(postings.offsets),
            np.asarray(postings.position),
            np.asarray(part.stream_notes),
            _FADING,
            best,
        )
    return out


def _holding_most(votes: NDArray[np.float32], per_work: Ints) -> Ints:
    """Works by the sum over lines of the strongest diagonal in any of their streams."""
    told = np.zeros((len(votes), len(per_work)), np.float32)
    full = np.flatnonzero(per_work)
    if len(full):
        first = (np.cumsum(per_work) - per_work)[full]
        told[:, full] = np.maximum.reduceat(votes, first, axis=1)
    return np.argsort(-told.sum(axis=0), kind="stable")


def _parts(index: Index, taken: NDArray[np.bool_]) -> list[Part]:
    made = []
    for segment in index.segments:
        count = len(segment.stream_notes) - 1
        mine, taken = taken[:count], taken[count:]
        blocks = np.flatnonzero(np.repeat(mine, np.diff(segment.stream_blocks)))
        made.append(Part(part_of(segment, np.flatnonzero(mine)), blocks))
    return made

"""Queries for `make bench-match`: passages of real works, moved, stretched and edited."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match import kernels as k
from musai.match import search
from musai.match.catalogue import Catalogue
from musai.match.scores import UNITS, background, ratio_index, scores_in_use, step_class
from musai.match.segment import KINDS
from musai.match.streams import symbols
from musai.music import TICKS, Phrase

Ints = NDArray[Any]

NEVER = -9000


@dataclass(frozen=True, slots=True)
class Source:
    """A stream that queries are cut from."""

    work: int
    segment: int
    stream: int


def sources(catalogue: Catalogue, kinds: Sequence[str], shortest: int) -> list[Source]:
    """Streams of the given kinds with at least so many notes."""
    wanted = {KINDS.index(kind) for kind in kinds}
    out = []
    offset = 0
    for number, part in enumerate(catalogue.index.segments):
        work_of = np.repeat(np.arange(part.works), np.diff(part.work_streams)) + offset
        long = np.diff(part.stream_notes) >= shortest
        chosen = np.flatnonzero(long & np.isin(part.stream_kind, list(wanted)))
        out += [Source(int(work_of[stream]), number, int(stream)) for stream in chosen]
        offset += part.works
    return out


def cut(
    catalogue: Catalogue, source: Source, notes: int, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Pitches and onsets of a passage, anywhere in a stream, each place with equal chances."""
    pitch, onset = catalogue.index.segments[source.segment].line(source.stream)
    start = int(rng.integers(len(pitch) - notes + 1))
    part = slice(start, start + notes)
    return pitch[part].astype(np.int64), onset[part].astype(np.int64)


def edited(
    pitch: Ints,
    onset: Ints,
    share: float,
    rng: np.random.Generator,
    stretch: tuple[float, float] = (0.7, 1.4),
) -> tuple[Ints, Ints]:
    """A passage with so many of its notes changed, dropped and added in equal parts, then moved
    up to six semitones either way and stretched x0.7 to x1.4, or as said.

    A changed note moves by one to four semitones; a dropped one leaves its
    time to the note before; an added one halves the time of the note before
    and lies within four semitones of it.
    """
    pitches = [int(p) for p in pitch]
    gaps = [int(g) for g in np.diff(onset)]
    gaps.append(int(np.median(gaps)))
    kinds = [number % 3 for number in range(round(share * len(pitches)))]
    rng.shuffle(kinds)
    for kind in kinds:
        at = int(rng.integers(len(pitches)))
        if kind == 0:
            pitches[at] += int(rng.choice((-4, -3, -2, -1, 1, 2, 3, 4)))
        elif kind == 1:
            if at:
                gaps[at - 1] += gaps[at]
            del pitches[at], gaps[at]
        else:
            half = max(1, gaps[at] // 2)
            gaps[at : at + 1] = [half, max(1, gaps[at] - half)]
            pitches.insert(at + 1, pitches[at] + int(rng.integers(-4, 5)))
    low, high = min(pitches), max(pitches)
    up = int(rng.integers(-min(6, low), min(6, 127 - high) + 1))
    times = np.maximum(1, np.rint(np.array(gaps) * 2 ** rng.uniform(*np.log2(stretch))))
    onsets = np.concatenate(([0], np.cumsum(times)[:-1])).astype(np.int64)
    return np.array(pitches) + up, onsets


def plain_line(pitch: Ints, onset: Ints) -> search.Line:
    """A line with the scores of a plain Smith-Waterman: the reference of the table.

    Log-odds against how often each step and each ratio class occurs, whatever
    came before, affine gaps, and no move but the diagonal and the gap; so a
    changed note is two wrong steps.
    """
    signs = symbols(pitch, onset)
    line = search.line_from(pitch, onset)
    known, scores = background(), scores_in_use()
    table = line.profile.astype(np.int64)
    step = known.step1[step_class(signs.steps[1:])] + np.log2(scores.agree_step)
    table[:, k.EQUAL] = np.rint(UNITS * np.minimum(step, scores.step_cap))
    ratio = known.ratio1[ratio_index(signs.ratios[2:])] + np.log2(scores.agree_ratio)
    table[1:, k.RHYTHM] = np.rint(UNITS * np.minimum(ratio, scores.ratio_cap))
    table[:, (k.CHANGED, k.EXTRA, k.MISSING)] = NEVER
    profile = table.astype(np.int16)
    return search.Line("line", 0, line.index, pitch, onset, signs, profile)


def phrase_of(pitch: Ints, onset: Ints) -> Phrase:
    """A line as a phrase, each note as long as the time to the next."""
    gaps = np.append(np.diff(onset), max(1, int(np.median(np.diff(onset)))))
    return Phrase.from_notes(onset / TICKS, gaps / TICKS, np.clip(pitch, 0, 127))

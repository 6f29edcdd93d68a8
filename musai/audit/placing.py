"""Where a take may lie in a piece: pairs of notes vote for a transposition and a shift.

A placement says that the take's tick x stands at tick scale * x + shift of the piece,
transposed by so many semitones.  Every pair of one note of each votes for the placement
that would lay one upon the other (a Hough transform); the fullest places are looked at.
Scales other than 1 (a part played in at another tempo, half or double time) are proposed by
lines of the same steps, whose time spans are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musai.audit.piece import FINEST, Ints, Piece

HIGHEST = 36
"""Semitones that a placement transposes at most."""

BUCKET = 60
"""Votes are counted in stretches of so many ticks, two neighbours together."""

MOST = 48
"""Places of one take that are looked at."""

FEWEST = 4
"""Votes that a place has at least."""

FIGURE = 5
"""Notes in the lines by which scales are proposed."""

MANY = 4_000_000
"""Pairs held in memory at once."""

SIMPLE = (0.25, 1 / 3, 0.5, 2 / 3, 0.75, 1.0, 4 / 3, 1.5, 2.0, 3.0, 4.0)


@dataclass(frozen=True, slots=True)
class Placement:
    """Tick x of source number `source` stands at `scale` * x + `shift`, `transposition` higher."""

    source: int
    transposition: int
    scale: float
    shift: int

    def ticks(self, onset: Ints) -> Ints:
        """Where onsets of the source stand in the piece."""
        held: Ints = np.rint(self.scale * onset).astype(np.int64) + self.shift
        return held


def placements(
    number: int, source: Piece, piece: Piece, scales: Sequence[float]
) -> list[Placement]:
    """The places where source number `number` may lie, those with most votes first."""
    found: list[tuple[float, Placement]] = []
    for scale in scales:
        found += _voted(number, source, piece, scale)
    found.sort(key=lambda row: -row[0])
    return [place for _, place in found[:MOST]]


def _voted(number: int, source: Piece, piece: Piece, scale: float) -> list[tuple[float, Placement]]:
    if len(source) == 0 or len(piece) == 0:
        return []
    onset = np.rint(scale * source.onset).astype(np.int64)
    low = int(piece.onset.min() - onset.max()) // BUCKET
    wide = int(piece.onset.max() - onset.min()) // BUCKET - low + 2
    shares = 2 * HIGHEST + 1
    votes = np.zeros(shares * wide)
    # A note that stands among many of its pitch says little.
    weight = np.clip(-np.log(piece.crowd(piece.row, piece.onset) + 1e-9), 0.3, 3.5)
    for first in range(0, len(source), max(1, MANY // len(piece))):
        part = slice(first, first + max(1, MANY // len(piece)))
        moved, later, heavy = _pairs(source, piece, onset, part, weight)
        cell = (moved + HIGHEST) * wide + later // BUCKET - low
        votes += np.bincount(cell, heavy, minlength=len(votes))
    table = votes.reshape(shares, wide)
    both = table.copy()
    both[:, :-1] += table[:, 1:]
    peak = both.copy()
    peak[:, 1:] = np.where(both[:, 1:] < both[:, :-1], 0, peak[:, 1:])
    peak[:, :-1] = np.where(both[:, :-1] < both[:, 1:], 0, peak[:, :-1])
    best = np.argsort(-peak, axis=None)[:MOST]
    out = []
    for cell in best[peak.flat[best] >= FEWEST]:
        transposition, start = int(cell) // wide - HIGHEST, (int(cell) % wide + low) * BUCKET
        for shift in _shifts(source, piece, onset, transposition, start):
            place = Placement(number, transposition, scale, shift)
            out.append((float(peak.flat[cell]), place))
    return out


def _pairs(
    source: Piece,
    piece: Piece,
    onset: Ints,
    part: slice,
    weight: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[Ints, Ints, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Transposition, shift and weight of every pair that may be one note."""
    moved = piece.row[None, :] - source.row[part, None]
    drums = (piece.row >= 128)[None, :], (source.row >= 128)[part, None]
    legal = (np.abs(moved) <= HIGHEST) & (drums[0] == drums[1]) & (~drums[1] | (moved == 0))
    rows, columns = np.nonzero(legal)
    later = piece.onset[columns] - onset[part][rows]
    return moved[rows, columns], later, weight[columns]


def _shifts(source: Piece, piece: Piece, onset: Ints, transposition: int, start: int) -> list[int]:
    """The shifts within two buckets that are met most often: exactly, and on the whole."""
    rows, columns = np.nonzero(piece.row[None, :] - source.row[:, None] == transposition)
    later = piece.onset[columns] - onset[rows]
    inside = later[(later >= start) & (later < start + 2 * BUCKET)]
    if len(inside) == 0:
        return []
    values, counts = np.unique(inside, return_counts=True)
    often = int(values[counts.argmax()])
    middle = round(float(np.median(inside)) / FINEST) * FINEST
    return [often] if abs(often - middle) < FINEST else [often, middle]


def scales_of(sources: Sequence[Piece], piece: Piece) -> list[float]:
    """1, and the other scales that lines of equal steps propose, the most frequent first."""
    held: dict[tuple[int, ...], list[int]] = {}
    for steps, span in _figures(piece):
        held.setdefault(steps, []).append(span)
    ratios = [
        np.log2(there / here)
        for source in sources
        for steps, here in _figures(source)
        for there in held.get(steps, ())[:8]
    ]
    if not ratios:
        return [1.0]
    cells, counts = np.unique(np.rint(np.array(ratios) * 48).astype(int), return_counts=True)
    total = counts.sum()
    found = [1.0]
    for cell in cells[np.argsort(-counts)][:6]:
        near = np.array([r for r in ratios if abs(r * 48 - cell) <= 1.5])
        if len(near) < max(6, 0.05 * total):
            continue
        scale = _settled(float(2 ** np.median(near)))
        if all(abs(scale / other - 1) > 0.01 for other in found):
            found.append(scale)
    return found[:3]


def _settled(scale: float) -> float:
    """The simple ratio that a scale nearly is, else itself."""
    simple = min(SIMPLE, key=lambda one: abs(scale / one - 1))
    return simple if abs(scale / simple - 1) < 0.01 else scale


def _figures(piece: Piece) -> list[tuple[tuple[int, ...], int]]:
    """Steps and time span of every `FIGURE` successive notes of each voice's upper line."""
    out = []
    for voice in np.unique(piece.voice):
        mine = np.flatnonzero((piece.voice == voice) & (piece.row < 128))
        order = mine[np.lexsort((-piece.pitch[mine], piece.onset[mine]))]
        line = (
            order[np.concatenate([[True], np.diff(piece.onset[order]) > 0])]
            if len(order)
            else order
        )
        steps = np.diff(piece.pitch[line])
        for i in range(len(line) - FIGURE + 1):
            figure = tuple(steps[i : i + FIGURE - 1].tolist())
            if any(figure):
                out.append((figure, int(piece.onset[line[i + FIGURE - 1]] - piece.onset[line[i]])))
    return out

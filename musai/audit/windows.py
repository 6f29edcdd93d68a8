"""Windows of training works: what a model is shown, and what it would have to say to repeat the work.

A window is a prefix of `PREFIX` events (notes and bar lines) and the next `LEAST` to `MOST` of the
same work, every `STRIDE` events.  A work too short for a whole prefix is shown less of it; one with
fewer than `SHORTEST` + `LEAST` events has no window.  The header tells all that training tells.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musai.transformer import vocabulary as v
from musai.transformer.data import Piece
from musai.transformer.encoding import Rows

PREFIX, LEAST, MOST, STRIDE, SHORTEST = 64, 32, 50, 32, 8

_KIND, _POSITION, _VOICE = (v.COLUMN[name] for name in ("kind", "position", "voice"))


@dataclass(frozen=True, eq=False)
class Window:
    """Rows (header, prefix, continuation) with what each says next; `asked` is the first row that
    says an event of the continuation, `event` the continuation's first event in the work.
    """

    work_id: str
    event: int
    rows: Rows
    targets: Rows
    asked: int
    voices: int


def windows(piece: Piece) -> Iterator[Window]:
    """All windows of a work, in order."""
    encoded = piece.plain
    head, events = encoded.header, len(encoded.rows) - encoded.header
    if events < SHORTEST + LEAST:
        return
    prefix = min(PREFIX, events - LEAST)
    for first in range(0, events - prefix - LEAST + 1, STRIDE):
        start, middle = head + first, head + first + prefix
        end = min(middle + MOST, len(encoded.rows))
        rows = np.concatenate([encoded.rows[:head], encoded.rows[start : end - 1]])
        targets = np.concatenate([encoded.targets[:head], encoded.targets[start : end - 1]])
        yield Window(piece.work_id, first + prefix, rows, targets, head + prefix - 1, piece.voices)


RUN = 8
"""Events in a row that make a repetition."""


def repeats(window: Window) -> float:
    """Share of the continuation's first `LEAST` events that lie in runs of `RUN` which the rows before
    them hold too, note for note: place, voice, pitch, length."""
    said = [tuple(row[:4].tolist()) for row in window.targets[: window.asked + LEAST]]
    first, known = window.asked, set()
    covered = [False] * len(said)
    for end in range(RUN, len(said) + 1):
        run = tuple(said[end - RUN : end])
        if end > first and run in known:
            covered[end - RUN : end] = [True] * RUN
        known.add(run)
    asked = covered[first:]
    return sum(asked) / max(1, len(asked))


def legal_positions(rows: Rows) -> NDArray[np.bool_]:
    """Which positions may be said after each row, (n, 193): none before the last note, none behind the bar."""
    kind = rows[:, _KIND]
    numerator = rows[:, v.COLUMN["numerator"]].astype(int)
    power = np.maximum(rows[:, v.COLUMN["denominator"]].astype(int) - 1, 0)
    length = np.where(numerator > 0, numerator * v.GRID * 4 // 2**power, v.MAX_BAR)
    here = np.where(kind == v.NOTE, rows[:, _POSITION] - 1, 0)
    steps = np.arange(v.MAX_BAR + 1)
    # A bar that a signature's change cuts short, or that is split, has places that are not told here.
    legal: NDArray[np.bool_] = (steps >= here[:, None]) & (
        steps < np.maximum(length, here + 1)[:, None]
    )
    legal[:, v.BARLINE] = True
    return legal

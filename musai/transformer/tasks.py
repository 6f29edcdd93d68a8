"""Tasks: which notes of a passage are told ahead of their time, and which are to be said.

Training shows the model every way of being given something, so that at play
it knows them all::

    beside      some voices are given, the others are to be said (accompany)
    after       bars follow a gap and are told where the gap begins (infill)
    structure   notes that carry a line are given, what lies between is to be said (vary)

A given note is told `ahead` bars before its own, or where the gap begins; it
is a row of its own kind, and nobody is asked to predict it (anticipation,
Thickstun et al. 2023).  Notes before the gap are plain context.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musai.transformer import vocabulary as v
from musai.transformer.encoding import Rows, successors

LEADS = (0, 1, 1, 1, 2, 2, 4)
"""Bars between a note's telling and its own bar, as training draws them."""

MOST_AFTER = 4
"""Bars after a gap that are told."""

_C = v.COLUMN
_PLACE = np.array([_C[name] for name in ("numerator", "denominator", "remaining", "bar")])

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Task:
    """Bars `first` to `last` (not included) of a passage are to be filled.

    In them the notes of `asked` voices are to be said, but that a share `kept` of them, the most
    structural, is given too; all other notes there are given `lead` bars ahead.  The `after`
    bars that follow are told where the gap begins.
    """

    first: int
    last: int
    asked: frozenset[int]
    kept: float = 0.0
    lead: int = 1
    after: int = 0


def draw_task(bars: int, voices: int, rng: np.random.Generator) -> Task:
    """A task for a passage of so many bars and voices."""
    lead = int(rng.choice(LEADS))
    everyone = frozenset(range(voices))
    kind = float(rng.random())
    if voices > 1 and kind < 0.5:
        first = 0 if rng.random() < 0.7 else int(rng.integers(0, bars))
        return Task(first, bars, _some(voices, rng), lead=lead)
    some = _some(voices, rng) if voices > 1 and rng.random() < 0.4 else everyone
    if kind < 0.8 and bars > 1:
        after = int(rng.integers(1, min(MOST_AFTER, bars - 1) + 1))
        last = bars - after
        first = int(rng.integers(0, last)) if rng.random() < 0.8 else 0
        return Task(first, last, some, lead=lead, after=after)
    first = 0 if rng.random() < 0.7 else int(rng.integers(0, bars))
    return Task(first, bars, some, kept=float(rng.uniform(0.1, 0.8)), lead=lead)


def _some(voices: int, rng: np.random.Generator) -> frozenset[int]:
    """Some voices but never all: each as likely as not; often one against the rest."""
    if rng.random() < 0.5:
        one = frozenset({int(rng.integers(voices)) if rng.random() < 0.5 else 0})
        return one if rng.random() < 0.5 else frozenset(range(voices)) - one
    chosen = rng.random(voices) < 0.5
    if chosen.all() or not chosen.any():
        chosen[int(rng.integers(voices))] ^= True
    return frozenset(np.flatnonzero(chosen).tolist())


def weight_of(position: NDArray[np.int_], steps: NDArray[np.int_], bar: int) -> NDArray[np.float64]:
    """How structural notes are: their length in quarters and where in the bar they begin.

    After metrical weight in Lerdahl and Jackendoff (1983): the bar line, its half, the quarters,
    the eighths, in falling order; a longer note counts more, up to a bar.
    """
    level = np.zeros(len(position))
    for part, worth in ((bar, 1.0), (bar // 2, 0.5), (v.GRID, 1.0), (v.GRID // 2, 0.5)):
        level += worth * (position % max(1, part) == 0)
    weight: NDArray[np.float64] = level + np.minimum(steps, bar) / v.GRID
    return weight


def apply(rows: Rows, header: int, task: Task, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Rows and targets of a passage with what the task gives told ahead.

    `rows` begin with `header` rows that are not bars, then bar after bar, all notes plain.
    """
    kind = rows[:, _C["kind"]]
    bar = np.cumsum(kind == v.BAR) - 1
    note = kind == v.NOTE
    inside = note & (bar >= task.first) & (bar < task.last)
    asked = np.isin(rows[:, _C["voice"]] - 1, list(task.asked))
    given = inside & ~asked
    if task.kept:
        given |= _kept(rows, inside & asked, task.kept, rng)
    later = note & (bar >= task.last) & (bar < task.last + task.after)
    gone = (bar >= task.last) & ~later
    # Inside, `lead` bars ahead, but not before the gap; what follows, where the gap begins.
    tell = np.where(later, task.first, np.maximum(task.first, bar - task.lead))
    given |= later
    return told(rows, header, bar, given, tell, ~gone)


def told(
    rows: Rows,
    header: int,
    bar: NDArray[np.int_],
    given: Mask,
    tell: NDArray[np.int_],
    stays: Mask,
) -> tuple[Rows, Rows]:
    """Rows anew, the `given` ones told in bar `tell` right after its bar line, and targets."""
    out = rows.copy()
    line = np.flatnonzero(rows[:, _C["kind"]] == v.BAR)
    where = np.where(given, tell, bar)
    out[given, _C["kind"]] = v.GIVEN
    out[given, _C["interval"]] = 0
    out[given, _C["ahead"]] = 1 + np.minimum(bar - tell, v.AHEAD)[given]
    out[np.ix_(np.flatnonzero(given), _PLACE)] = rows[np.ix_(line[where[given]], _PLACE)]
    # In a bar: its line, what is told there, then notes; each in the order it had.
    group = np.where(out[:, _C["kind"]] == v.BAR, 0, np.where(given, 1, 2))
    order = np.lexsort((np.arange(len(rows)), group, where))
    order = np.concatenate([order[order < header], order[order >= header]])
    out = out[order[stays[order]]]
    _intervals(out)
    return out, successors(out)


def _kept(rows: Rows, among: Mask, share: float, rng: np.random.Generator) -> Mask:
    """The share of these notes that is most structural, ties and near ties by chance."""
    which = np.flatnonzero(among)
    position = rows[which, _C["position"]].astype(int) - 1
    steps = v.DURATIONS[rows[which, _C["duration"]].astype(int) - 1]
    beats = rows[which, _C["numerator"]].astype(int)
    unit = 4 * v.GRID // (1 << np.maximum(0, rows[which, _C["denominator"]].astype(int) - 1))
    score = np.zeros(len(which))
    for length in np.unique(beats * unit):
        mine = beats * unit == length
        score[mine] = weight_of(position[mine], steps[mine], max(1, int(length)))
    score += rng.gumbel(size=len(which)) * 0.7
    best = which[np.argsort(-score, kind="stable")[: round(share * len(which))]]
    mask = np.zeros(len(rows), bool)
    mask[best] = True
    return mask


def _intervals(rows: Rows) -> None:
    """Each plain note's interval from the last plain note of its voice, as `RowWriter` counts it."""
    notes = np.flatnonzero(rows[:, _C["kind"]] == v.NOTE)
    for voice in np.unique(rows[notes, _C["voice"]]):
        mine = notes[rows[notes, _C["voice"]] == voice]
        steps = np.diff(rows[mine, _C["pitch"]].astype(int))
        rows[mine[:1], _C["interval"]] = 0
        rows[mine[1:], _C["interval"]] = 25 + np.clip(steps, -24, 24)

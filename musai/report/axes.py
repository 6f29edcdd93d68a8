"""Whose bars a comparison is written in: the phrase's, or those of the work.

A phrase played at another tempo ratio lies across its own bars; written in the
work's, both sides have the same plain values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from musai.music import Metre, Signature
from musai.report.bars import Bar, bars_from
from musai.report.records import ComparedNote, Comparison
from musai.report.rhythm import Sound

Whose = Literal["phrase", "work"]

CLEARLY = 0.25
"""Mean steps of the metre by which the work's bars must be plainer to be taken."""

_NEAR = 12
_LEVELS = ((480, 0), (240, 1), (120, 2), (160, 2), (60, 4), (80, 4))
_OFF = 6


@dataclass(frozen=True, slots=True)
class Axis:
    """Bars to write in, the number of the first, and the line from the phrase's ticks to theirs."""

    whose: Whose
    metre: Metre
    number: int = 1
    stretch: float = 1.0
    offset: float = 0.0

    def at(self, tick: float) -> float:
        """A tick of the phrase on this axis."""
        return (tick - self.offset) / self.stretch

    def sounds(self, notes: Sequence[ComparedNote]) -> list[Sound]:
        """Notes on this axis; their numbers are places in `notes`."""
        return [
            Sound(self.at(n.onset), self.at(n.onset + n.duration), i) for i, n in enumerate(notes)
        ]

    def bars(self, first: float, last: float, most: int) -> list[Bar]:
        """The bars from the one that holds `first` to the one that holds `last`, up to `most`."""
        found: list[Bar] = []
        for bar in bars_from(self.metre, max(0.0, first)):
            if bar.first > last or len(found) == most:
                break
            if bar.last > first:
                number = bar.number + self.number - 1
                found.append(Bar(number, bar.first, bar.last, bar.signature))
        return found


def axis_of(comparison: Comparison, metre: Metre) -> Axis:
    """The axis of a comparison: the phrase's own, by `metre`, unless the work's is clearly plainer."""
    ours = Axis("phrase", metre)
    theirs = _of_work(comparison)
    notes = [n for n in (*comparison.phrase, *comparison.work) if n.likeness != "other"]
    if theirs is None or _unevenness(theirs, notes) + CLEARLY >= _unevenness(ours, notes):
        return ours
    return theirs


def _of_work(comparison: Comparison) -> Axis | None:
    """The work's bars as far as the comparison tells of them; its first line may lie a bar in."""
    lines = [
        (line.number, (line.onset - comparison.offset) / comparison.stretch, line.signature)
        for line in comparison.work_bars
        if line.signature is not None and comparison.stretch > 0
    ]
    if not lines:
        return None
    number, begin, (above, below) = lines[0]
    size = Signature(0, above, below).bar_ticks
    changes = [Signature(0, above, below)]
    for _, tick, (above, below) in lines:
        if (above, below) != (changes[-1].numerator, changes[-1].denominator):
            changes.append(Signature(round(tick - begin) + size, above, below))
    offset = comparison.offset + (begin - size) * comparison.stretch
    metre = Metre(signatures=tuple(changes))
    return Axis("work", metre, number - 1, comparison.stretch, offset)


def _unevenness(axis: Axis, notes: Sequence[ComparedNote]) -> float:
    """How far into the metre's subdivisions the notes begin, on average."""
    ticks = [axis.at(n.onset) for n in notes]
    bars = axis.bars(min(ticks), max(ticks), 1000)
    total, k = 0, 0
    for tick in sorted(ticks):
        while k + 1 < len(bars) and bars[k + 1].first <= tick + _NEAR:
            k += 1
        inside = tick - bars[k].first if bars else tick
        total += min(
            (cost for step, cost in _LEVELS if abs(inside - step * round(inside / step)) <= _NEAR),
            default=_OFF,
        )
    return total / len(ticks)

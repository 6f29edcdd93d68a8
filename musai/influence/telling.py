"""From estimates by work and passage to what is told: shares with intervals, sums by owner, places."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musai.corpus import Work
from musai.influence.found import Measured, Place, Pull, Total
from musai.music import Phrase
from musai.transformer import data

Floats = NDArray[np.float64]
Interval = tuple[float | None, float | None]
Owned = Sequence[tuple[tuple[str, int], ...]]
"""For each work who holds it: name, basis points."""

DRAWS = 400
"""Bootstraps of a phrase's passages."""

FEW = 3
"""Passages below which no interval is told."""

RARE = 0.02
"""A place is named where a work stands out more than in all but this share of the places of
training works asked about without themselves."""

NOBODY = "(unclaimed)"


def owned(work: Work) -> tuple[tuple[str, int], ...]:
    """Who holds a work; what nobody is named for stands under a name of its own."""
    held = tuple((holder.name, holder.share) for holder in work.holders)
    left = 10_000 - sum(points for _, points in held)
    return (*held, (NOBODY, left)) if left > 0 else held


def outstanding(by_part: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The work that each passage owes most, and how far it stands out: standard deviations above
    the mean of all works.  From estimates (works, passages)."""
    best = by_part.argmax(0)
    spread = np.maximum(by_part.std(0), 1e-30)
    return best, (by_part.max(0) - by_part.mean(0)) / spread


@dataclass(frozen=True, slots=True)
class Told:
    """The estimates of one phrase.

    `by_part`: (works, passages); `words`: BM25 of every work; `shown`: which works may be named;
    `often`: those that head half of all lists; `by_chance`: how far works stand out in places of
    the references, rising.
    """

    works: Sequence[Work]
    phrase: Phrase
    by_part: Floats
    words: Floats
    shown: NDArray[np.bool_]
    often: frozenset[int]
    by_chance: Floats
    measured: Measured | None

    @property
    def top(self) -> float:
        """The largest estimate, which shares are of."""
        return max(1e-30, float(np.abs(self.by_part.sum(1)).max()))

    def pull(self, number: int) -> Pull:
        """What is told of one work."""
        work, parts = self.works[number], self.by_part[number]
        low, high = self._interval(parts)
        return Pull(
            work.id,
            work.title,
            work.collection,
            work.licence,
            round(float(self.words[number] / max(1e-30, self.words.max())), 4),
            round(float(parts.sum() / self.top), 4),
            low,
            high,
            self._nats(float(parts.sum())),
            number in self.often,
        )

    def totals(self, owners: Owned) -> tuple[Total, ...]:
        """Sums over the shown works of each owner, what is negative included, largest first."""
        sums: dict[str, Floats] = {}
        for number, names in enumerate(owners):
            if self.shown[number]:
                for name, points in names:
                    part = self.by_part[number] * (points / 10_000)
                    sums[name] = sums[name] + part if name in sums else part
        rows = [
            Total(name, round(float(parts.sum() / self.top), 4), *self._interval(parts))
            for name, parts in sums.items()
        ]
        return tuple(sorted(rows, key=lambda row: (-row.share, row.name)))

    def places(self, onsets: Sequence[tuple[int, ...]]) -> tuple[Place, ...]:
        """The passages in which one work stands out more than it does by chance."""
        best, far = outstanding(self.by_part)
        found = []
        for at, (number, height) in enumerate(zip(best.tolist(), far.tolist(), strict=True)):
            above = len(self.by_chance) - int(np.searchsorted(self.by_chance, height, "left"))
            p = (1 + above) / (1 + len(self.by_chance))
            if onsets[at] and p <= RARE and self.shown[number]:
                work = self.works[number]
                first, last = onsets[at][0], onsets[at][-1]
                found.append(
                    Place(
                        first, last, len(onsets[at]), self._words_of(first, last),
                        work.id, work.title, round(p, 4), number in self.often,
                    )
                )  # fmt: skip
        return tuple(found)

    def _words_of(self, first: int, last: int) -> str:
        bar, beat = self.phrase.metre.bar_and_beat(first)
        end, until = self.phrase.metre.bar_and_beat(last)
        where = f"bar {bar}, beat {beat:g}"
        if (end, until) == (bar, beat):
            return where
        return f"{where} to {'' if end == bar else f'bar {end}, '}beat {until:g}"

    def _interval(self, parts: Floats) -> Interval:
        """95% as passages are drawn anew, in shares."""
        if len(parts) < FEW:
            return None, None
        rng = data.generator(7, "bootstrap of passages", len(parts))
        drawn = rng.multinomial(len(parts), [1 / len(parts)] * len(parts), DRAWS) @ parts
        low, high = np.quantile(drawn / self.top, [0.025, 0.975])
        return round(float(low), 4), round(float(high), 4)

    def _nats(self, estimate: float) -> tuple[float, float, float] | None:
        if self.measured is None:
            return None
        size = (len(self.phrase) / max(1.0, self.measured.notes)) ** 0.5
        value, error = self.measured.slope * estimate, 1.96 * self.measured.spread * size
        return round(value, 4), round(value - error, 4), round(value + error, 4)

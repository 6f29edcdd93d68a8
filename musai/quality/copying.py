"""How much phrases hold of a corpus's works, beside what human phrases that are no copies hold.

Every phrase is matched like any other, but against the works that the model was trained on, without those
that are near-duplicates of the work whose bars were its prompt: what a tune shares with its own versions says
nothing of copying.  The human continuations of the same prompts go through the same search.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musai.match import Matcher, describe, ranking, search
from musai.music import Phrase

LEVEL = 0.01
LOOKED_AT = 12
"""Works, the nearest ones, in which the longest run is looked for."""

BOOTSTRAPS = 1000


@dataclass(frozen=True, slots=True)
class Held:
    """What one phrase holds of the corpus: p of the whole search (None: too short), longest equal run."""

    p_value: float | None
    longest_run: int


@dataclass(frozen=True, slots=True)
class Copying:
    """Shares of phrases with p <= .01, of the model and the human; the difference, with its upper
    95% limit by drawing works; runs: mean, .9 quantile and longest."""

    phrases: int
    rate: float
    human_rate: float
    excess: float
    upper95: float
    runs: tuple[float, float, int]
    human_runs: tuple[float, float, int]


class Search:
    """A matcher that looks at training works only."""

    def __init__(self, matcher: Matcher, trained: Sequence[str]) -> None:
        self._index = matcher.index
        self._nulls = matcher.nulls.ready
        known = set(trained)
        self._numbers = {work: n for n, work in enumerate(self._index.work_ids)}
        self._trained = np.array([work in known for work in self._index.work_ids])

    def held(self, phrase: Phrase, prompt: str) -> Held:
        """What a phrase holds of training works that have nothing to do with its prompt's work."""
        lines, _ = search.lines(phrase)
        if not lines:
            return Held(None, 0)
        found = [search.exhaustive(self._index, line) for line in lines]
        scores = np.stack([one.works for one in found])
        scores = np.where(self._beside(prompt), scores, 0)
        test = describe.test_of(lines, scores, self._nulls)
        lies = ranking.Lies(self._index, lines, found)
        longest = 0
        for number, row in enumerate(scores):
            near = np.argsort(-row, kind="stable")[:LOOKED_AT]
            for work in near[row[near] > 0].tolist():
                lie = lies.of(number, work)
                longest = max(longest, lie.explained.longest_run if lie else 0)
        return Held(test.p, longest)

    def _beside(self, prompt: str) -> NDArray[np.bool_]:
        """The works that count: trained on, and no near-duplicates of the prompt's."""
        number = self._numbers.get(prompt)
        if number is None:
            return self._trained
        apart: NDArray[np.bool_] = self._index.cluster != self._index.cluster[number]
        return self._trained & apart


def copying(
    search: Search,
    ours: Sequence[Phrase],
    human: Sequence[Phrase],
    prompts: Sequence[str],
    groups: Sequence[str],
    progress: Callable[[int, int], None],
) -> Copying:
    """Of phrases of a model and of humans after the same prompts (work ids), in the same order."""
    rows: list[tuple[Held, Held]] = []
    for number, (one, other, prompt) in enumerate(zip(ours, human, prompts, strict=True)):
        progress(number, len(ours))
        rows.append((search.held(one, prompt), search.held(other, prompt)))
    progress(len(ours), len(ours))
    return summed(rows, groups)


def summed(rows: Sequence[tuple[Held, Held]], groups: Sequence[str]) -> Copying:
    """Rates, runs and the interval; phrases too short to be tested on either side are left out."""
    told = [
        (i, one, other)
        for i, (one, other) in enumerate(rows)
        if one.p_value is not None and other.p_value is not None
    ]
    if not told:
        return Copying(0, 0.0, 0.0, 0.0, 1.0, (0.0, 0.0, 0), (0.0, 0.0, 0))
    mine = np.array([float((one.p_value or 0) <= LEVEL) for _, one, _ in told])
    theirs = np.array([float((other.p_value or 0) <= LEVEL) for _, _, other in told])
    unit = np.unique(np.array([groups[i] for i, *_ in told]), return_inverse=True)[1]
    apart = np.bincount(unit, mine - theirs)
    size = np.bincount(unit)
    draw = np.random.Generator(np.random.Philox(key=2))
    picked = draw.integers(len(size), size=(BOOTSTRAPS, len(size)))
    values = apart[picked].sum(axis=1) / size[picked].sum(axis=1)
    # One-sided: the limit that the excess exceeds once in twenty times.
    upper = float(np.quantile(values, 0.95))
    return Copying(
        len(told), float(mine.mean()), float(theirs.mean()), float((mine - theirs).mean()), upper,
        _runs([one.longest_run for _, one, _ in told]),
        _runs([other.longest_run for *_, other in told]),
    )  # fmt: skip


def _runs(lengths: Sequence[int]) -> tuple[float, float, int]:
    return float(np.mean(lengths)), float(np.quantile(lengths, 0.9)), int(max(lengths))

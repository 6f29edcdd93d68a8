"""The verdict on a phrase: the test, the light, and the sentences that say it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match import significance
from musai.match.catalogue import Catalogue
from musai.match.hits import Chance, Common, Hit, Verdict, light_of
from musai.match.null import Null
from musai.match.nulls import Nulls
from musai.match.ranking import Ranked
from musai.match.scores import UNITS, scores_in_use
from musai.match.search import Line
from musai.match.streams import DRUMS

SHARED = 0.9
"""A work holds a passage when it reaches this share of the best score for it."""

EXAMPLES = 5

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Test:
    """The test of the phrase: the line it rests on, its p, and the null that gave it."""

    line: int
    p: float | None
    extrapolated: float | None = None
    null: Null | None = None


def test_of(lines: Sequence[Line], scores: Ints, nulls: Sequence[Null]) -> Test:
    """p_corpus: of the most surprising line, times the lines looked at.

    `scores` (lines, clusters).  With several nulls the largest p holds.  Lines of drums are not
    tested: no null has any.
    """
    best = scores.max(axis=1)
    tested = [
        (number, held)
        for number, line in enumerate(lines)
        if line.kind != DRUMS
        and (held := _line_test(number, line, int(best[number]), nulls)).p is not None
    ]
    if not tested:
        return Test(int(np.argmax(best)), None)
    count = len(tested)
    number, held = min(tested, key=lambda pair: (pair[1].p or 0.0, -int(best[pair[0]])))
    extrapolated = None if held.extrapolated is None else min(1.0, count * held.extrapolated)
    return Test(number, min(1.0, count * (held.p or 0.0)), extrapolated, held.null)


def _line_test(number: int, line: Line, score: int, nulls: Sequence[Null]) -> Test:
    each = [(significance.phrase_p(null, len(line), score), null) for null in nulls]
    known = [(p, null) for p, null in each if p is not None]
    if not known:
        return Test(number, None)
    p, null = max(known, key=lambda pair: pair[0])
    tail = [significance.extrapolated_p(null, len(line), score) for _, null in known]
    beyond = [t for t in tail if t is not None]
    return Test(number, p, max(beyond) if len(beyond) == len(known) else None, null)


def common_stock(catalogue: Catalogue, ranked: Ranked, line: int, reached: int) -> Common:
    """Clusters that reach `SHARED` of the score `reached` for a line.

    A work by nobody known counts as an author of its own.
    """
    scores = ranked.scores[line]
    if not len(scores) or reached <= 0:
        return Common()
    holding = np.flatnonzero(scores >= SHARED * reached)
    holding = holding[np.argsort(-scores[holding], kind="stable")]
    works = [int(ranked.best[c]) for c in holding]
    authors: set[str] = set()
    for work in works:
        authors |= catalogue.creators[work] or {f"work {work}"}
    titles = [catalogue.rows[work].title for work in works[:EXAMPLES] if catalogue.rows[work]]
    return Common(len(works), len(authors), tuple(titles))


@dataclass(frozen=True, slots=True)
class Search:
    """What was searched, for the record."""

    lines: int = 0
    share: float = 1.0
    engine: str = ""


def verdict(
    catalogue: Catalogue,
    nulls: Nulls,
    lines: Sequence[Line],
    ranked: Ranked,
    hits: Sequence[Hit],
    searched: Search,
) -> Verdict:
    """The verdict on a phrase of which `ranked` holds the scores."""
    ready = nulls.ready
    test = test_of(lines, ranked.scores, ready)
    reached = int(ranked.scores[test.line].max())
    common = common_stock(catalogue, ranked, test.line, reached)
    # A beat that many share is no quotation: only runs of pitched notes light up.
    pitched = (hit.longest_run for hit in hits if not hit.stream.startswith(DRUMS))
    run = max(pitched, default=0)
    light = light_of(test.p, run, common.authors)
    reason = "" if test.p is not None else _why_grey(lines, nulls)
    sentence = _sentence(test, run, hits[0].title if hits else "", common, reason)
    if test.null is not None and nulls.note:
        sentence += f" (the null was {nulls.note})"
    if searched.share < 0.995:
        sentence += f" (windows with {searched.share:.0%} of its lines' notes were searched)"
    return Verdict(
        p_value=test.p,
        statistic=float(ranked.scores[test.line].max()) / UNITS,
        null_size=test.null.size if test.null else 0,
        null_version="+".join(null.version for null in ready),
        light=light,
        sentence=sentence,
        longest_run=run,
        reason=reason,
        extrapolated=test.extrapolated,
        null_reference=test.null.reference if test.null else "",
        common_works=common.works,
        common_authors=common.authors,
        common_examples=common.examples,
        lines=searched.lines,
        searched=searched.share,
        works=int(catalogue.index.alive.sum()),
        clusters=len(ranked.best),
        engine=searched.engine,
        corpus=catalogue.name,
        corpus_id=catalogue.corpus_id,
        scores_version=scores_in_use().version,
        chance=_chance(test, lines, reached),
    )


def _chance(test: Test, lines: Sequence[Line], score: int) -> Chance | None:
    """What decoys made like the verdict's reference say of the same line, times the lines looked at."""
    if test.null is None:
        return None
    p = significance.chance_p(test.null, len(lines[test.line]), score)
    size = int(test.null.decoys.shape[1])
    return None if p is None else Chance(min(1.0, len(lines) * p), size, test.null.reference)


def _why_grey(lines: Sequence[Line], nulls: Nulls) -> str:
    ready = nulls.ready
    if not ready:
        return nulls.why_not
    pitched = [len(line) for line in lines if line.kind != DRUMS]
    if not pitched:
        return "drums are compared by their rhythm alone, and no null has been made of that"
    longest = max(pitched)
    shortest = min(int(null.lengths[0]) for null in ready)
    if longest < shortest:
        return f"its longest line has {longest} notes; a verdict needs {shortest}"
    return f"no null for lines of {longest} notes"


def _sentence(test: Test, run: int, title: str, common: Common, reason: str) -> str:
    if test.p is None or test.null is None:
        return f"No verdict: {reason}."
    size = test.null.size
    said = f"p = {test.p:.4f} against {size:,} phrases of unrelated music"
    if test.p > significance.LEVEL:
        shared = f"; its longest run in common with a work has {run} notes" if run >= 8 else ""
        return f"No significant match ({said}{shared})."
    found = f"Closer to “{title}” than unrelated music comes ({said})"
    if common.works > 1:
        found += f"; {common.works} works by {common.authors} authors hold the passage"
    return found + "."


def nothing(catalogue: Catalogue, reason: str, searched: Search) -> Verdict:
    """The verdict where there is nothing to compare."""
    return Verdict(
        p_value=None,
        statistic=0.0,
        null_size=0,
        null_version="",
        light="grey",
        sentence=f"No verdict: {reason}.",
        longest_run=0,
        reason=reason,
        lines=searched.lines,
        searched=searched.share,
        works=int(catalogue.index.alive.sum()),
        engine=searched.engine,
        corpus=catalogue.name,
        corpus_id=catalogue.corpus_id,
        scores_version=scores_in_use().version,
    )


def too_short(longest: int) -> str:
    """Why a phrase without lines has no verdict."""
    return f"it has no line of pitched notes long enough to compare ({longest} notes at most)"

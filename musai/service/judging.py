"""What people find of matches: recorded beside the numbers, and how the two agree.  Pure.

A rating is *by ear* where its reviewer had not been shown the numbers of that
match and had not marked it.  Who a reviewer is, is what they call themselves.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from musai.errors import BadInput, NotFound, check_range
from musai.ledger import Payload
from musai.report.dossier import MARKS, Agreement, Judgement, MarkCount
from musai.report.records import Light
from musai.service.fold import Named, current_marks

LIKENESS = {
    1: "nothing in common",
    2: "a turn or two in common",
    3: "related",
    4: "much the same",
    5: "the same",
}
"""What a rating by ear says."""

LEAST = 10
"""Ratings below which no correlation is told: its interval would span nearly everything."""

Z95 = 1.959964
MAX_NOTE = 4000
MAX_WHO = 100


def judgement_payload(
    phrase_id: str,
    session: str,
    work_id: str,
    corpus: str,
    *,
    who: str,
    likeness: int | None,
    mark: str | None,
    note: str,
    by_ear: bool,
    revealed: bool,
) -> Payload:
    """A judgement for the ledger.  Raises `BadInput` for what is out of range, for one that says
    nothing, and for a rating by ear of somebody who knows the numbers (`revealed`)."""
    if likeness is None and mark is None:
        raise BadInput("a judgement says nothing; legal is a likeness, a mark, or both")
    if likeness is not None:
        check_range("likeness", likeness, min(LIKENESS), max(LIKENESS))
    if mark is not None and mark not in (*MARKS, ""):
        raise BadInput(f"mark is {mark!r}; legal is {', '.join(MARKS)}, or empty to withdraw one")
    if len(note) > MAX_NOTE:
        raise BadInput(f"the note has {len(note)} characters; legal is up to {MAX_NOTE}")
    if by_ear and likeness is None:
        raise BadInput("by ear a likeness is rated; none was given")
    if by_ear and mark is not None:
        raise BadInput("by ear a likeness is rated before the match is marked, not with the mark")
    if by_ear and revealed:
        raise BadInput(
            f"{reviewer(who)} has seen the numbers of this match; a rating by ear comes before them"
        )
    return {
        **_base(phrase_id, session, work_id, corpus, who),
        "likeness": likeness,
        "by_ear": by_ear,
        "mark": mark,
        "note": note.strip(),
    }


def shown_payload(phrase_id: str, session: str, work_id: str, corpus: str, *, who: str) -> Payload:
    """That somebody was shown the numbers of a match."""
    return _base(phrase_id, session, work_id, corpus, who)


def _base(phrase_id: str, session: str, work_id: str, corpus: str, who: str) -> Payload:
    return {
        "phrase_id": phrase_id,
        "session": session,
        "work_id": work_id,
        "corpus": corpus,
        "who": reviewer(who),
    }


def reviewer(who: str) -> str:
    """The name of a reviewer, checked.  Raises `BadInput`."""
    name = " ".join(who.split())
    if not 0 < len(name) <= MAX_WHO:
        raise BadInput(f"who is {who[:40]!r}; legal is a name of 1 to {MAX_WHO} characters")
    return name


def named_in(named: Iterable[Named], phrase_id: str, work_id: str, corpus: str | None) -> str:
    """The corpus of a work among a phrase's hits.  Raises `NotFound` where it is not among them."""
    for one in named:
        if one.work_id == work_id and corpus in (None, one.corpus):
            return one.corpus
    where = f" in {corpus}" if corpus else ""
    raise NotFound(
        f"the comparison of phrase {phrase_id[:8]} does not name the work {work_id[:12]}{where}"
    )


def agreement(
    told: Sequence[Judgement],
    scores: Mapping[tuple[str, str], float],
    lights: Mapping[str, str],
) -> Agreement:
    """How ratings by ear go with scores (Spearman), and marks with lights.

    `told` are the judgements that count, `scores` by (phrase, work), `lights`
    by phrase.  Of several reviewers of one match the mean rating counts once,
    since their ratings are of one thing.
    """
    rated: dict[tuple[str, str], list[int]] = {}
    people = set()
    for one in told:
        hit = (one.phrase_id, one.work_id)
        if one.by_ear and one.likeness is not None and hit in scores:
            rated.setdefault(hit, []).append(one.likeness)
            people.add(one.who)
    hits = sorted(rated)
    ratings = np.array([np.mean(rated[hit]) for hit in hits])
    values = np.array([scores[hit] for hit in hits])
    rho, why = _spearman(ratings, values)
    low, high = (None, None) if rho is None else _interval(rho, len(hits))
    return Agreement(
        n=len(hits),
        reviewers=len(people),
        rho=rho,
        low=low,
        high=high,
        why=why,
        marks=tuple(_marks(told, lights)),
    )


def _marks(told: Sequence[Judgement], lights: Mapping[str, str]) -> Iterable[MarkCount]:
    """The table of marks by light, lights from red to grey."""
    marks = current_marks(list(told))
    counts = Counter((lights.get(phrase, "grey"), mark) for (phrase, _), mark in marks.items())
    shown: tuple[Light, ...] = get_args(Light)
    for light in reversed(shown):
        for mark in MARKS:
            if counts[(light, mark)]:
                yield MarkCount(light=light, mark=mark, count=counts[(light, mark)])


def _spearman(ratings: NDArray[Any], scores: NDArray[Any]) -> tuple[float | None, str]:
    """Rank correlation with mean ranks for ties, or why there is none."""
    if len(ratings) < LEAST:
        return None, (
            f"{len(ratings)} match{'' if len(ratings) == 1 else 'es'} rated by ear; "
            f"a correlation is told from {LEAST} on"
        )
    if np.ptp(ratings) == 0 or np.ptp(scores) == 0:
        what = "ratings" if np.ptp(ratings) == 0 else "scores"
        return None, f"all {what} are the same; there is nothing to correlate"
    a, b = _ranks(ratings), _ranks(scores)
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / math.sqrt((a * a).sum() * (b * b).sum())), ""


def _ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Ranks from 1, equal values sharing their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], np.float64)


def _interval(rho: float, n: int) -> tuple[float, float]:
    """95% of Spearman's rho by Fisher's z, variance after Bonett and Wright (2000)."""
    inside = min(0.999999, max(-0.999999, rho))
    half = Z95 * math.sqrt((1 + inside**2 / 2) / (n - 3))
    middle = math.atanh(inside)
    return math.tanh(middle - half), math.tanh(middle + half)

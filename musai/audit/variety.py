"""Takes beside each other: how alike across seeds of one request, across sessions, and which are most alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from musai.audit.sameness import (
    Figures,
    Gauge,
    Yardstick,
    distinct,
    figures,
    gauge,
    length_of,
    mean_similarity,
    similarity,
    voice_notes,
)
from musai.errors import BadInput
from musai.music import Phrase

PAIRS = 5
"""Pairs of takes that are named, the most alike."""


@dataclass(frozen=True, slots=True)
class Take:
    """A take: `asked` is the same for takes of one request under different seeds, else empty."""

    phrase_id: str
    session: str
    asked: str
    notes: int
    figures: tuple[Figures, ...]

    @classmethod
    def of(cls, phrase: Phrase, session: str = "", asked: str = "") -> "Take":
        """The figures of a phrase with where it comes from."""
        return cls(phrase.id, session, asked, voice_notes(phrase), figures(phrase.notes))


@dataclass(frozen=True, slots=True)
class Variety:
    """A gauge with what stands beside it.

    Similarities are means over pairs, from 0 to 1; None where there is no such pair.  `distinct` and
    `corpus_distinct` are by notes of a figure.  `pairs` names the takes most alike; `seeds` counts takes that share their request with another.
    """

    gauge: Gauge
    similarity: float | None
    corpus_similarity: float | None
    across_seeds: float | None
    seeds: int
    across_sessions: float | None
    sessions: int
    distinct: dict[int, float]
    corpus_distinct: dict[int, float]
    pairs: tuple[tuple[str, str, float], ...]


def variety(takes: Sequence[Take], stick_of: Callable[[int], Yardstick]) -> Variety:
    """How varied takes are; `stick_of` gives the yardstick for passages of so many notes.

    Raises `BadInput` for fewer than two takes with notes.
    """
    held = [take for take in takes if take.notes >= 3]
    if len(held) < 2:
        raise BadInput(
            f"sameness is asked of {len(held)} takes with three notes or more; legal is 2 or more"
        )
    stick = stick_of(length_of([take.notes for take in held]))
    items = [take.figures for take in held]
    told = gauge(items, stick)
    similar = similarity(items)
    asked, sessions = (np.array([getattr(t, name) for t in held]) for name in ("asked", "session"))
    one_request = (asked[:, None] == asked[None, :]) & (asked != "")[:, None]
    every = np.ones(similar.shape, bool)
    return Variety(
        gauge=told,
        similarity=mean_similarity(similar, every),
        corpus_similarity=mean_similarity(stick.similar, np.ones(stick.similar.shape, bool)),
        across_seeds=mean_similarity(similar, one_request),
        seeds=int((one_request.sum(axis=0) > 1).sum()),
        across_sessions=mean_similarity(similar, sessions[:, None] != sessions[None, :]),
        sessions=len(set(sessions.tolist())),
        distinct=distinct(items),
        corpus_distinct=_expected(stick, len(items)),
        pairs=_pairs(held, similar),
    )


def _expected(stick: Yardstick, count: int) -> dict[int, float]:
    """Mean distinct-n of as many passages of the corpus, over a few draws."""
    rows = [distinct([stick.items[i] for i in draw]) for draw in stick.draws(count)[:20]]
    return {length: float(np.mean([row[length] for row in rows])) for length in rows[0]}


def _pairs(
    takes: Sequence[Take], similar: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"
) -> tuple[tuple[str, str, float], ...]:
    rows, columns = np.triu_indices(len(takes), 1)
    best = np.argsort(-similar[rows, columns], kind="stable")[:PAIRS]
    return tuple(
        (
            takes[rows[i]].phrase_id,
            takes[columns[i]].phrase_id,
            float(similar[rows[i], columns[i]]),
        )
        for i in best
    )

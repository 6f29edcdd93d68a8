"""The parts of `make bench-match` that two processes share; each opens what it needs."""

import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from musai.corpus import Corpus
from musai.match import Matcher
from musai.match.catalogue import Catalogue, catalogue
from musai.match.null import SIZE
from musai.match.nulls import Nulls
from tests.bench import match_poly, match_retrieval, match_verdict, match_whole

DATA = Path("../shared/data")
FOLDERS = {"lieder": DATA / "openscore-lieder", "quartets": DATA / "openscore-quartets"}
ALIGNMENTS = str(DATA / "melodic-evolution" / "alignments.csv")

NULLS = (("lieder", "lieder"), ("lieder", "tunebook"), ("tunebook", "tunebook"))
"""Which corpus is judged by phrases of which."""

SMALL = (*((1, k) for k in range(2)), (50, 0))
"""Catalogues of few songs: how many, and which draw of them."""

__all__ = ["ALIGNMENTS", "FOLDERS", "NULLS", "SIZE", "SMALL", "do"]

Rows = list[dict[str, Any]]


class Part:
    """Some works of a corpus as a corpus of its own, with a folder for its index."""

    def __init__(self, whole: Corpus, works: Sequence[Any], name: str) -> None:
        self._whole, self.works, self.name = whole, list(works), name
        held = " ".join([whole.id, *(work.id for work in works)])
        self.id = hashlib.sha256(held.encode()).hexdigest()
        self.path = whole.path / "parts" / name
        self.path.mkdir(parents=True, exist_ok=True)

    def notes_of(self, work_id: str) -> Any:
        """The notes of a work alone."""
        return self._whole.notes_of(work_id)

    def metre_of(self, work_id: str) -> Any:
        """The metre of a work alone."""
        return self._whole.metre_of(work_id)

    def phrase(self, work_id: str) -> Any:
        """The notes of a work."""
        return self._whole.phrase(work_id)


def do(name: str, *values: Any) -> Any:
    """The job of that name."""
    return JOBS[name](*values)


@functools.cache
def corpus(name: str) -> Corpus:
    """A corpus of the benchmark's home."""
    return Corpus.open(Path(os.environ["MUSAI_HOME"]) / "corpora" / name)


@functools.cache
def known(name: str) -> Catalogue:
    """Its catalogue."""
    return catalogue(corpus(name))


def judged(held: Any, references: Sequence[str], size: int) -> Matcher:
    """A matcher with the nulls by these references, of so many phrases, that are there."""
    others: list[Any] = [held if name == held.name else corpus(name) for name in references]
    matcher = Matcher.open(held, references=others, null="there")
    if size != SIZE:
        made = [task.reference for task in matcher.nulls.tasks]
        matcher.nulls = Nulls(
            matcher.catalogue, made, held.path / "index" / f"null-{size}", size=size
        )
    return matcher


def references_of(name: str) -> list[str]:
    """The references by which a corpus is judged."""
    return [reference for target, reference in NULLS if target == name]


def _part(size: int, draw: int) -> tuple[Part, list[str]]:
    whole = corpus("lieder")
    rng = np.random.Generator(np.random.Philox(key=[size, draw]))
    long = [work for work in whole.works if work.notes >= 200]
    chosen = rng.permutation(len(long))[:size]
    part = Part(whole, [long[int(k)] for k in chosen], f"{size}-songs-{draw}")
    # A catalogue too small to make a null of its own is judged by the tunebook alone.
    return part, ["tunebook"] if size < 50 else ["tunebook", part.name]


def _null(target: str, reference: str, size: int) -> None:
    judged(corpus(target), [reference], size).nulls.build()


def _small_null(size: int, draw: int, null: int) -> None:
    part, references = _part(size, draw)
    judged(part, references, null).nulls.build()


def _small(size: int, draw: int, seed: int, count: int, null: int) -> Rows:
    part, references = _part(size, draw)
    held = match_verdict.judge(judged(part, references, null), known("lieder"))
    rows = list(match_verdict.unrelated(held, seed + draw, count))
    return rows + list(match_verdict.quoted(held, seed + draw, max(2, count // 4)))


def _held(name: str, null: int) -> match_verdict.Judge:
    return match_verdict.judge(judged(corpus(name), references_of(name), null), known(name))


def _unrelated(name: str, seed: int, count: int, null: int) -> Rows:
    return list(match_verdict.unrelated(_held(name, null), seed, count))


def _quoted(name: str, seed: int, count: int, null: int) -> Rows:
    return list(match_verdict.quoted(_held(name, null), seed, count))


def _shuffled(seed: int, pairs: int, null: int) -> Rows:
    return list(match_verdict.shuffled(_held("lieder", null), seed, pairs))


def _cell(notes: int, share: float, seed: int, count: int) -> Rows:
    held = [known("lieder"), known("tunebook")]
    return match_retrieval.cell_rows(held, notes, share, seed, count)


def _barred(name: str, seed: int, count: int) -> Rows:
    return match_retrieval.barred_rows(known(name), corpus(name), seed, count)


def _poly(name: str, seed: int, count: int) -> Rows:
    return match_poly.rows(judged(corpus(name), [], SIZE), seed, count)


JOBS: dict[str, Callable[..., Any]] = {
    "null": _null,
    "small_null": _small_null,
    "small": _small,
    "unrelated": _unrelated,
    "quoted": _quoted,
    "shuffled": _shuffled,
    "cell": _cell,
    "barred": _barred,
    "poly": _poly,
    "experts": match_whole.rows,
}

"""Matcher: one phrase in, the nearest works of a corpus and a verdict out."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from musai.corpus import Corpus
from musai.corpus.store import is_corpus
from musai.errors import MusaiError
from musai.folders import home
from musai.match import describe, places, ranking, search, significance
from musai.match.catalogue import Catalogue, catalogue
from musai.match.hits import Common, Hit, Matches
from musai.match.index import CorpusLike, Index, Progress
from musai.match.null import log_notes
from musai.match.nulls import AT_ONCE, Nulls
from musai.match.scores import UNITS
from musai.match.streams import DRUMS, SHORTEST, streams
from musai.match.versions import Version, lay_out
from musai.music.phrase import Phrase

REFERENCE = "tunebook"
"""The corpus that every machine has: a reference of every null."""

MOST_THREADS = 4
"""Threads that build a null which somebody waits for."""

FEW_FIGURES = 24
"""Notes below which a passage has too few figures to say where it is common: all is searched."""

FEW_LINES = 8
"""Lines of a phrase up to which each is laid out in every hit; of more, those that say something."""

NullMode = Literal["auto", "build", "behind", "there"]

Ints = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Single:
    """Each cluster by itself: p and whether it is extrapolated, (clusters,); q of those that are told of."""

    p: Floats
    q: dict[int, float]
    extended: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Query:
    """A phrase under search: its lines, their scores, and the clusters in order.

    `told` bool (lines, clusters): the lines that say something of a cluster.
    """

    phrase: Phrase
    lines: tuple[search.Line, ...]
    lies: ranking.Lies
    ranked: ranking.Ranked
    single: Single | None
    told: NDArray[np.bool_]


class Passages:
    """How common passages of a phrase are; each is searched for once."""

    def __init__(self, catalogue: Catalogue, phrase: Phrase, engine: str) -> None:
        self._catalogue, self._phrase, self._engine = catalogue, phrase, engine
        self._found: dict[bytes, ranking.Ranked] = {}

    def common(self, whole: search.Line, lie: ranking.Lie, work: int) -> Common:
        """Works that hold what `lie` holds of a line at 90% of the score that `work` reaches for it."""
        passage = whole.index[lie.first : lie.last + 1]
        if len(passage) < SHORTEST:
            return Common()
        index, key = self._catalogue.index, whole.kind.encode() + passage.tobytes()
        if key not in self._found:
            line = search.line_of(self._phrase, passage, whole.kind, whole.voice)
            few = self._engine == "figures" and len(passage) < FEW_FIGURES
            found, _ = search.search(index, line, "auto" if few else self._engine)
            self._found[key] = ranking.rank(index, found.works[None])
        ranked = self._found[key]
        mine = index.cluster[ranked.best] == index.cluster[work]
        reached = int(ranked.scores[0, mine].max(initial=0))
        return describe.common_stock(self._catalogue, ranked, 0, reached)


class Matcher:
    """Matches phrases against one corpus.  Safe to use from several threads."""

    def __init__(self, corpus: CorpusLike, catalogue: Catalogue, nulls: Nulls) -> None:
        self.corpus = corpus
        self.catalogue = catalogue
        self.nulls = nulls
        self._log_notes = log_notes(catalogue.index)
        self._variants = _variants(catalogue.index)
        self._bars: dict[int, places.Bars] = {}

    @classmethod
    def open(
        cls,
        corpus: CorpusLike | str | Path,
        *,
        references: Sequence[CorpusLike] | None = None,
        null: NullMode = "auto",
        progress: Progress | None = None,
    ) -> "Matcher":
        """A matcher for a corpus, its name or its folder; builds or refreshes the index first.

        `references` are the corpora whose phrases make the null; by default
        the tunebook where it is, and the corpus itself.  `null` says what to
        do where a null is missing: "build" it now, "behind" in a thread (the
        light is grey until then), leave it ("there"), or "auto": now when
        that takes seconds, else behind.  `progress` is called with
        (done, total, what).  Only works whose terms allow matching are
        searched.  Raises `NotFound` for a corpus that is not there.
        """
        held: CorpusLike = Corpus.open(corpus) if isinstance(corpus, str | Path) else corpus
        mine = catalogue(held, progress)
        others = _references(held) if references is None else references
        made = [mine if o.id == held.id else catalogue(o, progress) for o in others]
        nulls = Nulls(mine, made, Path(held.path) / "index" / "null")
        if null == "build":
            nulls.build(progress, threads=min(MOST_THREADS, os.cpu_count() or 1))
        elif null == "auto" and nulls.seconds <= AT_ONCE:
            nulls.build(progress)
        elif null != "there":
            nulls.build_behind()
        return cls(held, mine, nulls)

    @property
    def index(self) -> Index:
        """The index that is searched."""
        return self.catalogue.index

    def match(
        self, phrase: Phrase, top: int = 50, engine: str = "auto", common: int = 0
    ) -> Matches:
        """The `top` nearest works, near-duplicates as one, and the verdict on the phrase.

        `engine` is "exhaustive", "index", "figures", or "auto", by the sizes of corpus and phrase.  Of the
        `common` first hits it is counted how many works hold the matched passage; that takes a
        search more for each passage.
        """
        lines, share = search.lines(phrase)
        if not lines or not self.index.alive.any():
            return Matches((), self._nothing(phrase, len(lines)))
        found, engine, sample = search.search_all(self.index, lines, engine)
        ranked = ranking.rank(self.index, np.stack([f.works for f in found]), sample)
        lies = ranking.Lies(self.index, lines, found)
        ranked = ranking.again(lies, ranked, ranking.in_bars(lies, phrase.metre, self._bars_of))
        first = ranked.order[: max(0, top)]
        single = self._single(lines, ranked, first)
        told = _told(ranked)
        query = Query(phrase, tuple(lines), lies, ranked, single, told)
        passages = Passages(self.catalogue, phrase, engine)
        kept: list[Hit] = []
        for number in range(len(lines)):
            held_by = first[told[number, first]]
            lies.expect(number, ranked.best[held_by].tolist())
        for cluster in first:
            held = self._hit(query, int(cluster))
            if held is not None:
                hit, lie = held
                if len(kept) < common:
                    common_to = passages.common(lines[lie.line], lie, int(ranked.best[cluster]))
                    hit = replace(hit, common=common_to)
                kept.append(hit)
        searched = describe.Search(len(lines), share, engine)
        verdict = describe.verdict(self.catalogue, self.nulls, lines, ranked, kept, searched)
        if not verdict.significant:
            kept = [replace(hit, significant=False) if hit.significant else hit for hit in kept]
        return Matches(tuple(kept), verdict)

    def lay_out(self, phrase: Phrase, work_id: str) -> Version:
        """The phrase and one work laid out whole, from first note to last; see `versions`."""
        return lay_out(self.catalogue, phrase, self.corpus.phrase(work_id), work_id)

    def close(self) -> None:
        """Stop what runs behind."""
        self.nulls.close()

    def _bars_of(self, work: int) -> places.Bars:
        if work not in self._bars:
            metre = self.corpus.metre_of(self.index.work_ids[work])
            self._bars[work] = places.Bars.of(metre)
        return self._bars[work]

    def _nothing(self, phrase: Phrase, lines: int) -> Any:
        longest = max((len(s) for s in streams(phrase)), default=min(2, len(phrase)))
        why = describe.too_short(longest) if self.index.alive.any() else "the corpus is empty"
        return describe.nothing(self.catalogue, why, describe.Search(lines))

    def _single(
        self, lines: Sequence[search.Line], ranked: ranking.Ranked, first: Ints
    ) -> Single | None:
        """p of every cluster by itself: the most surprising line's, times the lines looked at.

        Of several nulls the largest p holds.
        """
        ready = self.nulls.ready
        if not ready:
            return None
        log = self._log_notes[ranked.best]
        p, extended = np.ones(len(log)), np.zeros(len(log), bool)
        for line, score in zip(lines, ranked.scores, strict=True):
            if line.kind == DRUMS:
                continue
            each = [significance.work_p(null, len(line), score, log) for null in ready]
            largest = np.minimum(1.0, len(lines) * np.max([q for q, _ in each], axis=0))
            better = largest < p
            p = np.where(better, largest, p)
            extended = np.where(better, np.any([e for _, e in each], axis=0), extended)
        q = significance.q_values(p, first)
        return Single(p, dict(zip(first.tolist(), q.tolist(), strict=True)), extended)

    def _hit(self, query: Query, cluster: int) -> tuple[Hit, ranking.Lie] | None:
        work = int(query.ranked.best[cluster])
        row = self.catalogue.rows[work]
        scores, told = query.ranked.scores[:, cluster].tolist(), query.told[:, cluster].tolist()
        led = sorted((n for n, said in enumerate(told) if said), key=lambda n: -scores[n])
        lies = [held for n in led if (held := query.lies.of(n, work)) is not None]
        if not lies or row is None:
            return None
        best = lies[0]
        pairs = best.pairs
        if len(query.lines[best.line]) < len(query.phrase):
            other = self.corpus.notes_of(row.id)
            pairs = ranking.together(best, lies[1:], query.phrase.notes, other)
        alignment = tuple(map(tuple, pairs.tolist()))
        told = best.explained
        single = query.single
        p = None if single is None else float(single.p[cluster])
        q = None if single is None else single.q[cluster]
        same = self._variants.get(int(self.index.cluster[work]), ())
        hit = Hit(
            work_id=row.id,
            title=row.title,
            path=row.path,
            score=best.score / UNITS,
            p_value=p,
            e_value=None if p is None else p * len(query.ranked.best),
            q_value=q,
            significant=q is not None and q <= significance.LEVEL,
            transposition=told.transposition,
            tempo_ratio=told.tempo_ratio,
            longest_run=told.longest_run,
            coverage_query=len({i for i, _ in alignment}) / len(query.phrase),
            coverage_work=len({j for _, j in alignment}) / max(1, row.notes),
            alignment=alignment,
            licence=row.licence,
            composer=row.composer,
            attribution=row.attribution,
            equal=told.equal,
            changed=told.changed,
            extra=told.extra,
            missing=told.missing,
            stream=best.stream,
            extrapolated=single is not None and bool(single.extended[cluster]),
            variants=tuple(self.index.work_ids[int(w)] for w in same if w != work),
        )
        return hit, best


def match_all(matchers: Sequence[Matcher], phrase: Phrase, top: int = 50) -> dict[str, Matches]:
    """Match one phrase against several corpora, each with its own verdict, by corpus name."""
    return {matcher.corpus.name: matcher.match(phrase, top) for matcher in matchers}


def _told(ranked: ranking.Ranked) -> NDArray[np.bool_]:
    """Which lines are laid out in which clusters.

    Of many lines those with a score above what is usual for them, and each
    cluster's best: the others lie in a work by chance.
    """
    scores = ranked.scores
    told: NDArray[np.bool_] = scores > 0
    if len(scores) > FEW_LINES:
        told &= (scores > ranked.usual[:, None]) | (scores == scores.max(axis=0))
    return told


def _variants(index: Index) -> dict[int, tuple[int, ...]]:
    """The living works of every cluster that has several."""
    several = np.bincount(index.cluster, minlength=1) > 1
    held: dict[int, tuple[int, ...]] = {}
    for work in np.flatnonzero(several[index.cluster] & index.alive).tolist():
        number = int(index.cluster[work])
        held[number] = (*held.get(number, ()), work)
    return held


def _references(corpus: CorpusLike) -> list[CorpusLike]:
    """The tunebook, where it is, and the corpus itself."""
    found: list[CorpusLike] = []
    folder = home() / "corpora" / REFERENCE
    if folder != Path(corpus.path) and is_corpus(folder):
        # A tunebook that cannot be read must not keep another corpus from being matched.
        with contextlib.suppress(MusaiError):
            found.append(Corpus.open(REFERENCE))
    if all(other.id != corpus.id for other in found):
        found.append(corpus)
    return found

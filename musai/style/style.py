"""Style: what kind of music is a phrase, beside the composers and collections of a corpus."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from musai.corpus import Corpus, Progress, permission
from musai.errors import BadInput, NotFound, check_range
from musai.music.phrase import Phrase
from musai.style import cache, classify, conformal, distances
from musai.style.cache import CorpusLike, Rows
from musai.style.classify import Classifier
from musai.style.conformal import MIN_WORKS, Space
from musai.style.counting import Floats
from musai.style.features import WIDTH, extract, rooted, vector
from musai.style.overlap import (
    Distances,
    Group,
    Kind,
    Nearest,
    Overlap,
    counted,
    ordered,
    sentence,
)
from musai.style.passages import CLASSES, Ints, length_class, sounding_bars, spans, table, whole

TOP = 5
"""Composers that are told."""

MOST_WORKS = 200
"""Works of a group that several phrases are compared with, evenly chosen among them."""

PERMUTATIONS = 999


@dataclass(frozen=True, slots=True)
class Level:
    """Passages of one length: features, scaled for distances, placed for percentiles; a classifier."""

    rows: Rows
    scale: Floats
    scaled: Floats
    space: Space
    placed: Floats
    classifier: Classifier | None


class Style:
    """Compares phrases with one corpus.  `Style.open` makes one."""

    def __init__(self, corpus: CorpusLike, works: Sequence[Any], version: str) -> None:
        self.corpus = corpus
        self.works = tuple(works)
        self.version = version
        self._level = lru_cache(maxsize=len(CLASSES))(self._read)
        self._members = _members(works)

    @classmethod
    def open(cls, corpus: CorpusLike | str | Path, progress: Progress | None = None) -> "Style":
        """Style for a corpus, its name or its folder; its features are counted first where missing.

        Only works whose terms allow matching are counted.  `progress` is
        called with (done, total, what).  Raises `NotFound` for a corpus that
        is not there.
        """
        held: CorpusLike = Corpus.open(corpus) if isinstance(corpus, str | Path) else corpus
        works = [work for work in held.works if permission(work, "match").allowed]
        version = cache.ensure(held, [work.id for work in works], progress)
        return cls(held, works, version)

    def compare(self, phrase: Phrase) -> Overlap:
        """How usual a phrase (its first 16 bars) would be for each group, and the nearest composers."""
        bars = length_class(sounding_bars(phrase)) if len(phrase) else 0
        groups, known = self._refused(), 0
        nearest: tuple[Nearest, ...] = ()
        if bars and self.works:
            level, row = self._level(bars), vector(phrase)
            groups = self._groups(level, row, bars)
            nearest, known = _nearest(level.classifier, row)
        told = sentence(groups, nearest, known, bars, MIN_WORKS)
        return Overlap(self.corpus.name, ordered(groups), nearest, told, f"style-{self.version}")

    def distances(
        self,
        phrases: Sequence[Phrase],
        group_name: str,
        *,
        permutations: int = PERMUTATIONS,
        rng: np.random.Generator | None = None,
    ) -> Distances:
        """Distribution distances of several phrases to a composer or a collection.

        The length compared is that of the phrases' median.  `rng` deals works
        and phrases out (by default a Philox keyed by zero, the same each time).  Raises
        `NotFound` for a group that is not here, `BadInput` for fewer than two
        phrases with notes or a group of fewer than 20 works.
        """
        sounding = [phrase for phrase in phrases if len(phrase)]
        check_range("number of phrases with notes", len(sounding), 2, 10_000)
        check_range("number of permutations", permutations, 1, 100_000)
        bars = length_class(round(float(np.median([sounding_bars(p) for p in sounding]))))
        level = self._level(bars)
        chosen, works = self._group(group_name, level, bars)
        ours, unit = _phrase_rows(sounding, bars)
        rows = np.concatenate([conformal.scaled(ours, level.scale), level.scaled[chosen]])
        units = np.concatenate([unit, len(sounding) + np.unique(works, return_inverse=True)[1]])
        kernel = distances.unit_kernel(rows, units)
        draw = rng or np.random.Generator(np.random.Philox(key=0))
        mmd, p = distances.permutation_test(kernel, len(sounding), permutations, draw)
        # One row a work or phrase: passages of one work are nearer to each other than to any other.
        first = rows[np.unique(units, return_index=True)[1]]
        found = distances.areas(first[: len(sounding)], first[len(sounding) :])
        return Distances(group_name, len(np.unique(works)), found, mmd, p, permutations)

    def _read(self, bars: int) -> Level:
        ids = [work.id for work in self.works]
        rows = cache.load(self.corpus, ids, self.version, bars)
        # A corpus of shorter works has no passage of this length: then nobody will be judged.
        known = rows.features if len(rows.works) else np.zeros((1, WIDTH))
        scale = conformal.block_scale(rooted(known))
        scaled = conformal.scaled(rows.features, scale)
        space = conformal.space_of(conformal.scaled(known, scale), len(np.unique(rows.works)))
        return Level(rows, scale, scaled, space, space.place(scaled), self._classifier(rows))

    def _classifier(self, rows: Rows) -> Classifier | None:
        """Of the composers with `MIN_WORKS` works of this length; None where fewer than two have."""
        label = np.full(len(self.works), -1)
        names: list[str] = []
        for (kind, name), members in self._members.items():
            if kind == "composer" and len(np.intersect1d(members, rows.works)) >= MIN_WORKS:
                label[members] = len(names)
                names.append(name)
        if len(names) < 2:
            return None
        labels = label[rows.works]
        held = labels >= 0
        return classify.calibrated(rows.features[held], labels[held], rows.works[held], names)

    def _refused(self) -> tuple[Group, ...]:
        why = "the phrase has no notes"
        return tuple(
            Group(name, kind, len(held), None, why) for (kind, name), held in self._members.items()
        )

    def _groups(self, level: Level, row: Floats, bars: int) -> tuple[Group, ...]:
        new = level.space.place(conformal.scaled(row[None], level.scale))[0]
        return tuple(
            _group(kind, name, members, level, new, bars)
            for (kind, name), members in self._members.items()
        )

    def _group(self, name: str, level: Level, bars: int) -> tuple[Ints, Ints]:
        """(passages, their works) of a group, `MOST_WORKS` of its works at most."""
        held = [members for (_, other), members in self._members.items() if other == name]
        if not held:
            raise NotFound(f"corpus {self.corpus.name} has no composer and no collection {name!r}")
        members = np.intersect1d(max(held, key=len), level.rows.works)
        if len(members) < MIN_WORKS:
            raise BadInput(f"{name!r}: {_too_few(len(members), bars)}")
        taken = members[np.linspace(0, len(members) - 1, min(MOST_WORKS, len(members))).astype(int)]
        chosen = np.flatnonzero(np.isin(level.rows.works, taken))
        return chosen, level.rows.works[chosen]


def _members(works: Sequence[Any]) -> dict[tuple[Kind, str], Ints]:
    """Numbers of the works of every composer and every collection that has a name."""
    found: dict[tuple[Kind, str], list[int]] = {}
    for number, work in enumerate(works):
        names: tuple[tuple[Kind, str], ...] = (
            ("composer", work.composer),
            ("collection", work.collection),
        )
        for key in names:
            if key[1]:
                found.setdefault(key, []).append(number)
    return {key: np.array(held) for key, held in found.items()}


def _group(kind: Kind, name: str, members: Ints, level: Level, new: Floats, bars: int) -> Group:
    # Most groups are small: they are refused before anything is looked up.
    if len(members) < MIN_WORKS:
        return Group(name, kind, len(members), None, _too_few(len(members)))
    chosen = np.flatnonzero(np.isin(level.rows.works, members))
    works = level.rows.works[chosen]
    count = len(np.unique(works))
    if count < MIN_WORKS:
        return Group(name, kind, count, None, _too_few(count, bars))
    p = conformal.p_value(level.placed[chosen], works, new)
    return Group(name, kind, count, p, f"{count} works, passages of about {counted(bars)}")


def _too_few(count: int, bars: int = 0) -> str:
    what = "1 work" if count == 1 else f"{count} works"
    long = f" of about {counted(bars)} or more" if bars else ""
    return f"{what}{long}; a percentile needs {MIN_WORKS}"


def _nearest(classifier: Classifier | None, row: Floats) -> tuple[tuple[Nearest, ...], int]:
    """(the nearest composers, how many were compared)."""
    if classifier is None:
        return (), 0
    shares = classifier.probabilities(row[None])[0]
    order = np.argsort(-shares, kind="stable")[:TOP]
    found = tuple(Nearest(classifier.names[k], float(shares[k])) for k in order)
    return found, len(classifier.names)


def _phrase_rows(phrases: Sequence[Phrase], bars: int) -> tuple[Floats, Ints]:
    """(features, number of the phrase) of passages of `bars` bars; a short phrase gives itself."""
    cuts = [(phrase, spans(phrase, bars) or [whole(phrase)]) for phrase in phrases]
    unit = np.repeat(np.arange(len(cuts)), [len(chosen) for _, chosen in cuts])
    return extract(table(cuts)), unit

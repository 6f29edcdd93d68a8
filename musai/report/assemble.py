"""Phrases with their matches -> Dossier.  Pure: what is not handed in is not in it."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

import musai
from musai.report.calibration import CALIBRATION
from musai.report.correction import LEVEL, correction, q_values
from musai.report.dossier import (
    Agreement,
    Compared,
    Dossier,
    Entry,
    Finding,
    Judgement,
    Played,
    Rerun,
)
from musai.report.order import sort_key
from musai.report.records import Comparison, Match, Score
from musai.report.wording import DOSSIER_METHODS, LIMITS, METHODS

MAX_DRAWN = 50
"""Matches that are drawn note by note, the strongest first; the others stand in the table."""

FEW = 3
"""Phrases up to which the nearest works of each are listed, whatever its light."""

NEAREST = 5

SEVERITY = {"grey": 0, "green": 1, "amber": 2, "red": 3}


@dataclass(frozen=True, slots=True)
class Hit:
    """A match of a phrase, in the corpus of this name, with what people found of it."""

    corpus: str
    match: Match
    judgements: tuple[Judgement, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A phrase and its matches.  `entry` is numbered and corrected here; `null_size` is its null's."""

    entry: Entry
    hits: tuple[Hit, ...] = ()
    null_size: int = 0


@dataclass(frozen=True, slots=True)
class About:
    """What stands on the first page beside the phrases."""

    title: str
    about: str
    made_at: str
    owner: str = ""
    left_out: tuple[tuple[str, str], ...] = ()
    reruns: tuple[Rerun, ...] = ()
    ledger: Mapping[str, str] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)


def assemble(
    about: About,
    cases: Sequence[Case],
    *,
    corpora: Sequence[Compared],
    models: Sequence[Played],
    agreement: Agreement,
    touching: frozenset[str] | None = None,
) -> Dossier:
    """The dossier.  The correction runs over all `cases`; where `touching` is given, only phrases
    with a match among those works are listed, and of their matches only those."""
    q = q_values([case.entry.p_value for case in cases])
    corrected = [
        msgspec.structs.replace(
            case.entry, q_value=value, significant=value is not None and value <= LEVEL
        )
        for case, value in zip(cases, q, strict=True)
    ]
    pairs = [
        (entry, _kept(case.hits, touching)) for case, entry in zip(cases, corrected, strict=True)
    ]
    if touching is not None:
        pairs = [(entry, hits) for entry, hits in pairs if hits]
    pairs.sort(key=lambda pair: entry_key(pair[0]))
    entries = [
        msgspec.structs.replace(entry, number=number) for number, (entry, _) in enumerate(pairs, 1)
    ]
    found = [
        Finding(
            number=1,
            entry=entry.number,
            corpus=hit.corpus,
            match=hit.match,
            judgements=hit.judgements,
        )
        for entry, (_, hits) in zip(entries, pairs, strict=True)
        for hit in hits
    ]
    found.sort(key=lambda one: finding_key(entries[one.entry - 1], one))
    times = [entry.made_at for entry in corrected]
    return Dossier(
        title=about.title,
        about=about.about,
        made_at=about.made_at,
        first=min(times, default=""),
        last=max(times, default=""),
        software={
            "musai": musai.__version__,
            "Python": platform.python_version(),
            **about.software,
        },
        corpora=tuple(sorted(corpora, key=lambda one: sort_key(one.name))),
        models=tuple(sorted(models, key=lambda one: sort_key(one.name))),
        correction=correction(
            [case.entry.p_value for case in cases], [case.null_size for case in cases]
        ),
        entries=tuple(entries),
        findings=tuple(
            msgspec.structs.replace(one, number=number) for number, one in enumerate(found, 1)
        ),
        owner=about.owner,
        searched=len(cases),
        left_out=about.left_out,
        agreement=agreement,
        calibration=CALIBRATION,
        reruns=about.reruns,
        ledger=dict(about.ledger),
        methods=(*DOSSIER_METHODS, *METHODS),
        limits=LIMITS,
    )


def _kept(hits: Sequence[Hit], touching: frozenset[str] | None) -> tuple[Hit, ...]:
    if touching is None:
        return tuple(hits)
    return tuple(hit for hit in hits if touching & {hit.match.work.id, *hit.match.variants})


def entry_key(entry: Entry) -> tuple[bool, float, int, float, object]:
    """The strongest evidence first, then by name."""
    return (
        not entry.significant,
        2.0 if entry.q_value is None else entry.q_value,
        -SEVERITY[entry.light],
        -entry.longest_run,
        sort_key(entry.name),
    )


def finding_key(entry: Entry, one: Finding) -> tuple[object, ...]:
    """Significant matches of significant phrases first, then by q, score and title."""
    match = one.match
    return (
        not (match.significant and entry.significant),
        not match.significant,
        2.0 if match.q_value is None else match.q_value,
        -match.score,
        sort_key(match.work.title),
        entry.number,
    )


class Layer(Protocol):
    """Lays phrases and works side by side, from wherever their notes are kept."""

    def score(self, phrase_id: str) -> Score | None:
        """The notes of a phrase, where it is short enough for a report."""

    def comparison(self, phrase_id: str, corpus: str, work_id: str) -> Comparison | None:
        """Both passages of a match, or None where they are not to be had."""


def with_drawings(dossier: Dossier, layer: Layer, most: int = MAX_DRAWN) -> Dossier:
    """The dossier with the comparisons of its strongest listed matches, and the notes that they need."""
    entries = list(dossier.entries)
    findings = []
    for one in dossier.findings:
        entry = entries[one.entry - 1]
        comparison = None
        if most > 0 and listed(dossier, one):
            comparison = layer.comparison(entry.phrase_id, one.corpus, one.match.work.id)
        if comparison is not None:
            most -= 1
            match = msgspec.structs.replace(one.match, comparison=comparison)
            one = msgspec.structs.replace(one, match=match)
            if entry.score is None:
                score = layer.score(entry.phrase_id)
                entries[one.entry - 1] = msgspec.structs.replace(entry, score=score)
        findings.append(one)
    return msgspec.structs.replace(dossier, entries=tuple(entries), findings=tuple(findings))


def listed(dossier: Dossier, one: Finding) -> bool:
    """Whether a match stands in the pages: what is significant or judged, the nearest work of every
    phrase that is lit, and the five nearest where there are few phrases; the JSON and the CSV have all."""
    entry = dossier.entries[one.entry - 1]
    near = one.match.rank <= (NEAREST if len(dossier.entries) <= FEW else 1)
    shown = near and (entry.light in ("amber", "red") or len(dossier.entries) <= FEW)
    return one.match.significant or shown or bool(one.judgements)

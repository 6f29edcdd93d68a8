"""Facts -> Report.  Pure: what is not handed in is not in the report."""

import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import musai
from musai.errors import NotFound
from musai.influence.found import Influence
from musai.music import Phrase
from musai.report import facts, names
from musai.report.bars import bar_count
from musai.report.compare import compare
from musai.report.influences import influences
from musai.report.inputs import Evidence, HitLike
from musai.report.records import (
    Comparison,
    Corpus,
    Match,
    Method,
    Player,
    Quoted,
    Replay,
    Report,
    Score,
    Subject,
    Verdict,
)
from musai.report.scores import score_of
from musai.report.wording import LIGHTS, LIMITS, METHODS, guard_sentence
from musai.report.works import unknown_work

MAX_MATCHES = 50
MAX_COMPARISONS = 5
MAX_NOTES = 20_000
"""A longer phrase is reported without its notes, so that the report stays a page to open."""

PhraseOf = Callable[[str], Phrase]


def build_report(
    phrase: Phrase,
    *,
    when: str,
    name: str = "",
    origin: Literal["generated", "file"] = "generated",
    player: Player | None = None,
    replay: Replay | None = None,
    corpus: Corpus | None = None,
    evidence: Evidence | None = None,
    unrated: str = "",
    phrase_of: PhraseOf | None = None,
    software: Mapping[str, str] | None = None,
    comparisons: int = MAX_COMPARISONS,
    influence: Influence | None = None,
) -> Report:
    """The report on one phrase.

    `when` is the time of making, ISO 8601; without a `name` the title says what
    was asked.  `evidence` is what the matcher
    found in `corpus`; where it is None the light is grey and `unrated` says
    why.  `phrase_of` gives the notes of a work by its id; without it, or where
    it raises `NotFound`, a match is reported without its comparison.
    `influence` is what was estimated of the works that moved it, where that is to be told.
    `software` adds names and versions to musai's and Python's.
    """
    hits = list(evidence.hits[:MAX_MATCHES]) if evidence else []
    request = player.request if player else {}
    title = name or names.asked(request, bar_count(phrase), phrase.id)
    return Report(
        title=title,
        made_at=when,
        software={
            "musai": musai.__version__,
            "Python": platform.python_version(),
            **(software or {}),
        },
        subject=_subject(phrase, title, origin),
        player=player,
        replay=replay,
        corpus=corpus,
        verdict=verdict_record(evidence, unrated),
        style=facts.style_of(evidence.style) if evidence else None,
        influence=None if influence is None else influences(influence),
        matches=tuple(
            match_record(
                rank,
                hit,
                evidence,
                comparison_of(hit, phrase, phrase_of)
                if phrase_of and rank <= comparisons
                else None,
            )
            for rank, hit in enumerate(hits, 1)
            if evidence is not None
        ),
        methods=METHODS,
        limits=_limits(corpus),
    )


def player_record(
    description: Mapping[str, Any],
    request: Mapping[str, Any],
    *,
    name: str,
    model_id: str,
    guard: Mapping[str, Any] | None = None,
    quoted: tuple[Quoted, ...] = (),
    credits: Sequence[str] = (),
) -> Player:
    """Who played: `description` as `Player.describe()` gives it, `request` as `Request.to_dict()`.

    The request's context, a MIDI file in hexadecimal there, becomes the prompt; `guard` describes
    the guard that was on, `quoted` whom the prompt quotes, `credits` what the model's licences ask for.
    """
    plain = {key: value for key, value in request.items() if key != "context"}
    prompt: Score | None = None
    if request.get("context"):
        context = Phrase.from_midi(bytes.fromhex(request["context"]))
        plain["context_id"] = context.id
        prompt = score_of(context)
    return Player(
        name=name,
        model_id=model_id,
        request=plain,
        prompt=prompt,
        guard="" if guard is None else guard_sentence(guard),
        quoted=quoted,
        credits=tuple(credits),
        details=dict(description),
    )


def _subject(phrase: Phrase, name: str, origin: Literal["generated", "file"]) -> Subject:
    fits = len(phrase) <= MAX_NOTES
    return Subject(
        name=name,
        origin=origin,
        phrase_id=phrase.id,
        notes_id=phrase.notes_id,
        notes=len(phrase),
        bars=bar_count(phrase),
        seconds=round(phrase.metre.seconds(phrase.length), 3),
        score=score_of(phrase) if fits else None,
        left_out=""
        if fits
        else f"{names.counted(len(phrase), 'note')}; a report shows up to {MAX_NOTES:,}",
    )


def verdict_record(evidence: Evidence | None, unrated: str = "") -> Verdict:
    """The verdict in words and numbers; without evidence grey, and `unrated` says why."""
    if evidence is None:
        return Verdict(
            light="grey",
            word=LIGHTS["grey"].word,
            number="not compared",
            sentence=unrated or "This phrase has not been compared with a corpus.",
            p_value=None,
            statistic=None,
            null_size=0,
            null_version="",
            longest_run=0,
            sentences=facts.sentences(None),
        )
    found, spread = evidence.verdict, evidence.spread
    extra = {name: getattr(found, name) for name in _EXTRA if hasattr(found, name)}
    return Verdict(
        light=found.light,
        word=LIGHTS[found.light].word,
        number=names.probability(found.p_value),
        sentence=found.sentence,
        p_value=found.p_value,
        statistic=found.statistic,
        null_size=found.null_size,
        null_version=found.null_version,
        longest_run=found.longest_run,
        sentences=facts.sentences(found),
        common=facts.common_of(found),
        chance=facts.chance_of(found),
        spread=facts.spread_of(spread),
        **extra,
    )


_EXTRA = ("extrapolated", "null_reference", "engine", "searched")
"""What a verdict may say beyond the least that a report needs; older records do not."""


def comparison_of(hit: HitLike, phrase: Phrase, phrase_of: PhraseOf) -> Comparison | None:
    """A hit note by note; None where its alignment was not kept or the work is not to be had."""
    if not hit.alignment:
        return None
    try:
        return compare(phrase, phrase_of(hit.work_id), hit.alignment, hit.tempo_ratio)
    except NotFound:
        return None


def match_record(
    rank: int, hit: HitLike, evidence: Evidence, comparison: Comparison | None = None
) -> Match:
    """One hit of what the matcher found."""
    return Match(
        rank=rank,
        work=evidence.works.get(hit.work_id) or unknown_work(hit.work_id, hit.title, hit.licence),
        score=hit.score,
        p_value=hit.p_value,
        e_value=hit.e_value,
        q_value=hit.q_value,
        significant=hit.significant,
        transposition=hit.transposition,
        tempo_ratio=hit.tempo_ratio,
        longest_run=hit.longest_run,
        coverage_query=hit.coverage_query,
        coverage_work=hit.coverage_work,
        extrapolated=bool(getattr(hit, "extrapolated", False)),
        variants=tuple(getattr(hit, "variants", ())),
        common=facts.common_of_hit(hit),
        comparison=comparison,
    )


def _limits(corpus: Corpus | None) -> tuple[Method, ...]:
    return LIMITS if corpus is not None else LIMITS[1:2]

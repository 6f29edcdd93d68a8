"""What a matcher or a stored record says -> records of the report.  What it does not say is None."""

from typing import Any, Literal

from musai.report.inputs import field
from musai.report.records import (
    Chance,
    Common,
    Sentence,
    Spread,
    Style,
    StyleGroup,
    StyleNearest,
)
from musai.report.wording import chance_sentence, common_sentence, style_sentence

MAX_GROUPS = 12
"""Composers and collections that the report shows of a style."""

_Said = tuple[str, str]
"""A sentence, or nothing and why it was not computed."""


def common_of(verdict: Any) -> Common | None:
    """How common the best passage is, as the verdict counted it."""
    works = int(field(verdict, "common_works", 0) or 0)
    if not works:
        return None
    return Common(
        works=works,
        authors=int(field(verdict, "common_authors", 0)),
        examples=tuple(field(verdict, "common_examples", ())),
    )


def common_of_hit(hit: Any) -> Common | None:
    """How common the passage of one hit is, where that was counted."""
    common = field(hit, "common")
    if common is None or not field(common, "works", 0):
        return None
    return Common(
        works=int(field(common, "works")),
        authors=int(field(common, "authors", 0)),
        examples=tuple(field(common, "examples", ())),
    )


def chance_of(verdict: Any) -> Chance | None:
    """The comparison with chance, where it was made."""
    chance = field(verdict, "chance")
    if not chance or isinstance(chance, str):
        return None
    return Chance(
        p_value=float(field(chance, "p_value")),
        size=int(field(chance, "size")),
        reference=str(field(chance, "reference", "") or ""),
    )


def spread_of(spread: Any) -> Spread | None:
    """The null's scores in short, where they were kept."""
    quantiles = field(spread, "quantiles", ()) if spread is not None else ()
    if len(quantiles) < 2:
        return None
    return Spread(
        notes=int(field(spread, "notes")), quantiles=tuple(round(float(q), 2) for q in quantiles)
    )


def style_of(overlap: Any) -> Style | None:
    """What `musai.style` said of the phrase, where it said anything."""
    if overlap is None:
        return None
    return Style(
        corpus=str(field(overlap, "corpus", "")),
        groups=tuple(_group(group) for group in field(overlap, "groups", ())[:MAX_GROUPS]),
        nearest=tuple(
            StyleNearest(name=str(field(one, "name")), probability=float(field(one, "probability")))
            for one in field(overlap, "nearest", ()) or ()
        ),
        sentence=str(field(overlap, "sentence", "") or ""),
        version=str(field(overlap, "version", "") or ""),
    )


def _group(group: Any) -> StyleGroup:
    p = field(group, "p_value")
    return StyleGroup(
        name=str(field(group, "name")),
        kind=field(group, "kind"),
        works=int(field(group, "works", 0)),
        p_value=None if p is None else float(p),
        reason=str(field(group, "reason", "") or ""),
    )


def sentences(verdict: Any) -> tuple[Sentence, ...]:
    """Chance, style, common stock: each said, or why it was not computed."""
    told: tuple[tuple[Literal["chance", "style", "common stock"], _Said], ...] = (
        ("chance", _chance(verdict)),
        ("style", _style(verdict)),
        ("common stock", _common(verdict)),
    )
    return tuple(
        Sentence(about=about, text=text or f"Not computed: {why}.", computed=bool(text))
        for about, (text, why) in told
    )


def _chance(verdict: Any) -> _Said:
    chance = chance_of(verdict)
    if chance is not None:
        return chance_sentence(chance), ""
    if verdict is None:
        return "", "the phrase was not compared"
    if field(verdict, "chance", _NEVER) is _NEVER:
        return "", "this comparison was recorded before phrases were held against chance"
    return "", _reason(verdict) or "this corpus has no melodies made by chance to compare with yet"


_NEVER = object()


def _style(verdict: Any) -> _Said:
    if verdict is None:
        return "", "the phrase was not compared"
    if verdict.p_value is None:
        return "", _reason(verdict) or "there are no phrases of unrelated works to compare with"
    return style_sentence(verdict.p_value, verdict.null_size), ""


def _common(verdict: Any) -> _Said:
    if verdict is None:
        return "", "the phrase was not compared"
    common = common_of(verdict)
    if common is None:
        return "", _reason(verdict) or "how many works hold the passage was not counted"
    return common_sentence(common), ""


def _reason(verdict: Any) -> str:
    """Why the verdict itself has no p; empty where it has one."""
    return str(field(verdict, "reason", "") or "").rstrip(".")

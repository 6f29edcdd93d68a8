"""What is told of a phrase's style: percentiles by group, the nearest composers, one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["composer", "collection"]

UNUSUAL = 0.05
"""A composer for whom the phrase is as unusual as this is nearest only for want of others."""

FOR_INFORMATION = (
    "Style is not protected expression; these numbers are for information only "
    "and say nothing about copying."
)


@dataclass(frozen=True, slots=True)
class Group:
    """A composer or a collection, the works counted, and how usual the phrase would be among them.

    `p_value` is the share of its passages at least as far from the group's mean as the phrase is,
    None where there are too few works; `reason` says what was counted, or why nothing was.
    """

    name: str
    kind: Kind
    works: int
    p_value: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Nearest:
    """A composer with the classifier's calibrated probability among those it knows."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """A phrase beside a corpus: groups with the highest p first, those refused last."""

    corpus: str
    groups: tuple[Group, ...]
    nearest: tuple[Nearest, ...]
    sentence: str
    version: str


@dataclass(frozen=True, slots=True)
class Distances:
    """Several phrases beside a group.

    `areas` is by feature the overlap (0 to 1) of the distances within the group and those from the
    phrases to it; `mmd` the squared maximum mean discrepancy, `p_value` that of as large a one when
    works and phrases are dealt out by chance.
    """

    group: str
    works: int
    areas: dict[str, float]
    mmd: float
    p_value: float
    permutations: int


def ordered(groups: Sequence[Group]) -> tuple[Group, ...]:
    """Highest p first, then those refused, larger ones first; by name where equal."""
    return tuple(
        sorted(groups, key=lambda g: (g.p_value is None, -(g.p_value or 0), -g.works, g.name))
    )


def sentence(
    groups: Sequence[Group], nearest: Sequence[Nearest], known: int, bars: int, least: int
) -> str:
    """What the numbers say, and that they are for information only."""
    judged = [group for group in groups if group.p_value is not None]
    parts = []
    if not bars:
        parts.append("The phrase has no notes, so it has no style to compare.")
    elif not judged:
        parts.append(
            f"No composer and no collection here has {least} works of this length or more."
        )
    else:
        best = max(judged, key=lambda group: group.p_value or 0.0)
        parts.append(
            f"Among passages of about {counted(bars)} the phrase is least unusual for {best.name} "
            f"(p = {best.p_value:.2f}, {best.works} works)."
        )
    if nearest:
        parts.append(
            f"Of {known} composers with {least} works or more the nearest is {nearest[0].name} "
            f"({nearest[0].probability:.0%}){_doubt(nearest[0], judged)}."
        )
    return " ".join([*parts, FOR_INFORMATION])


def _doubt(nearest: Nearest, judged: Sequence[Group]) -> str:
    """A probability among few composers says nothing of all others; the percentile does."""
    own = [g.p_value for g in judged if g.kind == "composer" and g.name == nearest.name]
    if own and own[0] is not None and own[0] <= UNUSUAL:
        return f", but the phrase is unusual for it too (p = {own[0]:.2f})"
    return ", if it is one of them at all"


def counted(bars: int) -> str:
    """ "1 bar", "4 bars"."""
    return "1 bar" if bars == 1 else f"{bars} bars"

"""How a revenue is split: pools, weights, and whole minor units that sum to it.  Pure, exact.

Everything is a fraction of integers until the last step, and is added up over an owner before
anything is clipped or rounded.  So it makes no difference whether music lies in one work or in two, or
in two copies of one: what counts are the distinct notes of an owner, and the sum of their influence.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from musai.errors import BadInput
from musai.royalties.terms import StatementTerms

WHOLE = 10_000
UNCLAIMED = "(unclaimed)"
RETAINED = "(retained)"
RESIDUAL = "(residual)"
GRAIN = 2**30
"""Influence is counted in 2^-30, so that sums do not depend on their order."""

Holders = tuple[tuple[str, int], ...]
"""(name, basis points), sorted by name."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A training work: its distinct notes (ids, shared with its copies), who holds it, what they ask.

    `cluster`: works of nearly the same melody share one; `share`: basis points of revenue that its
    terms ask for; `influence`: in grains, over all uses of the period.
    """

    work_id: str
    cluster: int
    notes: NDArray[np.int64]
    holders: Holders
    share: int = 0
    influence: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """What one owner gets from one pool, in minor units."""

    owner: str
    pool: str
    amount: int


@dataclass(frozen=True, slots=True)
class Split:
    """The lines, which sum to the revenue, and the weights behind them.

    `notes`: distinct notes by owner; `influence`: grains by owner, before clipping; `reliability`:
    as measured, None where it was not; `paid_by_influence`: whether it reached the threshold.
    """

    lines: tuple[Line, ...]
    notes: dict[str, Fraction]
    influence: dict[str, Fraction]
    reliability: float | None
    paid_by_influence: bool

    def total(self, owner: str) -> int:
        """All that an owner gets."""
        return sum(line.amount for line in self.lines if line.owner == owner)


def split(
    revenue: int, terms: StatementTerms, claims: Sequence[Claim], reliability: float | None
) -> Split:
    """Split a revenue in minor units.  Raises `BadInput` for terms that contradict each other.

    The owners' own shares come first (an owner's largest one, once); then the training pool by
    distinct notes; then the output pool by influence, shrunk toward the training split by Kelley's
    formula (1927): rho x observed + (1 - rho) x the training split, where rho, the reliability of
    the observed shares, is the square of the measured LDS.  What is left stays with the model's maker.
    """
    if revenue <= 0:
        raise BadInput(f"revenue is {revenue}; legal is above zero")
    groups = _groups(claims)
    fixed = {key: group.share for key, group in groups.items() if group.share}
    asked = sum(fixed.values())
    if asked + terms.training + terms.output > WHOLE:
        raise BadInput(
            f"the terms contradict each other: owners ask for {asked} basis points, the pools for "
            f"{terms.training + terms.output}; legal is up to {WHOLE} together"
        )
    notes = _by_owner({key: Fraction(len(group.notes)) for key, group in groups.items()})
    influence = _by_owner({key: Fraction(group.influence) for key, group in groups.items()})
    by_notes = _shares(notes)
    parts: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for key, share in fixed.items():
        for owner, weight in _by_owner({key: Fraction(1)}).items():
            parts[owner, "share"] += Fraction(revenue * share, WHOLE) * weight
    _pool(parts, "training", Fraction(revenue * terms.training, WHOLE), by_notes)
    observed = _shares({owner: max(value, Fraction(0)) for owner, value in influence.items()})
    trusted = reliability is not None and reliability >= terms.threshold and bool(observed)
    if trusted and reliability is not None:
        rho = Fraction(max(0.0, min(1.0, reliability))) ** 2
        mixed = {
            owner: rho * observed.get(owner, 0) + (1 - rho) * by_notes.get(owner, Fraction(0))
            for owner in {*observed, *by_notes}
        }
        output = mixed
    elif terms.residual == "training":
        output = by_notes
    else:
        output = {RESIDUAL: Fraction(1)}
    _pool(parts, "output", Fraction(revenue * terms.output, WHOLE), output)
    parts[RETAINED, "retained"] += revenue - sum(parts.values())
    lines = rounded(parts, revenue)
    return Split(lines, notes, influence, reliability, trusted)


def rounded(parts: Mapping[tuple[str, str], Fraction], revenue: int) -> tuple[Line, ...]:
    """Whole minor units that sum to the revenue: largest remainder (Hamilton), ties by name."""
    whole = {key: int(value) for key, value in parts.items()}
    left = revenue - sum(whole.values())
    order = sorted(parts, key=lambda key: (whole[key] - parts[key], key))
    for key in order[:left]:
        whole[key] += 1
    return tuple(Line(*key, whole[key]) for key in sorted(whole) if whole[key])


@dataclass(slots=True)
class _Group:
    """All undisputed music of the same holders, or all that the same holders dispute."""

    notes: NDArray[np.int64]
    influence: int
    share: int


_Key = tuple[bool, Holders]
"""Whether disputed, and the holders."""


def group_numbers(claims: Sequence[Claim]) -> list[int]:
    """A number for each claim: works of the same holders share one, so do those they dispute.

    Within such a group a note counts once; `musai.royalties.distinct` names the notes by it.
    """
    numbers: dict[_Key, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in _keys(claims)]


def _keys(claims: Sequence[Claim]) -> list[_Key]:
    clusters: dict[int, set[Holders]] = defaultdict(set)
    for claim in claims:
        clusters[claim.cluster].add(claim.holders)
    keys: list[_Key] = []
    for claim in claims:
        rivals = clusters[claim.cluster]
        names = {name for holders in rivals for name, _ in holders}
        disputed = len(rivals) > 1
        keys.append(
            (disputed, tuple(sorted((name, 0) for name in names)) if disputed else claim.holders)
        )
    return keys


def _groups(claims: Sequence[Claim]) -> dict[_Key, _Group]:
    members: dict[_Key, list[Claim]] = defaultdict(list)
    for key, claim in zip(_keys(claims), claims, strict=True):
        members[key].append(claim)
    return {
        key: _Group(
            np.unique(np.concatenate([claim.notes for claim in mine])),
            sum(claim.influence for claim in mine),
            0 if key[0] else max(claim.share for claim in mine),
        )
        for key, mine in members.items()
    }


def escrow_name(names: Iterable[str]) -> str:
    """The line of what several claim."""
    return f"(escrow: {' / '.join(sorted(names)) or 'holders unknown'})"


def _by_owner(weights: Mapping[_Key, Fraction]) -> dict[str, Fraction]:
    """Weights of groups as weights of owners; what nobody holds is unclaimed."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for (disputed, holders), weight in weights.items():
        if disputed:
            found[escrow_name(name for name, _ in holders)] += weight
            continue
        for name, share in holders:
            found[name] += weight * Fraction(share, WHOLE)
        rest = WHOLE - sum(share for _, share in holders)
        if rest:
            found[UNCLAIMED] += weight * Fraction(rest, WHOLE)
    return dict(found)


def _shares(weights: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """Weights as parts of one; nothing where they sum to nothing."""
    total = sum(weights.values())
    return {owner: value / total for owner, value in weights.items() if value} if total else {}


def _pool(
    parts: dict[tuple[str, str], Fraction], pool: str, amount: Fraction, by: Mapping[str, Fraction]
) -> None:
    for owner, share in (by or {RESIDUAL: Fraction(1)}).items():
        parts[owner, pool] += amount * share

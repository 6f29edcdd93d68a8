"""May what a model makes be put to commercial use?  Its training works' terms, one by one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from musai.corpus import Corpus, Work, permission
from musai.corpus.licences import Term, checked_territory, terms_of
from musai.errors import BadManifest, MusaiError, NotAllowed
from musai.service.models import works_of
from musai.transformer import checkpoint

SHOWN = 5
MOST = 200
"""Conditions that a record holds in words; beyond that it says how many there are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One training work, and what its terms answer."""

    work: Work
    term: Term
    allowed: bool
    reason: str
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clearance:
    """What the terms of a model's training works say of commercial use.

    `unknown`: training works that no corpus here has, answered by their licence alone.
    """

    model: str
    territory: str
    on: date
    asked: tuple[Asked, ...]
    unknown: int

    @property
    def conditions(self) -> list[tuple[str, int]]:
        """Each condition of the works that allow it, and how many works ask for it."""
        counted = Counter(text for one in self.asked if one.allowed for text in one.conditions)
        return sorted(counted.items(), key=lambda item: (-item[1], item[0]))

    @property
    def share(self) -> int:
        """Basis points of revenue that the owners ask for, an owner's largest share once."""
        owners: dict[tuple[tuple[str, int], ...], int] = {}
        for one in self.asked:
            if one.allowed and one.term.share:
                who = tuple(sorted((h.name, h.share) for h in one.work.holders))
                owners[who] = max(owners.get(who, 0), one.term.share)
        return sum(owners.values())

    def check(self) -> None:
        """Raises `NotAllowed` naming works that do not allow it, `BadManifest` for terms that
        contradict each other."""
        refused = [one for one in self.asked if not one.allowed]
        if refused:
            named = "; ".join(f"{one.work.title} ({one.reason})" for one in refused[:SHOWN])
            more = f"; and {len(refused) - SHOWN:,} more" if len(refused) > SHOWN else ""
            where = f" in {self.territory}" if self.territory else ""
            raise NotAllowed(
                f"{len(refused):,} of the {len(self.asked):,} training works of {self.model} do not "
                f"allow commercial use{where} on {self.on.isoformat()}: {named}{more}. State their "
                "terms (musai corpus, or the desk), or play without --commercial"
            )
        if self.share > 10_000:
            raise BadManifest(
                f"the terms contradict each other: the owners together ask for {self.share} basis "
                "points of revenue; legal is up to 10000"
            )

    def plain(self) -> dict[str, Any]:
        """JSON values for the record of a request and for statements."""
        rows = self.conditions
        return {
            "use": "commercial",
            "territory": self.territory,
            "on": self.on.isoformat(),
            "works": len(self.asked),
            "works_by_licence_alone": self.unknown,
            "share": self.share,
            "conditions": [{"says": text, "works": count} for text, count in rows[:MOST]],
            "conditions_in_all": len(rows),
        }


def clearance(model: str | None, on: date, territory: str = "") -> Clearance:
    """Ask the terms of every training work of a model.  Raises `NotFound`, `BadManifest`."""
    if territory:
        checked_territory(territory)
    loaded = checkpoint.load(model)
    held = _held(str(loaded.origin.get("corpus", "")))
    asked, unknown = [], 0
    for row in works_of(loaded.folder):
        work = held.get(row["id"])
        if work is None:
            unknown += 1
            licence, credit = row.get("licence", ""), row.get("attribution", "")
            work = Work(row["id"], row.get("title", ""), licence=licence, attribution=credit,
                        terms=terms_of(licence, credit))  # fmt: skip
        answer = permission(work, "commercial", on=on, territory=territory or None)
        term = work.terms.commercial
        conditions = tuple(dict.fromkeys((*answer.conditions, *work.terms.train.conditions)))
        asked.append(
            Asked(work, term, answer.allowed, f"{answer.status}: {answer.reason}", conditions)
        )
    return Clearance(loaded.name, territory, on, tuple(asked), unknown)


def _held(corpus: str) -> dict[str, Work]:
    """The works of a model's corpus by id; none where it is not here."""
    try:
        return {work.id: work for work in Corpus.open(corpus).works}
    except MusaiError:
        return {}


def told(found: Clearance) -> Sequence[str]:
    """The conditions in lines for a terminal."""
    lines = [f"  {text} ({count:,} works)" for text, count in found.conditions[:SHOWN]]
    more = len(found.conditions) - SHOWN
    return [*lines, *([f"  and {more:,} more conditions"] if more > 0 else [])]

"""A statement: who gets what from which pool, and on what it rests; as plain values, TSV and JSON."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from musai.royalties.split import GRAIN, Claim, Split
from musai.royalties.terms import StatementTerms

COLUMNS = (
    "record", "period_from", "period_to", "territory", "currency", "owner", "pool", "works",
    "distinct_notes", "influence", "amount_minor", "amount",
)  # fmt: skip
"""Columns of the flat file.  It claims no licensed message standard; its layout is musai's own."""

STATEMENT = "urn:musai:royalties:v1"
"""What a signed statement states."""

FORMULA = (
    "Kelley (1927): rho x observed share + (1 - rho) x training share; rho is the square of the "
    "lower end of the measured LDS"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A split with what it is of.

    `phrases`: kept takes of the period; `method`: what computed the influence, "" where there is
    none; `warnings`: sentences on what a reader must know; `hidden`: works whose terms do not allow
    their influence to be shown.
    """

    period: tuple[str, str]
    terms: StatementTerms
    revenue: int
    model: str
    model_id: str
    phrases: int
    claims: tuple[Claim, ...]
    split: Split
    method: str
    lds: tuple[float, float, float] | None
    warnings: tuple[str, ...]
    hidden: frozenset[str] = frozenset()

    @property
    def trust(self) -> str:
        """What the influence is worth, in words."""
        if not self.method:
            return "no influence was given"
        if self.lds is None:
            return "proxy: its reliability on this model is unknown"
        value, low, high = self.lds
        return f"LDS {value:.2f} ({low:.2f} to {high:.2f}), measured on this model"

    @property
    def owners(self) -> list[str]:
        """Owners in the order of the statement: those who get most first, then by name."""
        named = {line.owner for line in self.split.lines} | set(self.split.notes)
        return sorted(named, key=lambda owner: (-self.split.total(owner), owner))

    def works(self) -> dict[str, int]:
        """How many training works each owner holds a part of."""
        counted: dict[str, int] = defaultdict(int)
        for claim in self.claims:
            for name, _ in claim.holders:
                counted[name] += 1
        return counted

    def money(self, minor: int) -> str:
        """An amount as text: "12.34"."""
        return f"{Decimal(minor).scaleb(-self.terms.digits):.{self.terms.digits}f}"


def rows(statement: Statement) -> list[dict[str, Any]]:
    """The lines as plain values under `COLUMNS`, the total last; the lines sum to it."""
    works = statement.works()
    base = {
        "period_from": statement.period[0],
        "period_to": statement.period[1],
        "territory": statement.terms.territory,
        "currency": statement.terms.currency,
    }
    found = []
    silent = {
        name
        for one in statement.claims
        if one.work_id in statement.hidden
        for name, _ in one.holders
    }
    order = {owner: at for at, owner in enumerate(statement.owners)}
    for line in sorted(statement.split.lines, key=lambda one: (order[one.owner], one.pool)):
        notes = statement.split.notes.get(line.owner)
        moved = statement.split.influence.get(line.owner)
        found.append(
            {
                "record": "line",
                **base,
                "owner": line.owner,
                "pool": line.pool,
                "works": works.get(line.owner, 0),
                "distinct_notes": "" if notes is None else f"{float(notes):g}",
                "influence": ""
                if not statement.method or moved is None or line.owner in silent
                else _value(moved),
                "amount_minor": line.amount,
                "amount": statement.money(line.amount),
            }
        )
    total = {"record": "total", **base, "owner": "", "pool": "", "works": len(statement.claims)}
    total |= {"distinct_notes": "", "influence": "", "amount_minor": statement.revenue}
    return [*found, {**total, "amount": statement.money(statement.revenue)}]


def _value(grains: Any) -> str:
    return f"{float(grains) / GRAIN:.6g}"


def tsv(statement: Statement) -> bytes:
    """The flat file: a header, a row a line, the total."""
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(_cell(row[name]) for name in COLUMNS) for row in rows(statement)]
    return ("\n".join(lines) + "\n").encode()


def _cell(value: Any) -> str:
    """Without what would break a row; no cell begins as a formula would."""
    text = " ".join(str(value).split())
    return f"'{text}" if text[:1] in ("=", "+", "@") else text


def plain(statement: Statement) -> dict[str, Any]:
    """JSON values: everything that the page and the signed statement tell."""
    return {
        "period": {"from": statement.period[0], "to": statement.period[1]},
        "terms": {
            name: getattr(statement.terms, name)
            for name in ("currency", "training", "output", "threshold", "residual", "territory")
        },
        "revenue_minor": statement.revenue,
        "model": {"name": statement.model, "id": statement.model_id},
        "phrases": statement.phrases,
        "influence": {
            "method": statement.method,
            "lds": None if statement.lds is None else list(statement.lds),
            "says": statement.trust,
            "paid_by": statement.split.paid_by_influence,
            "formula": FORMULA,
        },
        "lines": rows(statement)[:-1],
        "warnings": list(statement.warnings),
        "works": work_rows(statement.claims, statement.hidden),
    }


def work_rows(claims: Sequence[Claim], hidden: frozenset[str]) -> list[dict[str, Any]]:
    """What each training work brings; information, no amounts.  Influence only where it may be shown."""
    return [
        {
            "id": claim.work_id,
            "cluster": claim.cluster,
            "distinct_notes": len(claim.notes),
            "influence": None if claim.work_id in hidden else float(claim.influence) / GRAIN,
            "holders": [{"name": name, "share": share} for name, share in claim.holders],
        }
        for claim in sorted(claims, key=lambda one: one.work_id)
    ]

"""Royalty statements of a home: claims from its corpus, uses from its ledger, files written whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from musai.corpus import Corpus, Work, permission
from musai.corpus.similar import near_duplicates
from musai.errors import BadInput, NotFound
from musai.evidence import dsse
from musai.evidence.bundle import free
from musai.evidence.bundle import write as write_folder
from musai.evidence.canonical import sha256
from musai.evidence.keys import Keys
from musai.evidence.public import key_id, public_bytes
from musai.ledger import Ledger
from musai.report.names import counted
from musai.royalties.distinct import note_ids
from musai.royalties.influence import Influence, read_influence
from musai.royalties.page import page
from musai.royalties.split import Claim, group_numbers, split
from musai.royalties.statement import STATEMENT, Statement, plain, tsv
from musai.royalties.terms import StatementTerms, minor_units
from musai.service.models import works_of
from musai.transformer import checkpoint

TSV, ENVELOPE, PAGE, KEY = "statement.tsv", "statement.json", "statement.html", "key.pem"
PATIENCE = timedelta(minutes=1)

Estimator = Callable[[frozenset[str]], Influence]
"""From the kept takes of a period to the influence of works on all of them together."""


@dataclass(frozen=True, slots=True)
class Uses:
    """What the ledger holds: kept takes of the period by the model, and every phrase's model."""

    kept: frozenset[str]
    models: Mapping[str, str]


def period_of(text: str) -> tuple[date, date]:
    """First and last day of "2026", "2026-10" or "2026-10-01..2026-12-31".  Raises `BadInput`."""
    try:
        if ".." in text:
            first, last = (date.fromisoformat(part) for part in text.split("..", 1))
        elif len(text) == 4:
            first, last = date(int(text), 1, 1), date(int(text), 12, 31)
        elif len(text) == 7:
            first = date.fromisoformat(f"{text}-01")
            last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        else:
            raise ValueError
    except ValueError:
        raise BadInput(
            f"the period is {text!r}; legal is a year, a month like 2026-10, or FIRST..LAST"
        ) from None
    if first > last:
        raise BadInput(f"the period is {text!r}; legal is a last day not before the first")
    return first, last


def uses_of(ledger: Ledger, period: tuple[date, date], model_id: str) -> Uses:
    """Kept takes that a model made within a period.

    Raises `BadInput` where the ledger's times run backwards, or no take of the period was kept.
    """
    asked: dict[str, str] = {}
    made: dict[str, tuple[str, date]] = {}
    decided: dict[str, str] = {}
    seq, latest = 0, None
    while records := ledger.after(seq, 2000):
        for record in records:
            now = datetime.fromisoformat(record.utc)
            if latest is not None and now < latest - PATIENCE:
                raise BadInput(
                    f"ledger record {record.seq} says {record.utc}, a record before it "
                    f"{latest.isoformat()}: the clock went backwards, and no statement can tell what "
                    "belongs to the period"
                )
            latest = now if latest is None else max(latest, now)
            payload = record.payload or {}
            if record.kind == "request":
                asked[payload.get("replay_id", "")] = payload.get("model_id", "")
            elif record.kind == "phrase" and payload:
                made[payload["phrase_id"]] = (asked.get(payload["replay_id"], ""), now.date())
            elif record.kind == "decision" and payload:
                decided[payload["phrase_id"]] = payload["decision"]
        seq = records[-1].seq
    kept = frozenset(
        phrase
        for phrase, (model, day) in made.items()
        if decided.get(phrase) == "kept" and model == model_id and period[0] <= day <= period[1]
    )
    if not kept:
        raise BadInput(
            f"no take of {period[0]} to {period[1]} by this model was kept; a statement is of kept takes"
        )
    return Uses(kept, {phrase: model for phrase, (model, _) in made.items()})


def claims_of(model: str | None, corpus: str | None) -> tuple[list[Claim], list[Work]]:
    """A claim for each training work of a model, and the works.

    Raises `NotFound` for training works that the corpus does not have and that were not taken down.
    """
    loaded = checkpoint.load(model)
    held = Corpus.open(corpus or str(loaded.origin.get("corpus", "")))
    rows = works_of(loaded.folder)
    here = {work.id: work for work in held.works}
    down = {takedown.id for takedown in held.takedowns}
    unknown = [row for row in rows if row["id"] not in here and row["id"] not in down]
    if unknown:
        raise NotFound(
            f"{len(unknown)} training works of {loaded.name} are not in corpus {held.name}, so nobody "
            f"knows whose they are; first: {unknown[0].get('title') or unknown[0]['id'][:12]}. Add them: "
            f"musai corpus add FOLDER --for {loaded.name}"
        )
    works = [here[row["id"]] for row in rows if row["id"] in here]
    clusters = {w.id: n for n, group in enumerate(near_duplicates(held), 1) for w in group}
    numbers = [clusters.get(work.id, -at - 1) for at, work in enumerate(works)]
    nothing = np.zeros(0, np.int64)
    claims = [
        Claim(work.id, number, nothing, holders_of(work), work.terms.commercial.share)
        for work, number in zip(works, numbers, strict=True)
    ]
    ids = note_ids([held.notes_of(work.id) for work in works], group_numbers(claims))
    claims = [replace(claim, notes=notes) for claim, notes in zip(claims, ids, strict=True)]
    return claims, works


def holders_of(work: Work) -> tuple[tuple[str, int], ...]:
    """Who holds a work, by name."""
    shares: dict[str, int] = {}
    for holder in work.holders:
        shares[holder.name] = shares.get(holder.name, 0) + holder.share
    return tuple(sorted(shares.items()))


def statement_of(
    ledger: Ledger,
    terms: StatementTerms,
    *,
    period: str,
    revenue: str,
    model: str | None = None,
    corpus: str | None = None,
    influence: "Path | Estimator | None" = None,
) -> Statement:
    """A statement, or a clear error and nothing at all.

    `influence`: a file, or what estimates it for the takes that were kept.
    """
    days = period_of(period)
    amount = minor_units(revenue, terms)
    loaded = checkpoint.load(model)
    uses = uses_of(ledger, days, loaded.model_id)
    claims, works = claims_of(model, corpus)
    moved = None
    if isinstance(influence, Path):
        moved = read_influence(influence, uses.kept, dict(uses.models))
        claims = _moved(claims, moved, loaded.model_id, str(influence))
    elif influence is not None:
        moved = influence(uses.kept)
        claims = _moved(claims, moved, loaded.model_id, "the estimate")
    lds = moved.lds if moved else None
    done = split(amount, terms, claims, lds[1] if lds else None)
    where = terms.territory or None
    hidden = frozenset(
        work.id
        for work in works
        if not permission(work, "influence", on=days[1], territory=where).allowed
    )
    warnings = [*_refused(works, days, terms), *_about(moved, uses, terms, done.paid_by_influence)]
    return Statement(
        (days[0].isoformat(), days[1].isoformat()), terms, amount, loaded.name, loaded.model_id,
        len(uses.kept), tuple(claims), done, moved.method if moved else "", lds, tuple(warnings), hidden,
    )  # fmt: skip


def _moved(claims: Sequence[Claim], moved: Influence, model_id: str, path: str) -> list[Claim]:
    if moved.model_id != model_id:
        raise BadInput(
            f"{path} is of the model {moved.model_id[:12]}; the statement's is {model_id[:12]}"
        )
    known = {claim.work_id for claim in claims}
    strange = sorted(set(moved.works) - known)
    if strange:
        raise BadInput(
            f"{path} names {len(strange)} works that the model was not trained on; first: {strange[0][:12]}"
        )
    return [replace(claim, influence=moved.works.get(claim.work_id, 0)) for claim in claims]


def _refused(works: Sequence[Work], days: tuple[date, date], terms: StatementTerms) -> list[str]:
    """Works whose terms did not allow commercial use: owed all the same, and told."""
    where = terms.territory or None
    refused = [
        work
        for work in works
        if not all(permission(work, "commercial", on=on, territory=where).allowed for on in days)
    ]
    if not refused:
        return []
    return [
        f"{counted(len(refused), 'training work')} did not allow commercial use in all of the period"
        f"{f' in {terms.territory}' if where else ''}; first: {refused[0].title or refused[0].id[:12]}."
    ]


def _about(moved: Influence | None, uses: Uses, terms: StatementTerms, paid: bool) -> list[str]:
    said = []
    if moved is None:
        said.append("No influence was given: the output pool is not paid by influence.")
    elif moved.lds is None:
        said.append("The influence is a proxy: nobody measured its reliability on this model.")
    elif not paid:
        said.append(
            f"The influence's reliability ({moved.lds[1]:.2f} at least) is below {terms.threshold:g}."
        )
    if moved is not None and "*" not in moved.phrases:
        lacking = len(uses.kept - moved.phrases)
        if lacking:
            said.append(f"{counted(lacking, 'kept take')} of the period are not in the influence.")
        if moved.passed_over:
            said.append(
                f"{counted(moved.passed_over, 'phrase')} of the influence were not kept in the period."
            )
    return said


def write(statement: Statement, folder: Path, home: Path, clock: Callable[[], datetime]) -> str:
    """The flat file, the signed JSON, its key and the page, all or nothing; the signed file's hash."""
    free(folder)
    key = Keys(home).signing()
    flat = tsv(statement)
    predicate = {**plain(statement), "utc": clock().isoformat()}
    told = dsse.statement(STATEMENT, {TSV: sha256(flat)}, predicate)
    envelope = dsse.sealed(told, key)
    shown = page(statement, sha256(envelope), key_id(key.public_key()))
    write_folder(
        folder,
        {TSV: flat, ENVELOPE: envelope, KEY: public_bytes(key.public_key()), PAGE: shown},
    )
    return sha256(envelope)

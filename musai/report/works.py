"""A corpus's work as a report tells of it: who made it, who owns it, what they allow."""

from datetime import date

from musai.corpus.licences import USES, permission
from musai.corpus.work import Creator, Holder
from musai.corpus.work import Work as CorpusWork
from musai.report.records import Term, Work


def work_record(work: CorpusWork, *, on: date | None = None) -> Work:
    """The work with its terms read by `permission`, as they stand on a day where one is given."""
    terms = [permission(work, use, on=on) for use in USES]
    credits = [work.terms.of(use).attribution for use in USES]
    return Work(
        id=work.id,
        title=work.title,
        creators=tuple(_creator(creator) for creator in work.creators),
        holders=tuple(_holder(holder) for holder in work.holders),
        source=work.source,
        collection=work.collection,
        licence=work.licence,
        grounds=work.grounds,
        attribution=work.attribution or next((text for text in credits if text), ""),
        terms=tuple(
            Term(use=t.use, status=t.status, reason=t.reason, conditions="; ".join(t.conditions))
            for t in terms
        ),
    )


def unknown_work(work_id: str, title: str, licence: str) -> Work:
    """What a hit itself says of a work that the corpus no longer describes."""
    return Work(id=work_id, title=title, licence=licence)


def _creator(creator: Creator) -> str:
    """ "Clara Schumann (1819 to 1896)", with the role where it is not composing."""
    role = f", {creator.role}" if creator.role not in ("", "composer") else ""
    if creator.born is None and creator.died is None:
        return f"{creator.name}{role}"
    years = f"{creator.born} to {creator.died}"
    if creator.died is None:
        years = f"born {creator.born}"
    elif creator.born is None:
        years = f"died {creator.died}"
    return f"{creator.name} ({years}){role}"


def _holder(holder: Holder) -> str:
    """ "An Estate", with the share where it is not the whole."""
    if holder.share == 10_000:
        return holder.name
    return f"{holder.name} ({holder.share / 100:g}%)"

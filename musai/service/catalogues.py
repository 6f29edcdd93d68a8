"""Catalogues: the works of the corpora, found, filtered and sorted at once, their terms, their end."""

import hashlib
import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from typing import Any

import msgspec

from musai.corpus import USES, Work, changes, permission
from musai.corpus.licences import Term, Use
from musai.corpus.similar import near_duplicates
from musai.corpus.work import Evidence
from musai.errors import BadInput, MusaiError
from musai.ledger import Ledger
from musai.music import Phrase
from musai.service.history import History
from musai.service.judging import reviewer
from musai.service.knowing import influences
from musai.service.models import models, trained_on
from musai.service.rows import (
    Consequences,
    CorpusRow,
    Facets,
    InfluenceRow,
    ModelUse,
    PermissionRow,
    TakedownRow,
    WorkDetail,
    WorkPage,
    WorkRow,
)
from musai.service.shelves import Shelves
from musai.service.table import Table, table_of
from musai.service.telling import consequence_sentences

DUPLICATES = "duplicates"
MOST = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """What an owner says of one use from now on, with the words that support it."""

    use: Use
    term: Term
    quote: str = ""
    file: str = ""


class Catalogues:
    """The works of a home's corpora.  Any thread may call any method."""

    def __init__(
        self, shelves: Shelves, ledger: Ledger, history: History, clock: Callable[[], datetime]
    ) -> None:
        self.shelves = shelves
        self._ledger = ledger
        self._history = history
        self._clock = clock

    @property
    def _today(self) -> date:
        return self._clock().date()

    def influences(self, phrase_id: str) -> list[InfluenceRow]:
        """Which works moved a phrase, where `musai influence` has estimated it."""
        return influences(self.shelves.home, self.shelves, phrase_id, self._today)

    def corpora(self) -> list[CorpusRow]:
        """Every corpus here, in the order of their names."""
        rows = []
        for name in self.shelves.names:
            try:
                held = self.shelves.corpus(name)
            except MusaiError as error:
                rows.append(CorpusRow(name=name, fault=str(error)))
                continue
            rows.append(
                CorpusRow(
                    name=name,
                    id=self.shelves.made(name, "id", lambda corpus: corpus.id),
                    works=len(held),
                    notes=held.notes,
                    takedowns=len(held.takedowns),
                )
            )
        return rows

    def works(
        self,
        corpus: str | None = None,
        *,
        search: str = "",
        owner: str = "",
        licence: str = "",
        collection: str = "",
        composer: str = "",
        use: str | None = None,
        status: str | None = None,
        sort: str = "title",
        descending: bool = False,
        offset: int = 0,
        limit: int = 50,
    ) -> WorkPage:
        """The works that fit.  `use` and `status` go together: works whose training is denied.

        `search` holds words that must all occur in a work's titles, names,
        collection, source, ISWC or id, case and accents aside.  Raises
        `BadInput` for a sort, use or status that is none, `NotFound`.
        """
        wanted = {
            "owners": owner,
            "licence": licence,
            "collection": collection,
            "composer": composer,
        }
        tables = self._tables(corpus)
        places = [table.find(search, wanted, use, status, sort, descending) for table in tables]
        total = sum(map(len, places))
        first = max(0, offset)
        last = min(total, first + min(MOST, max(0, limit)))
        if len(tables) == 1:
            rows = [tables[0].rows[at] for at in places[0][first:last]]
        else:
            rows = _merged(tables, places, sort, descending, first, last)
        return WorkPage(rows=rows, total=total)

    def warm(self, corpus: str | None = None) -> None:
        """Make now what the first list of works would wait for; what cannot be opened is left out."""
        with suppress(MusaiError, OSError):
            self.works(corpus, limit=1)
            self.facets(corpus)

    def facets(self, corpus: str | None = None) -> Facets:
        """Owners, composers, licences and collections, each with its number of works."""
        tables = self._tables(corpus)

        def counted(name: str) -> list[tuple[str, int]]:
            total: dict[str, int] = {}
            for table in tables:
                for value, count in table.facets[name].items():
                    total[value] = total.get(value, 0) + count
            return sorted(total.items(), key=lambda item: (-item[1], item[0]))

        return Facets(
            owners=counted("owners"),
            composers=counted("composer"),
            licences=counted("licence"),
            collections=counted("collection"),
        )

    def work(self, corpus: str, work_id: str) -> WorkDetail:
        """All that a corpus holds of a work but its notes.  Raises `NotFound`."""
        work = self.shelves.corpus(corpus).work(work_id)
        answers = [permission(work, use, on=self._today) for use in USES]
        return WorkDetail(
            row=self._table(corpus).row(work.id),
            work=work,
            permissions=[
                PermissionRow(
                    use=one.use,
                    status=one.status,
                    reason=one.reason,
                    conditions=list(one.conditions),
                )
                for one in answers
            ],
            matched=self._history.phrases(work_id=work.id, limit=0).total,
        )

    def phrase(self, corpus: str, work_id: str) -> Phrase:
        """The music of a work.  Raises `NotFound`, `Altered`."""
        return self.shelves.corpus(corpus).phrase(work_id)

    def duplicates(self, corpus: str) -> list[list[WorkRow]] | None:
        """Clusters of nearly the same melody; None where they have not been counted since it changed."""
        self.shelves.corpus(corpus)
        clusters = self.shelves.known(corpus, DUPLICATES)
        if clusters is None:
            return None
        table = self._table(corpus)
        return [[table.row(work_id) for work_id in cluster] for cluster in clusters]

    def count_duplicates(self, corpus: str) -> list[list[WorkRow]]:
        """Count them now: seconds for a large corpus."""
        self.shelves.made(
            corpus,
            DUPLICATES,
            lambda held: [[work.id for work in cluster] for cluster in near_duplicates(held)],
        )
        return self.duplicates(corpus) or []

    def consequences(self, corpus: str, work_id: str) -> Consequences:
        """What taking a work down would touch, before it is done.  Raises `NotFound`."""
        row = self._table(corpus).row(self.shelves.corpus(corpus).work(work_id).id)
        clusters = self.duplicates(corpus)
        alike = None if clusters is None else _beside(row, clusters)
        phrases = self._history.phrases(work_id=row.id, limit=MOST, order="evidence").rows
        hits = self._history.state()
        significant = sum(
            any(one.work_id == row.id and one.significant for one in hits.seen[p.phrase_id].named)
            for p in phrases
        )
        judgements = len(self._history.judgements(work_id=row.id))
        uses = self.trained_on([row.id])
        return Consequences(
            work=row,
            duplicates=alike,
            models=uses,
            phrases=phrases,
            significant=significant,
            judgements=judgements,
            sentences=consequence_sentences(
                row, alike, uses, len(phrases), significant, judgements
            ),
        )

    def trained_on(self, work_ids: Sequence[str]) -> list[ModelUse]:
        """The models of this machine whose training works are among these."""
        return trained_on(models(self.shelves.home), work_ids)

    def takedown(self, corpus: str, work_id: str, *, reason: str, who: str) -> TakedownRow:
        """Take a work down, and record by whom and why.  Raises `NotFound`, `BadInput`."""
        name = reviewer(who)
        held = self.shelves.corpus(corpus)
        work = held.work(work_id)
        models_then = [one.model_id for one in self.trained_on([work.id])]
        done = changes.remove(held, work.id, on=self._today, reason=reason)
        self._ledger.append(
            "takedown",
            {
                "corpus": corpus,
                "work_id": work.id,
                "title": work.title,
                "who": name,
                "reason": reason,
                "trained": models_then,
            },
            utc=self._clock(),
        )
        return _takedown(corpus, done)

    def takedowns(self, corpus: str | None = None) -> list[TakedownRow]:
        """What was taken down, the latest first."""
        held = [self.shelves.corpus(corpus)] if corpus else self.shelves.all()
        rows = [_takedown(one.name, down) for one in held for down in one.takedowns]
        return sorted(rows, key=lambda row: row.on, reverse=True)

    def set_terms(
        self, corpus: str, work_ids: Sequence[str], change: Change, *, who: str
    ) -> list[WorkRow]:
        """State a term of some works; what it was, what it is and who said so is recorded.

        Raises `NotFound`, `BadInput`, `BadManifest`.
        """
        name = reviewer(who)
        if not work_ids:
            raise BadInput("no work is named; legal is one or more")
        held = self.shelves.corpus(corpus)
        before = {work.id: work for work in map(held.work, work_ids)}
        changes.restate(held, list(before), lambda work: restated(work, change, name, self._today))
        after = self.shelves.corpus(corpus)
        for work_id, work in before.items():
            self._ledger.append(
                "terms",
                {
                    "corpus": corpus,
                    "work_id": work_id,
                    "title": work.title,
                    "who": name,
                    "before": _plain_terms(work),
                    "after": _plain_terms(after.work(work_id)),
                    "quote": change.quote,
                },
                utc=self._clock(),
            )
        table = self._table(corpus)
        return [table.row(work_id) for work_id in before]

    def _tables(self, corpus: str | None) -> list[Table]:
        names = [corpus] if corpus else [held.name for held in self.shelves.all()]
        return [self._table(name) for name in names]

    def _table(self, name: str) -> Table:
        # Terms may hold from or until a day, so that a table is of its day.
        today = self._today
        return table_of(self.shelves, name, today)


def _merged(
    tables: Sequence[Table],
    places: Sequence[Sequence[int]],
    sort: str,
    descending: bool,
    first: int,
    last: int,
) -> list[WorkRow]:
    """Rows `first` to `last` of several tables, each already in order."""
    streams = [
        _stream(number, table, found, sort)
        for number, (table, found) in enumerate(zip(tables, places, strict=True))
    ]
    merged = heapq.merge(*streams, key=lambda one: one[0], reverse=descending)
    return [tables[number].rows[at] for _, number, at in islice(merged, first, max(first, last))]


def _stream(
    number: int, table: Table, found: Sequence[int], sort: str
) -> Iterator[tuple[Any, int, int]]:
    """(key, number of the table, place) of the rows found in one table."""
    keys = table.keys(sort)
    return ((keys[at], number, at) for at in found)


def _beside(row: WorkRow, clusters: Sequence[Sequence[WorkRow]]) -> list[WorkRow]:
    """The other works of a work's cluster."""
    mine = [cluster for cluster in clusters if any(one.id == row.id for one in cluster)]
    return [one for cluster in mine for one in cluster if one.id != row.id]


def restated(work: Work, change: Change, who: str, today: date) -> Work:
    """The work with one term changed, and with who said so among its evidence."""
    said = change.quote or (
        f"{who} stated on {today.isoformat()}: {change.use} {change.term.status}"
        + (f" ({'; '.join(change.term.conditions)})" if change.term.conditions else "")
    )
    file = change.file or f"stated by {who}"
    proof = Evidence(file, said, hashlib.sha256(said.encode()).hexdigest())
    kept = tuple(one for one in work.evidence if one != proof)
    return replace(work, terms=work.terms.changed(change.use, change.term), evidence=(*kept, proof))


def _plain_terms(work: Work) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(work.terms)
    return values


def _takedown(corpus: str, done: Any) -> TakedownRow:
    return TakedownRow(
        corpus=corpus,
        id=done.id,
        title=done.title,
        source=done.source,
        on=done.on.isoformat() if done.on else "",
        reason=done.reason,
    )

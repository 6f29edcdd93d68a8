"""A corpus as a table made once: what is sought, filtered and sorted in ten thousand works a page.

Made again where the corpus has changed or the day has, since terms may hold
from or until a day.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from musai.corpus import USES, Corpus, Work, permission
from musai.corpus.licences import STATUSES
from musai.errors import BadInput, NotFound
from musai.report.order import folded, sort_key, words
from musai.service.rows import WorkRow
from musai.service.shelves import Shelves

SORTS = ("title", "composer", "owner", "licence", "collection", "notes")


@dataclass(frozen=True)
class Table:
    """Rows of a corpus's works, with the folded text in which words are sought."""

    rows: tuple[WorkRow, ...]
    texts: tuple[str, ...]
    places: Mapping[str, int]

    def row(self, work_id: str) -> WorkRow:
        """The row of a work.  Raises `NotFound`."""
        try:
            return self.rows[self.places[work_id]]
        except KeyError:
            raise NotFound(
                f"there is no work {work_id[:12]} here; it may have been taken down"
            ) from None

    def find(
        self,
        search: str,
        wanted: Mapping[str, str],
        use: str | None,
        status: str | None,
        sort: str = "title",
        descending: bool = False,
    ) -> list[int]:
        """Places of the rows that fit, in the order of a sort of `SORTS`."""
        if use is not None and use not in USES:
            raise BadInput(f"use is {use!r}; legal is {', '.join(USES)}")
        if status is not None and (status not in STATUSES or use is None):
            raise BadInput(f"status is {status!r}; legal is {', '.join(STATUSES)}, with a use")
        order = self.order(sort)
        found = order[::-1] if descending else order
        for word in words(search):
            texts = self.texts
            found = [at for at in found if word in texts[at]]
        for column, value in wanted.items():
            if value:
                found = [at for at in found if getattr(self.rows[at], column) == value]
        if use is not None:
            legal = (status,) if status else ("allowed", "conditional")
            found = [at for at in found if self.rows[at].terms[use] in legal]
        return found

    def order(self, sort: str) -> list[int]:
        """Places of all rows in the order of a sort; sorted once."""
        keys = self.keys(sort)
        if sort not in self._orders:
            self._orders[sort] = sorted(range(len(self.rows)), key=keys.__getitem__)
        return self._orders[sort]

    def keys(self, sort: str) -> list[Any]:
        """The key of every row under a sort.  Raises `BadInput` for a sort that is none."""
        if sort not in SORTS:
            raise BadInput(f"sort is {sort!r}; legal is {', '.join(SORTS)}")
        if sort not in self._keys:
            self._keys[sort] = [_key(row, sort) for row in self.rows]
        return self._keys[sort]

    @cached_property
    def _orders(self) -> dict[str, list[int]]:
        return {}

    @cached_property
    def _keys(self) -> dict[str, list[Any]]:
        return {}

    @cached_property
    def facets(self) -> dict[str, Counter[str]]:
        """How many works have each owner, composer, licence and collection."""
        names = ("owners", "composer", "licence", "collection")
        counts = {name: Counter(getattr(row, name) for row in self.rows) for name in names}
        for counter in counts.values():
            del counter[""]
        return counts


def table_of(shelves: Shelves, name: str, today: date) -> Table:
    """The table of a corpus on a day.  Raises as `Shelves.corpus` does."""
    table: Table = shelves.made(name, f"table {today}", lambda corpus: made(corpus, today))
    return table


def made(corpus: Corpus, today: date) -> Table:
    """Make the table."""
    rows = tuple(row_of(corpus.name, work, today) for work in corpus.works)
    texts = tuple(text_of(work) for work in corpus.works)
    return Table(rows, texts, {row.id: at for at, row in enumerate(rows)})


def row_of(corpus: str, work: Work, today: date) -> WorkRow:
    """A work as a row, with what each use is today."""
    return WorkRow(
        corpus=corpus,
        id=work.id,
        title=work.title,
        composer=work.composer,
        owners=", ".join(holder.name for holder in work.holders),
        licence=work.licence,
        collection=work.collection,
        notes=work.notes,
        terms={use: permission(work, use, on=today).status for use in USES},
        evidence=len(work.evidence),
    )


def text_of(work: Work) -> str:
    """What words are sought in, folded."""
    parts = [work.title, *work.titles, work.composer, work.collection, work.source, work.iswc]
    parts += [work.licence, work.id, work.path, *(holder.name for holder in work.holders)]
    return folded("\n".join(parts))


def _key(row: WorkRow, sort: str) -> Any:
    title = (sort_key(row.title), row.id)
    if sort == "title":
        return title
    if sort == "notes":
        return row.notes, title
    value = row.owners if sort == "owner" else getattr(row, sort)
    return sort_key(value), title

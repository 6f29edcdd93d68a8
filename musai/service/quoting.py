"""Whom a prompt quotes: a guard lets pass what the human's own context holds, and a report names it."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from musai.corpus import Corpus
from musai.errors import MusaiError
from musai.match.catalogue import catalogue
from musai.match.fingerprints import RUN, Shelf
from musai.match.printed import MODEL
from musai.match.quotations import Quotation, Quotations
from musai.music import Phrase
from musai.report import records as told
from musai.service.shelves import Shelves

MOST = 20
"""Works that are named, those with the longest runs."""


def quoted(
    shelves: Shelves, guard: Mapping[str, Any] | None, request: Mapping[str, Any]
) -> tuple[told.Quoted, ...]:
    """The works whose runs the prompt of a guarded request holds, longest run first, common stock aside.

    A corpus that has gone or cannot be read since is passed over.
    """
    if guard is None or not request.get("context"):
        return ()
    prompt = Phrase.from_midi(bytes.fromhex(request["context"]))
    found: list[told.Quoted] = []
    for row in guard["corpora"]:
        if row["name"].startswith(MODEL):
            found += _printed(prompt, row["name"].removeprefix(MODEL))
            continue
        try:
            search = shelves.made(row["name"], "quotations", _search)
            found += _named(search.of(prompt, guard["notes"]), shelves.corpus(row["name"]))
        except MusaiError:
            continue
    return tuple(sorted(found, key=lambda one: (-one.notes, one.title, one.work_id))[:MOST])


def _printed(prompt: Phrase, model: str) -> Iterator[told.Quoted]:
    """Works whose fingerprints the prompt holds; of each it is known that one run is the same."""
    from musai.transformer.checkpoint import folder_of

    with suppress(MusaiError):
        shelf = Shelf.open(folder_of(model))
        for one in () if shelf is None else shelf.shared(prompt, MOST):
            yield told.Quoted(
                one.work_id, one.title, one.creators, f"model {model}", one.licence, RUN
            )


def _search(corpus: Corpus) -> Quotations:
    return Quotations(catalogue(corpus))


def _named(found: list[Quotation], corpus: Corpus) -> Iterator[told.Quoted]:
    runs: dict[str, list[tuple[int, ...]]] = {}
    for quotation in found:
        if not quotation.stock:
            for work in quotation.work_ids:
                runs.setdefault(work, []).append(quotation.notes)
    for work, held in runs.items():
        row = corpus.work(work)
        yield told.Quoted(work, row.title, row.composer, corpus.name, row.licence, longest(held))


def longest(runs: list[tuple[int, ...]]) -> int:
    """Notes of the longest stretch that runs cover which follow each other note by note."""
    best = length = 0
    before: tuple[int, ...] = ()
    for run in runs:
        length = length + 1 if before and run[:-1] == before[1:] else len(run)
        best, before = max(best, length), run
    return best

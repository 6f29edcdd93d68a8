"""Who holds these very notes: an exhaustive search for equal runs, symbol against symbol.

It uses no hash and no table, so it proves what the guard promises; and it names the works
whose runs a phrase holds.  A millisecond a run and million notes.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match.catalogue import Catalogue
from musai.match.held import STOCK, authors_of, work_of
from musai.match.segment import DRUMS, Segment
from musai.match.streams import Symbols, streams, symbols, symbols_of_lines
from musai.music.phrase import Phrase

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Quotation:
    """A run of a phrase's line that works hold too.

    `notes` are indices into the phrase's notes, `work_ids` the holders, `authors` how many they
    are (a cluster of works by nobody known counts as one).
    """

    kind: str
    voice: int
    notes: tuple[int, ...]
    corpus: str
    work_ids: tuple[str, ...]
    authors: int

    @property
    def stock(self) -> bool:
        """Whether the run belongs to nobody."""
        return self.authors >= STOCK


class Quotations:
    """Searches one corpus."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._authors = authors_of(catalogue)
        self._parts = [_laid_out(part) for part in catalogue.index.segments]

    def of(self, phrase: Phrase, k: int) -> list[Quotation]:
        """All runs of k notes of all lines of a phrase that a living work holds."""
        found = []
        index = self._catalogue.index
        for kind, voice, notes, run in runs(phrase, k):
            works = self._holders(run)
            if works:
                authors = frozenset().union(*(self._authors[work] for work in works))
                ids = tuple(index.work_ids[work] for work in works)
                name = self._catalogue.name
                found.append(Quotation(kind, voice, notes, name, ids, len(authors)))
        return found

    def _holders(self, run: Symbols) -> list[int]:
        index, first, found = self._catalogue.index, 0, list[int]()
        for part, (signs, line) in zip(index.segments, self._parts, strict=True):
            work = first + np.unique(work_of(part, _places(signs, line, run)))
            found += work[index.alive[work]].tolist() if len(work) else []
            first += part.works
        return found


def runs(phrase: Phrase, k: int) -> Iterator[tuple[str, int, tuple[int, ...], Symbols]]:
    """Every k notes in a row of every line: its kind, voice, notes and their symbols."""
    for stream in streams(phrase):
        part = phrase.notes[stream.index]
        drums = stream.kind == "drums"
        signs = symbols(part["pitch"], part["onset"], drums)
        for start in range(len(part) - k + 1):
            notes = tuple(stream.index[start : start + k].tolist())
            yield stream.kind, stream.voice, notes, signs[start : start + k]


def equal(one: Symbols, other: Symbols) -> bool:
    """Whether two runs of as many notes are equal in steps and ratio classes."""
    steps = np.array_equal(one.steps[1:], other.steps[1:])
    return steps and np.array_equal(one.ratios[2:], other.ratios[2:])


def forbidden(
    phrase: Phrase,
    k: int,
    corpora: Sequence[Quotations],
    context: Phrase | None = None,
    given: Collection[int] = (),
) -> list[Quotation]:
    """The quotations that a guard of k notes promises away.

    Not among them: common stock of a corpus, runs that the context holds, and runs of nothing but
    `given` notes, indices of those that the human's context lent to the phrase.
    """
    found = [quotation for corpus in corpora for quotation in corpus.of(phrase, k)]
    stock = {(q.kind, q.voice, q.notes) for q in found if q.stock}
    own = [] if context is None else [run for *_, run in runs(context, k)]
    signs = {(kind, voice, notes): run for kind, voice, notes, run in runs(phrase, k)}
    left = []
    for quotation in found:
        key = (quotation.kind, quotation.voice, quotation.notes)
        lent = all(note in given for note in quotation.notes)
        if key not in stock and not lent and not any(equal(signs[key], run) for run in own):
            left.append(quotation)
    return left


def _laid_out(part: Segment) -> tuple[Symbols, Ints]:
    """Symbols of all streams of a segment, one after the other, and the stream of each note."""
    lengths = np.diff(part.stream_notes)
    drums = np.repeat(part.stream_kind == DRUMS, lengths)
    signs = symbols_of_lines(part.pitch, part.onset, part.stream_notes[:-1], drums)
    return signs, np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)


def _places(signs: Symbols, line: Ints, run: Symbols) -> Ints:
    """Where in the lines this run begins."""
    k, count = len(run), len(signs) - len(run) + 1
    if count <= 0:
        return np.zeros(0, np.int64)
    places = np.flatnonzero(signs.steps[1 : 1 + count] == run.steps[1])
    for i in range(1, k):
        places = places[signs.steps[places + i] == run.steps[i]]
        if i > 1:
            places = places[signs.ratios[places + i] == run.ratios[i]]
    found: Ints = places[line[places] == line[places + k - 1]]
    return found

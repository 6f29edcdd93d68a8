"""A phrase and one work laid out whole against each other: for versions and settings of one piece.

The local search says which line of which side belong together; the global
mode (`whole`) then pairs them from first note to last.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.errors import NotFound
from musai.match import search, whole
from musai.match.catalogue import Catalogue
from musai.match.streams import DRUMS, streams
from musai.music.phrase import Phrase

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Version:
    """Which note of a phrase answers which of a work.

    `pairs` note indices of the phrase and the work, `certainty` of each pair (0 to 1);
    `notes` of the phrase's line and `work_notes` of the work's; `equal` pairs of one pitch under
    `transposition` (semitones from the work to the phrase, octaves aside); `expected` is the share of the
    phrase's line that is expected to be laid out as an expert would.
    """

    work_id: str
    pairs: tuple[tuple[int, int], ...]
    certainty: tuple[float, ...]
    transposition: int
    notes: int
    work_notes: int
    equal: int
    expected: float


def lay_out(catalogue: Catalogue, phrase: Phrase, work_phrase: Phrase, work_id: str) -> Version:
    """The version of `phrase` that a work of the catalogue is.

    Raises `NotFound` for a work that is not there or has no line in common with the phrase,
    `BadInput` for lines of more than `whole.LONGEST` notes.
    """
    index = catalogue.index
    if work_id not in index.work_ids:
        raise NotFound(f"{catalogue.name} has no work {work_id!r} that may be compared with")
    work = index.work_ids.index(work_id)
    best: tuple[int, search.Line, int, int] | None = None
    pitched = [line for line in search.lines(phrase)[0] if line.kind != DRUMS]
    if not pitched:
        raise NotFound("the phrase has no line of pitches; drums are compared by rhythm alone")
    for line in pitched:
        found = search.exhaustive(index, line)
        if best is None or int(found.works[work]) > best[0]:
            segment, stream, _ = search.best_block(index, found.blocks, work)
            best = int(found.works[work]), line, segment, stream
    if best is None or best[0] <= 0:
        raise NotFound(f"the phrase and {work_id[:8]} have no line in common")
    _, line, segment, stream = best
    part = index.segments[segment]
    first = int(part.stream_notes[stream])
    theirs = part.note[first : int(part.stream_notes[stream + 1])].astype(np.int64)
    mine = _whole_line(phrase, line)
    sides = phrase.notes[mine], work_phrase.notes[theirs]
    laid = whole.lay_out(
        sides[0]["pitch"], sides[1]["pitch"], (sides[0]["duration"], sides[1]["duration"])
    )
    apart = sides[0]["pitch"][laid.pairs[:, 0]].astype(int) - sides[1]["pitch"][laid.pairs[:, 1]]
    pairs = zip(mine[laid.pairs[:, 0]].tolist(), theirs[laid.pairs[:, 1]].tolist(), strict=True)
    return Version(
        work_id=work_id,
        pairs=tuple(pairs),
        certainty=tuple(round(float(c), 4) for c in laid.certainty),
        transposition=laid.transposition,
        notes=len(mine),
        work_notes=len(theirs),
        equal=int((apart % 12 == laid.transposition % 12).sum()),
        expected=round(laid.expected, 4),
    )


def _whole_line(phrase: Phrase, line: search.Line) -> Ints:
    """The notes of the stream of which a line is a window."""
    for stream in streams(phrase):
        if (stream.kind, stream.voice) == (line.kind, line.voice):
            return stream.index.astype(np.int64)
    return line.index.astype(np.int64)  # pragma: no cover  (every line comes from a stream)

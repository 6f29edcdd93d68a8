"""One phrase against one index: the score of every work, and where it was reached.

The exhaustive engine aligns every line of the phrase with every stream; the
index engine aligns only where the phrase's figures stand.  Both give the
same score for a place that both look at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match import candidates, scores
from musai.match.chosen import Chosen, choose
from musai.match.compiled import kernels
from musai.match.index import Index
from musai.match.kernels import NEVER_ENOUGH
from musai.match.segment import Segment
from musai.match.streams import DRUMS, SHORTEST, Symbols, streams, symbols
from musai.music.phrase import Phrase

LONGEST = 64
"""Notes of a line that are searched at once; longer lines are searched window by window."""

HOP = 32
"""Notes from one window of a long line to the next."""

MAX_LINES = 48
"""Windows searched for one phrase; of a longer one, this many spread evenly."""

EXHAUSTIVE_UP_TO = 10_000_000
"""Stream notes up to which every work is aligned; beyond, only the index's candidates."""

MOST_CELLS = 1_200_000_000
"""Notes of a phrase times notes of a corpus up to which every work is aligned with every line of a
phrase; beyond, only the works that its figures choose."""

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A window of one line of a phrase: `index` into its notes, and what the search needs."""

    kind: str
    voice: int
    index: Ints
    pitch: Ints
    onset: Ints
    symbols: Symbols
    profile: Ints

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, slots=True)
class Found:
    """Scores of one line: by block of each segment, and by work over all segments (int16).

    `everywhere`: every place was looked at, so that no alignment scores more than its block says.
    """

    blocks: tuple[Ints, ...]
    works: Ints
    everywhere: bool


def lines(phrase: Phrase) -> tuple[list[Line], float]:
    """The lines of a phrase in windows of `LONGEST`, and the share of their notes in them."""
    made, share = _lines(phrase)
    return list(made), share


@lru_cache(maxsize=8)
def _lines(phrase: Phrase) -> tuple[tuple[Line, ...], float]:
    """Kept for a while: a file is held against several corpora, and each asks for its lines twice."""
    windows = []
    total = 0
    for stream in streams(phrase):
        total += len(stream)
        last = max(0, len(stream) - LONGEST)
        starts = sorted({*range(0, last, HOP), last})
        windows += [(stream, start) for start in starts]
    kept = windows
    if len(windows) > MAX_LINES:
        kept = [windows[k] for k in np.linspace(0, len(windows) - 1, MAX_LINES).astype(int)]
    made = [
        line_of(phrase, stream.index[start : start + LONGEST], stream.kind, stream.voice)
        for stream, start in kept
    ]
    seen = sum(
        len(np.unique(np.concatenate([m.index for m in made if (m.kind, m.voice) == key])))
        for key in {(m.kind, m.voice) for m in made}
    )
    return tuple(made), seen / total if total else 0.0


def line_of(phrase: Phrase, index: Ints, kind: str = "line", voice: int = 0) -> Line:
    """A line of the phrase's notes at `index` (rising onsets, `SHORTEST` or more)."""
    part = phrase.notes[index]
    drums = kind == DRUMS
    pitch = np.zeros_like(part["pitch"]) if drums else part["pitch"]
    signs = symbols(pitch, part["onset"], drums)
    return Line(kind, voice, index, pitch, part["onset"], signs, scores.profile(signs))


def line_from(pitch: Ints, onset: Ints) -> Line:
    """A line by itself, from its pitches and rising onsets (ticks)."""
    signs = symbols(pitch, onset)
    return Line("line", 0, np.arange(len(pitch)), pitch, onset, signs, scores.profile(signs))


def exhaustive(index: Index, line: Line, checks: Ints | None = None) -> Found:
    """Align a line with every stream; with `checks` (rows), also its beginnings.

    With checks, blocks and works have one more axis, in front, for them.
    """
    rows = np.array([len(line) - 1]) if checks is None else checks
    blocks = []
    for part in index.segments:
        out = np.zeros((len(rows), part.blocks), np.int16)
        sweep(part, line.profile, rows, out)
        blocks.append(out if checks is not None else out[0])
    return _found(index, blocks, True)


def among(index: Index, line: Line, held: Chosen) -> Found:
    """Align a line with the works that its phrase's figures chose; every other work scores 0."""
    blocks = []
    for part, made in zip(index.segments, held.parts, strict=True):
        out = np.zeros((1, made.segment.blocks), np.int16)
        sweep(made.segment, line.profile, np.array([len(line) - 1]), out)
        whole = np.zeros(part.blocks, np.int16)
        whole[made.blocks] = out[0]
        blocks.append(whole)
    return _found(index, blocks, True)


def sweep(part: Segment, profile: Ints, rows: Ints, out: Ints) -> None:
    kernels().sweep(
        part.steps,
        part.ratios,
        part.ratios2,
        part.event_column,
        part.event_lane,
        part.event_block,
        part.event_reset,
        profile,
        rows.astype(np.int64),
        out,
    )


def _found(index: Index, blocks: list[Ints], everywhere: bool) -> Found:
    works = [p.work_scores(b) for p, b in zip(index.segments, blocks, strict=True)]
    joined = np.concatenate(works, axis=-1)
    joined[..., ~index.alive] = 0
    return Found(tuple(blocks), joined, everywhere)


def by_index(index: Index, line: Line) -> Found:
    """Align a line only where its figures stand in the index; every other work scores 0."""
    blocks = []
    for part, postings in zip(index.segments, index.postings, strict=True):
        out = np.zeros(part.blocks, np.int16)
        begin = postings.beginnings(line.symbols.steps)
        held = candidates.windows(part, begin, len(line))
        np.maximum.at(out, held.block, candidates.align(part, held, line.profile))
        blocks.append(out)
    return _found(index, blocks, False)


def engine_of(index: Index, lines: Sequence[Line]) -> str:
    """The engine that lines of one phrase are searched by, where none was asked for."""
    rows = sum(len(line) for line in lines)
    if len(lines) > 1 and index.stream_notes * rows > MOST_CELLS:
        return "figures"
    return "exhaustive" if index.stream_notes <= EXHAUSTIVE_UP_TO else "index"


def search_all(
    index: Index, lines: Sequence[Line], engine: str = "auto"
) -> tuple[list[Found], str, NDArray[np.bool_] | None]:
    """The scores of a phrase's lines, the engine, and the works that say what is usual (None: all)."""
    if engine == "auto":
        engine = engine_of(index, lines)
    if engine == "exhaustive":
        return [exhaustive(index, line) for line in lines], engine, None
    if engine == "index":
        return [by_index(index, line) for line in lines], engine, None
    held = choose(index, _streams(lines))
    # Lines of drums have no figures.
    found = [
        exhaustive(index, line) if line.kind == DRUMS else among(index, line, held)
        for line in lines
    ]
    return found, engine, held.sample


def _streams(lines: Sequence[Line]) -> list[Ints]:
    """Steps of the streams of which the lines are windows."""
    held: dict[tuple[str, int], list[Line]] = {}
    for line in lines:
        if line.kind != DRUMS:
            held.setdefault((line.kind, line.voice), []).append(line)
    streams = []
    for windows in held.values():
        _, first = np.unique(np.concatenate([w.index for w in windows]), return_index=True)
        pitch = np.concatenate([w.pitch for w in windows])[first]
        streams.append(symbols(pitch, np.concatenate([w.onset for w in windows])[first]).steps)
    return streams


def search(index: Index, line: Line, engine: str = "auto") -> tuple[Found, str]:
    """The scores of one line and the engine that found them."""
    found, used, _ = search_all(index, [line], engine)
    return found[0], used


@dataclass(frozen=True, slots=True)
class Trace:
    """One alignment: its score and its pairs, int32 (n, 3), first pair first.

    Columns: note of the line, note of the stream, 1 where that note was changed.
    """

    score: int
    pairs: Ints


def trace(part: Segment, stream: int, line: Line, start: int, stop: int) -> Trace:
    """The best alignment of a line with notes start:stop of a stream."""
    length = int(part.stream_notes[stream + 1] - part.stream_notes[stream])
    start, stop = max(0, start), min(stop, length)
    if stop - start < SHORTEST:
        return Trace(0, np.zeros((0, 3), np.int32))
    signs = part.symbols(stream, start, stop)
    ways = np.zeros((stop - start, len(line) - 1), np.uint8)
    pairs = np.zeros((3 * len(line) + 3, 3), np.int32)
    score, count = kernels().trace(
        signs.steps,
        signs.ratios,
        signs.ratios2,
        line.profile,
        kernels().worths(line.profile),
        NEVER_ENOUGH,
        ways,
        pairs,
    )
    found = pairs[:count][::-1]
    found[:, 1] += start
    # At a gap both of its ends name the note that stands still: the later pair holds.
    kept = np.ones(count, bool)
    kept[:-1] = (found[1:, 0] > found[:-1, 0]) & (found[1:, 1] > found[:-1, 1])
    return Trace(score, found[kept])


def best_block(index: Index, blocks: Sequence[Ints], work: int) -> tuple[int, int, int]:
    """Segment, stream and block of a work's best score; `blocks` int (blocks,) by segment."""
    segment, local = locate(index, work)
    part = index.segments[segment]
    low = int(part.stream_blocks[part.work_streams[local]])
    high = int(part.stream_blocks[part.work_streams[local + 1]])
    block = low + int(np.argmax(blocks[segment][low:high]))
    return segment, int(np.searchsorted(part.stream_blocks, block, side="right")) - 1, block


def locate(index: Index, work: int) -> tuple[int, int]:
    """Segment of a work, and its number within it."""
    for number, part in enumerate(index.segments):
        if work < part.works:
            return number, work
        work -= part.works
    raise IndexError(work)

"""One part of an index: the streams of some works, laid out for the sweep.

Streams lie one after the other in note order (`pitch`, `onset`, `note`);
for the sweep their symbols are dealt out to `LANES` lanes of about equal
length, each lane holding whole streams one after another.  Scores are kept
for blocks of `BLOCK` notes, so that the place of a match is known without a
second pass over a long work.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.match.kernels import LANES
from musai.match.streams import NO_STEP, Stream, Symbols, streams, symbols_of_lines
from musai.music.notes import NoteArray
from musai.music.phrase import Phrase

BLOCK = 256
"""Notes of a stream that share one score."""

KINDS = ("line", "top", "bottom", "skyline", "bass", "drums")

DRUMS = KINDS.index("drums")

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Segment:
    """Arrays of one segment; see the module's docstring.

    `work_streams` and `stream_notes` and `stream_blocks` are offsets, one
    more than there are works or streams.
    """

    work_streams: Ints
    work_notes: Ints
    stream_notes: Ints
    stream_blocks: Ints
    stream_kind: Ints
    stream_voice: Ints
    stream_lane: Ints
    stream_column: Ints
    pitch: Ints
    onset: Ints
    note: Ints
    steps: Ints
    ratios: Ints
    ratios2: Ints
    event_column: Ints
    event_lane: Ints
    event_block: Ints
    event_reset: Ints

    @property
    def works(self) -> int:
        """Number of works."""
        return len(self.work_streams) - 1

    @property
    def blocks(self) -> int:
        """Number of blocks of all streams."""
        return int(self.stream_blocks[-1])

    @property
    def bytes(self) -> int:
        """Bytes of all arrays."""
        return int(sum(getattr(self, field.name).nbytes for field in fields(self)))

    def line(self, stream: int) -> tuple[Ints, Ints]:
        """Pitches and onsets of one stream."""
        start, stop = self.stream_notes[stream], self.stream_notes[stream + 1]
        return self.pitch[start:stop], self.onset[start:stop]

    def symbols(self, stream: int, start: int, stop: int) -> Symbols:
        """Symbols of notes start:stop of a stream; the first one's step is `NO_STEP`."""
        lane, column = int(self.stream_lane[stream]), int(self.stream_column[stream])
        part = slice(column + start, column + stop)
        steps = self.steps[part, lane].copy()
        steps[:1] = NO_STEP
        return Symbols(steps, self.ratios[part, lane].copy(), self.ratios2[part, lane].copy())

    def work_scores(self, scores: Ints) -> Ints:
        """Best score of every work from the scores of all blocks; (..., blocks) to (..., works)."""
        return _best(scores, self.stream_blocks[self.work_streams])

    def stream_scores(self, scores: Ints) -> Ints:
        """Best score of every stream from the scores of all blocks."""
        return _best(scores, self.stream_blocks)


def _best(scores: Ints, offsets: Ints) -> Ints:
    """Maximum over every offsets[i]:offsets[i+1] of the last axis; 0 where that is empty."""
    full = np.diff(offsets) > 0
    out = np.zeros((*scores.shape[:-1], len(full)), scores.dtype)
    if full.any():
        out[..., full] = np.maximum.reduceat(scores, offsets[:-1][full], axis=-1)
    return out


def build(phrases: Iterable[Phrase]) -> Segment:
    """The segment of some works, in their order."""
    lines: list[tuple[NoteArray, Stream]] = []
    work_streams, work_notes = [0], []
    for phrase in phrases:
        lines.extend((phrase.notes, stream) for stream in streams(phrase))
        work_streams.append(len(lines))
        work_notes.append(len(phrase.notes))
    index = [stream.index for _, stream in lines]
    lengths = np.array([len(i) for i in index], np.int64)
    blocks = -(-lengths // BLOCK)
    pitch = _joined([notes["pitch"][s.index] for notes, s in lines], np.uint8)
    onset = _joined([notes["onset"][s.index] for notes, s in lines], np.uint32)
    stream_notes = _offsets(lengths)
    kind = np.array([KINDS.index(s.kind) for _, s in lines], np.uint8)
    drums = np.repeat(kind == DRUMS, lengths)
    # A drum's number is no pitch: lines of drums have none, so that nothing transposes them.
    pitch[drums] = 0
    signs = symbols_of_lines(pitch, onset, stream_notes[:-1], drums)
    lane, column = deal(lengths)
    stream_blocks = _offsets(blocks)
    return Segment(
        work_streams=np.array(work_streams, np.int64),
        work_notes=np.array(work_notes, np.uint32),
        stream_notes=stream_notes,
        stream_blocks=stream_blocks,
        stream_kind=kind,
        stream_voice=np.array([s.voice for _, s in lines], np.int8),
        stream_lane=lane.astype(np.int32),
        stream_column=column.astype(np.int32),
        pitch=pitch,
        onset=onset,
        note=_joined(index, np.uint32),
        **_laid_out(signs, lengths, lane, column),
        **_events(lengths, lane, column, stream_blocks),
    )


def part_of(whole: Segment, streams: Ints) -> Segment:
    """Some streams of a segment, by rising number, as a segment of its own for the sweep.

    It is of one work, and its notes are not there: only what the sweep reads.
    """
    lengths = np.diff(whole.stream_notes)[streams]
    blocks = -(-lengths // BLOCK)
    lane, column = deal(lengths)
    within = np.arange(lengths.sum()) - np.repeat(_offsets(lengths)[:-1], lengths)
    first = whole.stream_column[streams].astype(np.int64)
    place = (np.repeat(first, lengths) + within) * LANES
    place += np.repeat(whole.stream_lane[streams].astype(np.int64), lengths)
    signs = Symbols(
        *(
            np.asarray(getattr(whole, name)).ravel()[place]
            for name in ("steps", "ratios", "ratios2")
        )
    )
    stream_blocks = _offsets(blocks)
    none = np.zeros(0, np.int64)
    return Segment(
        work_streams=np.array([0, len(streams)], np.int64),
        work_notes=none,
        stream_notes=_offsets(lengths),
        stream_blocks=stream_blocks,
        stream_kind=np.asarray(whole.stream_kind)[streams],
        stream_voice=np.asarray(whole.stream_voice)[streams],
        stream_lane=lane.astype(np.int32),
        stream_column=column.astype(np.int32),
        pitch=none,
        onset=none,
        note=none,
        **_laid_out(signs, lengths, lane, column),
        **_events(lengths, lane, column, stream_blocks),
    )


def deal(lengths: Ints) -> tuple[Ints, Ints]:
    """Lane and first column of every stream: longest first, always to the emptiest lane."""
    lane = np.zeros(len(lengths), np.int64)
    column = np.zeros(len(lengths), np.int64)
    load = [(0, k) for k in range(LANES)]
    for stream in np.argsort(-lengths, kind="stable"):
        used, chosen = heapq.heappop(load)
        lane[stream], column[stream] = chosen, used
        heapq.heappush(load, (used + int(lengths[stream]), chosen))
    return lane, column


def _laid_out(signs: Symbols, lengths: Ints, lane: Ints, column: Ints) -> dict[str, Ints]:
    columns = int((column + lengths).max(initial=0))
    within = np.arange(lengths.sum()) - np.repeat(_offsets(lengths)[:-1], lengths)
    place = (np.repeat(column, lengths) + within) * LANES + np.repeat(lane, lengths)
    out = {}
    for name in ("steps", "ratios", "ratios2"):
        flat = np.full(columns * LANES, NO_STEP, np.int8)
        flat[place] = getattr(signs, name)
        out[name] = flat.reshape(columns, LANES)
    return out


def _events(lengths: Ints, lane: Ints, column: Ints, stream_blocks: Ints) -> dict[str, Ints]:
    """One event where a block ends; at a stream's end the next stream of the lane begins."""
    blocks = np.diff(stream_blocks)
    of = np.repeat(np.arange(len(lengths)), blocks)
    number = np.arange(len(of)) - stream_blocks[of]
    ends = np.minimum((number + 1) * BLOCK, lengths[of])
    at = column[of] + ends
    order = np.argsort(at, kind="stable")
    return {
        "event_column": at[order].astype(np.int32),
        "event_lane": lane[of][order].astype(np.int32),
        "event_block": np.arange(len(of), dtype=np.int32)[order],
        "event_reset": (ends == lengths[of])[order],
    }


def _offsets(lengths: Ints) -> Ints:
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)


def _joined(parts: Sequence[Ints], dtype: Any) -> Ints:
    return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype)

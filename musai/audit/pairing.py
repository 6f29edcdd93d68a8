"""Note to note within the blocks of a piece: what was edited, and in which field; what was deleted.

Within a block, notes of the take that were not found where they should be are laid beside notes of
the piece that nothing explains yet: of the same time and another pitch, or of the
same pitch and another time.  A pair stands where it is likelier than a note deleted
and another added; length, loudness and voice speak for it as far as they are rare.
Pairs are chosen together, the likeliest assignment (Kuhn 1955).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musai.audit.covering import Block
from musai.audit.piece import Ints, Piece
from musai.music import TICKS

REACH = TICKS
"""A note is moved by so many ticks at most, within its edit."""

LEAP = 12
"""A note is put on another pitch by so many semitones at most."""

EDITED, DELETED, ADDED = 0.1, 0.1, 0.5
"""Prior shares: notes of a block edited in one field, deleted; notes of a piece that are new."""

SAME = 0.9
"""An edited note keeps its other fields with this probability."""

_NEVER = -1e3


@dataclass(frozen=True, eq=False)
class Laid:
    """A block with all of its notes told: pairs of source and piece, and notes that are gone.

    `start` and `end` are ticks of the piece.  `gain` is what most of its notes gained in
    velocity: a track turned up is not an edit of every note.
    """

    block: Block
    here: Ints
    there: Ints
    gone: Ints
    start: int
    end: int
    gain: int


def lay(sources: Sequence[Piece], piece: Piece, blocks: Sequence[Block]) -> list[Laid]:
    """Every block with its edits, in order of the piece."""
    free = np.ones(len(piece), bool)
    for block in blocks:
        free[block.there] = False
    spans = _spans(sources, piece, blocks)
    out = []
    for block, (start, end) in zip(blocks, spans, strict=True):
        source = sources[block.place.source]
        time = block.place.ticks(source.onset)
        inside = np.flatnonzero((time >= start) & (time < end))
        inside = np.union1d(inside, block.here)
        missing = np.setdiff1d(inside, block.here)
        here, there = _edits(source, piece, block, missing, np.flatnonzero(free))
        free[there] = False
        gone = np.setdiff1d(missing, here)
        order = np.argsort(np.concatenate([block.here, here]), kind="stable")
        gained = piece.velocity[block.there] - source.velocity[block.here]
        out.append(
            Laid(
                block,
                np.concatenate([block.here, here])[order],
                np.concatenate([block.there, there])[order],
                gone,
                start,
                end,
                int(np.median(gained)),
            )
        )
    return sorted(out, key=lambda laid: (laid.start, laid.block.place.source, laid.end))


def _spans(
    sources: Sequence[Piece], piece: Piece, blocks: Sequence[Block]
) -> list[tuple[int, int]]:
    """From where to where each block reaches in the piece: to the bar lines around its notes.

    A block ends at the latest where another one in a voice of its own begins.
    """
    tight = []
    for block in blocks:
        source = sources[block.place.source]
        time = block.place.ticks(source.onset)[block.first : block.last]
        tight.append((int(time.min()), int(time.max()) + 1))
    out = []
    for (start, end), block in zip(tight, blocks, strict=True):
        at = int(np.searchsorted(piece.bars, start, "right")) - 1
        low = int(piece.bars[max(0, at)])
        high = int(piece.bars[min(len(piece.bars) - 1, int(np.searchsorted(piece.bars, end)))])
        mine = np.unique(piece.voice[block.there])
        for (first, last), other in zip(tight, blocks, strict=True):
            if other is not block and np.isin(piece.voice[other.there], mine).any():
                low = max(low, last) if last <= start else low
                high = min(high, first) if first >= end else high
        out.append((min(low, start), max(high, end)))
    return out


def _edits(
    source: Piece, piece: Piece, block: Block, missing: Ints, free: Ints
) -> tuple[Ints, Ints]:
    """Pairs of missing notes of a source and free notes of the piece that are edits."""
    none = np.zeros(0, np.int64)
    if len(missing) == 0 or len(free) == 0:
        return none, none
    time = block.place.ticks(source.onset)[missing]
    near = (piece.onset[free] >= time.min() - REACH) & (piece.onset[free] <= time.max() + REACH)
    free = free[near]
    if len(free) == 0:
        return none, none
    worth = _worth(source, piece, block, missing, free, time)
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(np.minimum(0, -worth))
    chosen = worth[rows, columns] > 0
    return missing[rows[chosen]], free[columns[chosen]]


def _worth(
    source: Piece, piece: Piece, block: Block, missing: Ints, free: Ints, time: Ints
) -> NDArray[np.float64]:
    """Nats by which each pair is likelier than a note deleted and another added: (missing, free)."""
    drum = source.row[missing] >= 128
    rise = np.where(drum, 0, block.place.transposition)
    later = np.abs(piece.onset[free][None, :] - time[:, None])
    higher = piece.row[free][None, :] - (source.row[missing] + rise)[:, None]
    on_time = later <= piece.reach
    retuned = on_time & (higher != 0) & (np.abs(higher) <= LEAP)
    moved = ~on_time & (higher == 0) & (later <= REACH)
    # Where an unrelated note would be: a place in time near by, a pitch near by.
    places = 2 * REACH / piece.slot
    new = _added(piece, free)
    by_pitch = np.log(EDITED / DELETED / LEAP) - np.log(new / (2 * LEAP))[None, :]
    by_time = np.log(EDITED / DELETED / places) - np.log(new / (2 * LEAP))[None, :]
    worth = np.where(retuned, by_pitch, np.where(moved, by_time, _NEVER))
    length = np.rint(block.place.scale * source.duration[missing]).astype(np.int64)
    close = np.abs(piece.duration[free][None, :] - length[:, None]) <= piece.tolerance
    worth = worth + _speaks(close, _rarity(piece.duration, piece.duration[free]))
    gain = int(np.median(piece.velocity[block.there] - source.velocity[block.here]))
    as_loud = piece.velocity[free][None, :] == (source.velocity[missing] + gain)[:, None]
    worth += _speaks(as_loud, _rarity(piece.velocity, piece.velocity[free]))
    worth += _speaks(*_voices(source, piece, block, missing, free))
    return worth


def _added(piece: Piece, free: Ints) -> NDArray[np.float64]:
    """Unexplained notes at one place in time near each of them: how many a place holds."""
    reach = 4 * TICKS
    onset = np.sort(piece.onset[free])
    low = np.searchsorted(onset, piece.onset[free] - reach)
    high = np.searchsorted(onset, piece.onset[free] + reach)
    share: NDArray[np.float64] = (high - low) / (2 * reach / piece.slot)
    return share


def _rarity(values: Ints, mine: Ints) -> NDArray[np.float64]:
    """Share of all notes that have each of the values."""
    known, counts = np.unique(values, return_counts=True)
    share: NDArray[np.float64] = counts[np.searchsorted(known, mine)] / len(values)
    return share


def _voices(
    source: Piece, piece: Piece, block: Block, missing: Ints, free: Ints
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether a free note is in the voice that the block's other notes of that voice went to."""
    went = {
        voice: np.bincount(piece.voice[block.there[source.voice[block.here] == voice]]).argmax()
        for voice in np.unique(source.voice[block.here])
    }
    usual = np.bincount(piece.voice[block.there]).argmax()
    expected = np.array([went.get(voice, usual) for voice in source.voice[missing]])
    return (
        piece.voice[free][None, :] == expected[:, None],
        _rarity(piece.voice, piece.voice[free]),
    )


def _speaks(same: NDArray[np.bool_], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nats for a pair whose field is the same, or is not, when `share` of all notes have it."""
    common = np.clip(share, 0.02, 0.98)[None, :]
    told: NDArray[np.float64] = np.where(
        same, np.log(SAME / common), np.log((1 - SAME) / (1 - common))
    )
    return told

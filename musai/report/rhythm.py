"""Times on a grid, and lengths as note values: what staff notation asks of a performance.

Each beat takes the coarsest grid that its onsets fit: whole, half, quarter
or eighth of a beat, or its thirds and sixths.  Notes are read as one line: a
length ends at the next onset, gaps under a sixteenth are played, not
written.  Lengths are then cut at bar lines, at the edges of triplets and where
a reader expects to see the beat, and the parts tied.

Units: ticks at 480 a quarter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from musai.errors import BadInput
from musai.match.streams import SPREAD
from musai.report.bars import Bar

FINEST = 60
"""A 32nd, the shortest value that is written."""

TOGETHER = SPREAD
"""Notes this near to one another are a chord, to the matcher too; others that fall on one place
of the grid lead into it as grace notes."""

UNWRITTEN = 120
"""A shorter silence before the next note is not written as a rest."""

LONGEST_BAR = 16 * 480
"""A longer bar would be hundreds of rests."""

MOST_OFF = 21.0
"""Mean of an onset's distance from its grid and the grid's price, in ticks, beyond which a passage
is not notated.  Random onsets cost 22 to 28 (two or three a beat; 90% of passages), eighths and
sixteenths with a player's unevenness of 20 ticks 13 to 21, exact 32nds 12."""

_GRIDS = {
    480: ((480, 0), (240, 1), (120, 3), (160, 5), (60, 12), (80, 14)),
    720: ((720, 0), (240, 1), (120, 3), (60, 12)),
    360: ((360, 0), (120, 1), (60, 4)),
    240: ((240, 0), (120, 2), (60, 10)),
    180: ((180, 0), (60, 2)),
    120: ((120, 0), (60, 2)),
    60: ((60, 0),),
}
"""Beat -> (step, what choosing it costs), steps and costs in ticks: a finer grid must earn its place."""

_COLLISION = 100
_VALUES = (2880, 1920, 1440, 960, 720, 480, 360, 240, 180, 120, 60)
_ALIGNED = {360: 120, 240: 120, 180: 60, 120: 60, 60: 60}


@dataclass(frozen=True, slots=True)
class Sound:
    """A note to be written: onset and end in ticks, and which note it is."""

    onset: float
    end: float
    note: int


@dataclass(frozen=True, slots=True)
class Event:
    """Notes that begin together, on the grid, with grace notes before them."""

    start: int
    end: int
    notes: tuple[int, ...]
    graces: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """One written value: ticks as written (in a triplet 3 for 2), what sounds, and its ties."""

    start: int
    written: int
    event: Event | None
    tied: bool = False
    ties: bool = False
    triplet: bool = False


@dataclass(frozen=True, slots=True)
class Beat:
    """A beat, the step of its grid, and what the choice of that grid costs."""

    first: int
    last: int
    step: int
    price: int = 0

    def at(self, tick: float) -> int:
        """The nearest place of the grid."""
        return min(self.last, self.first + self.step * round((tick - self.first) / self.step))


def beat_ticks(bar: Bar) -> int:
    """The beat of the grid: a quarter in 4/4, 3/4 and 2/2, a dotted quarter in 6/8."""
    return 480 if bar.signature.denominator <= 4 else bar.signature.beat_ticks


def beats_of(bars: Sequence[Bar], sounds: Sequence[Sound]) -> list[Beat]:
    """The beats of the bars, each with the grid that its onsets fit best.

    Raises `BadInput` for a time signature whose beats have no grid.
    """
    onsets = sorted({sound.onset for sound in sounds})
    found, k = [], 0
    for bar in bars:
        size = beat_ticks(bar)
        one = f"{bar.signature.numerator}/{bar.signature.denominator}"
        if size not in _GRIDS or (bar.last - bar.first) % FINEST:
            raise BadInput(f"its bar {bar.number} in {one} lasts no whole number of 32nds")
        if bar.last - bar.first > LONGEST_BAR:
            raise BadInput(f"its bar {bar.number} in {one} lasts more than 16 quarters")
        for first in range(bar.first, bar.last, size):
            last = min(first + size, bar.last)
            while k < len(onsets) and onsets[k] < first:
                k += 1
            here = [onset for onset in onsets[k : k + 200] if onset < last]
            step, price = _step(first, size, here) if last - first == size else (FINEST, 0)
            found.append(Beat(first, last, step, price))
    return found


def _step(first: int, size: int, onsets: Sequence[float]) -> tuple[int, int]:
    if not onsets:
        return size, 0

    def cost(step: int) -> float:
        beat = Beat(first, first + size, step)
        placed = [beat.at(onset) for onset in onsets]
        off = sum(abs(p - o) for p, o in zip(placed, onsets, strict=True)) / len(onsets)
        fallen = sum(
            p == q and b - a > TOGETHER
            for (a, b), (p, q) in zip(pairwise(onsets), pairwise(placed), strict=True)
        )
        return off + _COLLISION * fallen

    return min(_GRIDS[size], key=lambda choice: cost(choice[0]) + choice[1])


def events_of(beats: Sequence[Beat], sounds: Sequence[Sound]) -> list[Event]:
    """The notes on the grid, in order.  Raises `BadInput` for what lies too far from any grid."""
    ordered = sorted(sounds, key=lambda s: (s.onset, s.note))
    placed = [_placed(beats, s.onset) for s in ordered]
    off = [
        abs(p - s.onset) + _beat_at(beats, s.onset).price
        for p, s in zip(placed, ordered, strict=True)
    ]
    if ordered and sum(off) / len(off) > MOST_OFF:
        raise BadInput("its notes lie on no grid of 32nds or triplets")
    groups: list[tuple[int, list[Sound], list[int]]] = []
    for start, sound in zip(placed, ordered, strict=True):
        if groups and groups[-1][0] == start:
            _, members, graces = groups[-1]
            if sound.onset - members[0].onset > TOGETHER:
                graces += [member.note for member in members]
                members.clear()
            members.append(sound)
        else:
            groups.append((start, [sound], []))
    if 3 * sum(len(graces) for _, _, graces in groups) > len(ordered):
        raise BadInput("most of its notes are shorter than a 32nd")
    return list(_events(beats, groups))


def _events(
    beats: Sequence[Beat], groups: Sequence[tuple[int, list[Sound], list[int]]]
) -> Iterator[Event]:
    limit = beats[-1].last
    for (start, members, graces), later in zip(groups, [*groups[1:], None], strict=True):
        most = limit if later is None else later[0]
        end = max(sound.end for sound in members)
        if later is None or most - end >= UNWRITTEN:
            beat = _beat_at(beats, start)
            fine = beat.step if beat.step % 80 else 80
            end = min(most, max(_end(beats, end), start + min(fine, FINEST * 2)))
        else:
            end = most
        if end > start:
            yield Event(start, int(end), tuple(s.note for s in members), tuple(graces))


def _beat_at(beats: Sequence[Beat], tick: float) -> Beat:
    """The beat that holds a tick, the first or the last where none does."""
    low, high = 0, len(beats) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if beats[middle].first <= tick else (low, middle - 1)
    return beats[low]


def _placed(beats: Sequence[Beat], onset: float) -> int:
    beat = _beat_at(beats, onset)
    tick = max(beat.first, beat.at(onset))
    # The very end of the last bar is no place for a note to begin.
    return tick if tick < beats[-1].last else tick - beat.step


def _end(beats: Sequence[Beat], tick: float) -> int:
    """The nearest end on a grid of sixteenths, or of the beat's own where that is finer or in thirds."""
    beat = _beat_at(beats, tick)
    if beat.last - tick < UNWRITTEN and beat.step not in (60, 80):
        return beat.last
    step = beat.step if beat.step in (60, 80, 160) else 120
    if (beat.last - beat.first) % step:
        step = FINEST
    return Beat(beat.first, beat.last, step).at(tick)


def pieces_of(bar: Bar, beats: Sequence[Beat], events: Sequence[Event]) -> list[Piece]:
    """What one bar writes, rests included; `beats` are those of the bar.

    An event of an earlier bar that still sounds begins with a tie.
    """
    inside = [e for e in events if e.start < bar.last and e.end > bar.first]
    spans: list[tuple[int, int, Event | None]] = []
    tick = bar.first
    for event in inside:
        start, end = max(event.start, bar.first), min(event.end, bar.last)
        if start > tick:
            spans.append((tick, start, None))
        spans.append((start, end, event))
        tick = end
    if tick < bar.last:
        spans.append((tick, bar.last, None))
    edges = {edge for first, last, _ in spans for edge in (first, last)}
    thirds = [b for b in beats if any(b.first < e < b.last and (e - b.first) % 60 for e in edges)]
    return [
        piece for first, last, event in spans for piece in _written(first, last, event, bar, thirds)
    ]


def _written(
    first: int, last: int, event: Event | None, bar: Bar, thirds: Sequence[Beat]
) -> Iterator[Piece]:
    """One sound or silence of a bar as values, cut at the edges of triplets."""
    cuts = sorted(
        {first, last, *(e for b in thirds for e in (b.first, b.last) if first < e < last)}
    )
    for start, end in pairwise(cuts):
        triplet = any(b.first <= start < b.last for b in thirds)
        for tick, size, value in _values(start, end, event is not None, bar, triplet):
            yield Piece(
                tick,
                value,
                event,
                tied=event is not None and tick > event.start,
                ties=event is not None and tick + size < event.end,
                triplet=triplet,
            )


def _values(
    start: int, end: int, sounds: bool, bar: Bar, triplet: bool
) -> Iterator[tuple[int, int, int]]:
    """(tick, ticks, ticks as written) of the values that fill a span."""
    tick = start
    while tick < end:
        if triplet:
            value = next(v for v in (480, 360, 240, 120, 60) if v * 2 <= 3 * (end - tick))
            size = value * 2 // 3
        else:
            size = value = _longest(tick - bar.first, end - tick, sounds, bar)
        yield tick, size, value
        tick += size


def _longest(at: int, left: int, sounds: bool, bar: Bar) -> int:
    """The longest value that may stand at a place of the bar and hides no beat from the reader."""
    beat = beat_ticks(bar)
    compound = beat % 360 == 0
    inside = at % beat
    if inside:
        to_beat = beat - inside
        if left > to_beat and not (sounds and _syncopated(at, left, beat, bar)):
            left = to_beat
        fitting = [v for v in _VALUES if v <= left]
        return next((v for v in fitting if at % _ALIGNED.get(v, 240) == 0), FINEST)
    if compound and left >= beat:
        return next(v for v in _VALUES if v <= left and v % beat == 0)
    if not sounds and left > beat:
        # Rests show every beat, and the half bar where they fill it.
        half = 960 if beat == 480 and at % 960 == 0 and left >= 960 else beat
        return half
    return next(v for v in _VALUES if v <= left)


def _syncopated(at: int, left: int, beat: int, bar: Bar) -> bool:
    """Whether a note off the beat may be held over it: a quarter or a dotted one, not over mid-bar."""
    if beat != 480 or left not in (480, 720) or at % 240:
        return False
    middle = 960 if bar.signature.numerator % 2 == 0 else bar.last - bar.first
    return at // middle == (at + left - 1) // middle

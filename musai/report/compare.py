"""Two passages note by note: which notes are equal, changed, missing or added.

Conventions: pairs are (index into the phrase's notes, index into the work's
notes), as the matcher aligned them.  The work is brought to the phrase's key
by the commonest pitch difference of the pairs, and to its time by one straight
line through their onsets (the median of slopes, after Theil 1950 and Sen
1968), so that what differs in rhythm stays visible.  What counts as missing or
added is decided within the line of notes that the matcher aligned.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musai.errors import BadInput
from musai.match.align import RHYTHM_TOLERANCE
from musai.match.streams import streams
from musai.music import Metre, NoteArray, Phrase
from musai.report.bars import bars_between
from musai.report.degrees import local_keys
from musai.report.records import BarLine, ComparedNote, Comparison, Counts, Likeness, Place

Pairs = Sequence[tuple[int, int]]
Ints = NDArray[np.int64]

MAX_WINDOW_BARS = 32
"""A longer common passage is drawn from its beginning to here."""


@dataclass(frozen=True, slots=True)
class _Line:
    """The straight line from the work's ticks to the phrase's."""

    stretch: float
    offset: float

    def __call__(self, tick: float) -> float:
        return self.stretch * tick + self.offset


def compare(
    phrase: Phrase, work: Phrase, pairs: Pairs, tempo_ratio: float | None = None
) -> Comparison:
    """The comparison of a hit: `pairs` as the matcher gave them, at least one.

    `tempo_ratio` is the hit's, by which the longest run is judged as the matcher judged it; where
    it is not known, the stretch that lays the work under the phrase stands in for it.
    Raises `BadInput` where there are no pairs or an index has no note.
    """
    ours, theirs = _columns(phrase, work, pairs)
    semitones = _semitones(phrase.notes[ours], work.notes[theirs])
    line = _fit(work.notes[theirs], phrase.notes[ours])
    same = phrase.notes["pitch"][ours].astype(int) == (
        work.notes["pitch"][theirs].astype(int) + semitones
    )
    lines = _line(phrase, ours), _line(work, theirs)
    added, missing = _unpaired(lines[0], ours), _unpaired(lines[1], theirs)
    run = _run(phrase.notes, work.notes, (ours, theirs), lines, tempo_ratio or line.stretch)
    first, last = _window(phrase, work, ours, theirs, line)
    spans = tuple(
        (float(_starts(side, chosen).min()), float(_ends(side, chosen).max()))
        for side, chosen in ((phrase, ours), (work, theirs))
    )
    phrase_key, work_key = local_keys(phrase, work, semitones, (spans[0], spans[1]))
    left = _side(phrase, ours, same, added, "added", run, _Line(1.0, 0.0), 0, (first, last))
    right = _side(work, theirs, same, missing, "missing", run, line, semitones, (first, last))
    return Comparison(
        first=first,
        last=last,
        semitones=semitones,
        stretch=round(line.stretch, 6),
        phrase=left,
        work=right,
        work_bars=_bars(work, line, first, last),
        counts=Counts(
            equal=int(same.sum()),
            changed=int((~same).sum()),
            missing=len(missing),
            added=len(added),
        ),
        phrase_place=_place(phrase, ours),
        work_place=_place(work, theirs),
        run=(run[0], run[-1]) if run else None,
        offset=round(line.offset, 2),
        phrase_key=phrase_key,
        work_key=work_key,
    )


def _columns(phrase: Phrase, work: Phrase, pairs: Pairs) -> tuple[Ints, Ints]:
    if not pairs:
        raise BadInput("an alignment of no pairs; legal is at least one")
    table = np.array(sorted(pairs), np.int64)
    for name, column, count in (
        ("phrase", table[:, 0], len(phrase)),
        ("work", table[:, 1], len(work)),
    ):
        if column.min() < 0 or column.max() >= count:
            raise BadInput(f"an aligned note of the {name} is {column.max()}; it has {count} notes")
    return table[:, 0], table[:, 1]


def _semitones(ours: NoteArray, theirs: NoteArray) -> int:
    """The commonest difference; of equally common ones the smallest shift."""
    differences = ours["pitch"].astype(int) - theirs["pitch"].astype(int)
    counts: Counter[int] = Counter(differences.tolist())
    return min(counts, key=lambda shift: (-counts[shift], abs(shift), shift))


def _fit(theirs: NoteArray, ours: NoteArray) -> _Line:
    x, y = theirs["onset"].astype(float), ours["onset"].astype(float)
    step = max(1, len(x) // 200)
    x, y = x[::step], y[::step]
    i, j = np.triu_indices(len(x), 1)
    apart = x[j] > x[i]
    i, j = i[apart], j[apart]
    slopes = (y[j] - y[i]) / (x[j] - x[i])
    slopes = slopes[slopes > 0]
    if len(slopes):
        stretch = float(np.median(slopes))
    else:
        stretch = float(np.median(ours["duration"] / theirs["duration"]))
    return _Line(stretch, float(np.median(y - stretch * x)))


def _line(source: Phrase, paired: Ints) -> Ints:
    """The line of notes that was aligned: of the matcher's own, the one with most of the pairs."""
    chosen = set(paired.tolist())
    lines = [stream.index.astype(np.int64) for stream in streams(source)]
    return max(lines, key=lambda index: len(chosen.intersection(index.tolist())), default=paired)


def _unpaired(line: Ints, paired: Ints) -> list[int]:
    """Notes of the line between its first and last pair that have no pair."""
    inside = line[(line >= paired.min()) & (line <= paired.max())]
    return sorted(set(inside.tolist()) - set(paired.tolist()))


def _run(
    ours: NoteArray,
    theirs: NoteArray,
    pairs: tuple[Ints, Ints],
    lines: tuple[Ints, Ints],
    stretch: float,
) -> list[int]:
    """The longest row of pairs, next to one another in both lines, equal in interval and rhythm.

    The same condition as the matcher's longest run, so that the picture marks
    what the number counts.
    """
    places = [{int(note): k for k, note in enumerate(line)} for line in lines]
    best: list[int] = []
    row: list[int] = []
    for k, (i, j) in enumerate(zip(*(column.tolist() for column in pairs), strict=True)):
        if i not in places[0] or j not in places[1]:
            continue
        before = row[-1] if row else None
        if before is not None:
            a, b = int(pairs[0][before]), int(pairs[1][before])
            step = (places[0][i] - places[0][a], places[1][j] - places[1][b])
            alike = step == (1, 1) and _alike(ours[[a, i]], theirs[[b, j]], stretch)
            row = [*row, k] if alike else [k]
        else:
            row = [k]
        if len(row) > len(best):
            best = row
    return best if len(best) > 1 else []


def _alike(ours: NoteArray, theirs: NoteArray, stretch: float) -> bool:
    """Whether two steps are equal in interval, and in time to within the matcher's tolerance."""
    steps = [int(two["pitch"][1]) - int(two["pitch"][0]) for two in (ours, theirs)]
    gaps = [float(two["onset"][1]) - float(two["onset"][0]) for two in (ours, theirs)]
    if steps[0] != steps[1] or min(gaps) <= 0:
        return False
    return bool(abs(np.log2(gaps[0] / (gaps[1] * stretch))) < RHYTHM_TOLERANCE)


def _window(
    phrase: Phrase, work: Phrase, ours: Ints, theirs: Ints, line: _Line
) -> tuple[float, float]:
    """Whole bars of the phrase that hold both passages."""
    begins = min(_starts(phrase, ours).min(), line(_starts(work, theirs).min()))
    ends = max(_ends(phrase, ours).max(), line(_ends(work, theirs).max()))
    bars = bars_between(phrase.metre, max(0.0, begins), min(ends, phrase.length), MAX_WINDOW_BARS)
    return float(bars[0].first), float(bars[-1].last)


def _starts(phrase: Phrase, chosen: Ints) -> Ints:
    starts: Ints = phrase.notes["onset"][chosen].astype(np.int64)
    return starts


def _ends(phrase: Phrase, chosen: Ints) -> Ints:
    return _starts(phrase, chosen) + phrase.notes["duration"][chosen].astype(np.int64)


def _side(
    source: Phrase,
    paired: Ints,
    same: NDArray[np.bool_],
    alone: list[int],
    alone_is: Likeness,
    run: list[int],
    line: _Line,
    semitones: int,
    window: tuple[float, float],
) -> tuple[ComparedNote, ...]:
    """All notes of one source that fall in the window, each with its likeness."""
    pair_of = {int(note): k for k, note in enumerate(paired)}
    lonely = set(alone)
    onsets = line.stretch * source.notes["onset"].astype(float) + line.offset
    ends = onsets + line.stretch * source.notes["duration"]
    shown = []
    for i in np.flatnonzero((ends > window[0]) & (onsets < window[1])).tolist():
        pair = pair_of.get(i)
        likeness: Likeness = alone_is if i in lonely else "other"
        if pair is not None:
            likeness = "equal" if same[pair] else "changed"
        pitch = int(source.notes["pitch"][i])
        bar, beat = source.metre.bar_and_beat(int(source.notes["onset"][i]))
        shown.append(
            ComparedNote(
                onset=round(float(onsets[i]), 2),
                duration=round(float(ends[i] - onsets[i]), 2),
                pitch=pitch + semitones,
                written=pitch,
                likeness=likeness,
                bar=bar,
                beat=round(beat, 4),
                pair=pair,
                in_run=pair in run,
            )
        )
    return tuple(shown)


def _bars(work: Phrase, line: _Line, first: float, last: float) -> tuple[BarLine, ...]:
    """The work's bar lines that fall in the window, at most eight a bar of the phrase."""
    begin, end = ((tick - line.offset) / line.stretch for tick in (first, last))
    found = bars_between(work.metre, max(0.0, begin), min(end, work.length), 8 * MAX_WINDOW_BARS)
    return tuple(
        BarLine(
            number=bar.number,
            onset=round(line(bar.first), 2),
            signature=(bar.signature.numerator, bar.signature.denominator),
        )
        for bar in found
        if first <= line(bar.first) < last
    )


def _place(source: Phrase, chosen: Ints) -> Place:
    starts = _starts(source, chosen)
    metre: Metre = source.metre
    (first_bar, first_beat), (last_bar, last_beat) = (
        metre.bar_and_beat(int(starts.min())),
        metre.bar_and_beat(int(starts.max())),
    )
    return Place(
        first_bar=first_bar,
        first_beat=round(first_beat, 4),
        last_bar=last_bar,
        last_beat=round(last_beat, 4),
    )

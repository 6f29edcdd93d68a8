"""A comparison as one SVG: the phrase above, the work under it in the same key and time.

Likeness is told by shape: equal notes are solid, changed ones hatched, notes
of one side alone dashed and hollow, everything round about pale.  Lines join
aligned notes (solid for equal, dashed for changed, heavy for the longest run).
"""

from collections.abc import Iterator, Sequence

from musai.music import TICKS, Metre
from musai.report import lanes, svg
from musai.report.bars import Bar, bars_between, systems
from musai.report.compare import MAX_WINDOW_BARS
from musai.report.lanes import GUTTER, HEAD, WIDTH, Lane, Time
from musai.report.names import counted, interval, pitch_name, prefers_flats, quantity
from musai.report.records import ComparedNote, Comparison
from musai.report.roll import Role, document

_BAND = 34
_GAP = 26
WIDEST_LINE = 20 * TICKS
"""Ticks that one line of the picture spans at most."""

_RUN_HEAD = 16
_ROUND = 5
"""Semitones beyond the compared notes within which the notes round about are drawn."""


def aligned_svg(
    comparison: Comparison,
    metre: Metre,
    *,
    titles: tuple[str, str],
    role: Role = "musai",
    ident: str = "aligned",
    standalone: bool = False,
) -> str:
    """The picture of a comparison; `metre` is the phrase's, `titles` name phrase and work."""
    bars = bars_between(metre, comparison.first, comparison.last, MAX_WINDOW_BARS)
    lines = systems(bars, WIDEST_LINE)
    reach = max(line[-1].last - line[0].first for line in lines)
    rows = _rows(comparison)
    parts = [
        svg.element("g", lanes.patterns_svg(f"{ident}-a"), class_=role),
        svg.element("g", lanes.patterns_svg(f"{ident}-b"), class_="work"),
    ]
    top = 14.0
    for line in lines:
        drawn, top = _system(
            comparison, line, reach, top, titles, role, ident, rows, prefers_flats(metre)
        )
        parts += drawn
        top += _GAP
    content = (
        svg.title(f"{titles[0]} above {titles[1]}, note by note"),
        svg.description(in_words(comparison)),
        *parts,
    )
    return document(content, top - _GAP + 6, standalone)


def in_words(comparison: Comparison) -> str:
    """What the picture shows, in a sentence."""
    counts = comparison.counts
    key = (
        "in the phrase's own key"
        if comparison.semitones == 0
        else f"brought {interval(comparison.semitones)} to the phrase's key"
    )
    return (
        f"{counted(counts.equal, 'note')} equal, {counts.changed} changed, {counts.missing} "
        f"in the work alone, {counts.added} in the phrase alone; the work is {key}."
    )


def _system(
    comparison: Comparison,
    bars: Sequence[Bar],
    reach: int,
    y: float,
    titles: tuple[str, str],
    role: Role,
    ident: str,
    rows: tuple[int, ...],
    flats: bool,
) -> tuple[list[str], float]:
    """Two lanes and the links between them; the y under them."""
    first, last = bars[0].first, bars[-1].last
    time = Time(first, last, GUTTER, GUTTER + (WIDTH - 4 - GUTTER) * (last - first) / reach)
    marks = [(float(bar.first), str(bar.number)) for bar in bars]
    beats = [float(tick) for bar in bars for tick in bar.beats]
    row = max(6.0, min(12.0, 300 / len(rows)))
    run = [n for n in comparison.phrase if n.in_run and time.first <= n.onset < time.last]
    upper = Lane(rows, y + HEAD + (_RUN_HEAD if run else 0), row, flats=flats)
    lower = Lane(rows, upper.bottom + _BAND, row, flats=flats)
    theirs = [(line.onset, str(line.number)) for line in comparison.work_bars]
    ours = _half(upper, time, comparison.phrase, f"{ident}-a")
    work = _half(lower, time, comparison.work, f"{ident}-b")
    parts = [
        svg.text(titles[0], time.left, y, "side"),
        *_grounds(upper, time, marks, beats, comparison.phrase),
        *_grounds(lower, time, theirs, (), comparison.work, below=True),
        *_links(comparison, time, upper, lower),
        svg.element("g", *ours, class_=role),
        svg.element("g", *work, class_="work"),
        *_run(comparison, run, time, upper.top - HEAD),
        svg.text(titles[1], time.left, lower.bottom + 31, "side"),
    ]
    return parts, lower.bottom + 38


def _rows(comparison: Comparison) -> tuple[int, ...]:
    """The same rows for both sides: the compared notes and what lies just round them."""
    notes = [*comparison.phrase, *comparison.work]
    core = [min(max(n.pitch, 0), 127) for n in notes if n.likeness != "other"]
    low, high = min(core) - _ROUND, max(core) + _ROUND
    near = [n.pitch for n in notes if max(low, 0) <= n.pitch <= min(high, 127)]
    return lanes.pitched_rows([*near, *core])


def _grounds(
    lane: Lane,
    time: Time,
    bars: Sequence[tuple[float, str]],
    beats: Sequence[float],
    notes: Sequence[ComparedNote],
    below: bool = False,
) -> Iterator[str]:
    named = {n.pitch for n in notes if n.likeness != "other" and n.pitch in lane.pitches}
    yield from lanes.rows_svg(lane, time, named)
    yield from lanes.bars_svg(lane, time, bars, beats, below)


def _half(lane: Lane, time: Time, notes: Sequence[ComparedNote], ident: str) -> Iterator[str]:
    """The notes of one side, those outside the match behind the others."""
    here = [n for n in notes if time.meets(n.onset, n.duration) and n.pitch in lane.pitches]
    for note in sorted(here, key=lambda n: n.likeness != "other"):
        pattern = f"{ident}-hatch" if note.likeness == "changed" else None
        span = (note.onset, note.onset + note.duration)
        tip = _tip(note, lane.flats)
        yield lanes.note_svg(lane, time, span, note.pitch, note.likeness, tip, pattern)
    yield lanes.frame_svg(lane, time)


def _tip(note: ComparedNote, flats: bool) -> str:
    meaning = {
        "equal": "equal",
        "changed": "changed",
        "missing": "in the work alone",
        "added": "in the phrase alone",
        "other": "not part of the match",
    }[note.likeness]
    written = "" if note.written == note.pitch else f" (sounds {pitch_name(note.written, flats)})"
    return (
        f"{pitch_name(note.pitch, flats)}{written}, bar {note.bar}, "
        f"beat {quantity(note.beat)}, {meaning}"
    )


def _links(comparison: Comparison, time: Time, upper: Lane, lower: Lane) -> Iterator[str]:
    """From each note of the phrase to its partner: faint over the lanes, plain between them."""
    ours = {n.pair: n for n in comparison.phrase if n.pair is not None}
    theirs = {n.pair: n for n in comparison.work if n.pair is not None}
    for k in sorted(ours.keys() & theirs.keys()):
        a, b = ours[k], theirs[k]
        if not time.first <= a.onset < time.last or not {a.pitch, b.pitch} <= set(lower.pitches):
            continue
        class_ = f"link {a.likeness}{' run' if a.in_run else ''}"
        x1, x2 = time.x(a.onset) + 3, time.x(b.onset) + 3
        top, bottom = upper.bottom + 4, lower.top - 4
        yield lanes.line(f"{class_} faint", x1, upper.y(a.pitch) + upper.row, x1, top)
        yield lanes.line(class_, x1, top, x2, bottom)
        yield lanes.line(f"{class_} faint", x2, bottom, x2, lower.y(b.pitch))


def _run(
    comparison: Comparison, members: Sequence[ComparedNote], time: Time, y: float
) -> Iterator[str]:
    """A brace over the longest run, named."""
    if not members:
        return
    left = time.x(members[0].onset)
    right = time.x(members[-1].onset + members[-1].duration)
    yield svg.element("path", class_="brace", d=f"M{left:.1f},{y + 4:.1f}v-5H{right:.1f}v5")
    label = f"{sum(n.in_run for n in comparison.phrase)} notes in a row"
    middle = min(max((left + right) / 2, time.left + 150), time.right - 44)
    yield svg.text(label, middle, y - 5, "runtext")

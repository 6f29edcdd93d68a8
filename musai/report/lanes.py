"""Axes of a piano roll: ticks to x, pitches to y, and the grid behind the notes.

Units: ticks at 480 a quarter; pitches are MIDI numbers; pictures are in
user units of an SVG `WIDTH` wide (about a CSS pixel on a desk's screen).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from musai.report import svg
from musai.report.names import DRUMS, pitch_name

WIDTH = 960
GUTTER = 56
HEAD = 20
"""Room above a lane for its bar numbers."""

_BLACK = (1, 3, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class Time:
    """A stretch of ticks laid from x = `left` to x = `right`."""

    first: float
    last: float
    left: float = GUTTER
    right: float = WIDTH - 4

    def x(self, tick: float) -> float:
        """The place of a tick, held within the stretch."""
        inside = min(max(tick, self.first), self.last)
        share = (inside - self.first) / max(1e-9, self.last - self.first)
        return self.left + share * (self.right - self.left)

    def meets(self, onset: float, duration: float) -> bool:
        """Whether any of a note lies within the stretch."""
        return onset < self.last and onset + duration > self.first


@dataclass(frozen=True, slots=True)
class Lane:
    """Rows of pitches from `top` down; `pitches` falls, so higher notes stand higher."""

    pitches: tuple[int, ...]
    top: float
    row: float
    drums: bool = False
    flats: bool = False

    @property
    def height(self) -> float:
        """The height of all rows together."""
        return self.row * len(self.pitches)

    @property
    def bottom(self) -> float:
        """The y just under the last row."""
        return self.top + self.height

    def y(self, pitch: int) -> float:
        """The upper edge of a pitch's row."""
        return self.top + self.row * self.pitches.index(pitch)

    def label(self, pitch: int) -> str:
        """What the gutter and the tooltips call this row."""
        if self.drums:
            return DRUMS.get(pitch, f"drum {pitch}")
        return pitch_name(pitch, self.flats)


def pitched_rows(pitches: Iterable[int]) -> tuple[int, ...]:
    """Every semitone from a little above the highest to a little below the lowest, an octave at least."""
    used = list(pitches) or [60]
    low, high = min(used) - 1, max(used) + 1
    while high - low < 12:
        low, high = low - 1, high + 1
    return tuple(range(min(high, 127), max(low, 0) - 1, -1))


def drum_rows(pitches: Iterable[int]) -> tuple[int, ...]:
    """Only the drums struck, high numbers above."""
    return tuple(sorted(set(pitches), reverse=True))


def row_height(rows: int) -> float:
    """Tall enough to name the notes in a melody; a full keyboard still fits a screen."""
    return max(3.5, min(12.0, 340 / rows))


def rows_svg(lane: Lane, time: Time, used: Iterable[int]) -> list[str]:
    """The ground: shaded black keys, lines between rows, and names in the gutter."""
    width = time.right - time.left
    parts = [
        svg.element(
            "rect", class_="ground", x=time.left, y=lane.top, width=width, height=lane.height
        )
    ]
    for pitch in lane.pitches:
        y = lane.y(pitch)
        if not lane.drums and pitch % 12 in _BLACK:
            parts.append(
                svg.element("rect", class_="black", x=time.left, y=y, width=width, height=lane.row)
            )
        elif lane.drums or pitch % 12 in (11, 4):
            parts.append(line("row", time.left, y, time.right, y))
    return parts + _labels(lane, time, set(used))


def _labels(lane: Lane, time: Time, used: set[int]) -> list[str]:
    """Every C, and each pitch that sounds where its name has room."""
    parts, free = [], lane.top - 99.0
    wanted = [p for p in lane.pitches if lane.drums or p % 12 == 0 or p in used]
    cs = {lane.y(p) for p in wanted if p % 12 == 0 and not lane.drums}
    for pitch in wanted:
        y = lane.y(pitch) + lane.row / 2
        is_c = pitch % 12 == 0 and not lane.drums
        crowded = not is_c and any(abs(lane.y(pitch) - c) < 9 for c in cs)
        if not crowded and y - free >= 9:
            class_ = "pitch c" if is_c else "pitch"
            parts.append(svg.text(lane.label(pitch), time.left - 6, y, class_))
            free = y
    return parts


def bars_svg(
    lane: Lane,
    time: Time,
    bars: Sequence[tuple[float, str]],
    beats: Iterable[float] = (),
    below: bool = False,
) -> list[str]:
    """Beat lines, bar lines and their labels above or below; `bars` as (tick, label)."""
    parts = [
        line("beat", time.x(tick), lane.top, time.x(tick), lane.bottom)
        for tick in beats
        if time.first < tick < time.last
    ]
    first, last = (lane.top, lane.bottom + 4) if below else (lane.top - 4, lane.bottom)
    y = lane.bottom + 13 if below else lane.top - 6
    for tick, label in bars:
        x = time.x(tick)
        if time.first <= tick < time.last:
            parts.append(line("bar", x, first, x, last))
            parts.append(svg.text(label, x + 3, y, "number"))
    return parts


def frame_svg(lane: Lane, time: Time) -> str:
    """The edge round a lane."""
    return svg.element(
        "rect",
        class_="edge",
        x=time.left,
        y=lane.top,
        width=time.right - time.left,
        height=lane.height,
    )


def line(class_: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """A straight line."""
    return svg.element("line", class_=class_, x1=x1, y1=y1, x2=x2, y2=y2)


def note_svg(
    lane: Lane,
    time: Time,
    span: tuple[float, float],
    pitch: int,
    class_: str,
    tip: str,
    pattern: str | None = None,
) -> str:
    """One note as a bar over `span` (first and last tick, meeting the stretch), named where there is room.

    `pattern` is the id of a fill drawn over a pale bar, which tells voices and changes apart without colour.
    """
    first, last = span
    left, width = time.x(first) + 0.5, max(2.5, time.x(last) - time.x(first) - 1)
    y, height = lane.y(pitch) + 0.75, lane.row - 1.5
    box: dict[str, float] = {
        "x": left,
        "y": y,
        "width": width,
        "height": height,
        "rx": min(3.0, height / 3),
    }
    classes = f"note {class_}" + (" patterned" if pattern else "")
    bar = svg.element("rect", svg.title(tip), class_=classes, **box)
    if pattern:
        bar += svg.element("rect", class_="over", fill=f"url(#{pattern})", **box)
    name = lane.label(pitch)
    if lane.drums or lane.row < 10 or width < 6.5 * len(name) + 3 or "other" in class_:
        return bar
    tone = "name dark" if pattern or class_ not in ("", "equal") else "name"
    return bar + svg.text(name, left + 4, y + height / 2 + 0.5, tone)


PATTERNS = ("", "hatch", "dots", "hollow")
"""How the voices of one phrase are told apart, in order; the fifth looks like the first."""


def patterns_svg(ident: str) -> str:
    """The definitions of the patterns; their ids begin with `ident`, unique on the page."""
    hatch = svg.element(
        "pattern",
        svg.element("path", class_="hatch", d="M-1,1 l2,-2 M0,5 l5,-5 M4,6 l2,-2"),
        id=f"{ident}-hatch",
        width=5,
        height=5,
        patternUnits="userSpaceOnUse",
    )
    dots = svg.element(
        "pattern",
        svg.element("circle", class_="dot", cx=2, cy=2, r=1),
        id=f"{ident}-dots",
        width=4,
        height=4,
        patternUnits="userSpaceOnUse",
    )
    return svg.element("defs", hatch, dots)

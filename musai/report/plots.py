"""Small pictures beside the three sentences and the style: a scale, a spread, a count, a bar.

Inline SVG of text, lines and shapes, coloured by classes alone; every mark
has its number beside it.
"""

from collections.abc import Iterator, Sequence
from math import log10

from musai.report import svg
from musai.report.names import number, probability
from musai.report.records import Common, Spread

WIDTH = 300
_LEFT, _RIGHT = 12.0, WIDTH - 12.0
_DOTS = 24
_BAR = 120


def scale_svg(p_value: float, size: int) -> str:
    """p on a logarithmic scale down to one in `size` + 1; beyond .01 is shaded."""
    least = 1 / (max(1, size) + 1)
    ends = log10(least)

    def x(p: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * min(1.0, max(0.0, log10(max(p, least)) / ends))

    parts = [_axis(52)]
    if least < 0.01:
        parts.append(
            svg.element("rect", class_="zone", x=x(0.01), y=32, width=_RIGHT - x(0.01), height=20)
        )
    for p, label in ((1, "1"), (0.1, ".1"), (0.01, ".01"), (0.001, ".001"), (0.0001, ".0001")):
        if p >= least * 0.999:
            parts += [_tick(x(p), 52), svg.text(label, x(p), 68, "tick")]
    said = probability(p_value)
    parts += _marker(x(p_value), 52, said)
    return _picture(f"{said}, on a scale from 1 to {number(least)}", 74, parts)


def spread_svg(spread: Spread, statistic: float) -> str:
    """Scores of unrelated phrases as a box (middle half) with whiskers, and where this phrase lies."""
    q = spread.quantiles
    low, high = min(q[0], statistic), max(q[-1], statistic)
    reach = max(1e-9, high - low)

    def x(score: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (score - low) / reach

    middle, quarter = len(q) // 2, len(q) // 4
    box = svg.element(
        "rect",
        class_="box",
        x=x(q[quarter]),
        y=38,
        width=x(q[-1 - quarter]) - x(q[quarter]),
        height=14,
    )
    parts = [
        svg.element("line", class_="reach", x1=_LEFT, y1=45, x2=_RIGHT, y2=45),
        svg.element("line", class_="whisker", x1=x(q[0]), y1=45, x2=x(q[-1]), y2=45),
        *(_end(x(edge)) for edge in (q[0], q[-1])),
        box,
        svg.element("line", class_="median", x1=x(q[middle]), y1=38, x2=x(q[middle]), y2=52),
        *(svg.text(number(round(q[k])), x(q[k]), 68, "tick") for k in (0, middle, -1)),
        *_marker(x(statistic), 34, f"{number(statistic)} bits"),
    ]
    told = (
        f"Scores of unrelated phrases from {number(q[0])} to {number(q[-1])} bits, "
        f"half of them below {number(q[middle])}; this phrase {number(statistic)} bits"
    )
    return _picture(told, 74, parts)


def common_svg(common: Common) -> str:
    """A dot for every work and every author that shares the passage."""
    parts = [
        *_dots(20, common.works, "work"),
        *_dots(50, common.authors, "author"),
    ]
    return _picture(f"{common.works} works by {common.authors} authors", 66, parts)


def bar_svg(share: float, told: str) -> str:
    """A share of 1 as a bar within its full length."""
    filled = _BAR * min(1.0, max(0.0, share))
    return svg.element(
        "svg",
        svg.title(told),
        svg.element("rect", class_="full", x=0.5, y=0.5, width=_BAR - 1, height=9),
        svg.element("rect", class_="part", x=0.5, y=0.5, width=max(1.0, filled - 1), height=9),
        class_="plot bar",
        role="img",
        viewBox=f"0 0 {_BAR} 10",
    )


def _picture(told: str, height: int, parts: Sequence[str]) -> str:
    return svg.element(
        "svg", svg.title(told), *parts, class_="plot", role="img", viewBox=f"0 0 {WIDTH} {height}"
    )


def _axis(y: float) -> str:
    return svg.element("line", class_="axis", x1=_LEFT, y1=y, x2=_RIGHT, y2=y)


def _tick(x: float, y: float) -> str:
    return svg.element("line", class_="axis", x1=x, y1=y, x2=x, y2=y + 5)


def _end(x: float) -> str:
    return svg.element("line", class_="whisker", x1=x, y1=40, x2=x, y2=50)


def _marker(x: float, y: float, label: str) -> Iterator[str]:
    """A triangle that points down at `y`, named; the name keeps within the picture."""
    yield svg.element("path", class_="here", d=f"M{x:.1f},{y:.1f}l-6,-11h12z")
    half = 3.9 * len(label)
    yield svg.text(label, min(max(x, half), WIDTH - half), y - 16, "value")


def _dots(y: float, count: int, noun: str) -> Iterator[str]:
    label = f"{count:,} {noun}{'' if count == 1 else 's'}"
    yield svg.text(label, _LEFT, y - 9, "count")
    for k in range(min(count, _DOTS)):
        yield svg.element("circle", class_=f"dot {noun}", cx=_LEFT + 5 + 11.5 * k, cy=y + 2, r=4)
    if count > _DOTS:
        yield svg.text("+", _RIGHT, y + 6, "count more")

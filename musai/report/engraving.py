"""Notation -> SVG for a page: Verovio draws, this makes the drawing fit the page's rules.

Verovio (LGPL) is loaded when the first staff is drawn, never before.  What it
draws is made anew from a list of elements and attributes that a page may
hold: no styles, no scripts, no references but to its own glyphs, whose
outlines it carries.  Its own names are dropped and glyphs are renamed by
`ident`, so the same notation gives the same bytes.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from musai.report import svg
from musai.report.notation import Notation
from musai.report.records import ComparedNote

WIDTH = 960
_SCALE = 44
_ONE = ThreadPoolExecutor(1, "verovio")
"""The one thread that draws (begun with the first drawing): where Verovio finds its glyphs is known in the
thread that imported it, and its names come from one generator for all."""

_OPTIONS = {
    "adjustPageHeight": True,
    "breaks": "encoded",
    "footer": "none",
    "header": "none",
    "lyricTopMinMargin": 4,
    "minLastJustification": 0.5,
    "mnumInterval": 0,
    "pageMarginBottom": 20,
    "pageMarginLeft": 70,
    "pageMarginRight": 10,
    "pageMarginTop": 20,
    "pageWidth": WIDTH * 100 // _SCALE,
    "pageHeight": 60000,
    "scale": _SCALE,
    "smuflTextFont": "none",
    "spacingLinear": 0.3,
    "spacingStaff": 13,
    "spacingSystem": 8,
    "svgFormatRaw": True,
    "svgRemoveXlink": True,
    "svgViewBox": True,
    "xmlIdSeed": 1,
}
_KEPT = frozenset(
    "svg g use path rect line polygon polyline ellipse circle text tspan".split()  # noqa: SIM905
)
_ATTRIBUTES = frozenset(
    "d x y x1 y1 x2 y2 cx cy r rx ry width height points transform viewBox fill fill-opacity stroke "  # noqa: SIM905
    "stroke-width stroke-linecap stroke-linejoin stroke-dasharray text-anchor font-size".split()
)
_CLASSES = {"note", "chord", "verse", "dir", "label", "tuplet", "num", "placeholder", "mNum"}
_HEAD = 216
"""Width of a note head in the drawing's units (a staff's space is 180)."""

_PLACE = re.compile(r"translate\((-?[\d.]+), (-?[\d.]+)\)")


def engrave(notation: Notation, *, title: str, told: str, ident: str) -> str:
    """The SVG of a notation that has MEI, `WIDTH` units wide; empty where Verovio refuses it.

    `title` and `told` are what a screen reader says; `ident` must be unique
    on the page.  Raises `ImportError` where Verovio is not installed.
    """
    drawn = _drawn(notation.mei)
    if not drawn:
        return ""
    root = ElementTree.fromstring(drawn)
    inner = next(child for child in root if _name(child) == "svg")
    shown = "".join(_element(child, notation, ident) for child in inner)
    glyphs = "".join(
        svg.element(
            "g",
            *(_element(path, notation, ident) for path in glyph),
            id=_glyph(glyph.get("id", ""), ident),
        )
        for defs in root
        if _name(defs) == "defs"
        for glyph in defs
    )
    height = float((root.get("viewBox") or "0 0 1 1").split()[3])
    return svg.element(
        "svg",
        svg.title(title),
        svg.description(told),
        svg.element("defs", glyphs),
        svg.element("svg", shown, viewBox=inner.get("viewBox")),
        class_="staves",
        role="img",
        viewBox=f"0 0 {WIDTH} {height:.0f}",
    )


@cache
def _toolkit() -> Any:
    """Verovio with its glyphs read, which takes longer than most drawings."""
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit(False)
    toolkit.setResourcePath(str(Path(verovio.__file__).parent / "data"))
    toolkit.setOptions(_OPTIONS)
    return toolkit


def _drawn(mei: str) -> str:
    return _ONE.submit(_laid_out, mei).result()


def _laid_out(mei: str) -> str:
    toolkit = _toolkit()
    toolkit.resetXmlIdSeed(_OPTIONS["xmlIdSeed"])
    drawn: str = toolkit.renderToSVG(1) if toolkit.loadData(mei) else ""
    return drawn


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _glyph(name: str, ident: str) -> str:
    """A glyph's id: Verovio's own but for the part that it draws by lot."""
    return f"{ident}-{name.partition('-')[0].lstrip('#')}"


def _element(element: Any, notation: Notation, ident: str) -> str:
    """An element of the drawing, rebuilt from what a page may hold."""
    name = _name(element)
    if name not in _KEPT:
        return ""
    classes = [word for word in (element.get("class") or "").split() if word in _CLASSES]
    if "placeholder" in classes or "mNum" in classes:
        return ""
    attributes: dict[str, Any] = {
        key.replace("-", "_"): value for key, value in element.attrib.items() if key in _ATTRIBUTES
    }
    children = [_element(child, notation, ident) for child in element]
    if name in ("text", "tspan"):
        children.insert(0, svg.escape(element.text or ""))
        children = [child for child in children if child.strip()]
        if not children:
            return ""
    if name == "use":
        attributes["href"] = f"#{_glyph(element.get('href', ''), ident)}"
    note = notation.notes.get(element.get("id", "")) if name == "g" else None
    if note is not None:
        children = [svg.title(_tip(note)), *children, *_mark(element, note)]
        classes.append(note.likeness)
    if name == "g" and not classes:
        return "".join(children) if not attributes else svg.element("g", *children, **attributes)
    return svg.element(name, *children, class_=" ".join(classes) or None, **attributes)


def _mark(element: Any, note: ComparedNote) -> Iterator[str]:
    """A ring round the head of a changed note, a dashed box round one that stands on one side alone."""
    head = next(
        (u for g in element if g.get("class") == "notehead" for u in g if _name(u) == "use"), None
    )
    found = _PLACE.search(head.get("transform", "")) if head is not None else None
    # What is tied over is marked once, where it begins.
    if found is None or note.likeness == "equal" or "tied" in element.get("class", "").split():
        return
    x, y = float(found[1]) + _HEAD / 2, float(found[2])
    if note.likeness == "changed":
        yield svg.element("circle", class_="mark", cx=x, cy=y, r=165)
    else:
        yield svg.element("rect", class_="mark", x=x - 160, y=y - 150, width=320, height=300)


def _tip(note: ComparedNote) -> str:
    words = {
        "equal": "equal",
        "changed": "another pitch on the other side",
        "missing": "in the work alone",
        "added": "in the phrase alone",
    }
    return f"bar {note.bar}, beat {note.beat:g}: {words.get(note.likeness, '')}"

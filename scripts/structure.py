"""Draw the rooms and who imports whom, from the code's own imports, as one SVG."""

import ast
import textwrap
import tomllib
from pathlib import Path
from xml.sax.saxutils import escape

import grimp

ROOT = Path(__file__).parents[1]
_WIDE, _HIGH, _GAP_X, _GAP_Y, _MARGIN = 210, 72, 26, 56, 30


def layers() -> list[list[str]]:
    """The rooms from the highest floor to the lowest, as import-linter's contract has them."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    floors: list[str] = next(one["layers"] for one in contracts if one["type"] == "layers")
    rooms = [[room.strip() for room in floor.split("|")] for floor in floors]
    rooms = [[room for room in floor if _file(room).is_file()] for floor in rooms]
    rooms = [floor for floor in rooms if floor]
    # The bridge stands beside the page: both show what the service does.
    return [[*row, "osc_bridge"] if "musai.web" in row else row for row in rooms]


def edges(rooms: list[str]) -> list[tuple[str, str]]:
    """(importer, imported), once for each two rooms."""
    graph = grimp.build_graph("musai", "osc_bridge", cache_dir=None)
    pairs = {
        (_room(module, rooms), _room(other, rooms))
        for module in graph.modules
        for other in graph.find_modules_directly_imported_by(module)
    }
    return sorted((one, other) for one, other in pairs if one and other and one != other)


def reduced(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without the pairs that a longer way says too: what is left draws the floors."""
    below: dict[str, set[str]] = {}
    for one, other in pairs:
        below.setdefault(one, set()).add(other)

    def reaches(start: str, goal: str) -> bool:
        return any(step == goal or reaches(step, goal) for step in below.get(start, ()))

    return [
        (one, other)
        for one, other in pairs
        if not any(reaches(step, other) for step in below[one] if step != other)
    ]


def _room(module: str, rooms: list[str]) -> str:
    return next((room for room in rooms if module == room or module.startswith(f"{room}.")), "")


def _file(room: str) -> Path:
    path = ROOT / room.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def first_sentence(path: Path) -> str:
    """The first sentence of a file's documentation, without its full stop."""
    text = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").strip()
    return " ".join(text.split("\n\n")[0].split()).split(". ")[0].rstrip(".")


def drawing() -> str:
    """The SVG: floors from top to bottom, arrows from the importer to the imported."""
    floors = layers()
    rooms = [room for floor in floors for room in floor]
    width = max(map(len, floors)) * (_WIDE + _GAP_X) - _GAP_X + 2 * _MARGIN
    places = {}
    for level, floor in enumerate(floors):
        left = (width - len(floor) * (_WIDE + _GAP_X) + _GAP_X) / 2
        for index, room in enumerate(floor):
            places[room] = (left + index * (_WIDE + _GAP_X), _MARGIN + level * (_HIGH + _GAP_Y))
    height = _MARGIN * 2 + len(floors) * (_HIGH + _GAP_Y) - 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="system-ui, sans-serif" role="img" aria-label="The rooms of musai">',
        '<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#5b6f8f"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#fbfaf7"/>',
    ]
    lines += [_arrow(places[one], places[other]) for one, other in reduced(edges(rooms))]
    lines += [_box(room, *places[room]) for room in rooms]
    lines.append(
        f'<text x="{width / 2:g}" y="{height - 16}" text-anchor="middle" font-size="12" '
        'fill="#55617a">Arrows point to what is imported; what a longer way says too is '
        "left out.</text>"
    )
    return "\n".join([*lines, "</svg>", ""])


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    down = end[1] > start[1]
    x1, y1 = start[0] + _WIDE / 2, start[1] + (_HIGH if down else 0)
    x2, y2 = end[0] + _WIDE / 2, end[1] - 2 if down else end[1] + _HIGH
    bend = (y2 - y1) * 0.45
    path = f"M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"
    return (
        f'<path d="{path}" fill="none" stroke="#5b6f8f" stroke-opacity="0.55" '
        f'stroke-width="1.5" marker-end="url(#to)"/>'
    )


def _box(room: str, x: float, y: float) -> str:
    says = first_sentence(_file(room))
    middle = x + _WIDE / 2
    lines = textwrap.wrap(says, 34, max_lines=2, placeholder=" ...")
    return "\n".join(
        [
            f'<g><title>{escape(room)}: {escape(says)}</title><rect x="{x:g}" y="{y:g}" '
            f'width="{_WIDE}" height="{_HIGH}" rx="8" fill="#ffffff" stroke="#33425c"/>'
            f'<text x="{middle:g}" y="{y + 24:g}" text-anchor="middle" font-size="15" '
            f'font-weight="600" fill="#1c2433">{escape(room)}</text>',
            *(
                f'<text x="{middle:g}" y="{y + 42 + 15 * row:g}" text-anchor="middle" '
                f'font-size="11" fill="#55617a">{escape(line)}</text>'
                for row, line in enumerate(lines)
            ),
            "</g>",
        ]
    )

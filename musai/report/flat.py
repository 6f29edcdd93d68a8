"""Pictures for a PDF: SVG whose style sheet holds plain values, since its renderer knows no variables.

The design's own sheets are read; of the tokens those for print hold.  A value
that depends on where a shape stands (whose note it is, which light) makes one
rule for each such place.
"""

import re
from functools import cache

from musai.report.roll import style_sheet

SANS = "DejaVu Sans, Liberation Sans, Arial, Libertinus Serif"
"""What stands for the page's own font in a picture."""

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_VAR = re.compile(r"var\((--[a-z-]+)\)")
_SETS = re.compile(r"(--[a-z-]+)\s*:\s*([^;]+);?")


def standalone(picture: str, width: int, height: float) -> str:
    """A picture of the page as an SVG file of its own, for a renderer without variables."""
    head, rest = picture.split(">", 1)
    spaces = ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    sized = head if " width=" in head else f'{head} width="{width}" height="{height:.0f}"'
    named = sized if "xmlns=" in sized else sized.replace("<svg", f"<svg{spaces}", 1)
    return f"{named}><style>{flat_style()}</style>{rest}"


@cache
def flat_style() -> str:
    """The style of pictures, staves and lights with every variable replaced by its value in print."""
    values = print_tokens()
    rules = [
        (selector.strip(), body.strip())
        for selector, body in _RULE.findall(_bare(style_sheet("pictures", "notation", "lights")))
    ]
    places = _places(rules)
    return "\n".join(
        line for selector, body in rules for line in _flat(selector, body, values, places)
    )


def print_tokens() -> dict[str, str]:
    """The design's tokens as they are in print: colours for paper, and one font for all."""
    text = _bare(style_sheet("tokens"))
    first, printed = text.split("@media print", 1)
    plain = dict(_SETS.findall(first.split("@media", 1)[0]))
    return {**plain, **dict(_SETS.findall(printed)), "--sans": SANS, "--serif": "Libertinus Serif"}


def _bare(text: str) -> str:
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def _places(rules: list[tuple[str, str]]) -> dict[str, dict[str, str]]:
    """Under each selector that sets variables, what it sets."""
    found = {}
    for selector, body in rules:
        if sets := dict(_SETS.findall(body)):
            found[selector] = sets
    return found


def _flat(
    selector: str, body: str, values: dict[str, str], places: dict[str, dict[str, str]]
) -> list[str]:
    """One rule, or one for each place where its variables have values."""
    kept = _SETS.sub("", body).strip() if selector in places else body
    if not kept:
        return []
    wanted = set(_VAR.findall(kept)) - set(values)
    if not wanted:
        return [f"{selector} {{ {_filled(kept, values)} }}"]
    return [
        f"{_within(one, place)} {{ {_filled(kept, {**values, **_resolved(sets, values)})} }}"
        for place, sets in places.items()
        if wanted <= set(sets)
        for one in selector.split(",")
    ]


def _within(selector: str, place: str) -> str:
    """ ".roll .note" within ".roll .human" is ".roll .human .note"; a light is its own place."""
    parts, where = selector.split(), place.split()
    if len(where) == 1:
        return f"{parts[0]}{where[0]} {' '.join(parts[1:])}".strip()
    return " ".join([*where, *parts[1:]])


def _resolved(sets: dict[str, str], values: dict[str, str]) -> dict[str, str]:
    return {name: _filled(value, values) for name, value in sets.items()}


def _filled(text: str, values: dict[str, str]) -> str:
    plain = _VAR.sub(lambda found: values.get(found[1], "none"), text)
    return plain.replace("currentcolor", values["--ink"])

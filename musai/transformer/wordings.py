"""Controls that are texts: each read, checked, and written one way only.

Equal wishes must have one replay id, so a request keeps what `plain` gives.
"""

import re
from collections.abc import Callable
from typing import Final

from musai.errors import BadRequest
from musai.transformer import harmony
from musai.transformer import vocabulary as v

GRIDS: Final = {
    "1/1": 96, "1/2": 48, "1/4": 24, "1/8": 12, "1/8t": 8, "1/16": 6, "1/16t": 4, "1/32": 3,
}  # fmt: skip
"""Places where notes may begin, in grid steps; t: triplets."""

RULES: Final = ("hard", "soft")

Range = tuple[int, int]


def grid_steps(text: str) -> int:
    """Steps of a rhythm grid.  Raises `BadRequest`."""
    if text not in GRIDS:
        raise BadRequest(f"grid is {text!r}; legal is {', '.join(GRIDS)}")
    return GRIDS[text]


def register_ranges(text: str) -> tuple[Range | None, ...]:
    """Lowest and highest pitch of each voice, as in "60-84,,40-55"; None where nothing is told."""
    out: list[Range | None] = []
    for part in text.replace(" ", "").split(","):
        found = re.fullmatch(r"(\d{1,3})-(\d{1,3})", part)
        if part and found is None:
            raise BadRequest(
                f'registers is {text!r}; legal is a range for each voice, as in "60-84,,40-55"'
            )
        out.append((int(found[1]), int(found[2])) if found else None)
    for low, high in filter(None, out):
        if not (low >= 0 and low + 11 <= high <= 127):
            raise BadRequest(
                f"registers holds {low}-{high}; legal is 0 to 127, at least an octave (12 pitches)"
            )
    return tuple(out)


def field_values(name: str, text: str | None, low: float, high: float) -> dict[str, float]:
    """A number for some fields of a note, as in "pitch=1.1,duration=0.7".  Raises `BadRequest`."""
    out: dict[str, float] = {}
    for part in [] if text is None else text.replace(" ", "").split(","):
        field, _, number = part.partition("=")
        if field not in v.OUTPUTS or field in out:
            raise BadRequest(
                f'{name} is {text!r}; legal is as in "pitch=1.1,duration=0.7", of the fields '
                f"{', '.join(v.OUTPUTS)}"
            )
        try:
            out[field] = float(number)
        except ValueError:
            raise BadRequest(f"{name} has {field}={number!r}; legal is a number") from None
        if not low <= out[field] <= high:
            raise BadRequest(f"{name} has {field}={out[field]:g}; legal is {low:g} to {high:g}")
    return out


def _scale(text: str) -> str:
    name = " ".join(text.casefold().split())
    harmony.scale_classes(name, 0, False)
    return name


def _rule(text: str) -> str:
    if text not in RULES:
        raise BadRequest(f"scale_rule is {text!r}; legal is {', '.join(RULES)}")
    return text


def _chords(text: str) -> str:
    harmony.chord_track(text)
    return "|".join(" ".join(bar.split()) for bar in text.split("|"))


def _grid(text: str) -> str:
    grid_steps(text)
    return text


def _registers(text: str) -> str:
    ranges = register_ranges(text)
    return ",".join("" if one is None else f"{one[0]}-{one[1]}" for one in ranges)


def _fields(name: str, low: float, high: float) -> Callable[[str], str]:
    def plain(text: str) -> str:
        told = field_values(name, text, low, high)
        return ",".join(f"{field}={told[field]:g}" for field in v.OUTPUTS if field in told)

    return plain


TEMPERATURES, TOP_PS = (0.0, 4.0), (0.01, 1.0)

PLAIN: Final[dict[str, Callable[[str], str]]] = {
    "scale": _scale,
    "scale_rule": _rule,
    "chords": _chords,
    "grid": _grid,
    "registers": _registers,
    "temperatures": _fields("temperatures", *TEMPERATURES),
    "top_ps": _fields("top_ps", *TOP_PS),
}
"""For each text of this kind: the one way in which a request keeps it.  Raises `BadRequest`."""

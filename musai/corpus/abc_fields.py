"""The values of ABC fields: metre, key, unit length, note lengths."""

import re
from dataclasses import dataclass
from fractions import Fraction

from musai.errors import BadScore

_MODES = {
    "maj": 0, "ion": 0, "": 0, "lyd": 1, "mix": -1, "dor": -2,
    "min": -3, "aeo": -3, "m": -3, "phr": -4, "loc": -5,
}  # fmt: skip
_MINOR = frozenset({"min", "aeo", "m", "dor", "phr", "loc"})
_TONICS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}
_SHARPS = "FCGDAEB"
ALTERATIONS = {"^": 1, "^^": 2, "=": 0, "_": -1, "__": -2}


@dataclass(frozen=True, slots=True)
class AbcKey:
    """A key as ABC writes it: sharps of its signature, and whether its third is minor."""

    fifths: int
    minor: bool
    alterations: dict[str, int]


def read_ratio(text: str) -> Fraction:
    """3, 3/2, /, //, /4 as a fraction of the unit."""
    above, slashes, below = re.match(r"(\d*)(/*)(\d*)", text).groups()  # type: ignore[union-attr]
    denominator = int(below) if below else 2 ** len(slashes)
    if not denominator or len(above) > 4 or denominator > 4096:
        raise BadScore(f"a note's length is {text}; legal is a positive fraction")
    return Fraction(int(above) if above else 1, denominator)


def read_metre(value: str) -> tuple[int, int] | None:
    """6/8, C, C|, 2+3/8; none for free metre.  Raises `BadScore` for anything else."""
    text = value.strip().lower()
    if text.startswith("c|"):
        return 2, 2
    if text.startswith("c"):
        return 4, 4
    if text.startswith("none") or not text:
        return None
    match = re.match(r"\(?(\d+(?:\s*\+\s*\d+)*)\)?\s*/\s*(\d+)", text)
    above = sum(map(int, match.group(1).split("+"))) if match else 0
    below = int(match.group(2)) if match else 0
    if not 1 <= above <= 255 or below not in (1, 2, 4, 8, 16, 32, 64):
        raise BadScore(f"time signature is {value[:20]}; legal is like 6/8, C, C| or none")
    return above, below


def read_unit(value: str, default: Fraction) -> Fraction:
    """The unit note length: 1/8."""
    match = re.match(r"\s*(\d+)\s*/\s*(\d+)", value)
    if match is None:
        return default
    unit = Fraction(int(match.group(1)), max(1, int(match.group(2))))
    return unit if Fraction(1, 512) <= unit <= 4 else default


def default_unit(metre: tuple[int, int] | None) -> Fraction:
    small = metre is not None and Fraction(*metre) < Fraction(3, 4)
    return Fraction(1, 16 if small else 8)


def read_key(value: str, before: AbcKey) -> AbcKey:
    """G, Em, A Dorian, Dmix^g, Hp (Highland pipes), none; what is no key leaves the one before."""
    text = value.strip()
    if re.match(r"(?i)hp", text):
        return AbcKey(2, False, {"F": 1, "C": 1, "G": 0})
    if not text or re.match(r"(?i)none", text):
        return AbcKey(0, False, {}) if text else before
    match = re.match(r"([A-G])([#b]?)\s*([A-Za-z]*)", text)
    if match is None:
        return before
    tonic = _TONICS[match.group(1)] + {"#": 7, "b": -7, "": 0}[match.group(2)]
    word = match.group(3)
    mode = "" if word == "M" else word.lower() if word in ("m", "M") else word.lower()[:3]
    if mode not in _MODES:
        mode = "m" if word[:1] == "m" and len(word) < 3 else ""
    fifths = max(-7, min(7, tonic + _MODES[mode]))
    alterations = _signature(fifths)
    for sign, step in re.findall(r"(\^{1,2}|_{1,2}|=)([a-gA-G])", text[match.end() :]):
        alterations[step.upper()] = ALTERATIONS[sign]
    return AbcKey(fifths, mode in _MINOR, alterations)


def _signature(fifths: int) -> dict[str, int]:
    """Alterations by step: sharps in the order FCGDAEB, flats in the reverse."""
    if fifths >= 0:
        return dict.fromkeys(_SHARPS[:fifths], 1)
    return dict.fromkeys(_SHARPS[fifths:], -1)

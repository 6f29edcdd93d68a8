"""A plan with the request's own limits put on it: grid, notes at once, scale, chords, ranges, feel."""

from dataclasses import replace

import numpy as np

from musai.errors import BadRequest
from musai.transformer import harmony
from musai.transformer.encoding import Bar
from musai.transformer.feel import ACCENTS, Feel
from musai.transformer.grammar import Harmony, Limits, Mask, Part
from musai.transformer.request import Request
from musai.transformer.shaping import Floats
from musai.transformer.vocabulary import OUTPUTS, STEP_TICKS
from musai.transformer.wordings import (
    TEMPERATURES,
    TOP_PS,
    field_values,
    grid_steps,
    register_ranges,
)

SOFT = -3.0
"""What a soft scale adds to the logit of a pitch outside it: e^3, so twenty times less likely."""


def limits_of(
    request: Request,
    bars: tuple[Bar, ...],
    beats: tuple[int, ...],
    tonic: int,
    minor: bool,
    shift: int,
) -> tuple[Limits, Floats | None]:
    """Hard limits, and what a soft scale adds to the logits of (moved) pitches.

    `beats`: steps of a beat in each bar.
    """  # fmt: skip
    scale, bias, classes = None, None, harmony.EVERY
    if request.scale is not None or request.scale_rule is not None:
        classes = harmony.scale_classes(request.scale or "key", tonic, minor)
        inside = _pitches(classes, shift)
        if request.scale_rule == "soft":
            bias = np.where(inside, 0.0, SOFT)
        else:
            scale = inside
    grid = 1 if request.grid is None else grid_steps(request.grid)
    chords = None
    if request.chords is not None:
        if scale is not None:
            _check_inside(request, classes)
        chords = _harmony(request.chords, bars, beats, shift, scale)
    return Limits(grid, request.polyphony or 0, scale, chords), bias


def _pitches(classes: harmony.Classes, shift: int) -> Mask:
    """The moved pitches that sound in these pitch classes, shape (128,)."""
    return np.isin((np.arange(128) - shift) % 12, list(classes))


def _check_inside(request: Request, scale: harmony.Classes) -> None:
    """Raise `BadRequest` for a chord that has no note of a hard scale."""
    for symbol in (request.chords or "").replace("|", " ").split():
        if not harmony.chord_classes(symbol) & scale:
            raise BadRequest(
                f"chord {symbol} has no note of the scale {request.scale or 'key'} of the key; legal is a "
                "chord that has one, another key or scale, or scale_rule soft"
            )


def _harmony(
    text: str, bars: tuple[Bar, ...], beats: tuple[int, ...], shift: int, scale: Mask | None
) -> Harmony:
    """The chord track over the bars, from its beginning again where it is the shorter.

    Of each chord those notes count that a hard scale has too.
    """
    track = harmony.chord_track(text)
    places: dict[int, Mask] = {}
    start = 0
    for i, (bar, beat) in enumerate(zip(bars, beats, strict=True)):
        chords = track[i % len(track)]
        changes = [bar.steps * j // len(chords) for j in range(len(chords))]
        for step in sorted({*range(0, bar.steps, beat), *changes}):
            chord = chords[int(np.searchsorted(changes, step, side="right")) - 1]
            tones = _pitches(chord, shift)
            places[start + step] = tones if scale is None else tones & scale
        start += bar.steps
    return Harmony(np.array(list(places)), np.array(list(places.values())))


def beats_of(bars: tuple[Bar, ...]) -> tuple[int, ...]:
    """Steps of a beat in each bar: a dotted unit in compound time, else the unit."""
    out = []
    for bar in bars:
        compound = bar.denominator >= 8 and bar.numerator % 3 == 0 and bar.numerator > 3
        ticks = 4 * 480 // bar.denominator * (3 if compound else 1)
        out.append(max(1, round(ticks / STEP_TICKS)))
    return tuple(out)


def parts_of(
    request: Request, parts: tuple[Part, ...], order: tuple[int, ...], shift: int
) -> tuple[Part, ...]:
    """The parts with the ranges that the request tells voice by voice."""
    if request.registers is None:
        return parts
    ranges = register_ranges(request.registers)
    if len(ranges) > len(parts):
        raise BadRequest(
            f"registers holds {len(ranges)} ranges and the answer has {len(parts)} voices"
        )
    out = []
    for i, part in enumerate(parts):
        voice = order[i] if order else i
        told = ranges[voice] if voice < len(ranges) else None
        if told is not None:
            move = 0 if part.drum else shift
            part = replace(part, low=max(0, told[0] + move), high=min(127, told[1] + move))
        if not part.drum and part.high - part.low < 11:
            raise BadRequest(
                f"voice {voice} is left {part.high - part.low + 1} pitches in this key; legal is "
                "12 or more: widen its register or move it from the edge of MIDI"
            )
        out.append(part)
    return tuple(out)


def heat_of(request: Request) -> tuple[tuple[float, float], ...]:
    """Temperature and top_p of each output field."""
    warm = field_values("temperatures", request.temperatures, *TEMPERATURES)
    top = field_values("top_ps", request.top_ps, *TOP_PS)
    return tuple(
        (warm.get(name, request.temperature), top.get(name, request.top_p)) for name in OUTPUTS
    )


def feel_of(request: Request, feel: Feel) -> Feel:
    """The feel with the request's swing and mean velocity."""
    if request.swing is not None:
        feel = replace(feel, swing=request.swing)
    if request.velocity is not None:
        louder = request.velocity - sum(feel.accents) / len(ACCENTS)
        a, b, c, d = (int(np.clip(round(x + louder), 1, 127)) for x in feel.accents)
        feel = replace(feel, accents=(a, b, c, d), level=float(request.velocity))
    return feel

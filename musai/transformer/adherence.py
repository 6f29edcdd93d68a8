"""How well a model keeps to what is asked for, control by control: measured on its own phrases.

Hard controls are masks and must come out at 100%; what the model is only told
(density, soft scale, register by wish alone) comes out as it comes out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from musai.music import NoteArray, Phrase
from musai.transformer.checkpoint import CollectionStyle
from musai.transformer.fresh import RUN, longest_run
from musai.transformer.harmony import chord_track, scale_classes
from musai.transformer.player import Player
from musai.transformer.request import Request, takes_of

BARS = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One control: what was asked, how it is held, what came out, and what comes without asking."""

    control: str
    asked: str
    held: str
    measure: str
    got: float
    unasked: float


Measure = Callable[[Phrase, Request], float]


def table(player: Player, seeds: int = 20) -> Iterator[Row]:
    """A row a control, each from `seeds` phrases of eight bars with it and as many without."""
    takes: dict[Request, Phrase] = {}
    for control, wishes, held, measure, of in _TRIALS:
        got, unasked = [], []
        style = None
        if control in ("polyphony", "voices"):
            # Many voices at once are kept apart only where there are many, and drums where there are some.
            styles = _playing(player, drums="drums" in wishes.get("voices", ""))
            if not styles:
                continue
            style = max(styles, key=lambda style: len(style.voices)).name
        for seed in range(seeds):
            base = Request(bars=BARS, seed=seed, key="D", collection=style)
            if base not in takes:
                takes[base] = player.play(base)
            told: dict[str, Any] = {**wishes, "collection": style}
            if control == "avoid":
                told["avoid"] = takes_of([takes[base]])
            asked = Request(bars=BARS, seed=seed, **{"key": "D", **told})
            got.append(of(player.play(asked), asked))
            unasked.append(of(takes[base], asked))
        parts = [f"{name} {value}" for name, value in wishes.items()] or [f"{BARS} bars"]
        said = ", ".join([*parts, *([style] if style else [])])
        yield Row(control, said, held, measure, float(np.mean(got)), float(np.mean(unasked)))


def _playing(player: Player, *, drums: bool) -> list[CollectionStyle]:
    """The model's styles, those with drums where some are needed."""
    styles = player.styles
    return [style for style in styles if not drums or any(voice.drum for voice in style.voices)]


def _bars(phrase: Phrase, request: Request) -> float:
    return float(phrase.bars == request.bars)


def _inside(phrase: Phrase, request: Request) -> float:
    classes = scale_classes(request.scale or "key", 2, False)
    return float(np.isin(_pitched(phrase)["pitch"] % 12, list(classes)).mean())


def _pitched(phrase: Phrase) -> NoteArray:
    """All notes but those of drums, which know no scale, chord or register."""
    drums = [i for i, voice in enumerate(phrase.voices) if voice.drum]
    return phrase.notes[~np.isin(phrase.notes["voice"], drums)]


def _on_chord(phrase: Phrase, request: Request) -> float:
    """Share of (beat, sounding note) pairs whose note belongs to the beat's chord."""
    track = chord_track(request.chords or "C")
    notes, right = _pitched(phrase), []
    bar_ticks = phrase.metre.signatures[0].bar_ticks
    beat = phrase.metre.signatures[0].beat_ticks
    ends = notes["onset"].astype(np.int64) + notes["duration"]
    for tick in range(0, phrase.length, beat):
        chords = track[tick // bar_ticks % len(track)]
        chord = chords[tick % bar_ticks * len(chords) // bar_ticks]
        sounding = (notes["onset"] <= tick) & (ends > tick)
        right += np.isin(notes["pitch"][sounding] % 12, list(chord)).tolist()
    return float(np.mean(right)) if right else 1.0


def _on_grid(phrase: Phrase, request: Request) -> float:
    return float((phrase.notes["onset"] % 240 == 0).mean())


def _most_at_once(phrase: Phrase, request: Request) -> float:
    notes = phrase.notes
    ends = notes["onset"].astype(np.int64) + notes["duration"]
    at = notes["onset"][:, None]
    return float(
        ((notes["onset"] <= at) & (ends > at)).sum(axis=1).max() <= (request.polyphony or 0)
    )


def _in_register(phrase: Phrase, request: Request) -> float:
    low, high = request.register or (0, 127)
    pitch = _pitched(phrase)["pitch"]
    return float(((pitch >= low) & (pitch <= high)).mean())


def _density(phrase: Phrase, request: Request) -> float:
    return len(phrase) / phrase.bars


def _heard(phrase: Phrase, request: Request) -> float:
    """Share of (bar, voice) pairs in which the voice sounds."""
    notes, bar = phrase.notes, phrase.metre.signatures[0].bar_ticks
    ends = notes["onset"].astype(np.int64) + notes["duration"]
    sounding = [
        len(np.unique(notes["voice"][(notes["onset"] < tick + bar) & (ends > tick)]))
        for tick in range(0, phrase.length, bar)
    ]
    return float(np.mean(sounding)) / len(phrase.voices)


def _velocity(phrase: Phrase, request: Request) -> float:
    return float(phrase.notes["velocity"].mean())


def _swing(phrase: Phrase, request: Request) -> float:
    inside = phrase.notes["onset"] % 480 / 480
    late = inside[(inside > 0.4) & (inside < 0.72)]
    return float(np.median(late)) if len(late) else float("nan")


def _fresh(phrase: Phrase, request: Request) -> float:
    mine = takes_of([phrase])[0]
    return float(all(longest_run(mine, take) < RUN for take in request.avoid or ()))


_CHORDS = "D|Bm|G|A7"
_TRIALS: tuple[tuple[str, dict[str, Any], str, str, Measure], ...] = (
    ("bars", {}, "count", "phrases of exactly the bars", _bars),
    ("scale", {"scale": "pentatonic"}, "mask", "notes inside", _inside),
    ("scale_rule", {"scale_rule": "soft"}, "bias", "notes in the key", _inside),
    ("chords", {"chords": _CHORDS}, "mask", "notes that fit, beat by beat", _on_chord),
    ("grid", {"grid": "1/8"}, "mask", "notes on the grid", _on_grid),
    ("polyphony", {"polyphony": 2}, "mask", "phrases within it", _most_at_once),
    ("register", {"register": (62, 76)}, "mask", "notes inside", _in_register),
    ("avoid", {}, "mask", "phrases without a run of four", _fresh),
    ("velocity", {"velocity": 60}, "set", "mean velocity", _velocity),
    ("swing", {"swing": 0.66, "grid": "1/8"}, "set", "place of the off-beat", _swing),
    ("density", {"density": 4.0}, "bias", "notes a bar", _density),
    ("density", {"density": 8.0}, "bias", "notes a bar", _density),
    ("density", {"density": 12.0}, "bias", "notes a bar", _density),
    ("voices", {"voices": "violin,viola,cello"}, "bias", "voices heard, bar by bar", _heard),
    ("voices", {"voices": "drums,bass,guitar"}, "bias", "voices heard, bar by bar", _heard),
)  # fmt: skip

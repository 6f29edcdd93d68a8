"""Accompaniment: how harsh what a model puts under a tune is, and how its voices lead.

Chorales that the model never saw: their highest voice is given, the others are asked for, and what comes is
counted beside what the composer wrote under the same tune, and beside another chorale's voices put
under it, which shows how far the counts can go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from musai.errors import MusaiError
from musai.music import Phrase, notes_array
from musai.transformer import Player
from musai.transformer.request import Request

HARSH = frozenset([1, 2, 6, 10, 11])
"""Steps within an octave, counted from the lower note, that want to be resolved."""

LEAP = 12

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Leading:
    """Counts of one way to set tunes.

    `harsh`: share of pairs of notes that sound together on a beat that are a second, a tritone or a
    seventh apart; `parallels`: pairs of voices that move in parallel fifths or octaves, a hundred moves;
    `crossings`: share of beats at which a voice lies below its lower neighbour; `leaps`: share of steps
    of more than an octave.
    """

    harsh: float
    parallels: float
    crossings: float
    leaps: float


@dataclass(frozen=True, slots=True)
class Accompaniment:
    """The model's voices, the composer's, and another tune's put under the same tunes."""

    tunes: int
    model: Leading
    human: Leading
    other: Leading


def accompaniment(player: Player, settings: Sequence[Phrase], collection: str) -> Accompaniment:
    """Of settings whose first voice is the tune, all with as many voices.  Raises nothing for one that
    the model refuses: it is left out."""
    model, human, other = [], [], []
    for number, setting in enumerate(settings):
        asked = ",".join(map(str, range(1, len(setting.voices))))
        request = Request(
            "accompany",
            setting.bars,
            number,
            setting,
            voices=asked,
            first=0,
            collection=collection or None,
        )
        try:
            lower = player.play(request)
        except MusaiError:
            continue
        model.append(under(setting, lower))
        human.append(setting)
        other.append(under(setting, settings[number - 1]))
    return Accompaniment(len(human), leading(model), leading(human), leading(other))


def under(setting: Phrase, lower: Phrase) -> Phrase:
    """The first voice of a setting with the lower voices of another, no longer than it."""
    tune = setting.notes[setting.notes["voice"] == 0]
    rest = lower.notes[(lower.notes["voice"] > 0) & (lower.notes["onset"] < setting.length)]
    notes = np.concatenate([tune, rest])
    end = np.minimum(notes["duration"], setting.length - notes["onset"].astype(np.int64))
    table = notes_array(notes["onset"], end, notes["pitch"], notes["velocity"], notes["voice"])
    return setting.with_notes(table, setting.length)


def leading(phrases: Sequence[Phrase]) -> Leading:
    """The counts over all phrases together."""
    total = np.zeros(8)
    for phrase in phrases:
        total += _counts(phrase)
    harsh, pairs, parallel, moves, crossed, beats, leaps, steps = total
    return Leading(
        float(harsh / max(1, pairs)), float(100 * parallel / max(1, moves)),
        float(crossed / max(1, beats)), float(leaps / max(1, steps)),
    )  # fmt: skip


def _counts(phrase: Phrase) -> NDArray[np.float64]:
    beats = sounding(phrase)
    pairs = harsh = parallel = moves = crossed = 0
    for now in beats:
        heard = now[now >= 0]
        for i in range(len(heard)):
            for j in range(i):
                pairs += 1
                harsh += abs(int(heard[i] - heard[j])) % 12 in HARSH
        crossed += bool((np.diff(heard) > 0).any())
    for before, now in pairwise(beats):
        both = (before >= 0) & (now >= 0)
        voices = np.flatnonzero(both & (before != now))
        for k, i in enumerate(voices.tolist()):
            for j in voices[:k].tolist():
                moves += 1
                parallel += _parallel(before[i], before[j], now[i], now[j])
    leaps = steps = 0
    for voice in range(len(phrase.voices)):
        pitch = phrase.notes["pitch"][phrase.notes["voice"] == voice].astype(int)
        leaps += int((np.abs(np.diff(pitch)) > LEAP).sum())
        steps += max(0, len(pitch) - 1)
    return np.array([harsh, pairs, parallel, moves, crossed, len(beats), leaps, steps], float)


def sounding(phrase: Phrase) -> Ints:
    """The highest pitch that sounds in each voice on every beat, (beats, voices); -1 where none does."""
    beat = phrase.metre.signatures[0].beat_ticks
    ticks = np.arange(0, phrase.length, beat)
    out = np.full((len(ticks), len(phrase.voices)), -1, np.int64)
    onset = phrase.notes["onset"].astype(np.int64)
    end = onset + phrase.notes["duration"]
    for k, tick in enumerate(ticks.tolist()):
        here = (onset <= tick) & (end > tick)
        np.maximum.at(
            out[k], phrase.notes["voice"][here], phrase.notes["pitch"][here].astype(np.int64)
        )
    return out


def _parallel(a: int, b: int, c: int, d: int) -> bool:
    """Whether two voices go from a fifth or an octave to the same, in one direction."""
    before, after = abs(int(a - b)) % 12, abs(int(c - d)) % 12
    return before == after and before in (0, 7) and (c - a) * (d - b) > 0

"""Infill: does the model find the bar that belongs there likelier than bars that do not?

A bar is taken out of a held-out passage; its own notes, and bars of other held-out passages with as many notes
in the same voices and metre, all in the key without accidentals, are put into the gap in turn.  The model says how
likely each is, note by note, under the masks that hold at play.  Chance is one in ten.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from musai.errors import MusaiError
from musai.music import Phrase
from musai.quality.prompts import CONTEXT, Prompt
from musai.transformer import Player
from musai.transformer.encoding import GridNote, bars_of, grid_notes, shift_of
from musai.transformer.request import Request
from musai.transformer.sampling import Draw
from musai.transformer.vocabulary import BARLINE

DISTRACTORS = 9
GAP = CONTEXT
"""The bar that is taken out: the first of the continuation, with music before and after it."""

LEAST = 2
"""Notes of a bar that can be told from others."""


class Departed(Exception):
    """The masks forbid what was to be said."""


class Scorer:
    """Draws nothing: says a bar's notes and sums up how likely each choice was."""

    def __init__(self, notes: Sequence[GridNote]) -> None:
        events = [(n.position, n.voice, n.pitch, n.duration) for n in notes]
        self._said: list[tuple[int, ...]] = [*events, (BARLINE,)]
        self.nats = 0.0

    def __call__(self, draw: Draw, /) -> int:
        """The next choice to be said; a loudness, which no bar here has, is the likeliest and not counted.

        Raises `Departed`.
        """
        event = self._said[draw.event]
        if draw.field >= len(event):
            return int(np.where(draw.allowed, draw.logits, -np.inf).argmax())
        said = event[draw.field]
        if not draw.allowed[said]:
            raise Departed
        legal = draw.logits[draw.allowed]
        top = legal.max()
        self.nats -= float(draw.logits[said] - top - np.log(np.exp(legal - top).sum()))
        return said


@dataclass(frozen=True, slots=True)
class Infill:
    """How often the true bar was the likeliest of `among`, in so many gaps; 95% by works."""

    gaps: int
    among: int
    right: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a work: its notes on the grid, and what others must share with it."""

    group: str
    notes: tuple[GridNote, ...]
    kind: tuple[object, ...]


def infill(player: Player, prompts: Sequence[Prompt], count: int) -> Infill:
    """`count` gaps at most, spread over the prompts."""
    passages = [_bars(prompt) for prompt in prompts]
    alike: dict[tuple[object, ...], list[Bar]] = {}
    for passage in passages:
        for bar in passage:
            alike.setdefault(bar.kind, []).append(bar)
    wins: dict[str, list[bool]] = {}
    draw = np.random.Generator(np.random.Philox(key=3))
    for prompt, passage in zip(prompts, passages, strict=True):
        bar = passage[GAP]
        alien = (b.notes for b in alike[bar.kind] if b.group != bar.group)
        others = list(dict.fromkeys(notes for notes in alien if notes != bar.notes))
        if len(bar.notes) < LEAST or len(others) < DISTRACTORS:
            continue
        chosen = [others[k] for k in draw.permutation(len(others))[:DISTRACTORS]]
        nats = [_nats(player, prompt, notes) for notes in (bar.notes, *chosen)]
        if np.isfinite(nats[0]):
            wins.setdefault(bar.group, []).append(nats[0] < min(nats[1:]))
        if sum(map(len, wins.values())) == count:
            break
    return _summed(wins)


def _summed(wins: dict[str, list[bool]]) -> Infill:
    each = list(wins.values())
    if not each:
        return Infill(0, 1 + DISTRACTORS, 0.0, 0.0, 1.0)
    total = sum(map(len, each))
    draw = np.random.Generator(np.random.Philox(key=4))
    right = np.array([sum(one) for one in each])
    size = np.array([len(one) for one in each])
    picked = draw.integers(len(each), size=(1000, len(each)))
    low, high = np.quantile(right[picked].sum(1) / size[picked].sum(1), [0.025, 0.975])
    return Infill(total, 1 + DISTRACTORS, float(right.sum() / total), float(low), float(high))


def whole(prompt: Prompt) -> Phrase:
    """Prompt and continuation as one passage."""
    before, after = prompt.context, prompt.truth
    later = after.notes.copy()
    later["onset"] += before.length
    notes = np.concatenate([before.notes, later])
    return before.with_notes(notes, before.length + after.length)


def _bars(prompt: Prompt) -> list[Bar]:
    """All bars of a passage, their notes as if each were the gap."""
    passage = whole(prompt)
    bars = bars_of(passage)
    held: list[list[GridNote]] = [[] for _ in bars]
    # In the key of the whole passage, as the plan of a request for it hears it.
    for note in grid_notes(passage, bars, shift_of(passage)):
        held[note.bar].append(replace(note, bar=GAP, velocity=0, nudge=0))
    return [
        Bar(
            prompt.group,
            tuple(notes),
            (
                prompt.collection, here.numerator, here.denominator, len(notes),
                tuple(sorted({note.voice for note in notes})),
            ),
        )
        for here, notes in zip(bars, held, strict=True)
    ]  # fmt: skip


def _nats(player: Player, prompt: Prompt, notes: Sequence[GridNote]) -> float:
    """How unlikely these notes are in the gap; infinite where the masks forbid them."""
    request = Request(
        "infill", 1, 0, whole(prompt), first=GAP, collection=prompt.collection or None,
        temperature=1.0, top_p=1.0,
    )  # fmt: skip
    scorer = Scorer(notes)
    try:
        for _ in player.generate(request, chooser=scorer):
            pass
    except (Departed, IndexError):
        return float("inf")
    except MusaiError:
        return float("nan")
    return scorer.nats

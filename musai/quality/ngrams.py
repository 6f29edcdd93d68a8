"""The n-gram baseline at play: it answers a request under the same grammar as the transformer.

It stands in the decoder's place: the same plan, the same walk, the same masks, temperature and noise; only
the probabilities are the n-grams'.  So what tells its phrases from the model's is what the models know.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from musai.music import Phrase
from musai.transformer import vocabulary as v
from musai.transformer.baseline import Baseline, Heard
from musai.transformer.checkpoint import Model
from musai.transformer.encoding import Rows
from musai.transformer.engine import Engine, Floats
from musai.transformer.plan import make_plan
from musai.transformer.prefixes import Start
from musai.transformer.request import Request
from musai.transformer.walk import Walk

_SAID = tuple(v.COLUMN[name] for name in ("position", "voice", "pitch", "duration"))
_KIND = v.COLUMN["kind"]


@dataclass(frozen=True, slots=True)
class State:
    """What has been heard, the row read last, and what is said of the next event so far."""

    heard: Heard
    row: tuple[int, ...]
    said: tuple[int, ...] = ()

    def __add__(self, choice: int) -> "State":
        return State(self.heard, self.row, (*self.said, choice))


class Reader:
    """Takes the place of the decoder's cache."""

    def __init__(self, baseline: Baseline) -> None:
        self._heard = Heard(baseline.orders)
        self._row: tuple[int, ...] | None = None

    def read(self, rows: Rows) -> State:
        """Read rows after all that was read; the state of the last."""
        for row in map(tuple, rows.tolist()):
            if self._row is not None and self._row[_KIND] > v.VOICE:
                self._take(row)
            self._row = row
        assert self._row is not None
        return State(self._heard, self._row)

    def _take(self, row: tuple[int, ...]) -> None:
        # A bar line or a note was asked for; what is given ahead never is.
        assert self._row is not None
        if row[_KIND] == v.BAR:
            self._heard.take(self._row, (v.BARLINE, -1, -1, -1))
        elif row[_KIND] == v.NOTE:
            self._heard.take(self._row, [row[column] - 1 for column in _SAID])


class Teller:
    """Takes the place of the decoder's engine."""

    def __init__(self, baseline: Baseline) -> None:
        self._baseline = baseline

    def logits(self, field: str, state: State) -> Floats:
        """Logarithms of the n-grams' probabilities of one field."""
        contexts = state.heard.contexts(state.row, state.said)
        return cast(Floats, np.log(self._baseline.probabilities(field, contexts)))

    def said(self, field: str, choice: int) -> int:
        """What a choice adds to the state from which the next field is drawn."""
        return choice

    def voiced(self, state: State, voice: int, card: Sequence[int]) -> State:
        """The state from which a voice's pitch is drawn."""
        return state + voice


def play(baseline: Baseline, model: Model, request: Request) -> Phrase:
    """The baseline's answer to a request, as the player's would be; `model` lends its window and styles."""
    # It counts no velocities.
    plan = replace(make_plan(request, model), loud=False)
    rows = plan.beginning()
    reader: Any = Reader(baseline)
    start = Start(reader, 0, np.zeros(0))
    walk = Walk(cast(Engine, Teller(baseline)), request, plan, rows, start)
    notes = []
    while not walk.done:
        note = walk.push(walk.draw())
        if note is not None:
            notes.append(note)
    return plan.phrase(notes)

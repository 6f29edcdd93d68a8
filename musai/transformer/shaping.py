"""What a request makes seldom or likely where it forbids nothing: shifts of the logits of each field.

Each wish has its own law, in nats:

    soft scale   a pitch outside it is seldom
    density      a place is seldom that is far from where the next of so many notes is due, and of a
                 voice that is one line a length far from its share
    voices       one that was asked for by name begins with the others and does not rest for long, and
                 nor do all at once
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musai.transformer import vocabulary as v
from musai.transformer.encoding import Bar
from musai.transformer.grammar import Grammar, Part
from musai.transformer.noise import log
from musai.transformer.request import Request

Floats = NDArray[np.float64]
LN2 = 0.6931471805599453

STEER = 5.0
"""Nats by which a length of a line twice that which the density asks for is less likely."""

DUE = 16.0
"""Nats by which a place a bar from where the next note is due by the density is less likely; four
times as many at two bars, so that what is ahead or behind is made up for."""

ENTRY = 5.0
"""Nats by which a voice asked for by name that has not begun is likelier, and that it begins where
another just did: a voice that enters late is not taken up."""

REST = 0.5
"""Bars that a voice asked for by name rests with nothing said."""

WAIT = 16.0
"""Nats by which it is likelier a bar after that; four times as many two bars after."""


@dataclass(frozen=True, slots=True)
class Shaping:
    """The wishes of one request over the `bars` and `parts` of its answer.

    `bias`: added to the logits of (moved) pitches, shape (128,), not of drums.  `gap`: steps between
    the onsets of one voice that make up the density asked for.  `asked`: voices that play.  `named`: whether
    they were asked for by name, so that each is to be heard.
    """

    bars: tuple[Bar, ...] = ()
    parts: tuple[Part, ...] = ()
    bias: Floats | None = None
    gap: float | None = None
    asked: int = 1
    named: bool = False

    @classmethod
    def of(
        cls,
        request: Request,
        bars: tuple[Bar, ...],
        parts: tuple[Part, ...],
        bias: Floats | None = None,
    ) -> "Shaping":
        """The wishes of a request."""
        asked = max(1, sum(part.asked for part in parts))
        gap = None
        if request.density is not None:
            mean = sum(bar.steps for bar in bars) / len(bars)
            gap = mean * asked / request.density
        # A number is a voice of the context, which plays there as it likes.
        named = any(not word.isdecimal() for word in request.voice_words)
        return cls(bars, parts, bias, gap, asked, named)

    def shaped(self, field: int, logits: Floats, grammar: Grammar, drawn: Sequence[int]) -> Floats:
        """Logits of an output field, the fields before it drawn, as the wishes shift them."""
        if field == 0:
            return self._places(logits, grammar)
        if field == 1 and self.named and self.asked > 1:
            return logits + self._waits(grammar, drawn[0])
        if field == 2 and self.bias is not None and not self.parts[drawn[1]].drum:
            return logits + self.bias
        if field == 3 and self.gap is not None and self.parts[drawn[1]].line:
            return self._lengths(logits, self.gap, grammar, drawn[0])
        return logits

    def _places(self, logits: Floats, grammar: Grammar) -> Floats:
        position, last = grammar.last
        if self.named:
            logits = logits.copy()
            if position >= 0 and self._awaited(grammar, last):
                logits[position] += ENTRY
            ended = max(grammar.ended(i) or 0 for i, part in enumerate(self.parts) if part.asked)
            logits[v.BARLINE] -= self._wait(grammar, self.bars[grammar.bar].steps, ended)
        if self.gap is None:
            return logits
        steps = np.arange(v.MAX_BAR + 1.0)
        steps[v.BARLINE] = self.bars[grammar.bar].steps
        late = self._late(self.gap, grammar, grammar.drawn, steps)
        # After a bar line the next note is at least so far away, and may be farther.
        late[v.BARLINE] = max(0.0, late[v.BARLINE])
        return logits - DUE * late * late

    def _awaited(self, grammar: Grammar, voice: int) -> bool:
        """Whether a voice after this one, which may still begin where it did, has not been heard."""
        parts = enumerate(self.parts)
        return any(p.asked and i > voice and grammar.ended(i) is None for i, p in parts)

    def _waits(self, grammar: Grammar, position: int) -> Floats:
        """What a voice gains at a place of this bar by not having begun, and by the bars it has rested."""
        gains = np.zeros(v.VOICES)
        for i, part in enumerate(self.parts):
            if part.asked:
                ended = grammar.ended(i)
                gains[i] = self._wait(grammar, position, ended or 0)
                gains[i] += ENTRY if ended is None else 0.0
        return gains

    def _wait(self, grammar: Grammar, position: int, ended: int) -> float:
        """Nats for a rest up to a place of this bar since the step at which a voice ended."""
        rest = (grammar.onset(position) - ended) / self.bars[grammar.bar].steps - REST
        return WAIT * rest * rest if rest > 0 else 0.0

    def _lengths(self, logits: Floats, gap: float, grammar: Grammar, position: int) -> Floats:
        logits = logits - STEER * np.abs(log(v.DURATIONS / gap) / LN2)
        if self.asked == 1:
            # Nothing begins before a lone line's note ends.
            late = self._late(gap, grammar, grammar.drawn + 1, position + v.DURATIONS)
            return logits - DUE * late * late
        return logits

    def _late(self, gap: float, grammar: Grammar, notes: int, steps: Floats) -> Floats:
        """Bars from where the density has the note after so many due to steps of this bar."""
        due = notes * gap / self.asked
        late: Floats = (steps + grammar.onset(0) - due) / self.bars[grammar.bar].steps
        return late

"""One answer on its way: what has been read, what may come next, what was drawn.

Drawing changes nothing; `push` takes what was drawn.  So a state can be marked and come back
to, and the draw of one event may be tried again: `attempt` is part of the noise's counter.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from musai.music import Note
from musai.music.notes import MAX_TICK
from musai.transformer.encoding import Rows, RowWriter
from musai.transformer.engine import Engine, Floats
from musai.transformer.engine import Mark as Read
from musai.transformer.fresh import Fresh
from musai.transformer.grammar import Grammar, Mask
from musai.transformer.noise import Noise
from musai.transformer.performed import velocity_of
from musai.transformer.plan import Plan
from musai.transformer.prefixes import Start
from musai.transformer.request import Request
from musai.transformer.sampling import Chooser, Draw, choose
from musai.transformer.vocabulary import BARLINE, DURATIONS, OUTPUTS

AGAIN = 16
"""Events that are pushed again, at most, to come back to a mark: copies of every state cost more than that."""

_EVERY_VELOCITY = np.ones(OUTPUTS["velocity"], bool)


class Drawn(NamedTuple):
    """A note as it was drawn: step within the bar, voice, (moved) pitch, index of its length, class of
    its velocity (-1 where the model says none)."""

    position: int
    voice: int
    pitch: int
    duration: int
    velocity: int = -1


Masked = Callable[[int], Collection[int]]
"""Called with a voice; the pitches that must not begin where its next note is drawn."""


class Stuck(Exception):
    """Nothing may begin at this step, in this voice where one is named, at this pitch likewise.

    Step -1: nothing may begin anywhere.
    """

    def __init__(self, step: int, voice: int | None = None, pitch: int | None = None) -> None:
        super().__init__(step, voice, pitch)
        self.step, self.voice, self.pitch = step, voice, pitch


@dataclass(slots=True)
class Barred:
    """What must not be drawn again, by step from the answer's first bar line; nothing before `first`."""

    first: int = 0
    steps: set[int] = field(default_factory=set)
    voices: set[tuple[int, int]] = field(default_factory=set)
    notes: set[tuple[int, int, int]] = field(default_factory=set)

    def add(self, stuck: Stuck) -> None:
        """Bar a place where a draw got stuck."""
        if stuck.voice is None:
            self.steps.add(stuck.step)
        elif stuck.pitch is None:
            self.voices.add((stuck.step, stuck.voice))
        else:
            self.notes.add((stuck.step, stuck.voice, stuck.pitch))


class Base(NamedTuple):
    """Copies of what pushing changes."""

    grammar: Grammar
    writer: RowWriter
    fresh: Fresh

    def copy(self) -> "Base":
        """The same, to be changed."""
        return Base(self.grammar.copy(), self.writer.copy(), self.fresh.copy())


class Mark(NamedTuple):
    """A state of a walk."""

    read: Read
    base: Base
    since: list[Drawn | None]
    pushed: int
    state: Floats
    unread: Rows | None
    event: int
    struck: int


class Walk:
    """Draws the answer to one request, event by event.

    `rows` are the plan's beginning; `start` has read the first of them, or all.  `chooser` draws
    each choice.
    """

    def __init__(
        self,
        engine: Engine,
        request: Request,
        plan: Plan,
        rows: Rows,
        start: Start,
        chooser: Chooser = choose,
    ) -> None:
        self._engine, self._plan = engine, plan
        self._cache, self._noise = start.cache, Noise(request.seed)
        self._chooser = chooser
        self._grammar = plan.grammar()
        self._writer = plan.writer
        self._fresh = Fresh(request.avoid or ())
        rest = rows[start.read :]
        self._state = self._cache.read(rest) if len(rest) else start.state
        self._unread: Rows | None = None
        self._event = 0
        self._struck = 0
        self._base: Base | None = None
        self._since: list[Drawn | None] = []

    @property
    def done(self) -> bool:
        """Whether all bars have passed."""
        return self._grammar.done

    def mark(self) -> Mark:
        """This state, to come back to."""
        if self._base is None or len(self._since) >= AGAIN:
            self._base, self._since = Base(self._grammar, self._writer, self._fresh).copy(), []
        return Mark(
            self._cache.mark(), self._base, self._since, len(self._since),
            self._state, self._unread, self._event, self._struck,
        )  # fmt: skip

    def back(self, mark: Mark) -> None:
        """As if nothing had been pushed since."""
        self._cache.back(mark.read)
        self._grammar, self._writer, self._fresh = mark.base.copy()
        self._base, self._since = mark.base, []
        for drawn in mark.since[: mark.pushed]:
            self.push(drawn)  # For the state alone: what sounded is known.
        self._state, self._unread = mark.state, mark.unread
        self._event, self._struck = mark.event, mark.struck

    def step(self, drawn: Drawn) -> int:
        """Steps from the answer's first bar line to a drawn note."""
        return self._grammar.onset(drawn.position)

    def when(self, position: int) -> int:
        """The tick at which a note drawn there sounds; for a bar line, before which none can."""
        plan, grammar = self._plan, self._grammar
        if position != BARLINE:
            return plan.starts(grammar.onset(position))
        if grammar.bar + 1 == len(plan.bars):
            return MAX_TICK
        return plan.starts(grammar.onset(plan.bars[grammar.bar].steps))

    def first_after(self, position: int, tick: int) -> int:
        """The first step whose notes sound after a tick that is before this position's."""
        grammar, plan = self._grammar, self._plan
        step = grammar.onset(plan.bars[grammar.bar].steps if position == BARLINE else position)
        while step > 0 and plan.starts(step - 1) > tick:
            step -= 1
        return step

    def push(self, drawn: Drawn | None) -> Note | None:
        """Take what was drawn: a note, which sounds as the result says, or a bar line."""
        grammar, plan = self._grammar, self._plan
        self._since.append(drawn)
        self._event += 1
        if drawn is None:
            grammar.push_barline()
            if not grammar.done:
                self._unread = plan.opening(grammar.bar, self._writer)
            return None
        position, voice, pitch, duration, velocity = drawn
        onset, steps = grammar.onset(position), int(DURATIONS[duration])
        grammar.push(position, voice, pitch, duration)
        # Read only when the next event is drawn: a note need not wait for that to sound.
        self._unread = self._writer.note_row(position, voice, pitch, duration, 1 + velocity)[None]
        struck, mean = None, 0.0
        if velocity >= 0:
            struck = velocity_of(velocity)
            self._struck += struck
            mean = self._struck / grammar.drawn
        note = plan.sounded(grammar.bar, position, onset, steps, pitch, voice, struck, mean)
        self._fresh.push(note.onset, note.pitch, note.voice)
        return note

    def draw(self) -> Drawn | None:
        """The next note; None for a bar line."""
        position = self.position()
        return None if position == BARLINE else self.note(position)

    def position(self, attempt: int = 0, barred: Barred | None = None) -> int:
        """The step of the next note within its bar, or a bar line.

        Raises `Stuck` where what is barred leaves nothing.
        """
        if self._unread is not None:
            self._state, self._unread = self._cache.read(self._unread), None
        logits = self._engine.logits("position", self._state)
        return self._choose(logits, self._positions(barred), 0, attempt, ())

    def note(
        self,
        position: int,
        attempt: int = 0,
        barred: Barred | None = None,
        masked: Masked | None = None,
    ) -> Drawn:
        """The next note, its position drawn.  Raises `Stuck` where what is barred leaves nothing."""
        engine, grammar = self._engine, self._grammar
        state = self._state + engine.said("position", position)
        logits = engine.logits("voice", state)
        voice = self._choose(logits, self._voices(position, barred), 1, attempt, (position,))
        state = engine.voiced(state, voice, self._writer.card(voice))
        allowed = self._pitches(position, voice, barred, masked)
        logits = engine.logits("pitch", state)
        pitch = self._choose(logits, allowed, 2, attempt, (position, voice))
        state = state + engine.said("pitch", pitch)
        logits = engine.logits("duration", state)
        allowed = grammar.durations(position, voice, pitch)
        duration = self._choose(logits, allowed, 3, attempt, (position, voice, pitch))
        if not self._plan.loud:
            return Drawn(position, voice, pitch, duration)
        logits = engine.logits("velocity", state + engine.said("duration", duration))
        drawn = (position, voice, pitch, duration)
        return Drawn(*drawn, self._choose(logits, _EVERY_VELOCITY, 4, attempt, drawn))

    def _choose(
        self, logits: Floats, allowed: Mask, field: int, attempt: int, drawn: Sequence[int]
    ) -> int:
        plan = self._plan
        scores = plan.shaping.shaped(field, logits, self._grammar, drawn)
        heat, noise = plan.heat[field], self._noise
        return self._chooser(Draw(scores, allowed, *heat, noise, self._event, field, attempt))

    def _positions(self, barred: Barred | None) -> Mask:
        mask = self._grammar.positions()
        if barred is not None and (barred.steps or barred.first):
            start = self._grammar.onset(0)
            mask[: max(0, min(BARLINE, barred.first - start))] = False
            for step in barred.steps:
                if 0 <= step - start < BARLINE:
                    mask[step - start] = False
            if not mask.any():
                raise Stuck(-1)
        return mask

    def _voices(self, position: int, barred: Barred | None) -> Mask:
        mask = self._grammar.voices(position)
        if barred is not None and barred.voices:
            step = self._grammar.onset(position)
            for at, voice in barred.voices:
                if at == step:
                    mask[voice] = False
            if not mask.any():
                raise Stuck(step)
        return mask

    def _pitches(
        self, position: int, voice: int, barred: Barred | None, masked: Masked | None
    ) -> Mask:
        mask = self._grammar.pitches(position, voice)
        step = self._grammar.onset(position)
        if barred is not None:
            for at, whose, pitch in barred.notes:
                if (at, whose) == (step, voice):
                    mask[pitch] = False
        if masked is not None:
            plan = self._plan
            for pitch in masked(plan.sounding_voice(voice)):
                drawn = plan.moved(pitch, voice)
                if drawn is not None:
                    mask[drawn] = False
        if not mask.any():
            raise Stuck(step, voice)
        return self._unlike(mask, step, voice)

    def _unlike(self, mask: Mask, step: int, voice: int) -> Mask:
        """Without what repeats the takes to be avoided, unless nothing else is left."""
        plan = self._plan
        new = mask.copy()
        for pitch in self._fresh.forbidden(plan.starts(step), plan.sounding_voice(voice)):
            drawn = plan.moved(pitch, voice)
            if drawn is not None:
                new[drawn] = False
        return new if new.any() else mask

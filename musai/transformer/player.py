"""Player: a model that answers a request in notes, one by one, in time order."""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from musai.music import Note, Phrase
from musai.transformer.checkpoint import Model, load
from musai.transformer.controls import RANGES
from musai.transformer.engine import Engine, one_thread
from musai.transformer.grammar import Grammar
from musai.transformer.noise import Noise
from musai.transformer.plan import Plan, make_plan
from musai.transformer.prefixes import Prefixes
from musai.transformer.request import Request
from musai.transformer.sampling import choose
from musai.transformer.vocabulary import BARLINE, DURATIONS


class Player:
    """Opens a model once and answers any number of requests, each as if it were the first.

    >>> player = Player.open()                                  # doctest: +SKIP
    >>> phrase = player.play(Request(bars=4, seed=7))           # doctest: +SKIP
    """

    def __init__(self, model: Model) -> None:
        one_thread()
        self._model = model
        self._engine = Engine(model.shape, model.weights)
        self._prefixes = Prefixes(self._engine)

    @classmethod
    def open(cls, model: str | Path | None = None) -> "Player":
        """The model of this name or folder, or the default one.  Raises `NotFound`, `Altered`."""
        return cls(load(model))

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def model_id(self) -> str:
        """SHA-256 of the weights file."""
        return self._model.model_id

    @property
    def collections(self) -> tuple[str, ...]:
        """Collections that a request may name."""
        return self._model.collections

    def describe(self) -> dict[str, Any]:
        """Name, id, size, collections and legal ranges, as JSON values."""
        return {
            "name": self.name,
            "model_id": self.model_id,
            "parameters": self._model.shape.parameters,
            "window": self._model.shape.window,
            "collections": list(self.collections),
            "ranges": {name: list(limits) for name, limits in RANGES.items()},
        }

    def generate(self, request: Request) -> Iterator[Note]:
        """The answer's notes in order of onset; ticks count from the answer's first bar line.

        Raises `BadRequest` before the first note, never after it.
        """
        plan = make_plan(request, self._model)
        return self._notes(request, plan)

    def prefill(self, request: Request) -> Iterator[None]:
        """Read the beginning of the request's context in advance, a block at each step.

        A later request whose context begins alike is then answered sooner, with the same notes.
        """
        return self._prefixes.read(make_plan(request, self._model).rows)

    def phrase(self, request: Request, notes: Iterable[Note]) -> Phrase:
        """The notes as a phrase with the answer's metre, voices and exact length in bars."""
        return make_plan(request, self._model).phrase(notes)

    def play(self, request: Request) -> Phrase:
        """The whole answer at once."""
        return self.phrase(request, self.generate(request))

    def _notes(self, request: Request, plan: Plan) -> Iterator[Note]:
        (cache, read), noise = self._prefixes.fork(plan.rows), Noise(request.seed)
        grammar = plan.grammar()
        kept = deque(plan.kept_notes())
        cache.read(plan.rows[read:])
        state = cache.read(plan.opening(0))
        event = 0
        while not grammar.done:
            drawn = self._draw(state, grammar, request, noise, event)
            event += 1
            if drawn is None:
                grammar.push_barline()
                if not grammar.done:
                    state = cache.read(plan.opening(grammar.bar))
                continue
            position, voice, pitch, duration = drawn
            onset = grammar.onset(position)
            grammar.push(*drawn)
            note = plan.sounded(
                grammar.bar, position, onset, int(DURATIONS[duration]), pitch, voice
            )
            while kept and kept[0].onset <= note.onset:
                yield kept.popleft()
            yield note
            state = cache.read(plan.writer.note_row(*drawn)[None])
        yield from kept

    def _draw(
        self, state: np.ndarray, grammar: Grammar, request: Request, noise: Noise, event: int
    ) -> tuple[int, int, int, int] | None:
        """Position, voice, pitch, duration of the next note; None for a bar line."""
        engine, t, p = self._engine, request.temperature, request.top_p
        logits = engine.logits("position", state)
        position = choose(logits, grammar.positions(), t, p, noise, event, 0)
        if position == BARLINE:
            return None
        state = state + engine.said("position", position)
        logits = engine.logits("voice", state)
        voice = choose(logits, grammar.voices(position), t, p, noise, event, 1)
        state = state + engine.said("voice", voice)
        logits = engine.logits("pitch", state)
        pitch = choose(logits, grammar.pitches(position, voice), t, p, noise, event, 2)
        state = state + engine.said("pitch", pitch)
        logits = engine.logits("duration", state)
        duration = choose(logits, grammar.durations(position, voice, pitch), t, p, noise, event, 3)
        return position, voice, pitch, duration

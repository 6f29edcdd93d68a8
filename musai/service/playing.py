"""The player's process: several phrases at once, a note of each in turn.

Each phrase is an iterator with a state of its own and noise keyed by its own
seed, so what else is in hand changes when a note comes, never which.
"""

import functools
import gc
import importlib
import os
import platform
import sys
import time
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from threadpoolctl import threadpool_info

import musai
from musai.errors import MusaiError
from musai.music import Note, Phrase
from musai.service import wire
from musai.service.child import THREAD_VARIABLES
from musai.service.fairness import AT_ONCE
from musai.service.pipes import Pipes
from musai.transformer.request import Request

ARITHMETIC = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", *THREAD_VARIABLES)
"""Environment variables that may change a result's last bits; recorded with each phrase."""


YIELD_SECONDS = 0.001

GUARDS = "musai.service.printed:guards"
"""Makes the guard of a request from k and the corpora's names; opened when first one is asked for."""


class PlayerLike(Protocol):
    """What the worker needs of `musai.transformer.Player`."""

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def model_id(self) -> str:
        """Hash over the model's files."""

    def generate(self, request: Request, guard: Any = None) -> Iterator[Note]:
        """Notes of the answer, as they are made; under this guard where the request has one."""

    def prefill(self, request: Request, topic: str, played: float) -> Iterator[None]:
        """Read a context in advance, a little at each step."""

    def phrase(self, request: Request, notes: list[Note]) -> Phrase:
        """The finished phrase."""

    def describe(self) -> dict[str, Any]:
        """JSON values."""


@dataclass(slots=True)
class _Take:
    """One phrase in the making."""

    ticket: int
    request: Request
    source: Iterator[Note]
    began: wire.Began
    notes: list[Note] = field(default_factory=list)
    begun: bool = False


def run_player(pipes: Pipes, factory: str, model: str) -> None:
    """Serve until the pipe closes.  `factory` is "module:callable"; an empty `model` means None."""
    Band(pipes, lambda: load(factory)(model or None)).run()


class Band:
    """The takes in hand and the turn."""

    def __init__(
        self, pipes: Pipes, opener: Callable[[], PlayerLike], guards: str = GUARDS
    ) -> None:
        self._pipes = pipes
        self._opener = opener
        self._guards = functools.cache(lambda: load(guards)())
        self._player: PlayerLike | None = None
        self._takes: deque[_Take] = deque()
        self._ahead: OrderedDict[str, Iterator[None]] = OrderedDict()
        self._fault = ("NotFound", "no model was opened")
        self._open()

    def run(self) -> None:
        """Commands first, then one note of the take whose turn it is, then reading ahead."""
        while True:
            command = self._pipes.next(wait=not self._takes and not self._ahead)
            if isinstance(command, wire.Play):
                self._guard(command.ticket, self._begin, command)
            elif isinstance(command, wire.Stop):
                self._stop(command.ticket)
            elif isinstance(command, wire.Prefill):
                self._prefill(command)
            elif self._takes:
                take = self._takes.popleft()
                self._guard(take.ticket, self._step, take)
            elif self._ahead:
                self._read_on()

    def _open(self) -> None:
        try:
            self._player = self._opener()
        except Exception as error:
            self._fault = (type(error).__name__, reason_of(error))
            self._pipes.say(wire.Unready(*self._fault))
            return
        _warm(self._player)
        about = {**self._player.describe()}
        about |= {"name": self._player.name, "id": self._player.model_id}
        # What is loaded now stays; collecting it again and again would only cost pauses.
        gc.collect()
        gc.freeze()
        self._pipes.say(wire.Ready(about, made_with()))

    def _begin(self, command: wire.Play) -> None:
        if self._player is None:
            self._open()
        if self._player is None:
            self._pipes.say(wire.Ended(command.ticket, *self._fault))
            return
        request = _request(command)
        guard = None
        if request.guard is not None:
            guard = self._guards()(request.guard, command.corpora)
        source = iter(self._player.generate(request, guard))
        began = wire.Began(command.ticket, guard and guard.describe())
        self._takes.append(_Take(command.ticket, request, source, began))

    def _step(self, take: _Take) -> None:
        # That it has begun goes out with its first note: the service's work on the one shall not
        # hold up the other.
        said: list[wire.Message] = [] if take.begun else [take.began]
        first, take.begun = not take.begun, True
        try:
            note = next(take.source, None)
            if note is not None:
                take.notes.append(note)
                # Plain ints: a player may well yield numpy's.
                said.append(wire.Sound(take.ticket, *map(int, note)))
        finally:
            if said:
                self._pipes.say(*said)
        if note is not None:
            self._takes.append(take)
            if first:
                # On a busy machine the service gets this core now, not at the end of our time slice.
                time.sleep(YIELD_SECONDS)
            return
        assert self._player is not None
        phrase = self._player.phrase(take.request, take.notes)
        self._pipes.say(
            wire.Made(
                take.ticket,
                wire.PhraseWire.of(phrase),
                phrase.id,
                phrase.notes_id,
                phrase.to_midi(),
                len(phrase),
                phrase.bars,
            )
        )

    def _prefill(self, command: wire.Prefill) -> None:
        """Nobody waits for it, so nobody is told where it cannot be done."""
        if self._player is not None:
            topic = command.topic
            self._ahead.pop(topic, None)
            with suppress(Exception):
                source = self._player.prefill(_request(command), topic, command.played)
                self._ahead[topic] = source
            while len(self._ahead) > AT_ONCE:
                self._ahead.popitem(last=False)

    def _read_on(self) -> None:
        topic, source = self._ahead.popitem(last=False)
        with suppress(StopIteration, Exception):
            next(source)
            self._ahead[topic] = source

    def _stop(self, ticket: int) -> None:
        for take in self._takes:
            if take.ticket == ticket:
                self._takes.remove(take)
                self._pipes.say(wire.Ended(ticket, "Cancelled", "cancelled while it played"))
                return

    def _guard(self, ticket: int, step: Callable[[Any], None], argument: Any) -> None:
        """An error ends its own take and no other."""
        try:
            step(argument)
        except BrokenPipeError:
            raise
        except Exception as error:
            self._pipes.say(wire.Ended(ticket, type(error).__name__, reason_of(error)))


def _request(command: wire.Play | wire.Prefill) -> Request:
    context = None if command.context is None else command.context.phrase()
    wishes: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in command.wishes.items()
    }
    return Request(context=context, **wishes)


def _warm(player: PlayerLike) -> None:
    """Play a bar to nobody: what a first phrase costs beyond a second one, no composer waits for."""
    context = Phrase.from_notes(range(20), [1] * 20, range(60, 80))
    request = Request(mode="continue", bars=1, context=context)
    # A model that cannot play this says so when it is asked for something.
    with suppress(Exception):
        player.phrase(request, list(player.generate(request))).to_midi()


def load(factory: str) -> Callable[..., Any]:
    """The callable that "module:name" or "module:Class.method" names."""
    module, _, name = factory.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    called: Callable[..., Any] = found
    return called


def reason_of(error: Exception) -> str:
    """An error raised on purpose in its own words; any other with its type, and told on stderr."""
    if isinstance(error, MusaiError):
        return str(error)
    traceback.print_exception(error, file=sys.stderr)
    return f"internal error: {type(error).__name__}: {error}"


def made_with() -> dict[str, Any]:
    """Versions and settings on which the last bit of a result may depend."""
    blas = [
        {key: info.get(key) for key in ("internal_api", "version", "architecture", "num_threads")}
        for info in threadpool_info()
    ]
    return {
        "musai": musai.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "blas": blas,
        "environment": {name: os.environ[name] for name in ARITHMETIC if name in os.environ},
    }

"""The playing side of the service: tickets, whose turn it is, and the player's post."""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, fields
from itertools import count
from time import perf_counter
from typing import Any, Protocol

from musai.errors import MusaiError
from musai.ledger import Record
from musai.service import wire
from musai.service.child import Setting
from musai.service.events import Event, Failed, Sounded, Started
from musai.service.fairness import Turns
from musai.service.interface import OnEvent
from musai.service.post import Post
from musai.service.replays import Recorded
from musai.transformer.request import Request

_log = logging.getLogger("musai.service")

NO_CORPUS = ""
"""Without a guard a player's notes depend on model and request alone; what they are compared with
afterwards, and whether that is open yet, must not change the name under which they can be made again."""

CANCEL_SECONDS = 5.0
"""A player that has not let go of a cancelled phrase by then is ended."""


@dataclass(slots=True)
class Ticket:
    """One request on its way.  `recorded` is what a replay is compared with."""

    number: int
    request: Request
    on_event: OnEvent
    session: str
    recorded: Recorded | None
    asked: float = field(default_factory=perf_counter)
    replay_id: str = ""
    model: Mapping[str, Any] = field(default_factory=dict)
    made_with: Mapping[str, Any] = field(default_factory=dict)
    corpora: list[dict[str, str]] = field(default_factory=list)
    guard: Mapping[str, Any] | None = None
    terms: Mapping[str, Any] | None = None
    recording: "Future[Record] | None" = None
    notes: int = 0
    first_note_ms: float = 0.0
    kept: bool = False
    """Whether its beginning was handed on to the ledger."""
    ended: bool = False

    def tell(self, event: Event) -> None:
        """Hand an event to whoever asked; after the last one nothing more is told."""
        if self.ended:
            return
        try:
            self.on_event(event)
        except Exception:
            _log.exception("the callback of ticket %d failed", self.number)

    @property
    def corpus_id(self) -> str:
        """What the notes depend on beside model and request: the guard's id, which names corpora."""
        return NO_CORPUS if self.guard is None else str(self.guard["id"])

    @property
    def age_ms(self) -> float:
        """Milliseconds since it was asked."""
        return 1000 * (perf_counter() - self.asked)


class Keeper(Protocol):
    """What the desk hands on: called from its reader thread, must return at once."""

    def corpora_in_use(self) -> list[dict[str, str]]:
        """Name and id of every corpus that phrases are compared with now."""

    def corpora_named(self) -> list[str]:
        """The corpora that a guard is to hold against."""

    def began(self, ticket: Ticket) -> None:
        """A worker has it."""

    def made(self, ticket: Ticket, made: wire.Made) -> None:
        """The phrase is whole."""

    def failed(self, ticket: Ticket, kind: str, reason: str) -> None:
        """No phrase will come of it."""


class Desk:
    """Takes requests, keeps the player busy and fair, tells notes as they come."""

    def __init__(self, keeper: Keeper, factory: str, model: str | None, setting: Setting) -> None:
        self._keeper = keeper
        self._lock = threading.RLock()
        self._numbers = count(1)
        self._tickets: dict[int, Ticket] = {}
        self._turns = Turns()
        self._closed = False
        self.about: dict[str, Any] | None = None
        self.made_with: dict[str, Any] = {}
        self._post = Post("play", (factory, model or ""), self._message, self._gone, setting)
        self._post.fill()

    @property
    def waiting(self) -> int:
        """Requests that no worker has yet."""
        return len(self._turns)

    def submit(
        self,
        request: Request,
        on_event: OnEvent,
        session: str,
        recorded: Recorded | None = None,
        terms: Mapping[str, Any] | None = None,
    ) -> int:
        """Queue a request and begin it where a turn is free."""
        with self._lock:
            if self._closed:
                raise MusaiError("the service is closed")
            ticket = Ticket(next(self._numbers), request, on_event, session, recorded, terms=terms)
            self._turns.add(ticket.number, session)
            self._tickets[ticket.number] = ticket
            self._post.fill()
            self._pump()
        return ticket.number

    def prefill(self, request: Request, topic: str, played: float) -> None:
        """Have a context read in advance, where the player is ready."""
        context = _context(request)
        if context is not None and self._post.state == "ready":
            self._post.send(wire.Prefill(_wishes(request), context, topic, played))

    def cancel(self, number: int) -> bool:
        """Stop a ticket that waits or plays; False for any other."""
        with self._lock:
            ticket = self._tickets.get(number)
            if ticket is None:
                return False
            if self._turns.remove(number):
                del self._tickets[number]
                self._keeper.failed(ticket, "Cancelled", "cancelled before it began")
                return True
        self._post.send(wire.Stop(number))
        watch = threading.Timer(CANCEL_SECONDS, self._insist, (number,))
        watch.daemon = True
        watch.start()
        return True

    def describe(self) -> dict[str, Any]:
        """The player's post."""
        return self._post.describe(busy=bool(self._turns.playing))

    def close(self) -> None:
        """End the worker; whoever still waits is told so."""
        with self._lock:
            self._closed = True
            left = [*self._turns.playing, *self._turns.drain()]
        self._post.close()
        for number in left:
            self._fail(number, "Closed", "the service was closed")

    def _pump(self) -> None:
        """Begin what may begin.  A worker that could not open its model tries again when asked."""
        if self._post.state not in ("ready", "unready"):
            return
        while (number := self._turns.take()) is not None:
            ticket = self._tickets[number]
            request = ticket.request
            play = wire.Play(number, _wishes(request), _context(request), self._guarded(ticket))
            self._post.send(play)

    def _guarded(self, ticket: Ticket) -> list[str]:
        """Against what a ticket's guard holds: a replay's as it was, else all corpora in use."""
        if ticket.request.guard is None:
            return []
        if ticket.recorded is None or ticket.recorded.guard is None:
            return self._keeper.corpora_named()
        return [corpus["name"] for corpus in ticket.recorded.guard["corpora"]]

    def _message(self, message: wire.Up) -> None:
        handle = _HANDLERS.get(type(message))
        if handle is not None:
            handle(self, message)

    def _ready(self, message: wire.Ready) -> None:
        self.about, self.made_with = message.about, message.made_with
        with self._lock:
            self._pump()

    def _unready(self, message: wire.Unready) -> None:
        self.about = None
        with self._lock:
            self._pump()

    def _began(self, message: wire.Began) -> None:
        ticket = self._tickets.get(message.ticket)
        if ticket is None or self.about is None:
            return
        ticket.model, ticket.made_with = self.about, self.made_with
        ticket.guard = message.guard
        if ticket.recorded is not None:
            ticket.replay_id = ticket.recorded.replay_id
            refusal = _other_model(ticket.recorded, self.about)
            refusal = refusal or _other_guard(ticket.recorded, message.guard)
            if refusal is not None:
                self._post.send(wire.Stop(ticket.number))
                self._fail(ticket.number, *refusal)
                return
        else:
            ticket.corpora = self._keeper.corpora_in_use()
            ticket.replay_id = ticket.request.replay_id(self.about["id"], ticket.corpus_id)
        ticket.tell(Started(ticket.number, ticket.replay_id))

    def _sound(self, message: wire.Sound) -> None:
        ticket = self._tickets.get(message.ticket)
        if ticket is None:
            return
        if ticket.notes == 0:
            ticket.first_note_ms = ticket.age_ms
        note = Sounded(
            ticket.number,
            ticket.notes,
            message.onset,
            message.duration,
            message.pitch,
            message.velocity,
            message.voice,
        )
        ticket.notes += 1
        ticket.tell(note)
        if ticket.notes > 1:
            self._keep(ticket)

    def _keep(self, ticket: Ticket) -> None:
        """Hand on that it has begun, once: with the second note, so that this work does not hold up the
        first; where there is none, with the end."""
        if ticket.replay_id and not ticket.kept:
            ticket.kept = True
            self._keeper.began(ticket)

    def _made(self, message: wire.Made) -> None:
        ticket = self._leave(message.ticket)
        if ticket is not None:
            self._keep(ticket)
            self._keeper.made(ticket, message)

    def _refused(self, message: wire.Ended) -> None:
        self._fail(message.ticket, message.kind, message.reason)

    def _gone(self, how: str) -> None:
        """The worker died: what it had in hand is lost, what waits is played by the next one."""
        with self._lock:
            dead = self._post.state == "dead"
            lost = list(self._turns.playing)
            waiting = self._turns.drain() if dead else []
        then = "it could not be started again" if dead else "it has been started again; ask again"
        for number in (*lost, *waiting):
            self._fail(number, "WorkerDied", f"the process that plays {how}; {then}")

    def _fail(self, number: int, kind: str, reason: str) -> None:
        ticket = self._leave(number)
        if ticket is not None:
            self._keep(ticket)
            self._keeper.failed(ticket, kind, reason)

    def _leave(self, number: int) -> Ticket | None:
        with self._lock:
            self._turns.end(number)
            ticket = self._tickets.pop(number, None)
            self._pump()
        return ticket

    def _insist(self, number: int) -> None:
        if number in self._turns.playing:
            self._post.kill()


_HANDLERS: dict[type, Callable[[Desk, Any], None]] = {
    wire.Ready: Desk._ready,
    wire.Unready: Desk._unready,
    wire.Began: Desk._began,
    wire.Sound: Desk._sound,
    wire.Made: Desk._made,
    wire.Ended: Desk._refused,
}


def failed(ticket: Ticket, kind: str, reason: str) -> None:
    """Tell a ticket's last event."""
    ticket.tell(Failed(ticket.number, kind, reason))
    ticket.ended = True


def _wishes(request: Request) -> dict[str, Any]:
    names = (item.name for item in fields(request) if item.name != "context")
    return {name: getattr(request, name) for name in names}


def _context(request: Request) -> wire.PhraseWire | None:
    return None if request.context is None else wire.PhraseWire.of(request.context)


def _other_guard(recorded: Recorded, guard: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """Why this guard cannot be the one that the phrase was made under, or None."""
    here = NO_CORPUS if guard is None else guard["id"]
    if recorded.corpus_id == here or guard is None:
        return None
    known = {row["name"]: row["id"] for row in (recorded.guard or {}).get("corpora", ())}
    changed = [row["name"] for row in guard["corpora"] if known.get(row["name"]) != row["id"]]
    return "Altered", (
        f"this phrase was made under a guard of {guard['notes']} notes against corpora that have "
        f"changed since: {', '.join(changed) or 'the rules of the guard did'}"
    )


def _other_model(recorded: Recorded, about: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why this model cannot make that phrase again, as (kind, reason), or None."""
    if recorded.model_id == about["id"]:
        return None
    if recorded.model == about["name"]:
        return "Altered", (
            f"the model {recorded.model!r} is no longer the one that made this phrase: "
            f"its id was {recorded.model_id[:12]}, it is {about['id'][:12]}"
        )
    return "NotFound", (
        f"this phrase was made by the model {recorded.model!r} ({recorded.model_id[:12]}); "
        f"here plays {about['name']!r}; replay it with --model {recorded.model}"
    )

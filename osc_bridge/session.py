"""One client's requests and replies as a state machine: no sockets, no clock.

Commands, the service's events and the results of its slower answers go in with
the time in seconds; effects come out in `shared.out`.  What each command does
is in `settings` and `asking`, one function an address.  A function refuses by
raising `Wrong`, which becomes `/musai/error`, at a limited rate; an error that
ends what was acknowledged is never withheld.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final

from musai.music import Voice
from musai.service.events import Event, Failed
from osc_bridge import asking, jamming, settings
from osc_bridge.asks import Context
from osc_bridge.chunks import Upload, Uploaded
from osc_bridge.effects import Cancel, Decided, Effect, Fetched, Peer, Send
from osc_bridge.limits import Gate, Limits
from osc_bridge.messages import Command, Fault, Id, Message, Value, Wrong, write
from osc_bridge.stage import Stage, Subscription
from osc_bridge.takes import Record, Takes

NOTICE: Final = 1.0
"""Seconds after which a client hears how many of its errors were withheld."""

SHORT: Final = 8
"""Digits of an id for clients that ask for short ones."""

HANDLERS: Final[dict[str, Callable[["Session", float, Command], None]]] = {
    **settings.HANDLERS,
    **asking.HANDLERS,
    **jamming.HANDLERS,
}


@dataclass(frozen=True, slots=True)
class About:
    """Who serves, for `/musai/welcome`."""

    version: str = ""
    model: str = ""
    model_id: str = ""
    corpus: str = ""
    corpus_id: str = ""

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> "About":
        """From `ServiceLike.describe`; blanks while the model is still loading."""
        model = described.get("model") or {}
        corpora = described.get("corpora") or []
        ready = [corpus for corpus in corpora if corpus.get("state") == "ready"]
        corpus = (ready or corpora or [{}])[0]
        names = (model.get("name"), model.get("id"), corpus.get("name"), corpus.get("id"))
        return cls(str(described.get("version") or ""), *(str(name or "") for name in names))


@dataclass(slots=True)
class Shared:
    """What all sessions of a server share; `withheld` counts error replies not sent,
    `token`
    is what clients on other machines must present, `jams` all jams that ever began, `now` is when the last thing happened,
    `link` whether Ableton Link can be followed."""

    limits: Limits = field(default_factory=Limits)
    about: About = field(default_factory=About)
    out: list[Effect] = field(default_factory=list)
    stages: dict[str, Stage] = field(default_factory=dict)
    withheld: int = 0
    token: str = ""
    link: bool = False
    seats: dict[int, jamming.Seat] = field(default_factory=dict)
    jams: int = 0
    now: float = 0.0


class Session:
    """The state of one client."""

    def __init__(self, number: int, peer: Peer, shared: Shared, now: float) -> None:
        limits = shared.limits
        self.number = number
        self.peer = peer
        self.reply_to = peer
        self.shared = shared
        self.name = ""
        self.short = False
        self.heard = now
        self.scheduled = 0
        self.values: dict[str, Any] = {}
        self.voices: dict[int, Voice] = {}
        self.seed = 0
        self.context: Context | None = None
        self.upload: Upload | None = None
        self.uploaded: Uploaded | None = None
        self.takes = Takes(limits.remembered, limits.takes)
        self.fetching: set[Id] = set()
        self.subscription: Subscription | None = None
        self.stage = settings.joined(self, f"client-{number}")
        self._gate = Gate(limits.error_burst, limits.errors_a_second)
        self._notice: float | None = None

    def receive(self, now: float, command: Command) -> None:
        """Do what a command asks, or answer why not."""
        try:
            if command.row.once and asking.known(self, now, command):
                return
            HANDLERS[command.row.path](self, now, command)
        except Wrong as wrong:
            self.fault(now, Fault(wrong.code, str(wrong), command.row.path, command.id))

    def event(self, now: float, id: Id, event: Event) -> None:
        """Pass on what the service says of a command; what it cannot pass on ends it."""
        try:
            asking.event(self, now, id, event)
        except ValueError as wrong:
            self.cancel(id)
            asking.event(self, now, id, Failed(event.ticket, "Internal", str(wrong)))

    def result(self, now: float, id: Id, result: Decided | Fetched | Failed) -> None:
        """Pass on what a slower answer of the service is."""
        asking.result(self, now, id, result)

    def cancel(self, id: Id) -> None:
        """Have the service stop a command."""
        self.shared.out.append(Cancel((self.number, id)))

    def reply(self, path: str, *args: Value, rest: Iterable[Sequence[Value]] = ()) -> Message:
        """Send a reply; returns it."""
        message = write(path, *args, rest=rest)
        self.send(message)
        return message

    def send(self, message: Message) -> None:
        """Send a message to where the client wants its replies."""
        self.shared.out.append(Send(self.reply_to, message))

    def ack(self, command: Command, wait: float = 0.0) -> None:
        """Acknowledge; `wait` in seconds until a timetag is due."""
        self.reply("/musai/ack", command.id, command.row.path, 1000 * wait)

    def error(self, id: Id, code: str, text: str, path: str) -> Message:
        """An error that ends what was acknowledged."""
        return self.reply("/musai/error", id, code, text, path, self._gate.told())

    def fault(self, now: float, fault: Fault) -> None:
        """A refusal, if the rate allows; else it is counted, and the count told later."""
        if self._gate.open(now):
            self.error(fault.id, fault.code, fault.text, fault.path)
            return
        self.shared.withheld += 1
        if self._notice is None:
            self._notice = now + NOTICE

    def digits(self, hash_: str) -> str:
        """An id as long as this client wants it."""
        return hash_[:SHORT] if self.short else hash_

    def code_of(self, kind: str) -> str:
        """The code word for an error's class name."""
        return asking.code_of(kind)

    def news(self, name: str, value: Value) -> None:
        """Tell one value of the state, if the client listens."""
        if self.subscription is not None:
            self.reply("/musai/state", self.subscription.id, name, value)

    def take(self, client: int, record: Record) -> None:
        """Tell how a take of the session stands, if the client listens."""
        if self.subscription is not None:
            self.reply(
                "/musai/take",
                self.subscription.id,
                client,
                record.id,
                self.digits(record.phrase),
                len(record.notes),
                record.light,
                record.decision,
            )

    def leave(self) -> None:
        """Cancel what runs and leave the session."""
        for record in self.takes.running():
            self.cancel(record.id)
        settings.left(self)

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nobody listens."""
        return self.subscription is None and not self.takes.running()

    def wake(self) -> float:
        """When `tick` has something to do."""
        times = [inf]
        if self._notice is not None:
            times.append(self._notice)
        if self.upload is not None:
            times.append(self.upload.due)
        if self.subscription is not None:
            times.append(self.subscription.beats)
        return min(times)

    def tick(self, now: float) -> None:
        """Do what time alone brings: notices, missing chunks, heartbeats."""
        if self._notice is not None and now >= self._notice:
            self._notice = None
            count = self._gate.told()
            if count:
                self.reply("/musai/withheld", count)
        settings.nudge(self, now)
        settings.beat(self, now)

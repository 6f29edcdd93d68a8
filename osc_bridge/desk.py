"""All clients of a server as one state machine: who is who, strangers, timetags, counts.

Packets, the service's events and the time go in, effects come out.

Strangers.  A packet from an address that has not said hello gets at most one
reply: to a hello that can be answered `/musai/ack` and `/musai/welcome`, together
under 1,024 bytes; to anything else an error of at most 128 bytes, or three times
what it sent where that is more.  Each stranger gets 16 errors, all strangers
together 32 replies a second; the rest are counted.  What musai itself sends
(`/musai/error` and so on) is never answered, whoever sends it, so that two
servers cannot keep each other busy.

Names.  A client is known by where its packets come from.  Those whose packets
leave from changing ports (each run of oscsend) say hello with a reply port P,
and put /musai/to/P/ in front of what follows: /musai/to/9000/generate.  A hello
that names the reply port of an earlier client of that host takes its place.

Timetags.  A command that is due later is acknowledged with its wait, kept and
done when due, and then acknowledged again; hello is never kept waiting.
"""

import heapq
import re
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from itertools import count
from math import inf
from typing import Final

from musai.service.events import Event, Failed
from musai.service.jams import Wish
from musai.transformer.controls import RANGES
from osc_bridge.addresses import TABLE
from osc_bridge.codec import Timed, decode, encode
from osc_bridge.effects import Decided, Effect, Fetched, Key, Peer, Send
from osc_bridge.errors import CODES
from osc_bridge.jam_wishes import wished
from osc_bridge.jamming import SERVICE
from osc_bridge.limits import Gate, Limits
from osc_bridge.messages import Command, Fault, Message, Wrong, id_of, read, shortened, write
from osc_bridge.midiclock import Told
from osc_bridge.rows import ROOT
from osc_bridge.session import About, Session, Shared
from osc_bridge.settings import check_hello, transported

HELLO: Final = f"{ROOT}/hello"
BYE: Final = f"{ROOT}/bye"
NOW: Final = 0.002
"""Seconds; what is due sooner is done at once."""
STRANGER_ERRORS: Final = 16
_TO: Final = re.compile(rf"{ROOT}/to/([0-9]{{1,5}})/(.+)")


@dataclass(slots=True)
class Counts:
    """What became of every packet; each message is answered, withheld or ignored.

    `garbage`: packets and parts of bundles without an address.  `ignored`:
    what musai itself sends, and replies.
    """

    packets: int = 0
    messages: int = 0
    garbage: int = 0
    answered: int = 0
    withheld: int = 0
    ignored: int = 0


@dataclass(order=True, slots=True)
class _Due:
    at: float
    turn: int
    number: int = field(compare=False)
    command: Command = field(compare=False)


class Desk:
    """Routes what comes in to the sessions; owns nothing that waits."""

    def __init__(
        self, limits: Limits | None = None, about: About | None = None, token: str = ""
    ) -> None:
        """`token` is what clients on other machines must present; without one they stay strangers."""
        self.shared = Shared(limits or Limits(), about or About(), token=token)
        self.counts = Counts()
        self.sessions: dict[int, Session] = {}
        self._sources: dict[Peer, Session] = {}
        self._numbers, self._turns = count(1), count()
        self._due: list[_Due] = []
        limits = self.shared.limits
        self._door = Gate(limits.stranger_burst, limits.strangers_a_second)
        self._strangers: OrderedDict[Peer, Gate] = OrderedDict()

    def packet(self, now: float, wall: float, peer: Peer, packet: bytes) -> list[Effect]:
        """Take one packet in; `now` runs evenly, `wall` is Unix time, both in seconds."""
        self.counts.packets += 1
        self.shared.now = now
        for timed in decode(packet, wall, self.shared.limits.packet(peer.kind)):
            if isinstance(timed.item, Fault) and not timed.item.path:
                self.counts.garbage += 1
            else:
                self._message(now, peer, timed, len(packet))
        return self._drained()

    def event(self, now: float, key: Key, event: Event) -> list[Effect]:
        """Take in what the service says of a phrase."""
        self.shared.now = now
        if key[0] == SERVICE:
            number, _, ask = str(key[1]).partition(".")
            seat = self.shared.seats.get(int(number))
            if seat is not None:
                seat.hear(now, int(ask), event)
        session = self.sessions.get(key[0])
        if session is not None:
            session.event(now, key[1], event)
        return self._drained()

    def result(self, now: float, key: Key, result: Decided | Fetched | Failed) -> list[Effect]:
        """Take in a slower answer of the service."""
        session = self.sessions.get(key[0])
        if session is not None:
            session.result(now, key[1], result)
        return self._drained()

    def linked(self, now: float, session: str, told: Told) -> list[Effect]:
        """Take in what Ableton Link tells a session that follows it."""
        self.shared.now = now
        stage = self.shared.stages.get(session)
        if stage is not None and stage.linked:
            low, high, _ = RANGES["tempo"]
            tempo = min(max(told.tempo, low), high)
            transported(stage, now, tempo, told.beat, told.playing)
        return self._drained()

    def gone(self, now: float, peer: Peer) -> list[Effect]:
        """A connection was closed."""
        session = self._sources.get(peer)
        if session is not None:
            self._forget(session)
        return self._drained()

    def close(self, now: float, reason: str = "the server is closing") -> list[Effect]:
        """Say goodbye to everyone."""
        for session in list(self.sessions.values()):
            session.reply("/musai/goodbye", reason)
            self._forget(session)
        return self._drained()

    def tick(self, now: float) -> list[Effect]:
        """Do what is due by now."""
        self.shared.now = now
        for seat in list(self.shared.seats.values()):
            seat.tick(now)
        while self._due and self._due[0].at <= now:
            due = heapq.heappop(self._due)
            session = self.sessions.get(due.number)
            if session is not None:
                session.scheduled -= 1
                self._receive(now, session, due.command)
        for session in list(self.sessions.values()):
            session.tick(now)
            self._expire(now, session, self.shared.limits.silence)
        return self._drained()

    def wish(self, now: float, jam: int, wish: Wish) -> list[Effect]:
        """Somebody who is no client wishes something of a jam.  Raises `Wrong` where that cannot be."""
        self.shared.now = now
        seat = self.shared.seats.get(jam)
        if seat is None:
            raise Wrong("no_jam", f"the jam {jam} is over")
        wished(seat, now, wish)
        return self._drained()

    def wake(self) -> float:
        """When `tick` has something to do; infinity for nothing.

        Silent clients are looked for at any tick: call it now and then.
        """
        times = [session.wake() for session in self.sessions.values()]
        times += [seat.wake() for seat in self.shared.seats.values()]
        return min([*times, self._due[0].at if self._due else inf])

    def _drained(self) -> list[Effect]:
        effects, self.shared.out = self.shared.out, []
        return effects

    def _message(self, now: float, peer: Peer, timed: Timed, size: int) -> None:
        self.counts.messages += 1
        session, item = self._routed(peer, timed.item)
        path = item.path if isinstance(item, Fault) else item.row.path
        if path in TABLE and TABLE[path].way == "out":
            self.counts.ignored += 1
            return
        before = len(self.shared.out)
        item = self._in_time(item, timed.delay)
        if session is None:
            self._stranger(now, peer, item, size)
        else:
            self._known(now, session, item, timed.delay)
        if any(isinstance(effect, Send) for effect in self.shared.out[before:]):
            self.counts.answered += 1
        else:
            self.counts.withheld += 1

    def _routed(self, peer: Peer, item: Message | Fault) -> tuple[Session | None, Command | Fault]:
        """Whose message this is, and which, with the prefix that names a reply port taken off."""
        session, to = self._sources.get(peer), _TO.fullmatch(item.path)
        if to is not None:
            session = self._sources.get(Peer("udp", peer.host, int(to[1])))
            item = replace(item, path=f"{ROOT}/{to[2]}")
            if session is None:
                given = item.id if isinstance(item, Fault) else id_of(item.args)
                text = f"nobody said hello with reply port {to[1]}"
                return self._sources.get(peer), Fault("hello_first", text, item.path, given)
        return session, read(item) if isinstance(item, Message) else item

    def _in_time(self, item: Command | Fault, delay: float) -> Command | Fault:
        limits = self.shared.limits
        if isinstance(item, Fault) or -limits.late <= delay <= limits.ahead:
            return item
        code = "late" if delay < 0 else "too_far"
        text = f"the timetag is {delay:.3f} s from now; legal is {-limits.late} to {limits.ahead}"
        return Fault(code, text, item.row.path, item.id)

    def _known(self, now: float, session: Session, item: Command | Fault, delay: float) -> None:
        session.heard = now
        if isinstance(item, Command) and item.row.path == HELLO:
            item = self._seated(session.peer, session, item)
        if isinstance(item, Fault):
            session.fault(now, item)
        elif delay <= NOW or item.row.path == HELLO:
            self._receive(now, session, item)
        elif session.scheduled >= self.shared.limits.scheduled:
            text = f"{session.scheduled} commands wait for their timetags, the limit"
            session.fault(now, Fault("busy", text, item.row.path, item.id))
        else:
            session.scheduled += 1
            heapq.heappush(self._due, _Due(now + delay, next(self._turns), session.number, item))
            session.ack(item, delay)

    def _receive(self, now: float, session: Session, command: Command) -> None:
        session.receive(now, command)
        if command.row.path == BYE:
            self._forget(session)

    def _stranger(self, now: float, peer: Peer, item: Command | Fault, size: int) -> None:
        if not self._door.open(now):
            self.shared.withheld += 1
            return
        if isinstance(item, Command) and item.row.path == HELLO:
            item = self._admitted(now, peer, item)
            if isinstance(item, Command):
                self._sources[peer].receive(now, item)
                return
        fault = item if isinstance(item, Fault) else _hello_first(item)
        gate = self._strangers.setdefault(peer, Gate(STRANGER_ERRORS, 0.0))
        self._strangers.move_to_end(peer)
        if len(self._strangers) > self.shared.limits.strangers:
            self._strangers.popitem(last=False)
        if gate.open(now):
            most = max(self.shared.limits.stranger_bytes, 3 * size)
            self.shared.out.append(Send(peer, _brief(fault, gate.told(), most)))
        else:
            self.shared.withheld += 1

    def _admitted(self, now: float, peer: Peer, command: Command) -> Command | Fault:
        """Make a stranger a client, or say why not."""
        if len(self.sessions) >= self.shared.limits.clients:
            oldest = min(self.sessions.values(), key=lambda session: session.heard)
            self._expire(now, oldest, self.shared.limits.evictable)
        if len(self.sessions) >= self.shared.limits.clients:
            text = f"{len(self.sessions)} clients are here, the limit"
            return Fault("busy", text, command.row.path, command.id)
        item = self._seated(peer, None, command)
        if isinstance(item, Command):
            session = Session(next(self._numbers), peer, self.shared, now)
            self.sessions[session.number] = self._sources[peer] = session
            self._strangers.pop(peer, None)
            port = command.args["reply_port"]
            if port:
                self._sources[Peer("udp", peer.host, port)] = session
        return item

    def _seated(self, peer: Peer, session: Session | None, command: Command) -> Command | Fault:
        """Give a hello the reply port that it names, or say why not."""
        try:
            check_hello(peer, command, self.shared.token)
        except Wrong as wrong:
            return Fault(wrong.code, str(wrong), command.row.path, command.id)
        port = command.args["reply_port"]
        reply = Peer("udp", peer.host, port)
        other = self._sources.get(reply) if port else session
        if other is not None and other is not session:
            if other.peer == reply:
                text = f"reply_port is {port}; another client sends from there"
                return Fault("bad_value", text, command.row.path, command.id)
            self._forget(other)
        if port and session is not None:
            if session.reply_to != session.peer:
                del self._sources[session.reply_to]
            self._sources[reply] = session
        return command

    def _expire(self, now: float, session: Session, silence: float) -> None:
        if session.peer.kind == "udp" and session.idle and now - session.heard > silence:
            session.reply("/musai/goodbye", f"nothing heard for {silence:g} seconds")
            self._forget(session)

    def _forget(self, session: Session) -> None:
        session.leave()
        del self.sessions[session.number]
        for peer in {session.peer, session.reply_to}:
            del self._sources[peer]


def _hello_first(command: Command) -> Fault:
    return Fault("hello_first", CODES["hello_first"], command.row.path, command.id)


def _brief(fault: Fault, withheld: int, most: int) -> Message:
    """An error in at most `most` bytes, its text cut to fit."""

    def error(text: str) -> Message:
        return write("/musai/error", fault.id, fault.code, text, fault.path, withheld)

    room = most - len(encode(error(""))) + 3
    return error(shortened(fault.text, max(0, room - (room + 1) % 4)))

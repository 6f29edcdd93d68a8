"""The loop that owns the sockets and the clock, between the desk and a service.

The loop never waits for the service: requests with a context are built, and
phrases fetched, on one thread, and the service's quick calls are made on
another; its events come back from its own threads through
`call_soon_threadsafe`.
"""

import asyncio
import contextlib
import ipaddress
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from musai.errors import BadInput, MusaiError
from musai.service.events import Compared, Event, Failed
from musai.service.interface import ServiceLike
from musai.service.jams import JamBoard, Wish
from musai.transformer.request import Request
from osc_bridge.addresses import DEFAULT_PORT
from osc_bridge.asks import Ask
from osc_bridge.codec import encode
from osc_bridge.desk import Counts, Desk
from osc_bridge.effects import (
    Again,
    Cancel,
    Decide,
    Decided,
    Effect,
    Fetch,
    Fetched,
    Follow,
    Key,
    Log,
    Peer,
    Prefill,
    Replay,
    Send,
    Submit,
)
from osc_bridge.jam_logs import JamLogs, Kept
from osc_bridge.limits import Limits
from osc_bridge.link import Links
from osc_bridge.messages import Wrong
from osc_bridge.midiclock import Told
from osc_bridge.record import ServerRecord
from osc_bridge.session import About
from osc_bridge.transports import TcpTransport, Transport, UdpTransport

TURN: Final = 0.001
"""Seconds of work on packets before the sockets are read again."""
SHORTEST_TOKEN: Final = 16
QUEUE: Final = 16_384
"""Packets that may wait; more are counted in `overrun`."""
STREAM_QUEUE: Final = 32
"""Packets of one TCP connection that may wait before it is read on."""
LONGEST_NAP: Final = 30.0
REFRESH: Final = (0.5, 5.0)
"""Seconds between looks at what the service is: until it is ready, and after."""

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


class Bridge:
    """One server.  Make it, `await start()`, `await close()`, all in one loop."""

    def __init__(
        self,
        service: ServiceLike,
        *,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        tcp_port: int | None = None,
        record: Path | None = None,
        extra: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
        jams: Path | None = None,
        kept: Kept = Kept(),  # noqa: B008 - frozen
        board: JamBoard | None = None,
        token: str = "",
        transports: Sequence[Transport] | None = None,
    ) -> None:
        """`port` 0 takes free ones; `record` is where server.json goes, with `extra` in it;
        `jams` the folder for the logs of jams, `kept` how long they are; `board` shows them live.
        Other machines can reach a `host` beyond loopback, and must present `token`; raises
        `BadInput` for such a host without a token.
        """
        if not ipaddress.ip_address(host).is_loopback and len(token) < SHORTEST_TOKEN:
            raise BadInput(
                f"host is {host}, which other machines can reach: that needs a token of at least "
                f"{SHORTEST_TOKEN} characters; legal without one is 127.0.0.1"
            )
        self.limits = limits or Limits()
        self.desk = Desk(self.limits, token=token)
        self.addresses: dict[str, str] = {}
        self.overrun = 0
        self.faults = 0
        self._service = service
        self._transports = (
            [
                UdpTransport(host, port),
                TcpTransport(host, port if tcp_port is None else tcp_port, self.limits.frame),
            ]
            if transports is None
            else list(transports)
        )
        self._logs = JamLogs(jams, kept, board)
        self._links = Links(self._linked)
        self.desk.shared.link = self._links.there
        self._record = None if record is None else ServerRecord(record, extra or {})
        self._waiting: dict[Peer, deque[bytes | None]] = {}
        self._waiting_count = 0
        self._working = False
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._tickets: dict[Key, int] = {}
        self._unborn: set[Key] = set()
        self._stillborn: set[Key] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._calls = ThreadPoolExecutor(1, "osc-calls")
        self._builds = ThreadPoolExecutor(1, "osc-builds")

    @property
    def counts(self) -> Counts:
        """What became of every packet."""
        return self.desk.counts

    async def start(self) -> None:
        """Take the ports, write server.json.  Raises `PortTaken`, and then nothing is left open."""
        self._loop = asyncio.get_running_loop()
        opened: list[Transport] = []
        try:
            for transport in self._transports:
                url = await transport.open(self)
                opened.append(transport)
                # All addresses of this machine: its own programs use loopback.
                url = url.replace("//0.0.0.0:", "//127.0.0.1:")
                self.addresses[url.partition(":")[0].removeprefix("osc.")] = url
            await self._look()
            if self._record is not None:
                self._record.write(self.addresses)
        except BaseException:
            for transport in opened:
                await transport.close()
            self._shut()
            raise
        self._spawn(self._refresh())

    async def close(self) -> None:
        """Say goodbye, give the ports back, remove server.json."""
        self._step(self.desk.close, self._loop.time())
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._links.close()
        for transport in self._transports:
            await transport.close()
        if self._record is not None:
            self._record.remove()
        self._shut()

    def _shut(self) -> None:
        self._logs.close()
        self._builds.shutdown(wait=False, cancel_futures=True)
        self._calls.shutdown(wait=False)  # what it still has to cancel, it cancels

    # What the transports call.

    def packet(self, peer: Peer, packet: bytes) -> None:
        """Queue a packet; sockets are emptied before packets are worked on."""
        if self._waiting_count >= QUEUE:
            self.overrun += 1
            return
        self._queue(peer, packet)

    def gone(self, peer: Peer) -> None:
        """Queue the end of a connection behind its packets."""
        self._queue(peer, None)

    def full(self, peer: Peer) -> bool:
        """Whether a stream should hold back until its packets are worked on."""
        return len(self._waiting.get(peer, ())) >= STREAM_QUEUE

    def _queue(self, peer: Peer, packet: bytes | None) -> None:
        self._waiting.setdefault(peer, deque()).append(packet)
        self._waiting_count += 1
        if not self._working:
            self._working = True
            self._loop.call_soon(self._work)

    def _work(self) -> None:
        """Take packets for a while, one from each sender in turn."""
        until = self._loop.time() + TURN
        while self._waiting:
            peer = next(iter(self._waiting))
            packets = self._waiting.pop(peer)
            packet = packets.popleft()
            if packets:
                self._waiting[peer] = packets
            self._waiting_count -= 1
            now = self._loop.time()
            if packet is None:
                self._step(self.desk.gone, now, peer)
            else:
                wall = datetime.now(UTC).timestamp()
                self._step(self.desk.packet, now, wall, peer, packet)
            if now > until:
                break
        self._working = bool(self._waiting)
        if self._working:
            self._loop.call_soon(self._work)
        self._nap()

    def wish(self, jam: int, wish: Wish) -> str:
        """Do what somebody who looks on wishes of a jam, on this loop; why it cannot be, or nothing."""
        try:
            effects = self.desk.wish(self._loop.time(), jam, wish)
        except Wrong as wrong:
            return str(wrong)
        self._step(lambda: effects)
        self._nap()
        return ""

    def _nap(self) -> None:
        if self._closing:
            return  # what the service still says is not passed on
        if self._timer is not None:
            self._timer.cancel()
        now = self._loop.time()
        at = min(max(self.desk.wake(), now), now + LONGEST_NAP)
        self._timer = self._loop.call_at(at, self._tick)

    def _tick(self) -> None:
        self._step(self.desk.tick, self._loop.time())
        self._nap()

    # What the desk wants done.

    def _step(self, step: Callable[P, Sequence[Effect]], *args: P.args, **named: P.kwargs) -> None:
        """One step of the desk; a fault in it is logged and the server goes on."""
        if self._closing:
            return
        try:
            self._do(step(*args, **named))
        except Exception:
            log.exception("a fault in the bridge")
            self.faults += 1

    def _do(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send():
                    self._send(effect)
                case Submit() | Again() | Replay():
                    self._unborn.add(effect.key)
                    self._spawn(self._ask(effect))
                case Cancel():
                    self._cancel(effect.key)
                case Decide() | Fetch():
                    self._spawn(self._answer(effect))
                case Prefill():
                    self._spawn(self._prefill(effect))
                case Log():
                    self._logs.write(effect)
                case Follow():
                    self._links.follow(effect.session, effect.tempo)

    def _send(self, effect: Send) -> None:
        packet = encode(effect.message)
        for transport in self._transports:
            if transport.send(effect.peer, packet):
                return

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, function: Callable[[], T], *, slow: bool = False) -> T:
        executor = self._builds if slow else self._calls
        return await self._loop.run_in_executor(executor, function)

    async def _ask(self, effect: Submit | Again | Replay) -> None:
        on_event = partial(self._from_thread, effect.key)
        try:
            match effect:
                case Submit():
                    request = await self._built(effect.ask)
                    submit = partial(
                        self._service.submit, request, on_event, session=effect.session
                    )
                case Again():
                    submit = partial(
                        self._service.again, effect.phrase, on_event, session=effect.session
                    )
                case Replay():
                    submit = partial(self._service.replay, effect.replay, on_event)
            if effect.key in self._stillborn:
                self._event(effect.key, Failed(-1, "Cancelled", "stopped before it began"))
            else:
                await self._submitted(effect.key, submit)
        except Exception as error:
            self._event(effect.key, failed(error))
        finally:
            self._unborn.discard(effect.key)
            self._stillborn.discard(effect.key)

    async def _prefill(self, effect: Prefill) -> None:
        with contextlib.suppress(MusaiError):  # whoever asks for it will be told
            request = await self._built(effect.ask)
            topic, played = effect.topic, effect.played
            await self._call(partial(self._service.prefill, request, topic=topic, played=played))

    async def _built(self, ask: Ask) -> Request:
        if ask.quick:
            return ask.request()
        return await self._call(ask.request, slow=True)

    async def _submitted(self, key: Key, submit: Callable[[], int]) -> None:
        self._tickets[key] = await self._call(submit)
        if key not in self._unborn:  # it ended before its ticket was known
            del self._tickets[key]
        elif key in self._stillborn:
            self._cancel(key)

    def _cancel(self, key: Key) -> None:
        ticket = self._tickets.get(key)
        if ticket is not None:
            self._calls.submit(self._service.cancel, ticket)
        elif key in self._unborn:
            self._stillborn.add(key)

    async def _answer(self, effect: Decide | Fetch) -> None:
        result: Decided | Fetched | Failed
        try:
            if isinstance(effect, Fetch):
                phrase = await self._call(partial(self._service.phrase, effect.phrase), slow=True)
                result = Fetched(await self._call(phrase.to_midi, slow=True))
            else:
                if effect.decision == "kept":
                    await self._call(partial(self._service.keep, effect.phrase, effect.intent))
                else:
                    await self._call(partial(self._service.discard, effect.phrase))
                result = Decided(effect.phrase)
        except Exception as error:
            result = failed(error)
        self._step(self.desk.result, self._loop.time(), effect.key, result)
        self._nap()

    def _linked(self, session: str, told: Told) -> None:
        self._step(self.desk.linked, self._loop.time(), session, told)
        self._nap()

    # What the service says.

    def _from_thread(self, key: Key, event: Event) -> None:
        try:
            self._loop.call_soon_threadsafe(self._event, key, event)
        except RuntimeError:
            log.debug("%s came after the loop was closed", event)

    def _event(self, key: Key, event: Event) -> None:
        if isinstance(event, Compared | Failed):
            self._tickets.pop(key, None)
            self._unborn.discard(key)
        self._step(self.desk.event, self._loop.time(), key, event)
        self._nap()

    async def _refresh(self) -> None:
        while True:
            known = self.desk.shared.about
            await asyncio.sleep(REFRESH[bool(known.model_id and known.corpus_id)])
            await self._look()

    async def _look(self) -> None:
        try:
            self.desk.shared.about = About.of(await self._call(self._service.describe))
        except Exception:
            log.exception("the service could not describe itself")


def failed(error: Exception) -> Failed:
    """An exception as an event; what nobody raised on purpose goes to the log with its trace."""
    if isinstance(error, MusaiError):
        return Failed(-1, type(error).__name__, str(error))
    log.error("a fault while serving", exc_info=error)
    return Failed(-1, "Internal", f"{type(error).__name__}: {error}")

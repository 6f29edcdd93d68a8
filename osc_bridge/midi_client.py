"""`musai midi`: virtual MIDI ports on one side, a jam of the running server on the other.

One asyncio loop between a TCP connection to the server and the pipes of the
port process.  When the connection closes, because the server ended or was
killed, the port is told to be silent; when this program ends, however it
does, the port's pipe closes and it releases what sounds.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, Literal

from osc_bridge.codec import Unslip, decode, encode, slip
from osc_bridge.errors import BridgeError, NoServer
from osc_bridge.following import Follower
from osc_bridge.link import Link, NoLink
from osc_bridge.messages import Command, Message, Value, read
from osc_bridge.midiclock import MidiClock, Told
from osc_bridge.record import START_IT
from osc_bridge.transports import READ

TICK: Final = 0.02
"""Seconds between looks at what is near."""
FRAME: Final = 32_768
CONTROLS: Final = {102: "turn", 103: "again", 104: "vary", 105: "back", 106: "keep", 107: "discard"}
"""Control changes that are buttons, pressed from 64 on; 120 and 123 panic, as everywhere."""
PANIC: Final = (119, 120, 123)

Clock = Literal["auto", "own", "midi", "link"]


@dataclass(frozen=True, slots=True)
class MidiOptions:
    """What the command line says."""

    host: str
    port: int
    clock: Clock = "auto"
    tempo: float = 120.0
    session: str = ""
    name: str = "musai"
    api: str = ""
    out: str = ""
    into: str = ""
    early: float = 0.0
    jam: dict[str, Value] = field(default_factory=dict)
    wishes: dict[str, Value] = field(default_factory=dict)
    token: str = ""


class MidiClient:
    """One run.  `tell` is called with lines for the one who plays; `sent` with every message sent."""

    def __init__(
        self,
        options: MidiOptions,
        tell: Callable[[str], None],
        sent: Callable[[float, float, bool], None] | None = None,
    ) -> None:
        self._options = options
        self._tell, self._sent = tell, sent
        self._ids = count(1)
        self._follower = Follower(options.early)
        self._clock = MidiClock()
        self._link: Link | None = None
        self._keys: dict[tuple[int, int], int] = {}
        self._jam_id = 0
        self._word = ""
        self.takes = 0

    async def run(self) -> None:
        """Until cancelled, or the server or the port process ends.  Raises `BridgeError`."""
        options = self._options
        try:
            self._reader, self._writer = await asyncio.open_connection(options.host, options.port)
        except OSError as error:
            where = f"TCP port {options.port} of {options.host}"
            raise NoServer(f"no server answers on {where}; {START_IT}") from error
        self._port = await asyncio.create_subprocess_exec(
            *_port_command(options), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )  # fmt: skip
        try:
            await self._ready()
            self._begin()
            jobs = [self._from_server(), self._from_port(), self._ticking()]
            tasks = [asyncio.ensure_future(job) for job in jobs]
            done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in left:
                task.cancel()
            for task in done:
                task.result()
        finally:
            await self._close()

    async def _close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self._say("/musai/bye")
            self._writer.close()
        if self._link is not None:
            self._link.close()
        assert self._port.stdin is not None
        with contextlib.suppress(OSError, RuntimeError):
            self._port.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._port.wait(), 3)

    # Beginning.

    async def _ready(self) -> None:
        assert self._port.stdout is not None
        line = (await self._port.stdout.readline()).decode(errors="replace").strip()
        word, _, rest = line.partition(" ")
        if word != "ready":
            raise BridgeError(rest or "the port process ended before it had its ports")
        kind, _, names = rest.partition(" ")
        out, _, into = names.partition("\t")
        self._tell(f"play into   {into}")
        self._tell(f"musai plays {out}")
        if kind == "existing":
            self._tell("(existing ports: this system makes no virtual ones, or you named these)")

    def _begin(self) -> None:
        options = self._options
        hello: tuple[Value, ...] = (1, 0, options.name, False)
        self._say("/musai/hello", *hello, *([options.token] if options.token else []))
        if options.session:
            self._say("/musai/session", options.session)
        wishes = [part for pair in options.wishes.items() for part in pair]
        if wishes:
            self._say("/musai/set", *wishes)
        jam = [part for pair in options.jam.items() for part in pair]
        self._jam_id = self._say("/musai/jam", *jam)
        if options.clock == "link":
            self._link = Link(options.tempo)
            self._tell("following Ableton Link")
        elif options.clock in ("auto", "own"):
            self._transport(Told(options.tempo, 0.0, True))
            also = ", until MIDI clock comes in" if options.clock == "auto" else ""
            self._tell(f"own clock at {options.tempo:g} quarters a minute{also}")
        else:
            self._tell("waiting for MIDI clock on the port in")

    def _say(self, path: str, *args: Value) -> int:
        id = next(self._ids)
        self._writer.write(slip(encode(Message(path, (id, *args)), double=True)))
        return id

    def _transport(self, told: Told) -> None:
        self._say("/musai/transport", float(told.tempo), float(told.beat), told.playing)

    # The server.

    async def _from_server(self) -> None:
        frames = Unslip(FRAME)
        while data := await self._reader.read(READ):
            for packet in frames.feed(data):
                for timed in decode(packet, 0.0, len(packet)):
                    command = read(timed.item) if isinstance(timed.item, Message) else timed.item
                    if isinstance(command, Command):
                        self._heard(command)
        self._to_port(self._follower.silence(time.monotonic()))
        raise NoServer("the server has gone; every note is released")

    def _heard(self, reply: Command) -> None:
        path, args = reply.row.path, reply.args
        self._to_port(self._follower.hear(time.monotonic(), reply))
        if path == "/musai/error":
            self._tell(f"{args['code']}: {args['text']}")
        elif path == "/musai/jam/overlap":
            nearest = f" Nearest: {args['title']} ({args['licence']})" if args["title"] else ""
            self._tell(f"take {args['take']}: {args['light']}. {args['sentence']}{nearest}")
        elif path == "/musai/jam/end":
            self.takes += 1
            late = f", {args['late']} left out" if args["late"] else ""
            self._tell(
                f"take {args['take']}: {args['notes']} notes{late}; replay {args['replay'][:12]}"
            )
        elif path == "/musai/jam/failed":
            self._tell(f"take {args['take']}: {args['code']}: {args['text']}")
        elif path == "/musai/decision":
            self._tell(f"{args['decision']} {args['phrase'][:8]}")

    def _to_port(self, lines: list[str]) -> None:
        if lines:
            assert self._port.stdin is not None
            self._port.stdin.write("".join(f"{line}\n" for line in lines).encode())

    # The port.

    async def _from_port(self) -> None:
        assert self._port.stdout is not None
        while line := await self._port.stdout.readline():
            words = line.decode(errors="replace").split()
            if words[:1] == ["in"] and len(words) == 3:
                self._played(float(words[1]), bytes.fromhex(words[2]))
            elif words[:1] == ["sent"] and self._sent is not None:
                self._sent(float(words[1]), float(words[2]), words[4] == "on")
            elif words[:1] == ["left"]:
                self._tell(f"too late to be played, so far: {words[1]}")
        raise BridgeError("the port process has ended")

    def _played(self, at: float, message: bytes) -> None:
        """A message from the DAW or keyboard."""
        status = message[0]
        if status >= 0xF0:
            told = self._clock.feed(at, message)
            if told is not None and self._options.clock in ("auto", "midi"):
                self._transport(told)
            return
        kind, channel = status & 0xF0, status & 0x0F
        if kind == 0x90 and message[2]:
            self._struck(channel, message[1], message[2])
        elif kind in (0x80, 0x90):
            note = self._keys.pop((channel, message[1]), None)
            if note is not None:
                self._say("/musai/jam/off", message[1], note, channel)
        elif kind == 0xB0:
            self._control(message[1], message[2])

    def _struck(self, channel: int, pitch: int, velocity: int) -> None:
        self._keys[channel, pitch] = self._say("/musai/jam/on", pitch, velocity, channel)

    def _control(self, number: int, value: int) -> None:
        if number in PANIC:
            self._say("/musai/panic")
        elif number in CONTROLS and value >= 64:
            self._say(f"/musai/jam/{CONTROLS[number]}")

    # Time.

    async def _ticking(self) -> None:
        while True:
            now = time.monotonic()
            self._to_port(self._follower.tick(now))
            told = self._clock.silent(now)
            if self._link is not None:
                told = self._link.look(now)
            if told is not None:
                self._transport(told)
            await self._writer.drain()
            await asyncio.sleep(TICK)


def _port_command(options: MidiOptions) -> list[str]:
    words = [sys.executable, "-P", "-m", "osc_bridge.port", "--name", options.name]
    for name, value in (("--api", options.api), ("--out", options.out), ("--in", options.into)):
        words += [name, value] if value else []
    return words


async def play(options: MidiOptions, tell: Callable[[str], None], **hooks: Any) -> MidiClient:
    """Run one client until it ends.  Raises `BridgeError`, `NoLink`."""
    client = MidiClient(options, tell, **hooks)
    await client.run()
    return client


__all__ = ["MidiClient", "MidiOptions", "NoLink", "play"]

"""A jam without clock, sockets or model: time is a number, the model answers when it is told to."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from osc_bridge import jam_steps as s
from osc_bridge.following import Follower
from osc_bridge.jam import Jam
from osc_bridge.jam_steps import TICKS
from osc_bridge.messages import Command, read, write
from osc_bridge.sounding import Sounding

BAR = 4 * TICKS


def notes_of(wanted: s.Wanted, a_bar: int = 4) -> Iterator[tuple[int, int, int, int, int]]:
    """What the model says: so many notes a bar in each voice asked for, in order of onset."""
    step = 4 * TICKS // a_bar
    voices = range(max(1, len(wanted.voices)))
    if wanted.mode == "accompany":
        voices = range(int(wanted.values["voices"]), int(wanted.values["voices"]) + 1)
    for i in range(a_bar * wanted.bars):
        for voice in voices:
            yield (i * step, step - 10, 40 + (wanted.seed * 7 + i * 3 + voice) % 60, 80, voice)


@dataclass
class World:
    """`delay` and `pace`: ticks from asking to the first note, and between notes."""

    jam: Jam = field(default_factory=Jam)
    delay: int = 60
    pace: int = 2
    dies: int | None = None
    entries: list[s.Entry] = field(default_factory=list)
    asked: list[s.Wanted] = field(default_factory=list)
    told: list[tuple[int, str, tuple]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    idle: int = 0

    def __post_init__(self) -> None:
        self.now = 0
        self._later: list[tuple[int, int, s.Input]] = []
        self._turns, self._keys = count(), count()
        self._until: dict[int, int] = {}

    def feed(self, given: s.Input) -> tuple[s.Instruction, ...]:
        """One input now."""
        out = self.jam.step(self.now, given)
        self.entries.append(s.Entry(self.now, given, out))
        for one in out:
            if isinstance(one, s.Ask):
                self._ask(one)
            elif isinstance(one, s.Drop):
                self._later = [
                    late for late in self._later if getattr(late[2], "ask", 0) != one.ask
                ]
                heapq.heapify(self._later)
                self.later(20, s.Failed(one.ask, "Cancelled", ""))
            elif isinstance(one, s.Tell):
                self.told.append((self.now, one.name, one.args))
                self._check(one, s.Tell("silence", ()) in out)
        return out

    def later(self, ticks: int, given: s.Input) -> None:
        """An input that will come in."""
        heapq.heappush(self._later, (self.now + ticks, next(self._turns), given))

    def _ask(self, ask: s.Ask) -> None:
        self.asked.append(ask.wanted)
        at = self.delay
        self.later(at // 2, s.Began(ask.ask, f"{ask.ask:064x}"))
        notes = list(notes_of(ask.wanted))
        for index, note in enumerate(notes):
            if index == self.dies:
                self.dies = None
                self.later(at, s.Failed(ask.ask, "WorkerDied", "it died"))
                return
            self.later(at, s.Heard(ask.ask, index, *note))
            at += self.pace
        self.later(at, s.Made(ask.ask, f"{ask.ask:063x}a", f"{ask.ask:064x}"))
        told = ("green", 1, 0.5, 3, "", "", "", "Nothing like it.", 4, 3.5)
        self.later(at + 40, s.Compared(ask.ask, told))

    def _check(self, one: s.Tell, silenced: bool) -> None:
        host = self.now - self.jam.offset
        if one.name == "note":
            take, _, at = one.args[:3]
            if at < host:
                self.faults.append(f"note at {at} told at {host}")
            if at < self._until.get(take, at):
                self.faults.append(f"note at {at} told after {self._until[take]} was committed")
        elif one.name == "commit":
            take, until = one.args
            if until < self._until.get(take, until):
                self.faults.append(f"commit of {take} went back to {until}")
            self._until[take] = until
        elif one.name == "clear":
            take, since = one.args
            if since == -(2**31):
                self._until.pop(take, None)  # a loop: all is told again
            elif since < self._until.get(take, since) and not silenced:
                self.faults.append(f"cleared {take} from {since}")

    def run(self, ticks: int) -> None:
        """Let time pass: inputs come in, and `Time` when the jam asked for it."""
        until = self.now + ticks
        while True:
            wake = self.jam.wake()
            due = self._later[0][0] if self._later else float("inf")
            if min(wake, due) > until:
                break
            if due <= wake:
                self.now = max(self.now, due)
                self.feed(heapq.heappop(self._later)[2])
            else:
                assert wake > self.jam.now, "a wake-up that is not in the future would spin"
                self.now = int(wake)
                self.idle += not self.feed(s.Time())
        self.now = until

    def play(self, *pitches: int, length: int = TICKS, voice: int = 0) -> None:
        """The human plays notes one after the other."""
        for pitch in pitches:
            key = f"1:{next(self._keys)}"
            self.feed(s.On(key, pitch, 80, voice))
            self.run(length - 10)
            self.feed(s.Off(key, pitch, voice))
            self.run(10)

    def start(self, tempo: float = 120.0, host: int | None = None, playing: bool = True) -> None:
        """The host's transport, at `host` ticks if it jumps."""
        offset = self.jam.offset if host is None else self.now - host
        self.feed(s.Transport(tempo, offset, playing))

    def words(self, name: str) -> list[tuple]:
        """What was told under this name."""
        return [args for _, told, args in self.told if told == name]


def sounded(world: World, tempo: float = 120.0) -> list[tuple[float, tuple[int, int, int]]]:
    """What a port would have sent: the told through a follower and the port's machine.

    Time in seconds, as if the transport had begun at 0 and kept its tempo.
    """
    follower, port = Follower(), Sounding()
    sent: list[tuple[float, tuple[int, int, int]]] = []
    second = tempo * TICKS / 60

    def pass_on(lines: list[str], now: float) -> None:
        for words in map(str.split, lines):
            match words:
                case ["on", due, id, *rest]:
                    port.on(float(due), int(id), *map(int, rest))
                case ["off", due, id]:
                    port.off(float(due), int(id))
                case ["cancel", id]:
                    port.cancel(int(id))
                case ["silence"]:
                    sent.extend((now, one.message) for one in port.silence(now))

    def drain(now: float) -> None:
        sent.extend((one.due, one.message) for one in port.due(now))

    clock = 0.0
    for tick, name, args in world.told:
        now = tick / second
        while clock < now:
            clock = min(now, clock + 0.02)
            pass_on(follower.tick(clock), clock)
            drain(clock)
        if name == "time":
            args = (*args, int(now), round(1e6 * (now - int(now))))
        command = read(write(f"/musai/jam/{name}", 1, *args))
        assert isinstance(command, Command), command
        pass_on(follower.hear(now, command), now)
        drain(now)
    for _ in range(500):
        clock += 0.02
        pass_on(follower.tick(clock), clock)
        drain(clock)
    sent.extend((clock, one.message) for one in port.silence(clock))
    return sent


def unpaired(sent: list[tuple[float, tuple[int, int, int]]]) -> int:
    """Strikes without a release and releases without a strike."""
    sounds: dict[tuple[int, int], bool] = {}
    wrong = 0
    for _, (status, pitch, _velocity) in sent:
        key, strikes = (status & 15, pitch), status & 0xF0 == 0x90
        wrong += sounds.get(key, False) == strikes
        sounds[key] = strikes
    return wrong + sum(sounds.values())

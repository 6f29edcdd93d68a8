"""What the clients of one session share: its transport, its jam, and who is in it."""

from dataclasses import dataclass, field
from math import floor, inf
from typing import TYPE_CHECKING

from osc_bridge.jam_steps import TICKS, Transport
from osc_bridge.messages import Id

if TYPE_CHECKING:
    from osc_bridge.jamming import Seat
    from osc_bridge.session import Session, Shared

HEARTBEATS = 4
"""Heartbeats a lease."""
NUDGE = TICKS // 4
"""Ticks by which a rolling transport may be off what was expected and still counts as rolling on."""
_ROUNDING = 1e-4
"""Ticks; more than what float arithmetic loses."""


@dataclass(slots=True)
class Stage:
    """One named session.  `beat` was the position, in quarters, at time `at`, in seconds.

    A jam counts ticks that run on through jumps: the host's plus `offset`.
    """

    name: str
    shared: "Shared"
    tempo: float | None = None
    beat: float = 0.0
    at: float = 0.0
    playing: bool = False
    offset: int = 0
    linked: bool = False
    """Whether Ableton Link tells its transport."""
    members: dict[int, "Session"] = field(default_factory=dict)
    seat: "Seat | None" = None

    def tell(self, now: float, tempo: float, beat: float, playing: bool) -> None:
        """The host's transport, as just told."""
        before, known = self.host_tick(now), self.tempo is not None
        rolled = self.playing and playing
        self.tempo, self.beat, self.playing, self.at = tempo, beat, playing, now
        moved = self.host_tick(now) - before
        if not known:
            self.offset = -self.host_tick(now)
        elif not rolled or abs(moved) > NUDGE:
            self.offset -= moved

    def beat_at(self, now: float) -> float:
        """The position now, in quarters, carried on from what was told."""
        if self.tempo is None or not self.playing:
            return self.beat
        return self.beat + (now - self.at) * self.tempo / 60

    def host_tick(self, now: float) -> int:
        """The position now in ticks."""
        return floor(self.beat_at(now) * TICKS + _ROUNDING)

    def tick(self, now: float) -> int:
        """The jam's count now."""
        return self.host_tick(now) + self.offset

    def time_of_host(self, tick: float) -> float:
        """The time in seconds at which the transport stands at a tick; when told, if it does not run."""
        if self.tempo is None or not self.playing:
            return self.at
        return self.at + (tick / TICKS - self.beat) * 60 / self.tempo

    def time_of(self, tick: float) -> float:
        """The same for a tick of the jam; infinity where the transport does not run."""
        if tick == inf or self.tempo is None or not self.playing:
            return inf
        return self.time_of_host(tick - self.offset)

    def transport(self) -> Transport:
        """The transport as a jam is told of it."""
        return Transport(self.tempo or 120.0, self.offset, self.playing and self.tempo is not None)


@dataclass(slots=True)
class Subscription:
    """A client's lease on the news; times in seconds."""

    id: Id
    lease: float
    ends: float
    beats: float = 0.0
    count: int = 0

    def renewed(self, now: float) -> None:
        """Count a heartbeat and set the time of the next."""
        self.count += 1
        self.beats = min(now + self.lease / HEARTBEATS, self.ends)

    def left(self, now: float) -> float:
        """Seconds of the lease that are left."""
        return max(0.0, self.ends - now)

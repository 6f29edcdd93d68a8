"""What the clients of one session share: its transport and who is in it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from osc_bridge.messages import Id

if TYPE_CHECKING:
    from osc_bridge.session import Session

HEARTBEATS = 4
"""Heartbeats a lease."""


@dataclass(slots=True)
class Stage:
    """One named session.  `beat` was the position, in quarters, at time `at`, in seconds."""

    name: str
    tempo: float | None = None
    beat: float = 0.0
    at: float = 0.0
    playing: bool = False
    members: dict[int, "Session"] = field(default_factory=dict)

    def tell(self, now: float, tempo: float, beat: float, playing: bool) -> None:
        """The host's transport, as just told."""
        self.tempo, self.beat, self.playing, self.at = tempo, beat, playing, now

    def beat_at(self, now: float) -> float:
        """The position now, in quarters, carried on from what was told."""
        if self.tempo is None or not self.playing:
            return self.beat
        return self.beat + (now - self.at) * self.tempo / 60


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

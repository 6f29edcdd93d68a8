"""What one client may ask of the server, and how many errors it is told a second."""

from dataclasses import dataclass

from osc_bridge.codec import MAX_ARGUMENTS


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits; those a client must know travel in `/musai/welcome`, see `told`."""

    datagram: int = 1400
    """Bytes of a UDP packet, in and out."""
    frame: int = 32_768
    """Bytes of a packet over TCP."""
    context_udp: int = 65_536
    context_tcp: int = 8 * 2**20
    """Bytes of an upload: of notes 20 each."""
    requests: int = 8
    """Phrases that one client may have under way."""
    takes: int = 64
    """Finished takes of a client that are kept for resending."""
    remembered: int = 256
    """Ids of `once` commands that are remembered, takes included."""
    scheduled: int = 64
    """Commands of one client that wait for their timetags."""
    ahead: float = 2.0
    """Seconds that a timetag may lie ahead."""
    late: float = 0.5
    """Seconds that a timetag may lie back."""
    clients: int = 64
    silence: float = 1800.0
    """Seconds of silence after which a UDP client is forgotten."""
    evictable: float = 60.0
    """Seconds of silence after which one may be forgotten to make room."""
    error_burst: int = 50
    errors_a_second: float = 20.0
    """Of error replies to one client or stranger; beyond that they are counted and told later."""
    stranger_burst: int = 64
    strangers_a_second: float = 32.0
    """Of replies of any kind to all strangers together."""
    stranger_bytes: int = 128
    """A stranger's error is at most this long, or three times what it sent where that is more."""
    strangers: int = 256
    """Strangers whose withheld errors are counted apart."""

    def packet(self, kind: str) -> int:
        """Bytes of a packet over this kind of transport."""
        return self.datagram if kind == "udp" else self.frame

    def context(self, kind: str) -> int:
        """Bytes of an upload over this kind of transport."""
        return self.context_udp if kind == "udp" else self.context_tcp

    def told(self, kind: str) -> list[tuple[str, int]]:
        """Names and values for `/musai/welcome`."""
        return [
            ("packet_bytes", self.packet(kind)),
            ("arguments", MAX_ARGUMENTS),
            ("context_bytes", self.context(kind)),
            ("requests", self.requests),
            ("takes", self.takes),
            ("scheduled", self.scheduled),
            ("ahead_ms", round(1000 * self.ahead)),
            ("late_ms", round(1000 * self.late)),
            ("silence_s", round(self.silence)),
            ("errors_per_s", round(self.errors_a_second)),
        ]


class Gate:
    """A token bucket that counts what it withheld.  Time is handed in, in seconds."""

    def __init__(self, burst: int, a_second: float) -> None:
        self._burst = burst
        self._rate = a_second
        self._tokens = float(burst)
        self._at = 0.0
        self.withheld = 0

    def open(self, now: float) -> bool:
        """Whether one more may pass; if not, it is counted as withheld."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            self.withheld += 1
            return False
        self._tokens -= 1
        return True

    def told(self) -> int:
        """How many were withheld since this was last called."""
        count, self.withheld = self.withheld, 0
        return count

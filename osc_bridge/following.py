"""A client that sounds a jam: what musai sends -> commands for the MIDI port.

A state machine without a clock.  It keeps the plan, and hands a note to the
port shortly before its time, once it is committed; releases likewise, so that
a change of tempo moves them.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from osc_bridge.jam_steps import TICKS
from osc_bridge.messages import Command

AHEAD: Final = 0.12
"""Seconds before its time at which an event goes to the port."""


@dataclass(slots=True)
class Part:
    """A note of the plan, and how far it is on its way."""

    id: int
    take: int
    at: int
    duration: int
    pitch: int
    velocity: int
    voice: int
    due: float = 0.0
    handed: bool = False


@dataclass(slots=True)
class Position:
    """The transport stood at `tick` at `at`, in seconds of the even clock."""

    tick: int = 0
    at: float = 0.0
    tempo: float = 120.0
    playing: bool = False

    def time_of(self, tick: float) -> float:
        """When it stands at that tick."""
        return self.at + (tick - self.tick) * 60 / (self.tempo * TICKS)


@dataclass(slots=True)
class Follower:
    """`early`: seconds by which everything is sent before its time, for a slow way to the ear."""

    early: float = 0.0
    offset: float = 0.0
    """Our even clock minus the server's, in seconds; 0 on one machine."""
    position: Position = field(default_factory=Position)
    struck: int = 0
    _ids: int = 0
    _until: dict[int, int] = field(default_factory=dict)
    _plan: dict[tuple[int, int], Part] = field(default_factory=dict)
    _sounds: list[Part] = field(default_factory=list)

    def hear(self, now: float, reply: Command) -> list[str]:
        """Take in one reply; commands for the port."""
        args = reply.args
        match reply.row.path:
            case "/musai/jam/time":
                at = args["seconds"] + args["microseconds"] / 1e6 + self.offset
                self.position = Position(args["tick"], at, args["tempo"], args["playing"])
            case "/musai/jam/note":
                self._planned(args)
            case "/musai/jam/commit":
                self._until[args["take"]] = args["until"]
            case "/musai/jam/clear":
                return self._cleared(now, args["take"], args["since"])
            case "/musai/jam/end":
                self._until.pop(args["take"], None)
                self._plan = {
                    k: part for k, part in self._plan.items() if k[0] != args["take"] or part.handed
                }
            case "/musai/jam/silence":
                return self.silence(now)
        return self.tick(now)

    def _planned(self, args: dict[str, Any]) -> None:
        self._ids += 1
        self._plan[args["take"], args["index"]] = Part(
            self._ids, args["take"], args["at"], args["duration"], args["pitch"], args["velocity"],
            args["voice"],
        )  # fmt: skip

    def _cleared(self, now: float, take: int, since: int) -> list[str]:
        gone = [k for k, part in self._plan.items() if k[0] == take and part.at >= since]
        lines = []
        for key in gone:
            part = self._plan.pop(key)
            if part.handed and part.due > now:
                # The port may strike it before it reads this: its release must be there already.
                if part in self._sounds:
                    self._sounds.remove(part)
                    lines.append(self._off(part))
                lines.append(f"cancel {part.id}")
        return lines

    def _end(self, part: Part) -> float:
        """By its own length from its stroke on: after a jump the host's ticks say nothing of it."""
        return part.due + part.duration * 60 / (self.position.tempo * TICKS)

    def _off(self, part: Part) -> str:
        return f"off {self._end(part):.6f} {part.id}"

    def silence(self, now: float) -> list[str]:
        """What sounds ends now; what is planned stays planned."""
        for part in self._plan.values():
            if part.handed and part.due > now:
                part.handed = False
        self._plan = {key: part for key, part in self._plan.items() if not part.handed}
        self._sounds.clear()
        return ["silence"]

    def tick(self, now: float) -> list[str]:
        """Hand over what is near."""
        if not self.position.playing:
            return []
        lines = []
        for part in self._plan.values():
            if part.handed or part.at >= self._until.get(part.take, -(2**31)):
                continue
            due = self.position.time_of(part.at) - self.early
            if due - now < AHEAD:
                part.handed, part.due = True, due
                self._sounds.append(part)
                self.struck += 1
                channel = part.voice % 16
                lines.append(f"on {due:.6f} {part.id} {channel} {part.pitch} {part.velocity}")
        for part in list(self._sounds):
            if self._end(part) - now < AHEAD:
                self._sounds.remove(part)
                lines.append(self._off(part))
        self._plan = {
            k: part for k, part in self._plan.items() if not part.handed or part.due > now
        }
        return lines

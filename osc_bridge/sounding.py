"""What a MIDI port has to do and when: a note-off for every note-on, whatever happens.

A state machine without a clock; times are seconds of an even clock.  Every
note has an id of its own, so that the release of an older note never cuts a
newer one of the same pitch.
"""

import heapq
from dataclasses import dataclass, field
from math import inf
from typing import Final

LATE: Final = 0.05
"""Seconds after its time at which a note is left out: playing less is better than playing late."""

NOTE_ON, NOTE_OFF = 0x90, 0x80


@dataclass(order=True, slots=True)
class Event:
    """One thing to do at `due`; releases go before strokes of the same moment."""

    due: float
    rank: int
    id: int
    channel: int = field(default=0, compare=False)
    pitch: int = field(default=0, compare=False)
    velocity: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message to send now, what it was due to, and whether it strikes."""

    message: tuple[int, int, int]
    due: float
    id: int
    strikes: bool


class Sounding:
    """Events to come and notes that sound."""

    def __init__(self) -> None:
        self._queue: list[Event] = []
        self._sounds: dict[tuple[int, int], int] = {}
        self._places: dict[int, tuple[int, int]] = {}
        self._cancelled: set[int] = set()
        self.left_out = 0

    def on(self, due: float, id: int, channel: int, pitch: int, velocity: int) -> None:
        """Strike at `due`."""
        self._cancelled.discard(id)
        heapq.heappush(self._queue, Event(due, 1, id, channel, pitch, velocity))

    def off(self, due: float, id: int) -> None:
        """Release that note at `due`."""
        heapq.heappush(self._queue, Event(due, 0, id))

    def cancel(self, id: int) -> None:
        """Do not strike it; if it sounds already, its release stays."""
        if id not in self._places and any(event.id == id for event in self._queue):
            self._cancelled.add(id)

    def next(self) -> float:
        """When the next event is due; infinity for none."""
        return self._queue[0].due if self._queue else inf

    def due(self, now: float) -> list[Sent]:
        """All that is due by now, in order."""
        sent: list[Sent] = []
        while self._queue and self._queue[0].due <= now:
            event = heapq.heappop(self._queue)
            if event.rank == 0:
                sent += self._released(event.id, event.due)
            else:
                sent += self._struck(event, now)
        if not self._queue:
            self._cancelled.clear()
        return sent

    def _struck(self, event: Event, now: float) -> list[Sent]:
        if event.id in self._cancelled:
            return []
        if now - event.due > LATE:
            self.left_out += 1
            return []
        place = (event.channel, event.pitch)
        before = self._sounds.get(place)
        sent = [] if before is None else self._released(before, event.due)
        self._sounds[place], self._places[event.id] = event.id, place
        message = (NOTE_ON | event.channel, event.pitch, event.velocity)
        return [*sent, Sent(message, event.due, event.id, True)]

    def _released(self, id: int, due: float) -> list[Sent]:
        self._cancelled.discard(id)
        place = self._places.pop(id, None)
        if place is None:
            return []
        del self._sounds[place]
        return [Sent((NOTE_OFF | place[0], place[1], 64), due, id, False)]

    def silence(self, now: float) -> list[Sent]:
        """Release everything and forget what was to come."""
        self._queue.clear()
        self._cancelled.clear()
        return [one for id in list(self._places) for one in self._released(id, now)]

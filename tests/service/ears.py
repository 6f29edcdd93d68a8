"""What listens to a ticket in the tests."""

import threading
from typing import Any

from musai.service.events import Compared, Event, Failed, Finished, Sounded, Started

PATIENCE = 60.0
"""Seconds after which a test gives up; nothing is measured with it."""


class Ears:
    """Collects the events of one ticket."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.threads: set[str] = set()
        self._changed = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self.threads.add(threading.current_thread().name)
            self._changed.notify_all()

    def until(self, *kinds: type, count: int = 1) -> Any:
        """Wait for the count-th event of these kinds, and give it."""

        def found() -> list[Event]:
            return [event for event in self.events if isinstance(event, kinds)]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, PATIENCE), self.events
            return found()[count - 1]

    def end(self) -> Any:
        """Wait for the last event."""
        return self.until(Compared, Failed)

    def of(self, kind: type) -> list[Any]:
        with self._changed:
            return [event for event in self.events if isinstance(event, kind)]

    @property
    def started(self) -> Started:
        return self.until(Started)  # type: ignore[no-any-return]

    @property
    def finished(self) -> Finished:
        return self.until(Finished)  # type: ignore[no-any-return]

    @property
    def notes(self) -> list[tuple[int, ...]]:
        return [(s.onset, s.duration, s.pitch, s.velocity, s.voice) for s in self.of(Sounded)]

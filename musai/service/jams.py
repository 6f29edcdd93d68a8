"""The jams that run now, for whoever looks on: what was heard, planned and committed, as it happens.

The bridge writes what it logs (one JSON line an input, with all that came of
it); a page reads it from the beginning and then line by line.
"""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec

from musai.errors import BadInput, NotFound
from musai.ledger.chain import utc_text

KEPT = 4000
"""Lines of a jam that somebody who comes later is told; about five minutes."""

ENDED = 8
"""Jams that are remembered once they are over."""

How = Literal["same", "vary", "back"]
Setting = bool | int | float | str
Listener = Callable[[int, bytes], None]
"""Called from the bridge's loop with a jam's number and a line, empty at its end; must not block."""


class Wish(msgspec.Struct, frozen=True):
    """Base of what somebody who looks on may wish of a jam."""


class PlayAgain(Wish, frozen=True):
    """A take (0: the current one) once more: the same, with the next seed, or the one before."""

    how: How = "same"
    take: int = 0


class YourTurn(Wish, frozen=True):
    """musai's turn: it answers what was played so far."""


class Silence(Wish, frozen=True):
    """All that sounds ends, and what is planned is dropped."""


class PlayLike(Wish, frozen=True):
    """Parameters of the jam and of its answers by name, as the bridge calls them; "default" takes one back."""

    values: dict[str, Setting]


Control = Callable[[int, Wish], str]
"""Does what is wished of a jam; why it cannot, or nothing.  Called from any thread; waits for the bridge's loop."""


class JamRow(msgspec.Struct, frozen=True):
    """A jam: its number since the server started, the session's name, whether it still runs."""

    jam: int
    session: str
    utc: str
    running: bool


@dataclass(slots=True)
class _Jam:
    row: JamRow
    lines: deque[bytes] = field(default_factory=lambda: deque(maxlen=KEPT))


class JamBoard:
    """Any thread may call any method."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._jams: dict[int, _Jam] = {}
        self._listeners: list[Listener] = []
        self.control: Control | None = None

    def write(self, jam: int, line: bytes) -> None:
        """A line of a jam's log; the first names its session, an empty one ends it."""
        with self._lock:
            held = self._jams.get(jam)
            if held is None:
                name = str(msgspec.json.decode(line).get("session", ""))
                held = self._jams[jam] = _Jam(JamRow(jam, name, utc_text(self._clock()), True))
            elif line:
                held.lines.append(line.strip())
            else:
                held.row = msgspec.structs.replace(held.row, running=False)
                over = [number for number, one in self._jams.items() if not one.row.running]
                for number in over[:-ENDED]:
                    del self._jams[number]
            listeners = list(self._listeners)
        for tell in listeners:
            tell(jam, line.strip())

    def rows(self) -> list[JamRow]:
        """The jams, those that run first, then the newest."""
        with self._lock:
            rows = [one.row for one in self._jams.values()]
        return sorted(rows, key=lambda row: (not row.running, -row.jam))

    def get(self, jam: int) -> JamRow:
        """A jam by its number.  Raises `NotFound`."""
        with self._lock:
            if jam not in self._jams:
                raise NotFound(f"there is no jam {jam}; jams are shown while the server runs")
            return self._jams[jam].row

    def follow(self, jam: int, listener: Listener) -> tuple[list[bytes], Callable[[], None]]:
        """The lines so far, then `listener` for each that follows; call what is returned to stop.

        Raises `NotFound`.
        """
        self.get(jam)

        def hear(number: int, line: bytes) -> None:
            if number == jam:
                listener(number, line)

        with self._lock:
            lines = list(self._jams[jam].lines)
            self._listeners.append(hear)

        def stop() -> None:
            with self._lock, suppress(ValueError):
                self._listeners.remove(hear)

        return lines, stop

    def ask(self, jam: int, wish: Wish) -> None:
        """Have a wish done.  Raises `NotFound` for a jam that is over, `BadInput` for what cannot be."""
        if not self.get(jam).running or self.control is None:
            raise NotFound(f"the jam {jam} is over; start one with musai midi or in your DAW")
        if said := self.control(jam, wish):
            raise BadInput(said)

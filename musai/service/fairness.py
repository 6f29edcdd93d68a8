"""Whose turn is it?  Sessions take turns; within a session the first come is the first served."""

from collections import OrderedDict, deque

from musai.errors import BadRequest

MAX_WAITING = 256
MAX_WAITING_SESSION = 64
AT_ONCE = 4
"""Phrases that a player makes at the same time, note by note in turn, one a session."""


class Turns:
    """Tickets that wait, and those that play.  No clock, no lock: its owner has one."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[int]] = OrderedDict()
        self._playing: dict[int, str] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    @property
    def playing(self) -> tuple[int, ...]:
        """Tickets in hand, in the order in which they began."""
        return tuple(self._playing)

    def add(self, ticket: int, session: str) -> None:
        """Queue a ticket.  Raises `BadRequest` where the session or the whole queue is full."""
        line = self._waiting.get(session, ())
        if len(line) >= MAX_WAITING_SESSION:
            raise BadRequest(
                f"{len(line)} requests of this session wait; legal is {MAX_WAITING_SESSION}"
            )
        if len(self) >= MAX_WAITING:
            raise BadRequest(f"{len(self)} requests wait; legal is {MAX_WAITING}")
        self._waiting.setdefault(session, deque()).append(ticket)

    def take(self) -> int | None:
        """The next ticket to begin, or None; its session then goes to the end of the round."""
        if len(self._playing) >= AT_ONCE:
            return None
        busy = set(self._playing.values())
        for session, line in self._waiting.items():
            if session not in busy:
                ticket = line.popleft()
                self._playing[ticket] = session
                del self._waiting[session]
                if line:
                    self._waiting[session] = line
                return ticket
        return None

    def remove(self, ticket: int) -> bool:
        """Forget a ticket that waits; False where it does not wait."""
        for session, line in self._waiting.items():
            if ticket in line:
                line.remove(ticket)
                if not line:
                    del self._waiting[session]
                return True
        return False

    def end(self, ticket: int) -> None:
        """A ticket plays no longer."""
        self._playing.pop(ticket, None)

    def drain(self) -> list[int]:
        """Every ticket that waits, taken out in the order in which they would have begun."""
        tickets: list[int] = []
        lines = list(self._waiting.values())
        while any(lines):
            tickets.extend(line.popleft() for line in lines if line)
        self._waiting.clear()
        return tickets

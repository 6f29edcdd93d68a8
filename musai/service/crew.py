"""The processes that compare files: as many as there are cores, below everything that somebody waits for.

A jam's phrases have a matcher of their own, which a queue of files never holds
up.  These are started by the first file, each has one in hand at a time, and
they end when there has been nothing to do for a while.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from musai.service import wire
from musai.service.child import Setting
from musai.service.post import Post

MOST = 4
REST_SECONDS = 60.0
"""Without work for so long, the processes end; starting one takes about a second."""

TRIES = 2
"""Processes that may die over one file before it is told as not compared."""

Heard = Callable[[wire.Found | wire.Unfound], None]


def processes() -> int:
    """How many compare files at the same time on this machine."""
    return max(1, min(MOST, os.cpu_count() or 1))


class Crew:
    """Hands out comparisons to several matchers.  Any thread may call any method.

    `heard` is called from a reader's thread with the answer to each; a
    comparison that cannot be made is answered with `wire.Unfound`.
    """

    def __init__(
        self, matcher: str, corpora: Sequence[str], heard: Heard, setting: Setting, size: int
    ) -> None:
        self._heard = heard
        self._lock = threading.RLock()
        self._waiting: deque[wire.Compare] = deque()
        self._tries: dict[int, int] = {}
        self._hands: list[wire.Compare | None] = [None] * size
        self._timer: threading.Timer | None = None
        self._posts = [
            Post(
                "files",
                (matcher, *corpora),
                partial(self._told, number),
                partial(self._gone, number),
                setting,
            )
            for number in range(size)
        ]

    def compare(self, asked: wire.Compare) -> None:
        """Compare as soon as a process is free."""
        with self._lock:
            self._still()
            self._waiting.append(asked)
            self._hand_out()

    def forget(self, ticket: int) -> None:
        """Leave out what nobody waits for any more, unless it is in hand already."""
        with self._lock:
            self._waiting = deque(one for one in self._waiting if one.ticket != ticket)

    def use(self, corpora: Sequence[str]) -> None:
        """Compare with these from now on, opened anew."""
        for post in self._posts:
            post.arguments = (*post.arguments[:1], *corpora)
            # One that is starting was told of the corpora before: it hears of these in their turn.
            post.send(wire.Open(list(corpora)))

    def close(self) -> None:
        """End the processes."""
        with self._lock:
            self._still()
            self._waiting.clear()
        for post in self._posts:
            post.close()

    def _hand_out(self) -> None:
        for number, post in enumerate(self._posts):
            if not self._waiting:
                return
            if self._hands[number] is None:
                post.fill()
                if post.state == "ready":
                    asked = self._hands[number] = self._waiting.popleft()
                    post.send(asked)

    def _told(self, number: int, message: wire.Up) -> None:
        if isinstance(message, wire.Found | wire.Unfound):
            with self._lock:
                self._hands[number] = None
                self._tries.pop(message.ticket, None)
            self._heard(message)
        with self._lock:
            self._hand_out()
            self._rest_later()

    def _gone(self, number: int, how: str) -> None:
        """Once more, with another process, what one died over; then it is given up."""
        with self._lock:
            held, self._hands[number] = self._hands[number], None
            lost = []
            if held is not None:
                tries = self._tries[held.ticket] = self._tries.get(held.ticket, 0) + 1
                if tries < TRIES:
                    self._waiting.appendleft(held)
                else:
                    lost.append(held)
            if all(post.state == "dead" for post in self._posts):
                lost += self._waiting
                self._waiting.clear()
            for one in lost:
                self._tries.pop(one.ticket, None)
            self._hand_out()
        for one in lost:
            self._heard(wire.Unfound(one.ticket, f"the process that compares {how} over this file"))

    def _rest_later(self) -> None:
        self._still()
        if not self._waiting and not any(self._hands):
            self._timer = threading.Timer(REST_SECONDS, self._rest)
            self._timer.daemon = True
            self._timer.start()

    def _still(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _rest(self) -> None:
        with self._lock:
            if any(post.state == "starting" for post in self._posts):
                # One that has not said that it is ready cannot be told to end: it would say so later.
                self._rest_later()
            elif not self._waiting and not any(self._hands):
                for post in self._posts:
                    post.rest()

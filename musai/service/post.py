"""A post that a worker fills: when the worker dies the next one is started.

A worker that dies before it has done anything is tried again twice; then the
post stays empty until somebody asks for it, so that a broken installation
does not start processes for ever.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal

from musai.service import wire
from musai.service.child import Child, Setting

State = Literal["idle", "starting", "ready", "unready", "dead"]

PATIENCE = 3
"""Deaths in a row without work done, after which a post stays empty."""


class Post:
    """One role's worker over time.  `on_message` gets every message, `on_gone` every death.

    Both are called from a reader thread.  After `on_gone` the next worker is
    started, unless the post is then "dead".
    """

    def __init__(
        self,
        role: str,
        arguments: Sequence[str],
        on_message: Callable[[wire.Up], None],
        on_gone: Callable[[str], None],
        setting: Setting,
    ) -> None:
        self.role = role
        self.arguments = tuple(arguments)
        self._on_message = on_message
        self._on_gone = on_gone
        self._setting = setting
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._closed = False
        self._early = 0
        self._useful = False
        self.state: State = "idle"
        self.restarts = 0
        self.fault = ""

    def fill(self) -> None:
        """Start a worker where there is none."""
        with self._lock:
            if self.state in ("idle", "dead") and not self._closed:
                self._early = 0
                self._start()

    def send(self, message: wire.Message) -> None:
        """Hand a message to the worker, if there is one."""
        child = self._child
        if child is not None:
            child.send(message)

    def kill(self) -> None:
        """End the worker at once; the next one is started."""
        child = self._child
        if child is not None:
            child.kill()

    def rest(self) -> None:
        """End the worker until somebody asks for one again."""
        with self._lock:
            child, self._child = self._child, None
            self.state = "idle"
        if child is not None:
            child.stop()

    def close(self) -> None:
        """End the worker for good."""
        self._closed = True
        self.rest()

    def describe(self, busy: bool = False) -> dict[str, Any]:
        """pid, state, restarts, as `ServiceLike.describe` says them."""
        child = self._child
        state = "busy" if busy and self.state == "ready" else self.state
        return {
            "pid": None if child is None else child.pid,
            "state": state,
            "restarts": self.restarts,
            "fault": self.fault,
        }

    def _start(self) -> None:
        self.state, self._useful = "starting", False
        self._child = Child(self.role, self.arguments, self._message, self._ended, self._setting)

    def _message(self, message: wire.Up) -> None:
        if isinstance(message, wire.Ready):
            self.state, self.fault = "ready", ""
        elif isinstance(message, wire.Unready):
            self.state, self.fault = "unready", message.reason
        else:
            self._useful = True
        self._on_message(message)

    def _ended(self, child: Child, how: str) -> None:
        with self._lock:
            if self._closed or child is not self._child:
                return
            self._early = 0 if self._useful else self._early + 1
            self._child = None
            self.fault = how
            self.state = "starting" if self._early < PATIENCE else "dead"
        # Told before the next one starts, so that what it takes in hand is not taken for lost.
        self._on_gone(how)
        with self._lock:
            if self.state == "starting" and not self._closed:
                self.restarts += 1
                self._start()

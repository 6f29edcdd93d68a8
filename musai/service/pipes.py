"""A worker's side of its two pipes: commands in, messages out."""

import _thread
import os
import queue
import signal
import sys
import threading
import time
from typing import BinaryIO, cast

from musai.service import wire

GRACE_SECONDS = 1.5


class Pipes:
    """Commands in, messages out.  A thread reads, so that a command is seen mid-phrase.

    Where the pipe in closes the process ends; one that `tidies` may first
    clean up, by an exit raised in its main thread, for `GRACE_SECONDS`.
    """

    def __init__(self, source: BinaryIO, sink: BinaryIO, tidies: bool) -> None:
        self._tidies = tidies
        self._sink = sink
        self._commands: queue.SimpleQueue[wire.Down] = queue.SimpleQueue()
        self._read = wire.reader(source)
        threading.Thread(target=self._listen, name="musai-commands", daemon=True).start()

    def say(self, *messages: wire.Message) -> None:
        """Send messages now, all at once."""
        self._sink.write(b"".join(map(wire.frame, messages)))
        self._sink.flush()

    def next(self, wait: bool = True) -> wire.Down | None:
        """The next command; None where there is none and `wait` is false."""
        try:
            return self._commands.get(block=wait)
        except queue.Empty:
            return None

    def _listen(self) -> None:
        while (body := self._read()) is not None:
            self._commands.put(wire.decode_down(body))
        # The service closed the pipe or is gone: whatever is in hand, nobody waits for it.
        if self._tidies:
            _exit_main_thread()
            time.sleep(GRACE_SECONDS)
        os._exit(0)


def _exit_main_thread() -> None:
    """Raise SystemExit there, also out of a wait."""
    if sys.platform == "win32":
        _thread.interrupt_main(signal.SIGTERM)
    else:
        signal.pthread_kill(cast(int, threading.main_thread().ident), signal.SIGTERM)

"""The worker processes' entry: `python -m musai.service.worker ROLE ...`.

Speaks frames of `wire` on what were its standard input and output.  Imports
neither torch nor anything of the web; the role's module is imported here, so
that a player does not pay for a matcher.
"""

import _thread
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Sequence
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

    def say(self, message: wire.Message) -> None:
        """Send one message now."""
        self._sink.write(wire.frame(message))
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


def _own_pipes(tidies: bool) -> Pipes:
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb", buffering=0)
    # From here on a print, even one from native code, goes to standard error.
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor, not a file
        os.dup2(nothing.fileno(), 0)
    return Pipes(source, sink, tidies)


def main(arguments: Sequence[str]) -> None:
    """Run one role until the pipe closes."""
    # Ctrl-C reaches the whole terminal; the service decides when its workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    role, *rest = arguments
    # The builder has half a corpus in a folder of its own, and processes that read scores.
    pipes = _own_pipes(tidies=role == "build")
    if role == "play":
        from musai.service.playing import run_player

        run_player(pipes, *rest)
    elif role == "match":
        from musai.service.matching import run_matcher

        run_matcher(pipes, *rest)
    elif role == "build":
        from musai.service.building import run_builder

        run_builder(pipes, *rest)
    else:
        raise SystemExit(f"no worker plays the role {role!r}")


if __name__ == "__main__":
    main(sys.argv[1:])

"""The worker processes' entry: `python -m musai.service.worker ROLE ...`.

Speaks frames of `wire` on what were its standard input and output.  Imports
neither torch nor anything of the web; the role's module is imported here, so
that a player does not pay for a matcher.
"""

import os
import queue
import signal
import sys
import threading
from collections.abc import Sequence
from typing import BinaryIO

from musai.service import wire


class Pipes:
    """Commands in, messages out.  A thread reads, so that a command is seen mid-phrase."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
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
        os._exit(0)


def _own_pipes() -> Pipes:
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb", buffering=0)
    # From here on a print, even one from native code, goes to standard error.
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor, not a file
        os.dup2(nothing.fileno(), 0)
    return Pipes(source, sink)


def main(arguments: Sequence[str]) -> None:
    """Run one role until the pipe closes."""
    # Ctrl-C reaches the whole terminal; the service decides when its workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    role, *rest = arguments
    pipes = _own_pipes()
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

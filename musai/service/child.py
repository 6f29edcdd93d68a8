"""A worker process as the service sees it: started, spoken to, watched, started again.

A worker is a fresh interpreter, never a fork, with a pipe in and a pipe out.
Its standard output is turned away from the pipe, so a library that prints
cannot garble it, and it ends by itself when the pipe in closes: a killed
service leaves no worker behind.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from musai.service import wire

THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
LAST_LINES = 12

BEHIND = ("build", "files")
"""Roles that get the processor when nobody else wants it."""

_log = logging.getLogger("musai.worker")

OnMessage = Callable[[wire.Up], None]
OnEnd = Callable[["Child", str], None]


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a worker works: the home folder, and the threads that BLAS may use."""

    home: Path
    threads: int = 1


class Child:
    """One life of one worker.  `on_message` and `on_end` are called from its reader thread."""

    def __init__(
        self,
        role: str,
        arguments: Sequence[str],
        on_message: OnMessage,
        on_end: OnEnd,
        setting: "Setting",
    ) -> None:
        self.role = role
        self._on_message = on_message
        self._on_end = on_end
        self._writing = threading.Lock()
        self._said: deque[str] = deque(maxlen=LAST_LINES)
        self._process = subprocess.Popen(
            # -P: a folder named musai where the user happens to stand must not be imported.
            [sys.executable, "-P", "-m", "musai.service.worker", role, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(setting),
            creationflags=_flags(role),
        )
        self._listener = self._thread(self._listen, "err")
        self._thread(self._read, "out")

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def send(self, message: wire.Message) -> None:
        """Hand over a message; to a worker that has just died this does nothing."""
        pipe = cast(BinaryIO, self._process.stdin)
        with self._writing, contextlib.suppress(OSError, ValueError):
            pipe.write(wire.frame(message))
            pipe.flush()

    def kill(self) -> None:
        """End the process at once; `on_end` follows."""
        self._process.kill()

    def stop(self, seconds: float = 2.0) -> None:
        """Close its pipe and wait; kill it where it has not ended by then."""
        self._close_input()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _close_input(self) -> None:
        with self._writing, contextlib.suppress(OSError, ValueError):
            cast(BinaryIO, self._process.stdin).close()

    def _thread(self, target: Callable[[], None], name: str) -> threading.Thread:
        thread = threading.Thread(target=target, name=f"musai-{self.role}-{name}", daemon=True)
        thread.start()
        return thread

    def _read(self) -> None:
        pipe = cast(BinaryIO, self._process.stdout)
        read = wire.reader(pipe)
        while (body := read()) is not None:
            self._on_message(wire.decode_up(body))
        # Nothing more can be understood from it, so it shall not linger.
        self._process.kill()
        code = self._process.wait()
        self._close_input()
        self._listener.join(1.0)
        pipe.close()
        self._on_end(self, _how_it_ended(code, self._said))

    def _listen(self) -> None:
        pipe = cast(BinaryIO, self._process.stderr)
        for line in pipe:
            text = line.decode(errors="replace").rstrip()
            self._said.append(text)
            _log.info("%s: %s", self.role, text)
        pipe.close()


def _flags(role: str) -> int:
    """On Windows: no window, and the priority that `worker` gives itself elsewhere."""
    quiet: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    lower: int = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)
    return quiet | (lower if role in BEHIND else 0)


def _environment(setting: Setting) -> dict[str, str]:
    """The child's environment: our import path, and BLAS threads set before it loads numpy."""
    return {
        **os.environ,
        **dict.fromkeys(THREAD_VARIABLES, str(setting.threads)),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONUTF8": "1",
        "MUSAI_HOME": str(setting.home),
    }


def _how_it_ended(code: int, said: Sequence[str]) -> str:
    if code < 0:
        try:
            how = f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            how = f"was killed by signal {-code}"
    else:
        how = f"ended with exit code {code}"
    last = [line for line in said if line.strip()]
    return f"{how}; its last words: {last[-1].strip()}" if last else how

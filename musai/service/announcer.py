"""The thread that waits for the disk, so that no pipe's reader and no caller has to."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

_log = logging.getLogger("musai.service")

Job = Callable[[], None]


class Announcer:
    """Runs jobs one after another, in the order in which they were handed in."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="musai-announcer", daemon=True)
        self._thread.start()

    def do(self, job: Job) -> None:
        """Hand in a job; after `close` it is dropped."""
        self._jobs.put(job)

    def close(self) -> None:
        """Finish what was handed in, then end.  Called from a job, it does not wait."""
        self._jobs.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                _log.exception("a job of the announcer failed")

"""Jobs: long work with progress that can be watched and cancelled, each kind one after another.

A job is named by what it does: asking again for work that waits, runs or is
done hands back the job that there is.  Jobs live as long as the service; what
they made lies in ledger and corpora.
"""

import hashlib
import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec

from musai.errors import BadInput, MusaiError, NotFound
from musai.ledger.chain import utc_text
from musai.service.rows import JobRow, JobState

_log = logging.getLogger("musai.service")

MAX_WAITING = 100
MAX_FAILURES = 1000
KEPT = 200
"""Ended jobs that are remembered."""

CLOSE_SECONDS = 5.0

Listener = Callable[[JobRow], None]
"""Called from a job's thread at each change; must not block or raise."""


class Cancelled(Exception):
    """Raised inside a job that somebody cancelled."""


class Handle:
    """A job as its own work sees it."""

    def __init__(self, jobs: "Jobs", job_id: str) -> None:
        self._jobs, self._id = jobs, job_id
        self.stop = threading.Event()

    def check(self) -> None:
        """Raise `Cancelled` where somebody cancelled the job."""
        if self.stop.is_set():
            raise Cancelled

    def progress(self, done: int, total: int, doing: str = "") -> None:
        """Say how far it is.  Raises `Cancelled`."""
        self.check()
        self._jobs.change(self._id, done=done, total=total, doing=doing)

    def fail(self, file: str, reason: str) -> None:
        """One of its files failed; the job goes on."""
        self._jobs.failed(self._id, file, reason)


Work = Callable[[Handle], dict[str, Any]]
"""Does the work and returns its result in plain values.  Raises `MusaiError` where it cannot."""


class Jobs:
    """Runs jobs in threads, one for each kind.  Any thread may call any method."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._rows: dict[str, JobRow] = {}
        self._handles: dict[str, Handle] = {}
        self._queues: dict[str, SimpleQueue[tuple[str, Work] | None]] = {}
        self._threads: list[threading.Thread] = []
        self._listeners: list[Listener] = []
        self._closed = False

    def start(
        self, kind: str, about: Sequence[str], work: Work, *, tidy: Path | None = None
    ) -> JobRow:
        """Queue work of a kind; `about` says all that its outcome depends on.

        `tidy` is a folder that is deleted when the job has ended, or at once
        where the same job is there already.  Raises `BadInput` where too many wait.
        """
        job_id = hashlib.sha256("\0".join((kind, *about)).encode()).hexdigest()[:16]
        with self._lock:
            there = self._rows.get(job_id)
            if there is not None and there.state in ("waiting", "running", "done"):
                _tidy(tidy)
                return there
            waiting = sum(row.state == "waiting" for row in self._rows.values())
            if self._closed or waiting >= MAX_WAITING:
                _tidy(tidy)
                raise BadInput(f"{waiting} jobs are waiting; legal is up to {MAX_WAITING}")
            self._rows.pop(job_id, None)
            row = JobRow(
                id=job_id,
                kind=kind,
                state="waiting",
                done=0,
                total=0,
                doing="",
                utc=utc_text(self._clock()),
            )
            self._rows[job_id] = row
            self._handles[job_id] = Handle(self, job_id)
            self._forget()
            self._queue(kind).put((job_id, _tidying(work, tidy)))
        self._tell(row)
        return row

    def get(self, job_id: str) -> JobRow:
        """A job by its id.  Raises `NotFound`."""
        with self._lock:
            if job_id not in self._rows:
                raise NotFound(f"there is no job {job_id[:20]!r}; jobs end with the server")
            return self._rows[job_id]

    def list(self) -> "list[JobRow]":
        """All jobs, the newest first."""
        with self._lock:
            return list(self._rows.values())[::-1]

    def cancel(self, job_id: str) -> JobRow:
        """Stop a job at its next step; what it has recorded stays.  Raises `NotFound`."""
        row = self.get(job_id)
        with self._lock:
            self._handles[job_id].stop.set()
            waiting = self._rows[job_id].state == "waiting"
        if waiting:
            self.change(job_id, state="cancelled")
            row = self.get(job_id)
        return row

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Hear of every change from now on; call what is returned to stop."""
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock, suppress(ValueError):
                self._listeners.remove(listener)

        return stop

    def wait(self, job_id: str, seconds: float) -> JobRow:
        """The job once it has ended, or as it is after so many seconds."""
        ended = threading.Event()

        def hear(row: JobRow) -> None:
            if row.id == job_id and row.state not in ("waiting", "running"):
                ended.set()

        stop = self.listen(hear)
        try:
            if self.get(job_id).state in ("waiting", "running"):
                ended.wait(seconds)
        finally:
            stop()
        return self.get(job_id)

    def close(self) -> None:
        """Cancel all jobs and wait for their threads."""
        with self._lock:
            self._closed = True
            for handle in self._handles.values():
                handle.stop.set()
            for queue in self._queues.values():
                queue.put(None)
        for thread in self._threads:
            thread.join(CLOSE_SECONDS)

    def change(self, job_id: str, **values: Any) -> None:
        """Change a job's row and tell the listeners."""
        with self._lock:
            row = self._rows.get(job_id)
            if row is None:
                return
            row = self._rows[job_id] = msgspec.structs.replace(row, **values)
        self._tell(row)

    def failed(self, job_id: str, file: str, reason: str) -> None:
        """Add a failed file to a job's row."""
        failures = self.get(job_id).failures
        if len(failures) < MAX_FAILURES:
            self.change(job_id, failures=[*failures, (file, reason)])

    def _queue(self, kind: str) -> "SimpleQueue[tuple[str, Work] | None]":
        if kind not in self._queues:
            queue = self._queues[kind] = SimpleQueue[tuple[str, Work] | None]()
            name = f"musai-job-{kind}"
            thread = threading.Thread(target=self._run, args=(queue,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return self._queues[kind]

    def _run(self, queue: "SimpleQueue[tuple[str, Work] | None]") -> None:
        while (item := queue.get()) is not None:
            job_id, work = item
            with self._lock:
                handle = self._handles[job_id]
            if handle.stop.is_set():
                # Cancelled while it waited; its folder still goes.
                with suppress(Cancelled):
                    work(handle)
                self.change(job_id, state="cancelled")
                continue
            self.change(job_id, state="running")
            state, values = self._outcome(work, handle)
            self.change(job_id, state=state, doing="", **values)

    def _outcome(self, work: Work, handle: Handle) -> tuple[JobState, dict[str, Any]]:
        try:
            return "done", {"result": work(handle)}
        except Cancelled:
            return "cancelled", {}
        except MusaiError as error:
            return "failed", {"error": str(error)}
        except Exception as error:
            _log.exception("a job failed")
            return "failed", {"error": f"{type(error).__name__}: {error}"}

    def _forget(self) -> None:
        """Drop the oldest ended jobs above what is kept."""
        ended = [key for key, row in self._rows.items() if row.state not in ("waiting", "running")]
        for key in ended[: max(0, len(ended) - KEPT)]:
            del self._rows[key], self._handles[key]

    def _tell(self, row: JobRow) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener(row)
            except Exception:
                _log.exception("a listener of the jobs failed")


def _tidying(work: Work, folder: Path | None) -> Work:
    def tidied(handle: Handle) -> dict[str, Any]:
        try:
            handle.check()
            return work(handle)
        finally:
            _tidy(folder)

    return tidied


def _tidy(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)

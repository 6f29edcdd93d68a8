"""The one writer of a process: a thread that commits what the others hand it.

All that waits in the queue goes into one transaction, so many appends share
one sync.  A lock file keeps the writers of other processes (a server and a
command line beside it) apart for as long as a transaction takes.
"""

import secrets
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from filelock import FileLock, Timeout

from musai.errors import Altered, MusaiError
from musai.ledger.chain import (
    GENESIS,
    SALT_BYTES,
    Record,
    Row,
    payload_digest,
    record_hash,
    record_of,
)
from musai.ledger.database import BUSY_SECONDS, Head, connect, migrate

BATCH = 256


@dataclass(frozen=True, slots=True)
class Entry:
    """A record to append; `before` runs in the same transaction, after the head was read."""

    kind: str
    utc: str
    body: bytes
    names: tuple[tuple[str, str], ...]
    before: Callable[[sqlite3.Connection], None] | None = None


Job = tuple[Entry, "Future[Record]"]


class Writer:
    """Owns the only connection that writes.  Raises where the file cannot be opened."""

    def __init__(self, path: Path) -> None:
        self._head = Head(path)
        self._lock = FileLock(str(path) + ".lock", timeout=BUSY_SECONDS)
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._closed = threading.Lock()
        with self._lock:
            self._connection = connect(path)
            try:
                migrate(self._connection, path)
                check_head(self._connection, self._head)
            except BaseException:
                self._connection.close()
                raise
        self._thread = threading.Thread(target=self._run, name="musai-ledger", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> "Future[Record]":
        """Queue an entry; the future holds its record once that is on the disk."""
        future: Future[Record] = Future()
        self._queue.put((entry, future))
        return future

    def close(self) -> None:
        """Write what is queued, then close the file; a second call does nothing."""
        if self._closed.acquire(blocking=False):
            self._queue.put(None)
            self._thread.join()
            self._connection.close()

    def _run(self) -> None:
        while True:
            job = self._queue.get()
            if job is None:
                return
            jobs = [job]
            last = False
            while len(jobs) < BATCH and not last:
                try:
                    following = self._queue.get_nowait()
                except Empty:
                    break
                if following is None:
                    last = True
                else:
                    jobs.append(following)
            self._commit(jobs)
            if last:
                return

    def _commit(self, jobs: list[Job]) -> None:
        """One transaction for all jobs; where it fails, each by itself, so that one bad cannot
        take others along."""
        try:
            records = self._transaction([entry for entry, _ in jobs])
        except Exception as error:
            if len(jobs) > 1:
                for job in jobs:
                    self._commit([job])
            else:
                jobs[0][1].set_exception(_named(error))
            return
        for (_, future), record in zip(jobs, records, strict=True):
            future.set_result(record)

    def _transaction(self, entries: list[Entry]) -> list[Record]:
        connection = self._connection
        with self._lock:
            connection.execute("BEGIN IMMEDIATE")
            try:
                seq, link = last_link(connection)
                records = []
                for entry in entries:
                    if entry.before is not None:
                        entry.before(connection)
                    seq, link, record = _insert(connection, entry, seq + 1, link)
                    records.append(record)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            self._head.write(seq, link)
            return records


def last_link(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """(seq, hash) of the last record; (0, GENESIS) for an empty ledger."""
    row = connection.execute("SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1").fetchone()
    return (0, GENESIS) if row is None else (row[0], row[1])


def check_head(connection: sqlite3.Connection, head: Head) -> None:
    """Raise `Altered` unless the record that the head file names is there with that hash."""
    told = head.read()
    if told is None:
        return
    seq, link = told
    row = connection.execute("SELECT hash FROM record WHERE seq = ?", (seq,)).fetchone()
    if row is None:
        first = last_link(connection)[0] + 1
        raise Altered(
            f"ledger record {first} is missing: {seq} were written, {first - 1} are left; "
            f"the file {head.path.with_suffix('')} was cut short or an older copy put back"
        )
    if row[0] != link:
        raise Altered(f"ledger record {seq} was altered: its hash is not the one in {head.path}")


def _insert(
    connection: sqlite3.Connection, entry: Entry, seq: int, previous: bytes
) -> tuple[int, bytes, Record]:
    salt = secrets.token_bytes(SALT_BYTES)
    digest = payload_digest(salt, entry.body)
    link = record_hash(seq, entry.kind, entry.utc, digest, previous)
    row: Row = (seq, entry.kind, entry.utc, digest, previous, link, salt, entry.body)
    connection.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)", row[:6])
    connection.execute("INSERT INTO payload VALUES (?, ?, ?)", (seq, salt, entry.body))
    connection.executemany(
        "INSERT INTO name VALUES (?, ?, ?)", [(name, value, seq) for name, value in entry.names]
    )
    return seq, link, record_of(row)


def _named(error: Exception) -> Exception:
    if isinstance(error, MusaiError):
        return error
    if isinstance(error, Timeout):
        return MusaiError(f"the ledger is being written by another process: {error}")
    return MusaiError(f"the ledger could not be written: {error}")

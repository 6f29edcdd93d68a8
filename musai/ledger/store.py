"""Ledger: append, find, erase, verify.  Any thread may call any method."""

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType

from musai.errors import Altered, BadInput, MusaiError, NotFound
from musai.ledger.chain import (
    NAMES,
    Payload,
    Record,
    Row,
    canonical_body,
    names_of,
    record_of,
    utc_text,
)
from musai.ledger.database import connect
from musai.ledger.verify import ROWS, Verification, verify_file
from musai.ledger.writer import Entry, Writer

MIN_PREFIX = 8
FLUSH_ATTEMPTS = 40
MOST_VALUES = 500
"""Values in one question to SQLite, which allows 999 on older builds."""

_THE_PLACE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
)
"""What SQLite says where not the file's content but its place is at fault."""


class Ledger:
    """An append-only record in one SQLite file.

    What `append` returned, and every future of `append_soon` that is done, is
    on the disk: a process killed at any moment loses none of it.  Several
    processes may append to one file; each transaction takes a lock file.
    """

    def __init__(self, path: Path, writer: Writer, reader: sqlite3.Connection) -> None:
        self.path = path
        self._writer = writer
        self._reader = reader
        self._reading = threading.Lock()

    @classmethod
    def open(cls, path: str | Path) -> "Ledger":
        """Open or make the ledger at `path`.

        Raises `Altered` naming the first record that is missing or changed
        where the end of the file shows it, `BadInput` for a file of a newer
        musai or a place that cannot be written.  The whole chain is read by
        `verify` only.
        """
        where = Path(path)
        try:
            where.parent.mkdir(parents=True, exist_ok=True)
            writer = Writer(where)
        except OSError as error:
            # Timeout, too, is an OSError: another process holds the lock file.
            raise BadInput(f"the ledger {where} cannot be opened: {error}") from None
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _THE_PLACE:
                raise BadInput(f"the ledger {where} cannot be opened: {error}") from None
            verify_file(where).check()
            raise Altered(f"ledger {where} cannot be opened: {error}") from None
        return cls(where, writer, connect(where))

    def append(self, kind: str, payload: Payload, *, utc: datetime) -> Record:
        """Append and wait until it is on the disk.  Raises `BadInput` for a bad kind or payload."""
        return self.append_soon(kind, payload, utc=utc).result()

    def append_soon(self, kind: str, payload: Payload, *, utc: datetime) -> "Future[Record]":
        """Append without waiting; appends of one thread keep their order."""
        body = canonical_body(kind, payload)
        if kind == "erasure":
            raise BadInput("a record of kind erasure is made by erase()")
        return self._writer.put(Entry(kind, utc_text(utc), body, tuple(names_of(payload))))

    def erase(
        self,
        records: Iterable[int],
        reason: str,
        *,
        utc: datetime,
        withdrawn: Sequence[str] = (),
    ) -> Record:
        """Erase the payloads of these records and append a record that says so.

        The chain still verifies; neither salt, payload nor the names to
        search by remain in the file, but for what `withdrawn` says to remember of them.  Raises `NotFound` for a record that is
        not there, `BadInput` for an erasure record.
        """
        numbers = sorted(set(records))
        for number in numbers:
            if self.record(number).kind == "erasure":
                raise BadInput(f"ledger record {number} tells of an erasure; it stays")
        payload: Payload = {"records": numbers, "reason": reason}
        if withdrawn:
            payload["withdrawn"] = list(withdrawn)
        body = canonical_body("erasure", payload)

        def before(connection: sqlite3.Connection) -> None:
            rows = [(number,) for number in numbers]
            connection.executemany("DELETE FROM payload WHERE seq = ?", rows)
            connection.executemany("DELETE FROM name WHERE seq = ?", rows)

        entry = Entry("erasure", utc_text(utc), body, (), before)
        record = self._writer.put(entry).result()
        self._flush_log()
        return record

    def _flush_log(self) -> None:
        """Empty the write-ahead log, which still holds the erased pages as they were."""
        for _ in range(FLUSH_ATTEMPTS):
            with self._read() as connection:
                busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if not busy:
                return
            time.sleep(0.05)
        raise MusaiError(
            "the payloads are erased, but another process still reads the ledger and holds its "
            "log open; the old bytes go when that process ends and musai next opens the ledger"
        )

    def record(self, seq: int) -> Record:
        """One record by number.  Raises `NotFound`, `Altered`."""
        found = self._select("WHERE record.seq = ?", (seq,))
        if not found:
            raise NotFound(f"no ledger record {seq}; legal is 1 to {len(self)}")
        return found[0]

    def rows(self, first: int, last: int) -> list[Row]:
        """Records `first` to `last` as stored, salts with them: what shows somebody who has only the
        chain what a digest stands for.  Raises `NotFound`, `Altered`."""
        with self._read() as connection:
            found = connection.execute(
                f"{ROWS} WHERE record.seq BETWEEN ? AND ? ORDER BY record.seq", (first, last)
            ).fetchall()
        if len(found) != last - first + 1:
            raise NotFound(f"no ledger records {first} to {last}; legal is 1 to {len(self)}")
        for row in found:
            record_of(row)
        return found

    def find(self, name: str, value: str, kind: str | None = None) -> list[Record]:
        """Records whose payload has this value under `name` (see `NAMES`), oldest first."""
        if name not in NAMES:
            raise BadInput(f"records are found by {', '.join(NAMES)}; {name!r} is none of them")
        return self._select(
            "WHERE record.seq IN (SELECT seq FROM name WHERE name = ? AND value = ?) "
            "AND (?3 IS NULL OR kind = ?3) ORDER BY record.seq",
            (name, value, kind),
        )

    def last(self, count: int, kind: str | None = None, session: str | None = None) -> list[Record]:
        """The last `count` records (of a kind, of a session), newest first."""
        return self._select(
            "WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR record.seq IN "
            "(SELECT seq FROM name WHERE name = 'session' AND value = ?2)) "
            "ORDER BY record.seq DESC LIMIT ?3",
            (kind, session, max(0, count)),
        )

    def after(self, seq: int, count: int = 500) -> list[Record]:
        """The next `count` records behind number `seq`, oldest first: a ledger read page by page."""
        return self._select(
            "WHERE record.seq > ?1 ORDER BY record.seq LIMIT ?2", (seq, max(0, count))
        )

    def values(self, name: str, count: int) -> list[str]:
        """The last `count` values recorded under a name of `NAMES`, the newest first."""
        with self._read() as connection:
            rows = connection.execute(
                "SELECT value FROM name WHERE name = ? GROUP BY value ORDER BY max(seq) DESC LIMIT ?",
                (name, max(0, count)),
            ).fetchall()
        return [str(value) for (value,) in rows]

    def naming(self, name: str, values: Iterable[str], kind: str) -> dict[str, list[int]]:
        """Under each value, the numbers of the records of a kind that name it; see `find`."""
        wanted = sorted(set(values))
        found: dict[str, list[int]] = {}
        with self._read() as connection:
            for first in range(0, len(wanted), MOST_VALUES):
                some = wanted[first : first + MOST_VALUES]
                rows = connection.execute(
                    "SELECT name.value, name.seq FROM name JOIN record ON record.seq = name.seq "
                    f"WHERE name.name = ? AND kind = ? AND value IN ({','.join('?' * len(some))}) "
                    "ORDER BY name.seq",
                    (name, kind, *some),
                )
                for value, seq in rows:
                    found.setdefault(value, []).append(seq)
        return found

    def sessions(self) -> list[str]:
        """Names of the sessions that have records, sorted."""
        with self._read() as connection:
            rows = connection.execute(
                "SELECT DISTINCT value FROM name WHERE name = 'session' ORDER BY value"
            )
            return [value for (value,) in rows]

    def full_id(self, name: str, prefix: str) -> str:
        """The one value under `name` that begins with `prefix`, 8 characters at least.

        Raises `NotFound` where there is none, `BadInput` where it is too
        short or begins several.
        """
        if len(prefix) < MIN_PREFIX:
            raise BadInput(f"{name} is {prefix!r}; legal is at least {MIN_PREFIX} characters")
        with self._read() as connection:
            rows = connection.execute(
                "SELECT DISTINCT value FROM name WHERE name = ? AND value >= ? AND value < ? "
                "ORDER BY value LIMIT 3",
                (name, prefix, prefix + "\U0010ffff"),
            ).fetchall()
        if not rows:
            raise NotFound(f"the ledger has no {name} {prefix!r}")
        if len(rows) > 1:
            raise BadInput(f"{name} {prefix!r} begins several: {rows[0][0]}, {rows[1][0]}")
        return str(rows[0][0])

    def verify(self) -> Verification:
        """Read the whole chain; see `Verification`.  The writer is not held up."""
        return verify_file(self.path)

    def close(self) -> None:
        """Write what is queued and close the file."""
        self._writer.close()
        with self._reading:
            self._reader.close()

    def __len__(self) -> int:
        with self._read() as connection:
            return int(connection.execute("SELECT coalesce(max(seq), 0) FROM record").fetchone()[0])

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _select(self, where: str, values: Sequence[object]) -> list[Record]:
        with self._read() as connection:
            rows = connection.execute(f"{ROWS} {where}", tuple(values)).fetchall()
        return [record_of(row) for row in rows]

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._reading:
            try:
                yield self._reader
            except sqlite3.DatabaseError as error:
                raise Altered(f"ledger {self.path} cannot be read: {error}") from None

"""Is the ledger whole?  Reads every record once and names the first that is not as written."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from musai.errors import Altered
from musai.ledger.chain import GENESIS, Row, fault_of, names_of
from musai.ledger.database import BUSY_SECONDS, Head

ROWS = """
    SELECT record.seq, kind, utc, digest, previous, hash, salt, body
    FROM record LEFT JOIN payload ON payload.seq = record.seq
"""


@dataclass(frozen=True, slots=True)
class Verification:
    """`first_bad` is a record's seq, or None with an empty `fault` where all is well.

    `records` counts the links read, `erased` those among them whose payload
    was erased by a later record; `head` is the hash of the last, which
    stands for the whole ledger and may be noted elsewhere.
    """

    records: int
    erased: int
    head: str
    first_bad: int | None = None
    fault: str = ""

    @property
    def ok(self) -> bool:
        """Nothing is missing and nothing was altered."""
        return self.first_bad is None

    def check(self) -> None:
        """Raise `Altered` naming the first bad record, if there is one."""
        if self.first_bad is not None:
            raise Altered(f"ledger record {self.first_bad} was altered: {self.fault}")


def verify_file(path: Path) -> Verification:
    """Verify a ledger file without opening it for writing; safe beside a running writer."""
    walk = _Walk()
    try:
        # Read first: the head file may lag behind the database, never run ahead.
        walk.told = Head(path).read()
    except Altered as error:
        walk.bad(1, str(error))
    try:
        connection, tables = _opened(path)
    except sqlite3.Error as error:
        walk.bad(1, f"the file cannot be opened ({error})")
        return walk.result()
    try:
        # A process killed before its first record leaves a file without tables: an empty ledger.
        if tables:
            for row in _rows(connection, walk):
                walk.row(row)
            _check_names(connection, walk)
        walk.check_end()
        _check_pages(connection, walk)
    except sqlite3.DatabaseError as error:
        walk.bad(walk.count + 1, f"the file cannot be read there ({error})")
    finally:
        connection.close()
    return walk.result()


def _opened(path: Path) -> tuple[sqlite3.Connection, bool]:
    """A connection in a transaction, and whether the ledger's tables are there.

    One snapshot serves all queries, so that a writer at work is not taken for
    a forger.  Read-only, unless a killed process left a transaction that must
    first be completed or undone.
    """
    for mode in ("ro", "rw"):
        where = f"{path.resolve().as_uri()}?mode={mode}"
        connection = sqlite3.connect(where, uri=True, timeout=BUSY_SECONDS)
        try:
            connection.execute("BEGIN")
            found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'record'")
            return connection, found.fetchone() is not None
        except sqlite3.DatabaseError as error:
            connection.close()
            if mode == "rw" or "readonly" not in str(error):
                raise
    raise AssertionError("one of two modes returns or raises")


class _Walk:
    """What has been seen so far."""

    def __init__(self) -> None:
        self.count = 0
        self.link = GENESIS
        self.told: tuple[int, bytes] | None = None
        self.told_link = GENESIS
        self.faults: list[tuple[int, str]] = []
        self.bare: set[int] = set()
        self.erased: set[int] = set()

    def bad(self, seq: int, fault: str) -> None:
        self.faults.append((seq, fault))

    def row(self, row: Row) -> None:
        seq, kind, _, _, previous, link, _, body = row
        fault = fault_of(row)
        if seq != self.count + 1:
            self.bad(self.count + 1, "it is missing")
        elif fault is not None:
            self.bad(seq, fault)
        elif previous != self.link:
            self.bad(seq, "it does not follow the record before it")
        self.count, self.link = seq, link
        if body is None:
            self.bare.add(seq)
        elif fault is None and kind == "erasure":
            self.erased.update(json.loads(body)["records"])
        if self.told is not None and seq == self.told[0]:
            self.told_link = link

    def check_end(self) -> None:
        if self.told is None:
            return
        seq, link = self.told
        if seq > self.count:
            self.bad(self.count + 1, f"it is missing: {seq} were written, {self.count} are left")
        elif self.told_link != link:
            self.bad(seq, "its hash is not the one in the head file")

    def result(self) -> Verification:
        for seq in self.bare - self.erased:
            self.bad(seq, "its payload is missing and no record says that it was erased")
        first, fault = min(self.faults, default=(None, ""))
        head = self.link.hex() if isinstance(self.link, bytes) else ""
        return Verification(self.count, len(self.bare & self.erased), head, first, fault)


def _rows(connection: sqlite3.Connection, walk: _Walk) -> Iterator[Row]:
    """Rows in order of seq; where a page cannot be read, the fault names the next record."""
    rows = connection.execute(ROWS + " ORDER BY record.seq")
    while True:
        try:
            row = rows.fetchone()
        except (sqlite3.DatabaseError, UnicodeDecodeError, OverflowError) as error:
            walk.bad(walk.count + 1, f"the file cannot be read there ({error})")
            return
        if row is None:
            return
        yield row


def _check_names(connection: sqlite3.Connection, walk: _Walk) -> None:
    """The search table must hold what the payloads say: derive it again and compare."""
    query = "SELECT seq, body FROM payload ORDER BY seq"
    for seq, body in connection.execute(query):
        try:
            expected = sorted(names_of(json.loads(body)))
        except (ValueError, TypeError, AttributeError):
            continue  # already named by the walk over the records
        rows = connection.execute("SELECT name, value FROM name WHERE seq = ?", (seq,))
        if sorted(rows) != expected:
            walk.bad(seq, "the names to search it by are not those of its payload")
    stray = connection.execute(
        "SELECT min(seq) FROM name WHERE seq NOT IN (SELECT seq FROM payload)"
    ).fetchone()[0]
    if stray is not None:
        walk.bad(stray, "names are left of a payload that is not there")
    orphan = connection.execute(
        "SELECT min(seq) FROM payload WHERE seq NOT IN (SELECT seq FROM record)"
    ).fetchone()[0]
    if orphan is not None:
        walk.bad(orphan, "its payload is there and its record is not")


def _check_pages(connection: sqlite3.Connection, walk: _Walk) -> None:
    if walk.faults:
        return
    for (line,) in connection.execute("PRAGMA integrity_check(1)"):
        if line != "ok":
            walk.bad(walk.count + 1, f"the file is damaged ({line})")

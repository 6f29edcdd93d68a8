"""The SQLite file: how it is opened, its numbered migrations, and the head file beside it.

Written ahead (WAL) with synchronous=FULL: a commit returns when the bytes are
on the disk.  The head file repeats the last (seq, hash) outside the database,
since a chain alone cannot tell that its end was cut off; it is written after
the commit and without a sync, so it may lag behind, never run ahead.
"""

import sqlite3
from pathlib import Path

from musai.errors import Altered, BadInput

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE record (
        seq INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        utc TEXT NOT NULL,
        digest BLOB NOT NULL,
        previous BLOB NOT NULL,
        hash BLOB NOT NULL
    );
    CREATE TABLE payload (
        seq INTEGER PRIMARY KEY REFERENCES record (seq),
        salt BLOB NOT NULL,
        body BLOB NOT NULL
    );
    CREATE TABLE name (
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        seq INTEGER NOT NULL REFERENCES record (seq),
        PRIMARY KEY (name, value, seq)
    ) WITHOUT ROWID;
    CREATE INDEX name_by_seq ON name (seq);
    """,
    # Comparisons of before are found by the works that they name, as those of now are.
    """
    INSERT OR IGNORE INTO name
        SELECT 'work_id', json_extract(hit.value, '$.work_id'), payload.seq
        FROM payload
        JOIN record ON record.seq = payload.seq AND record.kind = 'match'
        JOIN json_each(CAST(payload.body AS TEXT), '$.corpora') AS corpus
        JOIN json_each(corpus.value, '$.hits') AS hit
        WHERE json_type(hit.value, '$.work_id') = 'text'
    """,
)
"""Each is applied once, in order; an applied one is never edited, only followed by another."""

BUSY_SECONDS = 20.0


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, any thread; what is committed through it is synced."""
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # On macOS a plain fsync leaves the bytes in the drive's cache.
        connection.execute("PRAGMA fullfsync = ON")
        # Erased payloads are overwritten, not only unlinked from their page.
        connection.execute("PRAGMA secure_delete = ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file to the newest version.  Raises `BadInput` for one newer than this musai."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise BadInput(
                f"ledger {path} has version {version}; this musai knows up to {len(MIGRATIONS)}"
            )
        for script in MIGRATIONS[version:]:
            for statement in script.split(";"):
                if statement.strip():
                    connection.execute(statement)
        if version < len(MIGRATIONS):
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


_HEAD_BYTES = 20 + 1 + 64 + 1


class Head:
    """The head file: 20 digits of seq, a space, 64 digits of hash."""

    def __init__(self, ledger: Path) -> None:
        self.path = ledger.with_name(ledger.name + ".head")

    def write(self, seq: int, link: bytes) -> None:
        """Overwrite in place: one write of 86 bytes, which a killed process does or does not do."""
        line = f"{seq:020d} {link.hex()}\n".encode()
        mode = "r+b" if self.path.exists() else "wb"
        with self.path.open(mode, buffering=0) as file:
            file.write(line)

    def read(self) -> tuple[int, bytes] | None:
        """(seq, hash), or None where no record was ever written.  Raises `Altered`."""
        try:
            line = self.path.read_bytes()
        except FileNotFoundError:
            return None
        # A machine that lost power may leave a new file empty or full of zeros.
        if not line.strip(b"\0"):
            return None
        try:
            seq, _, link = line.decode().rstrip("\n").partition(" ")
            if len(line) != _HEAD_BYTES or len(link) != 64:
                raise ValueError("its length is wrong")
            return int(seq), bytes.fromhex(link)
        except ValueError:
            raise Altered(f"ledger head {self.path} was altered: it is {line[:100]!r}") from None

"""The ledger keeps what it acknowledged, in order, and says when it was touched."""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from musai.errors import Altered, BadInput, NotFound
from musai.ledger import KINDS, Ledger, Record, verify_file
from musai.ledger.chain import canonical_body, payload_digest, record_hash

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def phrase(name: str, session: str = "s") -> dict[str, Any]:
    return {"phrase_id": name * 64, "replay_id": "9" * 64, "session": session, "midi": "4d54"}


def decision(name: str, verdict: str = "kept") -> dict[str, Any]:
    return {"phrase_id": name * 64, "decision": verdict}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "ledger.sqlite"


def filled(path: Path, count: int = 6) -> list[Record]:
    with Ledger.open(path) as ledger:
        return [
            ledger.append("phrase", phrase("abcdef"[i % 6], f"s{i % 2}"), utc=NOON)
            for i in range(count)
        ]


def raw(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_records_count_from_one_and_each_follows_the_one_before(path: Path) -> None:
    records = filled(path)
    assert [record.seq for record in records] == [1, 2, 3, 4, 5, 6]
    assert records[0].previous == "0" * 64
    assert [r.previous for r in records[1:]] == [r.hash for r in records[:-1]]


def test_what_was_appended_is_there_after_opening_again(path: Path) -> None:
    records = filled(path)
    with Ledger.open(path) as ledger:
        assert [ledger.record(n) for n in range(1, 7)] == records
        assert len(ledger) == 6
        assert ledger.append("decision", decision("a"), utc=NOON).previous == records[-1].hash


def test_time_is_the_callers_in_utc(path: Path) -> None:
    there = NOON.astimezone(timezone(timedelta(hours=2)))
    with Ledger.open(path) as ledger:
        record = ledger.append("decision", decision("a"), utc=there)
        assert record.utc == "2026-01-02T12:00:00.000000Z"
        with pytest.raises(BadInput, match="no time zone"):
            ledger.append("decision", decision("a"), utc=datetime(2026, 1, 2))


def test_queries_find_by_name_kind_session_and_number(path: Path) -> None:
    filled(path)
    with Ledger.open(path) as ledger:
        ledger.append("decision", decision("b"), utc=NOON)
        assert [r.seq for r in ledger.find("phrase_id", "b" * 64)] == [2, 7]
        assert [r.seq for r in ledger.find("phrase_id", "b" * 64, "decision")] == [7]
        assert [r.seq for r in ledger.last(3)] == [7, 6, 5]
        assert [r.seq for r in ledger.last(9, "phrase", "s1")] == [6, 4, 2]
        assert ledger.sessions() == ["s0", "s1"]
        with pytest.raises(NotFound, match="no ledger record 8; legal is 1 to 7"):
            ledger.record(8)
        with pytest.raises(BadInput, match="'colour' is none"):
            ledger.find("colour", "blue")


def test_eight_characters_name_an_id_unless_several_begin_so(path: Path) -> None:
    with Ledger.open(path) as ledger:
        for tail in ("aa", "ab"):
            ledger.append(
                "decision", {"phrase_id": "12345678" + tail, "decision": "kept"}, utc=NOON
            )
        assert ledger.full_id("phrase_id", "12345678aa") == "12345678aa"
        assert ledger.full_id("phrase_id", "12345678a" + "b") == "12345678ab"
        with pytest.raises(BadInput, match="begins several"):
            ledger.full_id("phrase_id", "12345678")
        with pytest.raises(BadInput, match="at least 8"):
            ledger.full_id("phrase_id", "1234567")
        with pytest.raises(NotFound, match="no phrase_id '87654321'"):
            ledger.full_id("phrase_id", "87654321")


@pytest.mark.parametrize(
    ("kind", "payload", "message"),
    [
        ("gossip", {}, "'gossip'; legal is request, phrase"),
        ("phrase", {"phrase_id": "x"}, "lacks replay_id, session, midi"),
        ("decision", {"phrase_id": "x", "decision": float("nan")}, "what JSON cannot"),
        ("decision", {"phrase_id": "x", "decision": {1, 2}}, "what JSON cannot"),
        ("decision", {"phrase_id": "x", "decision": "\ud800"}, "what JSON cannot"),
        ("erasure", {"records": [1], "reason": ""}, "made by erase"),
    ],
)
def test_what_cannot_be_recorded_is_refused(
    path: Path, kind: str, payload: dict[str, Any], message: str
) -> None:
    with Ledger.open(path) as ledger:
        with pytest.raises(BadInput, match=message):
            ledger.append(kind, payload, utc=NOON)
        assert len(ledger) == 0


def test_threads_append_at_once_and_the_chain_holds(path: Path) -> None:
    with Ledger.open(path) as ledger:

        def work(name: str) -> None:
            for _ in range(25):
                ledger.append("decision", decision(name), utc=NOON)

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ledger.verify().ok
        assert len(ledger.find("phrase_id", "c" * 64)) == 25


def test_two_open_ledgers_share_one_file(path: Path) -> None:
    with Ledger.open(path) as one, Ledger.open(path) as other:
        for number in range(10):
            (one, other)[number % 2].append("decision", decision("a"), utc=NOON)
        assert [record.seq for record in one.last(10)] == list(range(10, 0, -1))
        assert other.verify().ok


def test_futures_of_one_thread_keep_their_order(path: Path) -> None:
    with Ledger.open(path) as ledger:
        futures = [ledger.append_soon("decision", decision("a"), utc=NOON) for _ in range(700)]
        assert [future.result().seq for future in futures] == list(range(1, 701))


def test_golden_hashes_do_not_move() -> None:
    body = canonical_body("decision", {"phrase_id": "é", "decision": "kept"})
    assert body == '{"decision":"kept","phrase_id":"é"}'.encode()
    digest = payload_digest(bytes(32), body)
    assert digest.hex() == "56f5f935609fcf1debccf6f29dc5dedf3383e33f17b3f18846a9acb29c8c47b8"
    link = record_hash(1, "decision", "2026-01-02T12:00:00.000000Z", digest, bytes(32))
    assert link.hex() == "ea86235e74ba64ad845cbb485b2bd8d2d6c0e138b2868493404e0e9b107d4945"


def test_a_payload_is_erased_and_the_chain_still_verifies(path: Path) -> None:
    filled(path)
    with Ledger.open(path) as ledger:
        before = ledger.record(2)
        secret = {"phrase_id": "tell-tale-id", "decision": "a sentence to be forgotten"}
        seq = ledger.append("decision", secret, utc=NOON).seq
        erasure = ledger.erase([2, seq], "asked by the composer", utc=NOON)
        assert erasure.payload == {"records": [2, seq], "reason": "asked by the composer"}
        gone = ledger.record(2)
        assert gone.payload is None
        assert (gone.hash, gone.digest) == (before.hash, before.digest)
        assert ledger.find("phrase_id", "b" * 64) == []
        result = ledger.verify()
        assert (result.ok, result.records, result.erased) == (True, 8, 2)
        with pytest.raises(NotFound):
            ledger.erase([99], "", utc=NOON)
        with pytest.raises(BadInput, match="it stays"):
            ledger.erase([erasure.seq], "", utc=NOON)
        # While the ledger is still open: neither the file nor its log holds the bytes.
        for file in path.parent.iterdir():
            assert b"tell-tale-id" not in file.read_bytes()
            assert b"to be forgotten" not in file.read_bytes()


def test_without_its_salt_a_digest_cannot_be_linked_to_a_guessed_payload(path: Path) -> None:
    with Ledger.open(path) as ledger:
        one = ledger.append("decision", decision("a"), utc=NOON)
        other = ledger.append("decision", decision("a"), utc=NOON)
    assert one.payload == other.payload
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("statement", "bad", "fault"),
    [
        ("UPDATE record SET kind = 'match' WHERE seq = 3", 3, "its hash does not cover"),
        ("UPDATE record SET utc = '2020' WHERE seq = 4", 4, "its hash does not cover"),
        ("UPDATE record SET hash = zeroblob(32) WHERE seq = 2", 2, "its hash does not cover"),
        ("UPDATE record SET digest = zeroblob(31) WHERE seq = 2", 2, "not 32 bytes"),
        ("UPDATE record SET previous = zeroblob(32) WHERE seq = 5", 5, "its hash does not"),
        ("UPDATE payload SET body = '{}' WHERE seq = 3", 3, "payload is not"),
        ("UPDATE payload SET body = CAST('{}' AS BLOB) WHERE seq = 3", 3, "not the one recorded"),
        ("UPDATE payload SET salt = zeroblob(32) WHERE seq = 1", 1, "not the one recorded"),
        ("DELETE FROM payload WHERE seq = 4", 4, "no record says that it was erased"),
        ("DELETE FROM record WHERE seq = 2", 2, "it is missing"),
        ("DELETE FROM record WHERE seq > 4", 5, "it is missing: 6 were written, 4 are left"),
        ("DELETE FROM record", 1, "it is missing: 6 were written, 0 are left"),
        ("UPDATE name SET value = 'x' WHERE seq = 3 AND name = 'session'", 3, "names to search"),
        ("DELETE FROM name WHERE seq = 6", 6, "names to search"),
        ("UPDATE record SET seq = 60 WHERE seq = 6", 6, "it is missing"),
        ("INSERT INTO name VALUES ('session', 'x', 77)", 77, "payload that is not there"),
        ("INSERT INTO payload VALUES (9, x'00', x'00')", 9, "names"),
    ],
)
def test_any_altered_row_is_found_and_named(
    path: Path, statement: str, bad: int, fault: str
) -> None:
    filled(path)
    raw(path, "PRAGMA foreign_keys = OFF", statement)
    result = verify_file(path)
    assert result.first_bad == bad
    if fault != "names":
        assert fault in result.fault
    with pytest.raises(Altered, match=f"record {bad} "):
        result.check()


def test_opening_names_what_was_cut_off_the_end(path: Path) -> None:
    filled(path)
    raw(path, "DELETE FROM record WHERE seq > 4")
    with pytest.raises(Altered, match=r"record 5 is missing: 6 were written, 4 are left"):
        Ledger.open(path)


def test_reading_an_altered_record_names_it(path: Path) -> None:
    filled(path)
    raw(path, "UPDATE payload SET body = CAST('{}' AS BLOB) WHERE seq = 3")
    with Ledger.open(path) as ledger, pytest.raises(Altered, match="record 3 was altered"):
        ledger.record(3)


def test_a_chain_forged_from_the_middle_is_caught_by_the_head_file(path: Path) -> None:
    """Rewriting every later hash makes a whole chain again, but not the same one."""
    filled(path)
    other = path.with_name("other.sqlite")
    filled(other)
    path.write_bytes(other.read_bytes())
    assert verify_file(path).first_bad == 6
    with pytest.raises(Altered, match="record 6 was altered"):
        Ledger.open(path)


def test_every_flipped_byte_of_the_file_that_changes_a_record_is_found(path: Path) -> None:
    filled(path, 3)
    whole = path.read_bytes()
    records = [verify_and_read(path)]
    step = 97  # prime, so that every kind of byte is met; 12 pages of 4096 bytes
    for position in range(0, len(whole), step):
        damaged = bytearray(whole)
        damaged[position] ^= 0x55
        path.write_bytes(damaged)
        seen = verify_and_read(path)
        assert seen is None or seen == records[0], f"byte {position} changed a record unnoticed"
    path.write_bytes(whole)
    assert verify_and_read(path) == records[0]


def verify_and_read(path: Path) -> list[Record] | None:
    """The records, or None where verifying finds a fault."""
    if not verify_file(path).ok:
        return None
    with Ledger.open(path) as ledger:
        return ledger.last(99)


@pytest.mark.parametrize("keep", [0, 1, 100, 4096, 9000, 20000])
def test_a_file_cut_short_gives_a_clear_error(path: Path, keep: int) -> None:
    filled(path, 40)
    whole = path.read_bytes()
    assert len(whole) > 30000
    path.write_bytes(whole[:keep])
    result = verify_file(path)
    assert result.first_bad is not None
    assert 1 <= result.first_bad <= 40
    with pytest.raises(Altered, match=r"record \d+"):
        Ledger.open(path)


def test_a_file_that_is_no_ledger_is_refused(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"MThd" * 2000)
    with pytest.raises(Altered, match="record 1"):
        Ledger.open(path)


def test_a_ledger_of_a_newer_musai_is_refused(path: Path) -> None:
    filled(path, 1)
    raw(path, "PRAGMA user_version = 99")
    with pytest.raises(BadInput, match="has version 99; this musai knows up to 2"):
        Ledger.open(path)


def test_an_altered_head_file_is_named(path: Path) -> None:
    filled(path)
    head = path.with_name(path.name + ".head")
    head.write_bytes(b"nonsense")
    with pytest.raises(Altered, match="head"):
        Ledger.open(path)
    assert not verify_file(path).ok
    # Power may fail before the first head reaches the disk: the chain then speaks for itself.
    head.write_bytes(bytes(86))
    assert verify_file(path).ok


def test_a_place_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="cannot be opened"):
        Ledger.open(tmp_path / "file" / "ledger.sqlite")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadInput, match="cannot be opened"):
        Ledger.open(tmp_path / "folder")


def test_a_file_left_before_its_first_table_is_an_empty_ledger(path: Path) -> None:
    path.parent.mkdir()
    raw(path, "PRAGMA journal_mode = WAL")
    assert verify_file(path).ok
    with Ledger.open(path) as ledger:
        assert ledger.append("decision", decision("a"), utc=NOON).seq == 1


def test_tables_that_vanished_are_noticed(path: Path) -> None:
    filled(path)
    raw(
        path,
        "PRAGMA foreign_keys = OFF",
        "DROP TABLE payload",
        "DROP TABLE name",
        "DROP TABLE record",
    )
    assert verify_file(path).first_bad == 1
    with pytest.raises(Altered, match="record 1"):
        Ledger.open(path)


def test_every_kind_says_what_it_must_hold() -> None:
    assert set(KINDS) >= {"request", "phrase", "match", "decision", "erasure"}
    for kind, needs in KINDS.items():
        with pytest.raises(BadInput, match=needs[0]):
            canonical_body(kind, {})

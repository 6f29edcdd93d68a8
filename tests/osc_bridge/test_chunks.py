"""Lists and files in chunks, lost, doubled and disordered."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osc_bridge.chunks import (
    MAX_CHUNKS,
    NUDGES,
    Chunk,
    Upload,
    checksum,
    data_chunks,
    note_chunks,
    packed,
)
from osc_bridge.codec import encode
from osc_bridge.messages import Command, Fault, read

NOTES = st.lists(
    st.tuples(
        st.integers(0, 2**28 - 1), st.integers(1, 2**28 - 1), st.integers(0, 127),
        st.integers(1, 127), st.integers(0, 63),
    ),
    min_size=1, max_size=300,
)  # fmt: skip


def upload(chunks: list[Chunk], most: int = 10**6) -> Upload:
    made = Upload("/musai/context", 1, chunks[0], most)
    for chunk in chunks:
        assert made.add(0.0, chunk) is None
    return made


def chunks_of(data: bytes, size: int) -> list[Chunk]:
    parts = [data[i : i + size] for i in range(0, len(data), size)]
    return [Chunk(i + 1, len(parts), checksum(data), part) for i, part in enumerate(parts)]


def test_the_checksum_is_crc32() -> None:
    assert checksum(b"123456789") == "cbf43926"
    assert packed([(1, 2), (3, -1)]) == b"\0\0\0\1\0\0\0\2\0\0\0\3\xff\xff\xff\xff"


@given(NOTES, st.text("abc", min_size=1, max_size=64), st.booleans())
def test_notes_come_back_from_their_chunks_each_within_a_datagram(
    notes: list[tuple[int, ...]], id: str, resent: bool
) -> None:
    path = "/musai/notes" if resent else "/musai/context"
    back: list[tuple[int, ...]] = []
    for message in note_chunks(path, id, notes, 1400, 7 if resent else None):
        assert len(encode(message)) <= 1400
        command = read(message)
        assert isinstance(command, Command)
        assert command.args.get("first", 7) == 7 + (len(back) if resent else 0)
        back += command.rest
        assert command.args["checksum"] == checksum(packed(notes))
    assert back == notes


@given(st.binary(min_size=1, max_size=5000), st.text("abc", min_size=1, max_size=64))
def test_a_file_comes_back_from_its_chunks_each_within_a_datagram(data: bytes, id: str) -> None:
    messages = list(data_chunks("/musai/phrase/midi", id, data, 1400))
    assert all(len(encode(message)) <= 1400 for message in messages)
    assert b"".join(message.args[-1] for message in messages) == data  # type: ignore[misc]


@given(st.binary(min_size=1, max_size=200), st.integers(1, 20), st.randoms())
def test_chunks_make_the_whole_in_any_order_and_doubled(
    data: bytes, size: int, order: random.Random
) -> None:
    chunks = chunks_of(data, size) * 2
    order.shuffle(chunks)
    made = upload(chunks)
    assert made.whole() == data
    done = made.done(len(data))
    assert all(done.holds("/musai/context", 1, chunk) for chunk in chunks)
    other = Chunk(1, chunks[0].total, "", b"other")
    assert not done.holds("/musai/context", 1, other)
    assert not done.holds("/musai/context", 2, chunks[0])


def test_missing_chunks_are_named_and_no_more_than_asked() -> None:
    chunks = chunks_of(bytes(100), 1)
    made = upload([chunks[i] for i in range(0, 100, 2)])
    assert made.missing() == list(range(2, 101, 2))
    assert made.missing(3) == [2, 4, 6]


def test_a_silence_names_what_is_missing_ever_more_rarely_and_then_gives_up() -> None:
    made, times, now = upload(chunks_of(b"abc", 1)[:1]), [], 0.0
    while True:
        times.append(made.due - now)
        now = made.due
        if not made.nudge(now):
            break
        assert made.missing() == [2, 3]
    assert times == pytest.approx([0.3 * 2**i for i in range(NUDGES + 1)])


@pytest.mark.parametrize(
    ("chunk", "code"),
    [
        (Chunk(2, 4, "", b"x"), "bad_value"),
        (Chunk(2, 3, "00000000", b"x"), "bad_value"),
        (Chunk(4, 3, "", b"x"), "bad_value"),
        (Chunk(2, 3, "", b"x" * 100), "too_large"),
    ],
)
def test_a_chunk_of_another_upload_or_too_many_bytes_is_a_fault(chunk: Chunk, code: str) -> None:
    made = upload([Chunk(1, 3, "", b"x")], most=100)
    fault = made.add(0.0, chunk)
    assert isinstance(fault, Fault)
    assert fault.code == code


def test_too_many_chunks_are_a_fault() -> None:
    first = Chunk(1, MAX_CHUNKS + 1, "", b"x")
    fault = Upload("/musai/context", 1, first, 10**9).add(0.0, first)
    assert isinstance(fault, Fault)
    assert fault.code == "too_large"


def test_a_wrong_checksum_is_a_fault_and_an_empty_one_is_not_looked_at() -> None:
    wrong = upload([Chunk(1, 1, "00000000", b"x")]).whole()
    assert isinstance(wrong, Fault)
    assert wrong.code == "checksum"
    assert upload([Chunk(1, 1, "", b"x")]).whole() == b"x"
    assert upload([Chunk(1, 1, checksum(b"x").upper(), b"x")]).whole() == b"x"

"""Bytes to messages and back: exact where legal, a fault where not, never an exception."""

import math
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osc_bridge.addresses import TABLE
from osc_bridge.codec import (
    BAD_FRAME,
    BUNDLE,
    END,
    MAX_ARGUMENTS,
    MAX_DEPTH,
    MAX_ELEMENTS,
    NTP_EPOCH,
    Unprefix,
    Unslip,
    bundle,
    decode,
    encode,
    prefixed,
    slip,
)
from osc_bridge.messages import NO_ID, Command, Fault, Message, read
from tests.osc_bridge.strategies import ANY, messages, mutated

MOST = 65_536
WALL = 1_800_000_000.0


def one(packet: bytes, most: int = MOST) -> Message | Fault:
    timed = decode(packet, WALL, most)
    assert len(timed) == 1
    return timed[0].item


def raw(path: str, tags: str, data: bytes = b"") -> bytes:
    def padded(text: str) -> bytes:
        return text.encode() + b"\0" * (4 - len(text.encode()) % 4)

    return padded(path) + padded(tags) + data


@pytest.mark.parametrize("path", TABLE)
@pytest.mark.parametrize("double", [False, True])
def test_every_message_of_the_table_comes_back_as_it_was(path: str, double: bool) -> None:
    @settings(max_examples=20)
    @given(messages(TABLE[path]))
    def check(message: Message) -> None:
        back = one(encode(message, double=double))
        assert back == message
        assert list(map(type, back.args)) == list(map(type, message.args))
        command = read(back)
        assert isinstance(command, Command), command
        assert command.row is TABLE[path]

    check()


@given(mutated(ANY.map(encode)))
def test_a_mutated_packet_is_messages_and_faults(packet: bytes) -> None:
    for timed in decode(packet, WALL, 1400):
        assert isinstance(timed.item, Message | Fault)
        if isinstance(timed.item, Message):
            assert isinstance(read(timed.item), Command | Fault)


@given(
    mutated(st.lists(ANY.map(encode), max_size=4).map(lambda ps: bundle([bundle(ps), *ps], WALL)))
)
def test_a_mutated_bundle_is_messages_and_faults(packet: bytes) -> None:
    assert decode(packet, WALL, MOST)


@given(st.binary(max_size=200))
def test_any_bytes_are_messages_and_faults(packet: bytes) -> None:
    assert decode(packet, WALL, MOST)


@given(st.text(max_size=20), st.binary(max_size=40))
def test_any_tags_and_data_are_a_message_or_a_fault(tags: str, data: bytes) -> None:
    one(raw("/musai/set", "," + tags.replace("\0", ""), data))


def test_a_message_without_type_tags_has_no_arguments() -> None:
    assert one(b"/musai/bye\0\0") == Message("/musai/bye")


@pytest.mark.parametrize(
    "packet",
    [b"", b"hello", b"\0\0\0\0", b"/musai", b"/mus\xffai\0\0\0", b"/mus\nai\0", b"musai/x\0"],
)
def test_what_has_no_address_is_a_fault_without_one(packet: bytes) -> None:
    fault = one(packet)
    assert isinstance(fault, Fault)
    assert (fault.code, fault.path) == ("bad_packet", "")


@pytest.mark.parametrize(
    ("packet", "code", "id"),
    [
        (raw("/musai/bye", "i", b"\0\0\0\1"), "bad_packet", NO_ID),
        (b"/musai/bye\0\0,i", "bad_packet", NO_ID),
        (raw("/musai/bye", ",i", b"\0\0\0"), "bad_packet", NO_ID),
        (raw("/musai/bye", ",i", b"\0\0\0\1\0\0\0\0"), "bad_packet", 1),
        (raw("/musai/bye", ",ii", b"\0\0\0\1\0\0"), "bad_packet", 1),
        (raw("/musai/bye", ",s", b"abc"), "bad_packet", NO_ID),
        (raw("/musai/bye", ",ib", b"\0\0\0\1\xff\xff\xff\xff"), "bad_packet", 1),
        (raw("/musai/bye", ",ib", b"\0\0\0\1\0\0\0\5abcd"), "bad_packet", 1),
        (raw("/musai/bye", ",sx", b"a\0\0\0"), "bad_type", "a"),
        (raw("/musai/bye", ",i[i]", b"\0\0\0\1\0\0\0\1"), "bad_type", 1),
        (raw("/musai/bye", ",is", b"\0\0\0\1\xff\xff\0\0"), "bad_value", 1),
        (raw("/musai/bye", ",if", b"\0\0\0\1" + struct.pack(">f", math.nan)), "bad_value", 1),
        (raw("/musai/bye", ",id", b"\0\0\0\1" + struct.pack(">d", math.inf)), "bad_value", 1),
        (raw("/musai/bye", ",fx", struct.pack(">f", 3.0)), "bad_type", 3),
        (raw("/musai/bye", ",dx", struct.pack(">d", 3.0)), "bad_type", 3),
        (raw("/musai/bye", ",hx", struct.pack(">q", 3)), "bad_type", 3),
        (raw("/musai/bye", ",hx", struct.pack(">q", 2**40)), "bad_type", NO_ID),
        (raw("/musai/bye", ",fx", struct.pack(">f", math.inf)), "bad_type", NO_ID),
        (raw("/musai/bye", ",Tx"), "bad_type", NO_ID),
        (raw("/musai/bye", "," + "N" * (MAX_ARGUMENTS + 1)), "too_large", NO_ID),
    ],
)
def test_a_faulty_message_keeps_its_address_and_id(packet: bytes, code: str, id: object) -> None:
    fault = one(packet)
    assert isinstance(fault, Fault)
    assert (fault.code, fault.path, fault.id) == (code, "/musai/bye", id)


def test_a_float_of_32_bits_is_the_decimal_that_it_stands_for() -> None:
    message = one(raw("/x", ",ffd", struct.pack(">ffd", 117.3, 0.95, 0.1)))
    assert message == Message("/x", (117.3, 0.95, 0.1))


def test_truth_values_nil_and_blobs_of_any_length_come_through() -> None:
    data = b"\0\0\0\5hello\0\0\0" + b"\0\0\0\4more" + b"\0\0\0\0"
    assert one(raw("/x", ",TFNbbb", data)).args == (True, False, None, b"hello", b"more", b"")


def test_big_ints_go_as_64_bits() -> None:
    assert one(encode(Message("/x", (2**62, -(2**31), 2**31)))).args == (2**62, -(2**31), 2**31)


def test_a_packet_too_long_keeps_its_address_and_id() -> None:
    message = Message("/musai/context", (7, *range(400)))
    fault = one(encode(message), most=1400)
    assert isinstance(fault, Fault)
    assert (fault.code, fault.path, fault.id) == ("too_large", "/musai/context", 7)


@pytest.mark.parametrize("packet", [b"x" * 1401, b"/" + b"x" * 1400, BUNDLE * 200])
def test_a_packet_too_long_without_an_address_is_garbage(packet: bytes) -> None:
    fault = one(packet, most=1400)
    assert isinstance(fault, Fault)
    assert (fault.code, fault.path) == ("too_large", "")


def test_a_packet_too_long_whose_tags_do_not_end_keeps_its_address() -> None:
    fault = one(b"/musai/bye\0\0," + b"i" * 1400, most=1400)
    assert isinstance(fault, Fault)
    assert (fault.path, fault.id) == ("/musai/bye", NO_ID)


def test_bundles_are_flattened_in_order() -> None:
    a, b, c = (encode(Message(f"/{name}")) for name in "abc")
    timed = decode(bundle([a, bundle([b]), c]), WALL, MOST)
    assert [(one.item.path, one.delay) for one in timed] == [("/a", 0), ("/b", 0), ("/c", 0)]


def test_a_timetag_is_seconds_from_now() -> None:
    packet = bundle([encode(Message("/a"))], WALL + 1.5)
    assert decode(packet, WALL, MOST)[0].delay == pytest.approx(1.5, abs=1e-6)
    assert decode(packet, WALL + 4, MOST)[0].delay == pytest.approx(-2.5, abs=1e-6)


def test_an_inner_timetag_counts_when_it_is_later() -> None:
    a, b, c = (encode(Message(f"/{name}")) for name in "abc")
    packet = bundle([bundle([a], WALL + 2), bundle([b], WALL + 0.5), bundle([c])], WALL + 1)
    delays = [one.delay for one in decode(packet, WALL, MOST)]
    assert delays == pytest.approx([2, 1, 1], abs=1e-6)


def test_timetags_go_on_after_2036() -> None:
    later = 2**32 - NTP_EPOCH + 1000.0
    packet = bundle([encode(Message("/a"))], later + 1)
    assert decode(packet, later, MOST)[0].delay == pytest.approx(1, abs=1e-5)


def test_timetags_0_and_1_mean_at_once() -> None:
    element = struct.pack(">i", 4) + b"/a\0\0"
    for tag in (0, 1):
        assert decode(BUNDLE + struct.pack(">Q", tag) + element, WALL, MOST)[0].delay == 0


@pytest.mark.parametrize(
    "packet",
    [
        BUNDLE,
        BUNDLE + b"\0\0\0\0\0\0\0",
        bundle([]),
        bundle([b""]),
        bundle([b"/a\0\0"])[:-1],
        BUNDLE + struct.pack(">Qi", 1, -4),
        bundle([b"what"]),
    ],
)
def test_a_broken_bundle_is_one_fault_without_an_address(packet: bytes) -> None:
    fault = one(packet)
    assert isinstance(fault, Fault)
    assert fault.path == ""


def test_bundles_nest_so_deep_and_no_deeper() -> None:
    packet = encode(Message("/a"))
    for _ in range(MAX_DEPTH):
        packet = bundle([packet])
    assert one(packet) == Message("/a")
    assert isinstance(one(bundle([packet])), Fault)


def test_a_bundle_of_too_many_messages_is_cut_with_a_fault() -> None:
    items = [timed.item for timed in decode(bundle([b"/a\0\0"] * (MAX_ELEMENTS + 9)), WALL, MOST)]
    assert items[:-1] == [Message("/a")] * MAX_ELEMENTS
    assert isinstance(items[-1], Fault)
    assert items[-1].code == "too_large"


@pytest.mark.parametrize(("framed", "taken"), [(slip, Unslip), (prefixed, Unprefix)])
@given(st.lists(st.binary(min_size=1, max_size=60), max_size=6), st.integers(1, 7))
def test_frames_come_back_however_the_stream_is_cut(
    framed: Callable[[bytes], bytes],
    taken: type[Unslip | Unprefix],
    packets: list[bytes],
    step: int,
) -> None:
    stream = b"".join(map(framed, packets))
    frames = taken(MOST)
    found = [
        packet for i in range(0, len(stream), step) for packet in frames.feed(stream[i : i + step])
    ]
    assert found == packets


@given(st.binary(max_size=300))
def test_any_stream_is_taken_apart_into_packets_within_the_limit(stream: bytes) -> None:
    assert all(0 < len(packet) <= 17 for packet in Unslip(16).feed(stream))


def test_a_frame_too_long_comes_out_cut_and_the_next_whole() -> None:
    assert Unslip(16).feed(slip(END * 100) + slip(b"next")) == [END * 17, b"next"]
    frames, stream = Unprefix(16), prefixed(END * 100) + prefixed(b"next")
    found = [packet for i in range(len(stream)) for packet in frames.feed(stream[i : i + 1])]
    assert found == [END * 17, b"next"]
    assert frames.feed(prefixed(b"") + prefixed(b"next")) == [b"", b"next"]


def test_a_frame_with_a_wrong_escape_is_garbage_and_the_next_whole() -> None:
    frames = Unslip(16)
    assert frames.feed(END + b"a\xdbb" + END + END + b"a\xdb" + END + slip(b"next")) == [
        BAD_FRAME,
        BAD_FRAME,
        b"next",
    ]

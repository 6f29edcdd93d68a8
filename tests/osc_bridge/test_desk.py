"""Who is who, strangers, timetags, and that nothing goes uncounted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osc_bridge.addresses import TABLE
from osc_bridge.codec import bundle, encode
from osc_bridge.desk import STRANGER_ERRORS
from osc_bridge.effects import Cancel, Peer, Submit
from osc_bridge.messages import Message
from osc_bridge.session import About
from tests.osc_bridge.room import WALL, Guest, Room, code, paths, walk
from tests.osc_bridge.strategies import ANY, COMMANDS, mutated


def uncounted(room: Room) -> int:
    counts = room.desk.counts
    return counts.messages - counts.answered - counts.withheld - counts.ignored


# Strangers.


def test_a_stranger_is_told_to_say_hello() -> None:
    room = Room()
    stranger = room.guest(hello=False)
    for message in ("/musai/bye", "/musai/generate", "/musai/sync"):
        assert code(stranger.say(message, 1)) == "hello_first"
    assert code(stranger.say("/foo", 1)) == "unknown_address"
    assert code(stranger.say("/musai/set", 1)) == "bad_count"
    assert room.desk.sessions == {}


@given(COMMANDS)
def test_a_stranger_gets_128_bytes_or_three_times_what_it_sent(message: Message) -> None:
    room = Room()
    stranger = room.guest(hello=False)
    packet = encode(message)
    replies = stranger.send(packet)
    if message.path != "/musai/hello":
        (reply,) = replies
        assert len(encode(reply)) <= max(128, 3 * len(packet))


@given(st.text("/abc", min_size=0, max_size=200), st.text("xyz", min_size=1, max_size=64))
def test_a_strangers_unknown_address_gets_no_more_either(path: str, id: str) -> None:
    packet = encode(Message("/" + path, (id,)))
    (reply,) = Room().guest(hello=False).send(packet)
    assert len(encode(reply)) <= max(128, 3 * len(packet))


def test_a_welcome_is_at_most_1024_bytes() -> None:
    room = Room()
    room.desk.shared.about = About("v" * 99, "m" * 99, "a" * 64, "c" * 99, "b" * 64)
    replies = room.guest(hello=False).say("/musai/hello", "i" * 64, 1, 0, "n" * 64)
    assert paths(replies) == ["ack", "welcome"]
    assert sum(len(encode(reply)) for reply in replies) <= 1024


def test_a_stranger_gets_so_many_errors_and_then_none() -> None:
    room = Room()
    stranger = room.guest(hello=False)
    sizes = []
    for _ in range(40):
        sizes.append(len(stranger.say("/musai/bye", 1)))
        room.now += 1
    assert sizes == [1] * STRANGER_ERRORS + [0] * (40 - STRANGER_ERRORS)
    assert room.desk.shared.withheld == 40 - STRANGER_ERRORS
    assert paths(stranger.say("/musai/hello", 1)) == ["ack", "welcome"]
    assert uncounted(room) == 0


def test_strangers_together_get_so_many_replies_a_second() -> None:
    room = Room(stranger_burst=5, strangers_a_second=2)
    replies = sum(len(room.guest(hello=False).say("/musai/bye", 1)) for _ in range(20))
    assert replies == 5
    room.now += 1
    replies = sum(len(room.guest(hello=False).say("/musai/bye", 1)) for _ in range(20))
    assert replies == 2
    assert room.desk.shared.withheld == 33
    assert uncounted(room) == 0


def test_strangers_beyond_those_remembered_do_not_pile_up() -> None:
    room = Room(strangers=3, stranger_burst=1000)
    for _ in range(10):
        room.guest(hello=False).say("/musai/bye", 1)
    assert len(room.desk._strangers) == 3


@pytest.mark.parametrize("path", [path for path, row in TABLE.items() if row.way == "out"])
def test_what_musai_sends_is_never_answered(path: str) -> None:
    room = Room()
    for guest in (room.guest(), room.guest(hello=False)):
        assert guest.say(path, 1) == []
        assert guest.send(encode(Message(path, (1,)))[:-2]) == []
    assert room.desk.counts.ignored == 4
    assert uncounted(room) == 0


def test_clients_are_so_many_and_the_longest_silent_make_room() -> None:
    room = Room(clients=2)
    first, second = room.guest(), room.guest()
    third = room.guest(hello=False)
    assert code(third.say("/musai/hello", 1)) == "busy"
    room.now += 61
    second.say("/musai/sync", 1)
    assert paths(third.say("/musai/hello", 1)) == ["ack", "welcome"]
    assert paths(first.heard()) == ["goodbye"]
    assert len(room.desk.sessions) == 2


def test_a_client_that_plays_or_listens_is_not_forgotten_however_silent() -> None:
    room = Room(silence=100)
    player, listener, idle, stream = room.guest(), room.guest(), room.guest(), room.guest("tcp")
    player.say("/musai/generate", 1)
    for _ in range(3):
        listener.say("/musai/subscribe", 1, 60)
        room.wait(50)
    assert len(room.desk.sessions) == 3
    assert paths(idle.heard()) == ["goodbye"]
    room.event(player.key(1), *walk())
    room.wait(200)
    assert set(room.desk.sessions) == {stream.number}


def test_a_closed_connection_cancels_and_forgets() -> None:
    room = Room()
    guest = room.guest("tcp")
    guest.say("/musai/generate", 1)
    key = guest.key(1)
    room.effects.clear()
    room.take(room.desk.gone(room.now, guest.peer))
    assert room.pop() == Cancel(key)
    room.take(room.desk.gone(room.now, guest.peer))
    assert room.desk.sessions == {}


def test_closing_says_goodbye_to_everyone() -> None:
    room = Room()
    guests = [room.guest(), room.guest("tcp")]
    guests[0].say("/musai/generate", 1)
    room.effects.clear()
    room.take(room.desk.close(room.now))
    assert [paths(guest.heard()) for guest in guests] == [["goodbye"]] * 2
    assert isinstance(room.pop(), Cancel)


# Reply ports.


def test_replies_go_to_the_port_that_hello_named() -> None:
    room = Room()
    guest = room.guest(hello=False)
    guest.ear = Peer("udp", "127.0.0.1", 9000)
    assert paths(guest.say("/musai/hello", 1, 1, 9000)) == ["ack", "welcome"]
    assert paths(guest.say("/musai/sync", 2)) == ["ack", "clock"]
    assert guest.peer not in room.sent


def test_a_prefix_speaks_for_the_client_with_that_reply_port() -> None:
    room = Room()
    guest = room.guest(hello=False)
    guest.ear = Peer("udp", "127.0.0.1", 9000)
    guest.say("/musai/hello", 1, 1, 9000)
    other_run = room.guest(hello=False)
    other_run.ear = guest.ear
    assert paths(other_run.say("/musai/to/9000/generate", 2, "bars", 2)) == ["ack"]
    effect = room.pop()
    assert isinstance(effect, Submit)
    room.event(guest.key(2), *walk())
    assert paths(guest.heard())[-1] == "overlap"
    assert code(other_run.say("/musai/to/9000/keep", 3)) == "bad_count"
    assert code(other_run.say("/musai/to/9000/nothing", 3)) == "unknown_address"
    assert paths(other_run.say("/musai/to/9000/hello", 4)) == ["ack", "welcome"]
    assert code(other_run.send(encode(Message("/musai/to/9000/keep", (1, 2)))[:-2])) == "bad_packet"
    assert paths(other_run.say("/musai/to/9000/bye", 5)) == ["ack"]
    assert room.desk.sessions == {}


def test_a_prefix_that_names_nobody_is_told_so() -> None:
    room = Room()
    for guest in (room.guest(), room.guest(hello=False)):
        assert code(guest.say("/musai/to/9000/sync", 2)) == "hello_first"
        assert code(guest.send(encode(Message("/musai/to/9000/sync", (1,)))[:-2])) == "hello_first"


def test_a_host_cannot_speak_for_another() -> None:
    room = Room()
    guest = room.guest(hello=False)
    guest.say("/musai/hello", 1, 1, 9000)
    far = Guest(room, Peer("udp", "127.0.0.2", 5))
    assert code(far.say("/musai/to/9000/sync", 2)) == "hello_first"


def test_a_hello_with_the_same_reply_port_takes_the_earlier_ones_place() -> None:
    room = Room()
    ear = Peer("udp", "127.0.0.1", 9000)
    for turn in range(3):
        guest = room.guest(hello=False)
        guest.ear = ear
        assert guest.say("/musai/hello", 1, 1, 9000)[1].args[2] == turn + 1
        guest.say("/musai/generate", 1)
    assert len(room.desk.sessions) == 1


def test_a_client_may_change_its_reply_port() -> None:
    room = Room()
    guest = room.guest()
    for port in (9000, 9001, 9001, guest.peer.port):
        guest.ear = Peer("udp", "127.0.0.1", port)
        assert paths(guest.say("/musai/hello", 1, 1, port)) == ["ack", "welcome"]
    stranger = room.guest(hello=False)
    assert code(stranger.say("/musai/to/9000/sync", 1)) == "hello_first"
    guest.say("/musai/bye", 2)
    assert room.desk._sources == {}


def test_a_reply_port_that_another_client_sends_from_is_refused() -> None:
    room = Room()
    other, guest = room.guest(), room.guest(hello=False)
    assert code(guest.say("/musai/hello", 1, 1, other.peer.port)) == "bad_value"
    guest.say("/musai/hello", 2)
    assert code(guest.say("/musai/hello", 3, 1, other.peer.port)) == "bad_value"
    assert paths(other.say("/musai/sync", 1)) == ["ack", "clock"]


def test_over_tcp_replies_come_back_on_the_connection() -> None:
    room = Room()
    assert code(room.guest("tcp", hello=False).say("/musai/hello", 1, 1, 9000)) == "bad_value"


# Timetags.


def test_a_command_is_kept_until_it_is_due() -> None:
    room = Room()
    guest = room.guest()
    (ack,) = guest.later(1.5, Message("/musai/sync", (1,)))
    assert ack.args[:2] == (1, "/musai/sync")
    assert ack.args[2] == pytest.approx(1500, abs=1)
    room.wait(1.4)
    assert guest.heard() == []
    room.wait(0.2)
    ack, clock = guest.heard()
    assert ack.args[2] == 0
    assert clock.args[1] == pytest.approx(1_001_500, abs=2)


def test_commands_due_at_one_time_are_done_in_order() -> None:
    room = Room()
    guest = room.guest()
    guest.later(1, *(Message("/musai/sync", (i,)) for i in range(20)))
    room.wait(2)
    assert [m.args[0] for m in guest.heard() if m.path == "/musai/clock"] == list(range(20))


@pytest.mark.parametrize(
    ("seconds", "word"), [(2.5, "too_far"), (20.0, "too_far"), (-0.7, "late"), (-1e6, "late")]
)
def test_a_timetag_beyond_the_limits_is_answered_at_once_and_nothing_done(
    seconds: float, word: str
) -> None:
    room = Room()
    guest = room.guest()
    assert code(guest.later(seconds, Message("/musai/generate", (1,)))) == word
    assert code(room.guest(hello=False).later(seconds, Message("/musai/hello", (1,)))) == word
    room.wait(30)
    assert room.effects == []


def test_a_timetag_a_little_late_is_done_at_once() -> None:
    room = Room()
    guest = room.guest()
    assert paths(guest.later(-0.3, Message("/musai/sync", (1,)))) == ["ack", "clock"]
    assert paths(guest.later(0.001, Message("/musai/sync", (1,)))) == ["ack", "clock"]


def test_hello_never_waits() -> None:
    room = Room()
    guest = room.guest(hello=False)
    for _ in range(2):
        assert paths(guest.later(1, Message("/musai/hello", (1,)))) == ["ack", "welcome"]


def test_so_many_commands_may_wait() -> None:
    room = Room(scheduled=3)
    guest = room.guest()
    messages = [Message("/musai/sync", (i,)) for i in range(5)]
    assert paths(guest.later(1, *messages)) == ["ack"] * 3 + ["error"] * 2
    room.wait(1.5)
    guest.heard()
    assert paths(guest.later(1, *messages[:3])) == ["ack"] * 3


def test_what_waits_of_a_client_that_left_is_dropped() -> None:
    room = Room()
    guest = room.guest()
    guest.later(1, Message("/musai/generate", (1,)))
    guest.say("/musai/bye", 2)
    room.wait(2)
    assert room.effects == []


def test_a_repeated_command_that_waits_is_done_once() -> None:
    room = Room()
    guest = room.guest()
    for _ in range(2):
        guest.later(1, Message("/musai/generate", (1,)))
    room.wait(2)
    assert isinstance(room.pop(), Submit)


# Nothing uncounted.


def test_garbage_is_counted() -> None:
    room = Room()
    guest = room.guest()
    for packet in (
        b"",
        b"garbage",
        bundle([]),
        bundle([b"what", encode(Message("/musai/sync", (1,)))]),
    ):
        guest.send(packet)
    assert room.desk.counts.garbage == 4
    assert room.desk.counts.answered == 2
    assert uncounted(room) == 0


PACKETS = ANY.map(encode)
TIMED = st.tuples(st.lists(PACKETS, max_size=3), st.floats(-3, 3)).map(
    lambda pair: bundle(pair[0], WALL + pair[1])
)


@settings(max_examples=60)
@given(st.lists(PACKETS | mutated(PACKETS) | TIMED | mutated(TIMED), max_size=12), st.booleans())
def test_whatever_comes_is_answered_or_counted_and_raises_nothing(
    packets: list[bytes], known: bool
) -> None:
    room = Room()
    guest = room.guest(hello=known)
    for packet in packets:
        guest.send(packet)
        room.wait(0.5)
        for effect in room.effects:
            if isinstance(effect, Submit):
                room.event(effect.key, *walk())
        room.effects.clear()
    room.wait(30)
    assert uncounted(room) == 0
    assert room.desk.counts.packets == len(packets) + known


@settings(max_examples=60)
@given(st.lists(COMMANDS, max_size=12))
def test_every_legal_command_of_a_client_is_answered(messages: list[Message]) -> None:
    room = Room()
    guest = room.guest()
    for message in messages:
        if guest.peer in room.desk._sources:
            replies = guest.say(message.path, *message.args)
            if message.path == "/musai/hello" and message.args[2:3] not in ((), (0,)):
                break
            assert replies, message

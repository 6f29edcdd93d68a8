"""Session, transport, subscription, and errors at a limited rate."""

from dataclasses import replace

import pytest

from musai.service.events import Failed
from osc_bridge.addresses import PARAMETERS, STATE
from osc_bridge.effects import (
    Cancel,
    Decided,
    Follow,
    Submit,
)
from osc_bridge.messages import Message
from osc_bridge.midiclock import Told
from tests.osc_bridge.room import (
    FLAT,
    NOTES,
    PHRASE,
    REPLAY,
    Guest,
    Room,
    asked,
    code,
    paths,
    played,
    walk,
)


def test_hello_tells_who_is_here_and_the_limits(room: Room) -> None:
    ack, welcome = room.guest(hello=False).say("/musai/hello", 7)
    assert ack == Message("/musai/ack", (7, "/musai/hello", 0.0))
    assert welcome.args[:8] == (7, 1, 1, "0.1.0", "fake", "ab" * 32, "none", "cd" * 32)
    assert set(str(welcome.args[8]).split()) >= {"generate", "continue", "answer", "again"}
    limits = dict(zip(welcome.args[9::2], welcome.args[10::2], strict=True))
    assert limits["packet_bytes"] == 1400
    assert limits["context_bytes"] == 65_536


def test_hello_may_be_said_again_without_losing_anything(room: Room, guest: Guest) -> None:
    guest.say("/musai/set", 1, "bars", 5)
    number = guest.number
    assert guest.say("/musai/hello", 2)[1].args[2] == number
    guest.say("/musai/generate", 3)
    assert asked(room).bars == 5


@pytest.mark.parametrize("args", [(2,), (1, 80), (1, 70_000), (1, 0, "x" * 65)])
def test_a_hello_that_cannot_be_met_is_refused(
    room: Room, guest: Guest, args: tuple[int | str, ...]
) -> None:
    assert code(guest.say("/musai/hello", 2, *args)) == "bad_value"
    assert code(room.guest(hello=False).say("/musai/hello", 2, *args)) == "bad_value"


def test_a_plugin_that_cannot_hold_long_strings_gets_short_ones(room: Room) -> None:
    guest = room.guest(hello=False)
    welcome = guest.say("/musai/hello", 0, 1, 0, "plugin", 1)[1]
    assert welcome.args[5] == "abababab"
    guest.say("/musai/generate", 1)
    room.event(guest.key(1), *walk())
    heard = guest.heard()
    assert heard[0].args[1] == REPLAY[:8]
    assert heard[-2].args[4:6] == (PHRASE[:8], REPLAY[:8])
    assert heard[-1].args[6] == "ee" * 4
    assert heard[-1].args[9] == ""


def test_sync_tells_the_clock_and_carries_the_beat_on(room: Room, guest: Guest) -> None:
    assert guest.say("/musai/sync", 1)[1].args == (1, 1_000_000, 0.0, 0.0, 0)
    guest.say("/musai/transport", 2, 120, 16, 1)
    room.wait(1.5)
    assert guest.say("/musai/sync", 3)[1].args == (3, 1_001_500, 120.0, 19.0, 1)
    guest.say("/musai/transport", 4, 120, 19, 0)
    room.wait(1)
    assert guest.say("/musai/sync", 5)[1].args[2:] == (120.0, 19.0, 0)


def test_a_session_shares_its_transport(room: Room) -> None:
    one, two, three = room.guest(), room.guest(), room.guest()
    for guest in (one, two):
        assert paths(guest.say("/musai/session", 1, "trio")) == ["ack"]
    one.say("/musai/transport", 2, 99, 4, 0)
    assert two.say("/musai/sync", 3)[1].args[2:4] == (99.0, 4.0)
    assert three.say("/musai/sync", 3)[1].args[2] == 0
    one.say("/musai/generate", 4)
    effect = room.pop()
    assert isinstance(effect, Submit)
    assert effect.session == "trio"


def test_subscribing_tells_the_full_state_and_then_every_change(room: Room, guest: Guest) -> None:
    played(room, guest)
    guest.say("/musai/set", 1, "bars", 6, "key", "Am")
    guest.say("/musai/context", 1, 1, 1, "", *FLAT)
    heard = guest.say("/musai/subscribe", 5, 8)
    assert paths(heard)[0] == "ack"
    state = {str(m.args[1]): m.args[2] for m in heard if m.path == "/musai/state"}
    assert list(state) == list(STATE)
    assert (state["bars"], state["key"], state["tempo"]) == (6, "Am", "default")
    assert (state["context"], state["requests"], state["all"]) == (3, 0, len(STATE) - 1)
    takes = [m.args for m in heard if m.path == "/musai/take"]
    assert takes == [(5, guest.number, 1, PHRASE, 3, "green", "")]
    assert heard[-1] == Message("/musai/heartbeat", (5, 0, 8.0))
    assert guest.say("/musai/set", 6, "bars", None)[1:] == [
        Message("/musai/state", (5, "bars", "default"))
    ]
    assert paths(guest.say("/musai/transport", 7, 120, 0, 1)) == ["ack", *["state"] * 3]
    assert guest.say("/musai/context", 8, 1, 1, "", *NOTES[0])[-1].args == (5, "context", 1)
    assert guest.say("/musai/generate", 9)[-1].args == (5, "requests", 1)
    room.event(guest.key(9), *walk())
    assert [m.args for m in guest.heard() if m.path in ("/musai/take", "/musai/state")] == [
        (5, guest.number, 9, PHRASE, 3, "", ""),
        (5, "requests", 0),
        (5, guest.number, 9, PHRASE, 3, "green", ""),
    ]
    guest.say("/musai/discard", 10, 9)
    room.result(guest.key(10), Decided(PHRASE))
    assert [m.args[-1] for m in guest.heard()] == ["discarded"] * 3
    assert paths(guest.say("/musai/session", 11, "other")) == [
        "ack", *["state"] * (len(STATE) - 1), "take", "take", "state",
    ]  # fmt: skip


def test_a_session_lives_as_long_as_someone_is_in_it(room: Room) -> None:
    one, two = room.guest(), room.guest()
    for guest in (one, two):
        guest.say("/musai/session", 1, "duo")
    one.say("/musai/transport", 2, 99, 4, 0)
    one.say("/musai/bye", 3)
    assert two.say("/musai/sync", 4)[1].args[2] == 99
    two.say("/musai/session", 5, "solo")
    assert set(room.desk.shared.stages) == {"solo"}


def test_a_decision_marks_only_its_own_takes(room: Room, guest: Guest) -> None:
    played(room, guest, 1)
    guest.say("/musai/generate", 2)
    room.pop()
    other = "ff" * 32
    room.event(
        guest.key(2),
        *(replace(e, phrase_id=other) for e in walk()[-2:]),  # type: ignore[type-var]
    )
    guest.say("/musai/subscribe", 3)
    guest.say("/musai/keep", 4, 2)
    room.result(guest.key(4), Decided(other))
    takes = [m.args[2] for m in guest.heard() if m.path == "/musai/take"]
    assert takes == [2]


def test_listeners_hear_of_the_takes_of_their_session(room: Room) -> None:
    player, listener = room.guest(), room.guest()
    for guest in (player, listener):
        guest.say("/musai/session", 1, "duo")
    listener.say("/musai/subscribe", 2)
    played(room, player, "solo")
    takes = [m.args for m in listener.heard() if m.path == "/musai/take"]
    assert [take[1:4] for take in takes] == [(player.number, "solo", PHRASE)] * 2


def test_a_subscription_lives_by_its_lease_and_beats_until_it_ends(
    room: Room, guest: Guest
) -> None:
    guest.say("/musai/subscribe", 5, 4)
    room.wait(10)
    beats = guest.heard()
    assert paths(beats) == ["heartbeat"] * 4
    assert [beat.args[2] for beat in beats] == pytest.approx([3, 2, 1, 0])
    assert guest.say("/musai/set", 6, "bars", 2)[1:] == []


def test_a_lease_is_renewed_by_its_id_and_ended_by_nothing_left(room: Room, guest: Guest) -> None:
    guest.say("/musai/subscribe", 5, 4)
    for _ in range(3):
        room.wait(3)
        guest.heard()
        renewed = guest.say("/musai/subscribe", 5, 4)
        assert paths(renewed) == ["ack", "heartbeat"]
        assert renewed[1].args[2] == 4
    assert paths(guest.say("/musai/subscribe", 5, 0)) == ["ack", "heartbeat"]
    room.wait(10)
    assert guest.heard() == []


def test_a_lease_too_short_to_beat_is_a_second(room: Room, guest: Guest) -> None:
    assert guest.say("/musai/subscribe", 5, 0.001)[-1].args[2] == 1


def test_panic_cancels_what_the_session_has_under_way_and_silences_listeners(room: Room) -> None:
    one, two, other = room.guest(), room.guest(), room.guest()
    for guest in (one, two):
        guest.say("/musai/session", 1, "duo")
        guest.say("/musai/generate", 2)
    other.say("/musai/generate", 2)
    two.say("/musai/subscribe", 3)
    room.effects.clear()
    assert paths(one.say("/musai/panic", 4)) == ["ack"]
    assert room.effects == [Cancel(one.key(2)), Cancel(two.key(2))]
    assert two.heard() == [Message("/musai/silence", (3,))]


def test_bye_cancels_and_forgets(room: Room, guest: Guest) -> None:
    guest.say("/musai/generate", 1)
    key = guest.key(1)
    room.effects.clear()
    assert paths(guest.say("/musai/bye", 2)) == ["ack"]
    assert room.pop() == Cancel(key)
    assert room.desk.sessions == {}
    assert room.desk.shared.stages == {}
    room.event(key, *walk())
    assert guest.heard() == []
    assert code(guest.say("/musai/generate", 1)) == "hello_first"


def test_errors_are_withheld_beyond_their_rate_and_counted(room: Room) -> None:
    room = Room(error_burst=3, errors_a_second=1)
    guest = room.guest()
    codes = [len(guest.say("/musai/keep", 1)) for _ in range(10)]
    assert codes == [1] * 3 + [0] * 7
    assert room.desk.shared.withheld == 7
    room.wait(1.5)
    assert guest.heard() == [Message("/musai/withheld", (7,))]
    assert guest.say("/musai/keep", 1)[0].args[-1] == 0


def test_the_next_error_tells_how_many_were_withheld(room: Room) -> None:
    room = Room(error_burst=1, errors_a_second=2)
    guest = room.guest()
    for _ in range(5):
        guest.say("/musai/keep", 1)
    room.now += 0.6
    assert guest.say("/musai/keep", 1)[0].args[-1] == 4
    room.wait(3)
    assert guest.heard() == []


def test_the_end_of_what_was_acknowledged_is_never_withheld(room: Room) -> None:
    room = Room(error_burst=1, errors_a_second=0)
    guest = room.guest()
    for _ in range(5):
        guest.say("/musai/keep", 1)
    guest.say("/musai/generate", 2)
    room.event(guest.key(2), Failed(1, "Cancelled", "stopped"))
    assert code(guest.heard()) == "cancelled"


def test_every_parameter_can_be_set_and_is_told_back(room: Room, guest: Guest) -> None:
    guest.say("/musai/subscribe", 1)
    examples = {
        "bars": 3, "seed": 2**40, "tempo": 90.5, "signature": "6/8", "key": "Bbm",
        "density": 4.0, "register": "36-84", "collection": "bach", "temperature": 0.5,
        "top_p": 0.5, "first": 2, "voices": "bass,drums", "change": 0.25, "guard": 12,
        "scale": "dorian", "scale_rule": "soft", "chords": "C|Am F", "grid": "1/8t",
        "polyphony": 3, "registers": "60-84,,40-55", "swing": 0.6, "velocity": 90,
        "temperatures": "pitch=1.1", "top_ps": "pitch=0.9,duration=0.8", "avoid": 2,
    }  # fmt: skip
    assert set(examples) == set(PARAMETERS)
    for name, value in examples.items():
        told = guest.say("/musai/set", 2, name, value)[1]
        assert told.args == (1, name, str(value) if name == "seed" else value)


def test_a_session_follows_link_only_when_asked_and_leaves_it_with_its_last_member(
    room: Room,
) -> None:
    one, two = room.guest(), room.guest()
    assert code(one.say("/musai/link", 1, 1)) == "no_link", "it is not installed in this room"
    room.desk.shared.link = True
    for guest in (one, two):
        guest.say("/musai/session", 2, "band")
    assert room.effects == []
    assert paths(one.say("/musai/link", 3, 1, 96.0)) == ["ack", "linked"]
    assert room.pop() == Follow("band", 96.0)
    assert paths(two.say("/musai/link", 4, 1)) == ["ack", "linked"]
    assert room.effects == [], "it is followed already"
    assert code(two.say("/musai/transport", 5, 120, 0, 1)) == "linked"
    two.say("/musai/subscribe", 6)
    room.take(room.desk.linked(room.now, "band", Told(1.0, 7.5, True)))
    state = {message.args[1]: message.args[2] for message in two.heard()}
    assert (state["tempo_now"], state["beat"], state["playing"]) == (20.0, 7.5, 1)
    one.say("/musai/bye", 7)
    assert room.effects == []
    two.say("/musai/session", 8, "alone")
    assert room.pop() == Follow("band", None)
    room.take(room.desk.linked(room.now, "band", Told(90.0, 8.0, True)))
    two.say("/musai/link", 9, 1)
    room.effects.clear()
    assert two.say("/musai/link", 10, 0)[-1].args == (10, 0)
    assert room.pop() == Follow("alone", None)
    assert paths(two.say("/musai/transport", 11, 120, 0, 1))[0] == "ack"

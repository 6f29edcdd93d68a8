"""Asking one client's way: requests, streams, seeds, failures."""

import math
from dataclasses import replace

import pytest

from musai.service.events import Compared, Failed, Finished, Sounded, Started
from musai.transformer.request import Request
from osc_bridge.effects import (
    Again,
    Cancel,
    Decided,
    Replay,
)
from osc_bridge.messages import Message
from tests.osc_bridge.room import (
    NOTES,
    PHRASE,
    REPLAY,
    SUM,
    Guest,
    Room,
    asked,
    code,
    paths,
    walk,
)


def test_a_request_is_acknowledged_streamed_ended_and_compared(room: Room, guest: Guest) -> None:
    assert guest.say("/musai/generate", 1, "bars", 2, "seed", 9) == [
        Message("/musai/ack", (1, "/musai/generate", 0.0))
    ]
    assert asked(room) == Request(bars=2, seed=9)
    room.event(guest.key(1), *walk())
    heard = guest.heard()
    assert paths(heard) == ["started", "note", "note", "note", "end", "overlap"]
    assert heard[0].args == (1, REPLAY, 9)
    assert [message.args for message in heard[1:4]] == [
        (1, i, *note) for i, note in enumerate(NOTES)
    ]
    assert heard[4].args == (1, 3, 2, SUM, PHRASE, REPLAY, "deadbeef", 3.5, 7.0, "")
    assert heard[5].args == (
        1, "green", 1, 0.25, 4, 9.0, "ee" * 32, "Air", "CC0-1.0", "Nothing like it.", 0, -1.0,
    )  # fmt: skip


def test_ids_may_be_strings(room: Room, guest: Guest) -> None:
    assert guest.say("/musai/generate", "take one")[0].args[0] == "take one"
    room.event(guest.key("take one"), *walk())
    assert {message.args[0] for message in guest.heard()} == {"take one"}


def test_what_is_not_known_of_an_overlap_is_said_so(room: Room, guest: Guest) -> None:
    guest.say("/musai/generate", 1)
    *before, _ = walk()
    grey = Compared(1, PHRASE, "grey", "No corpus.", None, 0, None, None, None, 0.5)
    room.event(guest.key(1), *before, grey)
    assert guest.heard()[-1].args == (1, "grey", 0, -1.0, 0, 0.5, "", "", "", "No corpus.", 0, -1.0)


def test_how_varied_the_last_takes_are_comes_with_the_overlap(room: Room, guest: Guest) -> None:
    guest.say("/musai/generate", 1)
    *before, _ = walk()
    told = Compared(1, PHRASE, "grey", "", None, 0, None, None, None, 0.5, 20, 7.0, "As 7 tunes.")
    room.event(guest.key(1), *before, told)
    assert guest.heard()[-1].args[-2:] == (20, 7.0)


def test_parameters_are_set_for_all_requests_and_named_ones_for_one(
    room: Room, guest: Guest
) -> None:
    guest.say("/musai/set", 1, "bars", 8.0, "key", "F#m", "signature", "6/8", "register", "48-72")
    guest.say("/musai/generate", 2, "seed", 3, "key", "default", "bars", 2)
    assert asked(room) == Request(bars=2, seed=3, signature=(6, 8), register=(48, 72))
    guest.say("/musai/set", 3, "signature", None, "register", "default")
    guest.say("/musai/generate", 4, "seed", 3)
    assert asked(room) == Request(bars=8, seed=3, key="F#m")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bars", 0), ("bars", 65), ("bars", 2.5), ("tempo", 19), ("seed", -1), ("key", "H"),
        ("key", "Cmaj7"), ("signature", "6"), ("signature", "6/8/2"), ("register", "72"),
        ("density", "much"), ("temperature", 5), ("top_p", 0), ("collection", 3),
        ("collection", "x" * 65),
    ],
)  # fmt: skip
def test_an_illegal_parameter_is_refused_and_none_of_its_message_is_set(
    room: Room, guest: Guest, name: str, value: float | str
) -> None:
    assert code(guest.say("/musai/set", 1, "bars", 7, name, value)) in ("bad_value", "bad_type")
    guest.say("/musai/generate", 2, "seed", 0)
    assert asked(room) == Request()


@pytest.mark.parametrize("pair", ["signature 32/1", "signature 4/5", "register 60-62"])
def test_parameters_that_cannot_go_together_are_refused(
    room: Room, guest: Guest, pair: str
) -> None:
    name, value = pair.split()
    assert code(guest.say("/musai/generate", 1, name, value)) == "bad_request"
    assert room.effects == []
    assert paths(guest.say("/musai/generate", 1)) == ["ack"]


def test_seeds_count_up_where_none_is_set(room: Room, guest: Guest) -> None:
    seeds = []
    for id in range(3):
        guest.say("/musai/generate", id)
        seeds.append(asked(room).seed)
    guest.say("/musai/generate", 3, "seed", 77)
    seeds.append(asked(room).seed)
    guest.say("/musai/generate", 4)
    seeds.append(asked(room).seed)
    assert seeds == [0, 1, 2, 77, 3]


def test_a_seed_beyond_32_bits_is_told_in_digits(room: Room, guest: Guest) -> None:
    guest.say("/musai/generate", 1, "seed", 2**62)
    assert asked(room).seed == 2**62
    room.event(guest.key(1), Started(1, REPLAY))
    assert guest.heard()[0].args[2] == str(2**62)


def test_so_many_requests_may_be_under_way(room: Room) -> None:
    room = Room(requests=2)
    guest = room.guest()
    for id in (1, 2):
        assert paths(guest.say("/musai/generate", id)) == ["ack"]
    assert code(guest.say("/musai/generate", 3)) == "busy"
    room.event(guest.key(1), *walk()[:-1])
    guest.heard()
    assert paths(guest.say("/musai/generate", 3)) == ["ack"]


def test_the_transports_tempo_is_the_default(room: Room, guest: Guest) -> None:
    guest.say("/musai/transport", 1, 97.5, 0, True)
    guest.say("/musai/generate", 2, "seed", 0)
    assert asked(room).tempo == 97.5
    guest.say("/musai/generate", 3, "seed", 0, "tempo", 60)
    assert asked(room).tempo == 60


def test_again_is_the_last_take_or_the_named_one_with_the_next_seed(
    room: Room, guest: Guest
) -> None:
    assert code(guest.say("/musai/again", 0)) == "not_found"
    for id, seed in ((1, 5), (2, 2**63 - 1)):
        guest.say("/musai/generate", id, "bars", 3, "seed", seed)
        room.pop()
        room.event(guest.key(id), *walk())
    guest.say("/musai/again", 3)
    assert asked(room) == Request(bars=3, seed=0)
    guest.say("/musai/again", 4, 1)
    assert asked(room) == Request(bars=3, seed=6)
    guest.say("/musai/again", 5, PHRASE[:8])
    assert asked(room) == Request(bars=3, seed=0)


def test_again_of_a_take_that_only_the_ledger_knows_is_left_to_the_service(
    room: Room, guest: Guest
) -> None:
    guest.say("/musai/again", 1, "0123abcd")
    assert room.pop() == Again(guest.key(1), "0123abcd", f"client-{guest.number}")
    guest.say("/musai/replay", 2, REPLAY)
    room.pop()
    room.event(guest.key(2), *walk(replay="identical"))
    guest.say("/musai/again", 3, 2)
    assert room.pop() == Again(guest.key(3), PHRASE, f"client-{guest.number}")


def test_a_replay_says_whether_it_is_identical(room: Room, guest: Guest) -> None:
    assert paths(guest.say("/musai/replay", 1, REPLAY[:8])) == ["ack"]
    assert room.pop() == Replay(guest.key(1), REPLAY[:8])
    room.event(guest.key(1), *walk(replay="identical"))
    heard = guest.heard()
    assert heard[0].args[2] == ""
    assert heard[-2].args[-1] == "identical"


def test_a_replay_of_what_is_no_id_is_refused(room: Room, guest: Guest) -> None:
    assert code(guest.say("/musai/replay", 1, "not hexadecimal")) == "bad_value"


def test_a_cancelled_request_ends_with_an_error_under_its_own_id(room: Room, guest: Guest) -> None:
    guest.say("/musai/generate", 1)
    room.pop()
    assert guest.say("/musai/cancel", 2, 1) == [Message("/musai/ack", (2, "/musai/cancel", 0.0))]
    assert room.pop() == Cancel(guest.key(1))
    room.event(guest.key(1), Failed(1, "Cancelled", "stopped"))
    assert guest.heard() == [
        Message("/musai/error", (1, "cancelled", "stopped", "/musai/generate", 0))
    ]
    assert code(guest.say("/musai/cancel", 3, 1)) == "not_found"
    assert code(guest.say("/musai/cancel", 4, 99)) == "not_found"


@pytest.mark.parametrize(
    ("kind", "word"),
    [("BadRequest", "bad_request"), ("BadInput", "bad_value"), ("BadMidi", "bad_value"),
     ("NotFound", "not_found"), ("NotAllowed", "not_allowed"), ("Altered", "altered"),
     ("WorkerDied", "worker_died"), ("Closed", "closed"), ("Surprise", "internal")],
)  # fmt: skip
def test_a_failure_is_told_by_its_code_word(room: Room, guest: Guest, kind: str, word: str) -> None:
    guest.say("/musai/generate", 1)
    room.event(guest.key(1), Failed(1, kind, "why"))
    assert code(guest.heard()) == word


def test_a_failure_after_the_end_leaves_the_take(room: Room, guest: Guest) -> None:
    guest.say("/musai/generate", 1)
    room.event(guest.key(1), *walk()[:-1], Failed(1, "WorkerDied", "the matcher died"))
    assert paths(guest.heard())[-2:] == ["end", "error"]
    assert paths(guest.say("/musai/resend", 2, 1)) == ["ack", "notes"]


def test_events_after_the_last_or_of_unknown_commands_are_dropped(room: Room, guest: Guest) -> None:
    guest.say("/musai/generate", 1)
    room.event(guest.key(1), *walk())
    guest.heard()
    room.event(guest.key(1), *walk())
    room.event(guest.key(2), *walk())
    room.event((999, 1), *walk())
    room.result((999, 1), Decided(PHRASE))
    assert guest.heard() == []


@pytest.mark.parametrize(
    "event",
    [
        Sounded(1, 0, 0, 480, 128, 80, 0),
        Sounded(1, 0, 0, 480, 60, 80, 64),
        replace(walk()[-1], light="blue"),  # type: ignore[type-var]
        replace(walk()[-1], p_value=math.nan),  # type: ignore[type-var]
        replace(walk()[-2], first_note_ms=math.inf),  # type: ignore[type-var]
    ],
)
def test_an_event_that_the_table_does_not_allow_ends_the_request_as_internal(
    room: Room, guest: Guest, event: Sounded | Compared | Finished
) -> None:
    guest.say("/musai/generate", 1)
    room.pop()
    room.event(guest.key(1), event)
    assert code(guest.heard()) == "internal"
    assert room.pop() == Cancel(guest.key(1))

"""Takes: sent twice, lost in part, kept, discarded, fetched."""

import pytest

from musai.service.events import Failed, Sounded, Started
from osc_bridge.asking import MAX_DECISIONS, MAX_FETCHES
from osc_bridge.chunks import checksum, packed
from osc_bridge.effects import (
    Decide,
    Decided,
    Fetch,
    Fetched,
)
from osc_bridge.messages import Message
from tests.osc_bridge.room import (
    FLAT,
    NOTES,
    PHRASE,
    REPLAY,
    SUM,
    Guest,
    Room,
    code,
    paths,
    played,
    walk,
)


def test_a_repeated_request_is_answered_again_and_not_done_again(room: Room, guest: Guest) -> None:
    first = guest.say("/musai/generate", 1, "seed", 4)
    assert guest.say("/musai/generate", 1, "seed", 4) == first
    room.pop()
    room.event(guest.key(1), *walk())
    answer = guest.heard()
    room.wait(2)
    assert guest.say("/musai/generate", 1, "seed", 4) == first + answer
    assert room.effects == []


def test_a_finished_answer_is_sent_again_in_full_once_a_second(room: Room, guest: Guest) -> None:
    played(room, guest)
    sizes = []
    for _ in range(5):
        sizes.append(len(guest.say("/musai/generate", 1)))
        room.now += 0.4
    assert sizes == [7, 1, 1, 7, 1]


def test_a_failed_answer_is_sent_again_with_the_notes_it_had(room: Room, guest: Guest) -> None:
    guest.say("/musai/generate", 1)
    room.event(guest.key(1), *walk()[:3], Failed(1, "WorkerDied", "gone"))
    answer = guest.heard()
    assert paths(answer) == ["started", "note", "note", "error"]
    assert guest.say("/musai/generate", 1)[1:] == answer


def test_an_id_that_names_another_command_is_refused(room: Room, guest: Guest) -> None:
    played(room, guest)
    for path, *args in (
        ("/musai/generate", 1, "seed", 5),
        ("/musai/keep", 1, 1),
        ("/musai/replay", 1, REPLAY),
    ):
        assert code(guest.say(path, *args)) == "id_reused"
    assert room.effects == []


def test_commands_that_are_not_once_may_use_any_id_again(room: Room, guest: Guest) -> None:
    played(room, guest)
    assert paths(guest.say("/musai/set", 1, "bars", 2)) == ["ack"]
    assert paths(guest.say("/musai/set", 1, "bars", 3)) == ["ack"]


def test_old_commands_are_forgotten_and_those_under_way_are_not(room: Room) -> None:
    room = Room(remembered=4, takes=2, requests=3)
    guest = room.guest()
    guest.say("/musai/generate", "running")
    room.pop()
    for id in range(6):
        played(room, guest, id)
    assert code(guest.say("/musai/resend", 9, 0)) == "not_found"
    assert paths(guest.say("/musai/resend", 9, 5)) == ["ack", "notes"]
    for id in range(10, 20):
        guest.say("/musai/keep", id, 5)
        room.result(guest.key(id), Decided(PHRASE))
    room.effects.clear()
    assert paths(guest.say("/musai/generate", "running")) == ["ack"]
    assert room.effects == []


def test_lost_notes_are_sent_again_by_range(room: Room, guest: Guest) -> None:
    played(room, guest)
    assert guest.say("/musai/resend", 2, 1)[1].args == (2, 1, 1, SUM, 0, *FLAT)
    part = guest.say("/musai/resend", "r", 1, 1, 2)[1]
    assert part.args == ("r", 1, 1, checksum(packed(NOTES[1:2])), 1, *NOTES[1])
    assert paths(guest.say("/musai/resend", 2, PHRASE)) == ["ack", "notes"]


@pytest.mark.parametrize(
    ("args", "word"),
    [((1, 3), "bad_value"), ((1, 2, 2), "bad_value"), ((7,), "not_found"),
     (("0123abcd",), "not_found"), (("short",), "not_found"), (("running",), "not_found")],
)  # fmt: skip
def test_a_range_or_take_that_is_not_there_is_refused(
    room: Room, guest: Guest, args: tuple[int | str, ...], word: str
) -> None:
    played(room, guest)
    guest.say("/musai/generate", "running")
    assert code(guest.say("/musai/resend", 2, *args)) == word


def test_a_long_take_is_sent_again_in_chunks(room: Room, guest: Guest) -> None:
    guest.say("/musai/generate", 1)
    room.pop()
    notes = [(i, 1, i % 128, 80, 0) for i in range(200)]
    *_, finished, compared = walk()
    sounded = [Sounded(1, i, *note) for i, note in enumerate(notes)]
    room.event(guest.key(1), Started(1, REPLAY), *sounded, finished, compared)
    guest.heard()
    chunks = guest.say("/musai/resend", 2, 1)[1:]
    assert [chunk.args[1:3] for chunk in chunks] == [(i + 1, 5) for i in range(5)]
    assert [n for chunk in chunks for n in chunk.args[5:]] == [n for note in notes for n in note]
    over_tcp = room.guest("tcp")
    played(room, over_tcp)
    assert len(over_tcp.say("/musai/resend", 2, 1)) == 2


@pytest.mark.parametrize(("verb", "decision"), [("keep", "kept"), ("discard", "discarded")])
def test_a_decision_is_told_when_it_is_recorded(
    room: Room, guest: Guest, verb: str, decision: str
) -> None:
    played(room, guest)
    assert paths(guest.say(f"/musai/{verb}", 2, 1)) == ["ack"]
    assert room.pop() == Decide(guest.key(2), PHRASE, decision)  # type: ignore[arg-type]
    assert paths(guest.say(f"/musai/{verb}", 2, 1)) == ["ack"]
    assert room.effects == []
    room.result(guest.key(2), Decided(PHRASE))
    assert guest.heard() == [Message("/musai/decision", (2, PHRASE, decision))]
    assert paths(guest.say(f"/musai/{verb}", 2, 1)) == ["ack", "decision"]


def test_a_decision_about_a_phrase_of_the_ledger_is_left_to_the_service(
    room: Room, guest: Guest
) -> None:
    guest.say("/musai/keep", 2, "0123abcd")
    assert room.pop() == Decide(guest.key(2), "0123abcd", "kept")
    room.result(guest.key(2), Failed(-1, "NotFound", "no phrase 0123abcd"))
    assert code(guest.heard()) == "not_found"
    assert paths(guest.say("/musai/keep", 2, "0123abcd")) == ["ack", "error"]


def test_a_result_for_nothing_asked_is_dropped(room: Room, guest: Guest) -> None:
    room.result(guest.key(2), Decided(PHRASE))
    room.result(guest.key(2), Fetched(b"x"))
    guest.say("/musai/keep", 2, "0123abcd")
    guest.heard()
    room.result(guest.key(2), Fetched(b"x"))
    guest.say("/musai/phrase", 3, "0123abcd")
    guest.heard()
    room.result(guest.key(3), Decided(PHRASE))
    assert guest.heard() == []


def test_so_many_decisions_and_fetches_may_be_under_way(room: Room, guest: Guest) -> None:
    for id in range(MAX_DECISIONS):
        assert paths(guest.say("/musai/keep", id, "0123abcd")) == ["ack"]
    assert code(guest.say("/musai/keep", "more", "0123abcd")) == "busy"
    for id in range(MAX_FETCHES):
        assert paths(guest.say("/musai/phrase", id, "0123abcd")) == ["ack"]
    assert code(guest.say("/musai/phrase", "more", "0123abcd")) == "busy"
    room.effects.clear()
    assert paths(guest.say("/musai/phrase", 0, "0123abcd")) == ["ack"]
    assert room.effects == []


def test_a_phrase_is_fetched_in_chunks(room: Room, guest: Guest) -> None:
    played(room, guest)
    guest.say("/musai/phrase", 2, 1)
    assert room.pop() == Fetch(guest.key(2), PHRASE)
    data = bytes(range(256)) * 20
    room.result(guest.key(2), Fetched(data))
    heard = guest.heard()
    assert b"".join(message.args[4] for message in heard) == data  # type: ignore[misc]
    assert {message.args[3] for message in heard} == {checksum(data)}
    guest.say("/musai/phrase", 3, "0123abcd")
    room.result(guest.key(3), Failed(-1, "NotFound", "none"))
    assert code(guest.heard()) == "not_found"


@pytest.mark.parametrize("verb", ["keep", "discard", "phrase", "again", "resend"])
@pytest.mark.parametrize("take", ["running", "nothing", 3, "0123ABCD"])
def test_a_take_that_is_not_there_is_refused(
    room: Room, guest: Guest, verb: str, take: int | str
) -> None:
    guest.say("/musai/generate", "running")
    room.pop()
    assert code(guest.say(f"/musai/{verb}", 2, take)) == "not_found"
    assert room.effects == []

"""One client's requests and replies, in memory."""

import math
from dataclasses import replace

import pytest

from musai.music import Phrase, Voice, notes_array
from musai.service.events import Compared, Failed, Finished, Sounded, Started
from musai.transformer.request import Request
from osc_bridge.addresses import PARAMETERS, STATE
from osc_bridge.asking import MAX_DECISIONS, MAX_FETCHES
from osc_bridge.chunks import checksum, data_chunks, note_chunks, packed
from osc_bridge.codec import encode
from osc_bridge.effects import (
    Again,
    Cancel,
    Decide,
    Decided,
    Fetch,
    Fetched,
    Replay,
    Submit,
)
from osc_bridge.messages import Message
from tests.osc_bridge.room import NOTES, PHRASE, REPLAY, Guest, Room, code, paths, walk

SUM = checksum(packed(NOTES))
FLAT = [number for note in NOTES for number in note]
PHRASE_OF_NOTES = Phrase(notes_array(*zip(*NOTES, strict=True)), voices=(Voice(), Voice()))


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def guest(room: Room) -> Guest:
    return room.guest()


def asked(room: Room) -> Request:
    effect = room.pop()
    assert isinstance(effect, Submit)
    return effect.ask.request()


def played(room: Room, guest: Guest, id: int | str = 1, path: str = "/musai/generate") -> None:
    """A take from beginning to end."""
    assert paths(guest.say(path, id)) == ["ack"]
    room.pop()
    room.event(guest.key(id), *walk())
    guest.heard()


# Asking.


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
        1, "green", 1, 0.25, 4, 9.0, "ee" * 32, "Air", "CC0-1.0", "Nothing like it.",
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
    assert guest.heard()[-1].args == (1, "grey", 0, -1.0, 0, 0.5, "", "", "", "No corpus.")


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


# Sent twice, and lost.


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


# Takes.


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


# Uploads.


def test_notes_become_the_context(room: Room, guest: Guest) -> None:
    heard = guest.say("/musai/context", 1, 1, 1, SUM, *FLAT)
    assert heard == [
        Message("/musai/context/have", (1, 1, 1)),
        Message("/musai/context/ready", (1, 3)),
    ]
    guest.say("/musai/answer", 2, "seed", 0)
    assert asked(room) == Request(mode="answer", context=PHRASE_OF_NOTES)


def test_voices_tempo_and_signature_of_notes_are_what_the_client_says(
    room: Room, guest: Guest
) -> None:
    assert paths(guest.say("/musai/voice", 1, 1, 40, 0, "Violin")) == ["ack"]
    guest.say("/musai/voice", 2, 0, 0, True)
    guest.say("/musai/set", 3, "signature", "3/4", "tempo", 90)
    guest.say("/musai/context", 4, 1, 1, "", *FLAT)
    guest.say("/musai/continue", 5)
    context = asked(room).context
    assert context is not None
    assert context.voices == (Voice("", 0, True), Voice("Violin", 40))
    assert context.metre.tempos[0].bpm == pytest.approx(90, abs=1e-3)
    assert context.metre.signature_at(0).numerator == 3
    guest.say("/musai/transport", 6, 100, 0, 0)
    guest.say("/musai/continue", 7, "tempo", "default")
    context = asked(room).context
    assert context is not None
    assert context.metre.tempos[0].bpm == pytest.approx(100, abs=1e-3)


def test_a_midi_file_becomes_the_context_with_its_own_metre(room: Room, guest: Guest) -> None:
    phrase = Phrase.from_notes(range(100), [1] * 100, [60] * 100, names=[Voice("Horn", 60)])
    data = phrase.to_midi()
    heard = []
    for chunk in data_chunks("/musai/context/midi", 1, data, 400):
        heard += guest.send(encode(chunk))
    assert heard[-1] == Message("/musai/context/ready", (1, len(data)))
    guest.say("/musai/transport", 6, 100, 0, 0)
    guest.say("/musai/answer", 2, "seed", 0)
    assert asked(room) == Request(mode="answer", context=phrase)


def test_a_file_that_is_no_midi_file_fails_when_the_request_is_built(
    room: Room, guest: Guest
) -> None:
    guest.say("/musai/context/midi", 1, 1, 1, "", b"not a MIDI file")
    guest.say("/musai/answer", 2)
    with pytest.raises(ValueError, match="the context cannot be used"):
        asked(room)


def test_chunks_come_in_any_order_and_doubled(room: Room, guest: Guest) -> None:
    notes = [(i, 1, 60, 80, 0) for i in range(120)]
    chunks = [encode(chunk) for chunk in note_chunks("/musai/context", 1, notes, 1400)]
    assert len(chunks) == 3
    assert paths(guest.send(chunks[1])) == ["context/have"]
    assert guest.send(chunks[2]) == [
        Message("/musai/context/have", (1, 2, 3)),
        Message("/musai/context/missing", (1, 1)),
    ]
    assert paths(guest.send(chunks[2])) == ["context/have", "context/missing"]
    assert paths(guest.send(chunks[0])) == ["context/have", "context/ready"]
    assert guest.send(chunks[0]) == [Message("/musai/context/ready", (1, 120))]


def test_a_silence_names_missing_chunks_until_the_upload_is_given_up(
    room: Room, guest: Guest
) -> None:
    guest.say("/musai/context", 1, 2, 3, "", *FLAT)
    room.wait(0.5)
    assert guest.heard() == [Message("/musai/context/missing", (1, 1, 3))]
    room.wait(30)
    assert paths(guest.heard()) == ["context/missing"] * 4 + ["error"]
    assert code(guest.say("/musai/answer", 2)) == "no_context"


def test_without_a_context_there_is_nothing_to_answer(room: Room, guest: Guest) -> None:
    assert code(guest.say("/musai/answer", 1)) == "no_context"
    guest.say("/musai/context", 2, 1, 2, "", *FLAT)
    (message,) = guest.say("/musai/continue", 3)
    assert "chunks [2] are missing" in str(message.args[2])


def test_a_wrong_checksum_ends_the_upload_and_keeps_the_old_context(
    room: Room, guest: Guest
) -> None:
    guest.say("/musai/context", 1, 1, 1, "", *FLAT)
    assert paths(guest.say("/musai/context", 2, 1, 1, "00000000", *NOTES[0])) == [
        "context/have",
        "error",
    ]
    guest.say("/musai/answer", 3)
    context = asked(room).context
    assert context is not None
    assert len(context) == 3


def test_a_new_upload_takes_the_place_of_one_that_is_not_whole(room: Room, guest: Guest) -> None:
    guest.say("/musai/context", 1, 1, 2, "", *FLAT)
    heard = guest.say("/musai/context", 2, 1, 1, "", *FLAT)
    assert paths(heard) == ["error", "context/have", "context/ready"]
    assert heard[0].args[:2] == (1, "replaced")


def test_an_id_used_again_with_other_notes_is_another_upload(room: Room, guest: Guest) -> None:
    guest.say("/musai/context", 1, 1, 1, "", *FLAT)
    assert paths(guest.say("/musai/context", 1, 1, 1, "", *NOTES[0])) == [
        "context/have",
        "context/ready",
    ]
    guest.say("/musai/answer", 2)
    context = asked(room).context
    assert context is not None
    assert len(context) == 1


def test_an_upload_over_the_limit_is_refused(room: Room) -> None:
    room = Room(context_udp=100, context_tcp=200)
    for kind, most in (("udp", 100), ("tcp", 200)):
        guest = room.guest(kind)
        assert paths(guest.say("/musai/context/midi", 1, 1, 1, "", b"x" * most)) == [
            "context/have",
            "context/ready",
        ]
        assert code(guest.say("/musai/context/midi", 2, 1, 1, "", b"x" * (most + 1))) == "too_large"


# Session, transport, subscription.


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
    assert heard[-1].args[-1] == ""


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


# Errors at a limited rate.


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
        "top_p": 0.5,
    }  # fmt: skip
    assert set(examples) == set(PARAMETERS)
    for name, value in examples.items():
        told = guest.say("/musai/set", 2, name, value)[1]
        assert told.args == (1, name, str(value) if name == "seed" else value)

"""Contexts in chunks, from first packet to phrase."""

import pytest

from musai.music import Phrase, Voice
from musai.transformer.request import Request
from osc_bridge.chunks import data_chunks, note_chunks
from osc_bridge.codec import encode
from osc_bridge.messages import Message
from tests.osc_bridge.room import FLAT, NOTES, PHRASE_OF_NOTES, SUM, Guest, Room, asked, code, paths


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

"""The jam over OSC: who takes part, what they hear, keys that name notes, takes, the log."""

import json
import os
from pathlib import Path

import pytest

from musai.service.events import Compared, Finished, Sounded, Started
from osc_bridge import jam_steps as s
from osc_bridge.effects import Cancel, Decide, Log, Prefill, Submit
from osc_bridge.jam_logs import DAY, JamLogs, Kept
from osc_bridge.jam_replay import replayed
from osc_bridge.messages import Message
from tests.osc_bridge.room import PHRASE, REPLAY, Guest, Room, code, paths
from tests.transformer.models import small_player

BEAT = 0.5
"""Seconds at 120."""


@pytest.fixture
def player(room: Room, guest: Guest) -> Guest:
    """A guest in a jam whose transport rolls at 120."""
    guest.say("/musai/transport", 1, 120.0, 0.0, 1)
    assert paths(guest.say("/musai/jam", 2))[:2] == ["ack", "jam/joined"]
    room.effects.clear()
    return guest


def of(kind: type, room: Room) -> list:
    return [effect for effect in room.effects if isinstance(effect, kind)]


def play_call(room: Room, guest: Guest, beats: int = 8) -> None:
    """A call of quarters; returns just before its end."""
    for i in range(beats):
        room.wait(BEAT * 0.1 if i else 0.0)
        guest.say("/musai/jam/on", 100 + i, 60 + i, 80)
        room.wait(BEAT * 0.9)
        guest.say("/musai/jam/off", 200 + i, 60 + i, 100 + i)


def answer(room: Room, guest: Guest) -> list[Message]:
    """A call, and the service's answer to it; what the guest then heard."""
    play_call(room, guest)
    (submit,) = of(Submit, room)
    guest.heard()
    events = [
        Started(1, REPLAY),
        *(Sounded(1, i, i * 480, 470, 60 + i, 80, 0) for i in range(8)),
        Finished(1, PHRASE, REPLAY, 8, 2, "deadbeef", 3.0, 9.0),
        Compared(1, PHRASE, "green", "Nothing like it.", 0.25, 4, None, None, None, 9.0),
    ]
    room.event(submit.key, *events)
    return guest.heard()


def test_joining_says_where_the_transport_stands(room: Room, guest: Guest) -> None:
    guest.say("/musai/transport", 1, 90.0, 8.0, 1)
    room.wait(60 / 90)
    heard = guest.say("/musai/jam", 2, "call", 1, "voice", 3)
    assert heard[1].args == (2, f"client-{guest.number}", 1, 3)
    time = next(m for m in heard if m.path == "/musai/jam/time")
    tick, tempo, playing, bar, seconds, micro = time.args[1:]
    assert (tempo, playing, bar) == (90.0, 1, 1920)
    at = seconds + micro / 1e6
    assert tick / 480 == pytest.approx(8 + (at - (room.now - 60 / 90)) * 1.5, abs=1e-2)


def test_a_parameter_that_is_none_is_named(guest: Guest) -> None:
    assert code(guest.say("/musai/jam", 1, "calls", 2)) == "bad_value"
    assert code(guest.say("/musai/jam", 2, "call", 99)) == "bad_value"
    assert code(guest.say("/musai/jam/on", 3, 60, 80)) == "no_jam"


def test_a_call_is_answered_with_notes_commits_and_an_overlap(room: Room, player: Guest) -> None:
    heard = answer(room, player)
    notes = [m.args for m in heard if m.path == "/musai/jam/note"]
    assert notes[0] == (2, 1, 0, 3840, 470, 60, 80, 0)
    overlap = next(m for m in heard if m.path == "/musai/jam/overlap")
    assert overlap.args[:4] == (2, 1, "green", 1)
    room.wait(8 * BEAT + 0.1)
    heard = player.heard()
    assert "jam/commit" in paths(heard)
    end = next(m for m in heard if m.path == "/musai/jam/end")
    assert end.args == (2, 1, 8, 0, 0, PHRASE, REPLAY)


def test_the_service_is_asked_in_the_name_of_the_session_and_told_in_advance(
    room: Room, player: Guest
) -> None:
    player.say("/musai/set", 3, "key", "Am", "density", 8.0)
    play_call(room, player)
    (submit,) = of(Submit, room)
    assert submit.session == f"client-{player.number}"
    request = submit.ask.request()
    assert (request.mode, request.bars, request.key, request.density) == ("answer", 2, "Am", 8.0)
    assert [int(note["pitch"]) for note in request.context.notes] == [60 + i for i in range(8)]
    assert request.context.bars == 2
    assert len(of(Prefill, room)) >= 4


def test_a_note_sent_twice_is_struck_once_and_an_old_release_cuts_no_new_note(
    room: Room, player: Guest
) -> None:
    player.say("/musai/jam/on", 10, 60, 80)
    player.say("/musai/jam/on", 10, 60, 80)
    player.say("/musai/jam/on", 11, 60, 80)
    player.say("/musai/jam/off", 12, 60, 10)
    ear = player.room.desk.sessions[player.number].stage.seat.jam.ear
    assert len(ear._notes) == 2
    assert [note.end is None for note in ear._notes] == [False, True]
    assert paths(player.say("/musai/jam/off", 13, 60)) == ["ack"]
    assert ear._held == {}


def test_a_note_may_say_when_it_was_struck(room: Room, player: Guest) -> None:
    room.wait(4 * BEAT)
    player.say("/musai/jam/on", 10, 60, 80, -1, 1900)
    ear = player.room.desk.sessions[player.number].stage.seat.jam.ear
    assert ear._notes[0].onset == 1900
    assert code(player.say("/musai/jam/on", 11, 60, 80, -1, 10**6)) == "bad_value"


def test_members_of_a_session_share_its_jam_each_with_a_voice(room: Room) -> None:
    guests = [room.guest(), room.guest()]
    for guest in guests:
        guest.say("/musai/session", 1, "band")
    guests[0].say("/musai/transport", 2, 120.0, 0.0, 1)
    voices = [guest.say("/musai/jam", 3)[1].args[3] for guest in guests]
    assert voices == [0, 1]
    guests[0].say("/musai/jam/on", 10, 72, 80)
    guests[1].say("/musai/jam/on", 10, 48, 80)
    room.wait(8 * BEAT)
    (submit,) = of(Submit, room)
    assert [int(note["voice"]) for note in submit.ask.request().context.notes] == [0, 1]
    for guest in guests:
        assert "jam/take" in paths(guest.heard())


def test_sessions_jam_apart(room: Room) -> None:
    guests = [room.guest() for _ in range(3)]
    for number, guest in enumerate(guests):
        guest.say("/musai/transport", 2, 120.0 + 60 * number, 0.0, 1)
        guest.say("/musai/jam", 3)
        guest.say("/musai/jam/on", 10, 60 + number, 80)
    room.wait(8 * BEAT)
    assert len({submit.session for submit in of(Submit, room)}) == 3


def test_who_leaves_is_released_and_the_last_one_ends_the_jam(room: Room) -> None:
    guests = [room.guest(), room.guest()]
    for guest in guests:
        guest.say("/musai/session", 1, "band")
        guest.say("/musai/jam", 3)
    guests[0].say("/musai/transport", 2, 120.0, 0.0, 1)
    guests[0].say("/musai/jam/on", 10, 72, 80)
    seat = room.desk.shared.seats[1]
    assert paths(guests[0].say("/musai/jam/leave", 11)) == ["ack", "jam/silence"]
    assert seat.jam.ear._held == {}
    guests[1].say("/musai/jam/on", 12, 72, 80)
    room.wait(8 * BEAT)
    guests[1].say("/musai/bye", 13)
    assert room.desk.shared.seats == {}
    assert of(Cancel, room), "what it had asked for is stopped"
    assert of(Log, room)[-1].line == b""


def test_panic_silences_the_jam(room: Room, player: Guest) -> None:
    answer(room, player)
    room.wait(BEAT)
    player.heard()
    assert "jam/silence" in paths(player.say("/musai/panic", 50))
    room.wait(4 * BEAT)
    assert "jam/commit" not in paths(player.heard())


def test_takes_are_kept_discarded_and_played_again(room: Room, player: Guest) -> None:
    answer(room, player)
    player.say("/musai/jam/keep", 60)
    (decide,) = of(Decide, room)
    assert (decide.phrase, decide.decision) == (PHRASE, "kept")
    assert code(player.say("/musai/jam/discard", 61, 9)) == "not_found"
    room.wait(8 * BEAT)
    player.heard()
    take = next(m for m in player.say("/musai/jam/again", 62) if m.path == "/musai/jam/take")
    assert take.args[5] == REPLAY
    assert code(player.say("/musai/jam/back", 63)) == "not_found"


def test_the_log_replays_to_the_same_instructions(
    room: Room, player: Guest, tmp_path: Path
) -> None:
    logged: list[Log] = []
    take = room.take

    def keeping(effects: object) -> None:
        kept = list(effects)  # type: ignore[call-overload]
        logged.extend(one for one in kept if isinstance(one, Log) and one.jam == 2)
        take(kept)

    room.take = keeping  # type: ignore[method-assign]
    guest = room.guest()
    guest.say("/musai/transport", 1, 120.0, 0.0, 1)
    guest.say("/musai/jam", 2)
    room.effects.clear()
    answer(room, guest)
    room.wait(8 * BEAT)
    logs = JamLogs(tmp_path)
    for log in logged:
        logs.write(log)
    logs.close()
    (file,) = tmp_path.glob("*.jsonl")
    assert json.loads(file.read_text().splitlines()[1]) == {"session": f"client-{guest.number}"}
    result = replayed(file, None)
    assert result.differs == []
    assert (result.takes, result.notes) == (1, 8)
    lines = file.read_bytes().replace(b'"pitch":62', b'"pitch":63')
    file.write_bytes(lines)
    assert replayed(file, None).differs != []


def test_a_line_is_read_as_it_was_written() -> None:
    entry = s.Entry(5, s.On("1:2", 60, 80, 0), (s.Tell("silence", ()), s.Drop(3)))
    assert s.to_line(s.from_line(s.to_line(entry))) == s.to_line(entry)


def test_logs_are_kept_for_some_days_and_up_to_a_size_the_newest_first() -> None:
    logs = [(Path(f"jam-{age}.jsonl"), -age * DAY, 2**20) for age in (0, 1, 2, 3, 40)]
    assert Kept(days=30, mib=100).outdated(logs, 0.0) == [Path("jam-40.jsonl")]
    assert Kept(days=1.5, mib=100).outdated(logs, 0.0) == [logs[i][0] for i in (2, 3, 4)]
    assert Kept(days=100, mib=3).outdated(logs, 0.0) == [logs[i][0] for i in (3, 4)]


def test_a_new_jam_removes_old_logs_but_none_that_is_open_and_no_other_file(
    tmp_path: Path,
) -> None:
    old, other = tmp_path / "jam-20200101-000000-000-1.jsonl", tmp_path / "notes.jsonl"
    for path in (old, other):
        path.write_text("{}")
        os.utime(path, (0, 0))
    logs = JamLogs(tmp_path, Kept(days=30, mib=1e-6))
    logs.write(Log(1, b"{}\n"))
    logs.write(Log(2, b"{}\n"))
    logs.close()
    assert not old.exists()
    assert other.exists()
    assert sorted(path.name[-7:] for path in tmp_path.glob("jam-*")) == ["1.jsonl", "2.jsonl"]


def test_an_accompanying_instrument_is_asked_for_in_its_range(room: Room, guest: Guest) -> None:
    guest.say("/musai/transport", 1, 120.0, 0.0, 1)
    guest.say("/musai/jam", 2, "style", "accompany", "own", 3, "part", "bass")
    play_call(room, guest, 4)
    ask = of(Submit, room)[-1].ask
    request = ask.request()
    assert request.mode == "accompany"
    assert request.register == (28, 55)
    asked = int(request.voices)
    assert request.context.voices[asked].program == 33
    phrase = small_player().play(request)
    assert set(phrase.notes["voice"].tolist()) == {asked}
    assert all(21 <= pitch <= 62 for pitch in phrase.notes["pitch"].tolist())
    assert code(guest.say("/musai/jam", 3, "part", "kazoo")) == "bad_value"
    room.effects.clear()
    guest.say("/musai/jam", 4, "part", "any")
    play_call(room, guest, 4)
    assert of(Submit, room)[-1].ask.request().register is None

"""MIDI clock, what a port has to do, and how a jam becomes a port's commands."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osc_bridge.following import Follower
from osc_bridge.messages import Command, Value, read, write
from osc_bridge.midiclock import MidiClock, Told
from osc_bridge.sounding import Sounding

CLOCK, START, STOP = b"\xf8", b"\xfa", b"\xfc"


def clocks(clock: MidiClock, start: float, tempo: float, count: int) -> tuple[float, list[Told]]:
    """So many clocks of a tempo; the time after them and what was told."""
    told = []
    for i in range(count):
        one = clock.feed(start + i * 60 / tempo / 24, CLOCK)
        told += [one] if one else []
    return start + count * 60 / tempo / 24, told


def test_the_first_clock_after_start_is_beat_0() -> None:
    clock = MidiClock()
    now, told = clocks(clock, 0.0, 120, 48)
    assert told == []
    clock.feed(now, START)
    _, told = clocks(clock, now, 120, 25)
    assert [round(one.beat, 6) for one in told] == [0.0, 1.0]
    assert abs(told[0].tempo - 120) < 0.01
    assert told[0].playing


def test_a_change_of_tempo_is_followed_within_a_beat() -> None:
    clock = MidiClock()
    now, _ = clocks(clock, 0.0, 120, 24)
    clock.feed(now, START)
    now, _ = clocks(clock, now, 120, 48)
    _, told = clocks(clock, now, 150, 24)
    assert abs(told[-1].tempo - 150) < 0.5


def test_song_position_and_continue() -> None:
    clock = MidiClock()
    assert clock.feed(0.0, bytes([0xF2, 16, 0])) == Told(120.0, 4.0, False)
    clock.feed(0.1, b"\xfb")
    told = clock.feed(0.2, CLOCK)
    assert told is not None
    assert (told.beat, told.playing) == (4.0, True)
    clock.feed(0.21, bytes([0xF2, 0, 1]))
    assert clock.feed(0.22, CLOCK) == Told(told.tempo, 32.0, True)


def test_a_stop_and_a_silence_end_it() -> None:
    clock = MidiClock()
    clock.feed(0.0, START)
    now, _ = clocks(clock, 0.0, 120, 30)
    assert clock.silent(now) is None
    stopped = clock.silent(now + 1)
    assert stopped is not None
    assert not stopped.playing
    clock.feed(2.0, START)
    clocks(clock, 2.0, 120, 3)
    assert clock.feed(3.0, STOP) is not None


def test_a_repeated_pitch_is_released_before_it_is_struck_again() -> None:
    port = Sounding()
    port.on(1.0, 1, 0, 60, 80)
    port.on(2.0, 2, 0, 60, 90)
    port.off(2.5, 1)
    port.off(3.0, 2)
    sent = []
    for now in (1.0, 2.0, 2.5, 3.0):
        sent += [(now, one.message[0] & 0xF0, one.id) for one in port.due(now)]
    assert sent == [(1.0, 0x90, 1), (2.0, 0x80, 1), (2.0, 0x90, 2), (3.0, 0x80, 2)]


def test_what_is_too_late_is_left_out_with_its_release() -> None:
    port = Sounding()
    port.on(1.0, 1, 0, 60, 80)
    port.off(1.5, 1)
    assert port.due(2.0) == []
    assert port.left_out == 1


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["on", "off", "cancel", "silence", "wait"]),
            st.integers(0, 5), st.integers(0, 2), st.floats(0, 2),
        ),
        max_size=60,
    )
)  # fmt: skip
def test_a_port_releases_every_note_once(steps: list[tuple[str, int, int, float]]) -> None:
    port, now, sounds = Sounding(), 0.0, set()

    def take(sent: list) -> None:
        for one in sent:
            place = one.message[:2][0] & 15, one.message[1]
            assert (place in sounds) != one.strikes
            (sounds.add if one.strikes else sounds.remove)(place)

    for what, id, pitch, ahead in steps:
        if what == "on":
            port.on(now + ahead, id, 0, 60 + pitch, 80)
        elif what == "off":
            port.off(now + ahead, id)
        elif what == "cancel":
            port.cancel(id)
        elif what == "silence":
            take(port.silence(now))
            assert sounds == set()
        else:
            now += ahead / 40
            take(port.due(now))
    take(port.silence(now))
    assert sounds == set()


def reply(name: str, *args: Value) -> Command:
    found = read(write(f"/musai/jam/{name}", 1, *args))
    assert isinstance(found, Command)
    return found


def rolling() -> Follower:
    """A follower of a transport that stood at 0 at second 100, at 120."""
    follower = Follower()
    follower.hear(100.0, reply("time", 0, 120.0, 1, 1920, 100, 0))
    return follower


def test_only_committed_notes_go_to_the_port_shortly_before_their_time() -> None:
    follower = rolling()
    assert follower.hear(100.0, reply("note", 1, 0, 960, 480, 60, 80, 2)) == []
    assert follower.tick(100.95) == []
    follower.hear(100.5, reply("commit", 1, 970))
    assert follower.tick(100.8) == []
    assert follower.tick(100.9) == ["on 101.000000 1 2 60 80"]
    assert follower.tick(101.2) == []
    assert follower.tick(101.45) == ["off 101.500000 1"]


def test_a_clear_takes_back_what_has_not_sounded() -> None:
    follower = rolling()
    follower.hear(100.0, reply("note", 1, 0, 960, 480, 60, 80, 0))
    follower.hear(100.0, reply("note", 1, 1, 4800, 480, 62, 80, 0))
    follower.hear(100.0, reply("commit", 1, 970))
    follower.tick(100.95)
    cleared = ["off 101.500000 1", "cancel 1"]
    assert follower.hear(100.96, reply("clear", 1, 0)) == cleared
    assert follower.tick(120.0) == []


@pytest.mark.parametrize("duration", [10, 480])
@pytest.mark.parametrize("strikes", [False, True])
def test_what_is_cleared_while_it_is_struck_is_released(duration: int, strikes: bool) -> None:
    """The port reads a command a moment after it was sent: the note may sound by then."""
    follower, port = rolling(), Sounding()
    follower.hear(100.0, reply("note", 1, 0, 960, duration, 60, 80, 0))
    lines = [*follower.hear(100.0, reply("commit", 1, 970)), *follower.tick(100.99)]
    lines += [] if strikes else (cleared := follower.hear(100.995, reply("clear", 1, 0)))
    obey(port, lines)
    sent = port.due(101.0)
    if strikes:
        obey(port, follower.hear(100.995, reply("clear", 1, 0)))
    else:
        assert cleared[-1] == "cancel 1"
    sent += port.due(102.0)
    assert [one.strikes for one in sent] == ([True, False] if strikes else [])
    assert follower.tick(102.0) == []
    assert port.silence(102.0) == []


def obey(port: Sounding, lines: list[str]) -> None:
    """What the port's process does with its lines."""
    for word, *rest in map(str.split, lines):
        if word == "on":
            port.on(float(rest[0]), *map(int, rest[1:]))
        elif word == "off":
            port.off(float(rest[0]), int(rest[1]))
        else:
            port.cancel(int(rest[0]))


def test_a_change_of_tempo_moves_what_is_not_yet_handed_over() -> None:
    follower = rolling()
    follower.hear(100.0, reply("note", 1, 0, 960, 480, 60, 80, 0))
    follower.hear(100.0, reply("commit", 1, 1920))
    follower.hear(100.5, reply("time", 480, 60.0, 1, 1920, 100, 500_000))
    assert follower.tick(101.0) == []
    assert follower.tick(101.45) == ["on 101.500000 1 0 60 80"]


def test_silence_reaches_the_port_and_the_plan_stays() -> None:
    follower = rolling()
    follower.hear(100.0, reply("note", 1, 0, 960, 480, 60, 80, 0))
    follower.hear(100.0, reply("commit", 1, 1920))
    follower.tick(100.95)
    assert follower.hear(100.96, reply("silence")) == ["silence"]
    assert follower.tick(100.97) == ["on 101.000000 1 0 60 80"]


def test_the_jitter_of_an_audio_driver_is_no_change_of_tempo() -> None:
    clock, told = MidiClock(), []
    clock.feed(0.0, START)
    for i in range(24 * 16):
        at = i * 60 / 160 / 24
        one = clock.feed(at - at % (256 / 48_000) + 256 / 48_000, CLOCK)
        told += [one] if one else []
    assert len(told) == 17, "the tempo is found once, then told once a beat"
    assert all(abs(one.tempo - 160) < 4 for one in told[1:])

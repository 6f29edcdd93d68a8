"""What is read while the human plays: little is left when the answer is asked for."""

import random
from itertools import count

import pytest

from musai.transformer.plan import make_plan
from osc_bridge import jam_steps as s
from osc_bridge.jam_steps import TICKS, JamConfig
from osc_bridge.jamming import ask_of
from tests.osc_bridge.jam_world import BAR, World
from tests.transformer.models import small_player

CALLS = 6


def reading(world: World) -> list[tuple[int, int]]:
    """For each answer asked for: rows to read before its first note, and how many of them are left."""
    player, told = small_player(), list[tuple[int, int]]()
    for entry in world.entries:
        for one in entry.out:
            if isinstance(one, s.Prefill):
                request = ask_of(one.wanted).request()
                for _ in player.prefill(request, str(one.case), one.played):
                    pass
            elif isinstance(one, s.Ask):
                rows = make_plan(ask_of(one.wanted).request(), player._model).beginning()
                told.append((len(rows), len(rows) - player._prefixes._nearest(rows)[1]))
    return told


def played(world: World, bars: int, seed: int) -> None:
    """A call in three voices as people play: every note some ticks off, let go around the line."""
    rng, keys = random.Random(seed), count(1000 * seed)
    events = []
    for voice in range(3):
        for i in range(4 * bars * (1 + voice % 2)):
            length = TICKS // (1 + voice % 2)
            key, pitch = f"1:{next(keys)}", 72 - 12 * voice + rng.choice((0, 2, 4, 5, 7, 9))
            on = max(0, i * length + round(rng.gauss(0, 6)))
            off = (i + 1) * length - 20 + round(rng.gauss(0, 6))
            events += [
                (on, s.On(key, pitch, 80, voice)),
                (off, s.Off(key, pitch, voice)),
            ]
    start = world.now
    for at, given in sorted(events, key=lambda event: event[0]):
        world.run(max(0, start + at - world.now))
        world.feed(given)


@pytest.mark.parametrize("bars", [1, 3])
@pytest.mark.parametrize("after", [0, 25], ids=["just before the beat", "just after"])
def test_who_ends_calls_with_a_word_is_answered_with_nothing_left_to_read(
    bars: int, after: int
) -> None:
    world = World()
    world.jam.config = JamConfig(call=0, pause=16.0, bars=1)
    world.start(160.0)
    for number in range(CALLS):
        played(world, bars, number)
        world.run(after)
        world.feed(s.Turn())
        world.run(3 * BAR - world.now % BAR)
    told = reading(world)[1:]  # the first word comes unforeseen
    assert len(told) == CALLS - 1
    assert [left for _, left in told] == [0] * len(told)


def test_a_call_that_ends_with_a_pause_has_been_read_when_it_ends() -> None:
    world = World()
    world.jam.config = JamConfig(call=0, pause=1.0, bars=1)
    world.start(160.0)
    for number in range(CALLS):
        played(world, 2, number)
        world.run(4 * BAR - world.now % BAR)
    told = reading(world)
    assert len(told) == CALLS
    assert [left for _, left in told] == [0] * len(told)


def test_of_a_call_of_fixed_length_most_has_been_read_on_the_way() -> None:
    world = World()
    world.jam.config = JamConfig(call=4, bars=1)
    world.start(160.0)
    for number in range(CALLS):
        played(world, 4, number)
        world.run(2 * BAR - world.now % BAR)
    told = reading(world)
    rows, left = (sum(column) for column in zip(*told, strict=True))
    assert left < rows / 2


def test_without_anybody_playing_nothing_is_read() -> None:
    world = World()
    world.start()
    world.play(60, 62)
    world.run(8 * BAR)
    reads = [e.tick for e in world.entries if any(isinstance(o, s.Prefill) for o in e.out)]
    assert 0 < len(reads) <= 6
    assert reads[-1] < 3 * BAR


def test_a_log_has_no_reading_in_advance() -> None:
    world = World()
    world.start()
    world.play(*range(60, 68))
    outs = [s.logged(e.tick, e.input, e.out).out for e in world.entries]
    assert any(isinstance(one, s.Prefill) for e in world.entries for one in e.out)
    assert not any(isinstance(one, s.Prefill) for out in outs for one in out)
    assert any(isinstance(one, s.Ask) for out in outs for one in out)

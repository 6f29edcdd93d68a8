"""The jam's machine: turns, time, commits, jumps, takes; and what holds whatever happens."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osc_bridge import jam_steps as s
from osc_bridge.jam import Jam
from osc_bridge.jam_steps import TICKS, JamConfig
from tests.osc_bridge.jam_world import BAR, World, notes_of, sounded, unpaired


@pytest.fixture
def world() -> World:
    made = World()
    made.start()
    return made


def test_a_call_of_two_bars_is_answered_on_the_next_bar_line(world: World) -> None:
    world.play(*range(60, 68))
    world.run(2 * BAR)
    (take,) = world.words("take")
    assert take[:3] == (1, 2 * BAR, 2)
    notes = world.words("note")
    assert [note[2] for note in notes] == [2 * BAR + i * TICKS for i in range(8)]
    assert world.words("end")[0][:4] == (1, 8, 0, 0)
    assert world.faults == []


def test_the_answer_is_asked_for_before_its_turn_with_what_was_heard(world: World) -> None:
    world.play(60, 62, 64, 65, 67, 69, 71)
    world.feed(s.On("1:held", 72, 90, 0))
    world.run(TICKS)
    (wanted,) = world.asked
    assert (wanted.mode, wanted.bars, wanted.length) == ("answer", 2, 2 * BAR)
    assert wanted.notes[-1] == (7 * TICKS, TICKS, 72, 90, 0), "held notes last until the turn"
    assert [note[2] for note in wanted.notes] == [60, 62, 64, 65, 67, 69, 71, 72]


def test_a_held_note_has_its_true_length_in_the_next_call(world: World) -> None:
    world.jam.config = JamConfig(call=1, bars=1)
    world.feed(s.On("1:a", 60, 90, 0))
    world.run(BAR + TICKS)
    world.feed(s.Off("1:a", 60, 0))
    assert world.asked[0].notes == ((0, BAR, 60, 90, 0),)
    assert [note.end for note in world.jam.ear._notes] == [BAR + TICKS]


def test_nobody_is_answered_who_has_not_played(world: World) -> None:
    world.run(8 * BAR)
    assert world.asked == []
    assert {args[0] for args in world.words("state")} == {"waiting"}


def test_a_note_just_before_the_bar_line_belongs_to_the_bar(world: World) -> None:
    world.run(BAR - 60)
    world.play(60, 62, 64, 65, 67, 69, 71, 72)
    world.run(BAR)
    assert world.words("take")[0][1] == 3 * BAR
    assert world.asked[0].notes[0][0] == 0


def test_without_a_fixed_length_a_pause_ends_the_call(world: World) -> None:
    world.feed(s.Configure(JamConfig(call=0, pause=2.0, bars=1)))
    world.play(60, 62, 64)
    world.run(2 * BAR)
    assert world.words("take")[0][1] == 2 * BAR
    world.feed(s.Configure(JamConfig(call=0, pause=1.0, bars=1, entry="beat")))
    world.run(BAR)
    start = world.now
    world.play(60, 62, 64)
    world.run(BAR)
    assert world.words("take")[1][1] == start + 5 * TICKS


def test_your_turn_is_answered_on_the_next_beat(world: World) -> None:
    world.play(60, 62, 64)
    world.run(100)
    world.feed(s.Turn())
    assert world.words("take")[0][1] == 4 * TICKS
    world.run(BAR)
    assert len(world.words("note")) == 8


def test_a_word_just_before_a_beat_is_answered_on_the_beat_for_which_its_first_notes_come_in_time(
    world: World,
) -> None:
    world.play(60, 62, 64)
    world.run(100)
    world.feed(s.Turn())
    world.run(4 * BAR - 100)
    # The last answer took 60 ticks: a word 40 before a beat is too late for that one.
    start = world.now
    world.play(60, 62, 64)
    world.run(TICKS - 40)
    world.feed(s.Turn())
    world.run(3 * BAR)
    assert world.words("take")[-1][1] == start + 5 * TICKS
    assert [args[2] for args in world.words("end")] == [0, 0], "no note is left out as late"


def test_voices_are_answered_in_their_own_voices(world: World) -> None:
    world.feed(s.On("1:a", 72, 80, 3))
    world.feed(s.On("2:a", 48, 80, 7))
    world.run(2 * BAR)
    assert world.asked[0].voices == (3, 7)
    world.run(BAR)
    assert {note[-1] for note in world.words("note")} == {3, 7}


def test_who_plays_into_the_answer_gets_the_rest_of_it(world: World) -> None:
    world.play(*range(60, 68))
    world.run(2 * TICKS)
    world.play(60)
    world.run(4 * BAR)
    (cleared,) = world.words("clear")
    assert cleared[0] == 1
    sounding = [note for note in world.words("note") if note[0] == 1 and note[2] < cleared[1]]
    assert world.words("end")[0][:2] == (1, len(sounding))
    assert world.faults == []
    assert world.words("take")[1][1] == 4 * BAR, "and is answered after two bars"


def test_with_space_off_the_answer_goes_on(world: World) -> None:
    world.feed(s.Configure(JamConfig(space=False)))
    world.play(*range(60, 68))
    world.run(2 * TICKS)
    world.play(60)
    world.run(2 * BAR)
    assert world.words("clear") == []
    assert world.words("end")[0][:2] == (1, 8)


def test_a_model_that_is_slow_plays_less_and_never_late() -> None:
    world = World(delay=TICKS, pace=30)
    world.start()
    world.play(*range(60, 68))
    world.run(2 * BAR)
    end = world.words("end")[0]
    assert end[1] + end[2] == 8
    assert end[2] > 0
    assert end[3] == 1, "one bar lacks notes"
    assert world.faults == []
    world.play(*range(60, 68))
    world.run(2 * BAR)
    assert world.words("end")[1][1:4] == (8, 0, 0), "from now on it is asked earlier"


def test_a_worker_that_dies_is_asked_again_and_the_notes_go_on(world: World) -> None:
    world.dies = 3
    world.play(*range(60, 68))
    world.run(3 * BAR)
    assert len(world.asked) == 2
    assert world.asked[0] == world.asked[1]
    assert [note[1] for note in world.words("note")] == list(range(8))
    assert world.words("end")[0][1] == 8


def test_a_refused_request_is_told_and_counts_its_bars(world: World) -> None:
    world.delay = 10**6
    world.play(*range(60, 68))
    world.feed(s.Failed(1, "BadRequest", "no such collection"))
    world.run(2 * BAR + 10)
    assert world.words("failed") == [(1, "BadRequest", "no such collection")]
    assert world.words("end")[0][3] == 2


def test_a_stop_silences_and_withdraws(world: World) -> None:
    world.play(*range(60, 68))
    world.run(TICKS)
    world.start(playing=False)
    assert world.words("silence") == [()]
    assert world.jam.active == []
    assert world.jam.wake() == float("inf")
    assert unpaired(sounded(world)) == 0


def test_a_change_of_tempo_keeps_the_plan(world: World) -> None:
    world.play(*range(60, 68))
    world.run(TICKS)
    world.start(tempo=180.0)
    world.run(2 * BAR)
    assert world.words("end")[0][:2] == (1, 8)
    assert world.asked[-1].tempo == 120.0


def test_a_loop_to_the_same_place_in_the_bar_takes_the_plan_along(world: World) -> None:
    world.play(*range(60, 68))
    world.run(TICKS)
    world.start(host=TICKS)
    world.run(2 * BAR)
    again = [note for note in world.words("note") if note[2] < 2 * BAR]
    assert [note[2] for note in again] == [i * TICKS for i in range(1, 8)]
    assert world.words("end")[0][:2] == (1, 8)


def test_a_jump_elsewhere_withdraws_the_plan(world: World) -> None:
    world.play(*range(60, 68))
    world.run(TICKS)
    world.start(host=10 * BAR + 700)
    assert world.jam.active == []
    world.play(60)
    world.run(4 * BAR)
    assert (world.words("take")[1][1] - 0) % BAR == 0


def test_again_vary_and_back(world: World) -> None:
    world.play(*range(60, 68))
    world.run(2 * BAR)
    first = [note[2:] for note in world.words("note")]
    world.told.clear()
    world.feed(s.Again(0, "same"))
    world.run(3 * BAR)
    start = world.words("take")[0][1]
    same = [(note[2] - start + 2 * BAR, *note[3:]) for note in world.words("note")]
    assert same == first
    world.feed(s.Again(0, "vary"))
    world.run(3 * BAR)
    assert world.asked[-1].notes == world.asked[0].notes
    assert world.asked[-1].seed == 1
    world.told.clear()
    world.feed(s.Again(0, "back"))
    world.run(3 * BAR)
    start = world.words("take")[0][1]
    assert [(note[2] - start + 2 * BAR, *note[3:]) for note in world.words("note")] == first


def test_accompaniment_follows_beat_by_beat_in_its_own_voice() -> None:
    world = World(Jam(JamConfig(style="accompany", own=5)))
    world.start()
    for _ in range(4):
        world.play(60, 64, 67, 72)
    world.run(BAR)
    assert {wanted.mode for wanted in world.asked} == {"accompany"}
    assert len(world.asked) > 10
    assert {note[-1] for note in world.words("note")} == {5}
    assert world.faults == []
    onsets = [on for on, message in sounded(world) if message[0] & 0xF0 == 0x90]
    assert len(onsets) == len(set(onsets)), "one line: no plan sounds on top of another"
    world.run(4 * BAR)
    assert world.jam.active == [], "it stops when nobody plays"


def test_the_overlap_summary_is_passed_on(world: World) -> None:
    world.play(*range(60, 68))
    world.run(2 * BAR)
    assert world.words("overlap") == [
        (1, "green", 1, 0.5, 3, "", "", "", "Nothing like it.", 4, 3.5)
    ]


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["play", "on", "off", "run", "tempo", "jump", "loop", "stop", "start", "turn", "again",
             "vary", "back", "panic", "style", "gone", "die", "slow"]
        ),
        st.integers(0, 6),
    ),
    min_size=5, max_size=40,
)  # fmt: skip


def act(world: World, what: str, number: int) -> None:
    """One thing that may happen."""
    held = f"1:x{number}"
    acts = {
        "play": lambda: world.play(60 + number, 64, length=TICKS // 2),
        "on": lambda: world.feed(s.On(held, 50 + number, 80, number % 3)),
        "off": lambda: world.feed(s.Off(held, 50 + number, number % 3)),
        "run": lambda: world.run((number + 1) * TICKS),
        "tempo": lambda: world.start(60.0 + 30 * number, playing=world.jam.playing),
        "jump": lambda: world.start(host=777 * number, playing=world.jam.playing),
        "loop": lambda: world.start(host=world.now - world.jam.offset - number * BAR, playing=world.jam.playing),
        "stop": lambda: world.start(playing=False),
        "start": lambda: world.start(),
        "turn": lambda: world.feed(s.Turn()),
        "again": lambda: world.feed(s.Again(number, "same")),
        "vary": lambda: world.feed(s.Again(0, "vary")),
        "back": lambda: world.feed(s.Again(0, "back")),
        "panic": lambda: world.feed(s.Panic()),
        "style": lambda: world.feed(s.Configure(JamConfig(
            style=("answer", "accompany")[number % 2], call=number % 3, bars=1 + number % 2,
            commit=0.25 * (1 + number), space=number % 2 == 0))),
        "gone": lambda: world.feed(s.Gone("1:")),
        "die": lambda: setattr(world, "dies", number),
        "slow": lambda: setattr(world, "delay", 60 + 200 * number),
    }  # fmt: skip
    acts[what]()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTIONS)
def test_whatever_happens_the_rules_hold(actions: list[tuple[str, int]]) -> None:
    world = World()
    world.start()
    for what, number in actions:
        act(world, what, number)
    world.start()
    world.run(4 * BAR)
    world.start(playing=False)
    assert world.faults == [], "nothing in the past, nothing committed changes"
    assert unpaired(sounded(world)) == 0, "a release for every strike"
    assert world.idle < 120 * (1 + world.now // BAR), "and no spinning"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTIONS)
def test_recorded_inputs_fed_again_give_identical_instructions(
    actions: list[tuple[str, int]],
) -> None:
    world = World()
    world.start()
    for what, number in actions:
        act(world, what, number)
    jam = Jam()
    for entry in world.entries:
        line = s.to_line(entry)
        read = s.from_line(line)
        assert s.to_line(s.Entry(read.tick, read.input, jam.step(read.tick, read.input))) == line


def test_the_models_part_of_the_world_is_in_order() -> None:
    wanted = s.Wanted("answer", 2, 3, 120.0, ((0, 480, 60, 80, 0),), BAR, (0,), (4, 4))
    onsets = [note[0] for note in notes_of(wanted)]
    assert onsets == sorted(onsets)


def test_what_comes_too_late_altogether_is_given_up_and_the_next_answer_is_not_delayed() -> None:
    world = World(delay=10 * BAR)
    world.start()
    world.play(*range(60, 68))
    world.run(2 * BAR + 10)
    assert world.words("end")[0][1:4] == (0, 0, 2)
    assert any(s.Drop(1) in entry.out for entry in world.entries)
    world.delay = 60
    world.play(*range(60, 68))
    world.run(2 * BAR + 10)
    assert world.words("end")[1][1:4] == (8, 0, 0)

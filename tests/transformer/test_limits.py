"""What a request limits is never violated, whatever is drawn; what contradicts itself is refused."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musai.errors import BadRequest
from musai.music import Voice
from musai.transformer import Request
from musai.transformer import vocabulary as v
from musai.transformer.fresh import RUN, longest_run
from musai.transformer.grammar import Grammar, Kept
from musai.transformer.harmony import QUALITIES, chord_classes, chord_track, scale_classes
from musai.transformer.plan import make_plan
from musai.transformer.request import takes_of
from musai.transformer.wordings import GRIDS
from tests.transformer.models import motif, small_model, small_player

PLAYER = small_player()
CHORDS = "C|Am F|G7|Dm7 G C"


def walk(grammar, rng, stay):
    """Draws among what is allowed; `stay` favours early steps and low pitches, the hard places."""

    def draw(mask):
        choices = np.flatnonzero(mask)
        assert len(choices), "no choice left"
        return int(choices[0] if rng.random() < stay else rng.choice(choices))

    notes = []
    while not grammar.done:
        position = draw(grammar.positions())
        if position == v.BARLINE:
            grammar.push_barline()
            continue
        voice = draw(grammar.voices(position))
        pitch = draw(grammar.pitches(position, voice))
        duration = draw(grammar.durations(position, voice, pitch))
        onset = grammar.onset(position)
        notes.append((onset, onset + int(v.DURATIONS[duration]), pitch, voice))
        grammar.push(position, voice, pitch, duration)
    return notes


@st.composite
def wishes(draw):
    """Any of the hard limits together."""
    options = {
        "scale": st.sampled_from(["key", "dorian", "pentatonic", "blues", "whole tone"]),
        "chords": st.sampled_from([CHORDS, "F#m7b5|B7/A", "C5"]),
        "grid": st.sampled_from(sorted(GRIDS)),
        "polyphony": st.integers(1, 6),
        "registers": st.sampled_from(["60-71", "48-72,40-51", ",,60-84"]),
    }
    told = {name: draw(one) for name, one in options.items() if draw(st.booleans())}
    told["key"] = draw(st.sampled_from(["C", "F#", "Bbm", "Db", "Em"]))
    signature = draw(st.sampled_from([(4, 4), (3, 4), (6, 8), (5, 8), (2, 2)]))
    wish = Request(bars=draw(st.integers(1, 5)), signature=signature, collection="chorales", **told)
    with suppress(BadRequest):
        make_plan(wish, small_model())
        return wish
    # A chord outside the scale is refused: the same wish with any chords there are.
    return replace(wish, scale=None)


def check_limits(request, plan, notes):
    """Assert of notes as (start step, end step, moved pitch, voice) what the request limits."""
    limits = plan.limits
    total = sum(bar.steps for bar in plan.bars)
    for onset, end, pitch, voice in notes:
        part = plan.parts[voice]
        assert part.low <= pitch <= part.high
        assert end <= total
        if limits.scale is not None:
            assert limits.scale[pitch]
        if limits.harmony is not None:
            for beat, tones in zip(limits.harmony.beats, limits.harmony.tones, strict=True):
                assert not onset <= beat < end or tones[pitch]
        bar = int(np.searchsorted(np.cumsum([b.steps for b in plan.bars]), onset, side="right"))
        start = sum(b.steps for b in plan.bars[:bar])
        assert (onset - start) % limits.grid == 0
        if limits.polyphony:
            assert sum(a <= onset < b for a, b, *_ in notes) <= limits.polyphony
    if request.registers:
        assert plan.parts


@given(wishes(), st.integers(0, 2**32), st.sampled_from([0.0, 0.5, 0.95]))
def test_every_walk_obeys_the_limits(request_, seed, stay):
    plan = make_plan(request_, small_model())
    notes = walk(plan.grammar(), np.random.Generator(np.random.Philox(seed)), stay)
    check_limits(request_, plan, notes)
    assert notes


@given(wishes(), st.integers(0, 2**32), st.lists(st.tuples(
    st.integers(0, 90), st.integers(1, 60), st.integers(0, 127), st.integers(0, 3)), max_size=8))  # fmt: skip
def test_no_walk_runs_into_what_is_kept(request_, seed, kept):
    plan = make_plan(request_, small_model())
    total = sum(bar.steps for bar in plan.bars)
    stands, taken = [], set()
    for onset, steps, pitch, voice in kept:
        steps = min(steps, total - onset)
        cells = {(step, voice) for step in range(onset, onset + steps)}
        if steps > 0 and not cells & taken:
            taken |= cells
            stands.append(Kept(onset, onset + steps, pitch, voice))
    grammar = Grammar(plan.bars, plan.parts, None, stands, plan.limits)
    notes = walk(grammar, np.random.Generator(np.random.Philox(seed)), 0.5)
    for onset, end, pitch, voice in notes:
        for one in stands:
            clash = one.voice == voice and (plan.parts[voice].line or one.pitch == pitch)
            assert not (clash and onset < one.end and one.onset < end)
        together = [a for a in notes if a[0] <= onset < a[1]]
        beside = [a for a in stands if a.onset <= onset < a.end]
        if plan.limits.polyphony:
            assert len(together) + len(beside) <= plan.limits.polyphony


def test_every_mode_obeys_the_limits():
    limits = {"scale": "pentatonic", "key": "D", "grid": "1/8", "polyphony": 2}
    inside = scale_classes("pentatonic", 2, False)
    tune = PLAYER.play(Request(bars=4, seed=1, key="D", scale="pentatonic", grid="1/4"))
    for mode in ("continue", "answer", "infill", "accompany"):
        more = {"voices": "flute,piano"} if mode == "accompany" else {}
        answer = PLAYER.play(Request.of(mode, tune, seed=3, bars=2, **limits, **more))
        assert set((answer.notes["pitch"] % 12).tolist()) <= inside
        assert (answer.notes["onset"] % 240 == 0).all()


def test_chords_stay_inside_a_hard_scale_and_one_that_has_none_of_it_is_refused():
    wishes = {"key": "C", "scale": "pentatonic", "chords": "Dm | A7 | G7 | F", "bars": 4}
    inside = scale_classes("pentatonic", 0, False)
    for seed in range(6):
        answer = PLAYER.play(Request(seed=seed, **wishes))
        assert set((answer.notes["pitch"] % 12).tolist()) <= inside
        second = answer.notes[(answer.notes["onset"] >= 1920) & (answer.notes["onset"] < 3840)]
        on_beats = second["pitch"][second["onset"] % 480 == 0] % 12
        assert set(on_beats.tolist()) <= {9, 4, 7}
    with pytest.raises(BadRequest, match="chord F# has no note of the scale major"):
        PLAYER.play(Request(bars=2, key="C", scale="major", chords="C | F#"))
    PLAYER.play(Request(bars=2, key="C", scale="major", scale_rule="soft", chords="C | F#"))


def test_drums_know_no_scale_and_no_chord():
    request = Request(bars=4, seed=1, voices="drums", scale="pentatonic", chords="C")
    answer = PLAYER.play(request)
    assert answer.voices == (Voice("drums", 0, True),)
    assert not set((answer.notes["pitch"] % 12).tolist()) <= {0, 2, 4, 7, 9}


def test_swing_and_velocity_are_put_on_the_answer():
    answer = PLAYER.play(Request(bars=8, seed=4, grid="1/8", swing=0.66, velocity=50))
    places = set((answer.notes["onset"] % 480).tolist())
    assert places == {0, round(0.66 * 480)}
    assert abs(answer.notes["velocity"].mean() - 50) < 8


def test_a_field_has_its_own_temperature_and_top_p():
    calm = Request(bars=4, seed=5, temperature=2.0, temperatures="pitch=0", top_ps="voice=0.5")
    assert PLAYER.play(calm) != PLAYER.play(Request(bars=4, seed=5, temperature=2.0))
    every = Request(
        bars=4, seed=5, temperatures="position=0,voice=0,pitch=0,duration=0", temperature=2.0
    )
    assert (
        PLAYER.play(every).notes_id == PLAYER.play(Request(bars=4, seed=6, temperature=0)).notes_id
    )


def test_a_take_that_is_avoided_is_not_repeated_even_with_its_own_seed():
    request = Request("answer", 4, 6, motif(), temperature=0.0)
    takes = [PLAYER.play(request)]
    for _ in range(3):
        again = PLAYER.play(
            Request("answer", 4, 6, motif(), temperature=0.0, avoid=takes_of(takes))
        )
        for take, other in zip(takes_of(takes), takes, strict=True):
            assert longest_run(takes_of([again])[0], take) < RUN
            assert again != other
        takes.append(again)


def test_a_request_with_limits_survives_json_and_says_the_same_thing_one_way():
    request = Request(
        scale=" Dorian ", chords="C |Am  F", registers="60-84, ,40-55", temperatures="pitch=0.50",
        avoid=takes_of([motif()]),
    )  # fmt: skip
    assert (request.scale, request.chords) == ("dorian", "C|Am F")
    assert (request.registers, request.temperatures) == ("60-84,,40-55", "pitch=0.5")
    assert Request.from_dict(request.to_dict()) == request
    assert (
        Request.from_dict(
            {**request.to_dict(), "avoid": [[list(n) for n in t] for t in request.avoid]}
        )
        == request
    )
    assert Request(scale="dorian").replay_id("m") == Request(scale="Dorian").replay_id("m")


def test_a_request_without_new_wishes_keeps_its_name():
    assert Request(seed=7).replay_id("a", "c") == (
        "dff7fa07fe3ac0d3978cba6d434090a5a5559d6a754513a2d4859831641c09ed"
    )


def test_chords_and_scales_are_what_they_say():
    assert chord_classes("F#m7b5") == {6, 9, 0, 4}
    assert chord_classes("Bb/D") == {10, 2, 5}
    assert [len(bar) for bar in chord_track("C | Am F | G")] == [1, 2, 1]
    assert scale_classes("key", 9, True) == {9, 11, 0, 2, 4, 5, 6, 7, 8}
    assert all(0 in tones for tones in QUALITIES.values())


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"scale": "purple"}, "'purple'; legal is key, major"),
        ({"scale_rule": "firm"}, "legal is hard, soft"),
        ({"chords": "C||G"}, "bar by bar"),
        ({"chords": "H7"}, "chord is 'H7'"),
        ({"grid": "1/5"}, "legal is 1/1"),
        ({"polyphony": 0}, "polyphony is 0; legal is 1 to 64"),
        ({"registers": "60-65"}, "at least an octave"),
        ({"registers": "60-84,50-90"}, "2 ranges and the answer has 1 voices"),
        ({"registers": "0-12", "key": "F#"}, "pitches in this key"),
        ({"register": (60, 80), "registers": "60-84"}, "legal is one of the two"),
        ({"swing": 0.9}, "swing is 0.9"),
        ({"velocity": 200}, "velocity is 200"),
        ({"temperatures": "pith=1"}, "of the fields position, voice"),
        ({"temperatures": "pitch=9"}, "pitch=9; legal is 0 to 4"),
        ({"top_ps": "pitch=x"}, "legal is a number"),
        ({"avoid": ((1, 2),)}, "rows of three"),
        ({"voices": "3"}, "instrument is '3'"),
        ({"grid": 5}, "legal is a text"),
    ],
)
def test_a_contradiction_is_refused_before_the_first_note(wish, said):
    with pytest.raises(BadRequest) as caught:
        PLAYER.generate(Request(**wish))
    assert said in str(caught.value)

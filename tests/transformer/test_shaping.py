"""Wishes that forbid nothing shift what is drawn: soft scale, density, voices asked for by name."""

import numpy as np
import pytest

from musai.errors import BadRequest
from musai.transformer import Request
from musai.transformer import vocabulary as v
from musai.transformer.harmony import scale_classes
from musai.transformer.instruments import PLAYERS
from musai.transformer.limiting import SOFT
from musai.transformer.plan import make_plan
from tests.transformer.models import small_model, small_player

PLAYER = small_player()


def test_a_soft_scale_is_a_bias_and_no_mask():
    soft = make_plan(Request(key="C", scale_rule="soft"), small_model())
    assert soft.limits.scale is None
    assert soft.shaping.bias[[60, 61]].tolist() == [0.0, SOFT]
    share = [
        np.isin(PLAYER.play(Request(bars=32, seed=2, key="C", temperature=2.0, top_p=1.0,
                                    scale_rule=rule)).notes["pitch"] % 12,
                list(scale_classes("major", 0, False))).mean()
        for rule in (None, "soft", "hard")
    ]  # fmt: skip
    assert share[0] < share[1] < share[2] == 1.0


def test_density_steers_the_number_of_notes():
    counts = {
        d: sum(len(PLAYER.play(Request(bars=8, seed=seed, density=d))) for seed in range(3)) / 24
        for d in (1.0, 4.0, 8.0, 12.0)
    }
    assert counts[1.0] < counts[4.0] < counts[12.0]
    for density in (1.0, 4.0, 8.0):
        assert counts[density] == pytest.approx(density, rel=0.2)


def test_density_counts_the_notes_of_all_voices_together():
    for density in (2.0, 8.0):
        request = Request(bars=8, seed=1, voices="bass,melody,chords", density=density)
        assert len(PLAYER.play(request)) / 8 == pytest.approx(density, rel=0.2)


def heard(plan, unwilling):
    """Of each voice the bars in which it begins a note, where an event is due every quarter and the model
    would hear the first voice alone: the others are `unwilling` nats behind."""
    grammar, rng = plan.grammar(), np.random.Generator(np.random.Philox(1))
    willing = np.where(np.arange(v.VOICES) == 0, 0.0, -float(unwilling))
    bars = [set() for _ in plan.parts]

    def draw(field, logits, mask, drawn):
        scores = plan.shaping.shaped(field, logits, grammar, drawn) + rng.gumbel(size=len(logits))
        return int(np.where(mask, scores, -np.inf).argmax())

    while not grammar.done:
        places = np.full(v.MAX_BAR + 1, -30.0)
        places[min(x for x in (0, 24, 48, 72, v.BARLINE) if x > grammar.last[0])] = 0.0
        place = draw(0, places, grammar.positions(), ())
        if place == v.BARLINE:
            grammar.push_barline()
            continue
        voice = draw(1, willing, grammar.voices(place), (place,))
        pitch = int(np.flatnonzero(grammar.pitches(place, voice))[0])
        grammar.push(place, voice, pitch, 10)
        bars[voice].add(grammar.bar)
    return bars


def test_a_voice_asked_for_by_name_begins_with_the_others_and_does_not_rest_for_long():
    request = Request(bars=16, voices="drums,bass,guitar")
    drums, *others = heard(make_plan(request, small_model()), unwilling=12)
    assert len(drums) == 16
    for bars in others:
        assert min(bars) <= 1
        assert np.diff([*sorted(bars), 16]).max() <= 2


def test_a_voice_that_nobody_named_rests_as_the_model_likes():
    request = Request(bars=16, collection="chorales")
    first, *others = heard(make_plan(request, small_model()), unwilling=12)
    assert len(first) == 16
    assert sum(map(len, others)) <= 2


def test_a_voice_that_has_not_begun_comes_at_the_place_of_the_first():
    plan = make_plan(Request(bars=4, voices="drums,bass"), small_model())
    grammar = plan.grammar()

    def drawn_to():
        shifted = plan.shaping.shaped(0, np.zeros(v.MAX_BAR + 1), grammar, ())
        return np.flatnonzero(shifted[: v.BARLINE]).tolist()

    assert drawn_to() == []
    grammar.push(0, 0, 38, 10)
    assert drawn_to() == [0]
    grammar.push(0, 1, 40, 10)
    assert drawn_to() == []


def test_several_named_voices_are_told_the_density_of_their_kind():
    def told(**wishes):
        plan = make_plan(Request(bars=4, **wishes), small_model())
        return plan.writer.header.voices

    drums, bass = told(voices="drums,bass")
    assert drums.density == v.density_class(15.0) > bass.density == v.density_class(7.0)
    assert [voice.density for voice in told(voices="bass")] == [0]
    assert [voice.density for voice in told(collection="chorales")] == [0] * 4
    assert told(voices="drums,bass", density=4.0)[0].density == v.density_class(2.0)


def test_named_voices_do_not_all_fall_silent_for_bars():
    for voices in ("drums,bass", "bass"):
        plan = make_plan(Request(bars=4, voices=voices), small_model())
        grammar, same = plan.grammar(), np.zeros(v.MAX_BAR + 1)
        grammar.push(72, 0, 38, int(v.duration_class(24)[0]))
        costs = []
        for _ in range(4):
            costs.append(-plan.shaping.shaped(0, same, grammar, ())[v.BARLINE])
            grammar.push_barline()
        assert costs == [0.0, 4.0, 36.0, 100.0]
    plan = make_plan(Request(bars=4), small_model())
    assert plan.shaping.shaped(0, same, plan.grammar(), ()) is same


def test_voices_given_by_number_play_as_the_model_likes():
    context = PLAYER.play(Request(bars=4, seed=1, collection="chorales"))
    for mode in ("continue", "answer", "infill", "vary"):
        wishes = {"mode": mode, "context": context, "bars": 4, "seed": 5}
        plain = PLAYER.play(Request(**wishes))
        assert PLAYER.play(Request(**wishes, voices="0,1,2,3")) == plain


def test_more_voices_than_there_are_places_for_are_refused():
    names = list(PLAYERS)[: v.VOICES + 1]
    with pytest.raises(BadRequest, match="17 voices are asked for; legal is 1 to 16"):
        PLAYER.play(Request(bars=1, voices=",".join(names)))
    assert len(PLAYER.play(Request(bars=1, voices=",".join(names[:-1]))).voices) == v.VOICES

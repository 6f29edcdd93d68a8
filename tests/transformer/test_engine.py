"""The fast decoder equals the slow one, which is the network that was trained."""

from heapq import merge

import numpy as np
import pytest
import torch

from musai.music import Phrase, Voice
from musai.transformer import Request
from musai.transformer import vocabulary as v
from musai.transformer.encoding import RowWriter, encode, header_of
from musai.transformer.engine import Cache, Engine, _late
from musai.transformer.network import Network, cards_of
from musai.transformer.noise import Noise
from musai.transformer.performed import velocity_of
from musai.transformer.plan import make_plan
from musai.transformer.sampling import Draw, choose
from tests.transformer.models import (
    CARDED,
    LOUD,
    SMALL,
    motif,
    random_weights,
    small_model,
    small_player,
)

WEIGHTS = random_weights(SMALL)
ENGINE = Engine(SMALL, WEIGHTS)


def network_of(shape):
    weights = random_weights(shape)
    return Network(shape, {k: torch.from_numpy(w).double() for k, w in weights.items()})


NETWORK = network_of(SMALL)


def random_rows(count, seed=5):
    rng = np.random.Generator(np.random.Philox(seed))
    rows = np.stack([rng.integers(0, size, count) for size in v.INPUTS.values()], axis=1)
    return rows.astype(np.int16)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 100, 128])
def test_states_and_logits_equal_the_reference(count):
    rows = random_rows(count)
    state = Cache(ENGINE).read(rows)
    with torch.no_grad():
        reference = NETWORK.states(torch.from_numpy(rows)[None])[0, -1]
        for field in SMALL.outputs:
            slow = NETWORK.field_logits(field, reference).numpy()
            assert np.abs(ENGINE.logits(field, state) - slow).max() < 1e-12
    assert np.abs(state - reference.numpy()).max() < 1e-12


def test_reading_is_the_same_bits_however_the_rows_arrive_in_blocks():
    rows = random_rows(70)
    whole = Cache(ENGINE).read(rows)
    twice = Cache(ENGINE)
    twice.read(rows[:48])
    assert np.array_equal(twice.read(rows[48:]), whole)


def test_a_full_window_starts_anew_and_stays_full_of_music():
    cache = Cache(ENGINE)
    plan = make_plan(Request(bars=1), small_model())
    cache.read(plan.rows)
    for _ in range(400):
        cache.read(plan.writer.bar_row(plan.bars[0], None)[None])
        cache.read(plan.writer.note_row(0, 0, 60, 19)[None])
        assert SMALL.window // 4 <= cache.length <= SMALL.window or cache.length < 128
    assert cache.length <= SMALL.window


@torch.no_grad()
def reference_notes(request, shape):
    """The answer by the slow way: the whole row of events through the network at every step."""
    plan, network = make_plan(request, small_model(shape)), network_of(shape)
    noise, grammar, event, struck = Noise(request.seed), plan.grammar(), 0, []
    rows = [*plan.rows, *plan.opening(0, plan.writer)]
    while not grammar.done:
        state = network.states(torch.from_numpy(np.array(rows))[None])[0, -1]
        drawn = []
        masks = (grammar.positions, grammar.voices, grammar.pitches, grammar.durations, every)
        for i, field in enumerate(shape.outputs[: v.DRAWN]):
            logits = network.field_logits(field, state).numpy()
            logits = plan.shaping.shaped(i, logits, grammar, drawn)
            drawn.append(choose(Draw(logits, masks[i](*drawn), *plan.heat[i], noise, event, i)))
            if drawn[0] == v.BARLINE:
                break
            if i + 1 < shape.fields:
                cards = network.cards(torch.from_numpy(np.array(rows))[None])[:, -1]
                state = state + network.said(field, torch.tensor([drawn[-1]]), cards)[0]
        event += 1
        if drawn[0] == v.BARLINE:
            grammar.push_barline()
            if not grammar.done:
                rows.extend(plan.opening(grammar.bar, plan.writer))
            continue
        onset, length = grammar.onset(drawn[0]), int(v.DURATIONS[drawn[3]])
        place = (grammar.bar, drawn[0], onset, length, drawn[2], drawn[1])
        struck += [velocity_of(x) for x in drawn[4:]]
        yield plan.sounded(*place, *((struck[-1], sum(struck) / len(struck)) if struck else ()))
        grammar.push(*drawn[:4])
        rows.append(plan.writer.note_row(*drawn[:4], *(1 + x for x in drawn[4:])))


def every(*drawn):
    """Any velocity may be drawn."""
    return np.ones(v.OUTPUTS["velocity"], bool)


def reference(request, shape=SMALL):
    """The same with what is kept of the context."""
    kept = make_plan(request, small_model(shape)).kept_notes()
    return list(merge(kept, reference_notes(request, shape), key=lambda note: note.onset))


@pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0, 1.5, 4.0])
@pytest.mark.parametrize("collection", ["tunes", "chorales"])
def test_the_notes_equal_the_reference_at_every_temperature(temperature, collection):
    request = Request(bars=2, seed=11, temperature=temperature, collection=collection)
    notes = list(small_player().generate(request))
    if len(notes) < 80:  # The reference has no rolling window.
        assert notes == reference(request)


@pytest.mark.parametrize("shape", [LOUD, CARDED], ids=["loud", "carded"])
@pytest.mark.parametrize("limits", [{}, {"velocity": 64}])
@pytest.mark.parametrize("mode", ["continue", "infill", "accompany"])
def test_the_notes_of_a_model_that_says_more_equal_the_reference(mode, shape, limits):
    request = Request(mode, 1, 13, motif(), **limits)
    notes = list(small_player(shape).generate(request))
    assert notes == reference(request, shape)
    assert notes


def test_a_card_tells_what_the_header_does_and_the_last_note():
    phrase = two_voices()
    header = header_of(phrase)
    encoded, writer = encode(phrase, header, 0), RowWriter(header)
    cards = cards_of(torch.from_numpy(encoded.rows)[None])[0]
    assert cards.shape == (len(encoded.rows), v.VOICES, len(v.CARD))
    for row, here in zip(encoded.rows[encoded.header :], cards[encoded.header :], strict=True):
        if row[v.COLUMN["kind"]] == v.NOTE:
            voice, pitch, duration = (row[v.COLUMN[n]] - 1 for n in ("voice", "pitch", "duration"))
            writer.note_row(0, int(voice), int(pitch), int(duration))
        for voice in range(v.VOICES):
            assert tuple(here[voice].tolist()) == writer.card(voice)
    assert {tuple(card) for card in cards[-1, :2, :1].tolist()} == {(1,), (v.DRUMS,)}


def test_of_what_is_given_ahead_no_card_tells():
    rows = random_rows(60)
    rows[:, v.COLUMN["kind"]] = v.GIVEN
    assert not cards_of(torch.from_numpy(rows)[None]).any()


def two_voices():
    """A tune over a drum."""
    pitch, voice = [60, 36, 62, 38, 64, 36], [0, 1] * 3
    voices = (Voice("tune"), Voice("drums", 0, True))
    return Phrase.from_notes([0, 0, 1, 1, 2, 2], [1] * 6, pitch, 80, voice, names=voices)


LIMITS = [
    {},
    {"scale_rule": "soft", "temperatures": "pitch=1.4", "top_ps": "duration=0.5"},
    {"chords": "C|F G", "grid": "1/8", "polyphony": 2, "scale": "major", "density": 4.0},
]


@pytest.mark.parametrize("temperature", [0.0, 0.7, 1.3])
@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("mode", ["continue", "answer", "infill", "vary", "accompany"])
def test_the_notes_equal_the_reference_in_every_mode(mode, limits, temperature):
    request = Request(mode, 1, 13, motif(), temperature=temperature, **limits)
    notes = list(small_player().generate(request))
    assert notes == reference(request)
    assert notes


def slowly(rows, window=SMALL.window):
    """A cache that read these rows one block after the other, as they came."""
    cache, state = Cache(ENGINE), None
    while len(rows):
        full = cache.length == window
        held = len(_late(cache._rows, window)) if full else cache.length
        count = 16 - held % 16
        state, rows = cache.read(rows[:count]), rows[count:]
    return cache, state


def test_of_more_rows_than_fill_the_window_no_bit_differs_from_reading_them_one_by_one():
    rows = random_rows(500)
    rows[::9, v.COLUMN["kind"]] = v.BAR
    for count in (127, 128, 129, 200, 300, 500):
        slow, state = slowly(rows[:count])
        fast = Cache(ENGINE)
        assert np.array_equal(fast.read(rows[:count]), state)
        assert (fast.length, fast._gone, fast._anew) == (slow.length, slow._gone, slow._anew)
        more = random_rows(20, seed=6)
        assert np.array_equal(fast.read(more), slow.read(more))


def test_what_another_cache_may_have_gives_the_bits_of_reading_it_all():
    rows = random_rows(400)
    rows[::9, v.COLUMN["kind"]] = v.BAR
    read = Cache(ENGINE)
    read.read(rows)
    shared = [count for count in range(1, 401) if read.whole(count) == count]
    assert min(shared) > SMALL.window, "what was dropped is not shared"
    for count in shared:
        forked = read.fork(count)
        assert np.array_equal(forked.read(rows[count:]), Cache(ENGINE).read(rows))

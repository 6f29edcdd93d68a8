"""Whatever is drawn among the allowed choices, the answer is a valid phrase of the bars asked for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musai.music import Phrase, Voice, notes_array
from musai.transformer import vocabulary as v
from musai.transformer.encoding import Bar
from musai.transformer.grammar import MOST_AT_ONCE, Grammar, Part


@st.composite
def frames(draw):
    steps = draw(st.integers(24, 192))
    bars = [Bar(i, steps, 4, 4) for i in range(draw(st.integers(1, 5)))]
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        low = draw(st.integers(0, 116))
        parts.append(Part(low, draw(st.integers(low + 11, 127)), draw(st.booleans())))
    return bars, parts


def walk(bars, parts, rng, stay):
    """Draws among what is allowed; `stay` favours early steps and low pitches, the hard places."""
    grammar, notes = Grammar(bars, parts), []

    def draw(mask):
        choices = np.flatnonzero(mask)
        assert len(choices), "no choice left"
        return int(choices[0] if rng.random() < stay else rng.choice(choices))

    while not grammar.done:
        position = draw(grammar.positions())
        if position == v.BARLINE:
            grammar.push_barline()
            continue
        voice = draw(grammar.voices(position))
        pitch = draw(grammar.pitches(position, voice))
        duration = draw(grammar.durations(position, voice, pitch))
        notes.append((grammar.onset(position), int(v.DURATIONS[duration]), pitch, voice))
        grammar.push(position, voice, pitch, duration)
    return notes


@given(frames(), st.integers(0, 2**32), st.sampled_from([0.0, 0.5, 0.95]))
def test_every_walk_ends_in_a_valid_phrase(frame, seed, stay):
    bars, parts = frame
    notes = walk(bars, parts, np.random.Generator(np.random.Philox(seed)), stay)
    total = sum(bar.steps for bar in bars)
    onset, steps, pitch, voice = np.array(notes).T
    phrase = Phrase(
        notes_array(onset, steps, pitch, 80, voice), voices=(Voice(),) * len(parts), length=total
    )
    assert len(phrase) == len(notes)
    assert (onset + steps <= total).all()
    assert onset[0] < bars[0].steps
    assert [n[0] for n in notes] == sorted(n[0] for n in notes)
    for i, part in enumerate(parts):
        mine = voice == i
        assert ((pitch[mine] >= part.low) & (pitch[mine] <= part.high)).all()
        for a, length in zip(onset[mine], steps[mine], strict=True):
            sounding = ((onset[mine] <= a) & (onset[mine] + steps[mine] > a)).sum()
            assert length >= 1
            assert sounding <= (1 if part.line else MOST_AT_ONCE)


def test_an_answer_begins_by_the_latest_step():
    mask = Grammar([Bar(0, 96, 4, 4)], [Part()], latest=24).positions()
    assert np.flatnonzero(mask).tolist() == list(range(25))


def test_the_first_bar_sounds():
    assert not Grammar([Bar(0, 96, 4, 4)], [Part()]).positions()[v.BARLINE]

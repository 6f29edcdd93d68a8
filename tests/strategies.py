"""Hypothesis strategies that any room's tests may use: ``from tests.strategies import phrases``."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from musai.music import (
    DENOMINATORS,
    MAX_VOICES,
    Key,
    Metre,
    NoteArray,
    Phrase,
    Signature,
    Tempo,
    Voice,
    notes_array,
)
from musai.music.metre import MAX_TEMPO_US
from musai.music.notes import MAX_TICK, end_tick, untangled
from musai.music.phrase import MAX_NAME_BYTES

ticks: SearchStrategy[int] = st.one_of(
    st.integers(0, 16).map(lambda step: step * 120),
    st.integers(0, 4000),
    st.integers(0, MAX_TICK // 2),
)
"""Onsets that often coincide, are often near, and now and then are anywhere in the first half."""

names: SearchStrategy[str] = st.text(st.characters(exclude_categories=("Cs",)), max_size=40).filter(
    lambda name: len(name.encode()) <= MAX_NAME_BYTES
)


@st.composite
def voices(draw: DrawFn, most: int = MAX_VOICES) -> tuple[Voice, ...]:
    """1 to `most` voices, drums among them."""
    one = st.builds(Voice, names, st.integers(0, 127), st.booleans())
    few = st.lists(one, min_size=1, max_size=min(3, most))
    return tuple(draw(st.one_of(few, st.lists(one, min_size=1, max_size=most))))


@st.composite
def notes(draw: DrawFn, voice_count: int = 1, most: int = 40) -> NoteArray:
    """Up to `most` notes, untangled."""
    durations = st.one_of(st.integers(1, 960), st.integers(1, MAX_TICK // 2))
    note = st.tuples(
        ticks,
        durations,
        st.one_of(st.integers(58, 62), st.integers(0, 127)),
        st.integers(1, 127),
        st.integers(0, voice_count - 1),
    )
    rows = np.array(draw(st.lists(note, max_size=most)), np.int64).reshape(-1, 5)
    return untangled(notes_array(*rows.T))


@st.composite
def metres(draw: DrawFn, most: int = 5) -> Metre:
    """Any metre of up to `most` changes of each kind."""

    def changes(least: int) -> list[int]:
        later = st.lists(ticks.filter(bool), max_size=most - 1, unique=True).map(sorted)
        return [0] * least + draw(later)

    signs = st.integers(1, 255), st.sampled_from(DENOMINATORS)
    return Metre(
        tuple(Tempo(tick, draw(st.integers(1, MAX_TEMPO_US))) for tick in changes(1)),
        tuple(Signature(tick, *(draw(sign) for sign in signs)) for tick in changes(1)),
        tuple(
            Key(tick, draw(st.integers(-7, 7)), draw(st.booleans()))
            for tick in changes(draw(st.integers(0, 1)))
        ),
    )


@st.composite
def phrases(draw: DrawFn, most_voices: int = MAX_VOICES, most_notes: int = 40) -> Phrase:
    """Any valid phrase: silent voices, no notes, rests at the end, changes after the end."""
    players = draw(voices(most_voices))
    chosen = draw(notes(len(players), most_notes))
    end = end_tick(chosen)
    rest = draw(st.one_of(st.just(0), st.integers(0, 1920), st.integers(0, MAX_TICK - end)))
    return Phrase(chosen, draw(metres()), players, min(end + rest, MAX_TICK))

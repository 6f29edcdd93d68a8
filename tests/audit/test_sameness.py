"""The sameness gauge: scores known by hand, and what must not change them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from musai.audit.sameness import (
    Yardstick,
    distinct,
    figures,
    gauge,
    length_of,
    similarity,
    vendi,
    yardstick,
)
from musai.audit.variety import Take, variety
from musai.corpus import Corpus
from musai.errors import BadInput
from musai.music import Phrase
from tests.audit.takes import melody


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Thirty tunes, each its own."""
    place = tmp_path_factory.mktemp("tunes")
    for seed in range(30):
        (place / f"{seed}.mid").write_bytes(melody(seed, 16).to_midi())
    return Corpus.build(place, place / "corpus", mine=True)


def test_the_score_counts_what_is_different() -> None:
    alike, apart = np.ones((5, 5)), np.eye(5)
    two = np.kron(np.eye(2), np.ones((3, 3)))
    for order in (1.0, np.inf):
        assert vendi(alike, order) == pytest.approx(1)
        assert vendi(apart, order) == pytest.approx(5)
        assert vendi(two, order) == pytest.approx(2)


def test_a_golden_score_of_both_orders() -> None:
    # Eigenvalues of [[1, .5], [.5, 1]] / 2 are .75 and .25.
    half = np.array([[1, 0.5], [0.5, 1]])
    assert vendi(half) == pytest.approx(np.exp(-0.75 * np.log(0.75) - 0.25 * np.log(0.25)))
    assert vendi(half, np.inf) == pytest.approx(4 / 3)


def test_neither_key_nor_tempo_nor_place_changes_a_figure() -> None:
    tune = melody(1)
    notes = tune.notes.copy()
    notes["pitch"] += 5
    notes["onset"] = 2 * notes["onset"] + 960
    both = similarity([figures(tune.notes), figures(notes)])
    assert both == pytest.approx(np.ones((2, 2)))


def test_the_upper_note_of_a_chord_is_the_line() -> None:
    tune = melody(1)
    chords = Phrase.from_notes(
        np.tile(tune.notes["onset"] / 480, 2),
        np.tile(tune.notes["duration"] / 480, 2),
        np.concatenate([tune.notes["pitch"], tune.notes["pitch"].astype(int) - 12]),
    )
    assert similarity([figures(tune.notes), figures(chords.notes)])[0, 1] == pytest.approx(1)


def test_takes_drawn_from_the_corpus_are_as_varied_as_their_number(corpus: Corpus) -> None:
    stick = yardstick(corpus, 32)
    told = gauge(stick.items[:12], stick)
    assert told.ratio == pytest.approx(1, abs=0.15)
    assert told.equals == pytest.approx(12, abs=2)


def test_takes_that_repeat_two_are_as_varied_as_two(corpus: Corpus) -> None:
    stick = yardstick(corpus, 32)
    told = gauge([stick.items[0], stick.items[1]] * 5, stick)
    assert told.equals == pytest.approx(2, abs=0.3)
    assert "These 10 takes are as varied as" in told.sentence
    assert "of corpus (passages of 32 notes)" in told.sentence


def test_the_same_corpus_gives_the_same_yardstick(corpus: Corpus) -> None:
    one, other = Yardstick.of(corpus, 32), Yardstick.of(corpus, 32)
    assert np.array_equal(one.similar, other.similar)
    assert np.array_equal(one.curve(8)[0], other.curve(8)[0])


def test_seeds_and_sessions_are_told_apart(corpus: Corpus) -> None:
    takes = [Take.of(melody(i // 2), f"s{i % 2}", f"asked {i // 2}") for i in range(8)]
    found = variety(takes, lambda notes: yardstick(corpus, notes))
    assert found.across_seeds == pytest.approx(1)
    assert (found.seeds, found.sessions) == (8, 2)
    assert found.pairs[0][2] == pytest.approx(1)
    assert found.similarity is not None
    assert found.similarity < 1
    assert found.corpus_distinct[5] > found.distinct[5]
    alone = variety(
        [replace(take, asked="", session="") for take in takes], lambda n: yardstick(corpus, n)
    )
    assert alone.across_seeds is None
    assert alone.across_sessions is None


def test_distinct_figures_are_counted_once() -> None:
    item = figures(melody(1).notes)
    once, twice = distinct([item]), distinct([item, item])
    assert twice == pytest.approx({n: share / 2 for n, share in once.items()})


def test_passages_are_as_long_as_the_takes() -> None:
    assert [length_of([n]) for n in (1, 9, 30, 41, 1000)] == [8, 8, 32, 48, 256]


@pytest.mark.parametrize("count", [0, 1, 31])
def test_too_few_or_too_many_takes_are_refused(corpus: Corpus, count: int) -> None:
    stick = yardstick(corpus, 32)
    with pytest.raises(BadInput, match=f"asked of {count} takes; legal is 2 to 30"):
        gauge((list(stick.items) * 2)[:count], stick)


def test_a_corpus_without_lines_so_long_is_refused(corpus: Corpus) -> None:
    with pytest.raises(BadInput, match="has 0 works with 256 notes in a line; legal is 20"):
        yardstick(corpus, 256)


def test_takes_without_notes_are_passed_over(corpus: Corpus, tmp_path: Path) -> None:
    empty = Take.of(Phrase.from_notes([], [], []))
    with pytest.raises(BadInput, match="asked of 1 takes with three notes or more"):
        variety([empty, Take.of(melody(1)), empty], lambda notes: yardstick(corpus, notes))

"""The n-gram baseline at play: the same grammar as the transformer's, other probabilities."""

import numpy as np
import pytest

from musai.music import Phrase
from musai.quality import ngrams
from musai.transformer import Request
from musai.transformer.baseline import Baseline, asked
from musai.transformer.data import encode_work
from musai.transformer.ladder import Asked, Context, Ladder
from tests.transformer.models import motif, small_model


def scales() -> list[Phrase]:
    """Tunes that go up by steps, a quarter each."""
    steps = np.array([0, 2, 4, 5, 7, 9, 11, 12])
    return [
        Phrase.from_notes(np.arange(32), [1] * 32, 60 + steps[(np.arange(32) + n) % 8], length=32)
        for n in range(25)
    ]


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return Baseline([encode_work(f"{n:02}", p, 0, "") for n, p in enumerate(scales())])


def test_it_answers_in_the_bars_asked_for_and_the_same_each_time(baseline: Baseline) -> None:
    request = Request("continue", 4, 3, motif())
    first = ngrams.play(baseline, small_model(), request)
    assert (first.bars, first.length) == (4, 4 * 1920)
    assert len(first) > 0
    assert first == ngrams.play(baseline, small_model(), request)
    assert first != ngrams.play(baseline, small_model(), Request("continue", 4, 4, motif()))


def test_it_plays_what_it_counted(baseline: Baseline) -> None:
    context = scales()[0]
    played = ngrams.play(baseline, small_model(), Request("continue", 8, 1, context))
    on_beats = played.notes["onset"] % 480 == 0
    in_scale = np.isin(played.notes["pitch"] % 12, [0, 2, 4, 5, 7, 9, 11])
    assert on_beats.mean() > 0.9
    assert in_scale.mean() > 0.9


def test_while_it_plays_it_looks_back_at_what_it_would_have_counted(baseline: Baseline) -> None:
    """Reading a piece row by row asks for the same contexts as counting it whole."""
    piece = encode_work("x", scales()[3], 0, "")
    rows, targets = piece.plain.rows, piece.plain.targets
    reader, teller = ngrams.Reader(baseline), ngrams.Teller(baseline)
    counted = [
        np.log(baseline.probabilities(field, contexts))
        for field, contexts, _ in asked(rows, targets, baseline.orders)
    ]
    heard = []
    for row, target in zip(rows, targets, strict=True):
        state = reader.read(row[None])
        if target[0] < 0:
            continue
        for field, choice in zip(
            ("position", "voice", "pitch", "duration"), target[:4], strict=True
        ):
            if choice < 0:
                break
            heard.append(teller.logits(field, state))
            state = state + teller.said(field, int(choice))
    assert len(heard) == len(counted)
    assert all(np.array_equal(a, b) for a, b in zip(heard, counted, strict=True))


def by_rule(
    counted: list[tuple[list[Context], int]], contexts: list[Context], symbol: int
) -> float:
    """Witten and Bell's rule as it is written, from lists."""
    p = 1 / 7
    for context in reversed(contexts):
        seen = [s for under, s in counted if context in under]
        distinct = len(set(seen))
        if seen:
            p = (seen.count(symbol) + distinct * p) / (len(seen) + distinct)
    return p


def test_probabilities_follow_the_rule_and_sum_to_one() -> None:
    draw = np.random.Generator(np.random.Philox(5))
    contexts: list[list[Context]] = [
        [(2, int(a), int(b)), (1, int(b)), (-2,)] for a, b in draw.integers(0, 3, (60, 2))
    ]
    contexts[7] = contexts[7][1:]  # too short a history for the richest
    counted = [(one, int(draw.integers(0, 5))) for one in contexts]
    told = Asked(3)
    for one, symbol in counted:
        told.add(one, symbol)
    hashes, symbols = told.arrays
    ladder = Ladder(7, hashes, symbols)
    for one in [*contexts[:9], [(9, 9), (8, 8)]]:
        every = ladder.probabilities(one)
        assert every.sum() == pytest.approx(1)
        assert every == pytest.approx([by_rule(counted, one, s) for s in range(7)])
    *_, asked_for = ladder.rungs(hashes, symbols)
    assert asked_for == pytest.approx([by_rule(counted, *one) for one in counted])

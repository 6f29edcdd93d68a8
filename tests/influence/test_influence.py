"""Influence: the derivative through training is what small changes of a work's weight do."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import toy

from musai.influence import gradients, lexical, smooth, truth, unrolled
from musai.music import Phrase
from musai.transformer import training
from musai.transformer.network import Network
from musai.transformer.recipe import Recipe

PIECES = toy.pieces(4)
STEPS = smooth.batches(toy.RECIPE, PIECES)
QUERIES = toy.queries(2)
ONES = torch.ones(4, dtype=torch.float64)


TURNED = replace(toy.RECIPE, schedule=replace(toy.RECIPE.schedule, optimizer="muon"))


def outcome(counts: torch.Tensor, recipe: Recipe = toy.RECIPE) -> np.ndarray:
    end = smooth.train(recipe, STEPS, counts, toy.started())
    nats = [smooth.surprise(toy.RECIPE.shape, end.weights, query).item() for query in QUERIES]
    return -np.array(nats)


def test_the_smooth_network_is_the_trained_one_to_rounding():
    network = Network.fresh(toy.RECIPE.shape, 3)
    with torch.no_grad():
        for weight in network.parameters():
            weight += 0.1
    weights = {name: network.weight(name).detach() for name in toy.RECIPE.shape.weights()}
    rows, targets = QUERIES[0]
    plain = network.field_losses(rows, targets)
    assert smooth.Smooth(toy.RECIPE.shape, weights).field_losses(
        rows, targets
    ).detach().numpy() == (pytest.approx(plain.detach().numpy(), abs=1e-5))


def test_the_twin_of_a_training_ends_where_it_ends(tmp_path: Path):
    # Beside the root or under it, an epsilon this small is the same.
    recipe = replace(TURNED, schedule=replace(TURNED.schedule, epsilon=1e-8))
    end = smooth.train(recipe, STEPS, ONES.float(), toy.started(torch.float32))
    trained = training.train(recipe, PIECES, tmp_path)
    for name, weight in end.weights.items():
        assert weight.numpy() == pytest.approx(trained.weight(name).detach().numpy(), abs=2e-3)


@pytest.mark.parametrize("recipe", [toy.RECIPE, TURNED], ids=["adamw", "muon"])
def test_the_derivative_through_training_is_the_finite_difference(recipe: Recipe):
    held = unrolled.walk(recipe, STEPS, ONES, toy.started())
    found = unrolled.influence(held, QUERIES).numpy()
    for work in range(4):
        moved = torch.zeros(4, dtype=torch.float64)
        moved[work] = 1e-5
        slope = (outcome(ONES + moved, recipe) - outcome(ONES - moved, recipe)) / 2e-5
        assert found[:, work] == pytest.approx(slope, rel=1e-4, abs=1e-7)
    assert np.abs(found).min() > 1e-4


def test_walking_in_stretches_changes_nothing():
    held = unrolled.walk(toy.RECIPE, STEPS, ONES, toy.started())
    whole = unrolled.Walk(toy.RECIPE, held.steps, ONES, {k: held.stops[k] for k in (0, len(STEPS))})
    said = []
    one = unrolled.influence(held, QUERIES)
    two = unrolled.influence(whole, QUERIES, lambda done, total: said.append((done, total)))
    assert torch.equal(one, two)
    assert said == [(len(STEPS), len(STEPS))]


def test_a_work_that_counts_nothing_is_as_good_as_away():
    counts = ONES.clone()
    counts[2] = 0
    other = [*PIECES[:2], toy.data.encode_work("work 2", toy.tune(70), 1, "toy"), PIECES[3]]
    changed = smooth.batches(toy.RECIPE, other)
    assert any(not torch.equal(a.rows, b.rows) for a, b in zip(STEPS, changed, strict=True))
    # Another tune in its place, of the same length: nothing of it may reach the weights.
    left = smooth.train(toy.RECIPE, STEPS, counts, toy.started())
    right = smooth.train(toy.RECIPE, changed, counts, toy.started())
    for name, weight in left.weights.items():
        assert weight.numpy() == pytest.approx(right.weights[name].numpy(), abs=1e-9)


def test_subsets_drop_whole_units_and_more_of_them_leave_the_first_as_they_were():
    units = [f"owner {n // 3}" for n in range(30)]
    few, many = truth.subsets(units, 0.1, 4, 7), truth.subsets(units, 0.1, 9, 7)
    assert (few == many[:4]).all()
    assert (few.sum(1) == 3).all()
    for row in few:
        assert {tuple(row[k : k + 3]) for k in range(0, 30, 3)} == {(False,) * 3, (True,) * 3}


def test_what_is_foretold_is_minus_the_sum_over_what_is_left_out():
    scores = np.array([[1.0, 2.0, 4.0], [0.0, -1.0, 3.0]])
    out = np.array([[True, False, True], [False, True, False]])
    assert truth.foretold(scores, out).tolist() == [[-5.0, -3.0], [-2.0, 1.0]]


def test_reliability_by_hand():
    came = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.0]])
    said = np.array([[10.0, 4.0], [20.0, 3.0], [30.0, 2.0], [40.0, 1.0]])
    found = truth.reliability(said, came)
    assert found.by_query == (1.0, -1.0)
    assert found.lds == 0.0
    assert found.low <= 0 <= found.high
    assert truth.reliability(np.ones((4, 1)), came[:, :1]).lds == 0.0


def test_owners_get_their_shares_and_what_is_negative_is_summed():
    scores = np.array([[4.0, -1.0]])
    owned = [{"a": 7500, "b": 2500}, {"a": 10_000}]
    found = truth.by_owner(scores, owned)
    assert {name: value.tolist() for name, value in found.items()} == {"a": [2.0], "b": [1.0]}


def test_words_in_common_know_neither_key_nor_tempo():
    works = [toy.tune(n) for n in range(6)]
    moved = Phrase.from_notes(
        works[3].notes["onset"] / 480 * 2, [1] * 24, works[3].notes["pitch"].astype(int) + 5
    )
    scores = lexical.scores(works, [works[3], moved])
    assert scores[0].tolist() == scores[1].tolist()
    assert np.argmax(scores[0]) == 3
    assert [column.tolist() for column in lexical.runs(moved)] == [
        column.tolist() for column in lexical.runs(works[3])
    ]


def test_a_run_by_hand():
    phrase = Phrase.from_notes([0, 1, 2, 4], [1] * 4, [60, 62, 64, 65])
    words, counts = lexical.runs(phrase)
    by_hand = [((2, 2), (0,)), ((2, 1), (2,)), ((2, 2, 1), (0, 2))]
    assert set(words.tolist()) == {int(lexical.word(*run)) for run in by_hand}
    assert counts.tolist() == [1, 1, 1]


def test_scores_without_damping_are_those_of_the_inverse_and_with_infinite_plain_products():
    rng = np.random.Generator(np.random.Philox(1))
    works, queries = rng.standard_normal((12, 2, 4)), rng.standard_normal((3, 2, 4))
    plain = np.einsum("qbd,wbd->qw", queries, works)
    assert gradients.scores(works, queries, np.inf) == pytest.approx(plain)
    by_hand = sum(
        queries[:, b] @ np.linalg.inv(works[:, b].T @ works[:, b] / 12) @ works[:, b].T
        for b in range(2)
    )
    assert gradients.scores(works, queries, 0.0) == pytest.approx(by_hand)
    assert np.abs(gradients.cosine(works, queries)).max() <= 1


def test_a_work_lies_along_its_own_gradient():
    network = Network.fresh(toy.RECIPE.shape, 3)
    windows = [gradients.asked_of(piece, 64) for piece in PIECES]
    projection = gradients.Projection.of(toy.RECIPE.shape)
    table = gradients.table(network, projection, windows)
    assert table.shape == (4, len(toy.RECIPE.shape.weights()), 8 * 16)
    found = gradients.cosine(table, table)
    assert np.diag(found) == pytest.approx(1.0)
    assert gradients.damping_for(table, table, lambda s: -abs(s).sum()) in gradients.DAMPINGS

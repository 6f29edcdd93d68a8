"""Training: same recipe, same bits; a killed run resumed walks the same path."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from musai.errors import BadInput
from musai.music import Phrase, Voice
from musai.transformer import data
from musai.transformer.baseline import Baseline
from musai.transformer.muon import orthogonal
from musai.transformer.recipe import OPTIMIZERS, Recipe, Schedule
from musai.transformer.shape import Shape
from musai.transformer.training import evaluate, kind_of, train

RECIPE = Recipe(
    "tiny",
    "none",
    shape=Shape(width=16, layers=1, heads=2, inner=32, window=64),
    schedule=Schedule(steps=30, rows_per_batch=256, warmup=5, rate=0.01, dropout=0.1),
)


def scale_tune(number):
    """A tune that walks up and down: easy to learn, different for each number."""
    steps = np.arange(32)
    pitch = 60 + np.array([0, 2, 4, 5, 7, 9, 11, 12])[np.abs((steps + number) % 14 - 7)]
    return Phrase.from_notes(steps, [1] * 32, pitch)


PIECES = [data.encode_work(f"w{i:02d}", scale_tune(i), 1, "scales") for i in range(12)]


def weights(folder, **options):
    network = train(options.pop("recipe", RECIPE), PIECES, folder, **options)
    return {name: weight.detach().numpy().copy() for name, weight in network.table.items()}


def same(a, b):
    return all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_same_recipe_gives_the_same_weights_also_when_killed_and_resumed(tmp_path, optimizer):
    recipe = replace(RECIPE, schedule=replace(RECIPE.schedule, optimizer=optimizer))
    whole = weights(tmp_path / "whole", recipe=recipe)
    assert same(whole, weights(tmp_path / "again", recipe=recipe))

    class KilledError(Exception):
        pass

    def kill(state):
        if state["step"] >= 20:
            raise KilledError

    with pytest.raises(KilledError):
        train(recipe, PIECES, tmp_path / "cut", every=7, progress=kill)
    assert (tmp_path / "cut" / "checkpoint.safetensors").exists()
    assert same(whole, weights(tmp_path / "cut", recipe=recipe, every=7))


def test_global_random_state_is_neither_read_nor_moved(tmp_path):
    torch.random.default_generator.manual_seed(1)
    before = torch.random.get_rng_state()
    first = weights(tmp_path / "a")
    assert torch.equal(before, torch.random.get_rng_state())
    torch.random.default_generator.manual_seed(2)
    assert same(first, weights(tmp_path / "b"))


def test_a_checkpoint_of_another_recipe_is_not_resumed(tmp_path):
    weights(tmp_path)
    other = Recipe(
        "tiny", "none", shape=RECIPE.shape, schedule=Schedule(steps=3, rows_per_batch=256)
    )
    fresh = weights(tmp_path / "fresh", recipe=other)
    assert same(fresh, weights(tmp_path, recipe=other))


def test_emphasis_nothing_takes_a_work_out_and_one_changes_nothing(tmp_path):
    plain = weights(tmp_path / "plain")
    ones = {piece.work_id: 1.0 for piece in PIECES}
    assert same(plain, weights(tmp_path / "ones", emphasis=ones))
    assert not same(plain, weights(tmp_path / "without", emphasis={"w03": 0.0}))


def test_learning_lowers_the_bits_and_the_baseline_is_counted_on_the_same_fields(tmp_path):
    network = train(RECIPE, PIECES, tmp_path)
    blank = train(
        Recipe("blank", "none", shape=RECIPE.shape, schedule=Schedule(steps=1, rows_per_batch=64)),
        PIECES,
        tmp_path / "blank",
    )
    learnt, before = evaluate(network, PIECES), evaluate(blank, PIECES)
    assert learnt["bits_per_note"] < before["bits_per_note"] - 1
    bits = Baseline(PIECES).bits(PIECES)
    assert set(bits) == set(learnt)
    assert bits["bits_per_note"] == pytest.approx(
        sum(v for k, v in bits.items() if k != "bits_per_note")
    )


def test_an_epoch_reads_every_note_once():
    samples = data.plan_epoch(PIECES, {}, 64, 1, 0)
    notes = sum((data.rows_of(s, PIECES[s.piece], 64)[1][:, 2] >= 0).sum() for s in samples)
    assert notes == sum(piece.notes for piece in PIECES)


def test_pieces_cut_out_count_their_own_bars():
    rng = np.random.Generator(np.random.Philox(3))
    for sample in data.cut(PIECES[0], 0, 64, rng):
        rows, _ = data.rows_of(sample, PIECES[0], 64)
        remaining = rows[rows[:, 0] == 3][:, 11]
        assert remaining[-1] == 1 + sample.end - sample.last
        assert sample.origin == sample.first or sample.first > sample.origin


def test_of_more_than_sixteen_voices_those_of_most_notes_are_read():
    notes = [
        (i, 1, 60, 64, voice) for voice in range(18) for i in range(3 if voice in (2, 5) else 4)
    ]
    columns = list(zip(*notes, strict=True))
    names = [Voice(f"part {i}", i) for i in range(18)]
    score = Phrase.from_notes(*columns, names=names)
    fitted = data.fitting(score)
    assert [voice.program for voice in fitted.voices] == [i for i in range(18) if i not in (2, 5)]
    assert len(fitted) == 64
    assert set(fitted.notes["voice"].tolist()) == set(range(16))
    assert data.fitting(fitted) is fitted
    assert data.encode_work("x", score, 0, "").voices == 16


def test_near_duplicates_share_a_cluster():
    tune = scale_tune(3)
    higher = Phrase.from_notes(np.arange(32), [1] * 32, tune.notes["pitch"] + 5)
    jagged = Phrase.from_notes(np.arange(32), [1] * 32, 60 + (np.arange(32) * 7) % 13)
    cluster = data.clusters(
        [
            ("a", "One", tune),
            ("b", "Two", higher),
            ("c", "Three", jagged),
            ("d", "three!", scale_tune(1)),
        ]
    )
    assert cluster["a"] == cluster["b"]
    assert cluster["c"] == cluster["d"]


def test_a_recipe_file_is_read_and_its_mistakes_named(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('name = "x"\ncorpus = "y"\n[shape]\nwidth = 64\n[schedule]\nsteps = 5\n')
    assert Recipe.read(path).shape.width == 64
    for text, said in [
        ('name = "x"\n', "corpus"),
        ('name = "x"\ncorpus = "y"\ncolour = 1\n', "'colour'"),
        ('name = "x"\ncorpus = "y"\n[shape]\nheads = 7\n', "width"),
        ("name =", "cannot be read"),
    ]:
        path.write_text(text)
        with pytest.raises(BadInput, match=said):
            Recipe.read(path)


@pytest.mark.parametrize("size", [(6, 6), (6, 20), (20, 6)])
def test_a_turned_matrix_keeps_its_directions_and_loses_its_lengths(size):
    generator = torch.Generator().manual_seed(3)
    matrix = torch.randn(size, generator=generator)
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    lengths = u.T @ orthogonal(matrix) @ v.T
    assert (lengths - torch.diag(lengths.diagonal())).abs().max() < 1e-4
    # Jordan's polynomial stays near 1, not at it.
    assert 0.3 < lengths.diagonal().min() <= lengths.diagonal().max() < 1.5
    assert torch.allclose(orthogonal(matrix), orthogonal(1000 * matrix), atol=1e-4)
    assert (orthogonal(torch.zeros(size)) == 0).all()


def test_with_muon_matrices_of_the_layers_turn_and_the_rest_goes_by_adam(tmp_path):
    schedule = replace(RECIPE.schedule, optimizer="muon")
    kinds = {name: kind_of(name, schedule) for name in RECIPE.shape.weights()}
    turned = {name for name, kind in kinds.items() if kind == "turned"}
    assert turned == {
        *(f"layer0.{part}" for part in ("qkv", "out", "up", "down")),
        *(f"{field}.mix" for field in RECIPE.shape.outputs),
    }
    assert kinds["embed"] == kinds["pitch.said"] == "free"
    assert kinds["pitch.head"] == "decayed"
    assert "turned" not in {kind_of(name, RECIPE.schedule) for name in kinds}

"""A model is what its recipe and corpus make, and that can be checked in whole or in part."""

import json
from pathlib import Path

import numpy as np
import pytest

from musai.corpus import Corpus
from musai.errors import Altered, NotFound
from musai.transformer import checkpoint
from musai.transformer.rebuilding import CLOSE, distance, sketch_of, verify
from musai.transformer.run import run
from tests.transformer.models import SMALL
from tests.transformer.test_training import scale_tune

RECIPE = """\
name = "tiny"
corpus = "CORPUS"
held_out = 0.3
[shape]
width = 16
layers = 1
heads = 2
inner = 32
window = 64
[schedule]
steps = 12
rows_per_batch = 256
warmup = 2
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder, with the corpus that it was made from beside it."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "music").mkdir()
    for number in range(8):
        (folder / "music" / f"{number}.mid").write_bytes(scale_tune(number).to_midi())
    Corpus.build(folder / "music", folder / "corpus", name="scales", mine=True)
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE.replace("CORPUS", (folder / "corpus").as_posix()), encoding="utf-8")
    run(recipe, None, folder / "tiny", folder / "work", "cpu")
    return folder / "tiny"


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return dict(json.loads(capsys.readouterr().out.splitlines()[-1]))


def test_the_whole_training_gives_the_same_weights(model, capsys):
    verify(model, None, None, False)
    told = said(capsys)
    assert (told["verdict"], told["distance"]) == ("EXACT", 0.0)
    assert told["whole"] is True
    assert told["changed"] == []


def test_its_first_steps_are_held_against_what_was_recorded(model, capsys):
    verify(model, None, 5, False)
    assert said(capsys)["verdict"] is None
    verify(model, None, 5, True)
    assert said(capsys)["verdict"] == "EXACT"
    assert checkpoint.check_sums(model)[checkpoint.PREFIX]
    verify(model, None, 5, False)
    assert said(capsys)["verdict"] == "EXACT"


def test_weights_apart_by_rounding_are_equivalent_and_a_step_less_is_not(model, capsys):
    verify(model, None, 4, True)
    verify(model, None, 5, True)
    capsys.readouterr()
    rows = json.loads((model / checkpoint.PREFIX).read_text(encoding="utf-8"))
    rounded = [x * (1 + 1e-9) for x in rows["5"]["sketch"]]
    for sketch, verdict in ((rounded, "EQUIVALENT"), (rows["4"]["sketch"], "OTHER")):
        rows["5"] = {"sha256": ["0" * 64], "sketch": sketch}
        (model / checkpoint.PREFIX).write_text(json.dumps(rows), encoding="utf-8")
        checkpoint.write_sums(model)
        verify(model, None, 5, False)
        told = said(capsys)
        assert told["verdict"] == verdict
        assert (told["distance"] < CLOSE) == (verdict == "EQUIVALENT")


def test_what_another_processor_gives_is_recorded_beside(model):
    for digest in ("a" * 64, "b" * 64, "a" * 64):
        checkpoint.record_prefix(model, 3, digest, [1.0, 2.0])
    assert checkpoint.prefixes(model)["3"] == checkpoint.Prefix(("a" * 64, "b" * 64), (1.0, 2.0))


@pytest.mark.parametrize("text", ["", "[]", '{"5": "0"}', '{"5": {"sha256": []}}', '{"5": null}'])
def test_a_record_that_cannot_be_read_is_told(model, tmp_path, text):
    (tmp_path / checkpoint.PREFIX).write_text(text, encoding="utf-8")
    with pytest.raises(Altered, match=r"prefix\.json cannot be read"):
        checkpoint.prefixes(tmp_path)


@pytest.mark.parametrize("size", [1e-7, 1e-2])
def test_a_sketch_tells_how_far_networks_are_apart(size):
    rng = np.random.Generator(np.random.Philox(5))
    start = {name: rng.normal(size=shape) for name, shape in SMALL.weights().items()}
    went = {name: value + 0.01 * rng.normal(size=value.shape) for name, value in start.items()}
    other = {n: x + 0.01 * size * rng.normal(size=x.shape) for n, x in went.items()}
    first, last, near = (sketch_of(SMALL, weights) for weights in (start, went, other))
    assert distance(near, last, first) == pytest.approx(size, rel=0.4)
    assert distance(last, last, first) == 0.0


def test_another_corpus_is_told_before_anything_is_trained(model, tmp_path):
    (tmp_path / "other.mid").write_bytes(scale_tune(3).to_midi())
    Corpus.build(tmp_path / "other.mid", tmp_path / "corpus", name="other", mine=True)
    with pytest.raises(Altered, match="is not what tiny was made from"):
        verify(model, str(tmp_path / "corpus"), 5, False)


def test_a_missing_corpus_is_named(model):
    with pytest.raises(NotFound, match="nosuch"):
        verify(model, "nosuch", 5, False)


@pytest.mark.parametrize("where", ["cut", "byte"])
def test_a_model_file_cut_short_or_altered_is_refused(model, tmp_path, where):
    for file in model.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = tmp_path / checkpoint.WEIGHTS
    data = bytearray(weights.read_bytes())
    if where == "cut":
        del data[-1:]
    else:
        data[len(data) // 2] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(Altered, match=r"weights\.safetensors has SHA-256"):
        checkpoint.load(tmp_path)

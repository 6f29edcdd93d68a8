"""A model is what its recipe and corpus make, and that can be checked in whole or in part."""

import json
from pathlib import Path

import pytest

from musai.corpus import Corpus
from musai.errors import Altered, NotFound
from musai.transformer import checkpoint
from musai.transformer.rebuilding import verify
from musai.transformer.run import run
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
    assert told["same"] is True
    assert told["whole"] is True
    assert told["changed"] == []


def test_its_first_steps_are_held_against_what_was_recorded(model, capsys):
    verify(model, None, 5, False)
    assert said(capsys)["same"] is None
    verify(model, None, 5, True)
    assert said(capsys)["same"] is True
    assert checkpoint.check_sums(model)[checkpoint.PREFIX]
    (model / checkpoint.PREFIX).write_text(json.dumps({"5": "0" * 64}), encoding="utf-8")
    checkpoint.write_sums(model)
    verify(model, None, 5, False)
    assert said(capsys)["same"] is False


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

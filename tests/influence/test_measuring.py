"""Reliability measured on a model by training it again without some works, and used from then on."""

import json
from pathlib import Path

import numpy as np
import pytest
import toy

from musai.corpus import Corpus
from musai.errors import Altered, BadInput
from musai.influence.found import PROXY
from musai.influence.kept import measured_of
from musai.influence.measuring import Asked, measure
from musai.influence.shelf import Shelf
from musai.influence.through import Asked as Through
from musai.influence.through import through
from musai.music import Phrase
from musai.transformer import checkpoint
from musai.transformer.run import run
from tests.transformer.test_rebuilding import RECIPE


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that holds out works enough to be asked about."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "music").mkdir()
    for number in range(16):
        (folder / "music" / f"{number}.mid").write_bytes(toy.tune(number).to_midi())
    Corpus.build(folder / "music", folder / "corpus", name="scales", mine=True)
    recipe = folder / "recipe.toml"
    text = RECIPE.replace("CORPUS", (folder / "corpus").as_posix()).replace("0.3", "0.5")
    recipe.write_text(text, encoding="utf-8")
    run(recipe, None, folder / "tiny", folder / "work", "cpu")
    return folder / "tiny"


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("MUSAI_HOME", str(tmp_path))
    return tmp_path


def test_what_is_measured_is_kept_and_used_and_a_broken_run_goes_on(model, place):
    held = checkpoint.load(model)
    phrase = toy.tune(3)
    corpus = str(model.parent / "corpus")
    before = Shelf.open(str(model), corpus)
    before.prepare()
    assert before.ask(phrase).reliability == PROXY
    found = measure(Asked(model, None, 3, 4))
    assert found == measured_of(place, held.model_id)
    assert (found.subsets, found.queries, found.unit) == (3, 2, "work")
    rows = next((place / "influence").rglob("rows.jsonl"))
    lines = rows.read_text().splitlines()
    assert [json.loads(line)["subset"] for line in lines] == [-1, 0, 1, 2]
    # Cut short in its last row: that one is trained again, to the same figures.
    rows.write_text("\n".join(lines)[:-20])
    assert measure(Asked(model, None, 3, 4)) == found
    again = [json.loads(line) for line in rows.read_text().splitlines() if line.endswith("}")]
    assert {row["subset"] for row in again} == {-1, 0, 1, 2}
    after = Shelf.open(str(model), corpus)
    after.prepare()
    told = after.ask(phrase)
    assert told.reliability == found.sentence
    assert told.works[0].nats is not None
    assert sum(after.estimates(phrase).values()) == pytest.approx(
        found.slope * np.sum([_estimate(after, phrase)]), rel=1e-6
    )


def _estimate(shelf: Shelf, phrase) -> float:
    return float(shelf._by_place(phrase)[1].sum())


def test_through_training_tells_of_every_work_that_may_be_named_in_nats(model, place):
    phrase = toy.tune(3)
    told = through(Through(model, None, phrase))
    assert told["hidden"] == 0
    assert told["log_p"]["twin"] == pytest.approx(told["log_p"]["model"], rel=0.05)
    assert len(told["works"]) == len(checkpoint.work_ids(model))
    values = [row["nats"] for row in told["works"]]
    assert values == sorted(values, reverse=True)
    assert sum(values) == pytest.approx(sum(row["nats"] for row in told["owners"]))
    with pytest.raises(BadInput, match="holds no notes"):
        through(Through(model, None, Phrase.from_notes([], [], [], length=4)))


def test_too_few_works_to_ask_about_and_another_corpus_are_told(model, place, tmp_path):
    with pytest.raises(BadInput, match="legal is 4 or more"):
        measure(Asked(model, None, 3, 2))
    import shutil

    from musai.corpus.changes import remove

    shutil.copytree(model.parent / "corpus", tmp_path / "corpus")
    other = Corpus.open(tmp_path / "corpus")
    remove(other, other.works[0].id, on=None)
    with pytest.raises(Altered, match="is not what tiny was made from"):
        measure(Asked(model, str(tmp_path / "corpus"), 3, 4))

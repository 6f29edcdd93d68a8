"""A model whose music is not here, or not all of it, is held against by its fingerprints."""

from pathlib import Path

import numpy as np
import pytest

from musai.corpus import Corpus
from musai.corpus.store import known_ids
from musai.match import fingerprints
from musai.match.catalogue import catalogue
from musai.match.printed import MODEL
from musai.music import Phrase
from musai.service import printed
from musai.service.comparing import Answer
from musai.transformer import checkpoint


def tune(seed: int) -> Phrase:
    draw = np.random.Generator(np.random.Philox(seed))
    return Phrase.from_notes(np.arange(40) / 2, [0.5] * 40, 60 + draw.integers(0, 12, 40))


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model's folder in a home without corpora: recipe, works and fingerprints of four tunes."""
    monkeypatch.setenv("MUSAI_HOME", str(tmp_path))
    music = tmp_path / "music"
    music.mkdir()
    for number in range(4):
        (music / f"tune {number}.mid").write_bytes(tune(number).to_midi())
    made = Corpus.build(music, tmp_path / "made", name="far", mine=True)
    folder = tmp_path / "models" / "small"
    folder.mkdir(parents=True)
    (folder / checkpoint.WEIGHTS).touch()
    (folder / checkpoint.RECIPE).write_text('name = "small"\ncorpus = "far"\n', encoding="utf-8")
    ids = [work.id for work in made.works]
    rows = [f"{work.id},{work.title},,,LicenseRef-own,," for work in made.works]
    head = "id,title,creators,collection,licence,attribution,notes"
    (folder / checkpoint.WORKS).write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    fingerprints.save(fingerprints.make(catalogue(made), ids), folder)
    return "small"


def test_a_guard_is_told_of_the_fingerprints_until_every_work_is_here(
    model: str, tmp_path: Path
) -> None:
    assert printed.held_against(["tunebook"], model) == [MODEL + model]
    guard = printed.guards()(12, printed.held_against([], model))
    assert [row["name"] for row in guard.describe()["corpora"]] == ["model:small"]
    music, here = tmp_path / "music", tmp_path / "corpora" / "far"
    Corpus.build([music / f"tune {n}.mid" for n in range(3)], here, mine=True)
    assert printed.held_against(["far"], model) == ["far", MODEL + model]
    whole = Corpus.build(music, tmp_path / "whole", name="far", mine=True)
    assert known_ids(whole.path) == {work.id for work in whole.works}
    for file in whole.path.iterdir():
        if file.is_file():
            (here / file.name).write_bytes(file.read_bytes())
    assert printed.held_against(["far"], model) == ["far"]


def test_a_model_that_is_not_there_is_no_reason_to_fail(tmp_path: Path) -> None:
    assert printed.held_against(["a"], str(tmp_path / "none")) == ["a"]


def test_the_answer_names_whose_run_it_holds_and_keeps_its_light(model: str) -> None:
    notes = tune(2).notes[5:20].copy()
    notes["pitch"] += 3
    passage = tune(2).with_notes(notes)
    told = Answer({"light": "green", "sentence": "nothing near"}, [], 1.0)
    said = printed.fingerprinted(told, passage, model).verdict
    assert said["light"] == "green"
    assert said["sentence"].startswith(
        "nothing near; it shares exact runs of 7 notes or more with tune 2"
    )
    assert [row["title"] for row in said["fingerprints"]] == ["tune 2"]
    assert printed.fingerprinted(told, passage, "none at all") is told

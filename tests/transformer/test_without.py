"""A model minus some works: trained from the same recipe, compared in weights, likelihood and notes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from musai.corpus import Corpus
from musai.corpus.changes import restate
from musai.corpus.licences import Term
from musai.errors import Altered, BadInput, NotAllowed, NotFound
from musai.transformer import checkpoint, training
from musai.transformer.making import gather
from musai.transformer.recipe import Recipe
from musai.transformer.without import Asked, weights_change, without, work_folder
from tests.transformer.test_rebuilding import model

__all__ = ["model"]


def asked(folder: Path, *works: str, steps: int | None = 6, **also: Path) -> Asked:
    return Asked(folder, None, works, steps, 3, also.get("out"))


def test_fewer_steps_compare_both_models_and_write_none(model: Path) -> None:
    work = checkpoint.work_ids(model)[0]
    told = without(asked(model, work[:12]))
    assert told["works"] == [work]
    assert 0 < told["weights"]["relative"] < 1
    assert (
        told["bits_per_note"]["those_works"]["after"]
        != told["bits_per_note"]["those_works"]["before"]
    )
    assert told["seeds"]["played"] == 3
    assert told["out"] is None
    assert without(asked(model, work))["weights"] == told["weights"]
    json.dumps(told)


def test_the_whole_training_writes_a_model_that_does_not_name_the_work(
    model: Path, tmp_path: Path
) -> None:
    work = checkpoint.work_ids(model)[0]
    told = without(asked(model, work, steps=None, out=tmp_path / "new"))
    assert told["whole"]
    made = checkpoint.load(tmp_path / "new")
    assert made.origin["without"] == [work]
    assert work not in checkpoint.work_ids(tmp_path / "new")
    assert made.model_id != told["model_id"]


def test_a_training_that_was_cut_short_goes_on_and_changes_nothing(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = checkpoint.work_ids(model)[0]
    at_once = without(asked(model, work))
    recipe = Recipe.read(model / checkpoint.RECIPE)
    material = gather(Corpus.open(recipe.corpus), recipe, datetime.now(UTC).date())
    folder = work_folder(recipe, material.material_id, 6, (work,))
    assert not folder.exists()
    training.train(recipe, material.train, folder, until=3, emphasis={work: 0.0})
    resume, done = training.resume, []

    def seen(*arguments: object) -> int:
        done.append(resume(*arguments))  # type: ignore[arg-type]
        return done[-1]

    monkeypatch.setattr(training, "resume", seen)
    assert without(asked(model, work)) == at_once
    assert done == [0, 3]
    assert not folder.exists()


def test_nothing_left_out_changes_nothing(model: Path) -> None:
    weights = checkpoint.load(model).weights
    assert weights_change(weights, weights)["relative"] == 0


def test_works_that_do_not_fit_are_named(model: Path) -> None:
    with pytest.raises(NotFound, match="0 works whose id begins with 'zzzzzzz'"):
        without(asked(model, "zzzzzzz"))
    with pytest.raises(BadInput, match="leave one at least"):
        without(asked(model, *checkpoint.work_ids(model)))


def test_a_revoked_work_is_left_out_by_a_whole_training_and_not_trained_on_for_fewer_steps(
    model: Path, tmp_path: Path
) -> None:
    work = checkpoint.work_ids(model)[0]
    corpus = Corpus.open(model.parent / "corpus")
    before = corpus.work(work).terms

    def set_terms(term: Term) -> None:
        from dataclasses import replace

        restate(corpus, [work], lambda w: replace(w, terms=w.terms.changed("train", term)))

    set_terms(Term("denied", "revoked"))
    try:
        with pytest.raises(NotAllowed, match="leave --steps out"):
            without(asked(model, work))
        assert without(asked(model, work, steps=None))["whole"]
    finally:
        set_terms(before.train)


def test_another_corpus_is_told(model: Path, tmp_path: Path) -> None:
    other = Corpus.open(model.parent / "corpus")
    import shutil

    from musai.corpus.changes import remove

    shutil.copytree(other.path, tmp_path / "corpus")
    remove(Corpus.open(tmp_path / "corpus"), other.works[0].id, on=None)
    with pytest.raises(Altered, match="is not what tiny was made from"):
        without(
            Asked(model, str(tmp_path / "corpus"), (checkpoint.work_ids(model)[0],), 5, 1, None)
        )

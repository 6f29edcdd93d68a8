"""The works of a model as influence sees them: kept once, asked often, named only where terms allow."""

import json

import numpy as np
import pytest
import toy

from musai.corpus import Work
from musai.corpus.licences import Term, Terms
from musai.folders import home
from musai.influence import kept
from musai.influence.shelf import EVERY, Shelf
from tests.transformer.models import small_model

FREE = Terms(influence=Term("allowed"))
PHRASES = [toy.tune(n) for n in range(6)]


def work(number: int, terms: Terms = FREE) -> Work:
    name = f"{number:064x}"
    return Work(name, f"tune {number}", terms=terms, collection="tunes" if number % 2 else "airs")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSAI_HOME", str(tmp_path))
    return tmp_path


def shelf(works=None, missing=0) -> Shelf:
    held = Shelf(small_model(), works or [work(n) for n in range(6)], PHRASES, missing)
    held.prepare()
    return held


def test_a_work_heads_the_words_and_is_among_the_gradients_when_it_is_asked_for_itself(place):
    found = shelf().ask(PHRASES[3])
    assert found.similar[0].title == "tune 3"
    assert found.similar[0].lexical == found.works[0].gradient == 1.0
    assert "tune 3" in {pull.title for pull in found.works}
    assert {row.name for row in found.collections} == {"tunes", "airs"}
    assert found.sentence.startswith("Similarity and influence ")
    assert -1 <= found.agreement <= 1


def test_a_work_whose_terms_deny_the_display_is_counted_and_not_named(place):
    works = [work(n, Terms() if n == 3 else FREE) for n in range(6)]
    found = shelf(works, missing=2).ask(PHRASES[3])
    assert "tune 3" not in {p.title for p in (*found.works, *found.similar)}
    assert (found.hidden, found.missing) == (1, 2)


def test_gradients_are_worked_out_once_and_go_on_where_they_broke_off(place):
    first = shelf()
    folder = next((home() / "influence").iterdir())
    before = np.load(folder / "gradients.npy")
    again = Shelf(small_model(), [work(n) for n in range(6)], PHRASES, 0)
    said = []
    again.prepare(lambda *told: said.append(told))
    assert said == []
    held = json.loads((folder / "gradients.json").read_text())
    table = np.load(folder / "gradients.npy", mmap_mode="r+")
    table[4:] = 0
    table.flush()
    (folder / "gradients.json").write_text(json.dumps({**held, "done": 4}))
    again.prepare(lambda *told: said.append(told))
    assert said == [(6, 6, "gradients of the training works")]  # what any phrase is told was kept
    assert (np.load(folder / "gradients.npy") == before).all()
    assert first.ask(PHRASES[2]) == again.ask(PHRASES[2])
    assert EVERY > 0


@pytest.mark.parametrize("broken", ["", "{}", '{"key": "other", "done": 6}', '{"key": 1'])
def test_a_table_of_other_works_or_half_a_note_of_it_is_made_anew(place, broken):
    shelf()
    folder = next((home() / "influence").iterdir())
    before = np.load(folder / "gradients.npy")
    (folder / "gradients.json").write_text(broken)
    shelf()
    assert (np.load(folder / "gradients.npy") == before).all()


def test_an_estimate_is_kept_under_model_and_phrase_and_read_again(place):
    held = shelf()
    found = held.ask(PHRASES[3])
    kept.save(found, place, PHRASES[3].id)
    assert kept.load(place, held.model_id, PHRASES[3].id) == found
    assert kept.estimated(place, held.model_id) == [PHRASES[3].id]
    assert kept.load(place, "f" * 64, PHRASES[3].id) is None
    assert kept.load(place, held.model_id[:16] + "f" * 48, PHRASES[3].id) is None


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"found": {}}'])
def test_an_estimate_that_cannot_be_read_is_none(place, broken):
    held = shelf()
    path = kept.save(held.ask(PHRASES[3]), place, PHRASES[3].id)
    path.write_text(broken)
    assert kept.load(place, held.model_id, PHRASES[3].id) is None

"""From a corpus to a model that plays, and what stands in the way."""

import csv
import hashlib
import io
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from filelock import FileLock

from musai.corpus import Corpus
from musai.errors import BadInput, NotAllowed
from musai.music import Metre, Phrase, Signature, Tempo, Voice
from musai.transformer import Player, Request, card, checkpoint
from musai.transformer.making import gather, styles_of
from musai.transformer.recipe import Recipe
from musai.transformer.run import main

RECIPE = """
name = "few"
corpus = "few"
held_out = 0.3
[shape]
width = 16
layers = 1
heads = 2
inner = 32
window = 64
[schedule]
steps = 6
rows_per_batch = 256
"""


def tune(number):
    """A tune of sixteen quarters in a key of its own."""
    steps = np.arange(16)
    pitch = 60 + number + np.array([0, 2, 4, 7, 9, 12])[(steps * (number + 1)) % 6]
    return Phrase.from_notes(steps, [1] * 16, pitch)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("music")
    for number in range(9):
        (place / f"tune {number}.mid").write_bytes(tune(number).to_midi())
    return place


def run(recipe_text, corpus, place):
    recipe = place / "recipe.toml"
    recipe.write_text(recipe_text)
    out, work = place / "model", place / "work"
    status = main([str(recipe), "--corpus", str(corpus), "--out", str(out), "--work", str(work)])
    return status, out


def test_a_model_made_from_ones_own_works_plays(folder, tmp_path, capsys):
    corpus = Corpus.build(folder, tmp_path / "few", mine=True)
    status, out = run(RECIPE, corpus.path, tmp_path)
    assert status == 0, capsys.readouterr().out
    player = Player.open(out)
    assert player.name == "few"
    assert player.play(Request(bars=2, seed=1)).bars == 2
    rows = list(csv.DictReader(io.StringIO((out / "works.csv").read_text(encoding="utf-8"))))
    origin = checkpoint.load(out).origin
    assert len(rows) == origin["works"] < len(corpus)
    assert {row["id"] for row in rows} <= {work.id for work in corpus.works}
    assert "n-gram baseline" in (out / "card.md").read_text(encoding="utf-8")
    weights = hashlib.sha256((out / "weights.safetensors").read_bytes()).hexdigest()
    assert player.model_id == weights


def test_the_same_recipe_and_corpus_give_the_same_model(folder, tmp_path, capsys):
    ids = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        corpus = Corpus.build(folder, tmp_path / name / "few", mine=True)
        _, out = run(RECIPE, corpus.path, tmp_path / name)
        ids.append(checkpoint.load(out).model_id)
    assert ids[0] == ids[1]


def test_two_runs_never_share_a_work_folder(folder, tmp_path, capsys):
    corpus = Corpus.build(folder, tmp_path / "few", mine=True)
    (tmp_path / "work").mkdir()
    with FileLock(tmp_path / "work" / "lock"):
        status, out = run(RECIPE, corpus.path, tmp_path)
    assert status == BadInput.exit_code
    assert "another run is training" in capsys.readouterr().out
    assert not out.exists()


def test_works_whose_terms_deny_training_are_refused_by_name(folder, tmp_path, capsys):
    corpus = Corpus.build(folder, tmp_path / "few")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE)
    with pytest.raises(NotAllowed) as caught:
        gather(corpus, Recipe.read(recipe), date(2026, 1, 1), lambda text: None)
    assert "9 works" in str(caught.value)
    assert "tune" in str(caught.value)
    status, out = run(RECIPE, corpus.path, tmp_path)
    assert status == NotAllowed.exit_code
    assert not out.exists()
    assert "NotAllowed" in capsys.readouterr().out


BAND = """
name = "band"
corpus = "band"
held_out = 0.3
[groups]
tunes = "tunes"
[weights]
tunes = 2.0
[shape]
width = 16
layers = 1
heads = 2
inner = 32
window = 64
fields = 6
[schedule]
steps = 4
rows_per_batch = 256
"""


def test_a_model_of_loudness_and_timing_is_made_of_a_folder_with_credits(tmp_path, capsys):
    place = tmp_path / "tunes"
    place.mkdir()
    lines = ["path,title,collection,licence,attribution"]
    for number in range(9):
        played = np.arange(16) + 0.02 * (np.arange(16) % 3)
        phrase = Phrase.from_notes(
            played, [0.5] * 16, [22 + number + i % 20 for i in range(16)], 40 + 5 * np.arange(16),
            names=(Voice("kit", 0, number % 2 == 0),),
        )  # fmt: skip
        (place / f"{number}.mid").write_bytes(phrase.to_midi())
        lines.append(
            f"{number}.mid,take {number} x,book {number},CC-BY-4.0,Played by Nobody {number}"
        )
    (place / "manifest.csv").write_text("\n".join(lines) + "\n")
    corpus = Corpus.build(place, tmp_path / "band")
    status, out = run(BAND, corpus.path, tmp_path)
    assert status == 0, capsys.readouterr().out
    model = checkpoint.load(out)
    assert model.collections == ("tunes",)
    assert model.shape.outputs[4:] == ("velocity", "nudge")
    card = (out / "card.md").read_text(encoding="utf-8")
    assert "| CC-BY-4.0 |" in card
    assert "Played by Nobody" in card
    assert "music21" not in card
    assert Player.open(out).play(Request(bars=1, seed=1)).bars == 1


def test_styles_come_in_the_recipe_s_order_and_an_upbeat_does_not_set_the_metre():
    metre = Metre((Tempo.from_bpm(100),), (Signature(0, 1, 4), Signature(480, 4, 4)))
    tune = Phrase.from_notes([0, 1, 2, 3, 4], 1, [60, 62, 64, 65, 67], metre=metre, length=9)
    works = [("many", tune), ("many", tune), ("few", tune), ("least", tune), ("many", tune)]
    assert [style.name for style in styles_of(works)] == ["many", "few", "least"]
    led = styles_of(works, ("least", "none", "few"))
    assert [style.name for style in led] == ["least", "few", "many"]
    assert led[0].signature == (4, 4)


def test_a_recipe_for_few_works_holds_the_same_ones_out_and_fewer_are_among_more(folder, tmp_path):
    corpus = Corpus.build(folder, tmp_path / "few", mine=True)
    recipe = Recipe(name="few", corpus="few", held_out=0.3)

    def gathered(works):
        told = gather(corpus, replace(recipe, works=works), date(2026, 1, 1), lambda text: None)
        return [p.work_id for p in told.train], [p.work_id for p in told.held_out]

    every, aside = gathered(0)
    three, two = gathered(3), gathered(2)
    assert (len(three[0]), len(two[0])) == (3, 2)
    assert set(two[0]) < set(three[0]) < set(every)
    assert three[1] == two[1] == aside
    assert gathered(100) == (every, aside)


def test_a_card_says_what_a_model_tells_no_better_than_n_grams() -> None:
    figures = {
        "model": {"bits_per_note": 7.0, "pitch": 4.1, "duration": 1.0, "velocity": 2.0},
        "baseline": {"bits_per_note": 8.0, "pitch": 4.0, "duration": 1.2},
    }
    assert "- It tells pitch no better than n-grams do" in card._short_of(figures)
    figures["model"]["pitch"] = 3.0
    assert card._short_of(figures) == ""

"""A model that goes on learning from somebody's own works: terms first, the same bits each time."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors import safe_open

from musai.cli import main
from musai.corpus import Corpus
from musai.errors import Altered, BadInput, NotAllowed
from musai.music import Phrase
from musai.transformer import Player, Request, checkpoint
from musai.transformer.making import added
from musai.transformer.recipe import Recipe
from musai.transformer.run import run
from musai.transformer.training import beginning
from musai.transformer.tuning import recipe_text
from tests.transformer.models import STYLES
from tests.transformer.test_rebuilding import RECIPE


def tune(number: int, turn: int = 3) -> Phrase:
    """A tune of 24 quarters of its own."""
    steps = np.arange(24)
    pitch = 60 + np.array([0, 2, 4, 5, 7, 9, 11])[(steps * (number + 2) + steps // turn) % 7]
    return Phrase.from_notes(steps, [1] * 24, pitch + number % 5)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a model named tiny, and a folder of eight tunes beside it."""
    place = tmp_path_factory.mktemp("home")
    for folder, turn in (("old", 3), ("mine", 2)):
        (place / folder).mkdir()
        for number in range(8):
            (place / folder / f"{folder} {number}.mid").write_bytes(tune(number, turn).to_midi())
    Corpus.build(place / "old", place / "corpora" / "old", name="old", mine=True)
    recipe = place / "recipe.toml"
    recipe.write_text(RECIPE.replace("CORPUS", "old"), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUSAI_HOME", str(place))
        run(recipe, None, place / "models" / "tiny", place / "work", "cpu")
    return place


@pytest.fixture
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MUSAI_HOME", str(home))
    monkeypatch.chdir(home)
    return home


def train(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def test_it_goes_on_from_the_models_weights_with_its_own_collection(at_home: Path) -> None:
    result = train("--from", "tiny", "--on", "mine", "--mine", "--steps", 6, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert {"model", "start", "baseline", "model_on_training"} <= set(told)
    made = checkpoint.load("mine")
    before = checkpoint.load("tiny")
    assert made.collections == (*before.collections, "mine")
    assert made.origin["start"] == before.model_id
    assert made.model_id != before.model_id
    assert Player.open("mine").play(Request(bars=2, collection="mine")).bars == 2
    recipe = Recipe.read(made.folder / checkpoint.RECIPE)
    assert (recipe.start, recipe.corpus) == ("tiny", "mine")
    first = beginning(recipe)
    assert all(
        np.array_equal(first.weight(name).detach().numpy(), w) for name, w in before.weights.items()
    )
    assert "known by heart" in (made.folder / checkpoint.CARD).read_text(encoding="utf-8")
    checkpoint.check_sums(made.folder)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="ends a process and its child by their group")
def test_a_command_that_was_killed_goes_on_and_ends_with_the_same_weights(
    at_home: Path, tmp_path: Path
) -> None:
    given = ["--from", "tiny", "--on", "mine", "--mine", "--steps", 240]
    result = train(*given, "--name", "whole", "--json")
    assert result.exit_code == 0, result.output
    again = [*given, "--name", "halted"]
    program = "from musai.cli import main; main()"
    command = [sys.executable, "-c", program, "train", *map(str, again)]
    kept = at_home / "runs" / "halted" / "checkpoint.safetensors"
    with subprocess.Popen(
        command, cwd=at_home, start_new_session=True, stderr=subprocess.DEVNULL
    ) as child:
        while not kept.exists() and child.poll() is None:
            time.sleep(0.01)
        os.killpg(child.pid, signal.SIGKILL)
    with safe_open(kept, "np") as file:
        assert 24 <= int(file.metadata()["step"]) < 240
    assert not (at_home / "models" / "halted" / checkpoint.WEIGHTS).exists()
    result = train(*again, "--json")
    assert result.exit_code == 0, result.output
    whole, halted = checkpoint.load("whole"), checkpoint.load("halted")
    assert all(np.array_equal(whole.weights[name], w) for name, w in halted.weights.items())


def test_two_models_are_compared_on_works_that_neither_has_seen(at_home: Path) -> None:
    if not (at_home / "models" / "mine").exists():
        train("--from", "tiny", "--on", "mine", "--mine", "--steps", 6)
    command = ["model", "compare", "tiny", "mine", "--phrases", "3", "--json"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["corpus"] == "mine"
    before, after = told["models"]
    trained = len(checkpoint.work_ids(checkpoint.folder_of("mine")))
    assert (before["training_works"], after["training_works"]) == (0, trained)
    assert before["held_out_works"] == after["held_out_works"] == 8 - trained
    assert before["on_training"] is None
    assert after["on_training"] > 0
    assert all(
        0 <= row[name] <= 1 for row in told["models"] for name in ("runs_of_8", "runs_of_12")
    )


def test_the_same_command_again_gives_the_same_weights(at_home: Path) -> None:
    ids = []
    for name in ("one", "two"):
        result = train("--from", "tiny", "--on", "mine", "--mine", "--steps", 5, "--name", name,
                       "--out", at_home / "out" / name, "--work", at_home / "runs" / name)  # fmt: skip
        assert result.exit_code == 0, result.output
        weights = checkpoint.load(at_home / "out" / name).weights
        ids.append({key: weight.tobytes() for key, weight in weights.items()})
    assert ids[0] == ids[1]


def test_works_of_unknown_terms_are_refused_by_name(at_home: Path) -> None:
    (at_home / "theirs").mkdir(exist_ok=True)
    for number in range(5):
        (at_home / "theirs" / f"song {number}.mid").write_bytes(tune(number, 5).to_midi())
    result = train("--from", "tiny", "--on", "theirs", "--steps", 2)
    assert result.exit_code == NotAllowed.exit_code
    assert "5 works of corpus theirs do not allow training: " in result.output
    assert "declare it with --mine" in result.output
    assert not (at_home / "models" / "theirs").exists()
    assert not (at_home / "runs" / "theirs").exists()


@pytest.mark.parametrize(
    "arguments",
    [(), ("--from", "tiny"), ("--on", "mine"), ("recipe.toml", "--from", "tiny", "--on", "mine")],
)
def test_half_a_wish_says_what_is_missing(at_home: Path, arguments: tuple[str, ...]) -> None:
    result = train(*arguments)
    assert result.exit_code == BadInput.exit_code
    assert "takes a RECIPE, or --from MODEL together with --on CORPUS" in result.output


def test_few_works_are_refused_with_the_least_that_is_legal(at_home: Path, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.mid").write_bytes(tune(number).to_midi())
    few = Corpus.build(tmp_path, tmp_path / "few", name="few", mine=True)
    with pytest.raises(BadInput, match="few has 3 works; legal is 5 or more"):
        recipe_text(checkpoint.load("tiny"), few, name="few")


def test_another_start_than_the_recipes_is_an_error(at_home: Path) -> None:
    source = Corpus.open("old")
    text = recipe_text(checkpoint.load("tiny"), source, name="new")
    path = at_home / "other.toml"
    path.write_text(text.replace('start_id = "', 'start_id = "0'), encoding="utf-8")
    with pytest.raises(Altered, match="the recipe new starts from 0"):
        beginning(Recipe.read(path))


def test_more_music_takes_more_steps_and_the_recipe_is_toml(at_home: Path) -> None:
    text = recipe_text(checkpoint.load("tiny"), Corpus.open("old"), name='a "b"', place="C:\\x")
    told = tomllib.loads(text)
    assert (told["name"], told["corpus"], told["schedule"]["steps"]) == ('a "b"', "C:\\x", 40)


def test_a_models_collections_keep_their_numbers() -> None:
    ours = (STYLES[0].__class__("ours", STYLES[0].voices, 100.0, (3, 4), "D"),)
    assert added(STYLES, ours) == (*STYLES, *ours)
    assert added(STYLES, STYLES[:1]) == STYLES
    full = tuple(STYLES[0].__class__(str(i), (), 100.0, (4, 4), "C") for i in range(32))
    assert [style.name for style in added(full, ours)][-2:] == ["30", "ours"]

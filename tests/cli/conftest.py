"""A small model of random weights and a home folder of its own for each command."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from musai.cli import main
from musai.transformer import checkpoint as ck
from tests.transformer.models import SMALL, STYLES, random_weights

Run = Callable[..., Result]


def write_model(folder: Path, name: str = "random", seed: int = 1) -> Path:
    """A model folder that `Player.open` accepts."""
    folder.mkdir(parents=True)
    weights = random_weights(SMALL, seed)
    data = ck.weights_bytes(name, SMALL, STYLES, {"works": 2}, weights)
    (folder / ck.WEIGHTS).write_bytes(data)
    (folder / ck.RECIPE).write_text(f'name = "{name}"\n')
    ck.write_sums(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder, with the model "random" as the default, and the current folder beside it."""
    place = tmp_path / "home"
    write_model(place / "models" / "random")
    monkeypatch.setenv("MUSAI_HOME", str(place))
    monkeypatch.setenv("MUSAI_MODEL", "random")
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    monkeypatch.chdir(tmp_path)
    return place


@pytest.fixture
def run(home: Path) -> Run:
    """Run musai with these arguments."""
    return lambda *arguments: CliRunner().invoke(main, [str(one) for one in arguments])

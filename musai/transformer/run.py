"""A training run in a process of its own: `python -m musai.transformer.run RECIPE ...`.

`musai train` starts it with the environment that makes torch's arithmetic
repeatable; it prints one JSON object a line and writes the model folder at
the end, so a run that is cut short leaves no half-written model.
"""

import argparse
import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from musai.corpus import Corpus
from musai.errors import BadInput, MusaiError
from musai.transformer import checkpoint, data, training
from musai.transformer.baseline import Baseline
from musai.transformer.card import card_text
from musai.transformer.making import Material, gather, origin_of, works_csv
from musai.transformer.network import Network
from musai.transformer.recipe import Recipe

MOST_BETWEEN = 200
"""Steps between two checkpoints at most; a short run has ten of them."""


def say(**values: Any) -> None:
    """One line of progress."""
    print(json.dumps(values), flush=True)


def measure(
    network: Network, material: Material, recipe: Recipe | None = None
) -> dict[str, dict[str, float]]:
    """Held-out and training bits a note of the model, of the n-gram baseline, and of its start."""
    few = material.train[:: max(1, len(material.train) // 200)]
    figures = {
        "model": training.evaluate(network, material.held_out),
        "model_on_training": training.evaluate(network, few),
        "baseline": Baseline(material.train).bits(material.held_out),
    }
    if recipe is not None and recipe.start:
        aside = [data.untold(piece) for piece in material.held_out]
        figures["start"] = training.evaluate(training.beginning(recipe), aside)
    return figures


def run(recipe_path: Path, corpus: str | None, out: Path, work: Path, device: str) -> None:
    """Train, measure, and put the finished model in `out`."""
    recipe = Recipe.read(recipe_path)
    work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(work / "lock", timeout=0):
            _run(recipe, recipe_path, corpus, out, work, device)
    except Timeout:
        raise BadInput(f"another run is training in {work}; legal is a work folder a run") from None


def _run(
    recipe: Recipe, recipe_path: Path, corpus: str | None, out: Path, work: Path, device: str
) -> None:
    day = datetime.now(UTC).date()
    source = Corpus.open(corpus or recipe.corpus)
    material = gather(source, recipe, day, lambda text: say(stage="corpus", text=text))
    network = training.train(
        recipe,
        material.train,
        work,
        device=device,
        every=max(1, min(MOST_BETWEEN, recipe.schedule.steps // 10)),
        progress=lambda state: say(stage="train", **state),
    )
    say(stage="measure", text="bits a note on held-out works, and the n-gram baseline")
    figures = measure(network.to("cpu"), material, recipe)
    write(recipe, recipe_path, material, network, figures, out)
    say(stage="done", out=str(out), parameters=recipe.shape.parameters, **figures)


def write(
    recipe: Recipe,
    recipe_path: Path,
    material: Material,
    network: Network,
    figures: dict[str, dict[str, float]],
    out: Path,
    without: tuple[str, ...] = (),
) -> None:
    """Write the model folder beside its place, then move the files in.

    `without`: works of the material that were not trained on.
    """
    beside = out.with_name(out.name + ".new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    recipe_bytes = recipe_path.read_bytes()
    weights = {name: network.weight(name).detach().cpu().numpy() for name in recipe.shape.weights()}
    origin = origin_of(recipe, material, recipe_bytes)
    if without:
        origin["without"] = list(without)
    whole = checkpoint.weights_bytes(recipe.name, recipe.shape, material.styles, origin, weights)
    (beside / checkpoint.WEIGHTS).write_bytes(whole)
    (beside / checkpoint.RECIPE).write_bytes(recipe_bytes)
    (beside / checkpoint.WORKS).write_text(works_csv(material), encoding="utf-8")
    card = card_text(recipe, material, origin, figures)
    (beside / checkpoint.CARD).write_text(card, encoding="utf-8")
    checkpoint.write_sums(beside)
    out.mkdir(parents=True, exist_ok=True)
    for file in sorted(beside.iterdir()):
        file.replace(out / file.name)
    beside.rmdir()


def main(arguments: list[str] | None = None) -> int:
    """Entry of the child process."""
    parser = argparse.ArgumentParser(prog="python -m musai.transformer.run")
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--corpus")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    told = parser.parse_args(arguments)
    try:
        run(told.recipe, told.corpus, told.out, told.work, told.device)
    except MusaiError as error:
        say(stage="error", kind=type(error).__name__, text=str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Models trained on halves of a model's works, for comparison: `python -m musai.audit.halves MODEL ...`.

Music is predictable: that a model gives a work's notes a high probability does not say that it
learned them from that work.  So two smaller trainings of the same recipe, each without the other's half of the works,
say how much likelier a work is to a model that saw it than to one that did not (counterfactual
memorization, Zhang et al. 2021).  Near-duplicates fall on one side.  The halves are trained for fewer
steps than the model: what they have by heart is less than what it has, and is said with their steps.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from musai.corpus import Corpus
from musai.errors import BadInput, MusaiError
from musai.folders import home
from musai.transformer import checkpoint, data
from musai.transformer.making import gather
from musai.transformer.recipe import Recipe

STEPS = 1000
"""Steps that a half is trained if nothing else is said."""

LEARN = 1 / 6
"""Share of the steps in which the rate rises."""


def half_of(cluster: str) -> int:
    """0 or 1: the half to which the works of a cluster of near-duplicates belong."""
    return hashlib.sha256(f"musai-half-1 {cluster}".encode()).digest()[0] % 2


def folder_of(model_id: str, steps: int, half: int) -> Path:
    """Where the half's weights are kept between audits."""
    return home() / "audit" / "halves" / f"{model_id[:16]}-{steps}-{half}"


def halved(recipe: Recipe, steps: int) -> Recipe:
    """The recipe with fewer steps, its warm-up shortened with them."""
    warmup = max(1, round(steps * LEARN))
    return replace(recipe, schedule=replace(recipe.schedule, steps=steps, warmup=warmup))


def sides(corpus: Corpus, work_ids: list[str]) -> dict[str, int]:
    """The half of each work."""
    works = [(i, corpus.work(i).title, corpus.phrase(i)) for i in work_ids]
    return {work_id: half_of(name) for work_id, name in data.clusters(works).items()}


def train_half(
    model: str,
    half: int,
    steps: int,
    corpus: str | None,
    say: Callable[[Mapping[str, Any]], None],
) -> Path:
    """Train a half, or go on where a former run was cut short; the folder of its checkpoint."""
    from musai.transformer import training

    loaded = checkpoint.load(model)
    recipe = halved(Recipe.read(loaded.folder / checkpoint.RECIPE), steps)
    source = Corpus.open(corpus or recipe.corpus)
    folder = folder_of(loaded.model_id, steps, half)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "lock", timeout=0):
            material = gather(source, recipe, datetime.now(UTC).date(), lambda text: None)
            trained = set(checkpoint.work_ids(loaded.folder))
            known = sides(source, sorted(trained & {piece.work_id for piece in material.train}))
            pieces = [p for p in material.train if known.get(p.work_id) == half]
            training.train(
                recipe,
                pieces,
                folder,
                every=50,
                progress=lambda state: say({"stage": "train", "half": half, **state}),
            )
    except Timeout:
        raise BadInput(f"another run is training in {folder}; legal is one run a folder") from None
    return folder


def main(arguments: list[str] | None = None) -> int:
    """Entry of the child process: one JSON object a line."""
    parser = argparse.ArgumentParser(prog="python -m musai.audit.halves")
    parser.add_argument("model")
    parser.add_argument("--half", type=int, choices=(0, 1), required=True)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--corpus")
    told = parser.parse_args(arguments)

    def say(values: Mapping[str, Any]) -> None:
        print(json.dumps(values), flush=True)

    try:
        folder = train_half(told.model, told.half, told.steps, told.corpus, say)
    except MusaiError as error:
        say({"stage": "error", "kind": type(error).__name__, "text": str(error)})
        return error.exit_code
    say({"stage": "done", "folder": str(folder)})
    return 0


if __name__ == "__main__":
    sys.exit(main())

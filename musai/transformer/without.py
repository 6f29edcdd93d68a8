"""What would a model be without some works?  `python -m musai.transformer.without FOLDER ...`.

Trains from the model's recipe with the same seeds and the same batches, the works' own part of every loss
taken out, and says what that changes: the weights, the likelihood of held-out works, the
phrases of some seeds, and how probable those works are.
"""

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from musai.corpus import Corpus
from musai.errors import Altered, BadInput, MusaiError, NotAllowed, NotFound
from musai.folders import home
from musai.transformer import checkpoint, training
from musai.transformer.making import Material, gather
from musai.transformer.network import Network
from musai.transformer.player import Player
from musai.transformer.rebuilding import weights_of
from musai.transformer.recipe import Recipe
from musai.transformer.request import Request
from musai.transformer.run import measure, say, write

Weights = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be done: `steps` None trains to the end and, with `out`, writes the new model."""

    folder: Path
    corpus: str | None
    works: tuple[str, ...]
    steps: int | None
    seeds: int
    out: Path | None


def without(asked: Asked) -> dict[str, Any]:
    """Train again and compare.

    Raises `NotFound` for works that the model was not trained on, `Altered` for a corpus that is not
    what the model was made from, `NotAllowed` where the model before would have to be trained
    again, for fewer steps, on works that do not allow training.
    """
    model = checkpoint.load(asked.folder)
    recipe_path = asked.folder / checkpoint.RECIPE
    recipe = Recipe.read(recipe_path)
    whole = asked.steps is None or asked.steps >= recipe.schedule.steps
    source = Corpus.open(asked.corpus or recipe.corpus)
    gone = _full_ids(asked.works, checkpoint.work_ids(asked.folder), model.name)
    day = datetime.now(UTC).date()
    spared = gone if whole else ()
    try:
        material = gather(source, recipe, day, lambda text: say(stage="corpus", text=text), spared)
    except NotAllowed as error:
        hint = (
            "" if whole else "; leave --steps out: the model before cannot be trained on them again"
        )
        raise NotAllowed(f"{error}{hint}") from None
    if material.material_id != model.origin.get("material_id"):
        raise Altered(
            f"corpus {source.name} is not what {model.name} was made from, so nothing here would be "
            "comparable; take works out of the model before they go from the corpus"
        )
    steps = (
        recipe.schedule.steps if asked.steps is None else min(asked.steps, recipe.schedule.steps)
    )
    before = dict(model.weights) if whole else _trained(recipe, material, steps, ())
    after = _trained(recipe, material, steps, gone)
    report = compared(recipe, material, gone, before, after)
    old = replace(model, weights=before)
    report["seeds"] = seeds_compared(old, replace(model, weights=after), asked.seeds)
    if whole and asked.out is not None:
        left = tuple(piece for piece in material.train if piece.work_id not in set(gone))
        kept = replace(material, train=left)
        network = _network(recipe, after)
        write(recipe, recipe_path, kept, network, measure(network, kept, recipe), asked.out, gone)
    for left_out in (gone,) if whole else ((), gone):
        shutil.rmtree(work_folder(recipe, material.material_id, steps, left_out))
    return {
        "model": model.name,
        "model_id": model.model_id,
        "works": list(gone),
        "steps": steps,
        "whole": whole,
        "out": str(asked.out) if whole and asked.out is not None else None,
        **report,
    }


def _full_ids(given: Sequence[str], known: Collection[str], name: str) -> tuple[str, ...]:
    found = []
    for one in given:
        fitting = [work for work in known if len(one) >= 6 and work.startswith(one.lower())]
        if len(fitting) != 1:
            raise NotFound(
                f"{name} was trained on {len(fitting)} works whose id begins with {one!r}"
            )
        found.append(fitting[0])
    if len(set(found)) == len(known):
        raise BadInput(
            f"all {len(known)} works of {name} are named; legal is to leave one at least"
        )
    return tuple(dict.fromkeys(found))


def work_folder(recipe: Recipe, material_id: str, steps: int, gone: Collection[str]) -> Path:
    """Where the checkpoint of such a training lies until the model is compared."""
    asked = [asdict(recipe), material_id, steps, sorted(gone)]
    key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    return home() / "runs" / f"{recipe.name}-without-{key[:16]}"


def _trained(recipe: Recipe, material: Material, steps: int, gone: Collection[str]) -> Weights:
    """The weights after so many steps; a run that was cut short goes on where it was."""
    work = work_folder(recipe, material.material_id, steps, gone)
    work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(work / "lock", timeout=0):
            network = training.train(
                recipe,
                material.train,
                work,
                until=steps,
                emphasis=dict.fromkeys(gone, 0.0) if gone else None,
                progress=lambda state: say(stage="train", **{**state, "steps": steps}),
            )
    except Timeout:
        raise BadInput(f"another run is training in {work}; legal is one run a folder") from None
    return weights_of(network, recipe.shape)


def _network(recipe: Recipe, weights: Weights) -> Network:
    return Network.of(recipe.shape, weights)


def compared(
    recipe: Recipe, material: Material, gone: Collection[str], before: Weights, after: Weights
) -> dict[str, Any]:
    """How weights and likelihoods differ, in numbers."""
    old, new = _network(recipe, before), _network(recipe, after)
    wanted = set(gone)
    removed = [piece for piece in material.train if piece.work_id in wanted]
    notes = sum(piece.notes for piece in removed)
    rows = {}
    for name, pieces in (("held_out", material.held_out), ("those_works", removed)):
        if not pieces:
            continue
        bits = [training.evaluate(one, pieces)["bits_per_note"] for one in (old, new)]
        rows[name] = {"before": bits[0], "after": bits[1], "change": bits[1] - bits[0]}
    return {"weights": weights_change(before, after), "bits_per_note": rows, "notes_removed": notes}


def weights_change(before: Weights, after: Weights) -> dict[str, Any]:
    """The change's size over the size before (L2), in all and where it is greatest."""
    parts = {
        name: (float(np.square(after[name] - w).sum()), float(np.square(w).sum()))
        for name, w in before.items()
    }
    moved, size = (sum(column) for column in zip(*parts.values(), strict=True))
    by_name = {name: (a / b) ** 0.5 for name, (a, b) in parts.items() if b}
    most = max(by_name, key=lambda name: by_name[name])
    return {
        "relative": (moved / size) ** 0.5,
        "most": most,
        "most_relative": by_name[most],
        "largest": max(float(np.abs(after[name] - w).max()) for name, w in before.items()),
    }


def seeds_compared(old: checkpoint.Model, new: checkpoint.Model, count: int) -> dict[str, Any]:
    """Phrases of the first seeds from nothing: how many are the same, and how long they stay so."""
    one, other = Player(old), Player(new)
    same, first = 0, []
    for seed in range(count):
        request = Request(bars=8, seed=seed)
        was, now = one.play(request), other.play(request)
        same += was.id == now.id
        pairs = zip(was.notes.tolist(), now.notes.tolist(), strict=False)
        differs = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(was), len(now)))
        if was.id != now.id:
            first.append(differs + 1)
    return {
        "played": count,
        "same": same,
        "median_first_other_note": median(first) if first else None,
    }


def main(arguments: list[str] | None = None) -> int:
    """Entry of the child process."""
    parser = argparse.ArgumentParser(prog="python -m musai.transformer.without")
    parser.add_argument("folder", type=Path)
    parser.add_argument("works", nargs="+")
    parser.add_argument("--corpus")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path)
    told = parser.parse_args(arguments)
    try:
        asked = Asked(told.folder, told.corpus, tuple(told.works), told.steps, told.seeds, told.out)
        say(stage="done", **without(asked))
    except MusaiError as error:
        say(stage="error", kind=type(error).__name__, text=str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

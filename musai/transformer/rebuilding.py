"""Is a model what its recipe and its corpus make?  `python -m musai.transformer.rebuilding FOLDER ...`.

Trains again from the recipe in a model's folder and compares SHA-256 over all weights: to the
end, or the first steps against what the folder recorded of them (`prefix.json`).  Runs, as all
training, in a process of its own with the environment that makes torch's arithmetic repeatable.
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.corpus import Corpus
from musai.errors import Altered, MusaiError
from musai.transformer import checkpoint, training
from musai.transformer.making import Material, gather, origin_of
from musai.transformer.network import Network
from musai.transformer.recipe import Recipe
from musai.transformer.run import say
from musai.transformer.shape import Shape


def digest(shape: Shape, weights: Mapping[str, NDArray[np.float32]]) -> str:
    """SHA-256 over all weights in the order of the shape's table, float32, little-endian."""
    found = hashlib.sha256(b"musai-weights-1\n")
    for name, size in shape.weights().items():
        found.update(f"{name} {size}\n".encode())
        found.update(np.ascontiguousarray(weights[name], "<f4").tobytes())
    return found.hexdigest()


def weights_of(network: Network, shape: Shape) -> dict[str, NDArray[np.float32]]:
    """A network's weights by name."""
    return {name: network.weight(name).detach().cpu().numpy() for name in shape.weights()}


def retrained(recipe: Recipe, material: Material, steps: int) -> str:
    """Digest of the weights after so many steps from the beginning."""
    with tempfile.TemporaryDirectory(prefix="musai-verify-") as work:
        network = training.train(
            recipe,
            material.train,
            Path(work),
            until=steps,
            progress=lambda state: say(stage="train", **{**state, "steps": steps}),
        )
    return digest(recipe.shape, weights_of(network, recipe.shape))


def changed(origin: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """What the weights were made with and what is different here, one sentence a thing."""
    rows = [
        (name, value, here["versions"].get(name))
        for name, value in origin.get("versions", {}).items()
    ]
    rows.append(("threads", origin.get("threads"), here["threads"]))
    return [f"{name} {was}, here {now}" for name, was, now in rows if was != now]


def verify(folder: Path, corpus: str | None, steps: int | None, record: bool) -> None:
    """Train again and say what came of it, as the last line.  Raises `Altered` for another corpus."""
    model = checkpoint.load(folder)
    path = folder / checkpoint.RECIPE
    recipe = Recipe.read(path)
    source = Corpus.open(corpus or recipe.corpus)
    day = datetime.now(UTC).date()
    material = gather(source, recipe, day, lambda text: say(stage="corpus", text=text))
    told = model.origin.get("material_id")
    if material.material_id != told:
        raise Altered(
            f"corpus {source.name} is not what {model.name} was made from: its material is "
            f"{material.material_id[:12]}, the weights say {str(told)[:12]}"
        )
    prefixes = checkpoint.prefixes(folder)
    most = recipe.schedule.steps
    count = most if steps is None else min(steps, most)
    found = retrained(recipe, material, count)
    wanted = digest(model.shape, model.weights) if count == most else prefixes.get(str(count))
    if record and count < most:
        checkpoint.record_prefix(folder, count, found)
        wanted = found
    here = origin_of(recipe, material, path.read_bytes())
    say(
        stage="done",
        model=model.name,
        steps=count,
        whole=count == most,
        sha256=found,
        recorded=wanted,
        same=None if wanted is None else wanted == found,
        changed=changed(model.origin, here),
    )


def main(arguments: list[str] | None = None) -> int:
    """Entry of the child process."""
    parser = argparse.ArgumentParser(prog="python -m musai.transformer.rebuilding")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corpus")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--record", action="store_true")
    told = parser.parse_args(arguments)
    try:
        verify(told.folder, told.corpus, told.steps, told.record)
    except MusaiError as error:
        say(stage="error", kind=type(error).__name__, text=str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

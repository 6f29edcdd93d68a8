"""Is a model what its recipe and its corpus make?  `python -m musai.transformer.rebuilding FOLDER ...`.

Trains again from the recipe in a model's folder and compares SHA-256 over all weights: to the
end, or the first steps against what the folder recorded of them (`prefix.json`).  Runs, as all
training, in a process of its own with the environment that makes torch's arithmetic repeatable.

Another make of processor rounds otherwise.  So beside the hash stands a sketch, random projections
of all weights (Johnson and Lindenstrauss 1984), which tells how far two networks are from one
another: EXACT are equal hashes, EQUIVALENT weights that are no farther apart than rounding brings them.
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
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


ROWS = 64
"""Projections of a sketch; a distance by them is right within a tenth or so."""

CLOSE = 1e-3
"""Distance of two networks, as a share of what training moved them by, up to which they differ by
rounding alone.  After twenty steps of the tunebook's recipe other kernels are 5e-7 apart, one step
less .09, one work less of 4,621 .26."""


def sketch_of(shape: Shape, weights: Mapping[str, NDArray[np.floating]]) -> NDArray[np.float64]:
    """Sums of all weights under `ROWS` rows of random signs, in float64."""
    sums = np.zeros(ROWS)
    for number, name in enumerate(shape.weights()):
        signs = np.random.Generator(np.random.Philox([number, 1984]))
        told = weights[name].astype(np.float64).ravel()
        for row in range(ROWS):
            sums[row] += told @ (2.0 * signs.integers(0, 2, len(told), np.int8) - 1.0)
    return sums


def distance(one: Sequence[float], other: Sequence[float], start: Sequence[float]) -> float:
    """How far two networks are apart, as a share of how far the other went from the start."""
    went = np.linalg.norm(np.subtract(other, start))
    return float(np.linalg.norm(np.subtract(one, other)) / max(went, np.finfo(float).tiny))


def weights_of(network: Network, shape: Shape) -> dict[str, NDArray[np.float32]]:
    """A network's weights by name."""
    return {name: network.weight(name).detach().cpu().numpy() for name in shape.weights()}


def retrained(recipe: Recipe, material: Material, steps: int) -> dict[str, NDArray[np.float32]]:
    """The weights after so many steps from the beginning."""
    with tempfile.TemporaryDirectory(prefix="musai-verify-") as work:
        network = training.train(
            recipe,
            material.train,
            Path(work),
            until=steps,
            progress=lambda state: say(stage="train", **{**state, "steps": steps}),
        )
    return weights_of(network, recipe.shape)


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
    weights = retrained(recipe, material, count)
    found, sketch = digest(recipe.shape, weights), sketch_of(recipe.shape, weights)
    if record and count < most:
        checkpoint.record_prefix(folder, count, found, sketch.tolist())
        prefixes = checkpoint.prefixes(folder)
    wanted = prefixes.get(str(count))
    if count == most:
        shape, own = model.shape, model.weights
        wanted = checkpoint.Prefix((digest(shape, own),), tuple(sketch_of(shape, own).tolist()))
    here = origin_of(recipe, material, path.read_bytes())
    say(
        stage="done",
        model=model.name,
        steps=count,
        whole=count == most,
        sha256=found,
        recorded=None if wanted is None else wanted.digests,
        **_verdict(recipe, found, sketch.tolist(), wanted),
        changed=changed(model.origin, here),
    )


def _verdict(
    recipe: Recipe, found: str, sketch: Sequence[float], wanted: checkpoint.Prefix | None
) -> dict[str, Any]:
    """EXACT, EQUIVALENT or OTHER, and the distance; None where nothing is recorded."""
    if wanted is None:
        return {"verdict": None, "distance": None}
    start = weights_of(training.beginning(recipe), recipe.shape)
    apart = distance(sketch, wanted.sketch, sketch_of(recipe.shape, start).tolist())
    close = "EQUIVALENT" if apart <= CLOSE else "OTHER"
    return {"verdict": "EXACT" if found in wanted.digests else close, "distance": apart}


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

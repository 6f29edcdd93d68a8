"""Tier 3 for one phrase: the derivative through a model's whole training.
`python -m musai.influence.through FOLDER PHRASE.mid ...`.

What is differentiated is the training of a twin: the same recipe, seeds, batches and first weights, without
dropout and with the optimizer's epsilon under the root (see `smooth`), since the training itself has no
derivative that means much.  How far the twin is from the model is told beside it.
"""

import argparse
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from musai.corpus import Corpus, permission
from musai.errors import Altered, BadInput, MusaiError
from musai.influence import gradients, smooth, unrolled
from musai.influence.telling import owned
from musai.music import Phrase
from musai.transformer import checkpoint, data, training
from musai.transformer.making import Material, gather
from musai.transformer.network import Network
from musai.transformer.recipe import Recipe
from musai.transformer.run import say

MOST = 2**31
"""Bytes of batches that are held at once."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which model, from which corpus, about which phrase."""

    folder: Path
    corpus: str | None
    phrase: Phrase


def through(asked: Asked) -> dict[str, Any]:
    """What each work's counting more would do to the phrase's log-probability, works and owners summed.

    Raises `Altered` for a corpus that the model was not made from, `BadInput` for a phrase without
    notes or a training too long to be held.
    """
    if len(asked.phrase) == 0:
        raise BadInput("the phrase holds no notes; legal is a phrase with notes")
    model = checkpoint.load(asked.folder)
    recipe = Recipe.read(asked.folder / checkpoint.RECIPE)
    schedule = recipe.schedule
    size = schedule.steps * schedule.rows_per_batch * 50
    if size > MOST:
        raise BadInput(
            f"{schedule.steps:,} steps of {schedule.rows_per_batch:,} rows are {size / 1e9:.1f} GB; legal is "
            f"up to {MOST / 1e9:.1f}"
        )
    source = Corpus.open(asked.corpus or recipe.corpus)
    gone = frozenset(map(str, model.origin.get("without", ())))
    day = datetime.now(UTC).date()
    material = gather(source, recipe, day, lambda text: say(stage="corpus", text=text), gone)
    if material.material_id != model.origin.get("material_id"):
        raise Altered(
            f"corpus {source.name} is not what {model.name} was made from, so its training cannot be walked back"
        )
    pieces = material.train
    counts = torch.tensor([0.0 if piece.work_id in gone else 1.0 for piece in pieces])
    walk = unrolled.walk(
        recipe,
        smooth.batches(recipe, pieces),
        counts,
        smooth.State.of(training.beginning(recipe)),
        lambda done, total: say(stage="train", step=done, text=f"step {done} of a twin's training"),
    )
    windows = _windows(asked.phrase, recipe)
    found = np.zeros(len(pieces))
    # A query is one window; a longer phrase's add up.
    for number, query in enumerate(windows):
        part = unrolled.influence(walk, [query], _told(schedule.steps, number, len(windows)))
        found += part[0].double().numpy()
    twin = Network(recipe.shape, walk.end.weights)
    plain = Network(recipe.shape, {n: torch.from_numpy(w) for n, w in model.weights.items()})
    return {
        "model": model.name,
        "model_id": model.model_id,
        "phrase_id": asked.phrase.id,
        "steps": schedule.steps,
        "log_p": {"model": _log_p(plain, windows), "twin": _log_p(twin, windows)},
        **_named(source, material, found, gone),
    }


def _told(steps: int, number: int, count: int) -> unrolled.Progress:
    def told(done: int, total: int) -> None:
        share = (number + done / max(1, total)) / count
        text = f"walked back: {share:.0%}"
        say(stage="train", step=steps + round(share * steps), text=text)

    return told


def _windows(phrase: Phrase, recipe: Recipe) -> list[gradients.Query]:
    piece = data.encode_work("asked", phrase, 0, "", played=recipe.shape.loud)
    return gradients.asked_of(piece, recipe.shape.window)


def _log_p(network: Network, windows: list[gradients.Query]) -> float:
    with torch.no_grad():
        return -sum(network.field_losses(*query).sum().item() for query in windows)


def _named(
    source: Corpus, material: Material, found: np.ndarray, gone: frozenset[str]
) -> dict[str, Any]:
    """Works and owners as the terms of today allow them to be named, largest first, in nats."""
    day = datetime.now(UTC).date()
    works, owners, hidden = [], dict[str, float](), 0
    for piece, value in zip(material.train, found.tolist(), strict=True):
        if piece.work_id in gone:
            continue
        work = source.work(piece.work_id)
        if not permission(work, "influence", on=day).allowed:
            hidden += 1
            continue
        works.append({"work_id": work.id, "title": work.title, "nats": value})
        for name, points in owned(work):
            owners[name] = owners.get(name, 0.0) + value * points / 10_000
    works.sort(key=lambda row: (-float(str(row["nats"])), str(row["work_id"])))
    totals = sorted(owners.items(), key=lambda row: (-row[1], row[0]))
    return {
        "works": works,
        "owners": [{"name": name, "nats": value} for name, value in totals],
        "hidden": hidden,
    }


def main(arguments: list[str] | None = None) -> int:
    """Entry of the child process."""
    parser = argparse.ArgumentParser(prog="python -m musai.influence.through")
    parser.add_argument("folder", type=Path)
    parser.add_argument("phrase", type=Path)
    parser.add_argument("--corpus")
    told = parser.parse_args(arguments)
    try:
        phrase = Phrase.from_midi(told.phrase)
        say(stage="done", **through(Asked(told.folder, told.corpus, phrase)))
    except MusaiError as error:
        say(stage="error", kind=type(error).__name__, text=str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

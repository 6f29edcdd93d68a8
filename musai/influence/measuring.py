"""How far can influence be trusted on this model?  `python -m musai.influence.measuring FOLDER ...`.

Trains the model again from its recipe, with the same seeds and the same batches, once whole and then
without a twentieth of its works again and again, and compares what tier 1 and word search
foretold with what came (see `truth`).  Each training is a row that is kept; a run that is broken off goes
on where it was.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock, Timeout

from musai.corpus import Corpus
from musai.errors import Altered, BadInput, MusaiError
from musai.folders import home
from musai.influence import gradients, lexical, truth
from musai.influence.found import Measured
from musai.influence.kept import place, save_measured
from musai.transformer import checkpoint, data, training
from musai.transformer.making import Material, gather
from musai.transformer.network import Network
from musai.transformer.recipe import Recipe
from musai.transformer.run import say

DROP = 0.05
"""Share of the works that a training leaves out."""

LEAST = 4
"""Held-out works to ask about: half of them choose the damping, the others are reported."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which model, from which corpus, how many trainings and queries."""

    folder: Path
    corpus: str | None
    subsets: int
    queries: int


@dataclass(frozen=True, slots=True)
class Trainings:
    """A model's trainings: outcomes by subset in `rows.jsonl`, -1 for the whole."""

    recipe: Recipe
    material: Material
    gone: frozenset[str]
    questions: tuple[gradients.Query, ...]
    out: np.ndarray
    folder: Path

    def outcomes(self) -> dict[int, list[float]]:
        """What was trained already; a line cut short by a kill counts for nothing."""
        path = self.folder / "rows.jsonl"
        found: dict[int, list[float]] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            try:
                row = json.loads(line)
                found[int(row["subset"])] = [float(v) for v in row["log_p"]]
            except (ValueError, KeyError, TypeError):
                continue
        return found

    def carry_out(self) -> dict[int, list[float]]:
        """Train what is missing; all outcomes."""
        held = self.outcomes()
        for number in range(-1, len(self.out)):
            if number not in held:
                self._keep(number, self._trained(number))
        return self.outcomes()

    def _trained(self, number: int) -> list[float]:
        ids = [piece.work_id for piece in self.material.train]
        left = {ids[n] for n in np.flatnonzero(self.out[number])} if number >= 0 else set()
        left |= self.gone
        steps, place = self.recipe.schedule.steps, self.folder / "work"
        before = (number + 1) * steps
        network = training.train(
            self.recipe,
            self.material.train,
            place / str(number),
            emphasis=dict.fromkeys(left, 0.0) if left else None,
            progress=lambda state: say(stage="train", **{**state, "step": before + state["step"]}),
        )
        with torch.no_grad():
            found = [-network.field_losses(*query).sum().item() for query in self.questions]
        shutil.rmtree(place, ignore_errors=True)
        return found

    def _keep(self, number: int, log_p: list[float]) -> None:
        with (self.folder / "rows.jsonl").open("ab+") as file:
            file.seek(max(0, file.tell() - 1))
            cut = file.read(1) not in (b"", b"\n")
            row = json.dumps({"subset": number, "log_p": log_p}).encode()
            file.write(b"\n" * cut + row + b"\n")
            file.flush()
            os.fsync(file.fileno())


def measure(asked: Asked) -> Measured:
    """Train, compare, and keep what was found for `shelf`.

    Raises `Altered` for a corpus that the model was not made from, `BadInput` where too few works
    are held out to ask about.
    """
    model = checkpoint.load(asked.folder)
    recipe = Recipe.read(asked.folder / checkpoint.RECIPE)
    source = Corpus.open(asked.corpus or recipe.corpus)
    gone = frozenset(map(str, model.origin.get("without", ())))
    day = datetime.now(UTC).date()
    material = gather(source, recipe, day, lambda text: say(stage="corpus", text=text), gone)
    if material.material_id != model.origin.get("material_id"):
        raise Altered(
            f"corpus {source.name} is not what {model.name} was made from, so nothing can be measured on it"
        )
    queries = _spread(material, asked.queries, model.name)
    folder = place(home(), model.model_id) / f"trainings-{asked.subsets}-{len(queries)}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "lock", timeout=0):
            held = _trainings(recipe, material, gone, queries, asked.subsets, folder)
            outcomes = held.carry_out()
            say(stage="measure", text="gradients of the training works")
            found = _compared(held, outcomes, model, source, queries)
    except Timeout:
        raise BadInput(f"another run is measuring in {folder}; legal is one at a time") from None
    save_measured(found, home())
    return found


def _spread(material: Material, count: int, name: str) -> list[data.Piece]:
    held = material.held_out
    if min(len(held), count) < LEAST:
        raise BadInput(
            f"{name} holds out {len(held)} works and {count} are asked for; legal is {LEAST} or more of both"
        )
    chosen = np.unique(np.linspace(0, len(held) - 1, min(count, len(held))).astype(int))
    return [held[n] for n in chosen.tolist()]


def _trainings(
    recipe: Recipe,
    material: Material,
    gone: frozenset[str],
    queries: list[data.Piece],
    subsets: int,
    folder: Path,
) -> Trainings:
    window = recipe.shape.window
    here = [piece for piece in material.train if piece.work_id not in gone]
    out = np.zeros((subsets, len(material.train)), bool)
    drawn = truth.subsets([p.work_id for p in here], DROP, subsets, recipe.schedule.seed)
    out[:, [p.work_id not in gone for p in material.train]] = drawn
    asked = tuple(gradients.asked_of(piece, window)[0] for piece in queries)
    return Trainings(recipe, material, gone, asked, out, folder)


def _compared(
    held: Trainings,
    outcomes: dict[int, list[float]],
    model: checkpoint.Model,
    source: Corpus,
    queries: Collection[data.Piece],
) -> Measured:
    shape = model.shape
    network = Network.of(shape, model.weights)
    projection = gradients.Projection.of(shape)
    pieces = held.material.train
    windows = [gradients.asked_of(piece, shape.window) for piece in pieces]
    works = gradients.table(network, projection, windows, _tell)
    asked = gradients.table(network, projection, [[question] for question in held.questions])
    whole = np.array(outcomes[-1])
    came = np.array([outcomes[k] for k in range(len(held.out))]) - whole
    half = len(whole) // 2

    def lds(said: np.ndarray, part: slice) -> truth.Reliability:
        return truth.reliability(truth.foretold(said, held.out), came[:, part])

    first, second = slice(0, half), slice(half, None)
    damping = gradients.damping_for(works, asked[first], lambda said: lds(said, first).lds)
    scores = gradients.scores(works, asked[second], damping)
    words = lexical.scores(
        [source.phrase(piece.work_id) for piece in pieces],
        [source.phrase(piece.work_id) for piece in queries],
    )
    ours, theirs = lds(scores, second), lds(words[second], second)
    slope, spread = truth.calibrated(
        truth.foretold(scores, held.out), came[:, second], held.out.sum(1)
    )
    notes = [int((question[1][..., 2] >= 0).sum()) for question in held.questions]
    return Measured(
        model.model_id, ours.lds, ours.low, ours.high, (theirs.lds, theirs.low, theirs.high),
        None if np.isinf(damping) else float(damping), round(float(held.out.mean()), 4), "work", len(held.out), len(whole) - half,
        slope, spread, float(np.mean(notes)),
    )  # fmt: skip


def _tell(done: int, total: int) -> None:
    if done % 50 == 0 or done == total:
        say(stage="measure", text=f"gradients of {done:,} of {total:,} works")


def main(arguments: list[str] | None = None) -> int:
    """Entry of the child process."""
    parser = argparse.ArgumentParser(prog="python -m musai.influence.measuring")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corpus")
    parser.add_argument("--subsets", type=int, default=32)
    parser.add_argument("--queries", type=int, default=16)
    told = parser.parse_args(arguments)
    try:
        found = measure(Asked(told.folder, told.corpus, told.subsets, told.queries))
    except MusaiError as error:
        say(stage="error", kind=type(error).__name__, text=str(error))
        return error.exit_code
    say(stage="done", **asdict(found), sentence=found.sentence)
    return 0


if __name__ == "__main__":
    sys.exit(main())

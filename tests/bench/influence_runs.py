"""Models trained with and without some works, one row a run, kept as they come: killed and resumed at will."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from musai.corpus import Corpus
from musai.influence import smooth, truth
from musai.influence.gradients import Query, asked_of
from musai.music import Phrase
from musai.transformer import data
from musai.transformer.recipe import Recipe, Schedule
from musai.transformer.shape import Shape

DROP = 0.05
"""Share of the works that a subset leaves out."""

SHARED_SHELF = 5
"""Works that one owner holds in the runs that leave out owners: five in a row of the catalogue."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A study: what is trained, on how many works, and how often without some of them."""

    name: str
    recipe: Recipe
    works: int
    queries: int
    by_work: int
    by_owner: int
    reseeded: int
    halves: int = 3


TOY = Plan(
    "toy",
    Recipe(
        "toy",
        "tunebook",
        shape=Shape(width=24, layers=2, heads=2, inner=96, window=256),
        schedule=Schedule(steps=64, rows_per_batch=2048, rate=2.5e-3, warmup=8, epsilon=1e-5),
        given=0.0,
    ),
    works=100,
    queries=8,
    by_work=64,
    by_owner=32,
    reseeded=32,
)

STUDY = Plan(
    "study",
    Recipe(
        "study",
        "tunebook",
        shape=Shape(width=128, layers=4, heads=4, inner=512, window=256),
        schedule=Schedule(steps=300, rows_per_batch=2048, rate=1e-3, warmup=40, epsilon=1e-5),
        given=0.0,
    ),
    works=200,
    queries=16,
    by_work=64,
    by_owner=32,
    reseeded=16,
)


@dataclass(frozen=True, slots=True)
class Music:
    """What the models read and what they are asked: works first, then queries that none has seen."""

    titles: tuple[str, ...]
    phrases: tuple[Phrase, ...]
    pieces: tuple[data.Piece, ...]
    questions: tuple[Query, ...]

    @classmethod
    def of(cls, corpus: Corpus, plan: Plan) -> "Music":
        """The first works of one book, and as queries the first window of those after them."""
        held = [w for w in corpus.works if w.collection == "ryansMammoth"]
        held = held[: plan.works + plan.queries]
        phrases = tuple(corpus.phrase(work.id) for work in held)
        pieces = tuple(
            data.encode_work(work.id, phrase, 1, work.collection)
            for work, phrase in zip(held, phrases, strict=True)
        )
        window = plan.recipe.shape.window
        asked = tuple(asked_of(piece, window)[0] for piece in pieces[plan.works :])
        return cls(tuple(work.title for work in held), phrases, pieces[: plan.works], asked)


@dataclass(frozen=True, slots=True)
class Run:
    """One training: its seed, which subset of which kind is left out (-1: none), and how far."""

    seed: int
    kind: str
    subset: int
    count: float = 0.0


def runs(plan: Plan, seed: int) -> list[Run]:
    """All trainings of a plan, in order."""
    asked = [Run(seed, "work", -1), Run(seed + 1, "work", -1)]
    asked += [Run(seed, "work", k) for k in range(plan.by_work)]
    asked += [Run(seed, "work", k, 0.5) for k in range(plan.halves)]
    asked += [Run(seed + 1, "work", k) for k in range(plan.reseeded)]
    return asked + [Run(seed, "owner", k) for k in range(plan.by_owner)]


def owners(plan: Plan) -> list[str]:
    """Who holds each work in the runs that leave out owners."""
    return [f"owner {n // SHARED_SHELF}" for n in range(plan.works)]


def left_out(plan: Plan, kind: str, seed: int) -> np.ndarray:
    """The subsets of a kind, bool (subsets, works)."""
    units = owners(plan) if kind == "owner" else [f"work {n}" for n in range(plan.works)]
    return truth.subsets(units, DROP, max(plan.by_work, plan.by_owner), seed)


@dataclass(frozen=True, slots=True)
class Trainings:
    """The trainings of one plan and seed; `outcomes` are in `rows.jsonl`, one a line."""

    plan: Plan
    music: Music
    folder: Path
    seed: int

    def started(self, seed: int) -> tuple[Recipe, list[smooth.Batch], smooth.State]:
        """Recipe, batches and first state of a seed."""
        recipe = self.plan.recipe
        recipe = replace(recipe, schedule=replace(recipe.schedule, seed=seed))
        steps = smooth.batches(recipe, self.music.pieces)
        return recipe, steps, smooth.State.fresh(recipe.shape, seed, torch.float32)

    def outcome(self, weights: smooth.Weights) -> list[float]:
        """Log-probability of every query, in nats."""
        shape = self.plan.recipe.shape
        with torch.no_grad():
            return [-smooth.surprise(shape, weights, q).item() for q in self.music.questions]

    def held(self) -> dict[Run, list[float]]:
        """What was run already; a line cut short by a kill counts for nothing."""
        path = self.folder / "rows.jsonl"
        found: dict[Run, list[float]] = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            found[Run(**row["run"])] = row["log_p"]
        return found

    def carried_out(self) -> Iterator[tuple[int, int]]:
        """Run what is missing; yields (done, all) after each."""
        self.folder.mkdir(parents=True, exist_ok=True)
        asked, held = runs(self.plan, self.seed), self.held()
        out = {kind: left_out(self.plan, kind, self.seed) for kind in ("work", "owner")}
        started = {seed: self.started(seed) for seed in sorted({run.seed for run in asked})}
        for number, run in enumerate(asked):
            if run in held:
                continue
            recipe, steps, state = started[run.seed]
            counts = torch.ones(self.plan.works)
            if run.subset >= 0:
                counts[torch.from_numpy(out[run.kind][run.subset])] = run.count
            end = smooth.train(recipe, steps, counts, state)
            row = {"run": asdict(run), "log_p": self.outcome(end.weights)}
            with (self.folder / "rows.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")
                file.flush()
                os.fsync(file.fileno())
            yield number + 1, len(asked)

    def changes(self, kind: str, seed: int, count: float = 0.0) -> np.ndarray:
        """What leaving out each subset changed, nats, (subsets, queries)."""
        held = self.held()
        whole = np.array(held[Run(seed, "work", -1)])
        rows = sorted(
            (r for r in held if (r.seed, r.kind, r.count) == (seed, kind, count)), key=_nth
        )
        return np.array([held[run] for run in rows if run.subset >= 0]) - whole


def _nth(run: Run) -> int:
    return run.subset

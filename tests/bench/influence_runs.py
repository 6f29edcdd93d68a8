"""Models trained with and without some works, one row a run, kept as they come: killed and resumed at will.

Any number of processes may work at one plan: each takes what nobody has done or is doing.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock, Timeout

from musai.corpus import Corpus
from musai.influence import smooth, truth, unrolled
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
    at_once: int = 8
    """Queries that one walk back through training serves: what a kill loses at most."""


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
        schedule=Schedule(steps=128, rows_per_batch=2048, rate=8e-4, warmup=16, epsilon=1e-5),
        given=0.0,
    ),
    works=200,
    queries=16,
    by_work=64,
    by_owner=32,
    reseeded=16,
    at_once=2,
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

    @property
    def name(self) -> str:
        """Of its lock."""
        return f"{self.seed}-{self.kind}-{self.subset}-{self.count:g}"


@dataclass(frozen=True, slots=True)
class Back:
    """One walk back through training, for the queries from `first` to `last` (not included)."""

    first: int
    last: int

    @property
    def name(self) -> str:
        """Of its lock and its file."""
        return f"unrolled-{self.first}-{self.last}"


def backs(plan: Plan) -> list[Back]:
    """The walks back of a plan."""
    stops = [*range(0, plan.queries, plan.at_once), plan.queries]
    return [Back(a, b) for a, b in pairwise(stops)]


@contextmanager
def claimed(lock: Path) -> Iterator[bool]:
    """Whether a task is ours; it is given back when the process ends, however it ends."""
    held = FileLock(lock)
    try:
        held.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        held.release()


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
        """Do what is missing and nobody else is doing; yields (done, all) after each."""
        asked: list[Run | Back] = [*runs(self.plan, self.seed)]
        # The walks back come before what only says how far to trust the runs: kinds, seeds, halves.
        first = 2 + self.plan.by_work
        asked[first:first] = backs(self.plan)
        (self.folder / "locks").mkdir(parents=True, exist_ok=True)
        for task in asked:
            with claimed(self.folder / "locks" / task.name) as mine:
                if not mine or self._done(task):
                    continue
                if isinstance(task, Back):
                    self._walk_back(task)
                else:
                    self._run(task)
            yield sum(map(self._done, asked)), len(asked)

    def _done(self, task: "Run | Back") -> bool:
        if isinstance(task, Back):
            return (self.folder / f"{task.name}.npy").exists()
        return task in self.held()

    def _run(self, run: Run) -> None:
        recipe, steps, state = self.started(run.seed)
        counts = torch.ones(self.plan.works)
        if run.subset >= 0:
            out = left_out(self.plan, run.kind, self.seed)[run.subset]
            counts[torch.from_numpy(out)] = run.count
        end = smooth.train(recipe, steps, counts, state)
        self._keep({"run": asdict(run), "log_p": self.outcome(end.weights)})

    def _keep(self, row: dict[str, object]) -> None:
        """Append a row; one that a kill cut short stays a line of its own."""
        path = self.folder / "rows.jsonl"
        with FileLock(self.folder / "locks" / "rows"), path.open("a+b") as file:
            file.seek(max(0, file.tell() - 1))
            cut = file.read(1) not in (b"", b"\n")
            file.write(b"\n" * cut + json.dumps(row).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def walked(self) -> unrolled.Walk:
        """The training with all works, kept so that it can be walked back."""
        recipe, steps, state = self.started(self.seed)
        return unrolled.walk(recipe, steps, torch.ones(self.plan.works), state)

    def _walk_back(self, back: Back) -> None:
        asked = self.music.questions[back.first : back.last]
        found = unrolled.influence(self.walked(), asked).double().numpy()
        beside = self.folder / f"{back.name}.new.npy"
        np.save(beside, found)
        beside.replace(self.folder / f"{back.name}.npy")

    def through_training(self) -> np.ndarray:
        """What the walks back found, (queries, works)."""
        parts = [np.load(self.folder / f"{back.name}.npy") for back in backs(self.plan)]
        return np.concatenate(parts)

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

"""Recipe: all that training depends on beside the corpus; read from `recipe.toml`."""

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from musai.errors import BadInput, check_range
from musai.transformer.shape import Shape

ENVIRONMENT = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "AVX2",
    "MKL_DYNAMIC": "FALSE",
    "OMP_DYNAMIC": "FALSE",
}
"""Set before torch is imported, together with the recipe's thread count, so that another
processor of the same family takes the same path through the kernels."""


_RANGES = (
    ("seed", 0, 2**63 - 1),
    ("steps", 1, 10_000_000),
    ("rows_per_batch", 64, 10_000_000),
    ("rate", 1e-9, 1),
    ("warmup", 0, 10_000_000),
    ("decay", 0, 100),
    ("beta1", 0, 0.999999),
    ("beta2", 0, 0.999999),
    ("epsilon", 1e-30, 1),
    ("clip", 1e-6, 1e6),
    ("dropout", 0, 0.9),
    ("threads", 1, 256),
)
"""Legal values of a schedule."""

OPTIMIZERS = ("adamw", "muon")


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the weights move: by AdamW, or Muon for the matrices of the layers; a linear warm-up, then a
    cosine to nothing."""

    seed: int = 7
    steps: int = 2000
    rows_per_batch: int = 4096
    rate: float = 2e-3
    warmup: int = 100
    decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-8
    clip: float = 1.0
    dropout: float = 0.0
    threads: int = 1
    optimizer: str = "adamw"

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise BadInput(f"optimizer is {self.optimizer!r}; legal is {' or '.join(OPTIMIZERS)}")
        for name, low, high in _RANGES:
            check_range(name, getattr(self, name), low, high)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A model's name, its corpus, the works held out, the shape and the schedule.

    `held_out`: share of the clusters of near-duplicate works that training never sees;
    `weights`: how often a collection's works are seen, 1 where not named; `given`: share of the
    samples in which some notes are told ahead, so that the model learns to fill in; `groups`: the
    model's name for all works whose source begins with a text, instead of their own collections;
    `start`: the model whose weights are the first ones, its id in `start_id`; `works`: train on so many
    works only, 0 for all, the same ones in the same order whatever the number.
    """

    name: str
    corpus: str
    held_out: float = 0.05
    shape: Shape = Shape()  # noqa: RUF009  (frozen)
    schedule: Schedule = Schedule()
    weights: dict[str, float] = field(default_factory=dict)
    given: float = 0.35
    groups: dict[str, str] = field(default_factory=dict)
    start: str = ""
    start_id: str = ""
    works: int = 0

    def __post_init__(self) -> None:
        check_range("held_out", self.held_out, 0, 0.9)
        check_range("given", self.given, 0, 1)
        check_range("works", self.works, 0, 100_000_000)
        for name, weight in self.weights.items():
            check_range(f"weight of {name}", weight, 0, 1000)

    def group_of(self, collection: str, source: str) -> str:
        """The collection of a work as the model is told it."""
        named = (name for name, start in self.groups.items() if source.startswith(start))
        return next(named, collection)

    @classmethod
    def read(cls, path: Path) -> "Recipe":
        """The recipe in a TOML file; `BadInput` names an unknown or missing key."""
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise BadInput(f"recipe {path} cannot be read: {error}") from None
        for part, known in (("shape", Shape), ("schedule", Schedule)):
            if part in values:
                if not isinstance(values[part], dict):
                    raise BadInput(f"{path}: {part} is {values[part]!r}; legal is a table")
                values[part] = _filled(f"{path}: {part}", known, values[part])
        filled: Recipe = _filled(str(path), cls, values)
        return filled


def _filled(where: str, known: Any, values: dict[str, Any]) -> Any:
    kinds = {f.name: f.type for f in fields(known)}
    for name, value in values.items():
        if name not in kinds:
            raise BadInput(f"{where} has {name!r}; legal is {', '.join(sorted(kinds))}")
        if not _is(kinds[name], value):
            raise BadInput(f"{where}: {name} is {value!r}; legal is {_WORDS[kinds[name]]}")
    try:
        return known(**values)
    except TypeError as error:
        raise BadInput(f"{where}: {error}") from None
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None


_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    dict[str, float]: "a table of numbers",
    dict[str, str]: "a table of texts",
}


def _is(kind: Any, value: Any) -> bool:
    """Whether a value of a TOML file is of a field's kind; tables that were read already are."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is bool:
        return isinstance(value, bool)
    if kind in (dict[str, float], dict[str, str]):
        inner = float if kind == dict[str, float] else str
        return isinstance(value, dict) and all(_is(inner, one) for one in value.values())
    return isinstance(value, kind)

"""A model on disk: weights, recipe, card, works; found by name, checked by hash.

::

    models/<name>/recipe.toml          what it was made by
                  weights.safetensors  the weights; its header says shape and origin
                  card.md              what it is, for people
                  works.csv            every work it was trained on
                  prefix.json          hashes and a sketch of the first steps' weights (`rebuilding`)
                  fingerprints.bin     hashes of runs of those works (`musai.match.fingerprints`)
                  memorization.json    what it has by heart (`musai.audit.memorization`), and
                  memorization.md      the same as a page of the card
                  SHA256SUMS           of the files above
"""

import csv
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save

from musai.errors import Altered, BadInput, NotFound
from musai.folders import home
from musai.transformer.recipe import Recipe
from musai.transformer.shape import Shape

WEIGHTS, RECIPE, CARD, WORKS, PRINTS, PREFIX, SUMS = (
    "weights.safetensors",
    "recipe.toml",
    "card.md",
    "works.csv",
    "fingerprints.bin",
    "prefix.json",
    "SHA256SUMS",
)
RECALL, RECALL_PAGE = "memorization.json", "memorization.md"
QUALITY = "quality.json"
DEFAULT = "tunebook"


@dataclass(frozen=True, slots=True)
class VoiceStyle:
    """A voice as a collection usually has it; `low` and `high` hold all but its rarest pitches."""

    name: str
    program: int
    drum: bool
    low: int
    high: int
    line: bool


@dataclass(frozen=True, slots=True)
class CollectionStyle:
    """What a collection sounds like when nothing else is told."""

    name: str
    voices: tuple[VoiceStyle, ...]
    bpm: float
    signature: tuple[int, int]
    key: str

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "CollectionStyle":
        """From JSON values."""
        voices = tuple(VoiceStyle(**voice) for voice in values["voices"])
        numerator, denominator = values["signature"]
        return cls(values["name"], voices, values["bpm"], (numerator, denominator), values["key"])


@dataclass(frozen=True, slots=True)
class Model:
    """A model in memory: name, id (SHA-256 of the weights file), shape, styles, origin, weights."""

    name: str
    model_id: str
    folder: Path
    shape: Shape
    styles: tuple[CollectionStyle, ...]
    origin: Mapping[str, Any]
    weights: Mapping[str, NDArray[np.float32]]

    @property
    def collections(self) -> tuple[str, ...]:
        """Names of the collections that the model knows, in the order of its vocabulary."""
        return tuple(style.name for style in self.styles)


def folder_of(model: str | Path | None = None) -> Path:
    """Where a model lies: a folder given as path; else a name, sought in the home folder, the
    package, and the repository; None means $MUSAI_MODEL or the default model.

    Raises `NotFound` naming the places.
    """
    wanted = model or os.environ.get("MUSAI_MODEL") or DEFAULT
    here = Path(__file__).resolve().parent.parent
    places = [
        Path(wanted),
        home() / "models" / str(wanted),
        here / "_models" / str(wanted),
        here.parent / "models" / str(wanted),
    ]
    for place in places:
        if (place / WEIGHTS).is_file():
            return place
    raise NotFound(f"no model {str(wanted)!r}; looked in " + ", ".join(map(str, places)))


def check_sums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file that SHA256SUMS names; raises `Altered` for the first that differs."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except OSError:
        raise Altered(f"model {folder} has no readable {SUMS}; it cannot be checked") from None
    sums = {}
    for line in lines:
        digest, _, name = line.partition("  ")
        try:
            data = (folder / name).read_bytes()
        except OSError:
            raise Altered(f"model {folder} lacks {name}, which its {SUMS} names") from None
        found = hashlib.sha256(data).hexdigest()
        if found != digest:
            raise Altered(f"{folder / name} has SHA-256 {found}; its {SUMS} says {digest}")
        sums[name] = digest
    if WEIGHTS not in sums:
        raise Altered(f"{folder / SUMS} does not name {WEIGHTS}")
    return sums


def work_ids(folder: Path) -> list[str]:
    """Ids of the training works, in the order of works.csv.  Raises `Altered`."""
    return _column(folder, "id")


def credits_of(folder: Path) -> list[str]:
    """The credits that its works' licences ask for, each once, sorted.  Raises `Altered`."""
    return sorted({text for text in _column(folder, "attribution") if text})


def _column(folder: Path, name: str) -> list[str]:
    try:
        with (folder / WORKS).open(encoding="utf-8", newline="") as file:
            return [row[name] for row in csv.DictReader(file)]
    except (OSError, KeyError, csv.Error) as error:
        raise Altered(f"{folder / WORKS} cannot be read: {error}") from None


@dataclass(frozen=True, slots=True)
class Prefix:
    """The weights after some steps of training: their hash on each kind of processor where they were
    made, and a sketch of them (`rebuilding.sketch_of`)."""

    digests: tuple[str, ...] = ()
    sketch: tuple[float, ...] = ()


def prefixes(folder: Path) -> dict[str, Prefix]:
    """What is recorded of the first steps, by their number.  Raises `Altered`."""
    path = folder / PREFIX
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(steps): Prefix(tuple(map(str, row["sha256"])), tuple(map(float, row["sketch"])))
            for steps, row in found.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Altered(f"{path} cannot be read: {error}") from None


def record_prefix(folder: Path, steps: int, digest: str, sketch: Sequence[float]) -> None:
    """Record the weights after some steps, beside what is recorded already."""
    rows = {**prefixes(folder)}
    digests = {*rows.get(str(steps), Prefix()).digests, digest}
    rows[str(steps)] = Prefix(tuple(sorted(digests)), tuple(sketch))
    told = {key: {"sha256": row.digests, "sketch": row.sketch} for key, row in rows.items()}
    (folder / PREFIX).write_text(json.dumps(told, sort_keys=True) + "\n", encoding="utf-8")
    write_sums(folder)


def load(model: str | Path | None = None) -> Model:
    """Load a model with its hashes checked.  Raises `NotFound` or `Altered`."""
    folder = folder_of(model)
    sums = check_sums(folder)
    path = folder / WEIGHTS
    try:
        with safe_open(path, "numpy") as file:
            origin = json.loads(file.metadata()["musai"])
        weights = load_file(path)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise Altered(f"{path} is not a weights file of musai: {error}") from None
    shape = Shape(**origin["shape"])
    for name, size in shape.weights().items():
        if name not in weights or weights[name].shape != size:
            found = weights[name].shape if name in weights else "missing"
            raise Altered(f"{path}: weight {name} is {found}; its shape must be {size}")
    styles = tuple(CollectionStyle.from_plain(style) for style in origin["styles"])
    return Model(origin["name"], sums[WEIGHTS], folder, shape, styles, origin, weights)


def start_of(recipe: Recipe) -> Model | None:
    """The model that a recipe starts from, if it does.

    Raises `Altered` for one that is not the recipe's, `BadInput` for another shape.
    """
    if not recipe.start:
        return None
    model = load(recipe.start)
    if recipe.start_id and model.model_id != recipe.start_id:
        raise Altered(
            f"model {recipe.start} is {model.model_id[:12]}; the recipe {recipe.name} starts from "
            f"{recipe.start_id[:12]}"
        )
    if model.shape != recipe.shape:
        raise BadInput(
            f"recipe {recipe.name} has {recipe.shape}; legal is {model.shape}, as its start"
        )
    return model


def weights_bytes(
    name: str,
    shape: Shape,
    styles: tuple[CollectionStyle, ...],
    origin: Mapping[str, Any],
    weights: Mapping[str, NDArray[np.float32]],
) -> bytes:
    """The bytes of a weights file; the same for the same model."""
    about = {
        **origin,
        "name": name,
        "shape": asdict(shape),
        "styles": [asdict(style) for style in styles],
    }
    ordered = {key: np.ascontiguousarray(weights[key], np.float32) for key in shape.weights()}
    return save(ordered, {"musai": json.dumps(about, sort_keys=True)})


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS for the files that are there."""
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in (RECIPE, WEIGHTS, CARD, WORKS, PRINTS, PREFIX, RECALL, RECALL_PAGE, QUALITY)
        if (folder / name).is_file()
    ]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")

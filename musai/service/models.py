"""The models of this machine and the works that each was trained on."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from musai.errors import MusaiError
from musai.service.rows import ModelRow, ModelUse
from musai.transformer import checkpoint


def models(home: Path) -> list[ModelRow]:
    """Every model in the home folder and of the package, by name; one at fault says why."""
    rows = {}
    for folder in reversed(list(folders(home))):
        rows[folder.name] = _row(folder)
    return [rows[name] for name in sorted(rows)]


def folders(home: Path) -> Iterable[Path]:
    """Where models lie, those found first going before others of the same name."""
    here = Path(checkpoint.__file__).resolve().parent.parent
    for place in (home / "models", here / "_models", here.parent / "models"):
        if place.is_dir():
            yield from sorted(p for p in place.iterdir() if (p / checkpoint.WEIGHTS).is_file())


def works_of(folder: Path) -> list[dict[str, str]]:
    """The rows of a model's works.csv; none where it has no such file."""
    try:
        with (folder / checkpoint.WORKS).open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error):
        return []


def trained_on(rows: Sequence[ModelRow], work_ids: Iterable[str]) -> list[ModelUse]:
    """The models whose training works are among these, and how many of them each has."""
    wanted = set(work_ids)
    found = []
    for row in rows:
        works = {work.get("id", "") for work in works_of(Path(row.folder))}
        if works & wanted:
            found.append(
                ModelUse(
                    name=row.name,
                    model_id=row.model_id,
                    folder=row.folder,
                    trained_on=len(works & wanted),
                    of=len(works),
                )
            )
    return found


def _row(folder: Path) -> ModelRow:
    fault, sums = "", {}
    try:
        sums = checkpoint.check_sums(folder)
    except MusaiError as error:
        fault = str(error)
    card = folder / checkpoint.CARD
    return ModelRow(
        name=folder.name,
        model_id=sums.get(checkpoint.WEIGHTS, ""),
        folder=str(folder),
        works=len(works_of(folder)),
        card=card.read_text("utf-8", "replace") if card.is_file() else "",
        fault=fault,
    )

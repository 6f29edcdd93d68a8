"""Influence from a file: how much each training work moved each phrase, and how far that can be trusted.

::

    # model<TAB>SHA-256 of the weights
    # method<TAB>what computed it
    # lds<TAB>0.41<TAB>0.33<TAB>0.48      value and interval, where it was measured on that model
    phrase_id<TAB>work_id<TAB>influence
    5f21...<TAB>9c1b...<TAB>0.0123
    *<TAB>9c1b...<TAB>1.75                 of all phrases of the period together
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from musai.errors import BadInput
from musai.royalties.split import GRAIN

ALL = "*"
HEADER = ["phrase_id", "work_id", "influence"]
MOST = 10**6
"""The largest influence of a row, in nats or whatever its unit is."""


@dataclass(frozen=True, slots=True)
class Influence:
    """Influence by work in grains, over the phrases that were used.

    `lds`: value, low and high, None where nobody measured it: then the numbers are a proxy;
    `passed_over`: phrases of the file that were not used in the period.
    """

    model_id: str
    method: str
    lds: tuple[float, float, float] | None
    works: dict[str, int]
    phrases: frozenset[str]
    passed_over: int


def summed(
    model_id: str,
    method: str,
    lds: tuple[float, float, float] | None,
    by_phrase: Mapping[str, Mapping[str, float]],
) -> Influence:
    """Estimates of works by phrase, added up as the rows of a file are."""
    sums: dict[str, int] = defaultdict(int)
    for works in by_phrase.values():
        for work, value in works.items():
            sums[work] += round(value * GRAIN)
    return Influence(model_id, method, lds, dict(sums), frozenset(by_phrase), 0)


def read_influence(path: Path, used: frozenset[str], known: dict[str, str]) -> Influence:
    """Sum a file over the phrases `used` in the period; `known` are all of the ledger with their model.

    Raises `BadInput` naming the line: no number, a phrase that the ledger does not know, or one
    that another model made.
    """
    told: dict[str, list[str]] = {}
    sums: dict[str, int] = defaultdict(int)
    seen: set[str] = set()
    over: set[str] = set()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the influence {path} cannot be read: {error}") from None
    body = 0
    for number, line in enumerate(lines, 1):
        cells = line.split("\t")
        if line.startswith("#"):
            told[cells[0][1:].strip()] = cells[1:]
            continue
        if not line:
            continue
        body += 1
        if body == 1:
            if cells != HEADER:
                raise BadInput(f"line {number} of {path} is {cells}; legal is {HEADER}")
            continue
        if len(cells) != 3:
            raise BadInput(f"line {number} of {path} has {len(cells)} cells; legal is 3")
        phrase, work, text = cells
        if phrase not in used and phrase != ALL:
            _check_phrase(phrase, known, told, f"line {number} of {path}")
            over.add(phrase)
            continue
        seen.add(phrase)
        sums[work] += _grains(text, f"line {number} of {path}")
    model = (told.get("model") or [""])[0]
    if not model:
        raise BadInput(f"the influence {path} does not say of which model; a line '# model' must")
    _check_models(seen, known, model, path)
    return Influence(
        model,
        (told.get("method") or ["not told"])[0],
        _lds(told.get("lds"), path),
        dict(sums),
        frozenset(seen),
        len(over),
    )


def _grains(text: str, where: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value) or abs(value) > MOST:
        raise BadInput(f"{where} has the influence {text!r}; legal is -{MOST} to {MOST}")
    return round(value * GRAIN)


def _check_phrase(
    phrase: str, known: dict[str, str], told: dict[str, list[str]], where: str
) -> None:
    if phrase not in known:
        raise BadInput(f"{where} names the phrase {phrase[:12]!r}, which the ledger does not know")


def _check_models(seen: set[str], known: dict[str, str], model: str, path: Path) -> None:
    for phrase in sorted(seen - {ALL}):
        if known[phrase] != model:
            raise BadInput(
                f"{path} is of the model {model[:12]}, but the phrase {phrase[:12]} was made by "
                f"another, {known[phrase][:12]}"
            )


def _lds(cells: list[str] | None, path: Path) -> tuple[float, float, float] | None:
    if cells is None:
        return None
    try:
        value, low, high = map(float, cells)
    except ValueError:
        raise BadInput(f"{path} has the lds {cells}; legal is value, low and high") from None
    if not -1 <= low <= value <= high <= 1:
        raise BadInput(f"{path} has the lds {cells}; legal is low <= value <= high within -1 to 1")
    return value, low, high

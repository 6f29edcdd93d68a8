"""What every benchmark ends in: raw rows in a file, a table on the screen, figures for the JSON."""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OUT = Path("out/bench")


@dataclass(slots=True)
class Result:
    """One part's lines of the table and its figures for the last line."""

    lines: list[tuple[str, str, str, str]] = field(default_factory=list)
    """(what, musai, reference, which reference)."""
    figures: dict[str, float] = field(default_factory=dict)

    def add(self, what: str, value: str, reference: str = "", which: str = "") -> None:
        """A line of the table."""
        self.lines.append((what, value, reference, which))


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def save_rows(name: str, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write raw rows as CSV under out/bench/."""
    listed = list(rows)
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)
    return path


def show(results: Iterable[Result]) -> None:
    """Print all lines as one table."""
    rows = [("", "musai", "reference", "which"), *(line for one in results for line in one.lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for number, (what, value, reference, which) in enumerate(rows):
        print(
            f"{what:<{widths[0]}}  {value:>{widths[1]}}  {reference:>{widths[2]}}  {which}".rstrip()
        )
        if number == 0:
            print("  ".join("-" * width for width in widths))

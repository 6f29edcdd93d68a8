"""What a model's card and its table of quality say: both are hashed with the weights."""

import json
from typing import Any

from musai.transformer.checkpoint import CARD, QUALITY, load
from tests.bench.table import Result

ROWS = {
    "| this model |": "heldout_bits_per_note",
    "| n-gram baseline |": "baseline_bits_per_note",
}
TABLE = {
    "classifier_auc": ("classifier_auc",),
    "copy_rate": ("copying", "rate"),
    "human_copy_rate": ("copying", "human_rate"),
    "copy_excess_upper95": ("copying", "upper95"),
}
"""Figure -> where the table of `musai model quality` has it."""


def measure(model: str | None) -> Result:
    """Bits a note from the card, the rest from its table; null in the JSON where there is none yet."""
    result, loaded = Result(), load(model)
    card = (loaded.folder / CARD).read_text(encoding="utf-8")
    for line in card.splitlines():
        for start, name in ROWS.items():
            # The first table is that of the bits; others have a row of this name too.
            if line.startswith(start) and name not in result.figures:
                told = line.removeprefix(start).split("|")[0].strip()
                result.figures[name] = float(told)
                result.add(name.replace("_", " "), told, "", "its card")
    path = loaded.folder / QUALITY
    held: Any = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    for name, way in TABLE.items():
        value = held
        for key in way:
            value = value[key] if held else None
        result.figures[name] = value
        told = f"{value:.3f}" if held else "not measured: musai model quality"
        result.add(name.replace("_", " "), told, "", "its quality table" if held else "")
    return result

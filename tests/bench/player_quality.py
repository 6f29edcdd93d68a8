"""What a model's card says of its quality: the card's hash is checked with the weights'."""

from musai.transformer.checkpoint import CARD, load
from tests.bench.table import Result

ROWS = {
    "| this model |": "heldout_bits_per_note",
    "| n-gram baseline |": "baseline_bits_per_note",
}
MISSING = ("classifier_auc", "copy_rate", "human_copy_rate", "copy_excess_upper95")
"""Figures that no command measures yet: null in the JSON, so that nobody reads a guess."""


def measure(model: str | None) -> Result:
    """Bits a note from the card; what has not been measured is said."""
    result, loaded = Result(), load(model)
    card = (loaded.folder / CARD).read_text(encoding="utf-8")
    for line in card.splitlines():
        for start, name in ROWS.items():
            if line.startswith(start):
                result.figures[name] = float(line.removeprefix(start).split("|")[0])
                result.add(
                    name.replace("_", " "),
                    line.removeprefix(start).split("|")[0].strip(),
                    "",
                    "its card",
                )
    for name in MISSING:
        result.figures[name] = None  # type: ignore[assignment]
        result.add(name.replace("_", " "), "not measured")
    return result

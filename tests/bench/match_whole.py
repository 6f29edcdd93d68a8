"""The global mode against experts' alignments, cross-validated, beside a simple alignment."""

from pathlib import Path
from typing import Any

import numpy as np

from scripts import learn_whole
from tests.bench.table import Result, save_rows

EQUAL, CHANGED, ALONE = 1.0, 0.0, -0.5
"""The simple global alignment (Needleman and Wunsch 1970): what its columns are worth."""


def rows(alignments: str) -> list[dict[str, Any]]:
    """Notes of the first lines laid out as the expert did, by song pair."""
    found = []
    for known, judged in learn_whole.folds(learn_whole.read(Path(alignments))):
        weights = learn_whole.of_vector(learn_whole.fit(known))
        for one in judged:
            laid = learn_whole.laid(weights, one)
            plain = simple(one.first, one.second)
            found.append(
                {
                    "family": one.family,
                    "notes": len(one.first),
                    "right": int((laid == one.partner).sum()),
                    "simple": int((plain == one.partner).sum()),
                }
            )
    return found


def simple(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Partners of the first line's notes by a plain global alignment, -1 for none."""
    m, n = len(first), len(second)
    score = np.zeros((m + 1, n + 1))
    score[:, 0], score[0, :] = ALONE * np.arange(m + 1), ALONE * np.arange(n + 1)
    worth = np.where(first[:, None] == second[None, :], EQUAL, CHANGED)
    for i in range(1, m + 1):
        for j in range(1, n + 1):
            score[i, j] = max(
                score[i - 1, j - 1] + worth[i - 1, j - 1],
                score[i - 1, j] + ALONE,
                score[i, j - 1] + ALONE,
            )
    partner = np.full(m, -1)
    i, j = m, n
    while i > 0:
        if j > 0 and score[i, j] == score[i - 1, j - 1] + worth[i - 1, j - 1]:
            i, j = i - 1, j - 1
            partner[i] = j
        elif score[i, j] == score[i - 1, j] + ALONE:
            i -= 1
        else:
            j -= 1
    return partner


def tell_experts(result: Result, held: list[dict[str, Any]]) -> None:
    """Agreement over all notes."""
    save_rows("match_experts", held)
    notes = sum(row["notes"] for row in held)
    right, plain = (sum(row[name] for row in held) / notes for name in ("right", "simple"))
    result.figures["expert_agreement"] = round(right, 4)
    result.figures["expert_agreement_simple"] = round(plain, 4)
    result.add(
        f"global mode, {notes:,} notes of experts' alignments, cross-validated",
        f"{right:.4f}",
        f"{plain:.4f}",
        "simple global alignment",
    )

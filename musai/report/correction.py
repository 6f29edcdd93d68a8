"""One correction over all phrases of a dossier: Benjamini and Hochberg (1995).

Each phrase has one test with one p.  Who looks at fifty phrases finds one at .02 by chance alone,
so that a dossier calls significant what stays at or below `LEVEL` after correction: of all phrases
that it calls so, one in twenty is expected to be chance.
"""

from collections.abc import Sequence

from musai.report.dossier import Correction

LEVEL = 0.05
ALONE = 0.01
"""The level of one phrase by itself, at which the live light decides."""


def q_values(p_values: Sequence[float | None]) -> list[float | None]:
    """The q of each p, in their order; those without a p have none and do not count."""
    tested = sorted((p, at) for at, p in enumerate(p_values) if p is not None)
    found: list[float | None] = [None] * len(p_values)
    least = 1.0
    for rank in range(len(tested), 0, -1):
        p, at = tested[rank - 1]
        least = min(least, p * len(tested) / rank)
        found[at] = least
    return found


def correction(p_values: Sequence[float | None], null_sizes: Sequence[int]) -> Correction:
    """How many phrases there are to correct over, and what is left; `null_sizes` beside each p.

    `least` is the q that a phrase would have which is alone in being closer than every phrase of
    its null: where that is above the level, no phrase by itself can be called significant.
    """
    tested = [p for p in p_values if p is not None]
    sizes = [size for p, size in zip(p_values, null_sizes, strict=True) if p is not None and size]
    least = min(1.0, len(tested) / (1 + max(sizes))) if sizes else None
    corrected = q_values(p_values)
    return Correction(
        method="Benjamini-Hochberg",
        level=LEVEL,
        tested=len(tested),
        significant=sum(q is not None and q <= LEVEL for q in corrected),
        alone=sum(p <= ALONE for p in tested),
        least=least,
    )

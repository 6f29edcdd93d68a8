"""Played music on the grid: which place a note was meant for, and how far off it was played.

Scores lie on the grid as they are.  A performance is brought, quarter by
quarter, to the plainest subdivision that holds what was played there:
sixteenths, triplets, then 32nds and sextuplets; what is left is the nudge.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from musai.music import TICKS
from musai.transformer.vocabulary import LOUDNESS

NUDGE_TICKS: Final = 8
"""Ticks of one class of nudge: 8.3 ms at 120 quarters a minute."""

EVEN: Final = 8
"""The input value of a note played right on its place."""

PADS: Final = {22: 42, 26: 46, 58: 43}
"""Pads of electronic drums that General MIDI does not know (edges of the hi-hat, a tom's rim)."""

_DIVISIONS: Final = ((120, 0.0), (160, 10.0), (60, 18.0), (80, 22.0))
"""Ticks of a part of a quarter, and how much nearer (in ticks, on average) it must lie to be chosen
before sixteenths."""

Ticks = NDArray[np.int64]


def placed(onsets: Ticks) -> tuple[Ticks, NDArray[np.int_]]:
    """(ticks of the places meant, input values of field `nudge`) of onsets in ticks.

    >>> [a.tolist() for a in placed(np.array([0, 131, 240, 352]))]
    [[0, 120, 240, 360], [8, 9, 8, 7]]
    """
    if not (onsets % 20).any():
        return onsets, np.full(len(onsets), EVEN)
    places = onsets.copy()
    quarter = (onsets + 60) // TICKS
    for one in np.unique(quarter):
        mine = quarter == one
        inside = onsets[mine] - one * TICKS
        options = [np.rint(inside / part).astype(np.int64) * part for part, _ in _DIVISIONS]
        costs = [
            float(np.abs(inside - there).mean()) + price
            for there, (_, price) in zip(options, _DIVISIONS, strict=True)
        ]
        places[mine] = one * TICKS + options[int(np.argmin(costs))]
    places = np.maximum(places, 0)
    nudge = np.clip(np.rint((onsets - places) / NUDGE_TICKS), 1 - EVEN, 15 - EVEN).astype(int)
    return places, nudge + EVEN


def velocity_class(velocity: NDArray[np.int_]) -> NDArray[np.int_]:
    """Input values 1 to 16 of field `velocity` for velocities 1 to 127."""
    return 1 + np.clip(velocity, 0, 127) // LOUDNESS


def velocity_of(drawn: int) -> int:
    """The velocity in the middle of a drawn class, 0 to 15."""
    return LOUDNESS * drawn + LOUDNESS // 2

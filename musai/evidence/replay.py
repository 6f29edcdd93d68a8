"""Is this the phrase that was recorded?  EXACT, EQUIVALENT or DIVERGED, with the first step named.

EXACT: the phrase comes out again, hash for hash.  EQUIVALENT: it does not, but every recorded
choice is what other arithmetic may draw: the recorded choices are forced, the noise of each is
computed again, and none misses being drawn by more than `TAU` of a logit.  DIVERGED: anything
else.  Nothing is rounded before it is hashed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

from musai.errors import MusaiError
from musai.evidence.difference import notewise
from musai.evidence.trace import Choice, Departed, Forced, Recorder
from musai.music import Note, Phrase
from musai.transformer import Player, Request
from musai.transformer.guarding import GuardLike

Verdict = Literal["EXACT", "EQUIVALENT", "DIVERGED", "WITHDRAWN"]

CHANGE = 2e-13
"""The largest change of a logit that another instruction set, BLAS path or library made (torch
against numpy, 9.9e-14 on the default model), rounded up; `make bench-replay` measures it."""

TAU = 20 * CHANGE
"""How much of a logit a recorded choice may miss being drawn by."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and why.

    `step`: index of the first choice that differs beyond `TAU`, None where none does; `deficit`:
    by how much of a logit the recorded choices miss being drawn at most; `choices`: how many
    there are; `made_id`: the phrase that came out here.
    """

    verdict: Verdict
    says: str
    made_id: str = ""
    step: int | None = None
    deficit: float | None = None
    choices: int = 0

    def plain(self) -> dict[str, Any]:
        """JSON values; a deficit without end is None."""
        lost = None if self.deficit is None or self.deficit == float("inf") else self.deficit
        return {
            "verdict": self.verdict,
            "says": self.says,
            "made_id": self.made_id,
            "step": self.step,
            "deficit": lost,
            "tau": TAU,
            "choices": self.choices,
        }


def played(
    player: Player, request: Request, guard: GuardLike | None = None
) -> tuple[Phrase, Recorder]:
    """A phrase as the model plays it here, with its choices."""
    recorder = Recorder()
    notes = list(player.generate(request, guard, chooser=recorder))
    return player.phrase(request, notes), recorder


def replay(
    player: Player,
    request: Request,
    recorded: Phrase,
    choices: Sequence[Choice] | None = None,
    guard: GuardLike | None = None,
    tau: float = TAU,
) -> Outcome:
    """Make a phrase again and say what came of it; without its choices never EQUIVALENT."""
    made, recorder = played(player, request, guard)
    count = len(recorder.choices)
    if made.id == recorded.id:
        return Outcome("EXACT", "the same phrase, hash for hash", made.id, None, 0.0, count)
    where = notewise(recorded, made)
    if choices is None:
        return Outcome("DIVERGED", f"{where}; its choices were not recorded", made.id)
    return _forced(player, request, recorded, choices, guard, tau, made, recorder, where)


def _forced(
    player: Player,
    request: Request,
    recorded: Phrase,
    choices: Sequence[Choice],
    guard: GuardLike | None,
    tau: float,
    made: Phrase,
    recorder: Recorder,
    where: str,
) -> Outcome:
    forced = Forced(choices, tau)
    try:
        notes: list[Note] = list(player.generate(request, guard, chooser=forced))
        again = player.phrase(request, notes)
    except (Departed, MusaiError):
        again = None
    beyond = [at for at, lost in enumerate(forced.deficits) if lost > tau]
    most = max(forced.deficits, default=0.0)
    if again is not None and forced.whole and not beyond and again.id == recorded.id:
        says = (
            f"other arithmetic drew {where.removeprefix('differs at ')}; every recorded choice is "
            f"within {tau:.1e} of a logit (the worst misses by {most:.1e})"
        )
        return Outcome("EQUIVALENT", says, made.id, None, most, len(choices))
    step = beyond[0] if beyond else len(forced.deficits)
    if step >= len(choices):
        says = "the recorded choices do not give the recorded phrase"
        return Outcome("DIVERGED", f"{says}; {where}", made.id, step, most, len(choices))
    drawn = "; nothing of the kind may be drawn there"
    if beyond:
        drawn = f", which misses being drawn by {forced.deficits[step]:.3g} of a logit"
    says = f"first at choice {step + 1}, the {choices[step]}: recorded {choices[step].drawn}{drawn}"
    first = first_difference(choices, recorder.choices)
    other = f"; here {first}" if first else ""
    return Outcome("DIVERGED", f"{says}{other}; {where}", made.id, step, most, len(choices))


def first_difference(recorded: Sequence[Choice], made: Sequence[Choice]) -> str:
    """ "the pitch of event 3 is 67", the first choice made otherwise than recorded; or nothing."""
    for old, new in zip_longest(recorded, made):
        if old != new:
            return "no more is drawn" if new is None else f"the {new} is {new.drawn}"
    return ""

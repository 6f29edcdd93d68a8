"""A guard by fingerprints alone, for the works of a model whose music is not here.

Any `SURE` notes in a row of a training work hold a run of `RUN` whose fingerprint is kept or are
kept themselves, common stock aside.  So a line that no kept run ends in holds no `SURE` of them.
A fingerprint of `RUN` notes is 40 bits of all but the last step: where one is met, no pitch at all
may follow there, which is stricter than a guard that has the notes.  Laxer it is in two places: a
longer run made of nothing but twelves that five authors hold passes; and where the human's own
context holds a kept run, which may come again, a copy that goes on from it cannot be told.
"""

from collections.abc import Collection, Sequence
from typing import Final, Protocol

from musai.match.fingerprints import Fingerprints
from musai.match.lines import Line
from musai.match.streams import MAX_STEP
from musai.music import Note

MODEL: Final = "model:"
"""Begins the name that a model's fingerprints go by among the corpora of a guard."""

_EVERY_STEP: Final = range(2 * MAX_STEP + 1)


class PrintedRuns:
    """Kept runs in the place of a corpus's table of held ones."""

    def __init__(self, prints: Fingerprints) -> None:
        self._prints = prints

    def keys(self, prefix: int) -> list[int]:
        """Every key with this prefix, or none."""
        return [prefix | step for step in _EVERY_STEP] if self._prints.holders(prefix) else []

    def is_common(self, key: int) -> bool:
        """No: common stock left no fingerprint."""
        return False


class LongRuns:
    """Kept runs of `SURE` notes in the place of a corpus's table of held ones."""

    def __init__(self, prints: Fingerprints) -> None:
        self._prints = prints

    def keys(self, prefix: int) -> list[int]:
        """The keys with this prefix."""
        return self._prints.long_keys(prefix)

    def is_common(self, key: int) -> bool:
        """No: common stock left no fingerprint."""
        return False


class Watch(Protocol):
    """What `musai.match.guard.Watch` does; `lines` are all that settling changes."""

    lines: list[Line]
    spread: int

    def forbidden(self, onset: int, voice: int, pending: Sequence[Note]) -> Collection[int]:
        """See `musai.match.guard.Watch`."""
        ...

    def settle(
        self, notes: Sequence[Note], given: Collection[Note], later: Sequence[Note]
    ) -> Note | None:
        """See `musai.match.guard.Watch`."""
        ...


class Together:
    """Several watches over the same answer: what any of them forbids is forbidden."""

    def __init__(self, *watches: Watch) -> None:
        self._watches = watches
        self.spread = watches[0].spread

    def forbidden(self, onset: int, voice: int, pending: Sequence[Note]) -> Collection[int]:
        """Pitches that any of them forbids."""
        return set().union(*(w.forbidden(onset, voice, pending) for w in self._watches))

    def settle(
        self, notes: Sequence[Note], given: Collection[Note], later: Sequence[Note]
    ) -> Note | None:
        """Let the notes stand in all, or in none and name what is wrong."""
        before = [watch.lines for watch in self._watches]
        for watch in self._watches:
            wrong = watch.settle(notes, given, later)
            if wrong is not None:
                for other, lines in zip(self._watches, before, strict=True):
                    other.lines = lines
                return wrong
        return None

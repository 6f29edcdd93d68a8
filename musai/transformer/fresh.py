"""Not the last takes again: what would repeat a run of an earlier take is not drawn.

Deterministic: takes are part of the request.  A run is notes of one voice
that follow one another in both phrases, each at the same tick and pitch.
"""

from collections.abc import Sequence

from musai.transformer.copying import shallow

Take = tuple[tuple[int, int, int], ...]
"""Onset (ticks), pitch, voice of each note."""

RUN = 4
"""Notes in a row that no two takes may share."""


class Fresh:
    """Follows an answer beside the takes that it must not repeat."""

    def __init__(self, takes: Sequence[Take]) -> None:
        self._lines: list[tuple[int, list[tuple[int, int]]]] = []
        for take in takes:
            for voice in sorted({note[2] for note in take}):
                line = sorted(note[:2] for note in take if note[2] == voice)
                self._lines.append((voice, line))
        self._next = [0] * len(self._lines)
        self._run = [0] * len(self._lines)

    def copy(self) -> "Fresh":
        """The same state, to come back to."""
        if not self._lines:
            return self
        same = shallow(self)
        same._next, same._run = list(self._next), list(self._run)
        return same

    def forbidden(self, onset: int, voice: int) -> set[int]:
        """Pitches that would complete a run there."""
        return {
            line[at][1]
            for (own, line), at, run in zip(self._lines, self._next, self._run, strict=True)
            if own == voice and run >= RUN - 1 and at < len(line) and line[at][0] == onset
        }

    def push(self, onset: int, pitch: int, voice: int) -> None:
        """A note was drawn."""
        for i, (own, line) in enumerate(self._lines):
            if own != voice:
                continue
            at = self._next[i]
            if self._run[i] and at < len(line) and line[at] == (onset, pitch):
                self._run[i], self._next[i] = self._run[i] + 1, at + 1
                continue
            found = line.index((onset, pitch)) if (onset, pitch) in line else -1
            self._run[i], self._next[i] = int(found >= 0), found + 1


def longest_run(notes: Take, take: Take) -> int:
    """Notes in a row that a phrase shares with a take; for tests and tables."""
    best = 0
    for voice in {note[2] for note in notes}:
        mine = sorted(note[:2] for note in notes if note[2] == voice)
        other = sorted(note[:2] for note in take if note[2] == voice)
        place = {note: i for i, note in enumerate(other)}
        run, last = 0, -2
        for note in mine:
            at = place.get(note, -2)
            run = run + 1 if at >= 0 and at == last + 1 else int(at >= 0)
            best, last = max(best, run), at
    return best

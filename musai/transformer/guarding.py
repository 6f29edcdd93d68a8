"""The guard as decoding sees it, and how an answer is drawn under it.

A guard knows which runs of notes the answer's lines must not hold; decoding is handed one and
knows nothing of corpora.  What an onset does to the top and the bottom of all that sounds is
known only when it is over.  So notes are drawn onset by onset: choices that would end such a
run are masked where that is known beforehand, an onset that has ended one all the same is
taken back and drawn again, and one that leads nowhere stays silent.  A note is given out when
the next event beyond its onset has been drawn, and then stands for good.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from musai.errors import MusaiError
from musai.music import Note, Phrase, Voice
from musai.transformer.vocabulary import BARLINE
from musai.transformer.walk import Barred, Stuck, Walk

TRIES = 8
"""Draws of one onset before it is left silent."""


class Watch(Protocol):
    """The lines of one answer as far as they stand."""

    def forbidden(self, onset: int, voice: int, pending: Sequence[Note]) -> Collection[int]:
        """Pitches that would end a forbidden run of this voice's lines there.

        `pending`: notes after the last that stands.
        """
        ...

    def settle(
        self, notes: Sequence[Note], given: Collection[Note], later: Sequence[Note]
    ) -> Note | None:
        """These notes, in time order, are followed by none within a chord's spread: let them stand.

        Or, where they end a forbidden run, name the last drawn note of it and leave everything as
        it was.  `given` are not drawn: the human's, which stand in any case, and a run of them alone is
        no matter; `later` come after these notes, and must not end a run even if nothing else does.
        """
        ...

    @property
    def spread(self) -> int:
        """Ticks within which notes that begin one after the other are one chord."""
        ...


class GuardLike(Protocol):
    """Which runs must not be held, for some length of run and some corpora."""

    @property
    def id(self) -> str:
        """Names the guard and all that its answers depend on."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """JSON values, for the record."""
        ...

    def watch(self, voices: Sequence[Voice], context: Phrase | None) -> Watch:
        """For an answer of these voices; runs that the context holds are the human's own and free."""
        ...


@dataclass(slots=True)
class Tally:
    """What the guard did to one answer: onsets that stand, choices that had a pitch masked, onsets
    drawn again, steps left silent."""

    onsets: int = 0
    masked: int = 0
    again: int = 0
    silent: int = 0


@dataclass(slots=True)
class _Onset:
    """The onset in hand: its notes, the steps they were drawn at, and what is barred from it.

    `after`: the first position drawn beyond what stands, and the last tick of that.
    """

    after: tuple[int, int] | None = None
    tries: int = 0
    barred: Barred | None = None
    notes: list[Note] = field(default_factory=list)
    drawn: list[tuple[int, int, int]] = field(default_factory=list)

    def with_given(self, kept: Sequence[Note], before: int) -> list[Note]:
        """The onset's notes with what is kept before this tick, in time order."""
        if not kept and len(self.notes) == 1:
            return self.notes
        due = [note for note in kept if note.onset < before]
        return sorted(self.notes + due, key=lambda note: (note.onset, note.voice, note.pitch))

    def stuck(self, wrong: Note) -> Stuck:
        """Where a note was drawn that must not stand."""
        place = self.notes.index(wrong) if wrong in self.notes else -1
        return Stuck(*self.drawn[place])

    def again(self, stuck: Stuck, tally: Tally) -> "_Onset":
        """The onset to be drawn once more without what it got stuck at.

        After `TRIES` draws the step where it began is barred as well.
        """
        if stuck.step < 0:
            raise MusaiError("the guard leaves no place where this phrase may begin")
        tally.again += 1
        barred = Barred() if self.barred is None else self.barred
        barred.add(stuck)
        tries = self.tries + 1
        if tries % TRIES == 0 and self.drawn:
            tally.silent += 1
            barred.steps.add(self.drawn[0][0])
        return _Onset(self.after, tries, barred)


def guarded(
    walk: Walk, watch: Watch, kept: deque[Note], tally: Tally | None = None
) -> Iterator[Note]:
    """The notes of an answer and those that are kept in it, each when it stands.

    `kept`, in time order, is empty afterwards.
    """
    tally = Tally() if tally is None else tally
    given = frozenset(kept)
    mark, onset, tick = walk.mark(), _Onset(), 0

    def masked(voice: int) -> Collection[int]:
        pitches = watch.forbidden(tick, voice, onset.notes)
        tally.masked += bool(pitches)
        return pitches

    while not walk.done:
        try:
            position = walk.position(onset.tries, onset.barred)
            tick = walk.when(position)
            notes = onset.with_given(kept, tick) if onset.notes or kept else []
            if notes and tick > notes[-1].onset + watch.spread:
                later = list(kept)[len(notes) - len(onset.notes) :] if kept else ()
                wrong = watch.settle(notes, given, later)
                if wrong is not None:
                    raise onset.stuck(wrong)
                yield from notes
                for _ in range(len(notes) - len(onset.notes)):
                    kept.popleft()
                tally.onsets += 1
                mark, onset = walk.mark(), _Onset((position, notes[-1].onset + watch.spread))
            if position == BARLINE:
                walk.push(None)
                if not onset.notes:
                    mark, onset = walk.mark(), _Onset()
                continue
            drawn = walk.note(position, onset.tries, onset.barred, masked)
        except Stuck as stuck:
            onset = onset.again(stuck, tally)
            walk.back(mark)
            # Drawn again, the next note must not come back to the onset that stands.
            if onset.barred is not None and onset.after is not None:
                onset.barred.first = walk.first_after(*onset.after)
            continue
        onset.drawn.append((walk.step(drawn), drawn.voice, drawn.pitch))
        note = walk.push(drawn)
        if note is not None:
            onset.notes.append(note)

"""One answer on its way into time: planned, told ahead, committed, counted.

All times are ticks of the jam's count.  A note is planned when the model has
said it, and committed when nothing can change it any more; only committed
notes may sound.  What the model says too late to be played in time is left
out and counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Final

from osc_bridge.jam_steps import Heard, Wanted

STEP: Final = 120
"""Ticks by which the committed part grows at least."""


@dataclass(slots=True)
class Planned:
    """A note of the plan; `onset` in ticks of the jam."""

    index: int
    onset: int
    duration: int
    pitch: int
    velocity: int
    voice: int
    told: bool = False
    committed: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """How far ahead, in ticks: `commit` at most, `soon` at the latest, `hard` still possible."""

    commit: int
    soon: int
    hard: int
    show: int


@dataclass(slots=True)
class Take:
    """An answer of `bars` bars from `start`; `until` is the end of the committed part."""

    number: int
    ask: int
    wanted: Wanted
    start: int
    bar: int
    until: int
    notes: list[Planned] = field(default_factory=list)
    since: int | None = None
    """Where it begins to be played, if later than its start: the rest was written as context."""
    asked: int = 0
    heard: int = 0
    whole: list[Heard] = field(default_factory=list)
    frontier: int = 0
    complete: bool = False
    late: int = 0
    missed: set[int] = field(default_factory=set)
    cut: int | None = None
    phrase: str = ""
    replay: str = ""
    over: bool = False
    retried: bool = False
    exact: bool = False
    first: int | None = None
    """Tick at which its first note was known."""

    def __post_init__(self) -> None:
        self.frontier = max(self.frontier, self.start)

    @property
    def end(self) -> int:
        """Where it ends, or was cut short."""
        whole = self.start + self.wanted.bars * self.bar
        return whole if self.cut is None else min(whole, self.cut)

    def plan(self, now: int, reach: Reach, note: Planned) -> bool:
        """Take a note into the plan; False where it is too late, or beyond where it was cut."""
        self.frontier = max(self.frontier, note.onset)
        early = self.since is not None and note.onset < self.since
        if self.over or early or note.onset >= self.end:
            return False
        if note.onset < max(self.until, now + reach.hard):
            self._miss(note.onset)
            return False
        if self.first is None:
            self.first = now
        self.notes.append(note)
        return True

    def _miss(self, onset: int) -> None:
        self.late += 1
        self.missed.add((onset - self.start) // self.bar)

    def commit(self, now: int, reach: Reach) -> bool:
        """Let the committed part grow as far as it may; True where it grew."""
        if self.over:
            return False
        self._starve(now, reach)
        target = max(self._ahead(now, reach), self._urgent(now, reach))
        if target <= max(self.until, self.start):
            return False
        for note in self.notes:
            if not note.committed and note.onset < target:
                note.committed = note.onset >= now + reach.hard
                if not note.committed:
                    self._miss(note.onset)
        self.notes = [note for note in self.notes if note.committed or note.onset >= target]
        self.until = target
        return True

    def _ahead(self, now: int, reach: Reach) -> int:
        """As far as it is known and near enough, in strides."""
        safe = min(self.end, now + reach.commit, self.end if self.complete else self.frontier)
        return safe if safe - self.until >= STEP or safe == self.end else self.until

    def _urgent(self, now: int, reach: Reach) -> int:
        """What is there must be committed while it can still be sent in time."""
        soon = now + reach.soon + 1
        loose = any(not note.committed and note.onset < soon for note in self.notes)
        return min(soon, self.end) if loose else self.until

    def _starve(self, now: int, reach: Reach) -> None:
        """A bar that begins while the model has not come so far is missed."""
        bar = (now + reach.hard - self.start) // self.bar
        if (
            bar >= 0
            and not self.complete
            and self.frontier < self.start + bar * self.bar < self.end
        ):
            self.missed.add(bar)

    def to_tell(self, now: int, reach: Reach) -> Iterable[Planned]:
        """Notes that clients have not been shown and now may see."""
        for note in self.notes:
            if not note.told and note.onset < now + reach.show:
                note.told = True
                yield note

    def cut_at(self, tick: int) -> int:
        """End it at `tick`, or where the committed part ends; returns where."""
        at = max(tick, self.until, self.start)
        self.cut = min(self.end, at)
        self.notes = [note for note in self.notes if note.onset < self.cut]
        return self.cut

    def unmade(self) -> range:
        """Bars that the model has not come to."""
        return range((self.frontier - self.start) // self.bar, (self.end - self.start) // self.bar)

    def sounded(self) -> int:
        """How many notes were committed."""
        return sum(note.committed for note in self.notes)

    def wake(self, now: int, reach: Reach) -> float:
        """The next tick at which something is to be done."""
        times: list[float] = [self.end]
        safe = self.end if self.complete else self.frontier
        if safe - self.until >= STEP or self.until < safe == self.end:
            times.append(min(self.until + STEP, safe) - reach.commit)
        loose = [note.onset for note in self.notes if not note.committed]
        if loose:
            times.append(min(loose) - reach.soon)
        unseen = [note.onset for note in self.notes if not note.told]
        if unseen:
            times.append(min(unseen) - reach.show)
        return min((max(time, now + 1) for time in times), default=inf)

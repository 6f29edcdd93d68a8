"""What a jam has heard of the humans: notes struck, held and released, in the jam's ticks."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from osc_bridge.jam_steps import TICKS

REMEMBERED: Final = 1024
EARLY: Final = TICKS // 2
"""Ticks before a stretch of bars in which a note still belongs to it."""

Row = tuple[int, int, int, int, int]


@dataclass(slots=True)
class HeardNote:
    """A key struck at `onset` and released at `end`, None while it is held."""

    key: str
    onset: int
    pitch: int
    velocity: int
    voice: int
    end: int | None = None


class Ear:
    """The last notes heard, oldest first.  `changed`: struck since somebody set it False."""

    def __init__(self) -> None:
        self._notes: deque[HeardNote] = deque(maxlen=REMEMBERED)
        self._held: dict[str, HeardNote] = {}
        self._ended = -inf
        self.changed = False

    def on(self, now: int, key: str, pitch: int, velocity: int, voice: int) -> None:
        """A key is struck; sent twice it is struck once."""
        if any(note.key == key for note in self._notes):
            return
        self.off(now, "", pitch, voice)
        note = HeardNote(key, now, pitch, velocity, voice)
        self._notes.append(note)
        self._held[key] = note
        self.changed = True

    def off(self, now: int, key: str, pitch: int, voice: int) -> None:
        """A key is released: the note of this name or, without a name, of this pitch and voice.

        A release that names an older note never cuts a newer one.
        """
        if not key:
            named = (k for k, n in self._held.items() if (n.pitch, n.voice) == (pitch, voice))
            key = next(named, "")
        note = self._held.pop(key, None)
        if note is not None:
            note.end = max(now, note.onset + 1)
            self._ended = max(self._ended, note.end)

    def gone(self, now: int, owner: str) -> None:
        """Release what a client held; its keys begin with `owner`."""
        for key in [key for key in self._held if key.startswith(owner)]:
            self.off(now, key, 0, 0)

    def release(self, now: int) -> None:
        """Release everything."""
        self.gone(now, "")

    def any(self, since: int = -(2**62)) -> bool:
        """Whether something was struck since (or shortly before) that tick."""
        return any(note.onset >= since - EARLY for note in reversed(self._notes))

    def first_onset(self, since: int, until: int) -> int:
        """Tick of the first note struck from `since` on; `until` where there is none."""
        return next((max(note.onset, since) for note in self._notes if note.onset >= since), until)

    def last_onset(self) -> int:
        """Tick of the last note struck."""
        return self._notes[-1].onset

    def silent_since(self) -> float:
        """Tick of the last release; infinity while a key is held."""
        return inf if self._held else self._ended

    def quiet(self, now: int, pause: int) -> bool:
        """Whether nothing is held and `pause` ticks have passed since the last release."""
        return bool(self._notes) and self.silent_since() + pause <= now

    def context(
        self,
        since: int,
        until: int,
        own: Iterable[Row] = (),
        own_voice: int | None = None,
        heard: int | None = None,
    ) -> tuple[tuple[Row, ...], tuple[int, ...]]:
        """Notes from `since` to `until` as rows (onset, duration, pitch, velocity, voice).

        Onsets count from `since`; voices are numbered without gaps, and the second value says
        which they are.  What is held counts as held until `until`, or until `heard` (now).  `own` are rows with
        onsets in the jam's ticks, of voice `own_voice`, which is there even without notes.
        """
        held = until if heard is None else heard
        rows: list[Row] = [
            (note.onset, (note.end or held) - note.onset, note.pitch, note.velocity, note.voice)
            for note in self._notes
            if since - EARLY <= note.onset < until
        ]
        rows += own
        used = {row[4] for row in rows} | ({own_voice} if own_voice is not None else set())
        voices = tuple(sorted(used))
        return tuple(sorted(_placed(row, since, until, voices) for row in rows)), voices


def _placed(row: Row, since: int, until: int, voices: Sequence[int]) -> Row:
    onset, duration, pitch, velocity, voice = row
    start, end = max(onset, since), min(onset + duration, until)
    return (start - since, max(1, end - start), pitch, velocity, voices.index(voice))

"""An answer's lines, note by note: those that `streams` finds in the finished phrase.

The top and the bottom of every voice and of all pitched voices together, and every voice of drums.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from musai.match.runs import key_of, prefix_of, sign_of, step_of
from musai.match.streams import SPREAD
from musai.music import Note, Phrase, Voice


class Line(NamedTuple):
    """One line as far as it stands: its last notes, and what still sounds in its voices."""

    top: bool | None
    """Whether it follows the highest notes; None while the highest are the lowest, so that it is both."""
    voice: int | None
    """Whose notes; None for those of all pitched voices."""
    drums: bool = False
    tail: tuple[Note, ...] = ()
    """Its last notes, as many as a run has but one."""
    signs: tuple[int, ...] = ()
    """Signs of the notes of the tail that have a note on either side."""
    sounding: Mapping[int, int] = MappingProxyType({})
    """Until when each pitch sounds."""

    def run(self, signs: tuple[int, ...], k: int) -> tuple[int, ...] | None:
        """Of the signs that a note would leave, those of the run of k notes that it would end."""
        return signs[-(k - 2) :] if len(self.tail) >= k - 1 else None

    def step(self, pitch: int) -> int:
        """The step to a pitch."""
        return step_of(self.tail[-1].pitch, pitch, self.drums)

    def signs_at(self, onset: int) -> tuple[int, ...]:
        """The signs of the tail when a note at this onset follows."""
        if len(self.tail) < 2:
            return ()
        before, last = self.tail[-2:]
        step = step_of(before.pitch, last.pitch, self.drums)
        return (*self.signs, sign_of(step, last.onset - before.onset, onset - last.onset))

    def heard(
        self, notes: Sequence[Note], picked: Note | None, signs: tuple[int, ...], k: int
    ) -> "Line":
        """The line when these notes have begun to sound and it has gone on with the one that was picked,
        if one was; `signs` those at its onset."""
        now = notes[0].onset
        sounding = {pitch: end for pitch, end in self.sounding.items() if end > now}
        for note in notes:
            end = note.onset + note.duration
            sounding[note.pitch] = max(end, sounding.get(note.pitch, 0))
        if picked is None:
            return Line(self.top, self.voice, self.drums, self.tail, self.signs, sounding)
        tail = (*self.tail, picked)[-(k - 1) :]
        return Line(self.top, self.voice, self.drums, tail, signs[-(k - 2) :], sounding)

    def parts(self, chord: Sequence[Note]) -> bool:
        """Whether the highest and the lowest are two from this chord on."""
        if self.top is not None:
            return False
        note = chord[0]
        half = note.onset + note.duration // 2
        return len(chord) > 1 or any(
            end > half and pitch != note.pitch for pitch, end in self.sounding.items()
        )

    def sides(self) -> tuple["Line", "Line"]:
        """The highest and the lowest, each a line of its own from now on."""
        return self._replace(top=True), self._replace(top=False)

    def pick(self, chord: Sequence[Note]) -> Note | None:
        """The chord's note that the line goes on with, as `kernels.skyline` has it; see `parts` first."""
        best = chord[0]
        if self.top is None:
            return best
        for note in chord[1:]:
            if note.pitch != best.pitch and (note.pitch > best.pitch) == self.top:
                best = note
        half = best.onset + best.duration // 2
        for pitch, end in self.sounding.items():
            if end > half and pitch != best.pitch and (pitch > best.pitch) == self.top:
                return None
        return best


def chords(notes: Sequence[Note]) -> list[list[Note]]:
    """Notes in order, grouped: each group begins within `SPREAD` ticks of its first."""
    if len(notes) == 1:
        return [list(notes)]
    groups: list[list[Note]] = []
    for note in notes:
        if groups and note.onset - groups[-1][0].onset <= SPREAD:
            groups[-1].append(note)
        else:
            groups.append([note])
    return groups


def lines_of(voices: Sequence[Voice]) -> list[Line]:
    """The lines that a phrase of these voices may have."""
    lines = [Line(False, i, True) for i, voice in enumerate(voices) if voice.drum]
    pitched = [i for i, voice in enumerate(voices) if not voice.drum]
    lines += [Line(None, i) for i in pitched]
    if len(pitched) > 1:
        lines.append(Line(None, None))
    return lines


def runs_of(phrase: Phrase, k: int, drums: bool = True) -> list[int]:
    """Keys of all runs of k notes of a phrase's lines, those of drums among them or not."""
    keys = []
    notes = [Note(*row) for row in phrase.notes.tolist()]
    pitched = {i for i, voice in enumerate(phrase.voices) if not voice.drum}
    for first in lines_of(phrase.voices):
        if first.drums and not drums:
            continue
        voices = pitched if first.voice is None else {first.voice}
        lines = [first]
        for chord in chords([note for note in notes if note.voice in voices]):
            if lines[0].parts(chord):
                lines = [*lines[0].sides()]
            for i, line in enumerate(lines):
                picked = line.pick(chord)
                signs: tuple[int, ...] = ()
                if picked is not None:
                    signs = line.signs_at(picked.onset)
                    run = line.run(signs, k)
                    if run is not None:
                        keys.append(key_of(prefix_of(run), line.step(picked.pitch)))
                lines[i] = line.heard(chord, picked, signs, k)
    return keys

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

    top: bool
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

    def other(self) -> "Line":
        """The same notes as the other side of the voice's."""
        return Line(not self.top, self.voice, self.drums, self.tail, self.signs, self.sounding)

    def is_twin(self, other: "Line", note: Note) -> bool:
        """Whether the other side of this voice has held the same notes, and this one alone goes on with both."""
        if self[1:] != other[1:] or self.top == other.top:
            return False
        half = note.onset + note.duration // 2
        return all(end <= half or pitch == note.pitch for pitch, end in self.sounding.items())

    def pick(self, chord: Sequence[Note]) -> Note | None:
        """The chord's note that the line goes on with, as `kernels.skyline` has it."""
        best = chord[0]
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
    lines += [Line(top, i) for i in pitched for top in (True, False)]
    if len(pitched) > 1:
        lines += [Line(True, None), Line(False, None)]
    return lines


def runs_of(phrase: Phrase, k: int, drums: bool = True) -> list[int]:
    """Keys of all runs of k notes of a phrase's lines, those of drums among them or not."""
    keys = []
    notes = [Note(*row) for row in phrase.notes.tolist()]
    pitched = {i for i, voice in enumerate(phrase.voices) if not voice.drum}
    for line in lines_of(phrase.voices):
        if line.drums and not drums:
            continue
        mine = [
            n for n in notes if n.voice == line.voice or (line.voice is None and n.voice in pitched)
        ]
        for chord in chords(mine):
            picked = line.pick(chord)
            signs: tuple[int, ...] = ()
            if picked is not None:
                signs = line.signs_at(picked.onset)
                run = line.run(signs, k)
                if run is not None:
                    keys.append(key_of(prefix_of(run), line.step(picked.pitch)))
            line = line.heard(chord, picked, signs, k)
    return keys

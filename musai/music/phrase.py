"""Phrase: the one thing that every room passes on.  Frozen, hashable, with canonical bytes."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import index
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from musai.errors import BadInput, check_range
from musai.music.metre import Metre
from musai.music.notes import (
    MAX_TICK,
    NOTE,
    TICKS,
    NoteArray,
    end_tick,
    notes_array,
    numbers,
    untangled,
)

MAX_VOICES = 64
MAX_NAME_BYTES = 127
_PLAIN = Metre()


@dataclass(frozen=True, slots=True)
class Voice:
    """Who plays: a name, a General MIDI program (0 to 127), or the drums of channel 10."""

    name: str = ""
    program: int = 0
    drum: bool = False

    def __post_init__(self) -> None:
        check_range("voice's program", self.program, 0, 127)
        try:
            size = len(self.name.encode())
        except UnicodeEncodeError:
            raise BadInput(f"voice's name {self.name!r} holds half a surrogate pair") from None
        check_range("size of the voice's name", size, 0, MAX_NAME_BYTES, "bytes")


@dataclass(frozen=True, eq=False)
class Phrase:
    """Notes with their metre and voices; `length` in ticks may reach beyond the last note.

    Invariants, all checked: notes in canonical order and read-only; every
    note's voice exists; within one voice no two notes of one pitch sound at
    once (a MIDI file could not tell them apart).  Two phrases are equal when
    their canonical bytes are.
    """

    notes: NoteArray
    metre: Metre = _PLAIN
    voices: tuple[Voice, ...] = (Voice(),)
    length: int = -1

    def __post_init__(self) -> None:
        if self.notes.dtype != NOTE or self.notes.ndim != 1:
            raise BadInput(f"notes are {self.notes.dtype}, {self.notes.ndim}-d; legal is NOTE, 1-d")
        if not 1 <= len(self.voices) <= MAX_VOICES:
            raise BadInput(f"a phrase has {len(self.voices)} voices; legal is 1 to {MAX_VOICES}")
        checked = notes_array(*(self.notes[name] for name in NOTE.names or ()))
        if not np.array_equal(checked, untangled(checked)):
            raise BadInput("two notes of one voice and pitch sound at once; untangle them first")
        if len(checked) and checked["voice"].max() >= len(self.voices):
            raise BadInput(
                f"a note's voice is {checked['voice'].max()}; legal is 0 to {len(self.voices) - 1}"
            )
        end = end_tick(checked)
        length = end if self.length == -1 else index(self.length)
        check_range("length", length, end, MAX_TICK, "ticks")
        checked.flags.writeable = False
        object.__setattr__(self, "notes", checked)
        object.__setattr__(self, "length", length)

    @classmethod
    def from_notes(
        cls,
        onsets: ArrayLike,
        durations: ArrayLike,
        pitches: ArrayLike,
        velocities: ArrayLike = 80,
        voices: ArrayLike = 0,
        *,
        metre: Metre | None = None,
        names: Sequence[Voice] = (),
        length: float | None = None,
    ) -> "Phrase":
        """A phrase from onsets and durations in quarter notes and pitches in MIDI numbers.

        Times go to the nearest tick; a duration of nothing becomes one tick.
        Raises `BadInput` for what is not finite or out of range.
        """
        starts, lengths = (
            np.rint(numbers(name, values) * TICKS)
            for name, values in (("onset", onsets), ("duration", durations))
        )
        if (lengths < 0).any():
            raise BadInput(f"a duration is {lengths.min() / TICKS:g} quarters; legal is 0 or more")
        notes = notes_array(starts, np.maximum(1, lengths), pitches, velocities, voices)
        count = 1 + int(notes["voice"].max(initial=0))
        known = tuple(names) or (Voice(),) * count
        notes = untangled(notes)
        ticks = -1
        if length is not None:
            check_range("length", length, 0, MAX_TICK / TICKS, "quarters")
            ticks = max(round(length * TICKS), end_tick(notes))
        return cls(notes, metre or _PLAIN, known, ticks)

    @classmethod
    def from_midi(cls, source: str | Path | bytes) -> "Phrase":
        """A phrase from a standard MIDI file, given as its path or its bytes."""
        from musai.music.midi import read_midi

        return read_midi(source if isinstance(source, bytes) else Path(source))

    @classmethod
    def from_audio(
        cls,
        source: str | Path,
        tempo: float | None = None,
        signature: tuple[int, int] = (4, 4),
    ) -> "Phrase":
        """What one voice sings or plays in a sound file, from its first note on; extra `[audio]`.

        `tempo` in quarters a minute; where None, the one that fits the onsets best.  Raises
        `BadInput` for silence, noise, and what is longer than `audio.LONGEST_SECONDS`.
        """
        from musai.music.audio import phrase_of_file

        return phrase_of_file(Path(source), tempo, signature)

    def to_midi(self) -> bytes:
        """The bytes of a standard MIDI file, type 1, which `from_midi` reads back as this phrase."""
        from musai.music.midi import write_midi

        return write_midi(self)

    @cached_property
    def canonical_bytes(self) -> bytes:
        """The bytes that the id hashes; layout pinned by a test."""
        metre = self.metre
        parts = [b"musai-phrase-1\n", struct.pack("<II", self.length, len(self.voices))]
        for voice in self.voices:
            name = voice.name.encode()
            parts.append(struct.pack("<BBB", voice.program, voice.drum, len(name)) + name)
        for tag, rows in (
            (b"T", [(t.tick, t.us_per_quarter, 0) for t in metre.tempos]),
            (b"S", [(s.tick, s.numerator, s.denominator) for s in metre.signatures]),
            (b"K", [(k.tick, k.fifths, int(k.minor)) for k in metre.keys]),
        ):
            parts.append(tag + struct.pack("<I", len(rows)))
            parts.extend(struct.pack("<Iii", *row) for row in rows)
        parts.append(b"N" + struct.pack("<I", len(self.notes)) + self.notes.tobytes())
        return b"".join(parts)

    @cached_property
    def id(self) -> str:
        """SHA-256 of the canonical bytes, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical_bytes).hexdigest()

    @cached_property
    def notes_id(self) -> str:
        """SHA-256 of the notes alone: the same under another title, tempo or instrument."""
        return hashlib.sha256(b"musai-notes-1\n" + self.notes.tobytes()).hexdigest()

    @property
    def bars(self) -> int:
        """Number of bars begun before the end of the phrase."""
        return self.metre.bar_count(self.length)

    def with_notes(self, notes: NoteArray, length: int = -1) -> "Phrase":
        """The same metre and voices with other notes."""
        return Phrase(notes, self.metre, self.voices, length)

    def __reduce__(self) -> tuple[type["Phrase"], tuple[object, ...]]:
        # On its way to another process: made anew there, so checked and read-only again.
        return Phrase, (self.notes, self.metre, self.voices, self.length)

    def __len__(self) -> int:
        return len(self.notes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Phrase):
            return NotImplemented
        return self.canonical_bytes == other.canonical_bytes

    def __hash__(self) -> int:
        return hash(self.canonical_bytes)

    def __repr__(self) -> str:
        return f"<Phrase {self.id[:8]}: {len(self)} notes, {self.bars} bars, {len(self.voices)} voices>"

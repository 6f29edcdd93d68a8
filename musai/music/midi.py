"""Standard MIDI files, types 0 and 1 <-> Phrase.

Reading
-------
A voice is a (track, channel) pair that has notes, in the order of the file; its
name is its track's, its program the one in force at its first note (its own
track's, else its channel's in any track, else the one that its name means), and
channel 10 makes it drums.

A note ends at the first note-off of its pitch that no earlier note of that
pitch takes (first struck, first released); note-on at velocity 0 is a note-off.
Then overlaps are untangled: a pitch struck again ends the note that sounds.
Ticks go to the nearest at 480 a quarter, ties up, onsets and ends each for
themselves, so rounding never adds up; a note of no length becomes 1 tick.

Files from many programs hold the following; they are read, not refused:
overlaps; a pitch struck twice and released once (both end there); note-offs
without a note (passed over); a key signature beyond seven signs (passed over);
two changes at one tick (the later in the file counts).  A note-on that nothing
ends is refused: its length would be a guess.  Beside `midi_bytes.LIMITS`, a file
has at most 64 voices.  Controllers, pitch bends, pedals, release velocities,
lyrics and system-exclusive data are not part of a phrase.

Files in SMPTE time have no beats: they are placed at 120 quarters a minute, and
their tempo events, which do not move their notes, are passed over.

The phrase is as long as the longest track.

Writing is in `midi_write`.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from musai.errors import BadMidi
from musai.music.metre import DENOMINATORS, MAX_TEMPO_US, Key, Metre, Signature, Tempo
from musai.music.midi_bytes import (
    DRUMS,
    LIMITS,
    MARK,
    META_CHANNEL,
    META_INSTRUMENT,
    META_KEY,
    META_NAME,
    META_OWN,
    META_SIGNATURE,
    META_TEMPO,
    RawFile,
    RawTrack,
    read_raw,
)
from musai.music.midi_write import write_midi
from musai.music.notes import NoteArray, end_tick, notes_array, untangled
from musai.music.phrase import MAX_NAME_BYTES, MAX_VOICES, Phrase, Voice
from musai.music.programs import program_of

__all__ = ["read_midi", "write_midi"]


def read_midi(source: Path | bytes) -> Phrase:
    """The phrase in a standard MIDI file.  Raises `BadMidi` naming the fault and its place.

    Within `LIMITS` at most 2 s and 512 MB; a file on disk that is too long is not loaded.
    """
    if isinstance(source, Path):
        size = source.stat().st_size
        if size > LIMITS["bytes"]:
            raise BadMidi(f"{source.name} has {size} bytes; legal is up to {LIMITS['bytes']}")
        source = source.read_bytes()
    raw = read_raw(source)
    found = _voices(raw)
    rows = [_paired(track, number) for number, track in enumerate(raw.tracks, 1)]
    notes = _notes(rows, found, raw.ratio)
    marked = [track for track in raw.tracks if any(_mark(meta) >= 0 for meta in track.metas)]
    end = max(track.end for track in marked or raw.tracks)
    length = max(end_tick(notes), _scaled(end, raw.ratio))
    voices = tuple(voice.voice for voice in found) or (Voice(),)
    return Phrase(notes, _metre(raw), voices, length)


class _Found(NamedTuple):
    """A voice and where it stands."""

    track: int
    channel: int
    voice: Voice


def _scaled(tick: int, ratio: tuple[int, int]) -> int:
    """The nearest tick at 480 a quarter, ties up."""
    return (2 * tick * ratio[0] + ratio[1]) // (2 * ratio[1])


def _mark(meta: tuple[int, int, bytes]) -> int:
    """The channel of the voice that our own mark declares, else -1."""
    _, kind, data = meta
    own = kind == META_OWN and len(data) == len(MARK) + 1 and data.startswith(MARK)
    return data[-1] if own and data[-1] < 16 else -1


def _voices(raw: RawFile) -> list[_Found]:
    """Every (track, channel) pair with a mark or a note, in the file's order."""
    found: list[_Found] = []

    @cache
    def anywhere(channel: int) -> _Changes:
        every = chain.from_iterable(track.programs.get(channel, []) for track in raw.tracks)
        return sorted(every, key=itemgetter(0))

    def program(track: RawTrack, channel: int, tick: int) -> int | None:
        """The track's own, else the channel's in any track; None where nothing sets one."""
        own = _in_force(track.programs.get(channel, []), tick)
        return _in_force(anywhere(channel), tick) if own is None else own

    for index, track in enumerate(raw.tracks):
        first = _first_notes(track)
        alone = len(first) == 1 or raw.type == 1
        for channel, tick in first.items():
            name = _name(track, channel, alone)
            drum = channel == DRUMS
            sound = program(track, channel, tick)
            if sound is None:
                sound = 0 if drum else program_of(name) or 0
            found.append(_Found(index, channel, Voice(name, sound, drum)))
        if len(found) > MAX_VOICES:
            raise BadMidi(f"the file has more than {MAX_VOICES} voices; legal is up to that")
    return found


def _first_notes(track: RawTrack) -> dict[int, int]:
    """The tick of each channel's first note, 0 for a mark alone: marks first, then as struck."""
    struck: dict[int, int] = {}
    for index in range(len(track.keys) - 1, -1, -1):
        if track.keys[index] & 0x7F:
            struck[track.keys[index] >> 14] = index
    first = dict.fromkeys((channel for channel in map(_mark, track.metas) if channel >= 0), 0)
    for channel in sorted(struck, key=struck.__getitem__):
        first[channel] = track.ticks[struck[channel]]
    return first


def _name(track: RawTrack, channel: int, alone: bool) -> str:
    """The instrument name after the channel's prefix, else the track's name if it is its own."""
    prefix, names, own = -1, [b""], None
    for _, kind, data in track.metas:
        if kind == META_CHANNEL:
            prefix = data[0] if data else -1
        elif kind == META_INSTRUMENT and prefix == channel and own is None:
            own = data
        elif kind == META_NAME:
            names.append(data)
    chosen = own if own is not None else names[: 2 if alone else 1][-1]
    try:
        return _short(chosen.decode())
    except UnicodeDecodeError:
        return _short(chosen.decode("latin-1"))


def _short(name: str) -> str:
    return name.encode()[:MAX_NAME_BYTES].decode(errors="ignore")


_Changes = list[tuple[int, int]]
"""(tick, program) of one channel, in order of tick."""


def _in_force(changes: _Changes, tick: int) -> int | None:
    """The program at `tick`; None before the first."""
    before = bisect_right(changes, tick, key=itemgetter(0))
    return changes[before - 1][1] if before else None


class _Paired(NamedTuple):
    """One track's notes as columns, in the file's ticks."""

    onsets: list[int]
    ends: list[int]
    keys: list[int]


def _paired(track: RawTrack, number: int) -> _Paired:
    """Each note-on with the tick that ends it: first struck, first released."""
    ends = [-1] * len(track.ticks)
    waiting: dict[int, deque[int]] = {}
    released: dict[int, int] = {}
    for index, key in enumerate(track.keys):
        line = key >> 7
        queue = waiting.get(line)
        if key & 0x7F:
            released.pop(line, None)
            if queue is None:
                queue = waiting[line] = deque()
            queue.append(index)
        elif queue:
            ends[queue.popleft()] = released[line] = track.ticks[index]
    for line, queue in waiting.items():
        if queue and line not in released:
            raise BadMidi(
                f"track {number}: nothing ends the note of pitch {line & 0x7F} on channel "
                f"{(line >> 7) + 1} struck at its tick {track.ticks[queue[-1]]}"
            )
        for index in queue:
            ends[index] = released[line]
    kept = [index for index, end in enumerate(ends) if end >= 0]
    columns = (track.ticks, ends, track.keys)
    return _Paired(*([column[index] for index in kept] for column in columns))


def _notes(rows: Sequence[_Paired], found: Sequence[_Found], ratio: tuple[int, int]) -> NoteArray:
    """All tracks' notes at 480 ticks a quarter, untangled."""
    table = np.zeros((max(len(rows), 1), 16), np.int64)
    for voice, (track, channel, _) in enumerate(found):
        table[track, channel] = voice
    onsets, ends, keys = (
        np.fromiter(chain.from_iterable(row[column] for row in rows), np.int64)
        for column in range(3)
    )
    tracks = np.repeat(np.arange(len(rows)), [len(row.keys) for row in rows])
    starts, stops = _scaled_all(onsets, ratio), _scaled_all(ends, ratio)
    notes = notes_array(
        starts,
        np.maximum(1, stops - starts),
        keys >> 7 & 0x7F,
        keys & 0x7F,
        table[tracks, keys >> 14],
    )
    return untangled(notes)


def _scaled_all(ticks: NDArray[np.int64], ratio: tuple[int, int]) -> NDArray[np.int64]:
    # No overflow: `LIMITS` keeps tick x numerator / denominator under 2**28.
    return (2 * ticks * ratio[0] + ratio[1]) // (2 * ratio[1])


def _metre(raw: RawFile) -> Metre:
    """The changes of all tracks together; the defaults where tick 0 has none."""
    tempos: dict[int, Tempo] = {0: Tempo(0, 500_000)}
    signatures: dict[int, Signature] = {0: Signature(0, 4, 4)}
    keys: dict[int, Key] = {}
    for number, track in enumerate(raw.tracks, 1):
        for tick, kind, data in track.metas:
            at, where = _scaled(tick, raw.ratio), f"track {number}, tick {tick}"
            if kind == META_TEMPO and not raw.smpte:
                tempos[at] = _tempo(at, data, where)
            elif kind == META_SIGNATURE:
                signatures[at] = _signature(at, data, where)
            elif kind == META_KEY and (key := _key(at, data, where)):
                keys[at] = key
    return Metre(
        tuple(tempos[tick] for tick in sorted(tempos)),
        tuple(signatures[tick] for tick in sorted(signatures)),
        tuple(keys[tick] for tick in sorted(keys)),
    )


def _tempo(tick: int, data: bytes, where: str) -> Tempo:
    value = int.from_bytes(data)
    if len(data) != 3 or value == 0:
        raise BadMidi(
            f"{where}: tempo {data.hex()!r} of {len(data)} bytes; legal is 3 bytes, "
            f"1 to {MAX_TEMPO_US} microseconds a quarter"
        )
    return Tempo(tick, value)


def _signature(tick: int, data: bytes, where: str) -> Signature:
    if len(data) != 4 or data[0] == 0 or data[1] >= len(DENOMINATORS):
        raise BadMidi(
            f"{where}: time signature {data.hex()!r} of {len(data)} bytes; legal is 4 bytes, "
            f"1 to 255 over 2 to the power 0 to {len(DENOMINATORS) - 1}"
        )
    return Signature(tick, data[0], 2 ** data[1])


def _key(tick: int, data: bytes, where: str) -> Key | None:
    if len(data) != 2:
        raise BadMidi(f"{where}: key signature of {len(data)} bytes; legal is 2")
    fifths = int.from_bytes(data[:1], signed=True)
    return Key(tick, fifths, data[1] == 1) if -7 <= fifths <= 7 and data[1] < 2 else None

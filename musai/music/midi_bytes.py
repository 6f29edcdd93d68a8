"""The bytes of a standard MIDI file -> its raw events, within limits.

A byte reader of our own, since the files come from anywhere: it stops at a
limit instead of after it, names the byte at fault, and walks about a million
events a second.  Nothing here knows what a phrase is: ticks are the file's own.

Faults that end the reading with `BadMidi`: not MIDI, a type other than 0 or 1,
a chunk or an event cut short, a track without its end, bytes after that end, a
data byte out of range, a status that files may not hold, and each of `LIMITS`.
Repaired, since musicians' files need it: running status goes on after a meta or
system-exclusive event; chunks of unknown kind, longer headers and bytes after
the last track are skipped.

Source: Standard MIDI Files 1.0, RP-001, MIDI Manufacturers Association.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from musai.errors import BadMidi
from musai.music.notes import MAX_TICK

LIMITS = {
    "bytes": 16 * 2**20,
    "events": 1_000_000,
    "notes": 400_000,
    "changes": 100_000,
    "tick": MAX_TICK,
}
"""The largest file that is read: its bytes; its events, its note-ons and its changes of tempo,
metre, key or name, each in all tracks together; and the last tick, at 480 a quarter.
A file at all limits at once takes less than 2 s and 512 MB."""

DRUMS = 9
"""The drums' channel, counted from 0."""

MARK = b"\x7dmusai\x01"
"""Begins the sequencer-specific event by which our writer declares a voice; its channel follows."""

META_INSTRUMENT, META_NAME, META_CHANNEL = 0x04, 0x03, 0x20
META_END, META_TEMPO, META_SIGNATURE, META_KEY, META_OWN = 0x2F, 0x51, 0x58, 0x59, 0x7F
_KEPT = {META_INSTRUMENT, META_NAME, META_CHANNEL, META_TEMPO, META_SIGNATURE, META_KEY, META_OWN}

_CUT_SHORT = "is cut short in the middle of an event"


@dataclass(slots=True)
class RawTrack:
    """One track's events in the file's order, ticks counted from its start.

    `ticks[i]` and `keys[i]` are one note-on or note-off: channel << 14 | pitch << 7 |
    velocity, where velocity 0 is an off.  `programs` holds (tick, program) by channel,
    `metas` (tick, type, data), `end` the tick of the end of the track.
    """

    ticks: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    programs: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    metas: list[tuple[int, int, bytes]] = field(default_factory=list)
    end: int = 0


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file's type, its division as `ratio` (ticks at 480 a quarter for each of its own,
    as numerator and denominator), whether it counts seconds (SMPTE), and its tracks."""

    type: int
    ratio: tuple[int, int]
    smpte: bool
    tracks: tuple[RawTrack, ...]


def read_raw(data: bytes) -> RawFile:
    """All tracks of a file.  Raises `BadMidi` naming the fault and where it is."""
    if len(data) > LIMITS["bytes"]:
        raise BadMidi(f"the file has {len(data)} bytes; legal is up to {LIMITS['bytes']}")
    if data[:4] == b"MThd" and len(data) < 14:
        raise BadMidi(f"the file ends after {len(data)} bytes; legal is a header of 14 or more")
    if data[:4] != b"MThd":
        start = data[:4].decode("latin-1")
        raise BadMidi(f"not a MIDI file: it starts with {start!r}; legal is a header chunk MThd")
    kind, count = int.from_bytes(data[8:10]), int.from_bytes(data[10:12])
    if kind not in (0, 1):
        raise BadMidi(f"the file's type is {kind}; legal is 0 or 1")
    if count == 0 or (kind == 0 and count != 1):
        raise BadMidi(f"a file of type {kind} has {count} tracks; legal is 1{' or more' * kind}")
    ratio, smpte = _division(int.from_bytes(data[12:14], signed=True))
    tracks: list[RawTrack] = []
    budget = LIMITS["events"]
    for chunk in _track_chunks(data, count):
        where = f"track {len(tracks) + 1}"
        track, budget = _read_track(chunk, where, budget)
        _check_end(track, where, ratio)
        tracks.append(track)
    _check_counts(tracks)
    return RawFile(kind, ratio, smpte, tuple(tracks))


def _division(word: int) -> tuple[tuple[int, int], bool]:
    """(ratio, whether SMPTE) of a header's division.

    SMPTE counts parts of frames and knows no quarter notes: it is placed at
    120 quarters a minute, where a second has 960 ticks.  29 frames a second is
    drop-frame video at 30000/1001.
    """
    if word > 0:
        return (480, word), False
    frames, parts = -(word >> 8), word & 0xFF
    if word == 0 or parts == 0 or frames not in (24, 25, 29, 30):
        raise BadMidi(
            f"the division is {word & 0xFFFF:#06x}; legal is 1 to 32767 ticks a quarter, "
            "or 24, 25, 29 or 30 frames of 1 to 255 ticks"
        )
    return ((960 * 1001, 30000 * parts) if frames == 29 else (960, frames * parts)), True


def _track_chunks(data: bytes, count: int) -> Iterator[bytes]:
    """The bodies of the `count` track chunks that the header announces."""
    pos = 8 + int.from_bytes(data[4:8])
    found = 0
    if pos < 14 or pos > len(data):
        raise BadMidi(f"the header's length is {pos - 8}; legal is 6 to {len(data) - 8}")
    while found < count:
        name, size = data[pos : pos + 4], int.from_bytes(data[pos + 4 : pos + 8])
        pos += 8
        if pos > len(data):
            raise BadMidi(f"the file ends after {found} of {count} tracks")
        if pos + size > len(data):
            raise BadMidi(
                f"the chunk at byte {pos - 8} claims {size} bytes; {len(data) - pos} are left"
            )
        if name == b"MTrk":
            found += 1
            yield data[pos : pos + size]
        pos += size
    if data[pos : pos + 4] == b"MTrk":
        raise BadMidi(f"the file holds more than the {count} tracks that its header announces")


def _read_track(chunk: bytes, where: str, budget: int) -> tuple[RawTrack, int]:
    """The events of one track and how many more events the file may hold."""
    track = RawTrack()
    add_tick, add_key = track.ticks.append, track.keys.append
    pos = tick = running = 0
    try:
        for used in range(1, budget + 1):
            delta = chunk[pos]
            pos += 1
            if delta > 0x7F:
                delta, pos = _long_number(chunk, pos - 1, where)
            tick += delta
            status = chunk[pos]
            if status < 0x80:
                status = running
            else:
                pos += 1
            high = status >> 4
            if high == 9 or high == 8:
                pitch, velocity = chunk[pos], chunk[pos + 1]
                if pitch > 0x7F or velocity > 0x7F:
                    raise BadMidi(f"{where} holds a data byte above 127 at its byte {pos}")
                pos += 2
                running = status
                add_tick(tick)
                add_key((status & 15) << 14 | pitch << 7 | (velocity if high == 9 else 0))
            elif 0xA <= high <= 0xE:
                pos = _read_other(track, chunk, pos, tick, status, where)
                running = status
            else:
                pos = _read_system(track, chunk, pos, tick, status, where)
                if pos < 0:
                    track.end = tick
                    return track, budget - used
    except IndexError:
        # Slices never raise, so only an index past the chunk's end comes here.
        raise BadMidi(f"{where} {_CUT_SHORT}: {len(chunk)} bytes and no end of track") from None
    raise BadMidi(f"the file has more than {LIMITS['events']} events; legal is up to that")


def _read_other(track: RawTrack, chunk: bytes, pos: int, tick: int, status: int, where: str) -> int:
    """Past a channel message that is not a note; keeps programs."""
    size = 1 if status >> 4 in (0xC, 0xD) else 2
    if max(chunk[pos], chunk[pos + size - 1]) > 0x7F:
        raise BadMidi(f"{where} holds a data byte above 127 at its byte {pos}")
    if status >> 4 == 0xC:
        track.programs.setdefault(status & 15, []).append((tick, chunk[pos]))
    return pos + size


def _read_system(
    track: RawTrack, chunk: bytes, pos: int, tick: int, status: int, where: str
) -> int:
    """Past a meta or system-exclusive event; -1 at the end of the track."""
    if status == 0:
        raise BadMidi(f"{where} starts with a data byte at its byte {pos}; legal is a status")
    if status not in (0xFF, 0xF0, 0xF7):
        raise BadMidi(f"{where} holds status {status:#04x} at its byte {pos - 1}; no file may")
    kind = -1
    if status == 0xFF:
        kind = chunk[pos]
        pos += 1
    size, pos = _long_number(chunk, pos, where)
    if pos + size > len(chunk):
        raise BadMidi(f"{where} {_CUT_SHORT}: {size} bytes claimed, {len(chunk) - pos} left")
    if kind == META_END:
        if pos + size != len(chunk):
            raise BadMidi(f"{where} has {len(chunk) - pos - size} bytes after its end; legal is 0")
        return -1
    if kind in _KEPT and (kind != META_OWN or chunk[pos : pos + len(MARK)] == MARK):
        track.metas.append((tick, kind, chunk[pos : pos + size]))
    return pos + size


def _long_number(chunk: bytes, pos: int, where: str) -> tuple[int, int]:
    """(value, next position) of a variable-length number of up to four bytes."""
    value = 0
    for at in range(pos, pos + 4):
        byte = chunk[at]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + 1
    raise BadMidi(f"{where} holds a number of more than four bytes at its byte {pos}")


def _check_end(track: RawTrack, where: str, ratio: tuple[int, int]) -> None:
    if track.end * ratio[0] > LIMITS["tick"] * ratio[1]:
        raise BadMidi(
            f"{where} ends at its tick {track.end}; legal is up to "
            f"{LIMITS['tick'] * ratio[1] // ratio[0]} ({LIMITS['tick']} at 480 a quarter)"
        )


def _check_counts(tracks: list[RawTrack]) -> None:
    notes = sum(1 for track in tracks for key in track.keys if key & 0x7F)
    changes = sum(len(track.metas) for track in tracks)
    for name, count in (("notes", notes), ("changes", changes)):
        if count > LIMITS[name]:
            raise BadMidi(f"the file has {count} {name}; legal is up to {LIMITS[name]}")

"""Long lists and files in packets: cut apart with sequence, total and checksum, and put together."""

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from osc_bridge.codec import MAX_ARGUMENTS
from osc_bridge.messages import Fault, Id, Message, Value, write
from osc_bridge.rows import ID_BYTES

NUDGE: Final = 0.3
"""Seconds of silence after which missing chunks are named; the wait doubles each time."""
NUDGES: Final = 5
MAX_CHUNKS: Final = 65_536

_FRAME: Final = 96 + ID_BYTES
"""Bytes of a chunk beside its payload, at most."""
_HEAD: Final = 5
"""Arguments of a chunk of notes beside the notes, at most."""


def checksum(data: bytes) -> str:
    """CRC-32 in 8 hexadecimal digits."""
    return f"{zlib.crc32(data):08x}"


def packed(groups: Sequence[Sequence[Value]]) -> bytes:
    """Notes as 32-bit big-endian ints, in order: what their checksum is taken over."""
    numbers = [number for group in groups for number in group]
    return struct.pack(f">{len(numbers)}i", *numbers)


def note_chunks(
    path: str, id: Id, notes: Sequence[Sequence[int]], most: int, first: int | None = None
) -> Iterator[Message]:
    """`notes` in messages of at most `most` bytes; with `first`, each tells its first index."""
    size = min((most - _FRAME) // 25, (MAX_ARGUMENTS - _HEAD) // 5)  # five ints and their tags
    total, sum_ = -(-len(notes) // size), checksum(packed(notes))
    for i in range(total):
        extra = () if first is None else (first + i * size,)
        part = notes[i * size : (i + 1) * size]
        yield write(path, id, i + 1, total, sum_, *extra, rest=part)


def data_chunks(path: str, id: Id, data: bytes, most: int) -> Iterator[Message]:
    """`data` in messages of at most `most` bytes."""
    size = most - _FRAME
    total, sum_ = -(-len(data) // size), checksum(data)
    for i in range(total):
        yield write(path, id, i + 1, total, sum_, data[i * size : (i + 1) * size])


@dataclass(frozen=True, slots=True)
class Chunk:
    """One packet of an upload."""

    sequence: int
    total: int
    checksum: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An upload that is whole: enough to know its chunks again.  `size` as its client counts it."""

    path: str
    id: Id
    total: int
    size: int
    sums: Mapping[int, int]

    def holds(self, path: str, id: Id, chunk: Chunk) -> bool:
        """Whether this chunk was part of it, so that it may be answered and dropped."""
        same = (path, id, chunk.total) == (self.path, self.id, self.total)
        return same and self.sums.get(chunk.sequence) == zlib.crc32(chunk.data)


class Upload:
    """Chunks of one upload, in any order, until it is whole.  Time is handed in."""

    def __init__(self, path: str, id: Id, first: Chunk, most: int) -> None:
        self.path, self.id, self.total, self.checksum = path, id, first.total, first.checksum
        self._most = most
        self._parts: dict[int, bytes] = {}
        self._size = 0
        self._nudges = 0
        self._due = 0.0

    def add(self, now: float, chunk: Chunk) -> Fault | None:
        """Take one chunk in; a chunk that is in already changes nothing."""
        self._nudges, self._due = 0, now + NUDGE
        told, total = (chunk.total, chunk.checksum), chunk.total
        if told != (self.total, self.checksum) or chunk.sequence > total:
            text = (
                f"chunk {chunk.sequence} of {total} with checksum {chunk.checksum!r}; "
                f"this upload has {self.total} chunks and {self.checksum!r}"
            )
            return self._fault("bad_value", text)
        if total > MAX_CHUNKS:
            return self._fault("too_large", f"{total} chunks; legal is up to {MAX_CHUNKS}")
        if chunk.sequence not in self._parts:
            if self._size + len(chunk.data) > self._most:
                return self._fault("too_large", f"the upload is over {self._most} bytes, the limit")
            self._parts[chunk.sequence] = chunk.data
            self._size += len(chunk.data)
        return None

    def done(self, size: int) -> Uploaded:
        """What remains known of it once it is whole."""
        sums = {sequence: zlib.crc32(data) for sequence, data in self._parts.items()}
        return Uploaded(self.path, self.id, self.total, size, sums)

    def _fault(self, code: str, text: str) -> Fault:
        return Fault(code, text, self.path, self.id)

    @property
    def received(self) -> int:
        """How many chunks are in."""
        return len(self._parts)

    def missing(self, most: int = 64) -> list[int]:
        """Numbers of the first chunks that are not in."""
        absent: list[int] = []
        for sequence in range(1, self.total + 1):
            if sequence not in self._parts:
                absent.append(sequence)
                if len(absent) == most:
                    break
        return absent

    def whole(self) -> bytes | Fault:
        """All of it, once no chunk is missing and the checksum is right."""
        data = b"".join(self._parts[i] for i in range(1, self.total + 1))
        if self.checksum and checksum(data) != self.checksum.lower():
            text = f"the checksum is {checksum(data)}; the chunks say {self.checksum}"
            return self._fault("checksum", text)
        return data

    @property
    def due(self) -> float:
        """When the silence has lasted long enough to name what is missing."""
        return self._due

    def nudge(self, now: float) -> list[int]:
        """The chunks to name now; none where nobody has answered and the upload is lost."""
        self._nudges += 1
        if self._nudges > NUDGES:
            return []
        self._due = now + NUDGE * 2**self._nudges
        return self.missing()

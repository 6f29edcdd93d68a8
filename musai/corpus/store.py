"""The files of a corpus: notes packed and memory-mapped, everything else in one catalogue.

::

    catalogue.jsonl   first line: format and name; then a line a work: the work, where its notes are
    notes.bin         dtype NOTE, 11 bytes a note, works one after another
    heads.bin         metre, voices and length of each work
    takedowns.jsonl   what was taken down, when and why: no notes
    left_out.jsonl    what an import did not take, and why
    card.md           the corpus in words

The catalogue is replaced in one step (write beside, sync, rename) and is the
only thing that makes a work exist: notes are appended first, so whatever
stops an add half-way leaves the corpus as it was, with unused bytes at the
end that the next add overwrites.  A removal takes the row out of the
catalogue, then overwrites the work's notes with zeros; `compact` packs the
files once a quarter of them is unused.
"""

import hashlib
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from musai.corpus.work import Work
from musai.errors import Altered, BadInput
from musai.music import NOTE, Key, Metre, NoteArray, Phrase, Signature, Tempo, Voice

FORMAT = "musai-corpus-1"


@dataclass(frozen=True, slots=True)
class Row:
    """A work and its place: first note, first byte and length of its head, its phrase's id."""

    work: Work
    first: int
    head: int
    head_bytes: int
    phrase: str

    @property
    def stop(self) -> int:
        """One past its last note."""
        return self.first + self.work.notes


@dataclass(frozen=True, slots=True)
class Header:
    """The catalogue's first line."""

    format: str
    name: str


class Store:
    """A corpus folder, read.  Notes stay on disk until they are asked for."""

    def __init__(self, folder: Path, header: Header, rows: Sequence[Row]) -> None:
        self.folder = folder
        self.header = header
        self.rows = tuple(rows)

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Read the catalogue.  Raises `Altered` for one that cannot be read."""
        lines = (folder / "catalogue.jsonl").read_bytes().splitlines()
        try:
            header = _HEADER.decode(lines[0])
            rows = [_ROW.decode(line) for line in lines[1:]]
        except (msgspec.MsgspecError, IndexError) as fault:
            raise Altered(f"{folder / 'catalogue.jsonl'} cannot be read: {fault}") from fault
        if header.format != FORMAT:
            raise Altered(f"{folder} has format {header.format}; this musai reads {FORMAT}")
        store = cls(folder, header, rows)
        store.check_sizes()
        return store

    def check_sizes(self) -> None:
        """Raise `Altered` where a file is shorter than the catalogue says."""
        for name, need in (
            ("notes.bin", self.notes_end * NOTE.itemsize),
            ("heads.bin", self.heads_end),
        ):
            have = (self.folder / name).stat().st_size if need else 0
            if have < need:
                raise Altered(f"{self.folder / name} has {have} bytes; the catalogue needs {need}")

    @property
    def notes_end(self) -> int:
        """One past the last note that belongs to a work."""
        return max((row.stop for row in self.rows), default=0)

    @property
    def heads_end(self) -> int:
        """One past the last byte of a head that belongs to a work."""
        return max((row.head + row.head_bytes for row in self.rows), default=0)

    @cached_property
    def notes(self) -> NoteArray:
        """All notes, memory-mapped, read-only."""
        if not self.notes_end:
            return np.zeros(0, NOTE)
        return np.memmap(self.folder / "notes.bin", NOTE, "r", shape=(self.notes_end,))

    @cached_property
    def _heads(self) -> Any:
        if not self.heads_end:
            return np.zeros(0, np.uint8)
        return np.memmap(self.folder / "heads.bin", np.uint8, "r", shape=(self.heads_end,))

    def notes_of(self, row: Row) -> NoteArray:
        """The notes of one work, memory-mapped."""
        return self.notes[row.first : row.stop]

    def phrase_of(self, row: Row) -> Phrase:
        """The phrase of one work.  Raises `Altered` for bytes that are no phrase."""
        head = bytes(self._heads[row.head : row.head + row.head_bytes])
        try:
            metre, voices, length = unpack_head(head)
            return Phrase(np.array(self.notes_of(row)), metre, voices, length)
        except (BadInput, struct.error, IndexError, UnicodeDecodeError) as fault:
            raise Altered(
                f"the stored notes of {row.work.title} cannot be read: {fault}"
            ) from fault


def pack_head(phrase: Phrase) -> bytes:
    """Everything of a phrase but its notes, in bytes."""
    metre = phrase.metre
    counts = (len(phrase.voices), len(metre.tempos), len(metre.signatures), len(metre.keys))
    parts = [struct.pack("<IBIII", phrase.length, *counts)]
    for voice in phrase.voices:
        name = voice.name.encode()
        parts.append(struct.pack("<BBB", voice.program, voice.drum, len(name)) + name)
    parts += [struct.pack("<II", t.tick, t.us_per_quarter) for t in metre.tempos]
    parts += [struct.pack("<IBB", s.tick, s.numerator, s.denominator) for s in metre.signatures]
    parts += [struct.pack("<IbB", k.tick, k.fifths, k.minor) for k in metre.keys]
    return b"".join(parts)


def unpack_head(head: bytes) -> tuple[Metre, tuple[Voice, ...], int]:
    """(metre, voices, length) from `pack_head`'s bytes."""
    length, voice_count, tempo_count, signature_count, key_count = struct.unpack_from(
        "<IBIII", head
    )
    at = struct.calcsize("<IBIII")
    voices = []
    for _ in range(voice_count):
        program, drum, size = struct.unpack_from("<BBB", head, at)
        voices.append(Voice(head[at + 3 : at + 3 + size].decode(), program, bool(drum)))
        at += 3 + size
    rows: list[list[Any]] = []
    for layout, count in (("<II", tempo_count), ("<IBB", signature_count), ("<IbB", key_count)):
        size = struct.calcsize(layout)
        rows.append([struct.unpack_from(layout, head, at + i * size) for i in range(count)])
        at += count * size
    metre = Metre(
        tuple(Tempo(*row) for row in rows[0]),
        tuple(Signature(*row) for row in rows[1]),
        tuple(Key(tick, fifths, bool(minor)) for tick, fifths, minor in rows[2]),
    )
    return metre, tuple(voices), length


def append(store: Store, additions: Iterable[tuple[Work, Phrase]]) -> list[Row]:
    """Write notes and heads behind the last that belong to a work; the new rows, not yet existing."""
    rows = []
    first, head_at = store.notes_end, store.heads_end
    with _opened(store.folder / "notes.bin") as notes, _opened(store.folder / "heads.bin") as heads:
        notes.truncate(first * NOTE.itemsize)
        notes.seek(first * NOTE.itemsize)
        heads.truncate(head_at)
        heads.seek(head_at)
        for work, phrase in additions:
            head = pack_head(phrase)
            notes.write(phrase.notes.tobytes())
            heads.write(head)
            rows.append(Row(work, first, head_at, len(head), phrase.id))
            first, head_at = first + len(phrase), head_at + len(head)
        for stream in (notes, heads):
            stream.flush()
            os.fsync(stream.fileno())
    return rows


def commit(folder: Path, header: Header, rows: Iterable[Row]) -> Store:
    """Make exactly these rows the corpus, in one step."""
    kept = tuple(rows)
    lines = [msgspec.json.encode(header), *map(msgspec.json.encode, kept)]
    write_beside(folder / "catalogue.jsonl", b"\n".join(lines) + b"\n")
    return Store(folder, header, kept)


def erase(store: Store, gone: Iterable[Row]) -> None:
    """Overwrite the notes and heads of rows that are no longer in the catalogue."""
    with _opened(store.folder / "notes.bin") as notes, _opened(store.folder / "heads.bin") as heads:
        for row in gone:
            notes.seek(row.first * NOTE.itemsize)
            notes.write(bytes(row.work.notes * NOTE.itemsize))
            heads.seek(row.head)
            heads.write(bytes(row.head_bytes))
        for stream in (notes, heads):
            stream.flush()
            os.fsync(stream.fileno())


def gaps(store: Store) -> list[tuple[int, int]]:
    """(first, stop) of every run of notes that belongs to no work."""
    found, at = [], 0
    for row in sorted(store.rows, key=lambda row: row.first):
        if row.first > at:
            found.append((at, row.first))
        at = max(at, row.stop)
    size = (store.folder / "notes.bin").stat().st_size // NOTE.itemsize
    return found + ([(at, size)] if size > at else [])


def write_beside(path: Path, data: bytes) -> None:
    """Replace a file in one step: whoever reads it sees the old bytes or the new ones."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)


def corpus_id(rows: Sequence[Row]) -> str:
    """SHA-256 over works, terms and notes, whatever their order."""
    hashed = hashlib.sha256(b"musai-corpus-1\n")
    for row in sorted(rows, key=lambda row: row.work.id):
        hashed.update(msgspec.json.encode(row.work) + row.phrase.encode() + b"\n")
    return hashed.hexdigest()


def _opened(path: Path) -> Any:
    path.touch()
    return path.open("r+b")


_HEADER = msgspec.json.Decoder(Header)
_ROW = msgspec.json.Decoder(Row)

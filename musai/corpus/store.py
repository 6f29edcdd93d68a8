"""The files of a corpus: notes packed and memory-mapped, everything else in one catalogue.

::

    catalogue.jsonl   first line: format, name, generation; a line a takedown; a line a work
    notes-0.bin       dtype NOTE, 11 bytes a note, works one after another
    heads-0.bin       metre, voices and length of each work
    left_out.jsonl    what the last import did not take, and why
    card.md           the corpus in words
    index/            the matcher's, made from the notes

The catalogue is replaced in one step (written beside, synced, renamed) and is
the only thing that makes a work exist.  Notes are appended before it, so
whatever stops an add half-way leaves the corpus as it was, with unused bytes
at the end that the next add overwrites.  A removal takes the row out of the
catalogue and then overwrites the work's notes with zeros.  What rewrites
everything writes files of the next generation and then the catalogue that
names them.
"""

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from musai.corpus.work import Work
from musai.errors import Altered, BadInput
from musai.music import NOTE, Key, Metre, NoteArray, Phrase, Signature, Tempo, Voice

FORMAT = "musai-corpus-1"
CATALOGUE = "catalogue.jsonl"


def is_corpus(folder: Path) -> bool:
    """Whether a folder holds a corpus: its catalogue is there."""
    return (folder / CATALOGUE).is_file()


class _Id(msgspec.Struct):
    """As much of a work or a takedown as names it."""

    id: str = ""


class _Named(_Id):
    """A line that is a takedown, or holds a work."""

    work: _Id | None = None


def known_ids(folder: Path) -> frozenset[str]:
    """Ids of all works that a corpus holds or held until they were taken down; empty for no corpus.

    Reads no more than that: a fifth of the time that opening takes.
    """
    try:
        lines = (folder / CATALOGUE).read_bytes().splitlines()[1:]
        named = [_NAMED.decode(line) for line in lines]
    except (OSError, msgspec.DecodeError):
        return frozenset()
    return frozenset((one.work or one).id for one in named)


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
class Takedown:
    """A work that was taken down: its id (a hash), its title and source, when and why; no notes."""

    id: str
    title: str
    source: str
    on: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class Header:
    """The catalogue's first line: what follows it, and which files hold the notes."""

    format: str
    name: str
    generation: int = 0
    takedowns: int = 0


class Store:
    """A corpus folder, read.  Notes stay on disk until they are asked for."""

    def __init__(
        self, folder: Path, header: Header, rows: Sequence[Row], takedowns: Sequence[Takedown] = ()
    ) -> None:
        self.folder = folder
        self.header = header
        self.rows = tuple(rows)
        self.takedowns = tuple(takedowns)

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Read the catalogue.  Raises `Altered` for one that cannot be read."""
        path = folder / CATALOGUE
        lines = path.read_bytes().splitlines()
        try:
            header = _HEADER.decode(lines[0])
            if header.format != FORMAT:
                raise Altered(f"{folder} has format {header.format}; this musai reads {FORMAT}")
            takedowns = [_TAKEDOWN.decode(line) for line in lines[1 : 1 + header.takedowns]]
            rows = [_ROW.decode(line) for line in lines[1 + header.takedowns :]]
        except (msgspec.MsgspecError, IndexError, BadInput) as fault:
            raise Altered(f"{path} cannot be read: {fault}") from fault
        store = cls(folder, header, rows, takedowns)
        store.check_sizes()
        return store

    @property
    def notes_file(self) -> Path:
        """The file of notes."""
        return self.folder / f"notes-{self.header.generation}.bin"

    @property
    def heads_file(self) -> Path:
        """The file of metres and voices."""
        return self.folder / f"heads-{self.header.generation}.bin"

    def check_sizes(self) -> None:
        """Raise `Altered` where a row lies outside its file."""
        for file, need in (
            (self.notes_file, self.notes_end * NOTE.itemsize),
            (self.heads_file, self.heads_end),
        ):
            have = file.stat().st_size if need and file.is_file() else 0
            if have < need:
                raise Altered(f"{file} has {have} bytes; the catalogue needs {need}")
        if any(row.first < 0 or row.head < 0 or row.work.notes < 1 for row in self.rows):
            raise Altered(f"{self.folder / 'catalogue.jsonl'} has a row that lies nowhere")

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
        return np.memmap(self.notes_file, NOTE, "r", shape=(self.notes_end,))

    @cached_property
    def _heads(self) -> Any:
        if not self.heads_end:
            return np.zeros(0, np.uint8)
        return np.memmap(self.heads_file, np.uint8, "r", shape=(self.heads_end,))

    def notes_of(self, row: Row) -> NoteArray:
        """The notes of one work, memory-mapped."""
        return self.notes[row.first : row.stop]

    def metre_of(self, row: Row) -> Metre:
        """The metre of one work.  Raises `Altered` like `phrase_of`."""
        with self._reading(row):
            return self._head(row)[0]

    def phrase_of(self, row: Row) -> Phrase:
        """The phrase of one work.  Raises `Altered` for bytes that are no phrase."""
        with self._reading(row):
            metre, voices, length = self._head(row)
            return Phrase(np.array(self.notes_of(row)), metre, voices, length)

    def _head(self, row: Row) -> tuple[Metre, tuple[Voice, ...], int]:
        return unpack_head(bytes(self._heads[row.head : row.head + row.head_bytes]))

    @staticmethod
    @contextmanager
    def _reading(row: Row) -> Iterator[None]:
        try:
            yield
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
    try:
        return _appended(store, additions)
    except BaseException:
        _give_back(store)
        raise


def _appended(store: Store, additions: Iterable[tuple[Work, Phrase]]) -> list[Row]:
    rows = []
    first, head_at = store.notes_end, store.heads_end
    with _opened(store.notes_file) as notes, _opened(store.heads_file) as heads:
        for stream, at in ((notes, first * NOTE.itemsize), (heads, head_at)):
            stream.truncate(at)
            stream.seek(at)
        for work, phrase in additions:
            head = pack_head(phrase)
            notes.write(phrase.notes.tobytes())
            heads.write(head)
            rows.append(Row(work, first, head_at, len(head), phrase.id))
            first, head_at = first + len(phrase), head_at + len(head)
        _sync(notes)
        _sync(heads)
    return rows


def _give_back(store: Store) -> None:
    """Cut off what was appended and will never be a work's: on a full disk others need the room."""
    for file, at in (
        (store.notes_file, store.notes_end * NOTE.itemsize),
        (store.heads_file, store.heads_end),
    ):
        with suppress(OSError):
            os.truncate(file, at)


def commit(store: Store) -> Store:
    """Make exactly what `store` holds the corpus in its folder, in one step."""
    header = Header(FORMAT, store.header.name, store.header.generation, len(store.takedowns))
    lines = map(msgspec.json.encode, (header, *store.takedowns, *store.rows))
    write_beside(store.folder / CATALOGUE, b"".join(line + b"\n" for line in lines))
    return Store(store.folder, header, store.rows, store.takedowns)


def next_generation(folder: Path) -> int:
    """A generation whose files are not those of a corpus in the folder."""
    if is_corpus(folder):
        with suppress(Altered):
            return Store.open(folder).header.generation + 1
    return 1 + max((int(f.stem.split("-")[1]) for f in _data_files(folder)), default=-1)


def gaps(spans: Iterable[tuple[int, int]], end: int) -> list[tuple[int, int]]:
    """(start, stop) of every stretch before `end` that none of the spans covers."""
    found, at = [], 0
    for start, stop in sorted(spans):
        if start > at:
            found.append((at, start))
        at = max(at, stop)
    return found + ([(at, end)] if end > at else [])


def unused(store: Store) -> list[tuple[Path, int, int]]:
    """(file, start, stop) in bytes of whatever belongs to no work."""
    size = NOTE.itemsize
    notes = [(row.first * size, row.stop * size) for row in store.rows]
    heads = [(row.head, row.head + row.head_bytes) for row in store.rows]
    return [
        (file, start, stop)
        for file, spans in ((store.notes_file, notes), (store.heads_file, heads))
        if file.is_file()
        for start, stop in gaps(spans, file.stat().st_size)
    ]


def sweep(store: Store) -> None:
    """Overwrite with zeros what belongs to no work, and delete files of other generations.

    A reader that has an old file mapped keeps it on some systems and keeps it
    from being deleted on others; there the next change deletes it.
    """
    for file, start, stop in unused(store):
        with file.open("r+b") as stream:
            stream.seek(start)
            if any(stream.read(stop - start)):
                stream.seek(start)
                stream.write(bytes(stop - start))
                _sync(stream)
    for file in _data_files(store.folder):
        if file not in (store.notes_file, store.heads_file):
            with suppress(OSError):
                file.unlink()


def discard(folder: Path) -> None:
    """Delete the data files of a folder without a catalogue."""
    for file in _data_files(folder):
        with suppress(OSError):
            file.unlink()


def _data_files(folder: Path) -> list[Path]:
    return [f for kind in ("notes", "heads") for f in folder.glob(f"{kind}-[0-9]*.bin")]


def write_beside(path: Path, data: bytes) -> None:
    """Replace a file in one step: whoever reads it sees the old bytes or the new ones."""
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("wb") as stream:
            stream.write(data)
            _sync(stream)
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def _sync(stream: Any) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def corpus_id(rows: Sequence[Row]) -> str:
    """SHA-256 over works, terms and notes, whatever their order."""
    hashed = hashlib.sha256(b"musai-corpus-1\n")
    for row in sorted(rows, key=lambda row: row.work.id):
        # A limit that nobody set came later and is no part of the id; text would have its quotes escaped.
        told = msgspec.json.encode(row.work).replace(b',"recall":null', b"")
        hashed.update(told + row.phrase.encode() + b"\n")
    return hashed.hexdigest()


def _opened(path: Path) -> Any:
    path.touch()
    return path.open("r+b")


_HEADER = msgspec.json.Decoder(Header)
_NAMED = msgspec.json.Decoder(_Named)
_ROW = msgspec.json.Decoder(Row)
_TAKEDOWN = msgspec.json.Decoder(Takedown)

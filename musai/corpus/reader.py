"""The process that reads files from outside: `python -m musai.corpus.reader`.

Native parsers can crash and files can be built to exhaust a machine, so each
file is read here, under a memory limit, and never in the process that serves.
Requests come in on stdin and replies go out on what was stdout, each a
four-byte length and MessagePack; stdout and stderr themselves are pointed at
nothing, since native code prints where it likes.
"""

import hashlib
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from musai.corpus.store import pack_head
from musai.corpus.tunes import Reading
from musai.errors import BadInput, BadScore

KINDS: dict[str, str] = {
    ".mid": "midi",
    ".midi": "midi",
    ".smf": "midi",
    ".kar": "midi",
    ".abc": "abc",
    ".mxl": "score",
    ".xml": "score",
    ".musicxml": "score",
}
"""How a file is read, by its suffix in lower case."""


class Request(msgspec.Struct):
    """A file to read, with the most bytes that it may have."""

    path: str
    kind: str
    max_bytes: int
    sha256: str = ""


class Tune(msgspec.Struct):
    """A `Reading` in bytes."""

    number: str
    titles: tuple[str, ...]
    creators: tuple[str, ...]
    notices: tuple[str, ...]
    head: bytes
    notes: bytes


class Reply(msgspec.Struct):
    """What a file held, a sentence for each part of it that was not read, or why it was refused."""

    tunes: list[Tune] = msgspec.field(default_factory=list)
    faults: list[str] = msgspec.field(default_factory=list)
    refused: str = ""
    sha256: str = ""


def read(request: Request) -> Reply:
    """Read one file, in this process.  A file at fault is refused, with the reason."""
    try:
        path = Path(request.path)
        size = path.stat().st_size
        if size > request.max_bytes:
            raise BadInput(f"the file has {size} bytes; legal is up to {request.max_bytes}")
        data = path.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        if request.sha256 and request.sha256 != sha256:
            raise BadInput(
                f"the file's SHA-256 is {sha256[:12]}…; the manifest says {request.sha256[:12]}…"
            )
        readings, faults = _READERS[request.kind](data)
        return Reply([_tune(reading) for reading in readings], faults, "", sha256)
    except (BadInput, OSError) as fault:
        return Reply(refused=str(fault))
    except MemoryError:
        return Reply(refused="reading it needs more memory than an import may use")
    except RecursionError:
        return Reply(refused="it is nested too deeply")


def _read_midi(data: bytes) -> tuple[list[Reading], list[str]]:
    from musai.music.midi import read_midi

    phrase = read_midi(data)
    if not len(phrase):
        raise BadScore("it has no notes")
    return [Reading(phrase)], []


def _read_abc(data: bytes) -> tuple[list[Reading], list[str]]:
    from musai.corpus.tunes import read_abc

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if "\0" in text:
        raise BadScore("the file holds a NUL; legal is text")
    return read_abc(text)


def _read_score(data: bytes) -> tuple[list[Reading], list[str]]:
    from musai.corpus.scores import read_score

    return [read_score(data)], []


_READERS: dict[str, Callable[[bytes], tuple[list[Reading], list[str]]]] = {
    "midi": _read_midi,
    "abc": _read_abc,
    "score": _read_score,
}


def _tune(reading: Reading) -> Tune:
    return Tune(
        reading.number,
        reading.titles,
        reading.creators,
        reading.notices,
        pack_head(reading.phrase),
        reading.phrase.notes.tobytes(),
    )


def send(stream: BinaryIO, message: msgspec.Struct) -> None:
    """Write one message."""
    data = msgspec.msgpack.encode(message)
    stream.write(struct.pack("<I", len(data)) + data)
    stream.flush()


def receive(stream: BinaryIO) -> bytes:
    """Read one message; empty at the stream's end."""
    head = stream.read(4)
    if len(head) < 4:
        return b""
    (size,) = struct.unpack("<I", head)
    data = stream.read(size)
    return data if len(data) == size else b""


def _limit_memory(limit: int) -> None:
    """Cap this process's address space where the system can."""
    try:
        import resource
    except ImportError:  # Windows has no such limit; the file's size is limited all the same.
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if sys.platform != "darwin":  # macOS refuses the call
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def main() -> None:
    """Serve requests until stdin ends."""
    replies = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    _limit_memory(int(sys.argv[1]))
    decoder = msgspec.msgpack.Decoder(Request)
    while message := receive(sys.stdin.buffer):
        send(replies, read(decoder.decode(message)))


if __name__ == "__main__":
    main()

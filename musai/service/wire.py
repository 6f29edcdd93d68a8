"""What goes over the pipes between the service and its workers: length-prefixed MessagePack.

One class a message, so that a pipe carries nothing else and nothing is
pickled.  A frame is four bytes of length, little-endian, and the message.
"""

from collections.abc import Callable
from typing import Any, BinaryIO

import msgspec
import numpy as np

from musai.music import NOTE, Key, Metre, Phrase, Signature, Tempo, Voice

MAX_FRAME = 256 * 2**20


class PhraseWire(msgspec.Struct, frozen=True, array_like=True):
    """A Phrase as plain values: the note array's bytes, and rows for metre and voices."""

    notes: bytes
    length: int
    voices: list[tuple[str, int, bool]]
    tempos: list[tuple[int, int]]
    signatures: list[tuple[int, int, int]]
    keys: list[tuple[int, int, bool]]

    @classmethod
    def of(cls, phrase: Phrase) -> "PhraseWire":
        """The plain values of a phrase."""
        metre = phrase.metre
        return cls(
            phrase.notes.tobytes(),
            phrase.length,
            [(v.name, v.program, v.drum) for v in phrase.voices],
            [(t.tick, t.us_per_quarter) for t in metre.tempos],
            [(s.tick, s.numerator, s.denominator) for s in metre.signatures],
            [(k.tick, k.fifths, k.minor) for k in metre.keys],
        )

    def phrase(self) -> Phrase:
        """The phrase again, checked as any phrase is."""
        metre = Metre(
            tuple(Tempo(*row) for row in self.tempos),
            tuple(Signature(*row) for row in self.signatures),
            tuple(Key(*row) for row in self.keys),
        )
        voices = tuple(Voice(*row) for row in self.voices)
        return Phrase(np.frombuffer(self.notes, NOTE), metre, voices, self.length)


class Message(msgspec.Struct, frozen=True, tag_field="is", tag=str.lower):
    """Base of all messages; the class name in lower case tells them apart."""


class Play(Message, frozen=True):
    """To the player: begin this request; `wishes` are its fields but the context.

    `corpora`: names of those that a guard is to hold against.
    """

    ticket: int
    wishes: dict[str, Any]
    context: PhraseWire | None
    corpora: list[str] = []


class Prefill(Message, frozen=True):
    """To the player: something like this will be asked for soon; read it when there is time.

    Of a topic only the last one counts; `played` is how much of the context there is, 0 to 1.
    """

    wishes: dict[str, Any]
    context: PhraseWire
    topic: str = ""
    played: float = 1.0


class Stop(Message, frozen=True):
    """To the player: end this ticket; answered by `Ended` unless it has ended already."""

    ticket: int


class Compare(Message, frozen=True):
    """To the matcher: what is this phrase like?  A thorough answer has more hits, more of them whole."""

    ticket: int
    phrase: PhraseWire
    thorough: bool = False


class Open(Message, frozen=True):
    """To the matcher: use these corpora, by name or path, from now on."""

    corpora: list[str]


class Build(Message, frozen=True):
    """To the builder: make this part of a corpus, "corpus" itself or its "null" (and index)."""

    corpus: str
    part: str


class Ready(Message, frozen=True):
    """From a worker: it can work.  `about` describes what it opened, `made_with` its libraries."""

    about: dict[str, Any]
    made_with: dict[str, Any]


class Unready(Message, frozen=True):
    """From a worker: what it should open cannot be opened; it lives and will try again."""

    kind: str
    reason: str


class Began(Message, frozen=True):
    """From the player: a request is in hand; `guard` describes the one that is on."""

    ticket: int
    guard: dict[str, Any] | None = None


class Sound(Message, frozen=True):
    """From the player: one note."""

    ticket: int
    onset: int
    duration: int
    pitch: int
    velocity: int
    voice: int


class Made(Message, frozen=True):
    """From the player: the phrase is whole; ids and MIDI are computed there, off the loop."""

    ticket: int
    phrase: PhraseWire
    phrase_id: str
    notes_id: str
    midi: bytes
    notes: int
    bars: int


class Ended(Message, frozen=True):
    """From the player: no phrase will come of this ticket."""

    ticket: int
    kind: str
    reason: str


class Found(Message, frozen=True):
    """From the matcher: one row a corpus, each with its verdict, hits and works; the decisive
    corpus first (see `matching.compared`)."""

    ticket: int
    corpora: list[dict[str, Any]]


class Unfound(Message, frozen=True):
    """From the matcher: this phrase could not be compared."""

    ticket: int
    reason: str


class Progress(Message, frozen=True):
    """From the builder: how far it is, 0 to 1, in the stage ("corpus", "index", "null")."""

    corpus: str
    stage: str
    fraction: float
    text: str = ""


class Built(Message, frozen=True):
    """From the builder: the corpus is there, or why it is not."""

    corpus: str
    reason: str


Down = Play | Prefill | Stop | Compare | Open | Build
Up = Ready | Unready | Began | Sound | Made | Ended | Found | Unfound | Progress | Built

_ENCODE = msgspec.msgpack.Encoder()
_DOWN: msgspec.msgpack.Decoder[Down] = msgspec.msgpack.Decoder(Down)
_UP: msgspec.msgpack.Decoder[Up] = msgspec.msgpack.Decoder(Up)


def frame(message: Message) -> bytes:
    """The bytes of one frame."""
    body = _ENCODE.encode(message)
    return len(body).to_bytes(4, "little") + body


def reader(source: BinaryIO) -> Callable[[], bytes | None]:
    """A function that waits for the next frame's body; None at the end of the pipe."""

    def read() -> bytes | None:
        head = source.read(4)
        if len(head) < 4:
            return None
        size = int.from_bytes(head, "little")
        # More than this was never sent: a stray print has fallen into the pipe.
        if size > MAX_FRAME:
            return None
        body = source.read(size)
        return body if len(body) == size else None

    return read


def decode_down(body: bytes) -> Down:
    """A message to a worker."""
    return _DOWN.decode(body)


def decode_up(body: bytes) -> Up:
    """A message from a worker."""
    return _UP.decode(body)

"""What the page and the server say to each other over one WebSocket.  Pure: text <-> values.

The page sends one JSON object a message, named by "do"; every message that
starts something carries an `id` of the page's own, and every event that
follows carries the same `id`.  The server sends JSON arrays of events::

    page    ask again replay cancel keep discard ping
    server  hello status started sounded finished compared failed kept discarded pong

Units: ticks at 480 a quarter note; tempo in quarters a minute.
"""

from typing import Annotated, Any

import msgspec
import numpy as np

from musai.errors import BadRequest
from musai.music import Metre, Phrase, Voice, notes_array
from musai.music.notes import untangled
from musai.transformer.controls import MAX_SEED, RANGES, TEMPERATURE
from musai.transformer.request import Request, parse_key

MAX_BYTES = 256 * 1024
"""The longest message from a page."""

MAX_NOTES = 4096
"""The most notes that a page sends with a request."""

Id = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Name = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8,64}$")]


class Message(msgspec.Struct, frozen=True, tag_field="do", forbid_unknown_fields=True):
    """Base of all messages from the page."""


class Ask(Message, frozen=True, tag="ask", kw_only=True):
    """Answer these notes, or play from nothing where there are none.

    `notes` are rows of onset, duration, pitch, velocity in ticks from the
    first bar line of what was played, `length` its whole length in ticks.
    """

    id: Id
    notes: Annotated[tuple[tuple[int, int, int, int], ...], msgspec.Meta(max_length=MAX_NOTES)] = ()
    length: int = 0
    bars: int = 2
    seed: Annotated[int, msgspec.Meta(ge=0, le=MAX_SEED)] = 0
    tempo: float = 100.0
    signature: tuple[int, int] = (4, 4)
    key: str | None = None
    temperature: float = TEMPERATURE


class Again(Message, frozen=True, tag="again"):
    """Another answer to what `phrase` answered, with the next seed."""

    id: Id
    phrase: Name


class Replay(Message, frozen=True, tag="replay"):
    """The same phrase again, exactly."""

    id: Id
    replay: Name


class Cancel(Message, frozen=True, tag="cancel"):
    """Stop what `id` asked for."""

    id: Id


class Keep(Message, frozen=True, tag="keep"):
    """The human keeps this phrase; `intent` says in a sentence what for."""

    phrase: Name
    intent: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Discard(Message, frozen=True, tag="discard"):
    """The human discards this phrase."""

    phrase: Name


class Ping(Message, frozen=True, tag="ping"):
    """Answered at once, to measure the way there and back."""

    id: Id


Spoken = Ask | Again | Replay | Cancel | Keep | Discard | Ping

_decoder: msgspec.json.Decoder[Spoken] = msgspec.json.Decoder(Spoken)


def parse(text: str | bytes) -> Spoken:
    """The message in a text.  Raises `BadRequest` saying what is wrong with it."""
    try:
        return _decoder.decode(text)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"the page's message cannot be read: {error}") from None


def id_of(text: str | bytes) -> int | None:
    """The id in a message that `parse` refused, so that the refusal can be told to its asker."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def request_of(ask: Ask) -> Request:
    """The request behind an `Ask`.  Raises `BadRequest` or `BadInput` naming value and range."""
    wishes: dict[str, Any] = {
        "bars": ask.bars,
        "seed": ask.seed,
        "key": ask.key,
        "temperature": ask.temperature,
    }
    if not ask.notes:
        return Request(mode="generate", tempo=ask.tempo, signature=ask.signature, **wishes)
    # A request without context checks tempo and signature before a phrase is made of them.
    Request(mode="generate", tempo=ask.tempo, signature=ask.signature, **wishes)
    return Request(mode="answer", context=_phrase(ask), **wishes)


def event(id: int | None, name: str, **values: Any) -> dict[str, Any]:
    """An event that is not one of the service's own."""
    return {"id": id, "event": name, **values}


def encode(events: list[dict[str, Any]]) -> str:
    """Events as the text of one message."""
    return msgspec.json.encode(events).decode()


def ranges() -> dict[str, tuple[float, float]]:
    """Legal ranges of what the page lets its user set, from the request's own table."""
    return {name: (low, high) for name, (low, high, _) in RANGES.items()}


def _phrase(ask: Ask) -> Phrase:
    onset, duration, pitch, velocity = np.array(ask.notes, np.int64).T
    metre = Metre.of(ask.tempo, ask.signature, _key(ask.key))
    notes = untangled(notes_array(onset, duration, pitch, velocity))
    end = int((notes["onset"].astype(np.int64) + notes["duration"]).max())
    return Phrase(notes, metre, (Voice(),), max(ask.length, end))


def _key(name: str | None) -> tuple[int, bool] | None:
    """A key's name as a key signature: sharps (flats below 0) and whether minor."""
    if name is None:
        return None
    tonic, minor = parse_key(name)
    major = (tonic + 3) % 12 if minor else tonic
    sharps = (major * 7) % 12
    flat = "b" in name or (sharps > 6 and "#" not in name)
    return (sharps - 12 if flat and sharps > 0 else sharps if sharps <= 7 else sharps - 12), minor

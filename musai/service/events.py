"""What the service tells whoever asked for a phrase, in this order::

    Started  Sounded*  Finished  Compared          the usual walk
    Started  Sounded*  Failed                      cancelled, or an error named
    Failed                                         refused before it began

Every event carries the ticket that `Service.submit` returned.  Events are
handed to the callback from a worker's reader thread: pass them on, do not
compute there.
"""

from dataclasses import dataclass
from typing import Any, Literal

Light = Literal["grey", "green", "amber", "red"]


@dataclass(frozen=True, slots=True)
class Started:
    """The request is valid and a worker has it; `replay_id` names the phrase to come."""

    ticket: int
    replay_id: str


@dataclass(frozen=True, slots=True)
class Sounded:
    """One note of the answer: ticks at 480 a quarter from the answer's first bar line."""

    ticket: int
    index: int
    onset: int
    duration: int
    pitch: int
    velocity: int
    voice: int


@dataclass(frozen=True, slots=True)
class Finished:
    """All notes are out and the phrase is in the ledger.

    `checksum` is the first 8 hexadecimal digits of the phrase's notes_id;
    `replay` is None for a new phrase, else "identical" or where it differs.
    """

    ticket: int
    phrase_id: str
    replay_id: str
    notes: int
    bars: int
    checksum: str
    first_note_ms: float
    total_ms: float
    replay: str | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """The overlap summary: what the light needs and the report begins with.

    Beside it how varied the last `takes` of the session are, this one among them: as `varied_as`
    passages of the corpus, None where it is not known (yet); `varied_says` says so in a sentence.
    """

    ticket: int
    phrase_id: str
    light: Light
    sentence: str
    p_value: float | None
    longest_run: int
    work_id: str | None
    title: str | None
    licence: str | None
    match_ms: float
    takes: int = 0
    varied_as: float | None = None
    varied_says: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """No (more) notes: `kind` is the error's class name, `reason` says what to do."""

    ticket: int
    kind: str
    reason: str


Event = Started | Sounded | Finished | Compared | Failed


def to_plain(event: Event) -> dict[str, Any]:
    """The event as JSON values, its class name in lower case under "event"."""
    plain = {name: getattr(event, name) for name in event.__slots__}
    return {"event": type(event).__name__.lower(), **plain}

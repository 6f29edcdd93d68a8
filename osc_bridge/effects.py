"""What the state machines tell the shell to do: instructions out, nothing done.

A `Key` names a command for as long as the server lives: number of the client
(never reused) and the client's id.
"""

from dataclasses import dataclass
from typing import Literal

from osc_bridge.asks import Ask
from osc_bridge.messages import Id, Message

Key = tuple[int, Id]


@dataclass(frozen=True, slots=True)
class Peer:
    """Where packets come from and go to; for TCP and memory one connection."""

    kind: Literal["udp", "tcp", "memory"]
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send this message."""

    peer: Peer
    message: Message


@dataclass(frozen=True, slots=True)
class Submit:
    """Build the request, hand it to the service; its events come back under `key`."""

    key: Key
    ask: Ask
    session: str


@dataclass(frozen=True, slots=True)
class Again:
    """The same for a phrase of the ledger with the next seed."""

    key: Key
    phrase: str
    session: str


@dataclass(frozen=True, slots=True)
class Replay:
    """The same for a replay id."""

    key: Key
    replay: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel what runs under `key`."""

    key: Key


@dataclass(frozen=True, slots=True)
class Decide:
    """Record a decision; `Decided` or `Failed` comes back."""

    key: Key
    phrase: str
    decision: Literal["kept", "discarded"]
    intent: str = ""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Fetch a phrase as a MIDI file; `Fetched` or `Failed` comes back."""

    key: Key
    phrase: str


@dataclass(frozen=True, slots=True)
class Prefill:
    """Something like this will be asked for soon; nothing comes back.  See `ServiceLike.prefill`."""

    ask: Ask
    topic: str
    played: float


@dataclass(frozen=True, slots=True)
class Log:
    """One more line of a jam's log; an empty one ends it."""

    jam: int
    line: bytes


@dataclass(frozen=True, slots=True)
class Follow:
    """Follow Ableton Link for this session, at this tempo where no peer is there; None: leave it."""

    session: str
    tempo: float | None


Effect = Send | Submit | Again | Replay | Cancel | Decide | Fetch | Prefill | Log | Follow


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision is in the ledger."""

    phrase: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """The phrase as a standard MIDI file."""

    midi: bytes

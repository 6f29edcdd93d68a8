"""What goes into a jam and what comes out of it: plain records that a line of JSON can hold.

Times are in ticks, 480 a quarter, of the jam's own count, which runs on while
the transport rolls and never backwards; a tick of the host's transport plus
the jam's offset is a tick of that count.
"""

from typing import Any, Final, Literal

import msgspec

TICKS: Final = 480
ANY: Final = "any"
"""Instead of an instrument: whatever the voice is."""


class JamConfig(msgspec.Struct, frozen=True):
    """How musai plays along; `values` are wishes of a request (key, density, ...)."""

    style: Literal["answer", "accompany"] = "answer"
    call: int = 2
    """Bars of the human's call; 0: until a pause."""
    bars: int = 2
    """Bars of the answer."""
    entry: Literal["bar", "beat"] = "bar"
    """Where an answer may begin."""
    pause: float = 2.0
    """Beats of silence that end a call of no fixed length."""
    lead: float = 200.0
    """Milliseconds before its turn at which musai takes what it has heard and thinks."""
    commit: float = 1.0
    """Beats ahead that no longer change."""
    lookahead: float = 8.0
    """Beats ahead that clients are shown."""
    lag: float = 1.0
    """Beats that accompaniment is behind what it hears."""
    memory: int = 8
    """Bars of the past that an accompaniment goes by."""
    space: bool = True
    """Whether it stops when the human plays into its part."""
    own: int = 15
    """Voice of the accompaniment."""
    part: str = ANY
    """Instrument that accompanies: its range holds where no register is set."""
    range: tuple[int, int] | None = None
    """Its lowest and highest pitch."""
    seed: int = 0
    signature: tuple[int, int] = (4, 4)
    values: dict[str, Any] = {}
    sounds: dict[int, tuple[int, bool]] = {}
    """General MIDI program and whether it is a drum set, by voice."""

    @property
    def bar(self) -> int:
        """Ticks of a bar."""
        return 4 * TICKS * self.signature[0] // self.signature[1]


class Wanted(msgspec.Struct, frozen=True):
    """A request in plain values; `voices` are the jam's voices behind those of the notes."""

    mode: str
    bars: int
    seed: int
    tempo: float
    notes: tuple[tuple[int, int, int, int, int], ...]
    length: int
    voices: tuple[int, ...]
    signature: tuple[int, int]
    values: dict[str, Any] = {}
    sounds: tuple[tuple[int, bool], ...] = ()
    """General MIDI program and whether it is a drum set, of each voice of the notes."""


class Step(msgspec.Struct, frozen=True, tag_field="is", tag=str.lower):
    """Base of all inputs and instructions."""


class Configure(Step, frozen=True):
    """Play like this from the next call on."""

    config: JamConfig


class Transport(Step, frozen=True):
    """How the host's transport goes on from here; its tick plus `offset` is the jam's."""

    tempo: float
    offset: int
    playing: bool


class On(Step, frozen=True):
    """The human strikes a key, or did so some ticks ago; `key` names the note."""

    key: str
    pitch: int
    velocity: int
    voice: int
    ago: int = 0


class Off(Step, frozen=True):
    """The human releases; an empty `key` means the last one struck of this pitch and voice."""

    key: str
    pitch: int
    voice: int
    ago: int = 0


class Gone(Step, frozen=True):
    """A client has left: what it holds is released.  Its keys begin with `owner`."""

    owner: str


class Turn(Step, frozen=True):
    """The human says: your turn."""


class Again(Step, frozen=True):
    """Play a take (0: the current one) again exactly, or with the next seed, or the one before."""

    take: int
    how: Literal["same", "vary", "back"]


class Panic(Step, frozen=True):
    """Everything ends now."""


class Time(Step, frozen=True):
    """Nothing but that time has passed."""


class Began(Step, frozen=True):
    """A worker has the request."""

    ask: int
    replay: str


class Heard(Step, frozen=True):
    """One note of the model's; ticks from the first bar line of what was asked for."""

    ask: int
    index: int
    onset: int
    duration: int
    pitch: int
    velocity: int
    voice: int


class Made(Step, frozen=True):
    """All notes are there and recorded."""

    ask: int
    phrase: str
    replay: str


class Compared(Step, frozen=True):
    """What it overlaps with; `told` is the tail of `/musai/jam/overlap`."""

    ask: int
    told: tuple[Any, ...]


class Failed(Step, frozen=True):
    """No (more) notes."""

    ask: int
    kind: str
    reason: str


class Ask(Step, frozen=True):
    """Have this made; its events come back under `ask`."""

    ask: int
    wanted: Wanted


class Prefill(Step, frozen=True):
    """Something like this will be asked for soon: read it in advance.

    `played`: how much of the call has been, 0 to 1.  Of each `case` only the last one counts.
    """

    wanted: Wanted
    played: float
    case: int


class Drop(Step, frozen=True):
    """Stop what was asked for."""

    ask: int


class Tell(Step, frozen=True):
    """Say this to every client of the jam: a reply's name below /musai/jam, without its id."""

    name: str
    args: tuple[Any, ...]


Input = (
    Configure
    | Transport
    | On
    | Off
    | Gone
    | Turn
    | Again
    | Panic
    | Time
    | Began
    | Heard
    | Made
    | Compared
    | Failed
)
Instruction = Ask | Prefill | Drop | Tell


class Entry(msgspec.Struct, frozen=True):
    """One line of a jam's log: a tick, what came in then, what came out of it."""

    tick: int
    input: Input
    out: tuple[Instruction, ...]


_ENCODE: Final = msgspec.json.Encoder()
_DECODE: Final = msgspec.json.Decoder(Entry)


def logged(tick: int, given: Input, out: tuple[Instruction, ...]) -> Entry:
    """An entry as a log has it: without reading in advance, which changes no note."""
    return Entry(tick, given, tuple(one for one in out if not isinstance(one, Prefill)))


def to_line(entry: Entry) -> bytes:
    """An entry as one line of JSON."""
    return _ENCODE.encode(entry) + b"\n"


def from_line(line: bytes) -> Entry:
    """The inverse; raises `msgspec.DecodeError`."""
    return _DECODE.decode(line)

"""From parameters and uploads to a `Request`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

import numpy as np

from musai.errors import BadInput, BadRequest
from musai.music import Metre, Phrase, Voice, notes_array
from musai.music.notes import untangled
from musai.transformer.controls import MAX_SEED, Mode, takes
from musai.transformer.request import Request, parse_key
from musai.transformer.wordings import PLAIN
from osc_bridge.addresses import DEFAULT_WORD, PARAMETERS, QUINTUPLE
from osc_bridge.messages import Value, Wrong, check

DEFAULT_BPM: Final = 120.0
QUICK_BYTES: Final = 10_240
"""Bytes of notes that become a phrase in well under a millisecond."""
_PAIRS: Final = {"signature": ("/", "6/8"), "register": ("-", "48-72")}


@dataclass(frozen=True, slots=True)
class Context:
    """An upload: either a MIDI file, or notes as 32-bit big-endian ints, five a note."""

    midi: bytes = b""
    notes: bytes = b""
    length: int = -1
    """Ticks of the whole; -1: until the last note ends."""
    voices: int = 0
    """How many at least."""

    def phrase(self, metre: Metre, voices: Mapping[int, Voice]) -> Phrase:
        """The phrase; metre and voices hold where the upload brings none.

        Raises `BadInput` for a file that cannot be read.  May take a while.
        """
        if self.midi:
            return Phrase.from_midi(self.midi)
        columns = np.frombuffer(self.notes, ">i4").reshape(-1, len(QUINTUPLE)).T
        notes = untangled(notes_array(*columns))
        count = max(self.voices, 1 + int(notes["voice"].max()))
        known = tuple(voices.get(i, Voice()) for i in range(count))
        return Phrase(notes, metre, known, self.length)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as far as it is known on arrival; `request` does the slow rest."""

    mode: Mode
    values: Mapping[str, Any] = field(default_factory=dict)
    context: Context | None = None
    tempo: float | None = None
    """The transport's, in quarters a minute; a MIDI file's own goes before it."""
    voices: Mapping[int, Voice] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        """The seed that keys the noise."""
        return int(self.values.get("seed", 0))

    @property
    def quick(self) -> bool:
        """Whether `request` takes no longer than a packet does."""
        context = self.context
        return context is None or (not context.midi and len(context.notes) <= QUICK_BYTES)

    def check(self) -> None:
        """Raise `BadRequest` where the values cannot go together, without the context."""
        Request(mode="generate", **{k: x for k, x in self.values.items() if takes("generate", k)})

    def request(self) -> Request:
        """The whole request.  Raises `BadInput` for a context that cannot be used."""
        values = dict(self.values)
        if self.context is None or self.mode == "generate":
            if self.tempo is not None:
                values.setdefault("tempo", self.tempo)
            return Request.of(self.mode, **values)
        try:
            phrase = self.context.phrase(self._metre(), self.voices)
        except BadInput as error:
            raise BadRequest(f"the context cannot be used: {error}") from error
        told = {name: value for name, value in values.items() if takes(self.mode, name)}
        return Request.of(self.mode, phrase, **told)

    def again(self) -> "Ask":
        """The same with the next seed."""
        return replace(self, values={**self.values, "seed": (self.seed + 1) % (MAX_SEED + 1)})

    def _metre(self) -> Metre:
        bpm = self.values.get("tempo", self.tempo)
        signature = self.values.get("signature", (4, 4))
        return Metre.of(DEFAULT_BPM if bpm is None else bpm, signature)


def parameter(name: str, value: Value) -> Any:
    """A parameter as `Request` takes it; None where it is taken back.  Raises `Wrong`."""
    if value is None or value == DEFAULT_WORD:
        return None
    checked = check(PARAMETERS[name], value)
    if name in _PAIRS:
        return _pair(name, str(checked))
    read = parse_key if name == "key" else PLAIN.get(name)
    if read is not None:
        try:
            read(str(checked))
        except BadRequest as error:
            raise Wrong("bad_value", str(error)) from None
    return checked


def wire(name: str, value: Any) -> Value:
    """The inverse of `parameter`."""
    if name in _PAIRS and value is not None:
        return _PAIRS[name][0].join(map(str, value))
    return cast(Value, value)


def _pair(name: str, text: str) -> tuple[int, int]:
    between, example = _PAIRS[name]
    found = re.fullmatch(rf"([0-9]{{1,3}}){between}([0-9]{{1,3}})", text)
    if found is None:
        raise Wrong("bad_value", f'{name} is {text!r}; legal is a pair as in "{example}"')
    return int(found[1]), int(found[2])

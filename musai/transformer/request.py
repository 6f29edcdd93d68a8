"""Request: all that a phrase depends on beside the model.  Frozen, with canonical bytes."""

import hashlib
import json
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from musai.errors import BadRequest, check_range
from musai.music import DENOMINATORS, Phrase

Mode = Literal["generate", "continue", "answer"]
MODES: tuple[str, ...] = get_args(Mode)

MAX_BARS = 64
MAX_SEED = 2**63 - 1

TEMPERATURE, TOP_P = 0.9, 0.95
"""What a request has that says nothing of them: a little calmer than the model's own odds."""

RANGES: dict[str, tuple[float, float, str]] = {
    "bars": (1, MAX_BARS, "bars"),
    "seed": (0, MAX_SEED, ""),
    "tempo": (20, 400, "quarters a minute"),
    "density": (0.25, 48, "notes a bar"),
    "temperature": (0, 4, ""),
    "top_p": (0.01, 1, ""),
}
"""THE table of ranges: checks, the OSC reference and the page derive from it."""


@dataclass(frozen=True, slots=True)
class Request:
    """Ask for `bars` bars of music.

    `mode`: "generate" starts from nothing, "continue" goes on in the voices of
    `context`, "answer" replies to it.  `seed` alone keys the noise.  Tempo
    (quarters a minute), signature (numerator, denominator), key ("C", "F#m",
    "Bbm", ...), density (notes a bar), register (lowest and highest MIDI
    pitch) and collection are wishes; where None, the context decides, and
    without a context the model does.  `temperature` 0 takes the likeliest
    choice at each step.  Raises `BadRequest` naming value and legal range.
    """

    mode: Mode = "generate"
    bars: int = 4
    seed: int = 0
    context: Phrase | None = None
    tempo: float | None = None
    signature: tuple[int, int] | None = None
    key: str | None = None
    density: float | None = None
    register: tuple[int, int] | None = None
    collection: str | None = None
    temperature: float = TEMPERATURE
    top_p: float = TOP_P

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise BadRequest(f"mode is {self.mode!r}; legal is {', '.join(MODES)}")
        for name, (low, high, unit) in RANGES.items():
            value = getattr(self, name)
            if value is not None:
                _check(name, value, low, high, unit)
                if name not in _WHOLE:
                    # 120 and 120.0 are one wish and must have one replay id.
                    object.__setattr__(self, name, float(value))
        if (self.context is None or len(self.context) == 0) != (self.mode == "generate"):
            wish = "no context" if self.mode == "generate" else "a context of at least one note"
            raise BadRequest(f"mode {self.mode} takes {wish}")
        if self.signature is not None:
            numerator, denominator = self.signature
            _check("signature's numerator", numerator, 1, 32, "")
            if denominator not in DENOMINATORS:
                raise BadRequest(
                    f"signature's denominator is {denominator}; legal is {DENOMINATORS}"
                )
            if not 1 <= 4 * numerator / denominator <= 8:
                raise BadRequest(
                    f"a bar of {numerator}/{denominator} has {4 * numerator / denominator:g} "
                    "quarters; legal is 1 to 8"
                )
        if self.key is not None:
            parse_key(self.key)
        if self.register is not None:
            low_pitch, high_pitch = self.register
            _check("register's lowest pitch", low_pitch, 0, 127, "")
            _check("register's highest pitch", high_pitch, low_pitch + 11, 127, "")

    @property
    def canonical_bytes(self) -> bytes:
        """JSON with sorted keys, the context by its id; the same for equal requests anywhere."""
        values: dict[str, Any] = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name != "context"
        }
        values["context"] = None if self.context is None else self.context.id
        return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()

    def replay_id(self, model_id: str, corpus_id: str = "") -> str:
        """Names this request to this model beside this corpus, 64 hexadecimal digits."""
        digest = hashlib.sha256(b"musai-replay-1\n")
        for part in (model_id.encode(), corpus_id.encode(), self.canonical_bytes):
            digest.update(len(part).to_bytes(8, "little") + part)
        return digest.hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the context as a standard MIDI file in hexadecimal."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["context"] = None if self.context is None else self.context.to_midi().hex()
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Request":
        """The inverse of `to_dict`; an unknown name is an error."""
        known = {field.name for field in fields(cls)}
        for name in values:
            if name not in known:
                raise BadRequest(f"a request has no {name!r}; legal is {', '.join(sorted(known))}")
        plain = dict(values)
        if plain.get("context") is not None:
            plain["context"] = Phrase.from_midi(bytes.fromhex(plain["context"]))
        for name in ("signature", "register"):
            if plain.get(name) is not None:
                plain[name] = tuple(plain[name])
        return cls(**plain)

    def again(self) -> "Request":
        """The same request with the next seed."""
        return replace(self, seed=(self.seed + 1) % (MAX_SEED + 1))


_WHOLE = ("bars", "seed")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def parse_key(text: str) -> tuple[int, bool]:
    """Tonic pitch class and whether minor, of a name such as "C", "F#", "Bbm" or "Ebm"."""
    name, minor = (text[:-1], True) if text.endswith("m") else (text, False)
    if name[:1] not in _STEPS or name[1:] not in ("", "#", "b"):
        raise BadRequest(f"key is {text!r}; legal is C, F#, Bb and so on, with m for minor (Am)")
    return (_STEPS[name[0]] + {"": 0, "#": 1, "b": -1}[name[1:]]) % 12, minor


def _check(name: str, value: Any, low: float, high: float, unit: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"{name} is {value!r}; legal is a number")
    whole = name in _WHOLE or "pitch" in name or "numerator" in name
    if whole and not isinstance(value, int):
        raise BadRequest(f"{name} is {value!r}; legal is a whole number")
    try:
        check_range(name, value, low, high, unit)
    except ValueError as error:
        raise BadRequest(str(error)) from None

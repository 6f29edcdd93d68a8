"""Request: all that a phrase depends on beside the model.  Frozen, with canonical bytes."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from musai.errors import BadRequest, check_range
from musai.music import DENOMINATORS, Phrase
from musai.transformer.beginnings import whole_bars
from musai.transformer.controls import (
    BARS,
    MAX_BARS,
    MAX_SEED,
    MODES,
    RANGES,
    SPANS,
    TAKEN_BY,
    TEMPERATURE,
    TOP_P,
    WHOLE,
    Mode,
)
from musai.transformer.fresh import Take
from musai.transformer.wordings import PLAIN


@dataclass(frozen=True, slots=True)
class Request:
    """Ask for `bars` bars of music.

    `mode`: "generate" starts from nothing, "continue" goes on in the voices of
    `context`, "answer" replies to it.  The other modes fill bars `first` to
    `first + bars` of the context: "infill" writes `voices` of them anew, "vary"
    keeps the notes that carry them and changes the rest, the more the nearer
    `change` is to 1, "accompany" adds `voices` to what is there.  `voices` are
    numbers of the context's voices or names of instruments, apart by commas;
    where None, infill and vary take all, accompany the voices that the
    collection (bach-chorales) has beside those of the context.

    `seed` alone keys the noise.  Tempo
    (quarters a minute), signature (numerator, denominator), key ("C", "F#m",
    "Bbm", ...), density (notes a bar), register (lowest and highest MIDI
    pitch) and collection are wishes; where None, the context decides, and
    without a context the model does.  `temperature` 0 takes the likeliest
    choice at each step.  `guard` k lets no line of the answer hold k notes in
    a row that a work of the corpora in use holds too (`guarding.py`); None is
    off.  `avoid` holds takes that must not be repeated (`takes_of`); the other
    controls are those of `controls`.  Raises `BadRequest` naming value and legal range.
    """

    mode: Mode = "generate"
    bars: int = BARS
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
    first: int | None = None
    voices: str | None = None
    change: float | None = None
    guard: int | None = None
    scale: str | None = None
    scale_rule: str | None = None
    chords: str | None = None
    grid: str | None = None
    polyphony: int | None = None
    registers: str | None = None
    swing: float | None = None
    velocity: int | None = None
    temperatures: str | None = None
    top_ps: str | None = None
    avoid: tuple[Take, ...] | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise BadRequest(f"mode is {self.mode!r}; legal is {', '.join(MODES)}")
        for name, (low, high, unit) in RANGES.items():
            value = getattr(self, name)
            if value is not None:
                _check(name, value, low, high, unit)
                if name not in WHOLE:
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
        self._check_span()
        self._check_texts()
        if self.register is not None:
            low_pitch, high_pitch = self.register
            _check("register's lowest pitch", low_pitch, 0, 127, "")
            _check("register's highest pitch", high_pitch, low_pitch + 11, 127, "")

    def _check_texts(self) -> None:
        """Texts in their one wording, takes as tuples, and what contradicts itself."""
        for name, plain in PLAIN.items():
            told = getattr(self, name)
            if told is not None:
                if not isinstance(told, str):
                    raise BadRequest(f"{name} is {told!r}; legal is a text")
                object.__setattr__(self, name, plain(told))
        if self.register is not None and self.registers is not None:
            raise BadRequest(
                f"register is {self.register} and registers is {self.registers!r}; legal is one "
                "of the two"
            )
        if self.avoid is not None:
            object.__setattr__(self, "avoid", takes_of(self.avoid) or None)

    def _check_span(self) -> None:
        """What belongs to some modes only, and whether the bars are there."""
        if self.voices is not None:
            object.__setattr__(self, "voices", ",".join(self.voice_words))
        for name, modes in TAKEN_BY.items():
            if getattr(self, name) is not None and self.mode not in modes:
                raise BadRequest(f"mode {self.mode} takes no {name}; legal in {', '.join(modes)}")
        if self.mode not in SPANS:
            return
        assert self.context is not None
        object.__setattr__(self, "context", whole_bars(self.context))
        bars, first = self.context.bars, self.first or 0
        if first + self.bars > bars:
            legal = f"1 to {bars - first} bars" if first < bars else f"first from 0 to {bars - 1}"
            raise BadRequest(
                f"bars {first} to {first + self.bars} are asked for and the context has {bars}; "
                f"legal is {legal}"
            )

    @property
    def voice_words(self) -> list[str]:
        """The words of `voices`: numbers and names of instruments."""
        words = [" ".join(word.split()).casefold() for word in (self.voices or "").split(",")]
        if self.voices is not None and (not all(words) or len(set(words)) < len(words)):
            raise BadRequest(
                f"voices is {self.voices!r}; legal is different numbers of voices or names of "
                'instruments, apart by commas, as in "bass,drums"'
            )
        return [word for word in words if word]

    @classmethod
    def of(cls, mode: Mode, context: Phrase | None = None, **wishes: Any) -> "Request":
        """A request whose unset wishes (None) have their defaults: bars the context's, or 4."""
        told = {name: value for name, value in wishes.items() if value is not None}
        if mode in SPANS and context is not None and "bars" not in told:
            told["bars"] = max(1, min(MAX_BARS, context.bars - told.get("first", 0)))
        return cls(mode=mode, context=context, **told)

    @property
    def canonical_bytes(self) -> bytes:
        """JSON with sorted keys, the context by its id; the same for equal requests anywhere.

        What came later and is not set is left out, so that older requests keep their names.
        """
        values: dict[str, Any] = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name != "context"
            and (field.name in _FIRST_FIELDS or getattr(self, field.name) is not None)
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


_FIRST_FIELDS = frozenset(
    ("mode", "bars", "seed", "tempo", "signature", "key", "density", "register", "collection",
     "temperature", "top_p")
)  # fmt: skip
"""Fields that stand in a request's canonical bytes also where they are not set."""
MAX_TAKES, MAX_TAKE_NOTES = 8, 20_000
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def takes_of(takes: Iterable[Any]) -> tuple[Take, ...]:
    """Takes as tuples of (onset, pitch, voice), from phrases or from what JSON holds.

    Raises `BadRequest`.
    """
    out: list[Take] = []
    for take in takes:
        if isinstance(take, Phrase):
            columns = (take.notes[name].tolist() for name in ("onset", "pitch", "voice"))
            take = list(zip(*columns, strict=True))
        try:
            plain = tuple((int(a), int(b), int(c)) for a, b, c in take)
        except (TypeError, ValueError):
            raise BadRequest("avoid holds what is no take; legal is rows of three ints") from None
        out.append(plain)
    if len(out) > MAX_TAKES or sum(map(len, out)) > MAX_TAKE_NOTES:
        raise BadRequest(
            f"avoid holds {len(out)} takes of {sum(map(len, out))} notes; legal is {MAX_TAKES} "
            f"and {MAX_TAKE_NOTES}"
        )
    return tuple(out)


def parse_key(text: str) -> tuple[int, bool]:
    """Tonic pitch class and whether minor, of a name such as "C", "F#", "Bbm" or "Ebm"."""
    name, minor = (text[:-1], True) if text.endswith("m") else (text, False)
    if name[:1] not in _STEPS or name[1:] not in ("", "#", "b"):
        raise BadRequest(f"key is {text!r}; legal is C, F#, Bb and so on, with m for minor (Am)")
    return (_STEPS[name[0]] + {"": 0, "#": 1, "b": -1}[name[1:]]) % 12, minor


def _check(name: str, value: Any, low: float, high: float, unit: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"{name} is {value!r}; legal is a number")
    whole = name in WHOLE or "pitch" in name or "numerator" in name
    if whole and not isinstance(value, int):
        raise BadRequest(f"{name} is {value!r}; legal is a whole number")
    try:
        check_range(name, value, low, high, unit)
    except ValueError as error:
        raise BadRequest(str(error)) from None

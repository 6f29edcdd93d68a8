"""Tempo, time signature and key over the course of a phrase.

Ticks are integers at 480 a quarter; seconds appear only in `Metre.seconds`.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from musai.errors import BadInput, check_range
from musai.music.notes import MAX_TICK, TICKS

MAX_TEMPO_US = 2**24 - 1
"""The slowest tempo that a MIDI file can hold, in microseconds a quarter (3.6 bpm)."""

DENOMINATORS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, slots=True, order=True)
class Tempo:
    """A tempo from `tick` on, in whole microseconds a quarter note."""

    tick: int
    us_per_quarter: int

    def __post_init__(self) -> None:
        check_range("tempo's tick", self.tick, 0, MAX_TICK)
        check_range("tempo", self.us_per_quarter, 1, MAX_TEMPO_US, "microseconds a quarter")

    @property
    def bpm(self) -> float:
        """Quarter notes a minute."""
        return 60e6 / self.us_per_quarter

    @classmethod
    def from_bpm(cls, bpm: float, tick: int = 0) -> "Tempo":
        """The nearest tempo that a MIDI file can hold; 4 to 1,000 quarters a minute."""
        check_range("tempo", bpm, 4, 1000, "quarters a minute")
        return cls(tick, round(60e6 / bpm))


@dataclass(frozen=True, slots=True, order=True)
class Signature:
    """A time signature from `tick` on."""

    tick: int
    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        check_range("time signature's tick", self.tick, 0, MAX_TICK)
        check_range("time signature's numerator", self.numerator, 1, 255)
        if self.denominator not in DENOMINATORS:
            legal = ", ".join(map(str, DENOMINATORS))
            raise BadInput(f"time signature's denominator is {self.denominator}; legal is {legal}")

    @property
    def bar_ticks(self) -> int:
        """Length of one bar."""
        return self.numerator * TICKS * 4 // self.denominator

    @property
    def beat_ticks(self) -> int:
        """Length of one beat: a dotted unit in compound time (6/8, 9/8, 12/8), else the unit."""
        unit = TICKS * 4 // self.denominator
        compound = self.denominator >= 8 and self.numerator % 3 == 0 and self.numerator > 3
        return unit * 3 if compound else unit


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A key signature from `tick` on: -7 (seven flats) to 7 (seven sharps)."""

    tick: int
    fifths: int
    minor: bool = False

    def __post_init__(self) -> None:
        check_range("key's tick", self.tick, 0, MAX_TICK)
        check_range("key's sharps", self.fifths, -7, 7)

    @property
    def tonic(self) -> int:
        """Pitch class of the tonic, 0 for C."""
        return (self.fifths * 7 + (9 if self.minor else 0)) % 12


@dataclass(frozen=True, slots=True)
class Metre:
    """All changes of tempo, time signature and key, each in order of tick.

    The first tempo and the first signature stand at tick 0; where a file
    has none, 120 quarters a minute and 4/4, as the MIDI standard says.
    """

    tempos: tuple[Tempo, ...] = (Tempo(0, 500_000),)
    signatures: tuple[Signature, ...] = (Signature(0, 4, 4),)
    keys: tuple[Key, ...] = ()

    def __post_init__(self) -> None:
        for name, changes in (
            ("tempo", self.tempos),
            ("time signature", self.signatures),
            ("key", self.keys),
        ):
            ticks = [change.tick for change in changes]
            if any(a >= b for a, b in pairwise(ticks)):
                raise BadInput(f"{name} changes stand at ticks {ticks[:8]}; legal is rising ticks")
            if name != "key" and ticks[:1] != [0]:
                raise BadInput(f"the first {name} stands at {ticks[:1]}; legal is tick 0")

    @classmethod
    def of(
        cls,
        bpm: float = 120.0,
        signature: tuple[int, int] = (4, 4),
        key: tuple[int, bool] | None = None,
    ) -> "Metre":
        """One tempo, one time signature, and a key as (sharps, minor) or none."""
        keys = () if key is None else (Key(0, *key),)
        return cls((Tempo.from_bpm(bpm),), (Signature(0, *signature),), keys)

    def signature_at(self, tick: int) -> Signature:
        """The time signature in force at `tick`."""
        return self.signatures[bisect_right([s.tick for s in self.signatures], tick) - 1]

    def bar_starts(self) -> Iterator[tuple[int, Signature]]:
        """(tick, signature) of every bar from tick 0 on, without end.

        A change of signature starts a bar wherever it stands.
        """
        for i, signature in enumerate(self.signatures):
            later = self.signatures[i + 1 :]
            tick = signature.tick
            while not later or tick < later[0].tick:
                yield tick, signature
                tick += signature.bar_ticks

    def bars_until(self, length: int) -> list[tuple[int, Signature]]:
        """(tick, signature) of every bar that starts before `length`."""
        bars: list[tuple[int, Signature]] = []
        for tick, signature in self.bar_starts():
            if tick >= length:
                return bars
            bars.append((tick, signature))
        return bars

    def bar_count(self, length: int) -> int:
        """Number of bars that start before `length`, found without walking through them."""
        ends = [s.tick for s in self.signatures[1:]] + [length]
        return sum(
            -(-(min(end, length) - here.tick) // here.bar_ticks)
            for here, end in zip(self.signatures, ends, strict=True)
            if here.tick < length
        )

    def bar_and_beat(self, tick: int) -> tuple[int, float]:
        """Bar and beat of a tick, both counted from 1, beats in units of the denominator."""
        bar, start, signature = 0, 0, self.signatures[0]
        for i, here in enumerate(self.signatures):
            end = self.signatures[i + 1].tick if i + 1 < len(self.signatures) else None
            if end is None or tick < end:
                bars, inside = divmod(tick - here.tick, here.bar_ticks)
                bar, start, signature = bar + bars, tick - inside, here
                break
            bar += -(-(end - here.tick) // here.bar_ticks)
        return bar + 1, 1 + (tick - start) * signature.denominator / (TICKS * 4)

    def seconds(self, tick: int) -> float:
        """Seconds from the start of the phrase to `tick`."""
        total = 0
        for i, tempo in enumerate(self.tempos):
            end = self.tempos[i + 1].tick if i + 1 < len(self.tempos) else tick
            total += max(0, min(tick, end) - tempo.tick) * tempo.us_per_quarter
        return total / (TICKS * 1e6)

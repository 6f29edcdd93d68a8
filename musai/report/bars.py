"""Bars of a metre between two ticks, by arithmetic: a phrase may be a million bars long."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from musai.music import Metre, Phrase, Signature


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its number from 1, its first tick, the tick after its last, its time signature."""

    number: int
    first: int
    last: int
    signature: Signature

    @property
    def beats(self) -> range:
        """Ticks of the beats inside the bar, without the bar line itself."""
        step = max(1, self.signature.beat_ticks)
        return range(self.first + step, self.last, step)


def bars_from(metre: Metre, first: float) -> Iterator[Bar]:
    """All bars that end after the tick `first`, without end.

    A change of signature starts a bar wherever it stands, as in `Metre`.
    """
    number = 1
    for i, signature in enumerate(metre.signatures):
        later = metre.signatures[i + 1 : i + 2]
        end = later[0].tick if later else None
        size = signature.bar_ticks
        skipped = max(0, int(first - signature.tick) // size)
        if end is not None:
            count = -(-(end - signature.tick) // size)
            yield from _bars(signature, number, skipped, count, end)
            number += count
        else:
            yield from _bars(signature, number, skipped, None, None)


def bars_between(metre: Metre, first: float, last: float, most: int) -> list[Bar]:
    """The bars that overlap [first, last), up to `most`."""
    found = []
    for bar in islice(bars_from(metre, first), most):
        if bar.first >= last:
            break
        found.append(bar)
    return found


def bar_count(phrase: Phrase) -> int:
    """Bars begun before the end of the phrase."""
    return phrase.metre.bar_and_beat(phrase.length - 1)[0] if phrase.length else 0


def systems(bars: Sequence[Bar], widest: int) -> list[list[Bar]]:
    """Bars broken into lines of at most `widest` ticks (or one bar), all about equally full."""
    longest = max(bar.last - bar.first for bar in bars)
    fitting = max(1, min(8, widest // longest))
    if fitting in (5, 7):
        fitting -= 1
    lines = -(-len(bars) // fitting)
    per_line = -(-len(bars) // lines)
    return [list(bars[i : i + per_line]) for i in range(0, len(bars), per_line)]


def _bars(
    signature: Signature, number: int, skipped: int, count: int | None, end: int | None
) -> Iterator[Bar]:
    k = skipped
    while count is None or k < count:
        first = signature.tick + k * signature.bar_ticks
        last = first + signature.bar_ticks
        yield Bar(number + k, first, last if end is None else min(last, end), signature)
        k += 1

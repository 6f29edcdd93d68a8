"""Written bars -> places on an unbroken metre, so that bar lines fall where the metre says.

A printed tune is a row of bars of which some are incomplete: the pickup, the
last bar of a strain that leaves room for the pickup of its repeat, first and
second endings.  `Phrase` counts bars from tick 0 by the time signature alone,
so incomplete bars are placed like this, and silence fills what is left:

- a strain's incomplete first bar is a pickup: it ends on a bar line, and the
  one at the very beginning fills the end of bar 1;
- it joins the incomplete last bar of the strain before where both fit;
- any other incomplete bar begins on a bar line, unless the next written bars
  complete it (a bar that a repeat sign cuts in two);
- a second ending begins where the first ending began within its bar;
- a time signature that most bars contradict gives way to one that they fit.

Units: whole notes as `Fraction`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby

from musai.music import DENOMINATORS, Signature

WHOLE = 1920
"""Ticks of a whole note."""


@dataclass(slots=True)
class Bar:
    """One written bar: notes as [offset, duration, pitch] and what the bar line before it says."""

    metre: tuple[int, int] | None = (4, 4)
    key: tuple[int, bool] | None = None
    notes: list[tuple[Fraction, Fraction, int]] = field(default_factory=list)
    duration: Fraction = Fraction(0)
    opens: bool = False
    ending: int = 0

    @property
    def full(self) -> Fraction:
        """What the time signature makes of a bar; a bar in free time is as long as it is."""
        if self.metre is None:
            return self.duration or Fraction(1)
        return Fraction(*self.metre)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where each bar starts, the time signatures that this needs, and the end of the last bar."""

    starts: tuple[Fraction, ...]
    signatures: tuple[tuple[Fraction, int, int], ...]
    end: Fraction


def place(bars: Sequence[Bar]) -> Placed:
    """Start of every bar, in whole notes from the phrase's beginning."""
    metres, usual = _repaired(bars)
    starts: list[Fraction] = []
    signatures: list[tuple[Fraction, int, int]] = []
    line, fill, ending_fill = Fraction(0), Fraction(0), Fraction(0)
    full = Fraction(1)
    for i, bar in enumerate(bars):
        metre = metres[i]
        if not signatures or signatures[-1][1:] != metre:
            line, fill = (line + full if fill else line), Fraction(0)
            full = Fraction(*metre)
            signatures.append((line, *metre))
        if bar.duration:
            leads = bar.duration != usual[i] and i + 1 < len(bars) and metres[i + 1] == metre
            offset = ending_fill if bar.ending > 1 else _offset(bars, i, fill, full, leads)
            line += full if offset < fill else 0
            fill = offset
        if bar.ending == 1:
            ending_fill = fill
        starts.append(line + fill)
        whole, fill = divmod(fill + bar.duration, full)
        line += whole * full
    return Placed(tuple(starts), tuple(signatures), line + full if fill else line)


def _offset(bars: Sequence[Bar], i: int, fill: Fraction, full: Fraction, leads: bool) -> Fraction:
    """Where within its grid bar the written bar `i` begins, `fill` of that bar being taken.

    An offset before `fill` means the next grid bar.  `leads`: another bar
    follows, and this one is not as long as bars usually are, so it may be a pickup.
    """
    rest = bars[i].duration % full
    if bars[i].opens or i == 0:
        return full - rest if rest and (leads or fill + rest == full) else Fraction(0)
    return fill if fill and _completed(bars, i, fill, full) else Fraction(0)


def _completed(bars: Sequence[Bar], i: int, fill: Fraction, full: Fraction) -> bool:
    """Whether the bars from `i` on fill up what is begun exactly, before the strain ends."""
    total = fill
    for j in range(i, len(bars)):
        if j > i and (bars[j].opens or bars[j].ending > 1):
            return False
        total += bars[j].duration
        if total >= full:
            return total == full
    return False


def _repaired(bars: Sequence[Bar]) -> tuple[list[tuple[int, int]], list[Fraction]]:
    """For each bar its metre, corrected where most bars of a stretch contradict it, and
    how long bars of that stretch mostly are."""
    metres: list[tuple[int, int]] = []
    usual: list[Fraction] = []
    for metre, run in groupby(bars, key=lambda bar: bar.metre):
        stretch = list(run)
        lengths = Counter(bar.duration for bar in stretch if bar.duration)
        metres += [_fitting(metre, lengths)] * len(stretch)
        common, count = lengths.most_common(1)[0] if lengths else (Fraction(0), 0)
        usual += [common if 2 * count > len(stretch) else Fraction(0)] * len(stretch)
    return metres, usual


def _fitting(metre: tuple[int, int] | None, lengths: Counter[Fraction]) -> tuple[int, int]:
    written = metre or (4, 4)
    if not lengths:
        return written
    common, count = lengths.most_common(1)[0]
    ratio = common / Fraction(*written)
    fits = 1 in (ratio.numerator, ratio.denominator)
    if (fits and metre) or count * 5 < sum(lengths.values()) * 3 or sum(lengths.values()) < 4:
        return written
    for denominator in DENOMINATORS:
        numerator = common * denominator
        if denominator >= min(4, written[1]) and numerator.denominator == 1 and numerator < 256:
            return int(numerator), denominator
    return written


def in_ticks(placed: Placed) -> tuple[Signature, ...]:
    """The time signatures with their ticks; the last of several at one tick."""
    changes = {
        round(at * WHOLE): (numerator, denominator)
        for at, numerator, denominator in placed.signatures
    }
    return tuple(Signature(tick, *change) for tick, change in sorted(changes.items()))

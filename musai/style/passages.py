"""Passages: stretches of bars cut from works, many of them side by side in one table of notes.

All features are counted over a whole table at once, so ten thousand passages
cost little more than one.  A passage starts at a bar line; its ticks count
from there.  A note that began before it is left out, one that goes on after
it ends with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.music.phrase import Phrase

CLASSES = (1, 2, 4, 8, 16)
"""Lengths of passages in bars."""

PASSAGES = 3
"""Passages that a work gives to each length, at most."""

MAX_BARS = 4096
"""A work's bars beyond these are not looked at."""

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes of many passages, each array of shape (notes,), in order of passage, onset, pitch.

    `onset` and `duration` in ticks from the passage's start; `place` is the onset's distance in
    ticks from its bar line, `beat` and `bar` the length of its beat and bar; `line` numbers each
    voice of each passage.
    """

    passage: Ints
    onset: Ints
    duration: Ints
    pitch: Ints
    line: Ints
    place: Ints
    beat: Ints
    bar: Ints

    def __len__(self) -> int:
        return len(self.passage)

    def __getitem__(self, chosen: Ints) -> "Notes":
        return Notes(*(getattr(self, name)[chosen] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Table:
    """`count` passages: `pitched` notes, and `struck` with the drums; length and bar in ticks.

    `length` and `metre` are of shape (count,) and (count, 3): ticks a bar, ticks a beat and the
    numerator of the time signature where the passage starts.
    """

    count: int
    pitched: Notes
    struck: Notes
    length: Ints
    metre: Ints


@dataclass(frozen=True, slots=True)
class Span:
    """From tick `start` to before tick `stop` of a phrase."""

    start: int
    stop: int


def length_class(bars: int) -> int:
    """The length among `CLASSES` that is nearest by ratio; 3 bars are nearer to 4 than to 2."""
    return min(CLASSES, key=lambda c: (abs(np.log2(max(1, bars) / c)), -c))


def sounding_bars(phrase: Phrase) -> int:
    """Bars up to the one in which the last note starts; 0 without notes, `MAX_BARS` at most."""
    return len(_bar_lines(phrase)) - 1


def whole(phrase: Phrase) -> Span:
    """A phrase from its first tick to its last, 16 bars at most."""
    after = next(islice(phrase.metre.bar_starts(), CLASSES[-1], None))[0]
    return Span(0, max(1, min(phrase.length, after)))


def spans(phrase: Phrase, bars: int, most: int = PASSAGES) -> list[Span]:
    """Up to `most` stretches of `bars` bars without overlap, spread over the phrase.

    A phrase with fewer bars gives itself where it has half of them or more, else nothing.
    """
    starts = _bar_lines(phrase)
    held = len(starts) - 1
    if held < bars:
        return [Span(0, max(1, phrase.length))] if 2 * held >= bars else []
    fit = min(most, held // bars)
    slack = held - fit * bars
    first = [k * bars + (slack * (2 * k + 1)) // (2 * fit) for k in range(fit)]
    return [Span(int(starts[k]), int(starts[k + bars])) for k in first]


def _bar_lines(phrase: Phrase) -> Ints:
    """Ticks of the bar lines and of the end; bars in which nothing starts at the end are no bars."""
    last = int(phrase.notes["onset"][-1]) + 1 if len(phrase) else 0
    parts, signatures = [], phrase.metre.signatures
    for here, later in zip(signatures, [*signatures[1:], None], strict=True):
        end = min(last, later.tick) if later else last
        stop = min(end, here.tick + MAX_BARS * here.bar_ticks)
        parts.append(np.arange(here.tick, stop, here.bar_ticks))
    lines = np.concatenate(parts)[:MAX_BARS]
    end = int(lines[-1]) + phrase.metre.signature_at(int(lines[-1])).bar_ticks if len(lines) else 0
    return np.append(lines, end)


def table(cuts: Iterable[tuple[Phrase, Sequence[Span]]]) -> Table:
    """The table of all spans of all phrases, in order."""
    parts: list[tuple[Ints, ...]] = []
    lengths: list[int] = []
    metres: list[tuple[int, int, int]] = []
    for phrase, chosen in cuts:
        columns = _columns(phrase)
        for span in chosen:
            parts.append(_cut(columns, span, len(lengths)))
            lengths.append(span.stop - span.start)
            sign = phrase.metre.signature_at(span.start)
            metres.append((sign.bar_ticks, sign.beat_ticks, sign.numerator))
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    notes, drum = _ordered(joined or [np.zeros(0, np.int64)] * 9)
    return Table(
        len(lengths),
        notes[~drum],
        notes,
        np.array(lengths, np.int64),
        np.array(metres, np.int64).reshape(-1, 3),
    )


def one(phrase: Phrase) -> Table:
    """The table of one phrase, of its first 16 bars at most."""
    return table([(phrase, [whole(phrase)])])


def _columns(phrase: Phrase) -> tuple[Ints, ...]:
    """Onset, duration, pitch, voice, place, beat, bar, drum of every note, int64."""
    onset, duration, pitch, voice = (
        phrase.notes[name].astype(np.int64) for name in ("onset", "duration", "pitch", "voice")
    )
    signs = phrase.metre.signatures
    which = np.searchsorted([s.tick for s in signs], onset, "right") - 1
    bar = np.array([s.bar_ticks for s in signs])[which]
    beat = np.array([s.beat_ticks for s in signs])[which]
    place = (onset - np.array([s.tick for s in signs])[which]) % bar
    drum = np.array([v.drum for v in phrase.voices], np.int64)[voice]
    return onset, duration, pitch, voice, place, beat, bar, drum


def _cut(columns: tuple[Ints, ...], span: Span, number: int) -> tuple[Ints, ...]:
    onset = columns[0]
    part = slice(*np.searchsorted(onset, [span.start, span.stop]))
    held = [column[part] for column in columns]
    begins = held[0] - span.start
    lasts = np.minimum(held[1], span.stop - held[0])
    return np.full(len(begins), number), begins, lasts, *held[2:]


def _ordered(joined: Sequence[Ints]) -> tuple[Notes, NDArray[np.bool_]]:
    passage, onset, duration, pitch, voice, place, beat, bar, drum = joined
    order = np.lexsort((pitch, onset, passage))
    line = passage * 64 + voice
    notes = Notes(passage, onset, duration, pitch, line, place, beat, bar)
    return notes[order], drum[order].astype(bool)

"""A tune read from ABC -> title, people and Phrase on an unbroken metre."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from musai.corpus.abc import MAX_TUNES, Tune, read_tune, split_tunes
from musai.corpus.bars import WHOLE, Bar, Placed, in_ticks, place
from musai.corpus.tempi import RHYTHMS, WORDS, beat, by_pattern, from_mark, quarters_a_minute
from musai.errors import BadInput, BadScore
from musai.music import Key, Metre, NoteArray, Phrase, Tempo, Voice, notes_array
from musai.music.notes import end_tick, untangled

VELOCITY = 80
"""Scores carry no touch; every note of theirs has this velocity."""

FIDDLE = 40


@dataclass(frozen=True, slots=True)
class Reading:
    """What an importer read: the phrase and what the source says about it."""

    phrase: Phrase
    number: str = ""
    titles: tuple[str, ...] = ()
    creators: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def read_abc(text: str, program: int = FIDDLE) -> tuple[list[Reading], list[str]]:
    """Every tune of an ABC text, and a sentence for each tune that cannot be read."""
    readings, faults = [], []
    for count, (number, lines) in enumerate(split_tunes(text)):
        if count >= MAX_TUNES:
            faults.append(f"only the first {MAX_TUNES} tunes of a file are read")
            break
        try:
            readings.append(reading_of(read_tune(number, lines), program))
        except BadInput as fault:
            faults.append(f"tune {number or '?'}: {fault}")
    if not readings and not faults:
        raise BadScore("the text holds no tune; legal is ABC with an X: field for each tune")
    return readings, faults


def reading_of(tune: Tune, program: int) -> Reading:
    """The phrase of a tune with its title and composer."""
    if not tune.lines:
        raise BadScore("it has no notes")
    lines = list(tune.lines.items())[:64]
    longest = merged([bars for _, bars in lines])
    placed = place(longest)
    rows = [
        (onset, length, pitch, voice)
        for voice, (_, bars) in enumerate(lines)
        for onset, length, pitch in laid_out(bars, placed)
    ]
    metre = Metre(
        (Tempo.from_bpm(_tempo(tune, placed)),),
        in_ticks(placed),
        keys_of(longest, placed),
    )
    titles = tuple(clean(title) for title in tune.fields.get("T", ()) if clean(title))
    names = [name if len(lines) > 1 else "" for name, _ in lines]
    voices = tuple(Voice(name[:40], program) for name in names)
    return Reading(
        phrase_of(rows, metre, voices, placed),
        tune.number.lstrip("0") or tune.number,
        titles,
        tuple(clean(c) for c in tune.fields.get("C", ()) if clean(c)),
    )


def laid_out(bars: Sequence[Bar], placed: Placed) -> list[tuple[int, int, int]]:
    """(onset, duration, pitch) in ticks of every note of a voice's bars."""
    rows = []
    for bar, start in zip(bars, placed.starts, strict=False):
        for offset, length, pitch in bar.notes:
            onset = round((start + offset) * WHOLE)
            rows.append((onset, max(1, round((start + offset + length) * WHOLE) - onset), pitch))
    return rows


def phrase_of(
    rows: list[tuple[int, int, int, int]],
    metre: Metre,
    voices: tuple[Voice, ...],
    placed: Placed,
) -> Phrase:
    """A phrase from (onset, duration, pitch, voice), as long as its last bar."""
    if not rows:
        raise BadScore("it has no notes")
    onset, duration, pitch, voice = (list(column) for column in zip(*rows, strict=True))
    notes: NoteArray = untangled(notes_array(onset, duration, pitch, VELOCITY, voice))
    return Phrase(notes, metre, voices, max(end_tick(notes), round(placed.end * WHOLE)))


def merged(voices: list[list[Bar]]) -> list[Bar]:
    """One row of bars for all voices.

    A bar is as long as the longest that any voice has there, unless most
    voices fill it as the time signature says: then the others are at fault.
    """
    row: list[Bar] = []
    for i in range(max(map(len, voices))):
        here = [bars[i] for bars in voices if i < len(bars)]
        first = here[0]
        right = sum(bar.duration == bar.full for bar in here)
        longest = first.full if 2 * right > len(here) else max(bar.duration for bar in here)
        row.append(Bar(first.metre, first.key, [], longest, first.opens, first.ending))
    return row


def keys_of(bars: Sequence[Bar], placed: Placed) -> tuple[Key, ...]:
    """Key signatures where they change."""
    keys: dict[int, Key] = {}
    for bar, start in zip(bars, placed.starts, strict=True):
        if bar.key is not None:
            tick = round(start * WHOLE) if keys else 0
            keys[tick] = Key(tick, *bar.key)
    ordered = sorted(keys.values())
    changes = [b for a, b in pairwise(ordered) if (a.fifths, a.minor) != (b.fifths, b.minor)]
    return tuple(ordered[:1] + changes)


def bar_at(starts: Sequence[int], tick: int) -> int:
    """The index of the bar that holds a tick."""
    return max(0, bisect_right(starts, tick) - 1)


def _tempo(tune: Tune, placed: Placed) -> float:
    """Quarters a minute: Q:, else words in N:, else the kind of tune, else its metre."""
    metre = placed.signatures[0][1:]
    for mark in tune.fields.get("Q", ()):
        marked = from_mark(mark, metre)
        if marked is not None:
            return marked
    quoted = " ".join(re.findall(r'"([^"]*)"', " ".join(tune.fields.get("N", ())))[:1])
    words = by_pattern(WORDS, quoted)
    if words is not None:
        return quarters_a_minute(words, _words_beat(metre))
    kind = by_pattern(RHYTHMS, tune.first("R"), tune.first("G"), *tune.fields.get("T", ()))
    default = 100 if metre[0] % 3 else 108
    return quarters_a_minute(kind or default, beat(metre))


def _words_beat(metre: tuple[int, int]) -> Fraction:
    """Slow and quick count quarters, or dotted quarters in compound time."""
    return beat(metre) if metre[0] % 3 == 0 and metre[1] == 8 else Fraction(1, 4)


_ACCENTS = {
    "`": "\N{COMBINING GRAVE ACCENT}",
    "'": "\N{COMBINING ACUTE ACCENT}",
    "^": "\N{COMBINING CIRCUMFLEX ACCENT}",
    '"': "\N{COMBINING DIAERESIS}",
    "~": "\N{COMBINING TILDE}",
}


def clean(text: str) -> str:
    """A title as people write it: ABC's accents (\\'e) and quotation marks resolved, no e-mail address."""
    from unicodedata import normalize

    accented = re.sub(
        r"""\\([`'^"~])([A-Za-z])""", lambda m: m.group(2) + _ACCENTS[m.group(1)], text
    )
    without = re.sub(r"\S+@\S+|\S+:\S+\.(?:co\.uk|com|net|org)\S*", "", accented)
    plain = re.sub(r"\s+", " ", normalize("NFC", without)).strip().strip('"').strip()
    swapped = re.fullmatch(r"(.+?),?\s*,\s*(The|A|An)\.?", plain)
    return f"{swapped.group(2)} {swapped.group(1)}" if swapped else plain

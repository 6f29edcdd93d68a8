"""Modes that fill bars of the context: infill, vary, accompany.

All three are one thing (see `tasks`): in bars `first` to `first + bars` some
voices are to be said; what else sounds there is given a bar ahead, what
follows the gap where the gap begins, and what came before is read as it was
played.  Vary also gives the notes of those voices that carry the line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from musai.errors import BadRequest
from musai.music import Metre, Phrase, Voice, notes_array
from musai.music.metre import Key, Signature, Tempo
from musai.transformer import vocabulary as v
from musai.transformer.checkpoint import CollectionStyle, Model, VoiceStyle
from musai.transformer.controls import CHANGE
from musai.transformer.encoding import Bar, GridNote, bars_of, grid_notes
from musai.transformer.instruments import PLAYERS, player_of
from musai.transformer.request import Request
from musai.transformer.tasks import MOST_AFTER, weight_of
from musai.transformer.vocabulary import STEP_TICKS

LEAD = 1
"""Bars that given notes are told ahead of their own."""

_MOST_KEPT = 0.8
"""Share of a voice's notes that vary keeps when it changes least."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is to be filled, in the model's order of voices.

    `phrase` is the context with the voices that were added; `order` gives the place of each of
    its voices in the answer; `asked` voices are to be said; `styles` describe the added ones.
    """

    phrase: Phrase
    order: tuple[int, ...]
    asked: frozenset[int]
    styles: dict[int, VoiceStyle]
    collection: str | None


def span_of(request: Request, context: Phrase, even: Phrase, model: Model) -> Span:
    """Who is asked and who is given.  Raises `BadRequest`."""
    words = request.voice_words
    if request.mode == "accompany":
        numbers = [_number(word, even) for word in words if word.isdecimal()]
        named = [player_of(word) for word in words if not word.isdecimal()]
        collection = request.collection
        if not words:
            style = _choir(request, even, model)
            named, collection = _missing(style, even), style.name
        silent = [i for i in range(len(even.voices)) if not (even.notes["voice"] == i).any()]
        if len({*numbers, *silent}) == len(even.voices):
            raise BadRequest(
                f"voices is {request.voices!r}, which leaves no voice of the context to accompany"
            )
        return _added(even, numbers, named, collection)
    asked = numbers_of(request, even)
    return Span(even, tuple(range(len(even.voices))), asked, {}, request.collection)


def numbers_of(request: Request, phrase: Phrase) -> frozenset[int]:
    """Which of the context's voices are asked for: those named, else all.  Raises `BadRequest`."""
    words = request.voice_words
    if not all(word.isdecimal() for word in words):
        raise BadRequest(
            f"voices is {request.voices!r}; in {request.mode} legal is numbers of the context's "
            f"voices, 0 to {len(phrase.voices) - 1}"
        )
    return frozenset([_number(word, phrase) for word in words] or range(len(phrase.voices)))


def _number(word: str, phrase: Phrase) -> int:
    if int(word) >= len(phrase.voices):
        raise BadRequest(
            f"voices names voice {word}; legal is 0 to {len(phrase.voices) - 1}, the context's "
            f"voices, or an instrument: {', '.join(PLAYERS)}"
        )
    return int(word)


def _choir(request: Request, phrase: Phrase, model: Model) -> CollectionStyle:
    """The collection whose voices go with the context's: the one named, or the largest with enough."""
    for style in model.styles:
        wanted = style.name == request.collection or (
            request.collection is None and len(style.voices) > max(2, len(phrase.voices))
        )
        if wanted and len(style.voices) > len(phrase.voices):
            return style
    raise BadRequest(
        f"the context has {len(phrase.voices)} voices, as many as the works of "
        f"{request.collection or 'any collection'}: name the voices that are asked for, "
        'as in "bass,drums"'
    )


def _missing(style: CollectionStyle, phrase: Phrase) -> list[VoiceStyle]:
    """The collection's voices that the context has not: all but those nearest to its own."""
    left = list(style.voices)
    for voice in range(len(phrase.voices)):
        pitch = phrase.notes["pitch"][phrase.notes["voice"] == voice]
        here = float(pitch.mean()) if len(pitch) else 60.0
        left.remove(min(left, key=lambda one: abs(here - (one.low + one.high) / 2)))
    return left


def _added(
    phrase: Phrase, numbers: Sequence[int], named: Sequence[VoiceStyle], collection: str | None
) -> Span:
    """The phrase with empty voices for the named instruments, highest voice first, drums last."""
    own, count = len(phrase.voices), len(phrase.voices) + len(named)
    if count > v.VOICES:
        raise BadRequest(f"context and answer have {count} voices; legal is 1 to {v.VOICES}")
    voices = (*phrase.voices, *(Voice(x.name, x.program, x.drum) for x in named))
    if not named:
        return Span(phrase, tuple(range(own)), frozenset(numbers), {}, collection)
    heights = []
    for i in range(count):
        pitch = phrase.notes["pitch"][phrase.notes["voice"] == i]
        style = named[i - own] if i >= own else None
        mean = (style.low + style.high) / 2 if style else float(pitch.mean()) if len(pitch) else 60
        heights.append((voices[i].drum, -mean, i))
    order = tuple(i for *_, i in sorted(heights))
    place = np.argsort(order)
    notes = phrase.notes.copy()
    notes["voice"] = place[notes["voice"]]
    columns = (notes[name] for name in notes.dtype.names or ())
    moved = Phrase(
        notes_array(*columns), phrase.metre, tuple(voices[i] for i in order), phrase.length
    )
    asked = frozenset(int(place[i]) for i in (*numbers, *range(own, count)))
    styles = {int(place[own + i]): style for i, style in enumerate(named)}
    return Span(moved, order, asked, styles, collection)


@dataclass(frozen=True, slots=True)
class Filling:
    """The span on the grid: its bars, the bars before it, and what is told in each of its bars.

    `before` and `told` hold notes bar by bar; a told note comes with how many bars it is ahead.
    `kept` notes (of vary) sound in the answer; their bar counts from the span's first.
    """

    bars: tuple[Bar, ...]
    earlier: tuple[Bar, ...]
    before: tuple[tuple[GridNote, ...], ...]
    told: tuple[tuple[tuple[GridNote, int], ...], ...]
    kept: tuple[GridNote, ...]
    after: int


def filling_of(request: Request, span: Span, shift: int, *, loud: bool = False) -> Filling:
    """Lay the span out; `loud`: with velocities.  Raises `BadRequest` for a bar that the grid cannot hold."""
    phrase = span.phrase
    bars = bars_of(phrase)
    starts = phrase.metre.bars_until(max(1, phrase.length))
    first, last = _ticks(starts, request.first or 0, request.bars, phrase)
    here = [i for i, bar in enumerate(bars) if first <= bar.tick < last]
    a, b = here[0], here[-1] + 1
    by_bar: list[list[GridNote]] = [[] for _ in bars]
    for note in grid_notes(phrase, bars, shift, loud=loud):
        by_bar[note.bar].append(note)
    after = min(MOST_AFTER, len(bars) - b) if request.mode != "accompany" else 0
    told: list[list[tuple[GridNote, int]]] = [[] for _ in here]
    kept: list[GridNote] = []
    for note in (note for bar in by_bar[a : b + after] for note in bar):
        if note.bar >= b:
            told[0].append((note, note.bar - a))
            continue
        if note.voice in span.asked:
            kept.append(note)
            continue
        tell = max(a, note.bar - LEAD)
        told[tell - a].append((note, note.bar - tell))
    kept = _structure(kept, bars, request.change) if request.mode == "vary" else []
    for note in kept:
        tell = max(a, note.bar - LEAD)
        told[tell - a].append((note, note.bar - tell))
    return Filling(
        tuple(replace(bar, tick=bar.tick - first) for bar in bars[a:b]),
        tuple(bars[:a]),
        tuple(tuple(bar) for bar in by_bar[:a]),
        tuple(tuple(sorted(row, key=_place)) for row in told),
        tuple(replace(note, bar=note.bar - a) for note in sorted(kept, key=lambda n: _key(n))),
        len(bars) - b,
    )


def _key(note: GridNote) -> tuple[int, int, int, int]:
    return note.bar, note.position, note.voice, note.pitch


def _place(row: tuple[GridNote, int]) -> tuple[int, int, int, int]:
    return _key(row[0])


def _ticks(
    starts: Sequence[tuple[int, Signature]], first: int, bars: int, phrase: Phrase
) -> tuple[int, int]:
    """First and last tick of so many bars of the context."""
    tick, signature = starts[first + bars - 1]
    later = starts[first + bars][0] if first + bars < len(starts) else tick + signature.bar_ticks
    ticks = [t for t, _ in starts[first : first + bars]] + [later]
    for number, (start, end) in enumerate(pairwise(ticks), first):
        if end - start < STEP_TICKS:
            raise BadRequest(
                f"the context has a bar of {end - start} ticks; legal is {STEP_TICKS}: leave bar {number} "
                "out by first and bars"
            )
    return starts[first][0], later


def _structure(
    notes: Sequence[GridNote], bars: Sequence[Bar], change: float | None
) -> list[GridNote]:
    """The notes that carry the line: fewer, the more is to change."""
    share = _MOST_KEPT * (1 - (CHANGE if change is None else change))
    weights = [
        float(
            weight_of(
                np.array([note.position]),
                np.array([v.DURATIONS[note.duration]]),
                bars[note.bar].steps,
            )[0]
        )
        for note in notes
    ]
    best = sorted(range(len(notes)), key=lambda i: (-weights[i], i))[: round(share * len(notes))]
    return [notes[i] for i in best]


def metre_of(phrase: Phrase, first: int, bars: int, tempo: float | None, key: Key) -> Metre:
    """The metre of these bars of the phrase, from tick 0 on."""
    starts = phrase.metre.bars_until(max(1, phrase.length))
    begin, end = _ticks(starts, first, bars, phrase)
    metre = phrase.metre
    signature = replace(metre.signature_at(begin), tick=0)
    signatures = [replace(s, tick=s.tick - begin) for s in metre.signatures if begin < s.tick < end]
    if tempo is not None:
        return Metre((Tempo.from_bpm(tempo),), (signature, *signatures), (key,))
    before = [t for t in metre.tempos if t.tick <= begin][-1]
    tempos = [replace(t, tick=t.tick - begin) for t in metre.tempos if begin < t.tick < end]
    return Metre((replace(before, tick=0), *tempos), (signature, *signatures), (key,))

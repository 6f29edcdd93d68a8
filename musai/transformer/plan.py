"""Plan: what a request means for one model, settled before the first note is drawn."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from musai.errors import BadInput, BadRequest
from musai.music import Metre, Note, Phrase, Signature, Tempo, Voice, notes_array
from musai.music.keys import phrase_key, signature_of, to_white_keys
from musai.music.metre import Key
from musai.transformer import vocabulary as v
from musai.transformer.checkpoint import CollectionStyle, Model, VoiceStyle
from musai.transformer.context import by_bar, context_rows
from musai.transformer.controls import SPANS
from musai.transformer.encoding import (
    Bar,
    GridNote,
    Header,
    Rows,
    RowWriter,
    VoiceWish,
    bars_of,
    grid_notes,
    header_of,
)
from musai.transformer.feel import Feel, heard
from musai.transformer.grammar import Grammar, Kept, Limits, Part
from musai.transformer.instruments import player_of, usual
from musai.transformer.limiting import (
    beats_of,
    feel_of,
    heat_of,
    limits_of,
    parts_of,
)
from musai.transformer.ranges import heard_part, part_of
from musai.transformer.request import Request, parse_key
from musai.transformer.shaping import Shaping
from musai.transformer.spans import Filling, Span, filling_of, metre_of, numbers_of, span_of
from musai.transformer.vocabulary import STEP_TICKS

_MELODY = VoiceStyle("melody", 73, False, 55, 84, True)


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows to read first, the writer that goes on from them, and the answer's frame.

    `after`: bars that follow the answer, None where the music is to go on and nobody says how
    long.  `order`: place in the answer of each of the model's voices.  `told`: for each bar the
    given notes told at its line, and how many bars ahead.  `kept`: notes that stand in the answer.
    `latest`, `limits`: see `Grammar`.  `shaping`: the wishes that shift what is drawn.  `heat`:
    temperature and top_p of each output field.  `loud`: whether the model says velocities.
    """

    rows: Rows
    writer: RowWriter
    bars: tuple[Bar, ...]
    parts: tuple[Part, ...]
    metre: Metre
    voices: tuple[Voice, ...]
    shift: int
    feel: Feel
    after: int | None
    order: tuple[int, ...] = ()
    told: tuple[tuple[tuple[GridNote, int], ...], ...] = ()
    kept: tuple[GridNote, ...] = ()
    latest: int | None = v.MAX_BAR
    limits: Limits = Limits()  # noqa: RUF009  (frozen)
    shaping: Shaping = Shaping()  # noqa: RUF009  (frozen)
    heat: tuple[tuple[float, float], ...] = ()
    loud: bool = False

    def opening(self, bar: int, writer: RowWriter) -> Rows:
        """The rows that open a bar of the answer: its line, and what is told there."""
        remaining = None if self.after is None else len(self.bars) - 1 - bar + self.after
        rows = [writer.bar_row(self.bars[bar], remaining)]
        if self.told:
            rows += [writer.given_row(note, ahead) for note, ahead in self.told[bar]]
        return np.array(rows, np.int16)

    def beginning(self) -> Rows:
        """All that is read before the first event is drawn; moves the writer on, so ask once."""
        return np.concatenate([self.rows, self.opening(0, self.writer)])

    def grammar(self) -> Grammar:
        """A fresh grammar of the answer."""
        starts = np.concatenate([[0], np.cumsum([bar.steps for bar in self.bars])])
        kept = []
        for note in self.kept:
            onset = int(starts[note.bar]) + note.position
            end = min(onset + int(v.DURATIONS[note.duration]), int(starts[-1]))
            kept.append(Kept(onset, end, note.pitch, note.voice))
        return Grammar(self.bars, self.parts, self.latest, kept, self.limits)

    @property
    def length(self) -> int:
        """Ticks of the whole answer."""
        return sum(bar.steps for bar in self.bars) * STEP_TICKS

    def starts(self, onset: int) -> int:
        """The tick at which what is drawn at this step sounds."""
        return self.feel.onset(onset * STEP_TICKS)

    def sounding_voice(self, voice: int) -> int:
        """The answer's voice that one of the model's is."""
        return self.order[voice] if self.order else voice

    def moved(self, pitch: int, voice: int) -> int | None:
        """What is drawn in one of the model's voices for a pitch that sounds; None if nothing is."""
        drum = self.voices[self.sounding_voice(voice)].drum
        drawn = pitch if drum else pitch + self.shift
        return drawn if 0 <= drawn < 128 else None

    def sounded(
        self,
        bar: int,
        position: int,
        onset: int,
        steps: int,
        pitch: int,
        voice: int,
        velocity: int | None = None,
        mean: float = 0.0,
    ) -> Note:
        """A drawn note as it is played: back in its key, with swing and accent or the drawn velocity,
        which is beside the `mean` of those before it (`Feel.struck`)."""
        even = onset * STEP_TICKS
        start = self.feel.onset(even)
        end = min(self.feel.onset(even + steps * STEP_TICKS), self.length)
        out = self.sounding_voice(voice)
        if not self.voices[out].drum:
            pitch = pitch - self.shift
        signature = self.metre.signature_at(even)
        within = position * STEP_TICKS
        if velocity is None:
            velocity = self.feel.velocity(within, signature)
        else:
            drum = self.voices[out].drum
            velocity = self.feel.struck(velocity, mean, within, signature, drum)
        return Note(start, max(1, end - start), pitch, velocity, out)

    def kept_notes(self) -> Iterator[Note]:
        """What is kept, as it sounds, in time order."""
        starts = np.concatenate([[0], np.cumsum([bar.steps for bar in self.bars])])
        for note in self.kept:
            onset = int(starts[note.bar]) + note.position
            steps = int(v.DURATIONS[note.duration])
            yield self.sounded(note.bar, note.position, onset, steps, note.pitch, note.voice)

    def phrase(self, notes: Iterable[Note]) -> Phrase:
        """The answer as a phrase."""
        table = np.array(list(notes), np.int64).reshape(-1, 5)
        return Phrase(notes_array(*table.T), self.metre, self.voices, self.length)


def make_plan(request: Request, model: Model, played: float = 1.0) -> Plan:
    """Settle everything that the request leaves open.  Raises `BadRequest`.

    `played`: how much of the context there is, 0 to 1, where more of it is to come.
    """
    try:
        collection = v.collection_class(request.collection, model.collections)
    except BadInput as error:
        raise BadRequest(str(error)) from None
    style = model.styles[collection - 1] if collection else _default_style(model)
    if request.context is None:
        plan = _from_nothing(request, style, collection)
    elif request.mode in SPANS:
        plan = _from_span(request, request.context, model)
    else:
        plan = _from_context(request, request.context, collection, model, played)
    key = plan.metre.keys[0]
    limits, bias = limits_of(
        request, plan.bars, beats_of(plan.bars), key.tonic, key.minor, plan.shift
    )
    parts = parts_of(request, plan.parts, plan.order, plan.shift)
    return replace(
        plan,
        parts=parts,
        feel=feel_of(request, plan.feel),
        limits=limits,
        shaping=Shaping.of(request, plan.bars, parts, bias),
        heat=heat_of(request),
        loud=model.shape.loud,
    )


def _default_style(model: Model) -> CollectionStyle:
    if model.styles:
        return model.styles[0]
    return CollectionStyle("", (_MELODY,), 120.0, (4, 4), "C")


def _from_nothing(request: Request, style: CollectionStyle, collection: int) -> Plan:
    tonic, minor = parse_key(request.key or style.key)
    shift = to_white_keys(tonic, minor)
    signature = request.signature or style.signature
    bpm = request.tempo or style.bpm
    told = 0 if request.key is None else 2 if minor else 1
    players = tuple(map(player_of, request.voice_words)) or style.voices
    if len(players) > v.VOICES:
        raise BadRequest(f"{len(players)} voices are asked for; legal is 1 to {v.VOICES}")
    header = Header(
        tuple(_wish(request, voice, len(players)) for voice in players),
        told,
        v.tempo_class(bpm),
        collection,
    )
    bars = _answer_bars(Signature(0, *signature), request.bars)
    metre = Metre(
        (Tempo.from_bpm(bpm),),
        (Signature(0, *signature),),
        (Key(0, signature_of(tonic, minor), minor),),
    )
    parts = tuple(
        part_of(voice.low, voice.high, voice.line, shift, request, voice.drum) for voice in players
    )
    voices = tuple(Voice(voice.name, voice.program, voice.drum) for voice in players)
    writer = RowWriter(header)
    return Plan(header.rows(), writer, bars, parts, metre, voices, shift, Feel(), 0)


def _from_context(
    request: Request, context: Phrase, collection: int, model: Model, played: float
) -> Plan:
    if len(context.voices) > v.VOICES:
        raise BadRequest(f"the context has {len(context.voices)} voices; legal is 1 to {v.VOICES}")
    even, feel = heard(context)
    key = parse_key(request.key) if request.key else phrase_key(even)
    shift = to_white_keys(*key)
    before = context.metre
    signature = Signature(0, *(request.signature or _last_signature(before)))
    tempo = Tempo.from_bpm(request.tempo) if request.tempo else replace(before.tempos[-1], tick=0)
    bars = _answer_bars(signature, request.bars)
    header = _told(header_of(even, collection, played), request, key[1], tempo)
    closing = request.mode == "answer"
    heard_bars = bars_of(even)
    loud = model.shape.loud
    told = by_bar(grid_notes(even, heard_bars, shift, loud=loud), len(heard_bars))
    rows, writer = context_rows(
        heard_bars, told, header, len(bars) if closing else None, model.shape.window * 3 // 4
    )
    metre = Metre((tempo,), (signature,), (Key(0, signature_of(*key), key[1]),))
    asked = numbers_of(request, even)
    parts = tuple(
        replace(heard_part(even, i, shift, request), asked=i in asked)
        for i in range(len(even.voices))
    )
    after, latest = (0, signature.beat_ticks // STEP_TICKS) if closing else (None, v.MAX_BAR)
    return Plan(rows, writer, bars, parts, metre, context.voices, shift, feel, after, latest=latest)


def _from_span(request: Request, context: Phrase, model: Model) -> Plan:
    if len(context.voices) > v.VOICES:
        raise BadRequest(f"the context has {len(context.voices)} voices; legal is 1 to {v.VOICES}")
    even, feel = heard(context)
    key = parse_key(request.key) if request.key else phrase_key(even)
    shift = to_white_keys(*key)
    span = span_of(request, context, even, model)
    filling = filling_of(request, span, shift, loud=model.shape.loud)
    collection = v.collection_class(span.collection, model.collections)
    tempo = request.tempo or span.phrase.metre.tempos[0].bpm
    header = _span_header(request, span, filling, key[1], tempo, collection)
    room = model.shape.window * 3 // 4 - sum(len(row) for row in filling.told[:2])
    after = len(filling.bars) + filling.after
    rows, writer = context_rows(filling.earlier, filling.before, header, after, room)
    first = request.first or 0
    metre = metre_of(
        context, first, request.bars, request.tempo, Key(0, signature_of(*key), key[1])
    )
    parts = tuple(_span_part(request, span, i, shift) for i in range(len(span.phrase.voices)))
    voices = [span.phrase.voices[span.order.index(i)] for i in range(len(span.order))]
    return Plan(
        rows, writer, filling.bars, parts, metre, tuple(voices), shift, feel, filling.after,
        span.order, filling.told, filling.kept, None,
    )  # fmt: skip


def _span_header(
    request: Request, span: Span, filling: Filling, minor: bool, bpm: float, collection: int
) -> Header:
    """What is known of the voices outside the span where they are asked, else everywhere."""
    phrase = span.phrase
    told = header_of(phrase, collection).voices
    first = sum(bar.steps for bar in filling.earlier) * STEP_TICKS
    last = first + sum(bar.steps for bar in filling.bars) * STEP_TICKS
    onsets = phrase.notes["onset"]
    inside = (onsets >= first) & (onsets < last)
    bars = len(filling.earlier) + filling.after
    wishes = []
    for i, wish in enumerate(told):
        if i in span.styles:
            wish = _wish(request, span.styles[i], len(span.asked))
        elif i in span.asked and request.mode != "vary":
            count = int(((phrase.notes["voice"] == i) & ~inside).sum())
            density = v.density_class(count / bars) if count and bars else 0
            wish = replace(wish, density=density)
        if i in span.asked and request.density is not None:
            wish = replace(wish, density=v.density_class(request.density / len(span.asked)))
        if i in span.asked and request.register is not None:
            wish = replace(wish, register=v.register_class(sum(request.register) / 2))
        wishes.append(wish)
    return Header(tuple(wishes), 2 if minor else 1, v.tempo_class(bpm), collection)


def _span_part(request: Request, span: Span, voice: int, shift: int) -> Part:
    if voice in span.styles:
        style = span.styles[voice]
        return part_of(style.low, style.high, style.line, shift, request, style.drum)
    part = heard_part(span.phrase, voice, shift, request)
    return replace(part, asked=voice in span.asked)


def _answer_bars(signature: Signature, count: int) -> tuple[Bar, ...]:
    steps = signature.bar_ticks // STEP_TICKS
    return tuple(
        Bar(i * signature.bar_ticks, steps, signature.numerator, signature.denominator)
        for i in range(count)
    )


def _last_signature(metre: Metre) -> tuple[int, int]:
    last = metre.signatures[-1]
    quarters = 4 * last.numerator / last.denominator
    if not 1 <= quarters <= 8 or last.numerator > 32:
        raise BadRequest(
            f"the context ends in {last.numerator}/{last.denominator}, a bar of {quarters:g} "
            "quarters; legal is 1 to 8: name another signature"
        )
    return last.numerator, last.denominator


def _wish(request: Request, voice: VoiceStyle, voices: int) -> VoiceWish:
    low, high = request.register or (voice.low, voice.high)
    density = 0
    if request.density is not None:
        density = v.density_class(request.density / voices)
    elif request.voice_words and voices > 1:
        # Told nothing, the model soon takes a voice that rests for one that never plays.
        density = v.density_class(usual(voice))
    # What training tells is the mean of what is struck: near the snare, most of it kick, snare and hats.
    # The middle of what drums there are is higher, and would ask for cymbals.
    kit = voice.drum and request.register is None and low <= v.SNARE <= high
    middle = v.SNARE if kit else (low + high) / 2
    register = v.register_class(middle)
    return VoiceWish(v.instrument_class(voice.program, voice.drum), register, density)


def _told(header: Header, request: Request, minor: bool, tempo: Tempo) -> Header:
    voices = header.voices
    if request.density is not None:
        density = v.density_class(request.density / len(voices))
        voices = tuple(replace(wish, density=density) for wish in voices)
    if request.register is not None:
        register = v.register_class(sum(request.register) / 2)
        voices = tuple(replace(wish, register=register) for wish in voices)
    return replace(header, voices=voices, mode=2 if minor else 1, tempo=v.tempo_class(tempo.bpm))

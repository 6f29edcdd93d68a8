"""Sittings with the real player and real human music, and pieces made from them whose making is known.

A sitting: a motif from a song, and takes asked for with it, some kept, some discarded; all in a ledger.
A piece: takes edited as the benchmark says, every note knowing where it comes from.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from musai.audit.session import Sitting, sitting
from musai.errors import BadInput
from musai.music import TICKS, Phrase
from musai.music.metre import Metre, Signature, Tempo
from musai.music.notes import notes_array, untangled
from musai.music.phrase import Voice
from musai.service import Service
from musai.service.events import Compared, Event, Failed, Finished
from musai.transformer.request import Request

SIXTEENTH = TICKS // 4
KINDS = ("pitch", "onset", "duration", "velocity", "delete", "insert")


@dataclass(slots=True)
class Told:
    """A note with where it comes from: `source` is (record, step), None for a human's new note;
    `plain` is the length that it would have if that were not edited."""

    onset: int
    duration: int
    pitch: int
    velocity: int
    voice: int
    source: tuple[int, int] | None = None
    kind: str = "human"
    fields: frozenset[str] = frozenset()
    plain: int = 0


@dataclass(slots=True)
class Made:
    """A piece and the truth about it: `notes` in its phrase's order, `gone` (record, step, bar)."""

    phrase: Phrase
    notes: list[Told]
    gone: list[tuple[int, int, int]] = field(default_factory=list)


def human_music(folder: Path) -> Iterator[Phrase]:
    """Songs in one simple metre, read as they come."""
    for path in sorted(folder.rglob("*.mid")):
        try:
            phrase = Phrase.from_midi(path)
        except BadInput:
            continue
        signature = phrase.metre.signatures[0]
        if len(phrase.metre.signatures) == 1 and signature.bar_ticks in (960, 1440, 1920):
            yield phrase


def motif_of(song: Phrase, rng: np.random.Generator, bars: int = 4) -> Phrase | None:
    """So many bars of the song's first voice, with notes in each; None where there are none."""
    bar = song.metre.signatures[0].bar_ticks
    line = song.notes[song.notes["voice"] == 0]
    for _ in range(20):
        start = int(rng.integers(0, max(1, song.length // bar - bars))) * bar
        part = line[(line["onset"] >= start) & (line["onset"] < start + bars * bar)].copy()
        part["onset"] -= start
        part["voice"] = 0
        if len(np.unique(part["onset"] // bar)) == bars and len(part) >= 3 * bars:
            part["duration"] = np.minimum(part["duration"], bars * bar - part["onset"])
            metre = Metre((Tempo(0, 500_000),), (song.metre.signatures[0],))
            return Phrase(untangled(part), metre, (Voice("motif"),), bars * bar)
    return None


def sit(service: Service, name: str, motif: Phrase, seed: int, takes: int = 8) -> Sitting:
    """A sitting of so many takes, half of them kept; its sources as the ledger has them."""
    modes = ("answer", "continue", "answer", "vary", "continue", "answer", "generate", "answer")
    signature = motif.metre.signatures[0]
    phrases = []
    for i in range(takes):
        mode = modes[i % len(modes)]
        made = Request.of(
            mode,
            None if mode == "generate" else motif,
            bars=None if mode == "vary" else 8,
            seed=seed * 100 + i,
            signature=None if mode == "vary" else (signature.numerator, signature.denominator),
            change=0.6 if mode == "vary" else None,
        )
        phrases.append(_played(service, made, name))
    for i, phrase_id in enumerate(phrases):
        if i % 2 == 0:
            service.keep(phrase_id)
        elif i % 4 == 1:
            service.discard(phrase_id)
    return sitting(service.ledger, name)


def _played(service: Service, request: Request, session: str) -> str:
    ended, got = threading.Event(), []

    def hear(event: Event) -> None:
        got.append(event)
        if isinstance(event, Compared | Failed):
            ended.set()

    service.submit(request, hear, session=session)
    if not ended.wait(120):
        raise TimeoutError(f"no answer to {request.mode}")
    finished = [event for event in got if isinstance(event, Finished)]
    if not finished:
        raise RuntimeError(got[-1])
    return finished[0].phrase_id


def told_of(found: Sitting, number: int) -> list[Told]:
    """The notes of a source as they are."""
    source = found.sources[number]
    kind = "prompt" if source.kind == "prompt" else "kept"
    rows = (source.phrase.notes[name].tolist() for name in source.phrase.notes.dtype.names or ())
    return [
        Told(*row, source=(source.record, step), kind=kind, plain=row[1])
        for step, row in enumerate(zip(*rows, strict=True))
    ]


def changed(
    notes: list[Told], share: float, rng: np.random.Generator, made: list[Told]
) -> tuple[list[Told], list[Told]]:
    """So many of the notes changed, each in one of `KINDS`; what is left, and what was deleted.

    Inserted notes, a human's, are added to `made`.
    """
    first = int(rng.integers(len(KINDS)))
    kinds = [KINDS[(first + i) % len(KINDS)] for i in range(round(share * len(notes)))]
    rng.shuffle(kinds)
    chosen = rng.permutation(len(notes))[: len(kinds)]
    out, gone = list(notes), []
    for at, kind in zip(chosen.tolist(), kinds, strict=True):
        note = out[at]
        sign = int(rng.choice((-1, 1)))
        told = note.fields | {kind}
        if kind == "pitch":
            out[at] = replace(note, pitch=note.pitch + sign * int(rng.integers(1, 6)), fields=told)
        elif kind == "onset":
            later = note.onset + sign * SIXTEENTH * int(rng.integers(1, 4))
            out[at] = replace(note, onset=max(0, later), fields=told)
        elif kind == "duration":
            length = round(note.duration * float(rng.choice((0.5, 2.0))))
            out[at] = replace(note, duration=max(30, length), fields=told)
        elif kind == "velocity":
            louder = note.velocity + sign * int(rng.integers(5, 30))
            out[at] = replace(note, velocity=min(127, max(1, louder)), fields=told)
        elif kind == "delete":
            gone.append(note)
        else:
            higher = note.pitch + int(rng.choice((-7, -5, -4, -3, 3, 4, 5, 7)))
            moved = note.onset + SIXTEENTH * int(rng.integers(0, 4))
            made.append(Told(moved, note.duration, higher, note.velocity, note.voice))
    lost = {id(note) for note in gone}
    return [note for note in out if id(note) not in lost], gone


def moved(notes: list[Told], shift: int, rise: int = 0) -> list[Told]:
    """Notes later and higher."""
    return [replace(n, onset=n.onset + shift, pitch=n.pitch + rise) for n in notes]


def bars_of(notes: list[Told], first: int, last: int) -> list[Told]:
    """Notes that start between two ticks."""
    return [note for note in notes if first <= note.onset < last]


def quantized(notes: list[Told], grid: int = SIXTEENTH) -> list[Told]:
    """Starts and ends on the nearest places of the grid; a note of no length gets one."""
    out = []
    for note in notes:
        start = (2 * note.onset + grid) // (2 * grid) * grid
        length, plain = (
            max(grid, (2 * (note.onset + ticks) + grid) // (2 * grid) * grid - start)
            for ticks in (note.duration, note.plain)
        )
        out.append(replace(note, onset=start, duration=length, plain=plain))
    return out


def piece_of(
    notes: list[Told],
    signature: Signature,
    gone: list[tuple[int, int, int]],
    bpm: float = 120.0,
    stretch: float = 1.0,
) -> Made:
    """The piece as a phrase, read back from its MIDI file, with its notes' truth in order.

    Notes of one voice and pitch at one place become one, as in any DAW: which of them is left is
    the first, and the others are gone.
    """
    seen: dict[tuple[int, int, int], Told] = {}
    bar = signature.bar_ticks
    for note in notes:
        low = min(127, max(0, note.pitch))
        place = (round(note.onset * stretch), note.voice, low)
        if place in seen:
            if note.source:
                gone.append((*note.source, note.onset // bar))
            continue
        length, plain = (max(1, round(d * stretch)) for d in (note.duration, note.plain))
        seen[place] = replace(note, onset=place[0], pitch=low, duration=length, plain=plain)
    kept = list(seen.values())
    columns = zip(*((n.onset, n.duration, n.pitch, n.velocity, n.voice) for n in kept), strict=True)
    array = untangled(notes_array(*columns))
    voices = 1 + int(array["voice"].max())
    metre = Metre((Tempo.from_bpm(bpm),), (signature,))
    phrase = Phrase.from_midi(Phrase(array, metre, (Voice(),) * voices).to_midi())
    voice_of = sorted({note.voice for note in kept})
    order = {
        (int(n["onset"]), voice_of[int(n["voice"])], int(n["pitch"])): i
        for i, n in enumerate(phrase.notes)
    }
    lengths = phrase.notes["duration"]
    ranked = sorted(kept, key=lambda n: order[(n.onset, n.voice, n.pitch)])
    assert len(ranked) == len(phrase), "a note was lost on its way through a file"
    return Made(phrase, [_settled(n, int(d)) for n, d in zip(ranked, lengths, strict=True)], gone)


def _settled(note: Told, length: int) -> Told:
    """A length that was changed, and that the next note of its pitch cut to what it had been, is none."""
    if "duration" in note.fields and length == note.plain:
        return replace(note, fields=note.fields - {"duration"})
    return note


def now() -> datetime:
    """For records of a sitting."""
    return datetime.now(UTC)

"""The human share of a piece: where each note comes from, and what was done to it.

Every note of the piece is one of: kept (as a take has it), edited (and in which fields),
prompt (what the human gave to have takes, as it was or edited), human (nothing explains
it: written by whoever made the file).  Notes of a take that a block of the piece lacks are deleted, those in no
block are cut.  The result is a vector; it has no total, because no sum of these is a share of authorship.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from musai.audit.covering import Block, Progress, cover
from musai.audit.pairing import Laid, lay
from musai.audit.piece import Ints, Piece
from musai.audit.session import Sitting, Source
from musai.music import TICKS, Phrase

Origin = Literal["kept", "edited", "prompt", "human"]
ORIGINS: tuple[Origin, ...] = ("kept", "edited", "prompt", "human")
FIELDS = ("pitch", "onset", "duration", "velocity")

FAVOUR = {"kept": 1.0, "": 0.0, "discarded": -2.0}
"""Nats by which a decision makes a take a likelier source."""


@dataclass(frozen=True, slots=True)
class NoteOrigin:
    """A note of the piece.  `record` and `step` name the note it was: its ledger record, and
    its place in that phrase; None for a human's."""

    origin: Origin
    onset: int
    duration: int
    pitch: int
    velocity: int
    voice: int
    fields: tuple[str, ...] = ()
    record: int | None = None
    step: int | None = None
    phrase_id: str | None = None
    block: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A block: part of a take or prompt as it stands in the piece.  Ticks; bars count from 1.

    `deleted` are the steps of its source that are gone here.
    """

    number: int
    kind: str
    phrase_id: str
    record: int
    decision: str
    start: int
    end: int
    bar: int
    source_start: int
    source_end: int
    transposition: int
    scale: float
    shift: int
    kept: int
    edited: int
    deleted: tuple[int, ...]
    copy: bool
    moved: bool
    evidence: float


@dataclass(frozen=True, slots=True)
class Counts:
    """The vector: notes of the piece by origin, edits by field, and what is gone."""

    notes: int
    kept: int
    edited: int
    prompt: int
    human: int
    deleted: int
    cut: int
    prompt_edited: int
    edits: dict[str, int] = field(default_factory=dict)
    quarters: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Takes:
    """How much was made and how much of it was taken."""

    made: int
    kept: int
    discarded: int
    undecided: int
    used: int
    erased: int
    rejected_per_kept: float | None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What was done with whole blocks, and with the piece as a whole."""

    blocks: int
    copies: int
    moved: int
    transposed: int
    stretched: int
    layered: int
    transposition: int
    grid: int
    quantized: int
    tempo_then: float | None
    tempo_now: float


@dataclass(frozen=True, slots=True)
class Credit:
    """All that is known of a piece's making.  `prompts` are those that hold notes of the human's;
    `perceptible` counts notes of takes that stand in a prompt of before, too."""

    session: str
    piece_id: str
    notes: tuple[NoteOrigin, ...]
    blocks: tuple[Stretch, ...]
    counts: Counts
    takes: Takes
    arrangement: Arrangement
    wishes: int
    requests: int
    prompts: int
    perceptible: int
    intents: tuple[tuple[str, str], ...]


def credit(final: Phrase, sitting: Sitting, progress: Progress | None = None) -> Credit:
    """Where each note of a finished piece comes from, among the sources of a sitting."""
    sources = sitting.sources
    piece = Piece.of(final)
    laid = trace(final, sources, progress)
    notes = _notes(piece, sources, laid)
    blocks = _stretches(piece, sources, laid)
    kept = sum(one.decision == "kept" for one in sitting.takes)
    used = {sources[one.block.place.source].phrase_id for one in laid}
    rejected = sum(one.decision == "discarded" for one in sitting.takes)
    undecided = len(sitting.takes) - kept - rejected
    return Credit(
        session=sitting.session,
        piece_id=final.id,
        notes=tuple(notes),
        blocks=tuple(blocks),
        counts=_counts(notes, sources, laid),
        takes=Takes(
            made=len(sitting.takes),
            kept=kept,
            discarded=rejected,
            undecided=undecided,
            used=sum(one.phrase_id in used for one in sitting.takes),
            erased=sitting.erased,
            rejected_per_kept=(len(sitting.takes) - kept) / kept if kept else None,
        ),
        arrangement=_arrangement(piece, sources, laid, blocks),
        wishes=sitting.wishes,
        requests=sitting.requests,
        prompts=len(sources) - len(sitting.takes),
        perceptible=_perceptible(notes, sources, laid),
        intents=tuple((one.phrase_id, one.intent) for one in sitting.takes if one.intent),
    )


def trace(final: Phrase, sources: Sequence[Source], progress: Progress | None = None) -> list[Laid]:
    """The blocks of a piece with all their notes, in order of the piece."""
    pieces = [Piece.of(one.phrase) for one in sources]
    piece = Piece.of(final)
    favour = [FAVOUR[one.decision] for one in sources]
    return lay(pieces, piece, cover(pieces, piece, favour, progress))


def _notes(piece: Piece, sources: Sequence[Source], laid: Sequence[Laid]) -> list[NoteOrigin]:
    told: dict[int, dict[str, Any]] = {}
    for number, one in enumerate(laid):
        source = sources[one.block.place.source]
        changes = fields_of(Piece.of(source.phrase), piece, one)
        for step, there, fields in zip(one.here, one.there, changes, strict=True):
            take = "edited" if fields else "kept"
            told[int(there)] = {
                "origin": "prompt" if source.kind == "prompt" else take,
                "fields": fields,
                "record": source.record,
                "step": source.step(int(step)),
                "phrase_id": source.phrase_id,
                "block": number,
            }
    columns = (piece.onset, piece.duration, piece.pitch, piece.velocity, piece.voice)
    rows = np.stack(columns, axis=1).tolist() if len(piece) else []
    return [
        NoteOrigin(told.get(i, {}).get("origin", "human"), *row, **_rest(told.get(i, {})))
        for i, row in enumerate(rows)
    ]


def _rest(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != "origin"}


def fields_of(source: Piece, piece: Piece, laid: Laid) -> list[tuple[str, ...]]:
    """For each pair of a block the fields that differ, beyond what was done to the whole block.

    Where a piece lies on a coarser grid than its source, moving a note to the nearest place
    of the grid is no edit of that note; nor is a length that the same pitch, struck again, cuts short.
    """
    place, here, there = laid.block.place, laid.here, laid.there
    coarser = piece.grid > source.grid or place.scale != 1
    rise = np.where(source.row[here] < 128, place.transposition, 0)
    pitch = piece.row[there] != source.row[here] + rise
    late = np.abs(piece.onset[there] - place.ticks(source.onset)[here])
    onset = late > (piece.tolerance if coarser else 2)
    length = np.rint(place.scale * source.duration[here]).astype(np.int64)
    off = np.abs(piece.duration[there] - length)
    shortest = coarser & (piece.duration[there] <= piece.grid) & (length <= piece.grid)
    duration = (off > (piece.grid + 2 if coarser else 2)) & ~shortest
    duration &= ~(_cut_short(piece)[there] & (piece.duration[there] < length))
    louder = source.velocity[here] + laid.gain
    velocity = piece.velocity[there] != np.clip(louder, 1, 127)
    table = np.stack([pitch, onset, duration, velocity], axis=1)
    return [tuple(np.array(FIELDS)[row].tolist()) for row in table]


def _cut_short(piece: Piece) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Notes that end where their voice strikes their pitch again."""
    order = np.lexsort((piece.onset, piece.row, piece.voice))
    short = np.zeros(len(piece), bool)
    this, following = order[:-1], order[1:]
    same = (piece.row[this] == piece.row[following]) & (piece.voice[this] == piece.voice[following])
    short[this] = same & (piece.onset[this] + piece.duration[this] >= piece.onset[following])
    return short


def _stretches(piece: Piece, sources: Sequence[Source], laid: Sequence[Laid]) -> list[Stretch]:
    out: list[Stretch] = []
    told = [(one, sources[one.block.place.source]) for one in laid]
    order = _in_order([(source.record, int(one.here.min())) for one, source in told])
    for number, (one, source) in enumerate(told):
        before = [other for other, its in told[:number] if its is source]
        held = Piece.of(source.phrase)
        edited = sum(map(bool, fields_of(held, piece, one)))
        place = one.block.place
        out.append(
            Stretch(
                number=number,
                kind=source.kind,
                phrase_id=source.phrase_id,
                record=source.record,
                decision=source.decision,
                start=one.start,
                end=one.end,
                bar=piece.phrase.metre.bar_and_beat(max(0, one.start))[0],
                source_start=int(held.onset[one.here].min()),
                source_end=int((held.onset + held.duration)[one.here].max()),
                transposition=place.transposition,
                scale=place.scale,
                shift=place.shift,
                kept=len(one.here) - edited,
                edited=edited,
                deleted=tuple(source.step(int(step)) for step in one.gone),
                copy=any(_overlap(one.here, other.here) for other in before),
                moved=not order[number],
                evidence=one.block.evidence,
            )
        )
    return out


def _overlap(one: Ints, other: Ints) -> bool:
    """Whether two blocks hold the same notes of their source, by more than a third."""
    return len(np.intersect1d(one, other)) > min(len(one), len(other)) / 3


def _in_order(places: Sequence[tuple[int, int]]) -> list[bool]:
    """Which blocks belong to the longest run that stands as it was made (one of the longest)."""
    best: list[tuple[int, int]] = []
    for i, here in enumerate(places):
        length, before = max(
            ((best[j][0] + 1, j) for j in range(i) if places[j] <= here), default=(1, -1)
        )
        best.append((length, before))
    inside = [False] * len(places)
    at = max(range(len(places)), key=lambda i: best[i][0], default=-1)
    while at >= 0:
        inside[at] = True
        at = best[at][1]
    return inside


def _counts(notes: Sequence[NoteOrigin], sources: Sequence[Source], laid: Sequence[Laid]) -> Counts:
    used: dict[int, set[int]] = {}
    for one in laid:
        if sources[one.block.place.source].kind == "take":
            held = used.setdefault(one.block.place.source, set())
            held |= {*one.here.tolist(), *one.gone.tolist()}
    takes = [one for one in laid if sources[one.block.place.source].kind == "take"]
    return Counts(
        notes=len(notes),
        **{origin: sum(note.origin == origin for note in notes) for origin in ORIGINS},
        deleted=sum(len(one.gone) for one in takes),
        cut=sum(len(sources[i].phrase) - len(held) for i, held in used.items()),
        prompt_edited=sum(note.origin == "prompt" and bool(note.fields) for note in notes),
        edits={
            name: sum(note.origin == "edited" and name in note.fields for note in notes)
            for name in FIELDS
        },
        quarters={
            origin: round(sum(n.duration for n in notes if n.origin == origin) / TICKS, 3)
            for origin in ORIGINS
        },
    )


def _perceptible(
    notes: Sequence[NoteOrigin], sources: Sequence[Source], laid: Sequence[Laid]
) -> int:
    """Notes of the piece that a take has from its prompt, as it was or transposed and shifted."""
    held: dict[int, set[int]] = {}
    for number in {one.block.place.source for one in laid}:
        take = sources[number]
        given = [Piece.of(p.phrase) for p in sources[:number] if p.kind == "prompt"]
        if take.kind == "take" and given:
            blocks = cover(given, Piece.of(take.phrase))
            held[take.record] = {int(step) for block in blocks for step in block.there}
    return sum(
        note.origin in ("kept", "edited") and note.step in held.get(note.record or 0, ())
        for note in notes
    )


def _arrangement(
    piece: Piece, sources: Sequence[Source], laid: Sequence[Laid], blocks: Sequence[Stretch]
) -> Arrangement:
    weight: dict[int, int] = {}
    quantized = 0
    for one in laid:
        source = Piece.of(sources[one.block.place.source].phrase)
        weight[one.block.place.transposition] = weight.get(one.block.place.transposition, 0) + len(
            one.here
        )
        if piece.grid > source.grid:
            late = piece.onset[one.there] - one.block.place.ticks(source.onset)[one.here]
            quantized += int(((late != 0) & (np.abs(late) <= piece.tolerance)).sum())
    home = max(weight, key=lambda t: (weight[t], -abs(t)), default=0)
    tempos = [sources[one.block.place.source].phrase.metre.tempos[0].bpm for one in laid]
    return Arrangement(
        blocks=len(blocks),
        copies=sum(one.copy for one in blocks),
        moved=sum(one.moved for one in blocks),
        transposed=sum(one.transposition != home for one in blocks),
        stretched=sum(one.scale != 1 for one in blocks),
        layered=sum(
            any(o.start < one.end and one.start < o.end for o in blocks[: one.number])
            for one in blocks
        ),
        transposition=home,
        grid=piece.grid,
        quantized=quantized,
        tempo_then=round(float(np.median(tempos)), 2) if tempos else None,
        tempo_now=round(piece.phrase.metre.tempos[0].bpm, 2),
    )


__all__ = ["Arrangement", "Block", "Counts", "Credit", "NoteOrigin", "Stretch", "Takes", "credit"]

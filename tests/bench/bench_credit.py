"""`make bench-credit`: does the human share find where every note of a piece comes from?

Sittings with the shipped model on motifs from real songs; pieces edited lightly (10% of the notes) and
heavily (30%, quantized to sixteenths, four-bar blocks reordered and duplicated, a section transposed,
half of the notes a human's, from other songs).  Beside it, in the same run, a plain nearest-note
baseline.  Raw rows in out/bench/, JSON as the last line.  Needs ../shared/data.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

from musai.audit.session import Sitting  # noqa: E402
from musai.audit.share import Credit, credit  # noqa: E402
from musai.music import Phrase  # noqa: E402
from musai.service import Service  # noqa: E402
from tests.bench.credit_world import (  # noqa: E402
    Made,
    Told,
    bars_of,
    changed,
    human_music,
    motif_of,
    moved,
    piece_of,
    quantized,
    sit,
    told_of,
)
from tests.bench.table import Result, save_rows, show  # noqa: E402

SONGS = Path("../shared/data/openscore-lieder")
Fact = tuple[Any, ...]


def light(found: Sitting, rng: np.random.Generator) -> Made:
    """Kept takes one after another behind the motif; a tenth of their notes changed."""
    bar = found.sources[0].phrase.metre.signatures[0].bar_ticks
    at, notes, gone = int(rng.integers(0, 4)) * bar, [], []
    rise = int(rng.choice((0, 0, -3, 2, 5)))
    for number, source in enumerate(found.sources):
        if source.decision != "kept" and source.kind != "prompt":
            continue
        new: list[Told] = []
        left, lost = changed(told_of(found, number), 0.1, rng, new)
        notes += moved(left + new, at, rise)
        gone += [(*n.source, (n.onset + at) // bar) for n in lost if n.source]
        at += -(-source.phrase.length // bar) * bar
    stretch = float(rng.choice((1.0, 1.0, 1.0, 96 / 120, 131 / 120)))
    signature = found.sources[0].phrase.metre.signatures[0]
    return piece_of(notes, signature, gone, float(rng.choice((120, 97))), stretch)


def heavy(found: Sitting, songs: Sequence[Phrase], rng: np.random.Generator) -> Made:
    """Blocks of kept takes in another order, some twice, much changed, beside as much human music."""
    signature = found.sources[0].phrase.metre.signatures[0]
    bar = signature.bar_ticks
    kept = [i for i, one in enumerate(found.sources) if one.decision == "kept"]
    blocks = [
        (number, first)
        for number in kept[:3]
        for first in range(0, found.sources[number].phrase.length - 2 * bar, 4 * bar)
    ]
    blocks += [blocks[i] for i in rng.integers(0, len(blocks), max(1, len(blocks) // 3))]
    blocks = [blocks[i] for i in rng.permutation(len(blocks))]
    risen = int(rng.integers(0, max(1, len(blocks) - 1)))
    rise = int(rng.choice((-5, -4, -2, 2, 3, 5)))
    loud = [n.velocity for number, _ in blocks for n in told_of(found, number)]
    human = _humans(songs, bar, loud, rng)
    notes, gone, at, mine = [], [], 0, 0
    for i, (number, first) in enumerate(blocks):
        block = moved(bars_of(told_of(found, number), first, first + 4 * bar), -first)
        new: list[Told] = []
        left, lost = changed(block, 0.3, rng, new)
        higher = rise if risen <= i < risen + 2 else 0
        notes += moved(left + new, at, higher)
        mine += len(left)
        gone += [(*n.source, (n.onset + at) // bar) for n in lost if n.source]
        at += 4 * bar
        if i % 2:  # bars of the human's own between the blocks, in the same voice
            bars = next(human)
            notes += moved(bars_of(bars, 0, 2 * bar), at)
            at += 2 * bar
    own = sum(note.source is None for note in notes)
    voice, start = 1 + max(note.voice for note in notes), 0
    while own < mine:  # and an accompaniment in a voice of its own
        bars = bars_of(next(human), 0, min(8 * bar, at))[: mine - own]
        notes += [replace(n, onset=n.onset + start % at, voice=voice) for n in bars]
        own += len(bars)
        start += 8 * bar
    return piece_of(quantized(notes), signature, gone)


def _humans(
    songs: Sequence[Phrase], bar: int, loud: Sequence[int], rng: np.random.Generator
) -> Any:
    """Eight bars of another song at a time, in one voice, on and on, as loud as the takes are.

    Scores are all of one loudness, which would tell a human's note at once.
    """
    while True:
        song = songs[int(rng.integers(len(songs)))]
        voice = int(rng.integers(len(song.voices)))
        start = int(rng.integers(0, max(1, song.length // bar - 8))) * bar
        part = song.notes[(song.notes["voice"] == voice) & (song.notes["onset"] >= start)]
        part = part[part["onset"] < start + 8 * bar]
        if len(part) >= 16:
            yield [
                Told(int(n["onset"]) - start, int(n["duration"]), int(n["pitch"]), v, 0)
                for n, v in zip(part, rng.choice(loud, len(part)).tolist(), strict=True)
            ]


def true_facts(made: Made) -> list[Fact]:
    """What is so: of each note its origin and source, of each note that is gone that it is."""
    facts: list[Fact] = []
    for i, note in enumerate(made.notes):
        kind = "edited" if note.kind == "kept" and note.fields else note.kind
        facts.append((i, kind, note.source))
    return facts + [("gone", record, step) for record, step, _ in made.gone]


def told_facts(found: Credit) -> list[Fact]:
    """The same as the credit tells it."""
    facts: list[Fact] = [
        (i, note.origin, None if note.record is None else (note.record, note.step))
        for i, note in enumerate(found.notes)
    ]
    return facts + [("gone", one.record, step) for one in found.blocks for step in one.deleted]


def nearest_note(final: Phrase, found: Sitting) -> list[Fact]:
    """The plain baseline: each note is that of the kept takes and prompts which is nearest to it.

    Each source is laid on the piece once, at the tempo and place where most of its notes fall on notes; nearest in
    time among those of its pitch, within a sixteenth; farther ones, and other pitches within
    a third at the same place, are edited; all else is human.
    """
    from musai.audit.piece import Piece
    from musai.audit.placing import placements, scales_of

    piece = Piece.of(final)
    rows: list[tuple[int, int, int, int, str]] = []
    scales = scales_of([Piece.of(one.phrase) for one in found.sources], piece)
    for number, source in enumerate(found.sources):
        if source.kind == "take" and source.decision != "kept":
            continue
        held = Piece.of(source.phrase)
        places = placements(number, held, piece, scales)
        if not places:
            continue
        time = places[0].ticks(held.onset)
        for step in range(len(held)):
            pitch = int(held.pitch[step]) + places[0].transposition
            rows.append((int(time[step]), pitch, source.record, step, source.kind))
    if not rows:
        return [(i, "human", None) for i in range(len(piece))]
    time = np.array([row[0] for row in rows])
    pitch = np.array([row[1] for row in rows])
    facts: list[Fact] = []
    for i in range(len(piece)):
        away = np.abs(time - piece.onset[i]) + 120 * np.abs(pitch - piece.pitch[i])
        best = int(away.argmin())
        if away[best] > 480:
            facts.append((i, "human", None))
            continue
        exact = pitch[best] == piece.pitch[i] and abs(time[best] - piece.onset[i]) <= 60
        kind = "prompt" if rows[best][4] == "prompt" else "kept" if exact else "edited"
        facts.append((i, kind, rows[best][2:4]))
    used = {fact[2] for fact in facts}
    return facts + [("gone", r[2], r[3]) for r in rows if r[4] == "take" and r[2:4] not in used]


def scored(truth: Iterable[Fact], told: Iterable[Fact]) -> tuple[int, int, int]:
    """Facts that agree, facts told, facts that are so."""
    a, b = Counter(truth), Counter(told)
    return sum((a & b).values()), sum(b.values()), sum(a.values())


def f1(counts: Iterable[tuple[int, int, int]]) -> float:
    """2 TP / (told + true), over all pieces together."""
    table = np.array(list(counts)).sum(axis=0)
    return float(2 * table[0] / (table[1] + table[2]))


def main() -> None:
    """Sittings, pieces, figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--sittings", type=int, default=24)
    parser.add_argument("--model")
    parser.add_argument("--show", action="store_true", help="print the facts that differ")
    chosen = parser.parse_args()
    rng = np.random.Generator(np.random.Philox(chosen.seed))
    songs = []
    for song in human_music(SONGS):
        songs.append(song)
        if len(songs) >= 6 * chosen.sittings:
            break
    rows: list[dict[str, Any]] = []
    with (
        tempfile.TemporaryDirectory() as home,
        Service(Path(home), model=chosen.model, corpora=()) as service,
    ):
        number = 0
        for song in rng.permutation(len(songs)).tolist():
            motif = motif_of(songs[song], rng)
            if motif is None:
                continue
            found = sit(service, f"sitting {number}", motif, chosen.seed * 1000 + number)
            bar = motif.metre.signatures[0].bar_ticks
            others = [
                s for s in songs if s.metre.signatures[0].bar_ticks == bar and s is not songs[song]
            ]
            for kind, made in (
                ("light", light(found, rng)),
                ("heavy", heavy(found, others, rng)),
            ):
                rows.append(_measured(kind, number, made, found, chosen.show))
            number += 1
            print(f"{number} of {chosen.sittings}", file=sys.stderr, flush=True)
            if number == chosen.sittings:
                break
    _tell(rows, chosen.seed)


def _measured(kind: str, number: int, made: Made, found: Sitting, say: bool) -> dict[str, Any]:
    begun = time.perf_counter()
    told = credit(made.phrase, found)
    seconds = time.perf_counter() - begun
    truth, answer = true_facts(made), told_facts(told)
    edited = [i for i, n in enumerate(made.notes) if n.fields and n.kind == "kept"]
    fields = sum(set(told.notes[i].fields) == made.notes[i].fields for i in edited)
    if say:
        _show(kind, number, truth, answer, told, made)
    plain = nearest_note(made.phrase, found)
    return {
        "kind": kind,
        "sitting": number,
        "notes": len(made.notes),
        "human": sum(n.source is None for n in made.notes),
        "gone": len(made.gone),
        "seconds": round(seconds, 3),
        "blocks": len(told.blocks),
        **dict(zip(("right", "told", "true"), scored(truth, answer), strict=True)),
        **dict(zip(("plain_right", "plain_told", "plain_true"), scored(truth, plain), strict=True)),
        "edited": len(edited),
        "fields_right": fields,
    }


def _show(
    kind: str, number: int, truth: list[Fact], told: list[Fact], found: Credit, made: Made
) -> None:
    a, b = Counter(truth), Counter(told)
    score = f1([scored(truth, told)])
    print(f"== {kind} {number}: {score:.3f}", file=sys.stderr)
    for one in found.blocks:
        print(
            f"   {one.kind} {one.record} {one.start}-{one.end} from {one.source_start} t{one.transposition} x{one.scale:.3f} kept {one.kept} edited {one.edited} gone {len(one.deleted)} ev {one.evidence:.1f}",
            file=sys.stderr,
        )
    for fact in sorted((a - b).elements(), key=str)[:12]:
        print("   true", fact, made.notes[fact[0]] if fact[0] != "gone" else "", file=sys.stderr)
    for fact in sorted((b - a).elements(), key=str)[:12]:
        print("   told", fact, file=sys.stderr)


def _tell(rows: list[dict[str, Any]], seed: int) -> None:
    save_rows("credit", rows)
    result = Result()
    for kind in ("light", "heavy"):
        mine = [row for row in rows if row["kind"] == kind]
        ours = f1((r["right"], r["told"], r["true"]) for r in mine)
        plain = f1((r["plain_right"], r["plain_told"], r["plain_true"]) for r in mine)
        lowest = min(f1([(r["right"], r["told"], r["true"])]) for r in mine)
        fields = sum(r["fields_right"] for r in mine) / max(1, sum(r["edited"] for r in mine))
        result.add(f"{kind}: per-note F1", f"{ours:.4f}", f"{plain:.4f}", "nearest note")
        result.add(f"{kind}: F1 of the worst piece", f"{lowest:.4f}")
        result.add(f"{kind}: edited notes with the right fields", f"{fields:.3f}")
        share = sum(r["human"] for r in mine) / sum(r["notes"] for r in mine)
        result.add(f"{kind}: notes, of them human", f"{sum(r['notes'] for r in mine)}, {share:.2f}")
        slowest = max(r["seconds"] for r in mine)
        result.add(f"{kind}: seconds a piece at most", f"{slowest:.2f}")
        result.figures |= {
            f"f1_{kind}": round(ours, 4),
            f"f1_{kind}_worst": round(lowest, 4),
            f"f1_{kind}_nearest": round(plain, 4),
            f"fields_{kind}": round(fields, 4),
            f"seconds_{kind}": slowest,
        }
    show([result])
    print(json.dumps({"seed": seed, "sittings": len(rows) // 2, **result.figures}))


if __name__ == "__main__":
    main()

"""Sixteen notes against a corpus, beside a plain exhaustive alignment; building the index."""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musai.corpus import Corpus
from musai.match import Matcher
from musai.match.streams import streams
from musai.music import Phrase, notes_array
from musai.music.notes import untangled
from tests.bench.table import Result, quantile, save_rows

QUERIES = 200
REFERENCES = 24
NOTES = 16

Ints = NDArray[np.int64]


class Plain:
    """Smith-Waterman over melodic steps with linear gaps, all works at once, in plain numpy.

    A step that agrees counts 2, one that does not -1, a gap -2: what one writes
    first.  T. F. Smith and M. S. Waterman, "Identification of common molecular
    subsequences", Journal of Molecular Biology 147 (1981).
    """

    AGREES, DIFFERS, GAP = 2, -1, 2

    def __init__(self, phrases: list[Phrase]) -> None:
        steps, works = [], []
        for work, phrase in enumerate(phrases):
            for line in streams(phrase):
                pitches = phrase.notes["pitch"][line.index].astype(np.int64)
                steps.append(np.diff(pitches, prepend=999))
                works.append(np.full(len(pitches), work))
        self.steps = np.concatenate(steps)
        self.works = np.concatenate(works)
        self.starts = np.abs(self.steps) > 127
        # Gaps run along a line by a running maximum; rising offsets keep lines apart.
        line_of = np.cumsum(self.starts)
        self.slope = np.arange(len(self.steps)) * self.GAP + line_of * 10_000
        self.first = np.flatnonzero(np.diff(self.works, prepend=-1))

    def scores(self, pitches: Ints) -> Ints:
        """The best score of every work, shape (works,)."""
        above = np.zeros(len(self.steps), np.int64)
        best = above.copy()
        for step in np.diff(pitches):
            agree = np.where(self.steps == step, self.AGREES, self.DIFFERS)
            diagonal = np.roll(above, 1)
            diagonal[self.starts] = 0
            row = np.maximum(np.maximum(diagonal + agree, above - self.GAP), 0)
            row[self.starts] = 0
            above = np.maximum.accumulate(row + self.slope) - self.slope
            np.maximum(best, above, out=best)
        return np.maximum.reduceat(best, self.first)


def planted(corpus: Corpus, rng: np.random.Generator) -> tuple[Phrase, str]:
    """Sixteen notes in a row of a corpus work's line, transposed, and the work's id."""
    while True:
        work = corpus.works[int(rng.integers(len(corpus.works)))]
        phrase = corpus.phrase(work.id)
        lines = [line for line in streams(phrase) if len(line) >= NOTES]
        if not lines:
            continue
        line = lines[int(rng.integers(len(lines)))]
        start = int(rng.integers(len(line) - NOTES + 1))
        notes = phrase.notes[line.index[start : start + NOTES]]
        onsets = notes["onset"].astype(np.int64)
        pitches = notes["pitch"].astype(np.int64)
        shift = int(rng.integers(-min(6, pitches.min()), min(6, 127 - pitches.max()) + 1))
        cut = notes_array(onsets - onsets[0], notes["duration"], pitches + shift)
        return Phrase(untangled(cut)), work.id


def wandering(rng: np.random.Generator) -> Phrase:
    """Sixteen notes of a random walk in eighths and quarters."""
    pitches = np.clip(60 + np.cumsum(rng.integers(-4, 5, NOTES)), 36, 84)
    lengths = rng.choice([0.5, 1.0], NOTES)
    return Phrase.from_notes(np.cumsum(lengths) - lengths, lengths, pitches)


def measure(corpus: Corpus, seed: int) -> Result:
    """Half planted, half wandering queries, each timed alone on one thread."""
    result = Result()
    rng = np.random.Generator(np.random.Philox(seed))
    matcher = Matcher.open(corpus, null="build")
    works = list(corpus.works)
    plain = Plain([corpus.phrase(work.id) for work in works])
    matcher.match(wandering(rng))
    rows: list[dict[str, Any]] = []
    for number in range(QUERIES):
        phrase, source = planted(corpus, rng) if number % 2 == 0 else (wandering(rng), "")
        started = time.perf_counter()
        matches = matcher.match(phrase, 50)
        took = 1000 * (time.perf_counter() - started)
        row = {
            "query": number,
            "source": source,
            "match16_ms": took,
            "rank": _rank(source, [(hit.work_id, *hit.variants) for hit in matches]),
            "light": matches.verdict.light,
            "plain_ms": None,
            "plain_rank": None,
        }
        if number < 2 * REFERENCES:
            started = time.perf_counter()
            scores = plain.scores(phrase.notes["pitch"].astype(np.int64))
            row["plain_ms"] = 1000 * (time.perf_counter() - started)
            if source:
                mine = [work.id for work in works].index(source)
                row["plain_rank"] = 1 + int((scores > scores[mine]).sum())
        rows.append(row)
    matcher.close()
    save_rows("matching", rows)
    _tell(result, rows, len(plain.steps))
    return result


def _rank(source: str, hits: list[tuple[str, ...]]) -> int | None:
    """Where the source or a near-duplicate of it stands, from 1; None where it does not."""
    return next((i for i, ids in enumerate(hits, 1) if source and source in ids), None)


def _tell(result: Result, rows: list[dict[str, Any]], stream_notes: int) -> None:
    took = [row["match16_ms"] for row in rows]
    plain = [row["plain_ms"] for row in rows if row["plain_ms"] is not None]
    which = f"Smith-Waterman in plain numpy over {stream_notes:,} notes of lines"
    for share, name in ((0.5, "p50"), (0.95, "p95")):
        result.figures[f"match16_ms_{name}"] = round(quantile(took, share), 2)
        value, reference = f"{quantile(took, share):.1f} ms", f"{quantile(plain, share):.0f} ms"
        result.add(f"match of 16 notes, {name}, {QUERIES} queries", value, reference, which)
    compared = [row for row in rows if row["plain_rank"] is not None]
    first = sum(row["rank"] == 1 for row in compared)
    theirs = sum(row["plain_rank"] == 1 for row in compared)
    result.add(
        f"planted works found first, of {len(compared)}",
        str(first),
        str(theirs),
        "ties count as first",
    )
    found = [row for row in rows if row["source"]]
    result.add(
        f"planted works found first, of {len(found)}", str(sum(r["rank"] == 1 for r in found))
    )
    alarms = sum(not row["source"] and row["light"] == "red" for row in rows)
    result.add(f"random walks with a red light, of {QUERIES - len(found)}", str(alarms))


def measure_index(corpus: Corpus) -> Result:
    """The index built anew from nothing, in a folder of its own."""
    result = Result()
    notes = sum(work.notes for work in corpus.works)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / corpus.name
        shutil.copytree(corpus.path, copy, ignore=shutil.ignore_patterns("index"))
        again = Corpus.open(copy)
        started = time.perf_counter()
        for work in again.works:
            again.phrase(work.id)
        reading = time.perf_counter() - started
        started = time.perf_counter()
        matcher = Matcher.open(again, references=[again], null="there")
        seconds = time.perf_counter() - started
        size = sum(path.stat().st_size for path in (copy / "index").rglob("*") if path.is_file())
        matcher.close()
        del matcher
    save_rows("index", [{"notes": notes, "seconds": seconds, "reading": reading, "bytes": size}])
    result.figures["index_notes_per_s"] = round(notes / seconds)
    result.figures["index_bytes_per_note"] = round(size / notes, 1)
    result.add(
        f"index, notes a second ({notes:,} notes)",
        f"{notes / seconds:,.0f}",
        f"{notes / reading:,.0f}",
        "only reading the corpus",
    )
    result.add("index, bytes a note", f"{size / notes:.1f}", "11.0", "the notes themselves")
    return result

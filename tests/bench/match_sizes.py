"""Time of a match, size of the index, time to open it and to add a work: measured alone."""

import hashlib
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from musai.corpus import Corpus
from musai.match import Matcher, search
from musai.match.catalogue import catalogue
from musai.match.index import Index
from tests.bench import match_queries as queries
from tests.bench.table import Result, quantile

ADDED = 30

TWENTIETH = 20


def speed(result: Result, corpus: Corpus, seed: int, count: int = 200) -> None:
    """Milliseconds of a whole `match`, fifty hits explained, one thread.

    Beside them, query by query, the reference: plain compiled loops over one work in twenty
    (`kernels.trace` on every stream), scaled to all, so that a slow hour of the machine shows.
    """
    matcher = Matcher.open(corpus, null="there")
    rng = np.random.Generator(np.random.Philox(key=[seed, 5]))
    pool = queries.sources(matcher.catalogue, ("line",), 64)
    for notes in (16, 32):
        took, plain, swept = [], [], []
        for _ in range(count):
            source = pool[int(rng.integers(len(pool)))]
            passage = queries.cut(matcher.catalogue, source, notes, rng)
            phrase = queries.phrase_of(*queries.edited(*passage, 0.2, rng))
            began = time.perf_counter()
            matcher.match(phrase, 50)
            took.append(1000 * (time.perf_counter() - began))
            line = search.lines(phrase)[0][0]
            began = time.perf_counter()
            search.exhaustive(matcher.index, line)
            swept.append(time.perf_counter() - began)
            began = time.perf_counter()
            cells = traced(matcher.index, line)
            plain.append((time.perf_counter() - began) / cells)
        for share in (0.5, 0.95):
            name = f"ms{notes}_p{round(100 * share)}"
            result.figures[name] = round(quantile(took, share), 2)
        all_cells = matcher.index.stream_notes * (notes - 1)
        giga = all_cells / 1e9 / np.median(swept)
        result.figures[f"sweep{notes}_gcells"] = round(float(giga), 2)
        reference = 1000 * all_cells * float(np.median(plain))
        result.figures[f"plain{notes}_ms"] = round(reference, 1)
        result.add(
            f"match of {notes} notes against tunebook, p95",
            f"{quantile(took, 0.95):.1f} ms ({giga:.2f} thousand million cells a second)",
            f"{reference:.0f} ms",
        )


def traced(index: Index, line: search.Line) -> int:
    """Align a line with one stream in `TWENTIETH` by plain loops; the cells that were filled."""
    cells = 0
    for part in index.segments:
        for stream in range(0, len(part.stream_lane), TWENTIETH):
            notes = int(part.stream_notes[stream + 1] - part.stream_notes[stream])
            search.trace(part, stream, line, 0, notes)
            cells += notes * (len(line) - 1)
    return cells


class Growing:
    """The first works of a corpus, as a corpus in a folder of its own."""

    def __init__(self, whole: Corpus, path: Path, count: int) -> None:
        self._whole, self.path, self.name = whole, path, "growing"
        self.works: Sequence[Any] = list(whole.works)[:count]
        self.id = hashlib.sha256(f"{count} {whole.id}".encode()).hexdigest()

    def notes_of(self, work_id: str) -> Any:
        """The notes of a work alone."""
        return self._whole.notes_of(work_id)

    def metre_of(self, work_id: str) -> Any:
        """The metre of a work alone."""
        return self._whole.metre_of(work_id)

    def phrase(self, work_id: str) -> Any:
        """The notes of a work."""
        return self._whole.phrase(work_id)


def sizes(result: Result, corpus: Corpus, place: Path) -> None:
    """Bytes a note, seconds to open, milliseconds to add works one by one."""
    held = catalogue(corpus)
    meta = held.index.meta
    result.figures["bytes_per_note"] = round(meta.bytes / meta.notes, 2)
    result.add("index of tunebook, bytes a note", f"{meta.bytes / meta.notes:.1f}")
    big = catalogue(Corpus.open(place / "corpora" / "quartets")).index
    result.figures["bytes_per_note_polyphonic"] = round(big.meta.bytes / big.meta.notes, 2)
    result.add("index of quartets, bytes a note", f"{big.meta.bytes / big.meta.notes:.1f}")
    began = time.perf_counter()
    notes = 0
    for name in ("tunebook", "quartets"):
        notes += catalogue(Corpus.open(place / "corpora" / name)).index.meta.notes
    result.figures["open_s"] = round(time.perf_counter() - began, 3)
    result.figures["open_notes"] = notes
    result.add(f"opening {notes:,} notes", f"{time.perf_counter() - began:.2f} s")
    folder = place / "growing"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    total = len(corpus.works)
    catalogue(Growing(corpus, folder, total - ADDED))
    took = []
    for left in range(ADDED - 1, -1, -1):
        grown = Growing(corpus, folder, total - left)
        began = time.perf_counter()
        catalogue(grown)
        took.append(1000 * (time.perf_counter() - began))
    shutil.rmtree(folder)
    result.figures["add_ms"] = round(quantile(took, 0.5), 1)
    result.figures["add_ms_p95"] = round(quantile(took, 0.95), 1)
    result.add(f"adding one of {ADDED} works to tunebook, median", f"{quantile(took, 0.5):.1f} ms")

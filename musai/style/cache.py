"""The features of a corpus's works, counted once and kept beside its index.

::

    <corpus>/index/style/<hash>-<bars>.npz    rows float16 (passages, WIDTH), works int32 (passages,)

The hash is of the corpus's id, the works that may be matched, and what the
features are; another hash, other files.  `works` numbers the allowed works.
"""

import contextlib
import hashlib
import io
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from musai.corpus import Progress
from musai.music.phrase import Phrase
from musai.style.counting import Floats
from musai.style.features import FEATURES, VERSION, WIDTH, extract
from musai.style.passages import CLASSES, PASSAGES, Ints, spans, table

BATCH = 200
"""Works that are counted at once."""


class CorpusLike(Protocol):
    """What style needs of a corpus."""

    @property
    def name(self) -> str:
        """Short name."""
        ...

    @property
    def path(self) -> Path:
        """Its folder."""
        ...

    @property
    def id(self) -> str:
        """Hash over works and notes."""
        ...

    @property
    def works(self) -> Sequence[Any]:
        """Its works."""
        ...

    def phrase(self, work_id: str) -> Phrase:
        """The notes of a work."""
        ...


@dataclass(frozen=True, slots=True)
class Rows:
    """Features of passages of one length: (passages, WIDTH), and the number of each one's work."""

    features: Floats
    works: Ints


def version_of(corpus: CorpusLike, ids: Sequence[str]) -> str:
    """16 hexadecimal digits: another corpus, other works or other features have others."""
    what = [VERSION, CLASSES, PASSAGES, [(f.name, f.width) for f in FEATURES], corpus.id, list(ids)]
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


def ensure(corpus: CorpusLike, ids: Sequence[str], progress: Progress | None = None) -> str:
    """Count the features of the works named unless they are there; their version."""
    version = version_of(corpus, ids)
    files = [_file(corpus, version, bars) for bars in CLASSES]
    if not all(file.is_file() for file in files):
        files[0].parent.mkdir(parents=True, exist_ok=True)
        counted = _count(corpus, ids, progress)
        for file, rows in zip(files, counted, strict=True):
            _write(file, rows)
        _sweep_up(files)
    return version


def load(corpus: CorpusLike, ids: Sequence[str], version: str, bars: int) -> Rows:
    """The rows of one length; counted anew where the file can no longer be read."""
    file = _file(corpus, version, bars)
    try:
        return _read(file, len(ids))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        file.unlink(missing_ok=True)
        ensure(corpus, ids)
        return _read(file, len(ids))


def _file(corpus: CorpusLike, version: str, bars: int) -> Path:
    return Path(corpus.path) / "index" / "style" / f"{version}-{bars}.npz"


def _count(corpus: CorpusLike, ids: Sequence[str], progress: Progress | None) -> list[Rows]:
    parts: list[list[Floats]] = [[np.zeros((0, WIDTH), np.float16)] for _ in CLASSES]
    works: list[list[Ints]] = [[np.zeros(0, np.int32)] for _ in CLASSES]
    for first in range(0, len(ids), BATCH):
        if progress:
            progress(first, len(ids), "style")
        phrases = [corpus.phrase(work) for work in ids[first : first + BATCH]]
        for k, bars in enumerate(CLASSES):
            cuts = [(phrase, spans(phrase, bars)) for phrase in phrases]
            if any(chosen for _, chosen in cuts):
                # What a half float holds is as fine as anything counted in sixteen bars.
                parts[k].append(np.clip(extract(table(cuts)), -6e4, 6e4).astype(np.float16))
                held = np.repeat(np.arange(len(phrases)), [len(chosen) for _, chosen in cuts])
                works[k].append((first + held).astype(np.int32))
    if progress:
        progress(len(ids), len(ids), "style")
    return [Rows(np.concatenate(p), np.concatenate(w)) for p, w in zip(parts, works, strict=True)]


def _write(file: Path, rows: Rows) -> None:
    beside = file.with_name(f"{file.name}.{os.getpid()}.part")
    with beside.open("wb") as stream:
        np.savez_compressed(stream, rows=rows.features, works=rows.works)
    beside.replace(file)


def _read(file: Path, count: int) -> Rows:
    # From memory: a damaged file would be left open.
    with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as held:
        rows, works = held["rows"], held["works"]
    if rows.shape != (len(works), WIDTH) or (
        len(works) and not 0 <= works.min() <= works.max() < count
    ):
        raise ValueError(f"{file} holds rows of the shape {rows.shape} for {len(works)} passages")
    return Rows(rows.astype(np.float64), works.astype(np.int64))


def _sweep_up(files: Sequence[Path]) -> None:
    """Remove what older versions left."""
    for file in files[0].parent.glob("*.npz"):
        if file not in files:
            with contextlib.suppress(OSError):
                file.unlink()

"""The index of a corpus: built once, memory-mapped, tied to the corpus's id.

::

    <corpus>/index/current.json        which folder holds
    <corpus>/index/<id>-<n>/           index.json, cluster.npy, segment-0.bin, segment-1.bin, ...
    <corpus>/index/null/               reference nulls, see null.py

A folder is written under another name and takes its own by one rename;
`current.json` is replaced last.  Whatever breaks off in between leaves the
old index or none, never half of one.  An index of another layout or of
another corpus id is brought up to date: works that are gone are left out,
new ones come as a small segment of their own, and once these are more than
a fifth of the whole everything is laid out anew.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from musai.match import grams, packed, segment
from musai.match.candidates import Postings
from musai.match.segment import Segment
from musai.music.metre import Metre
from musai.music.notes import NoteArray
from musai.music.phrase import Phrase

LAYOUT = 5
"""Changes whenever the arrays do."""

MAX_NEW = 0.2
"""Share of notes outside the first segment beyond which everything is laid out anew."""

MAX_SEGMENTS = 16

Progress = Callable[[int, int, str], None]
"""Called with (how many are done, of how many, what is being done)."""


class CorpusLike(Protocol):
    """What matching needs of a corpus."""

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

    def notes_of(self, work_id: str) -> NoteArray:
        """The notes of a work alone."""
        ...

    def metre_of(self, work_id: str) -> Metre:
        """The metre of a work alone."""
        ...

    def phrase(self, work_id: str) -> Phrase:
        """The notes of a work."""
        ...


class Meta(msgspec.Struct, frozen=True):
    """What index.json says."""

    layout: int
    corpus: str
    segments: list[list[str]]
    """Work ids of each segment, in order."""
    gone: list[str]
    """Works of those that the corpus no longer holds."""
    notes: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Index:
    """Segments with the ids of their works; `alive` and `cluster` are by work over all segments.

    `cluster` holds, for every work, the number of the first work that it is a near-duplicate of.
    """

    meta: Meta
    segments: tuple[Segment, ...]
    postings: tuple[Postings, ...]
    figures: tuple[grams.FigureSets, ...]
    work_ids: tuple[str, ...]
    alive: NDArray[np.bool_]
    cluster: NDArray[Any]

    @property
    def stream_notes(self) -> int:
        """Notes of all streams: what one row of a sweep costs."""
        return sum(len(s.pitch) for s in self.segments)

    def sets(self) -> grams.FigureSets:
        """The figures of all works, for comparing whole works."""
        return grams.FigureSets.joined(self.figures)


def open_index(
    corpus: CorpusLike, allowed: Iterable[str], progress: Progress | None = None
) -> Index:
    """The index of the works named by `allowed`, brought up to date first where it is not."""
    root = Path(corpus.path) / "index"
    ids = list(allowed)
    held = _current(root)
    if held is None or not _fits(held[1], corpus.id, ids):
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / "lock"):
            held = _current(root)
            if held is None or not _fits(held[1], corpus.id, ids):
                held = _refresh(root, corpus, ids, held, progress or _quiet)
    return _opened(*held)


def current_folder(corpus: Path) -> Path | None:
    """Where the index of the corpus in this folder lies now; None where there is none."""
    held = _current(corpus / "index")
    return None if held is None else held[0]


def _quiet(done: int, total: int, what: str) -> None:
    """No progress."""


def _fits(meta: Meta, corpus_id: str, ids: Sequence[str]) -> bool:
    return meta.corpus == corpus_id and _living(meta) == set(ids)


def _living(meta: Meta) -> set[str]:
    return {work for part in meta.segments for work in part} - set(meta.gone)


def _current(root: Path) -> tuple[Path, Meta] | None:
    try:
        folder = root / msgspec.json.decode((root / "current.json").read_bytes(), type=str)
        meta = msgspec.json.decode((folder / "index.json").read_bytes(), type=Meta)
    except (OSError, msgspec.DecodeError):
        return None
    return (folder, meta) if meta.layout == LAYOUT else None


def _opened(folder: Path, meta: Meta) -> Index:
    parts = [_part(folder / _name(k)) for k in range(len(meta.segments))]
    work_ids = tuple(work for part in meta.segments for work in part)
    gone = set(meta.gone)
    return Index(
        meta=meta,
        segments=tuple(part[0] for part in parts),
        postings=tuple(part[1] for part in parts),
        figures=tuple(part[2] for part in parts),
        work_ids=work_ids,
        alive=np.array([work not in gone for work in work_ids], bool),
        cluster=np.load(folder / "cluster.npy"),
    )


def _refresh(
    root: Path,
    corpus: CorpusLike,
    ids: Sequence[str],
    held: tuple[Path, Meta] | None,
    progress: Progress,
) -> tuple[Path, Meta]:
    target = root / f"{corpus.id[:16]}-{os.getpid()}-{len(list(root.iterdir()))}"
    draft = target.with_name(target.name + ".part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    kept = _keep(held, ids)
    known = {work for part in kept for work in part}
    new = [work for work in ids if work not in known]
    if new:
        new = _absorbed(kept, ids, new) + new
    for k in range(len(kept)):
        _link(held[0] / _name(k) if held else root, draft / _name(k))
    if new or not kept:
        made = segment.build(_read(corpus, new, progress))
        _write(draft / _name(len(kept)), made)
        kept.append(new)
    gone = sorted({work for part in kept for work in part} - set(ids))
    before = np.load(held[0] / "cluster.npy") if held and len(kept) > 1 else None
    meta = _finish(draft, corpus.id, kept, gone, before)
    draft.rename(target)
    _replace(root / "current.json", msgspec.json.encode(target.name))
    _sweep_up(root, target)
    return target, meta


def _keep(held: tuple[Path, Meta] | None, ids: Sequence[str]) -> list[list[str]]:
    """The segments that are still good; none where a fresh start is cheaper."""
    if held is None:
        return []
    _, meta = held
    first = set(meta.segments[0]) if meta.segments else set()
    wanted = set(ids)
    if len(meta.segments) >= MAX_SEGMENTS or len(first & wanted) < (1 - MAX_NEW) * max(
        len(first), len(wanted)
    ):
        return []
    return [list(part) for part in meta.segments]


def _absorbed(kept: list[list[str]], ids: Sequence[str], new: Sequence[str]) -> list[str]:
    """Works of the last small segments, taken out of `kept` to be laid out with the new ones.

    Those no larger than what is added, so that a corpus that grows work by
    work has a handful of segments and each work is laid out a few times.
    """
    wanted, taken = set(ids), list[str]()
    while len(kept) > 1 and len(kept[-1]) <= len(new) + len(taken):
        if not wanted.issuperset(kept[-1]):
            break
        taken = kept.pop() + taken
    return taken


def _link(source: Path, target: Path) -> None:
    """A second name for the same file where the file system has such, else a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _read(corpus: CorpusLike, ids: Sequence[str], progress: Progress) -> Iterable[Phrase]:
    for number, work in enumerate(ids):
        if number % 100 == 0:
            progress(number, len(ids), "index")
        yield corpus.phrase(work)
    progress(len(ids), len(ids), "index")


def _finish(
    draft: Path, corpus_id: str, parts: list[list[str]], gone: list[str], before: Any
) -> Meta:
    """Write what is known of all segments; `before` has the clusters of an older state, or None."""
    places = [draft / _name(k) for k in range(len(parts))]
    held = [_part(place) for place in places]
    meta = Meta(
        layout=LAYOUT,
        corpus=corpus_id,
        segments=parts,
        gone=gone,
        notes=int(sum(laid.work_notes.sum() for laid, _, _ in held)),
        bytes=sum(place.stat().st_size for place in places),
    )
    figures = grams.FigureSets.joined([part[2] for part in held])
    if before is None:
        cluster = grams.clusters(figures)
    else:
        added = sum(len(part) for part in parts) - len(before)
        cluster = grams.clusters_with(before, figures, added) if added else before
    np.save(draft / "cluster.npy", cluster)
    (draft / "index.json").write_bytes(msgspec.json.encode(meta))
    return meta


def _name(number: int) -> str:
    return f"segment-{number}.bin"


def _write(path: Path, made: Segment) -> None:
    """A segment with its postings and the figures of its works in one file."""
    table = packed.table_of
    sets = grams.FigureSets.of(made)
    packed.save(path, table(made) | table(Postings.of(made), "key_") | table(sets, "figure_"))


def _part(path: Path) -> tuple[Segment, Postings, grams.FigureSets]:
    arrays = packed.load(path)
    return (
        packed.made_of(Segment, arrays),
        packed.made_of(Postings, arrays, "key_"),
        packed.made_of(grams.FigureSets, arrays, "figure_"),
    )


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(path)


def _sweep_up(root: Path, current: Path) -> None:
    """Remove older folders; one that another process still maps may refuse, and waits."""
    for folder in root.iterdir():
        if folder.is_dir() and folder != current and (folder / "index.json").exists():
            with contextlib.suppress(OSError):
                shutil.rmtree(folder)
        elif folder.is_dir() and folder.name.endswith(".part"):
            shutil.rmtree(folder, ignore_errors=True)

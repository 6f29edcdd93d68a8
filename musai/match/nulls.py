"""Where the nulls of a corpus are kept, and who builds them when.

::

    <corpus>/index/null/<reference>-<basis>-<corpus>.npz

The last part changes with the corpus.  While less than `GROWTH` of its works
have come or gone, a null that was made before is used, and `note` says so.
A null that is there is read; one that is not is built in a thread of its
own (the sweep holds no lock of the interpreter) or, on request, at once.
The file appears whole or not at all; a build that breaks off is gone on with.
"""

import io
import os
import threading
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from musai.match import null
from musai.match.catalogue import Catalogue
from musai.match.null import Null
from musai.match.related import LENGTHS, TooFew

Progress = Callable[[int, int, str], None]

SPEED = 3e9
"""Cells of a sweep a second, roughly, for saying how long a null will take."""

KEEP = 500
"""Phrases after which an unfinished null is put aside, to be gone on with after a break."""

AT_ONCE = 20.0
"""A null that takes no more seconds than this is built when a corpus is opened."""


GROWTH = 0.05
"""Share of works that may have come or gone since a null was made."""


@dataclass
class Task:
    """One null: what it is of, and how far it has come."""

    reference: Catalogue
    version: str
    path: Path
    null: Null | None = None
    changed: int = 0
    """Works that came or went since the null was made."""
    done: int = 0
    failed: str = ""


class Nulls:
    """The nulls of one corpus by one or more references."""

    def __init__(
        self,
        target: Catalogue,
        references: Sequence[Catalogue],
        folder: Path,
        seed: int = 0,
        size: int = null.SIZE,
    ) -> None:
        self._target, self._folder, self._seed, self._size = target, folder, seed, size
        self._threads = 1
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._building = False
        self.tasks = [self._task(reference) for reference in references]

    def _task(self, reference: Catalogue) -> Task:
        version = null.version(self._target, reference, self._seed, self._size)
        path = self._folder / f"{_safe(reference.name)}-{version}.npz"
        task = Task(reference, version, path)
        task.null = _load(path)
        if task.null is None:
            self._use_older(task)
        return task

    def _use_older(self, task: Task) -> None:
        """Take the null that was made of the most similar state of the corpus, if any will do."""
        now = null.fingerprints(self._target.index)
        stem = task.path.stem.rpartition("-")[0]
        for path in sorted(self._folder.glob(f"{stem}-*.npz")):
            found = _load(path)
            if found is None:
                continue
            changed = len(np.setxor1d(now, found.works, assume_unique=True))
            if changed < GROWTH * len(now) and (task.null is None or changed < task.changed):
                task.null, task.changed = found, changed

    @property
    def note(self) -> str:
        """What a reader must know of the nulls in use; empty when they are of today."""
        changed = max((t.changed for t in self.tasks if t.null is not None), default=0)
        works = "1 work" if changed == 1 else f"{changed} works"
        return f"made before {works} came or went" if changed else ""

    @property
    def ready(self) -> list[Null]:
        """The nulls that are there, if all that can be are; else none."""
        if any(task.null is None and not task.failed for task in self.tasks):
            return []
        return [task.null for task in self.tasks if task.null is not None]

    @property
    def why_not(self) -> str:
        """Why there is no null, in words; empty where there is one."""
        if self.ready:
            return ""
        if not self.tasks:
            return "there is no reference music: build the tunebook corpus"
        waiting = [t for t in self.tasks if t.null is None and not t.failed]
        if waiting and not self._building:
            return "its null has not been built yet"
        if waiting:
            done = sum(t.done for t in self.tasks)
            total = self._size * len(self.tasks)
            return f"the null is being built ({done:,} of {total:,} phrases)"
        return "; ".join(task.failed for task in self.tasks)

    @property
    def seconds(self) -> float:
        """About how long it takes to build what is missing, one thread."""
        missing = sum(t.null is None and not t.failed for t in self.tasks)
        cells = (LENGTHS[-1] - 1) * self._target.index.stream_notes
        return missing * self._size * (cells / SPEED + 1e-3)

    def build(self, progress: Progress | None = None, threads: int = 1) -> None:
        """Build what is missing, now; it comes out the same with any number of threads."""
        self._building = True
        self._threads = threads
        for task in self.tasks:
            if task.null is None and not task.failed and not self._stop.is_set():
                self._build(task, progress)

    def build_behind(self) -> None:
        """Build what is missing in a thread; asking again does nothing."""
        if self._thread is None and not self.ready:
            self._thread = threading.Thread(target=self.build, name="musai-null", daemon=True)
            self._thread.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the thread; whether it has ended."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Stop the thread; the next build goes on where it stopped."""
        self._stop.set()
        self.wait()

    def _build(self, task: Task, progress: Progress | None) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._folder / f"{task.path.stem}.lock"):
            task.null = _load(task.path)
            if task.null is not None:
                return
            try:
                made = self._made(task, progress)
            except TooFew as fault:
                task.failed = str(fault)
                return
            if made is not None:
                _store(task.path, made.save_to())
                task.null = made
                self._aside(task).unlink(missing_ok=True)

    def _aside(self, task: Task) -> Path:
        """Where an unfinished null waits to be gone on with."""
        return task.path.with_suffix(".begun")

    def _made(self, task: Task, progress: Progress | None) -> Null | None:
        draft = None
        held = _arrays(self._aside(task))
        parts = null.build(
            self._target, task.reference, self._seed, self._size, held, self._threads
        )
        for draft in parts:
            done = task.done = draft.done
            if progress and (done % 100 == 0 or done == self._size):
                progress(done, self._size, f"null by {task.reference.name}")
            stopped = self._stop.is_set()
            if (stopped or done % KEEP == 0) and (state := draft.state()) is not None:
                _store(self._aside(task), state)
            if stopped:
                return None
        return None if draft is None else draft.finish(task.reference.name, task.version)


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name)[:40] or "corpus"


def _load(path: Path) -> Null | None:
    """The null in a file, if it is whole and is the one that the file's name says."""
    held = _arrays(path)
    try:
        found = Null.of(held) if held is not None else None
    except KeyError:
        return None
    if found is None:
        return None
    return found if path.stem == f"{_safe(found.reference)}-{found.version}" else None


def _arrays(path: Path) -> dict[str, Any] | None:
    """What a file of arrays holds; None where it is not there or not whole."""
    try:
        with np.load(io.BytesIO(path.read_bytes())) as held:
            return dict(held)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile):
        return None


def _store(path: Path, arrays: dict[str, Any]) -> None:
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data.getvalue())
    part.replace(path)

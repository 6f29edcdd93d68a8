"""What a desk has done in the background: files compared, works imported, duplicates counted."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from musai.corpus.importers import Declaration, add, phrase_from
from musai.corpus.reader import KINDS, Reply
from musai.corpus.store import is_corpus
from musai.corpus.workers import read_all
from musai.errors import BadInput
from musai.files import write_whole
from musai.ledger import Ledger
from musai.music import Phrase
from musai.report.bars import bar_count
from musai.service import records
from musai.service.catalogues import Catalogues
from musai.service.comparing import Answer
from musai.service.jobs import Handle, Jobs, Work
from musai.service.judging import reviewer
from musai.service.reports import Reports
from musai.service.rows import Format, JobRow, Scope

MAX_FILES = 2000


class Comparer(Protocol):
    """What compares, and with what; `at_once` files are asked for at the same time."""

    at_once: int

    def corpora_in_use(self) -> list[dict[str, str]]:
        """Name and id of every corpus that phrases are compared with now."""

    def compare_file(self, phrase: Phrase, handle: Handle) -> Answer:
        """Compare a phrase and wait for the answer.  Raises `Cancelled`."""


class Tasks:
    """The jobs that the desk's pages start; each method queues one and returns at once."""

    def __init__(
        self,
        jobs: Jobs,
        ledger: Ledger,
        catalogue: Catalogues,
        comparer: Comparer,
        reports: Reports,
        clock: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._ledger = ledger
        self._catalogue = catalogue
        self._comparer = comparer
        self._reports = reports
        self._clock = clock

    def match_files(
        self,
        files: Sequence[tuple[str, Path]],
        *,
        session: str = "files",
        tidy: Path | None = None,
    ) -> JobRow:
        """Read files (name, place), enter each in the ledger, compare it, enter what was found.

        The result lists `phrases`, [{"file", "phrase_id", "light"}]; a file that
        cannot be read is among the failures.  Raises `BadInput` for no file or too many.
        """
        if not 1 <= len(files) <= MAX_FILES:
            raise BadInput(f"{len(files)} files; legal is 1 to {MAX_FILES}")
        sums = [f"{name}\0{_sha256(path)}" for name, path in files]
        held = [row["id"] for row in self._comparer.corpora_in_use()]
        return self._jobs.start(
            "match", [session, *sums, *held], self._matching(list(files), session), tidy=tidy
        )

    def import_works(
        self,
        folder: Path,
        corpus: str,
        *,
        who: str,
        mine: bool = False,
        manifest: Path | None = None,
        tidy: Path | None = None,
    ) -> JobRow:
        """Add the music in a folder, under its manifest, to a corpus made where it is missing.

        The result has `corpus`, `added`, `already`, `left_out` and `works`; what
        was left out is among the failures.  Whatever stops it leaves the corpus as it was.
        """
        name = reviewer(who)
        place = self._catalogue.shelves.folder(corpus)
        about = [corpus, name, str(mine), *_tree(folder)]
        if is_corpus(place):
            about.append(self._catalogue.shelves.corpus(corpus).id)
        work = self._importing(folder, place, corpus, name, mine, manifest)
        return self._jobs.start("import", about, work, tidy=tidy)

    def count_duplicates(self, corpus: str) -> JobRow:
        """Count near-duplicates of a corpus; `Catalogues.duplicates` has them then."""

        def work(handle: Handle) -> dict[str, Any]:
            handle.progress(0, 1, corpus)
            return {"corpus": corpus, "clusters": len(self._catalogue.count_duplicates(corpus))}

        about = [corpus, self._catalogue.shelves.corpus(corpus).id]
        return self._jobs.start("duplicates", about, work)

    def make_report(self, scope: Scope, format: Format) -> JobRow:
        """Make a report; the result has its `path` below the home folder, `name` and `media_type`."""
        head = self._ledger.last(1)
        about = [format, *map(str, msgspec.to_builtins(scope).values())]
        folder = self._catalogue.shelves.home / "reports"

        def work(handle: Handle) -> dict[str, Any]:
            made = self._reports.make(scope, format, progress=handle.progress)
            sha256 = hashlib.sha256(made.data).hexdigest()
            path = folder / f"{sha256[:16]}-{made.name}"
            write_whole(path, made.data)
            return {
                "path": str(path),
                "name": made.name,
                "media_type": made.media_type,
                "bytes": len(made.data),
            }

        return self._jobs.start("report", [*about, *(one.hash for one in head)], work)

    def _matching(self, files: list[tuple[str, Path]], session: str) -> Work:
        def work(handle: Handle) -> dict[str, Any]:
            told: list[dict[str, Any]] = []
            fit = [(name, path) for name, path in files if path.suffix.lower() in KINDS]
            for name, path in files:
                if path.suffix.lower() not in KINDS:
                    kinds = ", ".join(sorted(KINDS))
                    handle.fail(
                        name, f"its name ends in {path.suffix or 'nothing'}; legal is {kinds}"
                    )
            jobs = [(str(path), KINDS[path.suffix.lower()], "") for _, path in fit]
            handle.progress(0, len(fit), "")
            with ThreadPoolExecutor(self._comparer.at_once) as pool:
                running: deque[Future[dict[str, Any]]] = deque()
                for index, reply in read_all(jobs, workers=1):
                    name = fit[index][0]
                    handle.progress(index - len(running), len(fit), name)
                    for why in (reply.refused, *reply.faults):
                        if why:
                            handle.fail(name, why)
                    for called, phrase in self._entered(name, reply, session):
                        if len(running) == self._comparer.at_once:
                            told.append(running.popleft().result())
                            handle.progress(index - len(running), len(fit), name)
                        running.append(pool.submit(self._compared, called, phrase, session, handle))
                while running:
                    told.append(running.popleft().result())
                    handle.progress(len(fit) - len(running), len(fit), "")
            handle.progress(len(fit), len(fit), "")
            return {"session": session, "phrases": told}

        return work

    def _entered(self, name: str, reply: Reply, session: str) -> Iterator[tuple[str, Phrase]]:
        """Every tune of a file, entered in the ledger one before the next; its name and phrase."""
        for tune in reply.tunes:
            phrase = phrase_from(tune)
            called = f"{name} #{tune.number}" if len(reply.tunes) > 1 else name
            payload = records.file_payload(phrase, session, called, reply.sha256, bar_count(phrase))
            self._ledger.append("file", payload, utc=self._clock())
            yield called, phrase

    def _compared(
        self, called: str, phrase: Phrase, session: str, handle: Handle
    ) -> dict[str, Any]:
        """A phrase of the ledger compared, and what was found entered."""
        answer = self._comparer.compare_file(phrase, handle)
        match = records.match_payload(phrase.id, session, answer)
        self._ledger.append("match", match, utc=self._clock())
        return {"file": called, "phrase_id": phrase.id, "light": answer.verdict["light"]}

    def _importing(
        self, folder: Path, place: Path, corpus: str, who: str, mine: bool, manifest: Path | None
    ) -> Work:
        def work(handle: Handle) -> dict[str, Any]:
            summary = add(
                folder,
                place,
                corpus,
                manifest=manifest,
                declaration=Declaration(who, self._clock().date()) if mine else None,
                progress=handle.progress,
            )
            for left in summary.left_out:
                handle.fail(left.file, left.reason)
            result = {
                "corpus": corpus,
                "who": who,
                "added": len(summary.added),
                "already": summary.already,
                "left_out": len(summary.left_out),
                "corpus_id": self._catalogue.shelves.corpus(corpus).id,
            }
            self._ledger.append("import", result, utc=self._clock())
            self._catalogue.warm(corpus)
            return {**result, "works": [one.id for one in summary.added[:1000]]}

        return work


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(f"{path.name} cannot be read: {error.strerror or error}") from None


def _tree(folder: Path) -> list[str]:
    """Names and hashes of all files of a folder."""
    if folder.is_file():
        return [_sha256(folder)]
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [f"{path.relative_to(folder).as_posix()}\0{_sha256(path)}" for path in files]

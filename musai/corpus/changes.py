"""What changes a corpus: make, add, remove, pack.  One writer at a time, each change in one step."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from musai.corpus import store as files
from musai.corpus.corpus import Corpus
from musai.corpus.licences import USES, permission
from musai.corpus.store import Header, Row, Store, Takedown
from musai.corpus.work import Work
from musai.errors import BadInput, NotFound
from musai.files import told_of_disk
from musai.music import Phrase

PACK_AT = 0.25
"""The share of unused bytes at which a removal packs the files."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or tune that an import did not take, and why."""

    file: str
    reason: str


@dataclass(slots=True)
class Summary:
    """What an import did: works added, works that were there already, what it left out and why."""

    added: list[Work] = field(default_factory=list)
    already: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    also_called: dict[str, list[str]] = field(default_factory=dict)
    """Titles under which notes came in again, by the id of the work that they are."""


Additions = Iterator[tuple[Work, Phrase] | LeftOut]


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the corpus's one writing place; a folder that holds no corpus afterwards is tidied up.

    Raises `BadInput` where another process has the place for more than 10 s, `NoSpace` where the
    disk is full.
    """
    with told_of_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=10)
    try:
        lock.acquire()
    except Timeout as fault:
        raise BadInput(f"another process is changing the corpus in {folder}") from fault
    try:
        with told_of_disk(folder, "the corpus is as it was before"):
            yield
    finally:
        empty = not files.is_corpus(folder)
        if empty:
            files.discard(folder)
        lock.release()
        if empty:
            with suppress(OSError):
                (folder / ".lock").unlink(missing_ok=True)
                folder.rmdir()


def replace_with(
    folder: Path,
    name: str,
    additions: Additions,
    describe: Callable[[Corpus, list[LeftOut]], str],
) -> Summary:
    """Make `folder` a corpus of exactly these works; until all is read, what was there stays.

    Takedowns recorded there stay in force.  Raises `BadInput` where
    `additions` has no work.
    """
    with writing(folder):
        before = Store.open(folder) if files.is_corpus(folder) else None
        gone = before.takedowns if before else ()
        header = Header(files.FORMAT, name, files.next_generation(folder))
        store = Store(folder, header, (), gone)
        summary = Summary()
        rows = _titled(files.append(store, _new(additions, store, summary)), summary)
        if not rows:
            raise BadInput(_nothing(summary))
        store = files.commit(Store(folder, header, rows, gone))
        files.sweep(store)
        _tell(folder, summary)
        files.write_beside(folder / "card.md", describe(Corpus(store), summary.left_out).encode())
    return summary


def add_to(folder: Path, name: str, additions: Additions) -> Summary:
    """Add works to the corpus in `folder`, made if it is missing.

    A work whose notes are there already is not added again, nor one that was
    taken down.  Whatever stops it half-way leaves the corpus as it was.
    """
    with writing(folder):
        missing = not files.is_corpus(folder)
        store = Store(folder, Header(files.FORMAT, name), ()) if missing else Store.open(folder)
        summary = Summary()
        rows = _titled(files.append(store, _new(additions, store, summary)), summary)
        if missing and not rows:
            raise BadInput(_nothing(summary))
        if rows:
            store = files.commit(Store(folder, store.header, (*store.rows, *rows), store.takedowns))
        files.sweep(store)
        _tell(folder, summary)
        _describe(store)
    return summary


def _nothing(summary: Summary) -> str:
    first = summary.left_out[0] if summary.left_out else None
    what = f"; first: {first.file}: {first.reason}" if first else ""
    return f"no work could be read, {len(summary.left_out)} files or tunes were left out{what}"


def _new(additions: Additions, store: Store, summary: Summary) -> Iterator[tuple[Work, Phrase]]:
    """The works that are neither there already nor taken down; `summary` counts all."""
    there = {row.work.id: row.work for row in store.rows}
    fresh: dict[str, Work] = {}
    down = {takedown.id: takedown for takedown in store.takedowns}
    for addition in additions:
        if isinstance(addition, LeftOut):
            summary.left_out.append(addition)
            continue
        work, phrase = addition
        if work.id in down:
            on = down[work.id].on
            when = f" on {on.isoformat()}" if on else ""
            summary.left_out.append(LeftOut(place_of(work), f"its notes were taken down{when}"))
        elif work.id in fresh:
            _count_again(work, fresh[work.id], summary)
        elif work.id in there:
            summary.already += 1
            if (work.terms, work.licence) != (there[work.id].terms, there[work.id].licence):
                kept = f"it is there already, under {there[work.id].licence}: those terms stay"
                summary.left_out.append(LeftOut(place_of(work), kept))
        else:
            fresh[work.id] = work
            summary.added.append(work)
            yield work, phrase


def _count_again(work: Work, first: Work, summary: Summary) -> None:
    """The same notes a second time in one import: one work, which has both titles."""
    same = f"note for note the same as {place_of(first)}"
    if (work.terms, work.licence) != (first.terms, first.licence):
        same += f", whose terms stay ({first.licence})"
    summary.left_out.append(LeftOut(place_of(work), same))
    known = summary.also_called.setdefault(work.id, [])
    for title in (work.title, *work.titles):
        if title not in (first.title, *first.titles, *known):
            known.append(title)


def _titled(rows: list[Row], summary: Summary) -> list[Row]:
    """The rows with the titles that their notes came in under again."""
    done = []
    for row in rows:
        also = tuple(summary.also_called.get(row.work.id, ()))
        done.append(replace(row, work=replace(row.work, titles=(*row.work.titles, *also))))
    return done


def kind_of(reason: str) -> str:
    """A reason without what it quotes or names, to count reasons by."""
    same = "note for note the same as "
    return f"{same}another" if reason.startswith(same) else reason.split(": “")[0]


def place_of(work: Work) -> str:
    """The file of a work as its import named it, with the tune's number where it has one."""
    _, mark, number = work.source.rpartition("#")
    return f"{work.path}#{number}" if mark and number.isdigit() else work.path or work.source


def _tell(folder: Path, summary: Summary) -> None:
    """Write what was left out."""
    rows = [msgspec.json.encode(row) + b"\n" for row in summary.left_out]
    files.write_beside(folder / "left_out.jsonl", b"".join(rows))


def remove(corpus: Corpus, work_id: str, *, on: date | None, reason: str = "") -> Takedown:
    """Take a work down: out of catalogue, store and index, recorded so that it does not come back.

    `on` is the day to record.  Near-duplicates are works of their own and stay;
    `musai.corpus.similar` names them.  Raises `NotFound` for an id that is not there.
    """
    with writing(corpus.path):
        store = Store.open(corpus.path)
        work = Corpus(store).work(work_id)
        takedown = Takedown(work.id, work.title, work.source, on, reason)
        earlier = [t for t in store.takedowns if t.id != work.id]
        kept = [row for row in store.rows if row.work.id != work.id]
        left = Store(store.folder, store.header, kept, (*earlier, takedown))
        empty = sum(stop - start for _, start, stop in files.unused(left))
        if empty > PACK_AT * sum(f.stat().st_size for f in (store.notes_file, store.heads_file)):
            left = pack(left)
        left = files.commit(left)
        # What the matcher keeps is made from the notes, so it goes too and is made anew.
        shutil.rmtree(store.folder / "index", ignore_errors=True)
        files.sweep(left)
        _describe(left)
    return takedown


def restate(corpus: Corpus, work_ids: Iterable[str], change: Callable[[Work], Work]) -> None:
    """Say something else of some works: their words, terms and evidence, never their notes.

    All of it in one step, or nothing.  Raises `NotFound` for a work that is not there.
    """
    with writing(corpus.path):
        store = Store.open(corpus.path)
        wanted = set(work_ids)
        if missing := wanted - {row.work.id for row in store.rows}:
            raise NotFound(f"corpus {corpus.name} has no work {min(missing)[:12]}")
        rows = [
            replace(row, work=_same_notes(row.work, change(row.work)))
            if row.work.id in wanted
            else row
            for row in store.rows
        ]
        left = files.commit(Store(store.folder, store.header, rows, store.takedowns))
        _describe(left)


def _same_notes(before: Work, after: Work) -> Work:
    return replace(after, id=before.id, notes=before.notes, file_sha256=before.file_sha256)


def left_out(folder: Path) -> list[LeftOut]:
    """What the last import left out, and why."""
    path = folder / "left_out.jsonl"
    if not path.is_file():
        return []
    return [msgspec.json.decode(line, type=LeftOut) for line in path.read_bytes().splitlines()]


def pack(store: Store) -> Store:
    """The same works without unused bytes between them, in files that a commit makes the corpus's."""
    header = Header(files.FORMAT, store.header.name, files.next_generation(store.folder))
    target = Store(store.folder, header, (), store.takedowns)
    rows = files.append(target, ((row.work, store.phrase_of(row)) for row in store.rows))
    return Store(store.folder, header, rows, store.takedowns)


_MARK = "<!-- written by musai: delete this line to keep your own words -->"


def _describe(store: Store) -> None:
    """Write the card, unless somebody wrote their own."""
    card = store.folder / "card.md"
    if not card.is_file() or card.read_text("utf-8", "replace").startswith(_MARK):
        files.write_beside(card, plain_card(Corpus(store)).encode())


def plain_card(corpus: Corpus, left: list[LeftOut] | None = None) -> str:
    """A card for a corpus of somebody's own: its licences, and how many works allow which use."""
    licences: dict[str, list[Work]] = {}
    for work in corpus.works:
        licences.setdefault(work.licence, []).append(work)
    rows = []
    for licence, works in sorted(licences.items()):
        counts = [sum(permission(w, use).allowed for w in works) for use in USES]
        cells = (licence, len(works), sum(w.notes for w in works), *counts)
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(
        [
            _MARK,
            f"# {corpus.name}",
            "",
            f"{len(corpus)} works, {corpus.notes} notes.  Under each use: how many works allow it,",
            "conditions included; `musai corpus show WORK` gives a work's own terms.",
            "",
            f"| licence | works | notes | {' | '.join(USES)} |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )

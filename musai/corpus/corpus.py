"""Corpus: works, their terms and their notes, in one folder."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from musai.corpus import store as files
from musai.corpus.licences import Use, permission
from musai.corpus.store import Row, Store, Takedown
from musai.corpus.work import Work
from musai.errors import Altered, BadInput, NotAllowed, NotFound
from musai.folders import home
from musai.music import Metre, NoteArray, Phrase

Progress = Callable[[int, int, str], None]
"""Called with (files done, files in all, the file at hand)."""


class Corpus:
    """A corpus, opened for reading.

    It shows the folder as it was when opened; what `musai.corpus.changes`
    writes is seen by the next `open`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def open(cls, name_or_path: "str | Path | Corpus") -> "Corpus":
        """A corpus by name (a folder below `<home>/corpora`) or by its folder.

        Raises `NotFound` where there is none, `Altered` where it cannot be read.
        """
        if isinstance(name_or_path, Corpus):
            return name_or_path
        folder = folder_of(name_or_path)
        if not files.is_corpus(folder):
            raise NotFound(f"there is no corpus {name_or_path} ({folder} has no catalogue)")
        return cls(Store.open(folder))

    @classmethod
    def build(
        cls,
        folder_or_files: str | Path | Iterable[str | Path],
        out: str | Path,
        *,
        name: str | None = None,
        mine: bool = False,
        progress: Progress | None = None,
    ) -> "Corpus":
        """Make the folder `out` a corpus of the music in a folder or in the files given.

        MIDI, MusicXML, MXL and ABC files are read, each in a process of its own; a
        folder's manifest.csv or manifest.jsonl says what they are.  Files that
        cannot be read are skipped and listed in `out`/left_out.jsonl.  `mine`
        records the caller's declaration that the works are their own.  What `out`
        held as a corpus is replaced in one step.  Raises `BadInput` where nothing
        could be read.
        """
        from musai.corpus.importers import build

        build(folder_or_files, Path(out), name=name, mine=mine, progress=progress)
        return cls.open(Path(out))

    @property
    def name(self) -> str:
        """The corpus's name."""
        return self._store.header.name

    @property
    def path(self) -> Path:
        """Its folder."""
        return self._store.folder

    @property
    def store(self) -> Store:
        """The rows and notes underneath."""
        return self._store

    @cached_property
    def id(self) -> str:
        """SHA-256 over works, terms and notes: another id means that something changed."""
        return files.corpus_id(self._store.rows)

    @cached_property
    def works(self) -> Sequence[Work]:
        """All works, in the order they were added."""
        return tuple(row.work for row in self._store.rows)

    @cached_property
    def _rows(self) -> dict[str, Row]:
        return {row.work.id: row for row in self._store.rows}

    def __len__(self) -> int:
        return len(self._store.rows)

    def __contains__(self, work_id: object) -> bool:
        return work_id in self._rows

    @property
    def takedowns(self) -> Sequence[Takedown]:
        """What was taken down, oldest first."""
        return self._store.takedowns

    @property
    def notes(self) -> int:
        """How many notes all works hold together."""
        return sum(work.notes for work in self.works)

    def work(self, work_id: str) -> Work:
        """A work by its id, or by a beginning of it that no other id shares (6 digits or more).

        Raises `NotFound` where none or several fit.
        """
        return self._row(work_id).work

    def phrase(self, work_id: str) -> Phrase:
        """The music of a work, by its id as in `work`."""
        return self._store.phrase_of(self._row(work_id))

    def notes_of(self, work_id: str) -> NoteArray:
        """The notes of a work alone, memory-mapped and read-only: quicker than `phrase`."""
        return self._store.notes_of(self._row(work_id))

    def metre_of(self, work_id: str) -> Metre:
        """The metre of a work alone: quicker than `phrase`."""
        return self._store.metre_of(self._row(work_id))

    def allowed(
        self, use: Use, *, on: date | None = None, territory: str | None = None
    ) -> list[Work]:
        """The works whose terms allow a use, conditions included, in order."""
        return [w for w in self.works if permission(w, use, on=on, territory=territory).allowed]

    def require(
        self,
        use: Use,
        work_ids: Iterable[str] | None = None,
        *,
        on: date | None = None,
        territory: str | None = None,
    ) -> list[Work]:
        """The works named (all by default), if every one allows the use.

        Raises `NotAllowed` naming those that do not, and why.
        """
        chosen = list(self.works) if work_ids is None else [self.work(i) for i in work_ids]
        answers = [(w, permission(w, use, on=on, territory=territory)) for w in chosen]
        refused = [(w, answer) for w, answer in answers if not answer.allowed]
        if refused:
            named = "; ".join(
                f"{w.title} ({w.id[:8]}): {a.status}, {a.reason}" for w, a in refused[:20]
            )
            more = f"; and {len(refused) - 20} more" if len(refused) > 20 else ""
            raise NotAllowed(f"{len(refused)} works do not allow {use}: {named}{more}")
        return chosen

    def _row(self, work_id: str) -> Row:
        row = self._rows.get(work_id)
        if row is not None:
            return row
        fitting = [i for i in self._rows if len(work_id) >= 6 and i.startswith(work_id.lower())]
        if len(fitting) != 1:
            what = "no work" if not fitting else f"{len(fitting)} works"
            raise NotFound(f"{what} of corpus {self.name} has the id {work_id}")
        return self._rows[fitting[0]]

    def __repr__(self) -> str:
        return f"<Corpus {self.name}: {len(self)} works, {self.notes} notes>"


@dataclass(frozen=True, slots=True)
class Fault:
    """A stored work that is no longer what its id says."""

    work_id: str
    title: str
    says: str


def verify(corpus: Corpus) -> list[Fault]:
    """Every work whose notes or whose phrase no longer have the recorded hash."""
    faults = []
    for row in corpus.store.rows:
        notes = hashlib.sha256(
            b"musai-notes-1\n" + corpus.store.notes_of(row).tobytes()
        ).hexdigest()
        try:
            if notes != row.work.id:
                says = f"its notes hash to {notes[:12]}…"
            elif corpus.store.phrase_of(row).id != row.phrase:
                says = "its metre or voices differ from what was stored"
            else:
                continue
        except Altered as fault:
            says = str(fault)
        faults.append(Fault(row.work.id, row.work.title, says))
    return faults


def folder_of(name_or_path: str | Path) -> Path:
    """The folder of a corpus given by name or path.

    Raises `BadInput` for a name that would lead out of the corpora's folder.
    """
    if isinstance(name_or_path, Path):
        return name_or_path
    beside = Path(name_or_path)
    if len(beside.parts) != 1 or beside.is_absolute():
        return beside
    named = corpora() / checked_name(name_or_path)
    if not named.exists() and files.is_corpus(beside):
        return beside
    return named


def checked_name(name: str) -> str:
    """A name that is safe as a folder's, or `BadInput`."""
    plain = name.replace("-", "").replace("_", "").replace(".", "")
    if not name or not plain.isalnum() or not name.isascii() or len(name) > 64 or name[0] == ".":
        raise BadInput(f"a corpus's name is {name!r}; legal is up to 64 letters, digits, - _ and .")
    return name


def corpora() -> Path:
    """The folder that holds the corpora of this user."""
    return home() / "corpora"


def corpus_names() -> list[str]:
    """Names of the corpora of this user, sorted."""
    return names_in(corpora())


def names_in(folder: Path) -> list[str]:
    """Names of the corpora in a folder of them, sorted."""
    return sorted(path.parent.name for path in folder.glob(f"*/{files.CATALOGUE}"))


def find_work(work: str, name: str | None) -> tuple[Corpus, Work]:
    """The corpus and the work of an id, in the corpus named or in any of this user's.

    Raises `NotFound` and what opening the corpus does.
    """
    opened = [Corpus.open(name)] if name else [Corpus.open(one) for one in corpus_names()]
    if len(opened) == 1:
        return opened[0], opened[0].work(work)
    for one in opened:
        try:
            return one, one.work(work)
        except NotFound:
            continue
    raise NotFound(f"no corpus here has one work whose id begins with {work}")

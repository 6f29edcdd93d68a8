"""The guard: no line of an answer may hold k notes in a row that a work of a corpus holds too.

It follows an answer's lines as `streams` would find them in the finished phrase: the top and
the bottom of every voice and of all pitched voices together, and every voice of drums.  A
line's next note is known once no more notes can begin within a chord's spread; a run that it
ends is looked up in the tables of the corpora (`held.py`).

Common stock passes, and so do runs that the human's own context holds: those are the human's
quotation, and `quotations.py` names whom it quotes.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from musai.corpus import Corpus
from musai.errors import BadRequest, NotFound, check_range
from musai.match import held
from musai.match.catalogue import Catalogue, catalogue
from musai.match.fingerprints import FILE, RUN, SURE, Fingerprints, Shelf
from musai.match.held import STOCK, HeldRuns
from musai.match.index import CorpusLike
from musai.match.lines import Line, chords, lines_of, runs_of
from musai.match.printed import MODEL, LongRuns, PrintedRuns, Together
from musai.match.runs import (
    LONGEST_RUN,
    SHORTEST_RUN,
    key_of,
    last_step,
    prefix_of,
    step_of,
)
from musai.match.streams import SPREAD
from musai.music import Note, Phrase, Voice

SUGGESTED = 12
"""Notes of the shortest run that most music shares with nobody."""

VERSION = 3
"""Changes whenever a guard would let other notes pass."""


class _Next(NamedTuple):
    """Of a line's next note, its onset known: the signs up to it, and the prefix and the keys of the
    blocked runs that it may end."""

    signs: tuple[int, ...]
    prefix: int
    keys: list[int]


_NOTHING = _Next((), 0, [])
_NEVER: tuple[tuple[Note, ...], int, _Next] = (), -1, _NOTHING

Side = tuple[int | None, bool | None]
"""Voice and top of a line: which of all it is."""


class Watch:
    """The lines of one answer."""

    spread = SPREAD

    def __init__(self, guard: "Guard", voices: Sequence[Voice], context: Phrase | None) -> None:
        self._guard, self._k, self._context = guard, guard.k, context
        self._pitched = frozenset(i for i, voice in enumerate(voices) if not voice.drum)
        self.lines = lines_of(voices)
        """The lines as far as they stand."""
        self._own: frozenset[int] | None = None
        self._asked: dict[Side, tuple[tuple[Note, ...], int, _Next]] = {}
        """Tail and onset asked for last of each: a line is asked before a pitch is drawn and after."""

    def forbidden(self, onset: int, voice: int, pending: Sequence[Note]) -> Collection[int]:
        """Pitches that would surely end a forbidden run of this voice's own lines there.

        A voice's lowest note of a chord comes first, so its bottom line is known; the top one is
        where nothing else of the voice sounds.
        """
        if pending and any(n.voice == voice and onset - n.onset <= SPREAD for n in pending):
            return ()
        found: set[int] = set()
        for line in self.lines:
            if line.voice != voice or (line.top and self._sounds(line, onset)):
                continue
            for key in self._next(line, onset).keys:
                found |= _pitches(line, last_step(key))
        return found

    def settle(
        self, notes: Sequence[Note], given: Collection[Note], later: Sequence[Note]
    ) -> Note | None:
        """Let the notes stand, or name the last drawn note of a run that they end."""
        lines: list[Line] = []
        for line in self.lines:
            grown, wrong = self._grown(line, notes, given)
            if wrong is None and later:
                # Nothing else may come before what is kept: so that must be no run's end either.
                for one in grown:
                    wrong = wrong or self._grown(one, later, given, ahead=True)[1]
            if wrong is not None:
                return wrong
            lines += grown
        self.lines = lines
        return None

    def _grown(
        self, line: Line, notes: Sequence[Note], given: Collection[Note], ahead: bool = False
    ) -> tuple[list[Line], Note | None]:
        """A line with more notes, or both that it parts into; or the last drawn note of the run that they
        end.

        Looking `ahead` ends where no drawn note is left that a run could hold.
        """
        voices = self._pitched if line.voice is None else (line.voice,)
        lines = [line]
        for chord in chords([note for note in notes if note.voice in voices]):
            if lines[0].parts(chord):
                lines = [*lines[0].sides()]
            for i, one in enumerate(lines):
                if ahead and all(note in given for note in one.tail):
                    continue
                picked, told = one.pick(chord), _NOTHING
                if picked is not None:
                    told = self._next(one, picked.onset)
                    if told.keys and key_of(told.prefix, one.step(picked.pitch)) in told.keys:
                        drawn = [note for note in (*one.tail, picked) if note not in given]
                        if drawn:
                            return lines, drawn[-1]
                lines[i] = one.heard(chord, picked, told.signs, self._k)
        return lines, None

    def _next(self, line: Line, onset: int) -> "_Next":
        """What a note at this onset would leave, and the runs that it could end."""
        side = line.voice, line.top
        tail, at, told = self._asked.get(side, _NEVER)
        if tail is not line.tail or at != onset:
            signs = line.signs_at(onset)
            run = line.run(signs, self._k)
            prefix = 0 if run is None else prefix_of(run)
            told = _Next(signs, prefix, [] if run is None else self._blocked(prefix))
            self._asked[side] = line.tail, onset, told
        return told

    def _sounds(self, line: Line, onset: int) -> bool:
        return max(line.sounding.values(), default=0) > onset

    def _blocked(self, prefix: int) -> list[int]:
        """The keys of blocked runs with this prefix, those that the human's context holds aside."""
        keys = self._guard.blocked(prefix)
        return [key for key in keys if key not in self._quoted()] if keys else keys

    def _quoted(self) -> frozenset[int]:
        """Runs of the human's own context; worked out when first something is blocked."""
        if self._own is None:
            self._own = frozenset(() if self._context is None else runs_of(self._context, self._k))
        return self._own


def _pitches(line: Line, step: int) -> set[int]:
    """Pitches that make this step; the largest steps stand for all beyond them."""
    if line.drums:
        return set(range(128))
    last = line.tail[-1].pitch
    return {pitch for pitch in range(128) if step_of(last, pitch) == step}


class Table(Protocol):
    """Runs that must not be held; see `musai.match.held.HeldRuns`."""

    def keys(self, prefix: int) -> list[int]:
        """Keys of the blocked runs with this prefix."""
        ...

    def is_common(self, key: int) -> bool:
        """Whether this run is common stock."""
        ...


class Guard:
    """The guard of one length of run and some corpora; see `musai.transformer.guarding.GuardLike`."""

    def __init__(
        self,
        k: int,
        corpora: Sequence[tuple[str, str]],
        tables: Sequence[Table],
        printed: Sequence[Fingerprints] = (),
    ) -> None:
        self.k = k
        self.corpora = tuple(sorted(corpora))
        """Name and id of each."""
        self._tables, self._printed = tuple(tables), tuple(printed)

    @classmethod
    def open(cls, k: int, *corpora: CorpusLike | str | Path) -> "Guard":
        """A guard against corpora, their names or folders; builds or refreshes an index first.

        Raises `BadRequest` for k out of range or no corpus, `NotFound` for a corpus that is not there.
        """
        return Guards().of(k, corpora)

    @property
    def id(self) -> str:
        """SHA-256 over k, the corpora's ids and what counts as common stock."""
        ids = sorted(corpus_id for _, corpus_id in self.corpora)
        told = json.dumps([VERSION, self.k, STOCK, ids], separators=(",", ":"))
        return hashlib.sha256(b"musai-guard\n" + told.encode()).hexdigest()

    def describe(self) -> dict[str, Any]:
        """JSON values."""
        corpora = [{"name": name, "id": corpus_id} for name, corpus_id in self.corpora]
        return {"id": self.id, "notes": self.k, "stock_authors": STOCK, "corpora": corpora}

    def watch(self, voices: Sequence[Voice], context: Phrase | None) -> Watch | Together:
        """For one answer."""
        if not self._printed:
            return Watch(self, voices, context)
        tables: dict[int, Sequence[Table]] = {
            RUN: [PrintedRuns(prints) for prints in self._printed],
            SURE: [LongRuns(prints) for prints in self._printed],
        }
        beside = [Watch(Guard(k, (), held), voices, context) for k, held in tables.items()]
        for watch in beside:
            watch.lines = [line for line in watch.lines if not line.drums]
        return Together(*([Watch(self, voices, context)] if self._tables else []), *beside)

    def blocked(self, prefix: int) -> list[int]:
        """Keys of the blocked runs with this prefix: held by a corpus, common stock of none."""
        keys: list[int] = []
        for table in self._tables:
            keys += table.keys(prefix)
        if not keys or len(self._tables) < 2:
            return keys
        return [key for key in keys if not any(table.is_common(key) for table in self._tables)]


@dataclass(slots=True)
class _Shelf:
    stamp: int
    corpus_id: str
    catalogue: Catalogue
    folder: Path
    tables: dict[int, HeldRuns] = field(default_factory=dict)


class Guards:
    """Guards of any length against any corpora, each table opened once and again when it changes.

    A name that begins with `printed.MODEL` is a model whose fingerprints stand in for its music;
    `folder_of` says where it lies.
    """

    def __init__(self, folder_of: Callable[[str], Path] = Path) -> None:
        self._shelves: dict[Path, _Shelf] = {}
        self._folder_of = folder_of

    def __call__(self, k: int, corpora: Sequence[str]) -> Guard:
        """The guard against the corpora of these names, as they are now.

        Raises `MusaiError` for one that has no index yet: a player must not wait for that.
        """
        for name in corpora:
            if not name.startswith(MODEL):
                held.index_folder(Corpus.open(name))
        return self.of(k, corpora)

    def of(self, k: int, corpora: Sequence[CorpusLike | str | Path]) -> Guard:
        """The guard against corpora, their names or folders."""
        try:
            check_range("guard", k, SHORTEST_RUN, LONGEST_RUN, "notes")
        except ValueError as error:
            raise BadRequest(str(error)) from None
        if not corpora:
            raise BadRequest(f"guard is {k}, but no corpus is in use to guard against; name one")
        named, tables, printed = [], [], []
        for corpus in corpora:
            if isinstance(corpus, str) and corpus.startswith(MODEL):
                if k >= SURE:
                    table, digest = self._printed(corpus)
                    printed.append(table)
                    named.append((corpus, digest))
                continue
            shelf = self._shelf(corpus)
            if k not in shelf.tables:
                shelf.tables[k] = held.open_runs(shelf.catalogue, shelf.folder, k)
            named.append((shelf.catalogue.name, shelf.corpus_id))
            tables.append(shelf.tables[k])
        if not named:
            raise BadRequest(
                f"guard is {k}, but the music of the model is not here, and its fingerprints tell runs of "
                f"{SURE} notes; legal is {SURE} to {LONGEST_RUN}, or add its music: musai corpus add FOLDER "
                "--for MODEL"
            )
        return Guard(k, named, tables, printed)

    def _printed(self, name: str) -> tuple[Fingerprints, str]:
        folder = self._folder_of(name.removeprefix(MODEL))
        shelf = Shelf.open(folder)
        if shelf is None:
            raise NotFound(f"the model in {folder} has no fingerprints to guard by")
        return shelf.prints, hashlib.sha256((folder / FILE).read_bytes()).hexdigest()

    def _shelf(self, named: CorpusLike | str | Path) -> _Shelf:
        corpus: CorpusLike = Corpus.open(named) if isinstance(named, str | Path) else named
        path = Path(corpus.path)
        known = self._shelves.get(path)
        if known is None or known.stamp != path.stat().st_mtime_ns:
            opened = catalogue(corpus)
            # After opening: that may have made the folder of an index.
            stamp = path.stat().st_mtime_ns
            known = _Shelf(stamp, corpus.id, opened, held.index_folder(corpus))
            self._shelves[path] = known
        return known

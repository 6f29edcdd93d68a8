"""A model's training works as influence sees them: their runs of notes, and their gradients kept on disk.

The gradients of a model are worked out once (some minutes) and kept in musai's home folder under the
model's hash; a run that is broken off goes on where it was.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from musai.corpus import Corpus, Work, permission
from musai.errors import NotFound
from musai.folders import home
from musai.influence import gradients, lexical, truth
from musai.influence.found import METHOD, PROXY, Influence, Measured, Pull
from musai.influence.kept import measured_of, place
from musai.influence.passages import Passage, by_passage, passages
from musai.influence.telling import Told, outstanding, owned
from musai.music import Phrase
from musai.transformer import checkpoint, data
from musai.transformer.network import Network

Floats = NDArray[np.float64]
Progress = Callable[[int, int, str], None]

TOP = 10
"""Works at the head of a list."""

REFERENCES = 24
"""Training works asked about without themselves: which works head every list, what is told by chance."""

EVERY = 64
"""Works whose gradients are written at once."""


class Shelf:
    """The training works of one model, ready to be asked."""

    def __init__(
        self,
        model: checkpoint.Model,
        works: Sequence[Work],
        phrases: Sequence[Phrase],
        missing: int,
    ) -> None:
        # One phrase at a time is too little for two threads, and one gives the same bits anywhere.
        torch.set_num_threads(1)
        self._model, self._works, self._phrases, self._missing = model, works, phrases, missing
        weights = {n: torch.from_numpy(w) for n, w in model.weights.items()}
        self._network = Network(model.shape, weights)
        self._projection = gradients.Projection.of(model.shape)
        self._words = lexical.Words.of(phrases)
        self._measured = measured_of(home(), model.model_id)
        chosen = gradients.DAMPING if self._measured is None else self._measured.damping
        self._damping = np.inf if chosen is None else chosen
        self._table: NDArray[np.float32] | None = None
        self._often: frozenset[int] = frozenset()
        self._by_chance = np.zeros(0)

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def model_id(self) -> str:
        """SHA-256 of the model's weights."""
        return self._model.model_id

    @property
    def measured(self) -> Measured | None:
        """How far the estimates can be trusted on this model; None where nobody measured it."""
        return self._measured

    @classmethod
    def open(cls, name: str | None = None, corpus: str | None = None) -> "Shelf":
        """The shelf of a model by name.  Raises `NotFound` where its corpus or works are not here."""
        model = checkpoint.load(name)
        held = Corpus.open(corpus or str(model.origin["corpus"]))
        here = {work.id: work for work in held.works}
        ids = checkpoint.work_ids(model.folder)
        works = [here[i] for i in ids if i in here]
        if not works:
            raise NotFound(
                f"corpus {held.name} holds none of the {len(ids)} works that {model.name} was trained on"
            )
        phrases = [held.phrase(work.id) for work in works]
        return cls(model, works, phrases, len(ids) - len(works))

    def prepare(self, progress: Progress | None = None) -> None:
        """Have the gradient of every work: work out those that are not kept yet."""
        tell = progress or (lambda done, total, what: None)
        folder = place(home(), self._model.model_id)
        blocks = len(self._model.shape.weights())
        shape = (len(self._works), blocks * gradients.SIDE**2)
        key = json.dumps([shape, [work.id for work in self._works]])
        path, told = folder / "gradients.npy", folder / "gradients.json"
        done = _done(told, key) if path.exists() else 0
        folder.mkdir(parents=True, exist_ok=True)
        mode = "r+" if done else "w+"
        table = np.lib.format.open_memmap(path, mode, np.float32, None if done else shape)
        while done < len(self._works):
            stop = min(done + EVERY, len(self._works))
            windows = [self._windows(n) for n in range(done, stop)]
            rows = gradients.table(self._network, self._projection, windows)
            table[done:stop] = rows.reshape(stop - done, -1)
            table.flush()
            done = stop
            told.write_text(json.dumps({"key": key, "done": done}), encoding="utf-8")
            tell(done, len(self._works), "gradients of the training works")
        self._table = table
        self._look_around(folder / "references.json", key, tell)

    def _look_around(self, path: Path, key: str, tell: Progress) -> None:
        """What the lists and the places of some training works are, each asked about without itself."""
        hashed = hashlib.sha256(f"{key} {self._damping}".encode()).hexdigest()
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            if held["key"] != hashed:
                raise ValueError
        except (OSError, ValueError, KeyError, TypeError):
            count = len(self._works)
            chosen = np.unique(np.linspace(0, count - 1, min(REFERENCES, count)).astype(int))
            leading, places = np.zeros(count, int), []
            for number, n in enumerate(chosen.tolist()):
                found = self._by_place(self._phrases[n], self._works[n])[1]
                found[n] = -np.inf
                leading[np.argsort(-found.sum(1), kind="stable")[:TOP]] += 1
                places += outstanding(np.delete(found, n, 0))[1].tolist()
                tell(number + 1, len(chosen), "what any phrase is told")
            often = np.flatnonzero(leading * 2 >= len(chosen))
            held = {"key": hashed, "often": often.tolist(), "places": sorted(places)}
            path.write_text(json.dumps(held), encoding="utf-8")
        self._often = frozenset(map(int, held["often"]))
        self._by_chance = np.array(held["places"], np.float64)

    def _by_place(self, phrase: Phrase, work: Work | None = None) -> tuple[list[Passage], Floats]:
        """The passages of a phrase and every work's estimate for each, (works, passages)."""
        assert self._table is not None, "prepare first"
        piece = self._encoded("asked", phrase, work.collection if work else "")
        window = self._model.shape.window
        parts = passages(piece, phrase, window)
        windows = gradients.asked_of(piece, window)
        asked = by_passage(self._network, self._projection, windows, parts)
        blocks = asked.shape[1]
        works = self._table.reshape(len(self._works), blocks, -1)
        held = gradients.lifted(works, asked, self._damping).reshape(len(parts), -1)
        return parts, (self._table @ held.astype(np.float32).T).astype(np.float64)

    def estimates(self, phrase: Phrase) -> dict[str, float]:
        """Every work's estimate for a phrase by id, shown or not: what a statement is made from.

        In nats where the model was measured, else in the unit of the gradients' products.
        """
        total = self._by_place(phrase)[1].sum(1)
        slope = 1.0 if self._measured is None else self._measured.slope
        return dict(zip((w.id for w in self._works), (slope * total).tolist(), strict=True))

    def ask(self, phrase: Phrase, top: int = TOP, on: date | None = None) -> Influence:
        """Estimate which works moved the probability of a phrase; `on` is the day whose terms count.

        `prepare` comes first.
        """
        parts, by_part = self._by_place(phrase)
        by_gradient, by_words = by_part.sum(1), self._words.scores(phrase)
        shown = np.array([permission(w, "influence", on=on).allowed for w in self._works])
        told = Told(
            self._works,
            phrase,
            by_part,
            by_words,
            shown,
            self._often,
            self._by_chance,
            self._measured,
        )

        def first(scores: Floats) -> tuple[Pull, ...]:
            order = [n for n in np.argsort(-scores, kind="stable") if shown[n] and scores[n] > 0]
            return tuple(told.pull(int(n)) for n in order[:top])

        measured = self._measured
        return Influence(
            self._model.name,
            self._model.model_id,
            METHOD,
            PROXY if measured is None else measured.sentence,
            measured,
            first(by_gradient),
            first(by_words),
            told.totals([owned(work) for work in self._works]),
            told.totals([((work.collection or "no collection", 10_000),) for work in self._works]),
            told.places([part.onsets for part in parts]),
            sum(bool(part.onsets) for part in parts),
            round(float(truth.correlations(by_gradient[:, None], by_words[:, None])[0]), 3),
            int((~shown).sum()),
            self._missing,
        )

    def _windows(self, number: int) -> list[gradients.Query]:
        work = self._works[number]
        piece = self._encoded(work.id, self._phrases[number], work.collection)
        return gradients.asked_of(piece, self._model.shape.window)

    def _encoded(self, work_id: str, phrase: Phrase, collection: str) -> data.Piece:
        names = self._model.collections
        number = 1 + names.index(collection) if collection in names else 0
        played = self._model.shape.loud
        return data.encode_work(work_id, phrase, number, collection, played=played)


def _done(told: Path, key: str) -> int:
    """How many rows of a table are written; none where it is of other works."""
    try:
        held = json.loads(told.read_text(encoding="utf-8"))
        return int(held["done"]) if held["key"] == key else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0

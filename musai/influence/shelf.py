"""A model's training works as influence sees them: their runs of notes, and their gradients kept on disk.

The gradients of a model are worked out once (some minutes) and kept in musai's home folder under the
model's hash; a run that is broken off goes on where it was.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from musai.corpus import Corpus, Work, permission
from musai.errors import NotFound
from musai.folders import home
from musai.influence import gradients, lexical, truth
from musai.influence.kept import Influence, Pull, place
from musai.music import Phrase
from musai.transformer import checkpoint, data
from musai.transformer.network import Network

Floats = NDArray[np.float64]
Progress = Callable[[int, int, str], None]

TOP = 10
"""Works at the head of a list."""

REFERENCES = 24
"""Training works whose own lists show which works head every list."""

EVERY = 64
"""Works whose gradients are written at once."""


METHOD = "products of projected gradients (tier 1), beside BM25 over runs of notes (tier 0)"
PROXY = (
    "proxy: not measured on this model by retraining; `make bench-influence` measures both methods "
    "on a small one"
)


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
        self._table: NDArray[np.float32] | None = None

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

    @property
    def model_id(self) -> str:
        """The hash of the model's weights."""
        return self._model.model_id

    def prepare(self, progress: Progress | None = None) -> None:
        """Have the gradient of every work: work out those that are not kept yet."""
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
            if progress is not None:
                progress(done, len(self._works), "gradients of the training works")
        self._table = table

    def ask(self, phrase: Phrase, top: int = TOP) -> Influence:
        """Estimate which works moved the probability of a phrase.  `prepare` comes first."""
        assert self._table is not None, "prepare first"
        piece = self._encoded("asked", phrase, "")
        windows = gradients.asked_of(piece, self._model.shape.window)
        asked = self._projection.taken(gradients.gradient(self._network, windows)).ravel()
        by_gradient = (self._table @ asked.astype(np.float32)).astype(np.float64)
        by_words = self._words.scores(phrase)
        shown = np.array([permission(work, "influence").allowed for work in self._works])
        often = self._everywhere(top)

        def first(scores: Floats) -> tuple[Pull, ...]:
            order = [n for n in np.argsort(-scores, kind="stable") if shown[n] and scores[n] > 0]
            return tuple(self._pull(n, by_words, by_gradient, often) for n in order[:top])

        return Influence(
            self._model.name,
            METHOD,
            PROXY,
            first(by_gradient),
            first(by_words),
            self._sums(by_gradient),
            round(float(truth.correlations(by_gradient[:, None], by_words[:, None])[0]), 3),
            int((~shown).sum()),
            self._missing,
        )

    def _pull(self, number: int, words: Floats, found: Floats, often: NDArray[np.bool_]) -> Pull:
        work = self._works[number]
        return Pull(
            work.id,
            work.title,
            work.collection,
            work.licence,
            round(float(words[number] / max(1e-12, words.max())), 4),
            round(float(found[number] / max(1e-12, np.abs(found).max())), 4),
            bool(often[number]),
        )

    def _everywhere(self, top: int) -> NDArray[np.bool_]:
        """Works among the first `top` for half of the references, which are works spread evenly."""
        assert self._table is not None
        count = len(self._works)
        chosen = np.unique(np.linspace(0, count - 1, min(REFERENCES, count)).astype(int))
        scores = self._table @ self._table[chosen].T
        scores[chosen, np.arange(len(chosen))] = -np.inf
        leading = np.argsort(-scores, axis=0, kind="stable")[:top]
        often: NDArray[np.bool_] = np.bincount(leading.ravel(), minlength=count) * 2 >= len(chosen)
        return often

    def _sums(self, scores: Floats) -> tuple[tuple[str, float], ...]:
        total = max(1e-12, float(np.abs(scores).max()))
        sums: dict[str, float] = {}
        for work, score in zip(self._works, scores.tolist(), strict=True):
            sums[work.collection] = sums.get(work.collection, 0.0) + score / total
        ordered = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple((name, round(value, 4)) for name, value in ordered)

    def _windows(self, number: int) -> list[gradients.Query]:
        work = self._works[number]
        piece = self._encoded(work.id, self._phrases[number], work.collection)
        return gradients.asked_of(piece, self._model.shape.window)

    def _encoded(self, work_id: str, phrase: Phrase, collection: str) -> data.Piece:
        names = self._model.collections
        number = 1 + names.index(collection) if collection in names else 0
        played = self._model.shape.fields > 4
        return data.encode_work(work_id, phrase, number, collection, played=played)


def _done(told: Path, key: str) -> int:
    """How many rows of a table are written; none where it is of other works."""
    try:
        held = json.loads(told.read_text(encoding="utf-8"))
        return int(held["done"]) if held["key"] == key else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0

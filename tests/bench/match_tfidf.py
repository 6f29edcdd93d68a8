"""A reference: works ranked by the cosine of their interval 4-grams, weighed by rarity."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from musai.match.catalogue import Catalogue
from musai.match.grams import figures, line_steps
from musai.match.streams import Symbols

GRAM = 4


class Tfidf:
    """Vectors of all works of some catalogues, one matrix a catalogue."""

    def __init__(self, held: Sequence[Catalogue]) -> None:
        parts = []
        for catalogue in held:
            work, gram, offset = [], [], 0
            for part in catalogue.index.segments:
                keys = figures(line_steps(part), GRAM)
                of = np.repeat(np.arange(part.works), np.diff(part.work_streams))
                of = np.repeat(of, np.diff(part.stream_notes)) + offset
                work.append(of[keys >= 0])
                gram.append(keys[keys >= 0])
                offset += part.works
            parts.append((offset, np.concatenate(work), np.concatenate(gram)))
        self._grams = np.unique(np.concatenate([gram for _, _, gram in parts]))
        counts = [
            sparse.csr_matrix(
                (np.ones(len(work), np.float32), (work, np.searchsorted(self._grams, gram))),
                (works, len(self._grams)),
            )
            for works, work, gram in parts
        ]
        total = sum(works for works, _, _ in parts)
        holding = sum(np.asarray((c > 0).sum(axis=0)).ravel() for c in counts)
        self._rarity = np.log(total / np.maximum(1, holding))
        weighed = [c @ sparse.diags(self._rarity) for c in counts]
        norms = [np.sqrt(np.asarray(w.multiply(w).sum(axis=1)).ravel()) for w in weighed]
        self._works = [
            sparse.diags(1 / np.maximum(1e-9, norm)) @ w
            for norm, w in zip(norms, weighed, strict=True)
        ]

    def scores(self, line: Symbols) -> list[np.ndarray]:
        """Cosine of every work with a line, times 10^6, as whole numbers; one array a catalogue."""
        keys = figures(line.steps, GRAM)
        keys = keys[keys >= 0]
        at = np.minimum(np.searchsorted(self._grams, keys), len(self._grams) - 1)
        at = at[self._grams[at] == keys]
        asked = np.bincount(at, minlength=len(self._grams)) * self._rarity
        return [np.rint(1e6 * (w @ asked)).astype(np.int64) for w in self._works]

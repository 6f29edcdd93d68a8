"""Two models on the same works: bits a note on works that neither was trained on, and on their own."""

from collections.abc import Sequence
from dataclasses import dataclass

from musai.corpus import Corpus, Work
from musai.errors import BadInput
from musai.transformer import checkpoint, data
from musai.transformer.checkpoint import Model
from musai.transformer.network import Network
from musai.transformer.training import evaluate

MOST_WORKS = 150
"""Works of each kind that are read: enough for a hundredth of a bit."""


@dataclass(frozen=True, slots=True)
class Bits:
    """Bits a note of one model; None where there are no such works."""

    held_out: float | None
    held_out_works: int
    on_training: float | None
    training_works: int


def bits_of(models: Sequence[Model], corpus: Corpus) -> list[Bits]:
    """Each model's bits a note on works of a corpus that none was trained on, and on its own of them.

    Collections stay untold, since models know different ones.  Raises `BadInput` where the corpus
    holds no work of either kind.
    """
    trained = [set(checkpoint.work_ids(model.folder)) for model in models]
    fresh = [work for work in corpus.works if not any(work.id in ids for ids in trained)]
    own = [[work for work in corpus.works if work.id in ids] for ids in trained]
    if not fresh and not any(own):
        raise BadInput(
            f"corpus {corpus.name} holds no works; legal is one with works to compare on"
        )
    aside = _pieces(corpus, fresh)
    found = []
    for model, works in zip(models, own, strict=True):
        network = Network.of(model.shape, model.weights)
        mine = _pieces(corpus, works)
        found.append(
            Bits(_bits(network, aside), len(aside), _bits(network, mine), len(mine))
        )  # fmt: skip
    return found


def _pieces(corpus: Corpus, works: Sequence[Work]) -> list[data.Piece]:
    ordered = sorted(works, key=lambda work: work.id)
    few = ordered[:: max(1, -(-len(ordered) // MOST_WORKS))]
    return [data.encode_work(work.id, corpus.phrase(work.id), 0, "") for work in few]


def _bits(network: Network, pieces: Sequence[data.Piece]) -> float | None:
    return evaluate(network, pieces)["bits_per_note"] if pieces else None

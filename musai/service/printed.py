"""A model whose music is not here: its fingerprints stand in, for the guard and beside the light."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from musai.errors import MusaiError
from musai.folders import home
from musai.music import Phrase
from musai.service.comparing import Answer

if TYPE_CHECKING:
    from musai.match.guard import Guards


def guards() -> "Guards":
    """Guards that find a model's fingerprints by its name."""
    from musai.match.guard import Guards
    from musai.transformer.checkpoint import folder_of

    return Guards(folder_of)


def held_against(corpora: Sequence[str], model: str) -> list[str]:
    """What a guard is told: the corpora, and the model's fingerprints where they stand in for its music.

    A corpus that is not here is then no reason to refuse.
    """
    from musai.match.printed import MODEL

    if not stands_in(model):
        return list(corpora)
    return [*filter(_here, corpora), MODEL + model]


def stands_in(model: str) -> bool:
    """Whether the model ships fingerprints, and its own corpus is not on this machine."""
    from musai.match.fingerprints import FILE
    from musai.transformer.checkpoint import RECIPE, folder_of
    from musai.transformer.recipe import Recipe

    # A model that cannot be found or read is refused when it is opened.
    with suppress(MusaiError):
        folder = folder_of(model)
        return (folder / FILE).is_file() and not _here(Recipe.read(folder / RECIPE).corpus)
    return False


def _here(corpus: str) -> bool:
    from musai.corpus.store import is_corpus

    return is_corpus(home() / "corpora" / corpus)


def fingerprinted(answer: Answer, phrase: Phrase, model: str) -> Answer:
    """An answer with the training works that share exact runs, where the model's music is not here.

    The light stays as it is: fingerprints know neither changed notes nor significance.
    """
    from musai.match import fingerprints
    from musai.transformer.checkpoint import folder_of

    with suppress(MusaiError):
        shelf = fingerprints.Shelf.open(folder_of(model)) if stands_in(model) else None
        if shelf is not None:
            found = shelf.shared(phrase)
            said = fingerprints.sentence(found, model)
            verdict = {
                **answer.verdict,
                "sentence": f"{answer.verdict['sentence']}; {said}",
                "fingerprints": [asdict(work) for work in found],
            }
            return replace(answer, verdict=verdict)
    return answer

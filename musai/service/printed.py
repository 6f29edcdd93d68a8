"""A model whose music is not here: its fingerprints stand in, for the guard and beside the light."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
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
    if not stands_in(model):
        return list(corpora)
    from musai.match.printed import MODEL

    return [*filter(_here, corpora), MODEL + model]


def stands_in(model: str) -> bool:
    """Whether the model ships fingerprints, and not all of its works are in its corpus on this machine."""
    from musai.corpus.store import CATALOGUE
    from musai.transformer.checkpoint import PRINTS, RECIPE, folder_of
    from musai.transformer.recipe import Recipe

    # A model that cannot be found or read is refused when it is opened.
    with suppress(MusaiError):
        folder = folder_of(model)
        if not (folder / PRINTS).is_file():
            return False
        corpus = _place(Recipe.read(folder / RECIPE).corpus)
        if not _here(corpus.name):
            return True
        return _lacking(folder, corpus, (corpus / CATALOGUE).stat().st_mtime_ns)
    return False


@lru_cache(maxsize=16)
def _lacking(folder: Path, corpus: Path, when: int) -> bool:
    """Whether a corpus, as it was at that time, lacks works that the model was trained on."""
    from musai.corpus.store import known_ids
    from musai.transformer.checkpoint import work_ids

    return not known_ids(corpus).issuperset(work_ids(folder))


def _place(corpus: str) -> Path:
    return home() / "corpora" / corpus


def _here(corpus: str) -> bool:
    from musai.corpus.store import is_corpus

    return is_corpus(_place(corpus))


def fingerprinted(answer: Answer, phrase: Phrase, model: str) -> Answer:
    """An answer with the training works that share exact runs, where the model's music is not here.

    The light stays as it is: fingerprints know neither changed notes nor significance.
    """
    if not stands_in(model):
        return answer
    from musai.match import fingerprints
    from musai.transformer.checkpoint import folder_of

    with suppress(MusaiError):
        shelf = fingerprints.Shelf.open(folder_of(model))
        if shelf is not None:
            found = shelf.shared(phrase)
            said = fingerprints.sentence(found, model)
            verdict = {
                **answer.verdict,
                "sentence": f"{answer.verdict['sentence'].rstrip('.')}; {said}",
                "fingerprints": [asdict(work) for work in found],
            }
            return replace(answer, verdict=verdict)
    return answer

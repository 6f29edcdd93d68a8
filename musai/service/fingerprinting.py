"""What can be told of a phrase when no corpus is there: the model's own fingerprints of its works."""

from contextlib import suppress
from dataclasses import asdict, replace

from musai.errors import MusaiError
from musai.music import Phrase
from musai.service.comparing import Answer


def fingerprinted(answer: Answer, phrase: Phrase, model: str) -> Answer:
    """A grey answer with the training works that share exact runs, where the model ships fingerprints.

    The light stays grey: fingerprints know neither changed notes nor significance.
    """
    from musai.match import fingerprints
    from musai.transformer.checkpoint import folder_of

    # A model that cannot be found or read was refused when it was opened, and has no more to say.
    with suppress(MusaiError):
        shelf = fingerprints.Shelf.open(folder_of(model))
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

"""What taking a work down means, in sentences.  Pure."""

from collections.abc import Sequence

from musai.report.names import counted, listed
from musai.service.rows import ModelUse, WorkRow


def consequence_sentences(
    work: WorkRow,
    alike: Sequence[WorkRow] | None,
    uses: Sequence[ModelUse],
    phrases: int,
    significant: int,
    judgements: int,
) -> list[str]:
    """One sentence for each thing that is touched, or is not."""
    return [
        f"The notes of {work.title or work.id[:12]} are overwritten in {work.corpus}, its index is made "
        "anew, and it cannot be added again while the takedown stands.",
        _models(uses),
        _phrases(phrases, significant),
        f"{counted(judgements, 'judgement')} on its matches stay in the ledger."
        if judgements
        else "Nobody has judged a match with it.",
        _alike(alike),
    ]


def _models(uses: Sequence[ModelUse]) -> str:
    if not uses:
        return "No model of this machine was trained on it."
    named = listed([use.name for use in uses])
    several = "models were" if len(uses) > 1 else "model was"
    return (
        f"{len(uses)} {several} trained on it ({named}) and stay as they are: taking its influence "
        "out means training again without it."
    )


def _phrases(phrases: int, significant: int) -> str:
    if not phrases:
        return "No phrase of the ledger names it among its nearest works."
    return (
        f"{counted(phrases, 'phrase')} of the ledger name it among their nearest works, {significant} "
        "with a significant match. Their records stay as they were written; the notes can no longer "
        "be shown side by side."
    )


def _alike(alike: Sequence[WorkRow] | None) -> str:
    if alike is None:
        return "Near-duplicates have not been counted; another work may hold the same melody."
    if not alike:
        return "No other work of the corpus is nearly the same melody."
    titles = listed([one.title for one in alike[:5]])
    return f"{counted(len(alike), 'work')} of nearly the same melody stay: {titles}."

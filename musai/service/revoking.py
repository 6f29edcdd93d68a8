"""An owner takes back what they allowed: first what it touches, then what is done, then what to run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from musai.corpus.licences import Term, Use
from musai.corpus.work import Work
from musai.report.names import counted, listed
from musai.service.catalogues import Catalogues, Change
from musai.service.history import History
from musai.service.rows import ModelUse

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Touched:
    """What revoking terms of some works touches.

    `made`: phrases that models trained on them made, by session; `near`: phrases whose comparison
    names them; `run`: the commands that take the works' traces out, in order.
    """

    corpus: str
    works: tuple[Work, ...]
    models: tuple[ModelUse, ...]
    made: dict[str, list[str]]
    near: tuple[str, ...]
    run: tuple[str, ...]

    @property
    def sentences(self) -> list[str]:
        """One for each thing that is touched."""
        titles = listed([work.title or work.id[:12] for work in self.works[:SHOWN]])
        models = [f"{use.name} ({use.trained_on} of its {use.of} works)" for use in self.models]
        phrases = sum(map(len, self.made.values()))
        sessions = listed([f"{name or '(none)'}" for name in sorted(self.made)[:SHOWN]])
        more = f" and {len(self.made) - SHOWN} more" if len(self.made) > SHOWN else ""
        return [
            f"Works: {titles}, in corpus {self.corpus}.",
            f"Models trained on them: {listed(models)}."
            if models
            else "No model was trained on them.",
            f"{counted(phrases, 'phrase')} made by these models, in {counted(len(self.made), 'session')}: "
            f"{sessions}{more}."
            if phrases
            else "No phrase of the ledger was made by such a model.",
            f"{counted(len(self.near), 'phrase')} whose comparison names them.",
        ]

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "corpus": self.corpus,
            "works": [{"id": work.id, "title": work.title} for work in self.works],
            "models": [
                {"name": one.name, "model_id": one.model_id, "works": one.trained_on, "of": one.of}
                for one in self.models
            ],
            "sessions": [{"session": name, "phrases": ids} for name, ids in self.made.items()],
            "compared": list(self.near),
            "run": list(self.run),
        }


def touched(
    catalogue: Catalogues, history: History, corpus: str, work_ids: Sequence[str]
) -> Touched:
    """What these works are in.  Raises `NotFound`."""
    held = catalogue.shelves.corpus(corpus)
    works = tuple(held.work(one) for one in work_ids)
    ids = [work.id for work in works]
    models = tuple(catalogue.trained_on(ids))
    fold = history.state()
    own = {one.model_id for one in models}
    made: dict[str, list[str]] = {}
    for (session, phrase_id), row in fold.made.items():
        asked = fold.asked.get(row.replay_id or "", {})
        if asked.get("model_id") in own:
            made.setdefault(session, []).append(phrase_id)
    wanted = set(ids)
    near = [p for p, seen in fold.seen.items() if any(one.work_id in wanted for one in seen.named)]
    short = " ".join(one[:12] for one in ids)
    run = [f"musai model without {short} --model {one.name}" for one in models]
    if near:
        run += [f"musai ledger forget --work {one[:12]} --name {held.name}" for one in ids]
    run += [f"musai ledger forget --model {one.name}" for one in models if made]
    run += [f"musai corpus remove {one[:12]} --name {held.name}" for one in ids]
    return Touched(held.name, works, models, made, tuple(near), tuple(run))


def revoke(
    catalogue: Catalogues,
    what: Touched,
    uses: Sequence[Use],
    *,
    who: str,
    reason: str,
    on: date,
) -> None:
    """Deny these uses from now on; each change is a record of kind `terms`.

    Raises `BadInput` where nobody is named.
    """
    for use in uses:
        said = reason or f"{use} revoked by {who} on {on.isoformat()}"
        term = Term("denied", f"revoked on {on.isoformat()}" + (f": {reason}" if reason else ""))
        ids = [work.id for work in what.works]
        catalogue.set_terms(what.corpus, ids, Change(use, term, said), who=who)

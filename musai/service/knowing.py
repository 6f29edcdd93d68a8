"""What was measured of a model beside its card: what it has by heart, which works moved a phrase."""

from contextlib import suppress
from datetime import date
from pathlib import Path

from musai.audit import recorded
from musai.audit.recorded import Audit
from musai.corpus import permission
from musai.errors import MusaiError, NotFound
from musai.influence import kept
from musai.report import recollections
from musai.service.models import models
from musai.service.rows import (
    InfluenceRow,
    ModelKnown,
    ModelRow,
    PlaceRow,
    PullRow,
    Recall,
    RecallWork,
)
from musai.service.shelves import Shelves

LISTED = 25
"""Works of a recall that are listed, the likeliest first."""


def known_of(home: Path, model: ModelRow) -> ModelKnown:
    """What was measured of a model, as far as it was."""
    recall, fault = None, ""
    try:
        told = recorded.load(Path(model.folder))
        if told is not None and told.model_id == model.model_id:
            recall = _recall(told)
        elif told is not None:
            fault = "its audit of memorization is of other weights"
    except MusaiError as error:
        fault = str(error)
    return ModelKnown(
        recall=recall,
        fault=fault,
        estimated=kept.estimated(home, model.model_id),
        gradients=kept.worked_out(home, model.model_id),
    )


def _recall(told: Audit) -> Recall:
    found = recollections.summary(told)
    repeats = {one.work_id: one.repeats for one in told.compared}
    return Recall(
        works=found["works"],
        windows=found["windows"],
        windows_reachable=found["windows_reachable"],
        works_reachable=found["works_reachable"],
        works_at_even_odds=found["works_at_even_odds"],
        least_bits=found["least_bits_of_luck"],
        median_bits=found["median_bits_of_luck"],
        temperature=told.temperature,
        top_p=told.top_p,
        prefix=told.window["prefix"],
        events=told.window["events"],
        sentences=recollections.sentences(told),
        likeliest=[
            RecallWork(
                work_id=row.work_id,
                title=row.title,
                bits=recorded.luck(row.drawn),
                in_100=recorded.extraction(row.drawn, 100),
                in_10000=recorded.extraction(row.drawn, 10_000),
                repeats=repeats.get(row.work_id),
            )
            for row in recorded.worst(told, LISTED)
        ],
    )


def influences(home: Path, shelves: Shelves, phrase_id: str, on: date) -> list[InfluenceRow]:
    """What was estimated for a phrase under each model here.

    Terms may have changed and works gone since: a work is named where a corpus here holds it and
    its terms allow the display today.
    """
    found = []
    for model in models(home):
        told = kept.load(home, model.model_id, phrase_id)
        if told is None:
            continue
        shown = [pull for pull in told.works if _allowed(shelves, pull.work_id, on)]
        found.append(
            InfluenceRow(
                model=model.name,
                sentence=told.sentence,
                method=told.method,
                reliability=told.reliability,
                works=[
                    PullRow(
                        work_id=pull.work_id,
                        title=pull.title,
                        collection=pull.collection,
                        gradient=pull.gradient,
                        low=pull.low,
                        high=pull.high,
                        lexical=pull.lexical,
                        everywhere=pull.everywhere,
                    )
                    for pull in shown
                ],
                places=[
                    PlaceRow(where=one.where, notes=one.notes, title=one.title, p=one.p)
                    for one in told.places
                    if _allowed(shelves, one.work_id, on)
                ],
                hidden=told.hidden + len(told.works) - len(shown),
            )
        )
    return found


def _allowed(shelves: Shelves, work_id: str, on: date) -> bool:
    """Whether a corpus here holds the work, and every one that does allows that it is named."""
    works = []
    for corpus in shelves.all():
        with suppress(NotFound):
            works.append(corpus.work(work_id))
    return bool(works) and all(permission(work, "influence", on=on).allowed for work in works)

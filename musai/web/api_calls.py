"""What each row of the API's table does: one small function a row, over the service's use-cases."""

import queue
from pathlib import Path
from typing import Any

import msgspec

from musai.corpus.licences import USES
from musai.errors import NotFound
from musai.service import models as shelf
from musai.service import rows
from musai.service.events import Event, Failed, Finished
from musai.service.interface import DeskLike
from musai.service.jams import PlayAgain, PlayLike, Silence, YourTurn
from musai.service.knowing import known_of
from musai.web import api_shapes as shapes

REPLAY_SECONDS = 120.0


def describe(service: DeskLike) -> Any:
    """What the service is and how it is doing."""
    return service.describe()


def corpora(service: DeskLike) -> list[rows.CorpusRow]:
    """The corpora here."""
    return service.catalogue.corpora()


def use(service: DeskLike, body: shapes.UseBody) -> shapes.Done:
    """Compare with a corpus from now on."""
    _corpus(service, body.corpus)
    service.use(body.corpus)
    return shapes.Done()


def works(service: DeskLike, corpus: str, query: shapes.WorksQuery) -> rows.WorkPage:
    """Works of a corpus."""
    _corpus(service, corpus)
    return service.catalogue.works(corpus, **_fields(query))


def all_works(service: DeskLike, query: shapes.AllWorksQuery) -> rows.WorkPage:
    """Works of all corpora, or of one."""
    values = _fields(query)
    corpus = values.pop("corpus")
    if corpus:
        _corpus(service, corpus)
    return service.catalogue.works(corpus or None, **values)


def facets(service: DeskLike, corpus: str) -> rows.Facets:
    """What there is to filter by."""
    _corpus(service, corpus)
    return service.catalogue.facets(corpus)


def work(service: DeskLike, corpus: str, work: str) -> rows.WorkDetail:
    """All about a work."""
    _corpus(service, corpus)
    return service.catalogue.work(corpus, work)


def consequences(service: DeskLike, corpus: str, work: str) -> rows.Consequences:
    """What a takedown would touch."""
    _corpus(service, corpus)
    return service.catalogue.consequences(corpus, work)


def takedown(service: DeskLike, corpus: str, work: str, body: shapes.TakedownBody) -> shapes.Done:
    """Take a work down."""
    _corpus(service, corpus)
    service.catalogue.takedown(corpus, work, reason=body.reason, who=body.who)
    return shapes.Done()


def takedowns(service: DeskLike, corpus: str) -> list[rows.TakedownRow]:
    """What was taken down."""
    _corpus(service, corpus)
    return service.catalogue.takedowns(corpus)


def terms(service: DeskLike, corpus: str, body: shapes.TermsBody) -> list[rows.WorkRow]:
    """New terms for works."""
    _corpus(service, corpus)
    values = _fields(body)
    return service.catalogue.set_terms(corpus, values.pop("work_ids"), **values)


def duplicates(service: DeskLike, corpus: str) -> list[list[rows.WorkRow]] | None:
    """Clusters of near-duplicates, or null while they are not counted."""
    _corpus(service, corpus)
    return service.catalogue.duplicates(corpus)


def count_duplicates(service: DeskLike, corpus: str) -> rows.JobRow:
    """Count them."""
    _corpus(service, corpus)
    return service.tasks.count_duplicates(corpus)


def sessions(service: DeskLike) -> list[rows.SessionRow]:
    """All sittings."""
    return service.history.sessions()


def phrases(service: DeskLike, query: shapes.PhrasesQuery) -> rows.PhrasePage:
    """Phrases of the ledger."""
    values = {k: v for k, v in _fields(query).items() if v != ""}
    return service.history.phrases(**values)


def phrase(service: DeskLike, phrase: str) -> rows.PhraseDetail:
    """All about a phrase."""
    return service.history.phrase(phrase)


def report(service: DeskLike, phrase: str) -> dict[str, Any]:
    """The report of a phrase."""
    return service.report(phrase)


def decide(service: DeskLike, phrase: str, body: shapes.DecisionBody) -> shapes.Done:
    """Keep or discard."""
    if body.decision == "kept":
        service.keep(phrase, body.intent)
    else:
        service.discard(phrase)
    return shapes.Done()


def replay(service: DeskLike, phrase: str) -> shapes.ReplayOutcome:
    """Make a phrase again and wait for it."""
    row = service.history.phrase(phrase).row
    if row.replay_id is None:
        raise NotFound(f"the phrase {phrase[:8]} was read from a file: there is nothing to replay")
    told: queue.SimpleQueue[Event] = queue.SimpleQueue()
    service.replay(row.replay_id, told.put)
    while True:
        try:
            event = told.get(timeout=REPLAY_SECONDS)
        except queue.Empty:
            return shapes.ReplayOutcome(
                outcome=f"no answer within {REPLAY_SECONDS:.0f} s; try again", identical=False
            )
        if isinstance(event, Finished):
            outcome = event.replay or "made, but nobody said whether it is the same"
            return shapes.ReplayOutcome(outcome=outcome, identical=outcome == "identical")
        if isinstance(event, Failed):
            return shapes.ReplayOutcome(outcome=event.reason, identical=False)


def comparison(
    service: DeskLike, phrase: str, work: str, query: shapes.ComparisonQuery
) -> rows.ComparisonDetail:
    """A phrase beside a work."""
    return service.history.comparison(phrase, work, corpus=query.corpus or None, blind=query.blind)


def judge(service: DeskLike, phrase: str, work: str, body: shapes.JudgeBody) -> rows.Judgement:
    """Judge a hit."""
    values = _fields(body)
    values["corpus"] = values["corpus"] or None
    return service.history.judge(phrase, work, **values)


def shown(service: DeskLike, phrase: str, work: str, body: shapes.WhoBody) -> shapes.Done:
    """The numbers were shown to somebody."""
    service.history.shown(phrase, work, who=body.who)
    return shapes.Done()


def judgements(service: DeskLike, query: shapes.JudgementsQuery) -> list[rows.Judgement]:
    """Judgements, newest first."""
    values = {k: v for k, v in _fields(query).items() if v != ""}
    return service.history.judgements(**values)


def agreement(service: DeskLike, query: shapes.SessionQuery) -> rows.Agreement:
    """How well ears and numbers agree."""
    return service.history.agreement(session=query.session or None)


def changes(service: DeskLike, query: shapes.ChangesQuery) -> list[rows.Change]:
    """What happened, newest first."""
    return service.history.changes(since=query.since or None, limit=query.limit)


def jobs(service: DeskLike) -> list[rows.JobRow]:
    """All jobs since the start."""
    return service.jobs.list()


def job(service: DeskLike, job: str) -> rows.JobRow:
    """One job."""
    return service.jobs.get(job)


def cancel(service: DeskLike, job: str) -> rows.JobRow:
    """Stop a job; one that has ended stays as it is."""
    return service.jobs.cancel(job)


def make_report(service: DeskLike, body: shapes.ReportBody) -> rows.JobRow:
    """Begin a report."""
    scope = rows.Scope(
        kind=body.kind,
        values=body.values,
        since=body.since,
        until=body.until,
        corpus=body.corpus,
    )
    return service.tasks.make_report(scope, body.format)


def models(service: DeskLike) -> list[rows.ModelRow]:
    """The models here."""
    return shelf.models(service.home)


def model_works(service: DeskLike, model: str) -> list[dict[str, str]]:
    """What a model was trained on."""
    return shelf.works_of(Path(model_row(service, model).folder))


def model_known(service: DeskLike, model: str) -> rows.ModelKnown:
    """What was measured of a model."""
    return known_of(service.home, model_row(service, model))


def influences(service: DeskLike, phrase: str) -> list[rows.InfluenceRow]:
    """Which training works moved a phrase, where that was estimated."""
    return service.catalogue.influences(service.history.row(phrase).phrase_id)


def model_row(service: DeskLike, name: str) -> rows.ModelRow:
    """A model by its name.  Raises `NotFound`."""
    found = next((row for row in shelf.models(service.home) if row.name == name), None)
    if found is None:
        raise NotFound(f"there is no model {name[:70]!r} here")
    return found


def _corpus(service: DeskLike, name: str) -> None:
    """Raise `NotFound` for a corpus that is not here: a name in an address is never a path."""
    if all(row.name != name for row in service.catalogue.corpora()):
        raise NotFound(f"there is no corpus {name[:70]!r} here")


def _fields(values: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(values, name) for name in values.__struct_fields__}


assert set(USES) == set(shapes.Use.__args__)  # type: ignore[attr-defined]


def jams(service: DeskLike) -> list[Any]:
    """The jams of this server."""
    return list(service.jams.rows())


def jam_again(service: DeskLike, jam: str, body: shapes.JamAgainBody) -> shapes.Done:
    """Play a take again."""
    service.jams.ask(jam_number(jam), PlayAgain(body.how, body.take))
    return shapes.Done()


def jam_turn(service: DeskLike, jam: str) -> shapes.Done:
    """Give musai its turn."""
    service.jams.ask(jam_number(jam), YourTurn())
    return shapes.Done()


def jam_silence(service: DeskLike, jam: str) -> shapes.Done:
    """End all that sounds."""
    service.jams.ask(jam_number(jam), Silence())
    return shapes.Done()


def jam_settings(service: DeskLike, jam: str, body: shapes.JamSettingsBody) -> shapes.Done:
    """Have musai play like this from now on."""
    service.jams.ask(jam_number(jam), PlayLike(body.values))
    return shapes.Done()


def jam_number(text: str) -> int:
    """A jam's number from an address.  Raises `NotFound`."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound(f"there is no jam {text[:20]!r}; legal is a number")
    return int(text)

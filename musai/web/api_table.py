"""The rows of the HTTP API, and the document and page made from them."""

from typing import Any

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from musai.service import rows
from musai.service.interface import DeskLike
from musai.service.jams import JamRow
from musai.web import api_calls as calls
from musai.web import api_files as files
from musai.web import api_shapes as shapes
from musai.web.api import Endpoint, route, written
from musai.web.openapi import ABOUT, document
from musai.web.rendering import page

WORK = "/api/corpora/{corpus}/works/{work}"
HIT = "/api/phrases/{phrase}/matches/{work}"
SSE = "text/event-stream"
MIDI = "audio/midi"

TABLE: tuple[Endpoint, ...] = (
    Endpoint("GET", "/api/describe", "describe", "What musai is and how it is doing",
             calls.describe, answer=shapes.Described, errors=()),
    Endpoint("GET", "/api/corpora", "corpora", "The corpora here",
             calls.corpora, answer=list[rows.CorpusRow], errors=()),
    Endpoint("POST", "/api/corpora/use", "use_corpus", "Compare phrases with a corpus from now on",
             calls.use, body=shapes.UseBody, answer=shapes.Done, status=202),
    Endpoint("GET", "/api/works", "all_works", "Works of all corpora: search, filter, sort",
             calls.all_works, query=shapes.AllWorksQuery, answer=rows.WorkPage),
    Endpoint("GET", "/api/corpora/{corpus}/works", "works", "Works of one corpus",
             calls.works, query=shapes.WorksQuery, answer=rows.WorkPage),
    Endpoint("GET", "/api/corpora/{corpus}/facets", "facets", "What its works can be filtered by",
             calls.facets, answer=rows.Facets),
    Endpoint("GET", WORK, "work", "All about a work: makers, owners, terms, evidence",
             calls.work, answer=rows.WorkDetail),
    Endpoint("GET", WORK + "/midi", "work_midi", "A work's notes",
             stream=files.work_midi, answer=MIDI),
    Endpoint("GET", WORK + "/consequences", "consequences", "What taking a work down would touch",
             calls.consequences, answer=rows.Consequences),
    Endpoint("POST", WORK + "/takedown", "takedown", "Take a work down, for good",
             calls.takedown, body=shapes.TakedownBody, answer=shapes.Done),
    Endpoint("GET", "/api/corpora/{corpus}/takedowns", "takedowns", "What was taken down",
             calls.takedowns, answer=list[rows.TakedownRow]),
    Endpoint("POST", "/api/corpora/{corpus}/terms", "set_terms", "New terms for a use of works",
             calls.terms, body=shapes.TermsBody, answer=list[rows.WorkRow]),
    Endpoint("GET", "/api/corpora/{corpus}/duplicates", "duplicates",
             "Clusters of near-duplicates; null while they are not counted",
             calls.duplicates, answer=list[list[rows.WorkRow]] | None),
    Endpoint("POST", "/api/corpora/{corpus}/duplicates", "count_duplicates", "Count them: a job",
             calls.count_duplicates, answer=rows.JobRow, status=202),
    Endpoint("POST", "/api/imports", "import_works", "Add files to a corpus: a job",
             stream=files.start_import, takes_files=True, files=("corpus", "who", "mine"),
             answer=rows.JobRow, status=202, errors=(400,)),
    Endpoint("POST", "/api/matches", "match_files", "Compare files with the corpora in use: a job",
             stream=files.start_match, takes_files=True, files=("session",),
             answer=rows.JobRow, status=202, errors=(400,)),
    Endpoint("GET", "/api/jobs", "jobs", "All jobs since the start",
             calls.jobs, answer=list[rows.JobRow], errors=()),
    Endpoint("GET", "/api/jobs/events", "events", "Every change of every job as it happens",
             stream=files.all_events, answer=SSE, errors=()),
    Endpoint("GET", "/api/jobs/{job}", "job", "One job", calls.job, answer=rows.JobRow),
    Endpoint("DELETE", "/api/jobs/{job}", "cancel_job", "Stop a job",
             calls.cancel, answer=rows.JobRow, errors=(403, 404)),
    Endpoint("GET", "/api/jobs/{job}/events", "job_events", "A job's changes until it ends",
             stream=files.job_events, answer=SSE),
    Endpoint("GET", "/api/jobs/{job}/file", "job_file", "The file that a job made",
             stream=files.job_file, answer="application/octet-stream"),
    Endpoint("GET", "/api/sessions", "sessions", "All sittings",
             calls.sessions, answer=list[rows.SessionRow], errors=()),
    Endpoint("GET", "/api/phrases", "phrases", "Phrases and files: filter and sort by evidence",
             calls.phrases, query=shapes.PhrasesQuery, answer=rows.PhrasePage),
    Endpoint("GET", "/api/phrases/{phrase}", "phrase", "A phrase, its request, its matches",
             calls.phrase, answer=rows.PhraseDetail),
    Endpoint("GET", "/api/phrases/{phrase}/midi", "phrase_midi", "Its notes",
             stream=files.phrase_midi, answer=MIDI),
    Endpoint("GET", "/api/phrases/{phrase}/report", "report", "Its report (musai-report-1)",
             calls.report, answer=dict[str, Any]),
    Endpoint("GET", "/api/phrases/{phrase}/influences", "influences",
             "Training works that moved it, where musai influence has estimated that",
             calls.influences, answer=list[rows.InfluenceRow]),
    Endpoint("POST", "/api/phrases/{phrase}/decision", "decide", "Keep or discard it",
             calls.decide, body=shapes.DecisionBody, answer=shapes.Done),
    Endpoint("POST", "/api/phrases/{phrase}/replay", "replay", "Make it again and say whether it is the same",
             calls.replay, answer=shapes.ReplayOutcome, errors=(403, 404)),
    Endpoint("GET", HIT, "comparison", "A phrase and a work, note by note",
             calls.comparison, query=shapes.ComparisonQuery, answer=rows.ComparisonDetail),
    Endpoint("POST", HIT + "/judgements", "judge", "Rate a match by ear, mark it, or both",
             calls.judge, body=shapes.JudgeBody, answer=rows.Judgement, status=201),
    Endpoint("POST", HIT + "/shown", "shown", "Record that its numbers were shown to somebody",
             calls.shown, body=shapes.WhoBody, answer=shapes.Done),
    Endpoint("GET", "/api/judgements", "judgements", "Judgements, newest first",
             calls.judgements, query=shapes.JudgementsQuery, answer=list[rows.Judgement]),
    Endpoint("GET", "/api/agreement", "agreement", "How well ears and numbers agree",
             calls.agreement, query=shapes.SessionQuery, answer=rows.Agreement),
    Endpoint("GET", "/api/changes", "changes", "What happened, newest first",
             calls.changes, query=shapes.ChangesQuery, answer=list[rows.Change]),
    Endpoint("POST", "/api/reports", "make_report", "Write a report: a job that makes a file",
             calls.make_report, body=shapes.ReportBody, answer=rows.JobRow, status=202),
    Endpoint("GET", "/api/jams", "jams", "The jams of this server",
             calls.jams, answer=list[JamRow], errors=()),
    Endpoint("GET", "/api/jams/{jam}/events", "jam_events", "What happens in a jam, as it happens",
             stream=files.jam_events, answer=SSE),
    Endpoint("POST", "/api/jams/{jam}/again", "jam_again", "Play a take again, in time",
             calls.jam_again, body=shapes.JamAgainBody, answer=shapes.Done, status=202),
    Endpoint("POST", "/api/jams/{jam}/turn", "jam_turn", "Give musai its turn",
             calls.jam_turn, answer=shapes.Done, status=202),
    Endpoint("POST", "/api/jams/{jam}/silence", "jam_silence", "End all that sounds in a jam",
             calls.jam_silence, answer=shapes.Done, status=202),
    Endpoint("POST", "/api/jams/{jam}/settings", "jam_settings", "How musai plays along from now on",
             calls.jam_settings, body=shapes.JamSettingsBody, answer=shapes.Done, status=202),
    Endpoint("GET", "/api/models", "models", "The models here",
             calls.models, answer=list[rows.ModelRow], errors=()),
    Endpoint("GET", "/api/models/{model}/works", "model_works", "What a model was trained on",
             calls.model_works, answer=list[dict[str, str]]),
    Endpoint("GET", "/api/models/{model}/known", "model_known",
             "What was measured of a model: what it has by heart, whose influence was estimated",
             calls.model_known, answer=rows.ModelKnown),
)  # fmt: skip
"""Every row; the order is that of the page, and decides where addresses overlap."""


def routes(service: DeskLike) -> list[BaseRoute]:
    """The API over a service, its OpenAPI document and its page."""
    described = msgspec.json.encode(document(TABLE))
    addresses: dict[str, list[Endpoint]] = {}
    for row in TABLE:
        addresses.setdefault(row.path, []).append(row)

    async def openapi(request: HttpRequest) -> Response:
        return Response(described, media_type="application/json")

    async def reference(request: HttpRequest) -> Response:
        return page(request, "api.html.j2", table=TABLE, about=ABOUT, said=_said)

    return [
        Route("/api/", reference, name="api_page"),
        Route("/api/openapi.json", openapi, name="openapi"),
        *(route(service, rows) for rows in addresses.values()),
    ]


def _said(kind: Any) -> str:
    """A type for a reader."""
    if kind is None or isinstance(kind, str):
        return kind or "nothing"
    text = repr(kind) if hasattr(kind, "__args__") else kind.__name__
    for prefix in (
        "musai.service.rows.",
        "musai.web.api_shapes.",
        "musai.report.dossier.",
        "typing.",
    ):
        text = text.replace(prefix, "")
    return text


__all__ = ["TABLE", "routes", "written"]

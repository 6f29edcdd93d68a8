"""The other pages: judgements, sessions, reports, models, what changed, who sits at the desk."""

from typing import Any

from markupsafe import Markup
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from musai.errors import BadInput, NotFound
from musai.web import api_calls
from musai.web.api import converted
from musai.web.api_shapes import ChangesQuery, JudgementsQuery, PhrasesQuery, ReportBody, WorksQuery
from musai.web.cards import card_html
from musai.web.desk import Desk, active, asked, form_of, onward, own_path, query_of
from musai.web.reviewer import (
    Reviewer,
    checked_name,
    last_seen,
    remember,
    remember_seen,
    reviewer_of,
)

NO_NAME = "-"
"""How a session without a name is called in addresses."""

SCOPES = {
    "all": "everything",
    "dates": "what was made between two days",
    "session": "one session",
    "owner": "everything that came near one owner's works",
}
COLUMNS = ("title", "composer", "licence", "train", "collection", "source", "grounds", "id")


class MorePages(Desk):
    """Handlers of the smaller pages."""

    def routes(self) -> list[BaseRoute]:
        """Their addresses."""
        return [
            Route("/judgements", self.judgements),
            Route("/sessions", self.sessions),
            Route("/sessions/{session}", self.session),
            Route("/reports", self.reports),
            Route("/reports", self.report, methods=["POST"]),
            Route("/models", self.models),
            Route("/models/{model}", self.model),
            Route("/changes", self.changes),
            Route("/reviewer", self.reviewer),
            Route("/reviewer", self.set_reviewer, methods=["POST"]),
            Route("/reviewer/listen", self.listen, methods=["POST"]),
        ]

    async def judgements(self, request: HttpRequest) -> Response:
        """What people found, and how it goes with the numbers."""
        query = asked(request, JudgementsQuery)

        def found() -> dict[str, Any]:
            history = self.service.history
            told = api_calls.judgements(self.service, query)[::-1][:500]
            names: dict[str, tuple[str, dict[str, str]]] = {}
            for one in told:
                if one.phrase_id not in names:
                    detail = history.phrase(one.phrase_id)
                    titles = {hit.work_id: hit.title for hit in detail.hits}
                    names[one.phrase_id] = detail.row.name, titles
            rows = [
                (
                    one,
                    names[one.phrase_id][0],
                    names[one.phrase_id][1].get(one.work_id, one.work_id[:12]),
                )
                for one in told
            ]
            return {"found": rows, "agreement": history.agreement()}

        return await self.page(request, "judgements.html.j2", **await self.ask(found))

    async def sessions(self, request: HttpRequest) -> Response:
        """All sittings."""
        found = await self.ask(self.service.history.sessions)
        return await self.page(request, "sessions.html.j2", found=found)

    async def session(self, request: HttpRequest) -> Response:
        """The phrases of one sitting, with their requests and replays."""
        name = request.path_params["session"]
        query = asked(request, PhrasesQuery)
        stored = "" if name == NO_NAME else name
        found = await self.ask(
            lambda: self.service.history.phrases(
                session=stored, order="oldest", offset=query.offset, limit=query.limit
            )
        )
        if not found.total:
            raise NotFound(f"there is no session {name[:70]!r}")
        return await self.page(
            request,
            "session.html.j2",
            name=stored or "no name",
            found=found,
            query=query_of(request),
            offset=query.offset,
            limit=query.limit,
        )

    async def reports(self, request: HttpRequest) -> Response:
        """What to write, and what was written."""

        def found() -> dict[str, Any]:
            jobs = self.service.jobs.list()
            return {
                "sessions": [row.name for row in self.service.history.sessions() if row.name],
                "corpora": self.service.catalogue.corpora(),
                "owners": self.service.catalogue.facets().owners,
                "jobs": active(jobs, "report"),
                "made": [job for job in jobs if job.kind == "report" and job.result.get("path")],
            }

        shown = await self.ask(found)
        return await self.page(request, "reports.html.j2", scopes=SCOPES, chosen="all", **shown)

    async def report(self, request: HttpRequest) -> Response:
        """Begin a report."""
        form = await form_of(request)
        kind = form.get("kind", "")
        values = form.get("values[]") or [form.get(kind, "").strip()] if kind != "all" else []
        if kind in ("session", "owner") and not any(values):
            raise BadInput(f"no {kind} is named; legal is one")
        names = ("kind", "since", "until", "corpus", "format")
        said: dict[str, Any] = {name: form[name] for name in names if form.get(name)}
        said["values"] = [value for value in values if value]
        body = converted(said, ReportBody, "the form")
        job = await self.ask(lambda: api_calls.make_report(self.service, body))
        return onward(request, f"/jobs/{job.id}")

    async def models(self, request: HttpRequest) -> Response:
        """The models here."""
        found = await self.ask(lambda: api_calls.models(self.service))
        model = self.service.describe()["model"]
        return await self.page(
            request, "models.html.j2", found=found, playing=model["name"] if model else ""
        )

    async def model(self, request: HttpRequest) -> Response:
        """One model: its card and what it was trained on."""
        name = request.path_params["model"]
        query = asked(request, WorksQuery)

        def found() -> dict[str, Any]:
            row = api_calls.model_row(self.service, name)
            works = api_calls.model_works(self.service, name)
            words = query.search.lower().split()
            fit = [w for w in works if all(word in _text(w) for word in words)]
            have = set(works[0]) if works else set()
            return {
                "model": row,
                "known": api_calls.model_known(self.service, name),
                "card": Markup(card_html(row.card)),
                "works": fit[query.offset : query.offset + query.limit],
                "total": len(fit),
                "columns": [column for column in COLUMNS if column in have],
                "search": query.search,
                "offset": query.offset,
                "limit": query.limit,
            }

        values = await self.ask(found)
        return await self.page(request, "model.html.j2", query=query_of(request), **values)

    async def changes(self, request: HttpRequest) -> Response:
        """What happened, newest first."""
        query = asked(request, ChangesQuery)
        found = await self.ask(lambda: api_calls.changes(self.service, query))
        seen = last_seen(request)
        fresh = sum(one.seq > seen for one in found) if seen else 0
        answer = await self.page(
            request, "changes.html.j2", found=found, since=query.since, seen=seen, fresh=fresh
        )
        remember_seen(answer, max([seen, *(one.seq for one in found)]))
        return answer

    async def reviewer(self, request: HttpRequest) -> Response:
        """Who are you?"""
        back = own_path(request.query_params.get("next", ""), "/match")
        ear = request.query_params.get("ear") == "yes"
        return await self.page(request, "reviewer.html.j2", next=back, ear=ear)

    async def set_reviewer(self, request: HttpRequest) -> Response:
        """A name for the signatures."""
        form = await form_of(request)
        answer = onward(request, own_path(form.get("next", ""), "/match"))
        remember(answer, Reviewer(checked_name(form.get("name", "")), form.get("first") == "yes"))
        return answer

    async def listen(self, request: HttpRequest) -> Response:
        """Whether numbers wait for ears."""
        form = await form_of(request)
        answer = onward(request, own_path(form.get("next", ""), "/match"))
        remember(answer, Reviewer(reviewer_of(request).name, form.get("first") == "yes"))
        return answer


def _text(work: dict[str, Any]) -> str:
    return " ".join(str(value) for value in work.values()).lower()

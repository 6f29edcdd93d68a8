"""The pages of matching: files in, a queue, what was found, one phrase with the works it is like."""

import json
from typing import Any

from markupsafe import Markup
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from musai.report import roll_svg
from musai.report.dossier import MARKS
from musai.web import api_calls
from musai.web.api_files import match_upload
from musai.web.api_shapes import PhrasesQuery
from musai.web.desk import Desk, active, asked, form_of, json_text, onward, own_path, query_of
from musai.web.reviewer import Reviewer, reviewer_of
from musai.web.sounds import beginning, sounds_of
from musai.web.uploads import receive

ORDERS = {
    "evidence": "strongest evidence first",
    "newest": "newest first",
    "oldest": "oldest first",
}

SHOWN = 10
"""Works of a phrase that are shown at once; the rest is folded away."""


def by_evidence(hit: Any) -> tuple[float, float]:
    """Of several corpora, whatever is least likely by chance comes first."""
    return (2.0 if hit.p_value is None else hit.p_value, -hit.score)


class MatchPages(Desk):
    """Handlers below /match, but for the comparison itself."""

    def routes(self) -> list[BaseRoute]:
        """Their addresses."""
        return [
            Route("/match", self.list),
            Route("/match", self.files, methods=["POST"]),
            Route("/match/{phrase}", self.phrase),
            Route("/match/{phrase}/replay", self.replay, methods=["POST"]),
            Route("/jobs/{job}", self.job),
            Route("/jobs/{job}/cancel", self.cancel, methods=["POST"]),
        ]

    async def list(self, request: HttpRequest) -> Response:
        """Queue and results."""
        query = asked(request, PhrasesQuery)
        order = request.query_params.get("order") or "evidence"
        reviewer = reviewer_of(request)
        # Who listens first is not told by the order what the numbers say.
        if reviewer.listens_first and order == "evidence":
            order = "newest"
        values = {n: getattr(query, n) for n in query.__struct_fields__}
        values = {n: v for n, v in values.items() if v != ""} | {"order": order}

        def found() -> dict[str, Any]:
            described = self.service.describe()
            waiting = "" if described["light"]["ready"] else described["light"]["why"]
            return {
                "found": self.service.history.phrases(**values),
                "sessions": [row.name for row in self.service.history.sessions() if row.name],
                "in_use": [row["name"] for row in described["corpora"]],
                "unrated": [] if waiting else [c for c in described["corpora"] if c.get("reason")],
                "waiting": waiting and f"Matches are not rated yet: {waiting}.",
                "jobs": active(self.service.jobs.list(), "match"),
            }

        return await self.page(
            request,
            "match.html.j2",
            asked=query,
            query=query_of(request),
            marks=MARKS,
            order=order,
            orders=ORDERS,
            **await self.ask(found),
        )

    async def files(self, request: HttpRequest) -> Response:
        """Files from the form."""
        upload = await receive(request, self.service.home)
        await self.ask(lambda: match_upload(self.service, upload))
        return onward(request, "/match")

    async def phrase(self, request: HttpRequest) -> Response:
        """One phrase or file and the works that it is like."""
        asked(request, PhrasesQuery)
        reviewer = reviewer_of(request)

        def found() -> dict[str, Any]:
            detail = self.service.history.phrase(request.path_params["phrase"])
            phrase = beginning(self.service.phrase(detail.row.phrase_id))
            hidden = self._hides(detail, reviewer)
            if not hidden and reviewer.name:
                for hit in detail.hits:
                    self.service.history.shown(
                        detail.row.phrase_id, hit.work_id, who=reviewer.signature
                    )
            role: Any = "musai" if detail.row.origin == "generated" else "human"
            picture = roll_svg(phrase, role=role, title=detail.row.name)
            # Hidden numbers are not told by the order either.
            key = (lambda hit: (hit.title, hit.work_id)) if hidden else by_evidence
            return {
                "found": detail,
                "influences": self.service.catalogue.influences(detail.row.phrase_id),
                "hits": sorted(detail.hits, key=key),
                "shown": SHOWN,
                "hidden": hidden,
                "picture": Markup(picture),
                "sounds": json_text(sounds_of(phrase)),
                "request_text": json.dumps(detail.request, indent=2, ensure_ascii=False),
            }

        return await self.page(request, "phrase.html.j2", **await self.ask(found))

    def _hides(self, detail: Any, reviewer: Reviewer) -> bool:
        """Whether numbers wait: they do until every match that can be heard is rated by this reviewer."""
        if not reviewer.listens_first:
            return False
        rated = {
            one.work_id
            for one in detail.judgements
            if one.who == reviewer.signature and one.likeness is not None
        }
        return any(hit.aligned and hit.work_id not in rated for hit in detail.hits)

    async def replay(self, request: HttpRequest) -> Response:
        """Make it again; what came of it stands on the page that follows."""
        phrase = request.path_params["phrase"]
        form = await form_of(request)
        await self.ask(lambda: api_calls.replay(self.service, phrase))
        return onward(request, own_path(form.get("next", ""), f"/match/{phrase}"))

    async def job(self, request: HttpRequest) -> Response:
        """One job: how far it is, what failed and why, what came of it."""
        job = await self.ask(lambda: self.service.jobs.get(request.path_params["job"]))
        return await self.page(request, "job.html.j2", job=job)

    async def cancel(self, request: HttpRequest) -> Response:
        """Stop a job."""
        job = await self.ask(lambda: self.service.jobs.cancel(request.path_params["job"]))
        return onward(request, f"/jobs/{job.id}")

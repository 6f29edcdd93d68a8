"""The catalogue's pages: works and their terms, what was added, what is alike, what was taken down."""

from typing import Any

from markupsafe import Markup
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from musai.music import Phrase
from musai.report import roll_svg
from musai.report.works import work_record
from musai.web.api import converted
from musai.web.api_files import import_upload
from musai.web.api_shapes import AllWorksQuery, TakedownBody
from musai.web.desk import Desk, active, asked, form_of, json_text, onward, query_of
from musai.web.sounds import beginning, sounds_of
from musai.web.uploads import receive


class CataloguePages(Desk):
    """Handlers below /catalogue."""

    def routes(self) -> list[BaseRoute]:
        """Their addresses; those with fixed words come before those with names."""
        work = "/catalogue/{corpus}/{work}"
        return [
            Route("/catalogue", self.list),
            Route("/catalogue/import", self.import_form),
            Route("/catalogue/import", self.import_files, methods=["POST"]),
            Route("/catalogue/use", self.use, methods=["POST"]),
            Route("/catalogue/duplicates", self.duplicates),
            Route("/catalogue/duplicates", self.count, methods=["POST"]),
            Route("/catalogue/takedowns", self.takedowns),
            Route(work, self.work),
            Route(work + "/takedown", self.consequences),
            Route(work + "/takedown", self.takedown, methods=["POST"]),
            Route(work + "/terms", self.terms, methods=["POST"]),
        ]

    async def list(self, request: HttpRequest) -> Response:
        """Works: search, filter, sort."""
        query = asked(request, AllWorksQuery)
        values = {n: getattr(query, n) for n in query.__struct_fields__ if n != "corpus"}
        catalogue = self.service.catalogue

        def found() -> dict[str, Any]:
            corpus = self.known(query.corpus) if query.corpus else None
            # A status asked for without a use is that of any: the list has no such filter.
            if values["status"] is None or values["use"] is None:
                values.update(use=None, status=None)
            return {
                "corpora": catalogue.corpora(),
                "found": catalogue.works(corpus, **values),
                "facets": catalogue.facets(corpus),
                "in_use": self.in_use,
            }

        shown = await self.ask(found)
        return await self.page(
            request, "catalogue.html.j2", asked=query, query=query_of(request), **shown
        )

    async def work(self, request: HttpRequest) -> Response:
        """One work."""
        corpus = await self.corpus(request)
        asked(request, AllWorksQuery)
        found = await self.ask(
            lambda: self.service.catalogue.work(corpus, request.path_params["work"])
        )

        def drawn() -> tuple[Markup, str]:
            phrase: Phrase = beginning(self.service.catalogue.phrase(corpus, found.work.id))
            picture = roll_svg(phrase, role="work", title=found.row.title)
            return Markup(picture), json_text(sounds_of(phrase))

        picture, sounds = await self.ask(drawn)
        return await self.page(
            request,
            "work.html.j2",
            corpus=corpus,
            found=found,
            told=work_record(found.work),
            picture=picture,
            sounds=sounds,
        )

    async def consequences(self, request: HttpRequest) -> Response:
        """What a takedown would touch, before it is done."""
        corpus = await self.corpus(request)
        asked(request, AllWorksQuery)
        work = request.path_params["work"]
        found = await self.ask(lambda: self.service.catalogue.consequences(corpus, work))
        return await self.page(request, "takedown.html.j2", corpus=corpus, found=found)

    async def takedown(self, request: HttpRequest) -> Response:
        """Take it down."""
        corpus = await self.corpus(request)
        asked(request, AllWorksQuery)
        form = await form_of(request)
        said = converted(
            {name: form.get(name, "").strip() for name in ("who", "reason")},
            TakedownBody,
            "the form",
        )
        work = request.path_params["work"]
        await self.ask(
            lambda: self.service.catalogue.takedown(corpus, work, reason=said.reason, who=said.who)
        )
        return onward(request, "/catalogue/takedowns")

    async def terms(self, request: HttpRequest) -> Response:
        """New terms for one use."""
        corpus = await self.corpus(request)
        asked(request, AllWorksQuery)
        form = await form_of(request)
        work = request.path_params["work"]
        names = ("who", "use", "status", "reason", "attribution", "quote")
        values = {name: form.get(name, "").strip() for name in names}
        await self.ask(lambda: self.service.catalogue.set_terms(corpus, [work], **values))
        return onward(request, f"/catalogue/{corpus}/{work}")

    async def import_form(self, request: HttpRequest) -> Response:
        """How works come in."""
        corpora = await self.ask(self.service.catalogue.corpora)
        jobs = active(self.service.jobs.list(), "import")
        return await self.page(request, "import.html.j2", corpora=corpora, jobs=jobs)

    async def import_files(self, request: HttpRequest) -> Response:
        """Files from the form."""
        upload = await receive(request, self.service.home)
        job = await self.ask(lambda: import_upload(self.service, upload))
        return onward(request, f"/jobs/{job.id}")

    async def use(self, request: HttpRequest) -> Response:
        """Compare with a corpus from now on."""
        form = await form_of(request)
        name = await self.ask(lambda: self.known(form.get("corpus", "")))
        await self.ask(lambda: self.service.use(name))
        return onward(request, "/match")

    async def duplicates(self, request: HttpRequest) -> Response:
        """Works that are nearly the same."""
        catalogue = self.service.catalogue

        def found() -> list[tuple[str, Any]]:
            return [
                (row.name, catalogue.duplicates(row.name))
                for row in catalogue.corpora()
                if not row.fault
            ]

        jobs = active(self.service.jobs.list(), "duplicates")
        return await self.page(
            request, "duplicates.html.j2", found=await self.ask(found), jobs=jobs
        )

    async def count(self, request: HttpRequest) -> Response:
        """Count them."""
        form = await form_of(request)
        name = await self.ask(lambda: self.known(form.get("corpus", "")))
        job = await self.ask(lambda: self.service.tasks.count_duplicates(name))
        return onward(request, f"/jobs/{job.id}")

    async def takedowns(self, request: HttpRequest) -> Response:
        """What was taken down."""
        found = await self.ask(self.service.catalogue.takedowns)
        return await self.page(request, "takedowns.html.j2", found=found)

"""The page's routes, put together over a service.  No state of its own."""

import mimetypes
from collections.abc import Iterable
from functools import cache

import msgspec
from anyio.to_thread import run_sync as in_thread
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

import musai
from musai.errors import MusaiError, NotFound
from musai.music import Phrase
from musai.report import from_plain, render_html, roll_svg
from musai.report.html import policy
from musai.report.lights import light_svg
from musai.report.roll import picture_policy
from musai.report.wording import LIGHTS
from musai.service.interface import ServiceLike
from musai.web.guard import LOOPBACK, Guard
from musai.web.messages import MAX_NOTES, ranges
from musai.web.stream import Conversation


def create_app(service: ServiceLike, *, hosts: Iterable[str] = LOOPBACK) -> Starlette:
    """The page over `service`; `hosts` are the names under which it may be asked for."""
    # Windows keeps its own table of types, in which scripts are often plain text.
    mimetypes.add_type("text/javascript", ".js")
    mimetypes.add_type("text/css", ".css")
    mimetypes.add_type("image/svg+xml", ".svg")
    pages = Pages(service)
    return Starlette(
        routes=[
            Route("/", pages.index),
            Route("/api/describe", pages.describe),
            Route("/phrases/{id}.mid", pages.midi),
            Route("/phrases/{id}.svg", pages.picture),
            Route("/reports/{id}.json", pages.report_json),
            Route("/reports/{id}", pages.report_html),
            WebSocketRoute("/stream", pages.stream),
            Mount("/static", StaticFiles(packages=[("musai.web", "static")])),
            Mount("/design", StaticFiles(packages=[("musai.report", "design")])),
        ],
        middleware=[Middleware(Guard, hosts=hosts)],
        exception_handlers={MusaiError: _refused},
    )


class Pages:
    """The handlers; each asks the service and says what it said."""

    def __init__(self, service: ServiceLike) -> None:
        self._service = service

    async def index(self, request: HttpRequest) -> Response:
        """The page itself."""
        return HTMLResponse(index_page(), headers={"Cache-Control": "no-cache"})

    async def describe(self, request: HttpRequest) -> Response:
        """What the service is and how it is doing."""
        return JSONResponse(await in_thread(self._service.describe))

    async def midi(self, request: HttpRequest) -> Response:
        """A phrase as a standard MIDI file."""
        phrase = await self._phrase(request)
        name = f"musai-{phrase.id[:8]}.mid"
        return Response(
            phrase.to_midi(),
            media_type="audio/midi",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def picture(self, request: HttpRequest) -> Response:
        """A phrase as a piano roll."""
        picture = roll_svg(await self._phrase(request), standalone=True)
        rules = {"Content-Security-Policy": picture_policy()}
        return Response(picture, media_type="image/svg+xml", headers=rules)

    async def report_json(self, request: HttpRequest) -> Response:
        """The report of a phrase as JSON."""
        values = await in_thread(self._service.report, _id(request))
        return Response(msgspec.json.encode(values), media_type="application/json")

    async def report_html(self, request: HttpRequest) -> Response:
        """The report of a phrase as a page of its own."""

        def made() -> str:
            return render_html(from_plain(self._service.report(_id(request))))

        page = await in_thread(made)
        rules = f"{policy()}; frame-ancestors 'none'"
        return HTMLResponse(page, headers={"Content-Security-Policy": rules})

    async def stream(self, socket: WebSocket) -> None:
        """The conversation with an open page."""
        await Conversation(self._service, socket).run()

    async def _phrase(self, request: HttpRequest) -> Phrase:
        return await in_thread(self._service.phrase, _id(request))


@cache
def index_page() -> str:
    """The page's markup, filled in from the tables that the rest of musai uses."""
    environment = Environment(
        loader=PackageLoader("musai.web"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
    )
    settings = {
        "lights": {name: {"word": look.word, "means": look.means} for name, look in LIGHTS.items()},
        "ranges": ranges(),
        "notes": MAX_NOTES,
    }
    return environment.get_template("page.html.j2").render(
        version=musai.__version__,
        settings=msgspec.json.encode(settings).decode(),
        lights={name: Markup(light_svg(name)) for name in LIGHTS},
        ranges=settings["ranges"],
    )


def _id(request: HttpRequest) -> str:
    text: str = request.path_params["id"]
    if not 8 <= len(text) <= 64 or set(text) - set("0123456789abcdef"):
        raise HTTPException(404, "no such phrase")
    return text


async def _refused(request: HttpRequest, error: Exception) -> Response:
    """An error raised on purpose, in its own words (problem details, RFC 9457)."""
    status = 404 if isinstance(error, NotFound) else 422
    problem = {"title": type(error).__name__, "status": status, "detail": str(error)}
    return JSONResponse(problem, status, media_type="application/problem+json")

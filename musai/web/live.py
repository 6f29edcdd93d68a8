"""The live page and what it links to: the conversation, phrases as files and pictures, reports."""

from functools import cache
from typing import Any

import msgspec
from anyio.to_thread import run_sync as in_thread
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from musai.music import Phrase
from musai.report import from_plain, render_html, roll_svg
from musai.report.html import policy
from musai.report.lights import light_svg
from musai.report.roll import picture_policy
from musai.report.wording import LIGHTS
from musai.service.interface import DeskLike
from musai.transformer.instruments import PLAYERS
from musai.web.api import written
from musai.web.api_calls import jam_number
from musai.web.api_files import midi
from musai.web.messages import MAX_NOTES, ranges
from musai.web.rendering import markup, page
from musai.web.reviewer import Reviewer
from musai.web.stream import Conversation


class LivePages:
    """The handlers; each asks the service and says what it said."""

    def __init__(self, service: DeskLike) -> None:
        self._service = service

    def routes(self) -> list[BaseRoute]:
        """Their addresses."""
        return [
            Route("/", self.index),
            Route("/jams", self.jams),
            Route("/jams/{jam}", self.jam),
            Route("/phrases/{id}.mid", self.midi),
            Route("/phrases/{id}.svg", self.picture),
            Route("/reports/{id}.json", self.report_json),
            Route("/reports/{id}", self.report_html),
            WebSocketRoute("/stream", self.stream),
        ]

    async def index(self, request: HttpRequest) -> Response:
        """The page itself."""
        return HTMLResponse(index_page(), headers={"Cache-Control": "no-cache"})

    async def jams(self, request: HttpRequest) -> Response:
        """The jams of this server."""
        return page(request, "jams.html.j2", jams=self._service.jams.rows())

    async def jam(self, request: HttpRequest) -> Response:
        """One of them as it happens."""
        row = self._service.jams.get(jam_number(request.path_params["jam"]))
        return page(request, "jam.html.j2", jam=row, parts=("any", *PLAYERS))

    async def midi(self, request: HttpRequest) -> Response:
        """A phrase as a standard MIDI file."""
        phrase = await self._phrase(request)
        return midi(phrase, f"musai-{phrase.id[:8]}.mid")

    async def picture(self, request: HttpRequest) -> Response:
        """A phrase as a piano roll."""
        picture = roll_svg(await self._phrase(request), standalone=True)
        rules = {"Content-Security-Policy": picture_policy()}
        return Response(picture, media_type="image/svg+xml", headers=rules)

    async def report_json(self, request: HttpRequest) -> Response:
        """The report of a phrase as JSON."""
        return written(await in_thread(self._service.report, _id(request)))

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
    settings: dict[str, Any] = {
        "lights": {name: {"word": look.word, "means": look.means} for name, look in LIGHTS.items()},
        "ranges": ranges(),
        "notes": MAX_NOTES,
    }
    return markup(
        "page.html.j2",
        here="/",
        reviewer=Reviewer(),
        settings=msgspec.json.encode(settings).decode(),
        lights={name: Markup(light_svg(name)) for name in LIGHTS},
        ranges=settings["ranges"],
    )


def _id(request: HttpRequest) -> str:
    text: str = request.path_params["id"]
    if not 8 <= len(text) <= 64 or set(text) - set("0123456789abcdef"):
        raise HTTPException(404, "no such phrase")
    return text

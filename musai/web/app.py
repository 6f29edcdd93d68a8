"""The console and its API, put together over a service.  No state of its own."""

import mimetypes
from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from musai.errors import MusaiError
from musai.service.interface import DeskLike
from musai.web import api_table
from musai.web.desk_catalogue import CataloguePages
from musai.web.desk_compare import ComparePages
from musai.web.desk_match import MatchPages
from musai.web.desk_more import MorePages
from musai.web.entrance import Entrance
from musai.web.guard import LOOPBACK, Guard
from musai.web.limits import BodyLimit
from musai.web.live import LivePages
from musai.web.problems import refused


def create_app(service: DeskLike, *, hosts: Iterable[str] = LOOPBACK, token: str = "") -> Starlette:
    """The console over `service`; `hosts` are the names under which it may be asked for.

    With a `token` other machines may ask too, by any address of this one, and present it.
    """
    # Windows keeps its own table of types, in which scripts are often plain text.
    mimetypes.add_type("text/javascript", ".js")
    mimetypes.add_type("text/css", ".css")
    mimetypes.add_type("image/svg+xml", ".svg")
    desk = (CataloguePages, MatchPages, ComparePages, MorePages)
    pages: list[BaseRoute] = [route for kind in desk for route in kind(service).routes()]
    return Starlette(
        routes=[
            *api_table.routes(service),
            *pages,
            *LivePages(service).routes(),
            Mount("/static", StaticFiles(packages=[("musai.web", "static")])),
            Mount("/design", StaticFiles(packages=[("musai.report", "design")])),
        ],
        middleware=[
            Middleware(Guard, hosts=hosts, addresses=bool(token)),
            Middleware(Entrance, token=token),
            Middleware(BodyLimit),
        ],
        exception_handlers={
            MusaiError: refused,
            HTTPException: refused,
            OSError: refused,
            Exception: refused,
        },
    )

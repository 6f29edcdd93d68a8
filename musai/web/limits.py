"""How long a body may be, refused while it comes in and before anything of it is kept."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from musai.web.problems import refused

BODY = 2**20
"""Bytes of an ordinary body: a form, a few values in JSON."""

UPLOAD = 512 * 2**20
"""Bytes of all files that come in one upload."""

UPLOADS = ("/api/matches", "/api/imports", "/match", "/catalogue/import")
"""Where files may be sent to."""


class BodyLimit:
    """ASGI middleware: a longer body than its address takes ends in 413, read or unread."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = UPLOAD if scope["path"].rstrip("/") in UPLOADS else BODY
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if stated.isdigit() and int(stated) > most:
            answer = await refused(Request(scope), too_long(most))
            await answer(scope, receive, send)
            return
        await self._app(scope, _counted(receive, most), send)


def _counted(receive: Receive, most: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > most:
                raise too_long(most)
        return message

    return counted


def too_long(most: int) -> HTTPException:
    """What is said of a body that is longer than `most` bytes."""
    said = f"the body is longer than {most:,} bytes, which is the most that is taken here"
    return HTTPException(413, f"{said}; send fewer or smaller files", {"Connection": "close"})

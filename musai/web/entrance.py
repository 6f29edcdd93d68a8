"""The door for other machines: on loopback nobody is asked, from elsewhere the token opens.

It is the token of the OSC bridge (`musai serve --lan` prints it): a program sends it as
`Authorization: Bearer TOKEN`, a person types it once and a cookie of that browser keeps it.
"""

import hmac
import ipaddress
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from musai.web.problems import refused
from musai.web.rendering import page

COOKIE = "musai-token"
DOOR = "/enter"
OPEN = ("/static/", "/design/")
"""What everybody may have: style sheets and scripts as they are in the package."""

LONGEST = 4096
_YEAR = 365 * 24 * 3600
_REFUSED = 1008


class Entrance:
    """ASGI middleware; without a token only loopback is let in."""

    def __init__(self, app: ASGIApp, token: str = "") -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or self.lets_in(HTTPConnection(scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(_REFUSED, "this needs the server's token")(scope, receive, send)
        else:
            request = HttpRequest(scope, receive)
            await (await self._answer(request))(scope, receive, send)

    def lets_in(self, asked: HTTPConnection) -> bool:
        """Whether it comes from this machine, has the token, or wants what everybody may have."""
        if here(asked) or asked.url.path.startswith(OPEN):
            return True
        kind, _, told = asked.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self._is(told.strip()):
            return True
        return self._is(asked.cookies.get(COOKIE, ""))

    def _is(self, told: str) -> bool:
        return bool(self._token) and hmac.compare_digest(told.encode(), self._token.encode())

    async def _answer(self, request: HttpRequest) -> Response:
        """The door itself for a person, a problem for a program."""
        wants = "text/html" in request.headers.get("accept", "")
        if not wants or request.url.path.startswith("/api/"):
            said = "another machine must present the token that musai serve --lan printed"
            return await refused(
                request, HTTPException(401, said, {"WWW-Authenticate": 'Bearer realm="musai"'})
            )
        wrong = False
        if request.method == "POST" and request.url.path == DOOR:
            told = await _typed(request)
            if self._is(told):
                answer = RedirectResponse("/", 303)
                answer.set_cookie(COOKIE, told, max_age=_YEAR, samesite="strict", httponly=True)
                return answer
            wrong = True
        return page(request, "door.html.j2", status=401, wrong=wrong, door=DOOR)


async def _typed(request: HttpRequest) -> str:
    """The token of the form; a body that is no such form holds none."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > LONGEST:
            return ""
    fields = parse_qs(data.decode("utf-8", "replace"), max_num_fields=8)
    return fields.get("token", [""])[0].strip()


def here(asked: HTTPConnection) -> bool:
    """Whether the other end is on this machine."""
    if asked.client is None:
        return False
    try:
        return ipaddress.ip_address(asked.client.host).is_loopback
    except ValueError:  # no address: a program that calls the app in its own process
        return asked.client.host == "testclient"

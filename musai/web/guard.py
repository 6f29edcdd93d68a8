"""Who may talk to the page's server, and what a browser may do with its answers.

A page on the user's own machine is reachable by every web site that the same
browser shows.  So: only requests whose `Host` is this machine's own name are
answered (a site that points its name at 127.0.0.1 is refused); what may change
something, and every WebSocket, must come from a page of this very server
(`Origin`); and each answer tells the browser to load nothing from elsewhere,
run nothing inline, and be shown in no other site's frame.
"""

import ipaddress
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_REFUSED = 1008


class Guard:
    """ASGI middleware that checks Host and Origin and adds the security headers."""

    def __init__(
        self, app: ASGIApp, hosts: Iterable[str] = LOOPBACK, addresses: bool = False
    ) -> None:
        """`addresses`: any plain address is a name of this server, as it is to a network; what a site points
        at this machine is never one."""
        self._app = app
        self._hosts = frozenset(hosts)
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self.refusal(headers, scope["type"], scope.get("method", "GET"))
        if refusal and scope["type"] == "websocket":
            await WebSocketClose(_REFUSED, refusal)(scope, receive, send)
        elif refusal:
            await _refusal(refusal)(scope, receive, send)
        else:
            await self._app(scope, receive, _Secured(send, headers["host"]))

    def refusal(self, headers: Headers, kind: str, method: str) -> str:
        """Why a request is not answered; empty where it is."""
        host = headers.get("host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if name.lower() not in self._hosts and not (self._addresses and _is_address(name)):
            return "this server answers only to its own machine: open it as 127.0.0.1"
        origin = headers.get("origin")
        if origin is None or (kind == "http" and method in SAFE_METHODS):
            # Programs that are not browsers send no Origin; browsers always do where it matters.
            site = headers.get("sec-fetch-site", "none")
            changes = kind == "websocket" or method not in SAFE_METHODS
            return "" if not changes or site in ("none", "same-origin") else _FOREIGN
        return "" if origin.lower() == f"http://{host.lower()}" else _FOREIGN


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _refusal(said: str) -> JSONResponse:
    """Problem details; the console's own error page is only for those who may see the console."""
    problem = {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": said}
    return JSONResponse(problem, 403, media_type="application/problem+json")


_FOREIGN = "this comes from another site's page"


class _Secured:
    """A `send` that adds headers to the start of each answer."""

    def __init__(self, send: Send, host: str) -> None:
        self._send = send
        self._host = host

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in security_headers(self._host).items():
                headers.setdefault(name, value)
        await self._send(message)


def security_headers(host: str) -> dict[str, str]:
    """What every answer carries; a route may set its own policy before."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        # Some browsers do not count ws: as 'self'; the host was checked already.
        "connect-src": f"'self' ws://{host}",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "midi=(self), camera=(), microphone=(), geolocation=()",
        # Not "no-referrer": under that a browser's own forms come with the origin "null".
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }

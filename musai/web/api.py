"""THE table of the HTTP API: method, address, what it takes and answers; checks and docs derive from it.

A row's call gets the service and the values asked for, already checked, and
runs in a thread; what it returns is written as JSON.  Errors are problem
details (RFC 9457).  Nothing here knows a person: on loopback there are no accounts.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from anyio.to_thread import run_sync as in_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from musai.errors import BadInput
from musai.service.interface import DeskLike
from musai.web.api_shapes import Nothing

Call = Callable[..., Any]
"""Called with the service, then by name: `query`, `body`, and what the address holds."""

Stream = Callable[[DeskLike, HttpRequest], Awaitable[Response]]
"""For what is no plain value: files in, files out, events."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row.  `answer` is a type, or a media type where the answer is a file."""

    method: str
    path: str
    name: str
    summary: str
    call: Call | None = None
    query: type = Nothing
    body: Any = None
    answer: Any = None
    status: int = 200
    stream: Stream | None = None
    files: tuple[str, ...] = ()
    """Text fields beside `files` in a multipart form; with none the row takes no files."""

    takes_files: bool = False
    errors: tuple[int, ...] = (404,)


def route(service: DeskLike, rows: Sequence[Endpoint]) -> Route:
    """All rows of one address as a route, so that what it refuses names every method it knows."""
    ends = {row.method: _endpoint(service, row) for row in rows}

    async def endpoint(request: HttpRequest) -> Response:
        return await ends["GET" if request.method == "HEAD" else request.method](request)

    return Route(rows[0].path, endpoint, methods=list(ends), name=rows[0].name)


def _endpoint(service: DeskLike, row: Endpoint) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def endpoint(request: HttpRequest) -> Response:
        query = asked(row, request)
        if row.stream is not None:
            return await row.stream(service, request)
        values = {**request.path_params}
        if row.query is not Nothing:
            values["query"] = query
        if row.body is not None:
            values["body"] = await body(row, request)
        call = row.call
        assert call is not None
        answer = await in_thread(lambda: call(service, **values))
        return written(answer, row.status)

    return endpoint


def written(answer: Any, status: int = 200) -> Response:
    """Plain values as JSON."""
    return Response(msgspec.json.encode(answer), status, media_type="application/json")


def asked(row: Endpoint, request: HttpRequest) -> Any:
    """The query, checked.  Raises `BadInput` naming the value at fault."""
    items = request.query_params.multi_items()
    values = dict(items)
    if len(values) < len(items):
        raise BadInput("the query names something twice; legal is once")
    for name in request.path_params:
        check_id(name, str(request.path_params[name]))
    return converted(values, row.query, "the query")


def converted(values: Mapping[str, str], kind: type, what: str) -> Any:
    """Texts as the type says.  Raises `BadInput`."""
    bad = [name for name, value in values.items() if "\0" in value]
    if bad:
        raise BadInput(f"{what} has a NUL in {bad[0]!r}; legal is text")
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput(f"{what} cannot be used: {error}") from None


def check_id(name: str, value: str) -> None:
    """Raise 404 for what can be the name of nothing here, before anything looks for it."""
    if name in HEX and not (8 <= len(value) <= 64 and set(value) <= set("0123456789abcdef")):
        raise HTTPException(404, f"there is no {HEX[name]} {value[:70]!r}")
    if "\0" in value or len(value) > 200:
        raise HTTPException(404, f"nothing here is called {value[:70]!r}")


HEX = {"phrase": "phrase", "work": "work", "replay": "replay", "job": "job"}
"""Parts of addresses that are ids in hexadecimal, and what they are ids of."""


async def body(row: Endpoint, request: HttpRequest) -> Any:
    """The JSON body, checked.  Raises `BadInput`, or 415 for another kind of body."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "this takes a body of application/json")
    try:
        return msgspec.json.decode(await request.body(), type=row.body)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"the body cannot be used: {error}") from None

"""What went wrong, in its own words: problem details (RFC 9457) for programs, a page for people."""

import logging
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from musai.errors import Altered, BadInput, MusaiError, NoSpace, NotAllowed, NotFound, WorkerDied
from musai.web.guard import security_headers
from musai.web.rendering import page

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
STATUS: dict[type[MusaiError], int] = {
    NotFound: 404,
    NotAllowed: 403,
    BadInput: 422,
    NoSpace: 507,
    WorkerDied: 503,
    Altered: 500,
}
"""The status of each error raised on purpose; the nearest class counts."""


class Problem(msgspec.Struct, frozen=True):
    """Problem details: `title` names the kind of error, `detail` says what to do."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"


def status_of(error: Exception) -> int:
    """The status that an error is answered with."""
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, OSError):
        return HTTPStatus.INSUFFICIENT_STORAGE
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem_of(error: Exception) -> Problem:
    """An error as problem details."""
    status = status_of(error)
    if isinstance(error, HTTPException):
        return Problem(HTTPStatus(status).phrase, status, str(error.detail))
    if isinstance(error, OSError):
        said = f"the disk refused: {error.strerror or error}; nothing that was there is lost"
        return Problem("DiskRefused", status, f"{said}. Make room or allow writing, and try again")
    if isinstance(error, MusaiError):
        return Problem(type(error).__name__, status, str(error))
    log.error("a request could not be answered", exc_info=error)
    return Problem("Unexpected", 500, "something went wrong inside musai; its log says what")


async def refused(request: HttpRequest, error: Exception) -> Response:
    """The answer to a request that failed: as a page where a person asked for one."""
    problem = problem_of(error)
    headers = getattr(error, "headers", None)
    if _is_person(request):
        answer: Response = page(request, "problem.html.j2", status=problem.status, problem=problem)
    else:
        answer = JSONResponse(msgspec.to_builtins(problem), problem.status, media_type=MEDIA_TYPE)
    # An unexpected error is answered outside the guard, so what the guard adds is added here.
    answer.headers.update({**security_headers(request.headers.get("host", "")), **(headers or {})})
    return answer


def _is_person(request: HttpRequest) -> bool:
    path = request.url.path
    wants = "text/html" in request.headers.get("accept", "")
    return wants and not path.startswith("/api/")

"""What the console's pages share: how forms are read, where they lead, what the tables call things."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from anyio.to_thread import run_sync as in_thread
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response

from musai.errors import NotFound
from musai.service.interface import DeskLike
from musai.web import rendering
from musai.web.api import check_id, converted

Result = TypeVar("Result")
Handler = Callable[[HttpRequest], Awaitable[Response]]

JOB_WORDS = {
    "match": "Comparing files",
    "import": "Adding works",
    "duplicates": "Counting near-duplicates",
    "report": "Writing a report",
}
FORMAT_WORDS = {
    "html": "page",
    "pdf": "PDF",
    "csv": "table (CSV)",
    "json": "JSON",
    "midi": "excerpts (MIDI)",
}
ACTIVE = ("waiting", "running")


def active(jobs: list[Any], *kinds: str) -> list[Any]:
    """Jobs of some kinds that are not done, and the failed: what a page shows of the queue."""
    return [job for job in jobs if job.kind in kinds and job.state in (*ACTIVE, "failed")]


class Desk:
    """Base of the pages' handlers, over one service."""

    def __init__(self, service: DeskLike) -> None:
        self.service = service

    async def page(self, request: HttpRequest, template: str, **values: Any) -> Response:
        """A page; it is made in a thread, since what it shows may be read from disk."""
        return await in_thread(
            lambda: rendering.page(
                request, template, job_words=JOB_WORDS, format_words=FORMAT_WORDS, **values
            )
        )

    async def ask(self, call: Callable[[], Result]) -> Result:
        """What a use-case answers, asked in a thread."""
        return await in_thread(call)

    async def corpus(self, request: HttpRequest) -> str:
        """The corpus that the address names.  Raises `NotFound`: it is a name, never a path."""
        name: str = request.path_params["corpus"]
        return await in_thread(self.known, name)

    def known(self, name: str) -> str:
        """The name of a corpus that is here.  Raises `NotFound`."""
        if all(row.name != name for row in self.service.catalogue.corpora()):
            raise NotFound(f"there is no corpus {name[:70]!r} here")
        return name

    @property
    def in_use(self) -> list[str]:
        """Names of the corpora that phrases are compared with."""
        return [row["name"] for row in self.service.describe()["corpora"]]


def asked(request: HttpRequest, kind: type) -> Any:
    """The query of a page; what is empty is as good as absent.  Raises `BadInput`."""
    for name, value in request.path_params.items():
        check_id(name, str(value))
    values = {name: value for name, value in request.query_params.items() if value}
    known = set(kind.__struct_fields__)  # type: ignore[attr-defined]
    return converted({k: v for k, v in values.items() if k in known}, kind, "the address")


def query_of(request: HttpRequest) -> dict[str, str]:
    """The query as links go on with it."""
    return {name: value for name, value in request.query_params.items() if value}


async def form_of(request: HttpRequest) -> Mapping[str, Any]:
    """A form's text fields; a field sent several times is a list under its name and `[]`."""
    form = await request.form(max_files=0, max_fields=100)
    texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    lists: dict[str, Any] = {}
    for name, value in texts:
        lists.setdefault(f"{name}[]", []).append(value)
    return {**dict(texts), **lists}


def onward(request: HttpRequest, path: str) -> Response:
    """The way to the next page after a form."""
    return RedirectResponse(path, 303)


def own_path(text: str, otherwise: str) -> str:
    """A path of this server, or `otherwise`: an address from outside leads nowhere."""
    parts = urlsplit(text)
    plain = text.startswith("/") and not text.startswith(("//", "/\\")) and "\\" not in text
    clean = plain and not parts.scheme and not parts.netloc and text.isprintable()
    return text if clean else otherwise


def json_text(value: Any) -> str:
    """Plain values as text for an attribute of the page."""
    return msgspec.json.encode(value).decode()

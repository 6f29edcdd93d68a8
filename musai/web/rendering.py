"""Templates -> pages: one environment for all, everything escaped, the report's own pieces at hand."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse

import musai
from musai.report import names, wording
from musai.report.lights import light_svg
from musai.report.svg import printable
from musai.web.reviewer import reviewer_of

PLACES = (
    ("/", "Live"),
    ("/jams", "Jams"),
    ("/catalogue", "Catalogue"),
    ("/match", "Match"),
    ("/judgements", "Judgements"),
    ("/sessions", "Sessions"),
    ("/reports", "Reports"),
    ("/models", "Models"),
    ("/changes", "Changes"),
)
"""The navigation: address and word, in the order in which they stand."""

TERM_SHAPES = {"allowed": "✓", "conditional": "§", "unclear": "?", "denied": "✕"}
"""A sign for each status of a use, so that colour is never all that tells them apart."""


def page(request: HttpRequest, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of the console."""
    about = {"here": request.url.path, "query": {}, "reviewer": reviewer_of(request)}
    text = markup(template, **(about | values))
    return HTMLResponse(text, status, headers={"Cache-Control": "no-store"})


def markup(template: str, **values: Any) -> str:
    """The text of a template with these values."""
    return _environment().get_template(template).render(**values)


def link(path: str, query: Mapping[str, Any], **changed: Any) -> str:
    """An address with the query as it is, some of it changed; what is empty is left out."""
    merged = {**query, **changed}
    kept = {k: v for k, v in merged.items() if v not in ("", None, False)}
    return f"{path}?{urlencode(kept)}" if kept else path


def _is_here(path: str, here: str) -> bool:
    return here == path or (path != "/" and here.startswith(path + "/"))


def _shown(value: object) -> object:
    """What a template prints; control characters in titles do not reach the page."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _lights() -> dict[str, Markup]:
    return {name: Markup(light_svg(name)) for name in wording.LIGHTS}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("musai.web"), PackageLoader("musai.report")]),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "version": musai.__version__,
        "places": PLACES,
        "is_here": _is_here,
        "say": names,
        "looks": wording.LIGHTS,
        "light": lambda name: _lights().get(name, _lights()["grey"]),
        "term_words": wording.TERM_WORDS,
        "term_shapes": TERM_SHAPES,
        "link": link,
    }
    environment.filters["segment"] = lambda text: quote(str(text), safe="")
    return environment

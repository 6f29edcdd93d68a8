"""Is this phrase like that work, and how surprising is it?

What matches is loaded when first asked for: who only reads matches starts without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from musai.match.hits import Chance, Common, Hit, Light, Matches, Verdict

if TYPE_CHECKING:
    from musai.match.matcher import Matcher, match_all
    from musai.match.versions import Version

__all__ = [
    "Chance",
    "Common",
    "Hit",
    "Light",
    "Matcher",
    "Matches",
    "Verdict",
    "Version",
    "match_all",
]

_HOMES = {"Matcher": "matcher", "match_all": "matcher", "Version": "versions"}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

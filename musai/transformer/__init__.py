"""The model: requests in, notes out.  Serving needs numpy; only training loads torch.

`Player` is loaded when first asked for: who only writes requests starts without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from musai.transformer.request import Request

if TYPE_CHECKING:
    from musai.transformer.player import Player

__all__ = ["Player", "Request"]


def __getattr__(name: str) -> object:
    if name == "Player":
        return import_module("musai.transformer.player").Player
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

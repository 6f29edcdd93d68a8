"""musai plays music with you and says what it sounds like.

The public names are few: ``Phrase``, ``Corpus``, ``Matcher``, ``Player`` and
``Request``.  They are loaded when first asked for, so importing ``musai``
costs nothing and never imports torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from musai.corpus import Corpus
    from musai.match import Matcher
    from musai.music import Phrase
    from musai.transformer import Player, Request

__version__ = "0.1.0"
__all__ = ["Corpus", "Matcher", "Phrase", "Player", "Request", "__version__"]

_HOMES = {
    "Corpus": "musai.corpus",
    "Matcher": "musai.match",
    "Phrase": "musai.music",
    "Player": "musai.transformer",
    "Request": "musai.transformer",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'musai' has no attribute {name!r}")

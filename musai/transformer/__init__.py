"""The model: requests in, notes out.  Serving needs numpy; only training loads torch."""

from musai.transformer.player import Player
from musai.transformer.request import Request

__all__ = ["Player", "Request"]

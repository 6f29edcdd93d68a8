"""The page: play two bars, hear an answer in time, see what it resembles.  Loopback, offline."""

from musai.web.app import create_app
from musai.web.server import PageServer

__all__ = ["PageServer", "create_app"]

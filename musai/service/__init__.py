"""The use-cases: generate, match, record, replay, report.

`Service` is loaded when first asked for, so that a worker process, which
needs this package for its messages only, starts without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from musai.service.core import Service
    from musai.service.interface import ServiceLike

__all__ = ["Service", "ServiceLike"]

_HOMES = {"Service": "musai.service.core", "ServiceLike": "musai.service.interface"}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'musai.service' has no attribute {name!r}")

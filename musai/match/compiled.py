"""The loops of `kernels.py`, compiled once per machine and kept under the home folder."""

import contextlib
import functools
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musai.folders import home
from musai.match import kernels as plain
from musai.match import votes, whole_loops

_lock = threading.Lock()

_LOOPS: dict[str, Callable[..., Any]] = {
    "skyline": plain.skyline,
    "worths": plain.worths,
    "levels": plain.levels,
    "forward": whole_loops.forward,
    "backward": whole_loops.backward,
    "likeliest": whole_loops.likeliest,
    "vote": votes.vote,
}

_SOURCES = (
    "emitter",
    "kernels",
    "many",
    "segment",
    "streams",
    "told",
    "vectors",
    "votes",
    "whole_loops",
)
"""Modules whose text goes into the loops, be it only a constant."""


@dataclass(frozen=True, slots=True)
class Kernels:
    """The compiled loops; same arguments as their namesakes in `kernels.py`."""

    sweep: Callable[..., None]
    lies: Callable[..., None]
    trace: Callable[..., Any]
    skyline: Callable[..., int]
    worths: Callable[..., Any]
    levels: Callable[..., None]
    forward: Callable[..., float]
    backward: Callable[..., None]
    likeliest: Callable[..., float]
    vote: Callable[..., None]


def _written() -> str:
    """Digits for what the loops are made of: numba itself looks at one file of a loop only."""
    here = Path(__file__).parent
    texts = (here / f"{name}.py" for name in _SOURCES)
    return hashlib.sha256(b"".join(text.read_bytes() for text in texts)).hexdigest()[:12]


@functools.cache
def kernels() -> Kernels:
    """Compile, or load from the cache under the home folder (0.1 s once it is warm)."""
    # numba costs half a second to import, so that happens at first use, not at import.
    import numba
    from numba.core import config as settings

    config: Any = settings

    with _lock:
        before = config.CACHE_DIR
        folder = home() / "cache" / "kernels" / _written()
        # Whoever set numba's own variable decides; in a home that cannot be written numba
        # keeps its cache where it can.
        with contextlib.suppress(OSError):
            if not before:
                folder.mkdir(parents=True, exist_ok=True)
                config.CACHE_DIR = str(folder)
        try:
            made = {name: numba.njit(nogil=True, cache=True)(loop) for name, loop in _LOOPS.items()}
            from musai.match import many, vectors

        finally:
            config.CACHE_DIR = before
    return Kernels(sweep=vectors.sweep, lies=many.lies, trace=many.trace, **made)

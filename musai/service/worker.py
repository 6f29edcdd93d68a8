"""The worker processes' entry: `python -m musai.service.worker ROLE ...`.

Speaks frames of `wire` on what were its standard input and output.  Imports
neither torch nor anything of the web; the role's module is imported here, so
that a player does not pay for a matcher.
"""

import os
import signal
import sys
from collections.abc import Sequence

from musai.service.child import BEHIND
from musai.service.pipes import Pipes

NICENESS = 5


def _own_pipes(tidies: bool) -> Pipes:
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb", buffering=0)
    # From here on a print, even one from native code, goes to standard error.
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor, not a file
        os.dup2(nothing.fileno(), 0)
    return Pipes(source, sink, tidies)


def main(arguments: Sequence[str]) -> None:
    """Run one role until the pipe closes."""
    # Ctrl-C reaches the whole terminal; the service decides when its workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    role, *rest = arguments
    # Music first: whoever plays, or looks at a page, while these work should not notice.
    if role in BEHIND and hasattr(os, "nice"):
        os.nice(NICENESS)
    # The builder has half a corpus in a folder of its own, and processes that read scores.
    pipes = _own_pipes(tidies=role == "build")
    if role == "play":
        from musai.service.playing import run_player

        run_player(pipes, *rest)
    elif role in ("match", "files"):
        from musai.service.matching import run_matcher

        run_matcher(pipes, *rest)
    elif role == "build":
        from musai.service.building import run_builder

        run_builder(pipes, *rest)
    else:
        raise SystemExit(f"no worker plays the role {role!r}")


if __name__ == "__main__":
    main(sys.argv[1:])

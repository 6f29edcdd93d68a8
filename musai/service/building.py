"""Getting a corpus ready: the tunebook itself, its index, its null, its style.  Also the builder's process."""

import contextlib
import time
from collections.abc import Callable
from typing import Any, Protocol

from filelock import FileLock

from musai import folders
from musai.errors import NotFound
from musai.service import wire
from musai.service.pipes import Pipes
from musai.service.playing import load, reason_of

PAUSE = 0.1
"""Seconds between two reports of progress."""

Tell = Callable[[str, float, str], None]
"""Called with the stage ("corpus", "index", "null", "style"), how far it is (0 to 1), and a word on it."""


class PreparerLike(Protocol):
    """What builds: `build` makes the corpus, `prepare` its index and null."""

    def build(self, name: str, tell: Tell) -> None:
        """Make the corpus of this name where it is missing.  Raises `NotFound` for one that
        cannot be made."""

    def prepare(self, name: str, tell: Tell) -> None:
        """Make its index, its null, its style and a guard's table where they are missing or old."""


class Preparer:
    """The real one: music21's scores, and the matcher's own index and null."""

    def build(self, name: str, tell: Tell) -> None:
        """The tunebook alone can be made; another corpus is its owner's to add."""
        from musai.corpus import Corpus, folder_of
        from musai.corpus.tunebook import NAME, build_tunebook

        if name != NAME:
            raise NotFound(f"no corpus {name!r}; make it with: musai corpus add PATH --name {name}")
        places = folders.home() / "corpora"
        places.mkdir(parents=True, exist_ok=True)
        # A server and a demo may both find it missing: the second waits and finds it there.
        with FileLock(places / f".{name}.lock"):
            with contextlib.suppress(NotFound):
                Corpus.open(name)
                return
            tell("corpus", 0.0, "")
            build_tunebook(
                folder_of(name), lambda done, total, what: tell("corpus", done / total, what)
            )

    def prepare(self, name: str, tell: Tell) -> None:
        """Open a matcher, a style and a guard that build what they lack."""
        from musai.corpus import Corpus
        from musai.match import Matcher
        from musai.match.guard import SUGGESTED, Guard
        from musai.style import Style

        def progress(done: int, total: int, what: str) -> None:
            stage = what.split()[0] if what.startswith(("null", "style")) else "index"
            tell(stage, done / max(1, total), what)

        Matcher.open(name, null="build", progress=progress)
        # Last, and counted in seconds: no light waits for them that did not wait for the null.
        Style.open(Corpus.open(name), progress)
        # The first answer under a guard would wait for its table else, sixteen seconds of four million notes.
        Guard.open(SUGGESTED, name)


def open_matcher(name: str) -> Any:
    """A matcher that is there at once, or soon: its null, if missing, is the builder's affair."""
    from musai.match import Matcher

    return Matcher.open(name, null="there")


def run_builder(pipes: Pipes, factory: str) -> None:
    """Serve until the pipe closes.  `factory` is "module:callable" and makes a `PreparerLike`."""
    preparer: PreparerLike = load(factory)()
    pipes.say(wire.Ready({}, {}))
    while True:
        command = pipes.next()
        if isinstance(command, wire.Build):
            pipes.say(_built(pipes, preparer, command))


def _built(pipes: Pipes, preparer: PreparerLike, command: wire.Build) -> wire.Built:
    last = 0.0

    def tell(stage: str, fraction: float, text: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PAUSE or fraction >= 1:
            last = now
            pipes.say(wire.Progress(command.corpus, stage, fraction, text))

    try:
        step = preparer.build if command.part == "corpus" else preparer.prepare
        step(command.corpus, tell)
    except Exception as error:
        return wire.Built(command.corpus, reason_of(error))
    return wire.Built(command.corpus, "")

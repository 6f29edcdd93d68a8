"""The style of phrases in the matcher's process: told beside the light, which never waits for it.

A corpus's style is opened aside once the first phrase is answered, and only
where its features have been counted already.  A comparison that takes longer than
`PATIENCE` goes on by itself, warming what it reads; that phrase is recorded
without a style, with why.
"""

import importlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from musai.service.playing import reason_of

PATIENCE = 0.05
"""Seconds that an answer may be held up by its style."""

OPENING = "style is being opened"
BUSY = "style is still being read; later phrases are told by it"
UNCOUNTED = "the style of this corpus has not been counted: musai style counts it"


class _Task:
    """A function's result from a thread that ends with the process."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self.result: Any = None
        self.why = ""
        self._thread = threading.Thread(target=self._run, name="musai-style", daemon=True)
        self._thread.start()

    def done(self, seconds: float | None) -> bool:
        """Wait, with None until the end; whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.result = self._work()
        except (ImportError, AttributeError) as error:
            self.why = f"style cannot be told here: {error}"
        except Exception as error:
            self.why = reason_of(error)


class Styles:
    """What each corpus says of a phrase's style, by `module`'s `Style.open` and its `compare`."""

    def __init__(self, module: str = "musai.style", patience: float = PATIENCE) -> None:
        self._module, self._patience = module, patience
        self._opened: dict[str, _Task] = {}
        self._asked: dict[str, _Task] = {}

    def open_behind(self, corpus: Any) -> None:
        """Begin to open a corpus's style; asking again for the same state of it does nothing."""
        if corpus.id not in self._opened and counted(corpus):
            self._opened[corpus.id] = _Task(lambda: self._open(corpus))

    def wait(self) -> None:
        """Wait until all that was begun has ended."""
        for task in [*self._opened.values(), *self._asked.values()]:
            task.done(None)

    def of(self, corpus: Any, phrase: Any) -> tuple[Any, str]:
        """What a corpus's style says of a phrase, or None and why."""
        opened = self._opened.get(corpus.id)
        if opened is None:
            return None, OPENING if counted(corpus) else UNCOUNTED
        if not opened.done(0) or opened.result is None:
            return None, opened.why or OPENING
        last = self._asked.get(corpus.id)
        if last is not None and not last.done(0):
            return None, BUSY
        style = opened.result
        task = self._asked[corpus.id] = _Task(lambda: style.compare(phrase))
        if not task.done(self._patience):
            return None, BUSY
        return task.result, task.why

    def _open(self, corpus: Any) -> Any:
        return importlib.import_module(self._module).Style.open(corpus)


def counted(corpus: Any) -> bool:
    """Whether features lie beside the corpus's index; counting them takes too long to do in passing."""
    return any((Path(corpus.path) / "index" / "style").glob("*.npz"))

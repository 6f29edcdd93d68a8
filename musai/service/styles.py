"""The style of phrases in the matcher's process: opened after the first answer, aside.

Opening a corpus's style may take a while, and the light must not wait for
it; so it is opened in a thread once the first phrase is answered, and phrases
before that, or where it cannot be opened, are recorded without, with why.
"""

import importlib
import threading
from typing import Any

from musai.service.playing import reason_of

OPENING = "style is being opened"


class Styles:
    """What each corpus says of a phrase's style, where `musai.style` is there and has it cached.

    `module` holds `Style.open(corpus)`, whose `overlap(phrase)` is asked.
    """

    def __init__(self, module: str = "musai.style") -> None:
        self._module = module
        self._held: dict[str, Any] = {}
        self._why: dict[str, str] = {}
        self._threads: list[threading.Thread] = []

    def open_behind(self, name: str, corpus: Any) -> None:
        """Begin to open a corpus's style; asking again for the same state of it does nothing."""
        key = self._key(name, corpus)
        if key in self._why or key in self._held:
            return
        self._why[key] = OPENING
        thread = threading.Thread(target=self._open, args=(key, corpus), daemon=True)
        self._threads.append(thread)
        thread.start()

    def wait(self) -> None:
        """Wait until all that was begun is open, or is known not to be."""
        for thread in self._threads:
            thread.join()

    def of(self, name: str, corpus: Any, phrase: Any) -> tuple[Any, str]:
        """The overlap of a phrase with a corpus's styles, or None and why."""
        key = self._key(name, corpus)
        held = self._held.get(key)
        if held is None:
            return None, self._why.get(key, OPENING)
        try:
            return held.overlap(phrase), ""
        except Exception as error:
            return None, reason_of(error)

    def _open(self, key: str, corpus: Any) -> None:
        try:
            self._held[key] = importlib.import_module(self._module).Style.open(corpus)
        except (ImportError, AttributeError) as error:
            self._why[key] = f"style cannot be told here: {error}"
        except Exception as error:
            self._why[key] = reason_of(error)

    @staticmethod
    def _key(name: str, corpus: Any) -> str:
        return f"{name} {corpus.id}"

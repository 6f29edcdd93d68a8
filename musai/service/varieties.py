"""The sameness gauge, live: how varied the last takes of a session are, told with each comparison.

Takes are remembered by their figures; what they are measured by, passages of the first corpus in
use, is made once in a thread behind, so that no take waits for it: until then nothing is told.
"""

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple

from musai.audit.sameness import Gauge, Yardstick, gauge, length_of, yardstick
from musai.audit.variety import Take
from musai.errors import BadInput, MusaiError
from musai.ledger import Ledger
from musai.music import Phrase
from musai.service import records
from musai.service.shelves import Shelves

log = logging.getLogger(__name__)

LAST = 20
"""Takes of a session that the gauge looks at."""

FEWEST = 4
"""Fewer takes say nothing yet."""

SESSIONS = 64
"""Sessions that are remembered, the latest ones."""


class Told(NamedTuple):
    """How many takes were looked at, as many passages of the corpus are as varied, and a sentence."""

    takes: int
    varied_as: float | None
    sentence: str


UNKNOWN = Told(0, None, "")


class Varieties:
    """Any thread may call `heard`; it takes some milliseconds and waits for nobody."""

    def __init__(self, ledger: Ledger, shelves: Shelves, corpora: Callable[[], list[str]]) -> None:
        self._ledger, self._shelves, self._corpora = ledger, shelves, corpora
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, deque[Take]] = OrderedDict()
        self._sticks: dict[tuple[str, int], Yardstick | None] = {}

    def heard(self, session: str, phrase: Phrase) -> Told:
        """Take the next take of a session, which the ledger has already, and say how varied it makes them."""
        try:
            with self._lock:
                takes = self._remembered(session, phrase)
            if len(takes) < FEWEST:
                return Told(len(takes), None, "")
            stick = self._stick(length_of([take.notes for take in takes]))
            if stick is None:
                return Told(len(takes), None, "")
            found: Gauge = gauge([take.figures for take in takes], stick)
        except MusaiError as error:
            log.info("no sameness is told of session %s: %s", session, error)
            return UNKNOWN
        return Told(found.takes, found.equals, found.sentence)

    def _remembered(self, session: str, phrase: Phrase) -> list[Take]:
        held = self._sessions.get(session)
        if held is None:
            held = deque(maxlen=LAST)
            for record in reversed(self._ledger.last(LAST, "phrase", session)):
                if record.payload is not None:
                    held.append(Take.of(records.phrase_of(record), session))
            self._sessions[session] = held
        elif len(phrase):
            held.append(Take.of(phrase, session))
        self._sessions.move_to_end(session)
        while len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)
        return [take for take in held if take.notes >= 3]

    def _stick(self, notes: int) -> Yardstick | None:
        """The yardstick, if it has been made; else it is begun."""
        name = next(iter(self._corpora()), None)
        if name is None:
            return None
        with self._lock:
            if (name, notes) in self._sticks:
                return self._sticks[name, notes]
            self._sticks[name, notes] = None
        maker = threading.Thread(
            target=self._make, args=(name, notes), name="musai-sameness", daemon=True
        )
        maker.start()
        return None

    def _make(self, name: str, notes: int) -> None:
        try:
            made = yardstick(self._shelves.corpus(name), notes)
            made.curve(LAST)
        except BadInput as error:
            log.info("no sameness is told by %s: %s", name, error)
            return
        except MusaiError as error:
            log.warning("no sameness is told by %s: %s", name, error)
            return
        with self._lock:
            self._sticks[name, notes] = made

"""The rights holder's side of the service: history, catalogues, jobs and reports, put together."""

import threading
from collections.abc import Callable
from datetime import datetime
from itertools import count
from pathlib import Path

from musai.ledger import Ledger
from musai.music import Phrase
from musai.service import wire
from musai.service.catalogues import Catalogues
from musai.service.comparing import Answer, Bench
from musai.service.crew import processes
from musai.service.history import History
from musai.service.jobs import Handle, Jobs
from musai.service.reports import Reports
from musai.service.shelves import Shelves
from musai.service.tasks import Tasks

LOOK = 0.2
"""Seconds between two looks at whether a job was cancelled while it waits for the matcher."""


class Rights:
    """What a rights holder's pages stand on; each part can be made alone as well."""

    def __init__(
        self, home: Path, ledger: Ledger, bench: Bench, clock: Callable[[], datetime]
    ) -> None:
        self.shelves = Shelves(home)
        self.history = History(ledger, self.shelves, clock)
        self.catalogue = Catalogues(self.shelves, ledger, self.history, clock)
        self.reports = Reports(self.history, self.catalogue, ledger, clock)
        self.jobs = Jobs(clock)
        self.tasks = Tasks(
            self.jobs, ledger, self.catalogue, FileComparer(bench), self.reports, clock
        )


class FileComparer:
    """Files through the bench, in processes of their own; a jam's phrases never wait for them.

    One more is asked for than there are processes, so that none of them waits for the disk.
    """

    at_once = processes() + 1

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        # Tickets are positive; what has no ticket counts down.
        self._numbers = count(-1, -1)

    def corpora_in_use(self) -> list[dict[str, str]]:
        """Name and id of every corpus that phrases are compared with now."""
        return self._bench.in_use

    def compare_file(self, phrase: Phrase, handle: Handle) -> Answer:
        """Compare a phrase and wait for the answer.  Raises `Cancelled`."""
        answered = threading.Event()
        answers: list[Answer] = []

        def hear(answer: Answer) -> None:
            answers.append(answer)
            answered.set()

        number = next(self._numbers)
        self._bench.compare(number, wire.PhraseWire.of(phrase), hear, thorough=True)
        while not answered.wait(LOOK):
            if handle.stop.is_set():
                self._bench.forget(number)
            handle.check()
        return answers[0]

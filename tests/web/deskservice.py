"""A service for the desk without processes: the real ledger, catalogue, jobs and matcher, in this one."""

import threading
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from musai.corpus import Corpus
from musai.errors import NotFound
from musai.match import Matcher
from musai.music import Phrase
from musai.report import to_plain
from musai.service import records
from musai.service.comparing import Answer
from musai.service.events import Failed, Finished
from musai.service.jams import JamBoard
from musai.service.jobs import Handle, Jobs
from musai.service.matching import compared
from musai.service.reporting import report_of
from musai.service.reports import Reports
from musai.service.tasks import Tasks
from tests.service.desk import World, world
from tests.web.fakes import FakeService


class Comparer:
    """The real matcher, asked in the job's own thread."""

    at_once = 1

    def __init__(self, home: Path) -> None:
        self.home = home
        self.names = ["reels"]
        self.gate: threading.Event | None = None

    def corpora_in_use(self) -> list[dict[str, str]]:
        return [{"name": n, "id": self._corpus(n).id} for n in self.names]

    def compare_file(self, phrase: Phrase, handle: Handle) -> Answer:
        while self.gate is not None and not self.gate.wait(0.02):
            handle.check()
        found = [
            compared(name, Matcher.open(self._corpus(name), references=(), null="there"), phrase)
            for name in self.names
        ]
        return Answer(found[0]["verdict"], found, 1.0)

    def _corpus(self, name: str) -> Corpus:
        return Corpus.open(self.home / "corpora" / name)


class DeskService(FakeService):
    """What `Service` gives the console, over a small world in a home folder."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.world: World = world(home)
        self.home = home
        self.ledger = self.world.ledger
        self.history, self.catalogue = self.world.history, self.world.catalogue
        self.jobs = Jobs(self.world.clock)
        self.comparer = Comparer(home)
        clock = self.world.clock
        self.reports = Reports(self.history, self.catalogue, self.ledger, clock)
        self.tasks = Tasks(
            self.jobs, self.ledger, self.catalogue, self.comparer, self.reports, clock
        )
        self.jams = JamBoard(clock)
        self.outcome = "identical"
        self._numbers = count(1)

    def describe(self) -> dict[str, Any]:
        corpora = [
            {"name": n, "id": None, "works": 2, "state": "ready", "progress": 1.0, "reason": ""}
            for n in self.comparer.names
        ]
        return super().describe() | {"corpora": corpora}

    def use(self, corpus: str) -> None:
        self.comparer.names = [*dict.fromkeys([*self.comparer.names, corpus])]

    def phrase(self, phrase_id: str) -> Phrase:
        return records.phrase_of(records.phrase_record(self.ledger, phrase_id))

    def report(self, phrase_id: str) -> dict[str, Any]:
        plain: dict[str, Any] = msgspec.to_builtins(
            to_plain(report_of(self.ledger, phrase_id, self.world.shelves))
        )
        return plain

    def keep(self, phrase_id: str, intent: str = "") -> None:
        self._decide(phrase_id, "kept")

    def discard(self, phrase_id: str) -> None:
        self._decide(phrase_id, "discarded")

    def _decide(self, phrase_id: str, decision: str) -> None:
        row = self.history.row(phrase_id)
        payload = {"phrase_id": row.phrase_id, "session": row.session, "decision": decision}
        self.ledger.append("decision", payload, utc=self.world.clock())

    def replay(self, replay_id: str, on_event: Any) -> int:
        ticket = next(self._numbers)
        if not self.ledger.find("replay_id", replay_id):
            raise NotFound(f"the ledger has no replay {replay_id[:8]}")
        if self.outcome:
            done = Finished(ticket, "a" * 64, replay_id, 8, 2, "b" * 8, 1.0, 2.0, self.outcome)
            on_event(done)
        else:
            on_event(Failed(ticket, "Altered", "the model is no longer the one that made it"))
        return ticket

    def close(self) -> None:
        self.jobs.close()
        self.ledger.close()

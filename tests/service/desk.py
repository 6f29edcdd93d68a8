"""A small world for the rights holder's side: a corpus of two tunes and a ledger of their matches."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from musai.corpus import Corpus, changes
from musai.corpus.work import Creator, Holder, Work
from musai.ledger import Ledger
from musai.music import Phrase
from musai.service.catalogues import Catalogues
from musai.service.history import History
from musai.service.matching import about, plain
from musai.service.shelves import Shelves
from tests.report.fixtures import QUOTE, TUNE, Hit, Verdict

OTHER = Phrase.from_notes(range(12), 1, [72, 60, 71, 61, 70, 62, 69, 63, 68, 64, 67, 65])
START = datetime(2026, 11, 25, 9, tzinfo=UTC)
REQUEST = {"mode": "generate", "bars": 4, "seed": 7, "context": None}


class Clock:
    """A second later at each look."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class World:
    home: Path
    ledger: Ledger
    shelves: Shelves
    history: History
    catalogue: Catalogues
    clock: Clock

    @property
    def corpus(self) -> Corpus:
        return self.shelves.corpus("reels")

    def work(self, title: str = "Der Müller") -> Work:
        return next(work for work in self.corpus.works if work.title == title)

    def phrase(self, phrase: Phrase = QUOTE, session: str = "tuesday", **more: Any) -> str:
        """A phrase made here, with its request; its id."""
        replay = f"{len(self.ledger):064x}"
        asked = {
            "replay_id": replay,
            "session": session,
            "model": "tiny",
            "model_id": "5" * 64,
            "corpus_id": "",
            "corpora": [],
            "request": {**REQUEST, **more},
            "made_with": {"numpy": "2.3"},
        }
        self.ledger.append("request", asked, utc=self.clock())
        made = {
            "phrase_id": phrase.id,
            "replay_id": replay,
            "session": session,
            "notes_id": phrase.notes_id,
            "midi": phrase.to_midi().hex(),
            "notes": len(phrase),
            "bars": 4,
        }
        self.ledger.append("phrase", made, utc=self.clock())
        return phrase.id

    def file(self, phrase: Phrase, name: str = "dropped.mid", session: str = "files") -> str:
        """A phrase read from a file; its id."""
        payload = {
            "phrase_id": phrase.id,
            "session": session,
            "name": name,
            "sha256": "0" * 64,
            "midi": phrase.to_midi().hex(),
            "notes": len(phrase),
            "bars": 4,
        }
        self.ledger.append("file", payload, utc=self.clock())
        return phrase.id

    def match(
        self,
        phrase_id: str,
        light: str = "amber",
        p: float | None = 0.0005,
        hits: tuple[Hit, ...] = (),
    ) -> None:
        """A comparison with the reels: by default the quoted tune is the one hit."""
        found = hits or (Hit(work_id=self.work().id, title="Der Müller"),)
        row = {
            "name": "reels",
            "id": self.corpus.id,
            "path": str(self.corpus.path),
            "works": len(self.corpus),
            "verdict": {**plain(Verdict(light=light, p_value=p)), "corpus": "reels"},
            "hits": [plain(hit) for hit in found],
            "spread": None,
            "style": None,
            "about": {
                hit.work_id: about(self.corpus, hit.work_id)
                for hit in found
                if hit.work_id in self.corpus
            },
        }
        payload = {"phrase_id": phrase_id, "verdict": row["verdict"], "corpora": [row]}
        self.ledger.append("match", payload, utc=self.clock())


def world(home: Path) -> World:
    """The world in a home folder; close its ledger."""
    works = (
        (TUNE, "Der Müller", "Schumann, Clara", "The Estate", "CC-BY-4.0"),
        (OTHER, "Äpfel & Birnen", "Trad.", "A Press", "CC0-1.0"),
    )
    additions = [
        (
            Work(
                id=phrase.notes_id,
                title=title,
                creators=(Creator(maker),),
                holders=(Holder(owner),),
                licence=licence,
                notes=len(phrase),
                source=f"reels/{title}.mid",
            ),
            phrase,
        )
        for phrase, title, maker, owner, licence in works
    ]
    changes.add_to(home / "corpora" / "reels", "reels", iter(additions))
    clock = Clock()
    ledger = Ledger.open(home / "ledger" / "ledger.sqlite")
    shelves = Shelves(home)
    history = History(ledger, shelves, clock)
    return World(home, ledger, shelves, history, Catalogues(shelves, ledger, history, clock), clock)


Judge = Callable[..., Any]

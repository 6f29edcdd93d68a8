"""A home with a model and a ledger of phrases, as the service would have written them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from musai.ledger import Ledger
from musai.service.evidencing import Evidence
from musai.service.records import request_payload
from musai.transformer import Player, Request
from tests.cli.conftest import write_model

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
REQUEST = Request(bars=2, seed=7, temperature=1.3)


class Home:
    """A home folder; `now` is what its clock says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOON
        self.model = write_model(folder / "models" / "random")
        self.player = Player.open(self.model)
        self.ledger = Ledger.open(folder / "ledger" / "ledger.sqlite")
        self.evidence = Evidence(folder, self.ledger, lambda: self.now)

    def play(self, request: Request = REQUEST, session: str = "s", **also: Any) -> str:
        """Ask for a phrase and record it; its id."""
        self.now += timedelta(seconds=1)
        about = {"name": str(self.model), "id": self.player.model_id}
        replay_id = request.replay_id(self.player.model_id)
        asked = request_payload(request, replay_id, session, about, "", [], {"musai": "0"})
        self.ledger.append("request", {**asked, **also}, utc=self.now)
        phrase = self.player.play(request)
        made = {"phrase_id": phrase.id, "replay_id": replay_id, "session": session}
        made |= {"midi": phrase.to_midi().hex(), "notes": len(phrase), "bars": phrase.bars}
        self.ledger.append("phrase", made, utc=self.now)
        return phrase.id

    def decide(self, phrase_id: str, decision: str, session: str = "s") -> None:
        """Keep or discard a take."""
        payload = {"phrase_id": phrase_id, "session": session, "decision": decision}
        self.ledger.append("decision", payload, utc=self.now)


def seeds(count: int) -> list[Request]:
    """Requests that differ in their seed."""
    return [replace(REQUEST, seed=seed) for seed in range(count)]


Homes = Callable[[], Home]

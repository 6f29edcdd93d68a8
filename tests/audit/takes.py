"""A sitting without a model: melodies from a seeded generator, in a ledger as the service writes them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from musai.ledger import Ledger
from musai.music import TICKS, Phrase, Voice
from musai.music.notes import notes_array

BAR = 4 * TICKS
UTC_NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def melody(seed: int, bars: int = 8, voices: int = 1) -> Phrase:
    """A tune of steps and leaps in C, with two kinds of rhythm, loudness by place in the bar."""
    rng = np.random.Generator(np.random.Philox(seed))
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    rows = []
    for voice in range(voices):
        at, degree = 0, 14 - 7 * voice
        while at < bars * BAR:
            length = int(rng.choice((240, 240, 480, 480, 720)))
            degree = int(np.clip(degree + rng.integers(-3, 4), 3, 25))
            pitch = 36 + 12 * (degree // 7) + int(scale[degree % 7])
            loud = 90 if at % BAR == 0 else 60 + int(rng.integers(20))
            rows.append((at, min(length, bars * BAR - at), pitch, loud, voice))
            at += length
    return Phrase(
        notes_array(*zip(*rows, strict=True)), voices=(Voice(),) * voices, length=bars * BAR
    )


class Desk:
    """Writes requests, phrases and decisions as the service does."""

    def __init__(self, path: Path, session: str = "sitting") -> None:
        self.ledger = Ledger.open(path)
        self.session = session
        self._replays = 0

    def take(self, phrase: Phrase, context: Phrase | None = None, **wishes: Any) -> Phrase:
        """A take asked for with this context."""
        self._replays += 1
        replay = f"{self._replays:064x}"
        midi = None if context is None else context.to_midi().hex()
        request = {"mode": "answer", "seed": 1, "bars": 8, "context": midi, **wishes}
        asked = {"replay_id": replay, "model_id": "m", "corpus_id": "", "made_with": {}}
        self._append("request", {**asked, "request": request})
        made = {"phrase_id": phrase.id, "replay_id": replay, "midi": phrase.to_midi().hex()}
        self._append("phrase", made)
        return phrase

    def decide(self, phrase: Phrase, decision: str, intent: str = "") -> None:
        """Keep or discard."""
        words = {"intent": intent} if intent else {}
        self._append("decision", {"phrase_id": phrase.id, "decision": decision, **words})

    def _append(self, kind: str, payload: dict[str, Any]) -> None:
        self.ledger.append(kind, {**payload, "session": self.session}, utc=UTC_NOW)

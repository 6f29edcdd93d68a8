"""A service that needs no model: it answers on a thread of its own, as the real one does."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from musai.errors import BadRequest, NotFound
from musai.music import TICKS, Metre, Phrase, Voice
from musai.report import build_report, to_plain
from musai.service.events import Compared, Event, Failed, Finished, Sounded, Started
from musai.transformer.controls import RANGES
from musai.transformer.request import Request

OnEvent = Callable[[Event], None]


@dataclass
class Made:
    request: Request
    phrase: Phrase
    replay_id: str


@dataclass
class FakeService:
    """Answers with a scale that depends on context and seed, `delay` seconds after being asked."""

    delay: float = 0.03
    light: Any = "green"
    refuse: str = ""
    model: str | None = "fake"
    made: dict[str, Made] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    cancelled: set[int] = field(default_factory=set)
    _tickets: int = 0
    _lock: Any = field(default_factory=threading.Lock)

    def submit(self, request: Request, on_event: OnEvent, *, session: str = "") -> int:
        self.calls.append(("submit", request))
        if self.refuse:
            raise BadRequest(self.refuse)
        return self._start(request, on_event, None)

    def again(self, phrase_id: str, on_event: OnEvent, *, session: str = "") -> int:
        self.calls.append(("again", phrase_id))
        return self._start(self._made(phrase_id).request.again(), on_event, None)

    def cancel(self, ticket: int) -> bool:
        self.calls.append(("cancel", ticket))
        self.cancelled.add(ticket)
        return True

    def keep(self, phrase_id: str, intent: str = "") -> None:
        self._made(phrase_id)
        self.calls.append(("keep", phrase_id))

    def discard(self, phrase_id: str) -> None:
        self._made(phrase_id)
        self.calls.append(("discard", phrase_id))

    def replay(self, replay_id: str, on_event: OnEvent) -> int:
        self.calls.append(("replay", replay_id))
        for made in self.made.values():
            if made.replay_id.startswith(replay_id):
                return self._start(made.request, on_event, "identical")
        raise NotFound(f"no replay {replay_id}")

    def describe(self) -> dict[str, Any]:
        return {
            "version": "0",
            "model": None if self.model is None else {"name": self.model, "id": "f" * 64},
            "corpora": [
                {
                    "name": "reels",
                    "id": None,
                    "works": 0,
                    "state": "building",
                    "progress": 0.4,
                    "reason": "",
                }
            ],
            "light": {"ready": False, "why": "the corpus is being built"},
            "workers": {"play": {"pid": 1, "state": "ready", "restarts": 0}},
            "waiting": 0,
            "ledger": {"records": len(self.made)},
            "limits": {name: [low, high] for name, (low, high, _) in RANGES.items()},
        }

    def report(self, phrase_id: str) -> dict[str, Any]:
        made = self._made(phrase_id)
        return to_plain(
            build_report(made.phrase, when="2026-11-20T12:00:00Z", name="Fake <answer>")
        )

    def phrase(self, phrase_id: str) -> Phrase:
        return self._made(phrase_id).phrase

    def close(self) -> None:
        self.calls.append(("close", None))

    def _made(self, phrase_id: str) -> Made:
        for known, made in self.made.items():
            if known.startswith(phrase_id):
                return made
        raise NotFound(f"the ledger has no phrase {phrase_id}")

    def _start(self, request: Request, on_event: OnEvent, replay: str | None) -> int:
        with self._lock:
            self._tickets += 1
            ticket = self._tickets
        arguments = (ticket, request, on_event, replay)
        threading.Thread(target=self._play, args=arguments, daemon=True).start()
        return ticket

    def _play(self, ticket: int, request: Request, on_event: OnEvent, replay: str | None) -> None:
        replay_id = request.replay_id("f" * 64)
        on_event(Started(ticket, replay_id))
        time.sleep(self.delay)
        rows = _answer(request)
        for index, (onset, pitch) in enumerate(rows):
            if ticket in self.cancelled:
                on_event(Failed(ticket, "Cancelled", "cancelled on request"))
                return
            on_event(Sounded(ticket, index, onset, TICKS // 2, pitch, 80, 0))
        metre = (
            Metre.of(request.tempo or 100.0) if request.context is None else request.context.metre
        )
        phrase = Phrase.from_notes(
            [onset / TICKS for onset, _ in rows],
            0.5,
            [pitch for _, pitch in rows],
            80,
            metre=metre,
            names=(Voice("musai"),),
            length=request.bars * metre.signatures[0].bar_ticks / TICKS,
        )
        self.made[phrase.id] = Made(request, phrase, replay_id)
        checksum = phrase.notes_id[:8]
        on_event(
            Finished(
                ticket, phrase.id, replay_id, len(phrase), request.bars, checksum, 1.0, 2.0, replay
            )
        )
        on_event(
            Compared(
                ticket, phrase.id, self.light, "Nothing unusual: unrelated tunes share as much.",
                0.34, 4, "a" * 64, "The Test Reel", "CC0-1.0", 3.0,
            )
        )  # fmt: skip


def _answer(request: Request) -> list[tuple[int, int]]:
    """Eighths up and down from the context's last note, or from middle C."""
    first = 60 if request.context is None else int(request.context.notes["pitch"][-1])
    steps = (0, 2, 4, 5, 7, 5, 4, 2)
    turn = request.seed % 5
    bar = (4 * TICKS) if request.context is None else request.context.metre.signatures[0].bar_ticks
    count = request.bars * bar // (TICKS // 2)
    return [(i * TICKS // 2, first + steps[(i * (turn + 1)) % 8]) for i in range(count)]

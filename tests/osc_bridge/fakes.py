"""A service without a model: notes follow from the request alone, in a thread of its own."""

import queue
import threading
from collections.abc import Callable
from typing import Any

from musai.errors import NotFound
from musai.music import Metre, Note, Phrase, notes_array
from musai.service.events import Compared, Event, Failed, Finished, Sounded, Started
from musai.service.interface import OnEvent
from musai.transformer.request import Request

MODEL_ID = "ab" * 32
CORPUS_ID = "cd" * 32
BAR = 4 * 480


def notes_for(request: Request, a_bar: int = 4) -> list[Note]:
    """Notes that depend on seed, bars and context, spread over the bars."""
    shift = 0 if request.context is None else int(request.context.notes["pitch"][0])
    step = BAR // a_bar
    return [
        Note(i * step, step, (request.seed * 7 + i * 3 + shift) % 128, 1 + i % 127, 0)
        for i in range(a_bar * request.bars)
    ]


class FakeService:
    """What the bridge asks of a service.  `hold`, when cleared, stops it after the first note."""

    def __init__(self, a_bar: int = 4) -> None:
        self.a_bar = a_bar
        self.hold = threading.Event()
        self.hold.set()
        self.requests: list[Request] = []
        self.sessions: list[str] = []
        self.prefilled: list[Request] = []
        self.decisions: list[tuple[str, str]] = []
        self.intents: list[str] = []
        self.phrases: dict[str, Phrase] = {}
        self.replays: dict[str, Request] = {}
        self.mark: Callable[[Compared], Compared | None] = lambda compared: compared
        self._tickets = 0
        self._cancelled: set[int] = set()
        self._jobs: queue.Queue[tuple[int, Request, OnEvent, str | None] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def submit(self, request: Request, on_event: OnEvent, *, session: str = "") -> int:
        self.requests.append(request)
        self.sessions.append(session)
        return self._queue(request, on_event, None)

    def prefill(self, request: Request, *, topic: str = "", played: float = 1.0) -> None:
        assert topic
        assert 0 < played <= 1
        self.prefilled.append(request)

    def again(self, phrase_id: str, on_event: OnEvent, *, session: str = "") -> int:
        replay_id = next(
            (key for key in self.replays if self._made(key).id.startswith(phrase_id)), None
        )
        if replay_id is None:
            raise NotFound(f"no phrase {phrase_id}")
        return self.submit(self.replays[replay_id].again(), on_event, session=session)

    def replay(self, replay_id: str, on_event: OnEvent) -> int:
        for known, request in self.replays.items():
            if known.startswith(replay_id):
                return self._queue(request, on_event, "identical")
        raise NotFound(f"no replay {replay_id}")

    def cancel(self, ticket: int) -> bool:
        self._cancelled.add(ticket)
        self.hold.set()
        return True

    def keep(self, phrase_id: str, intent: str = "") -> None:
        if intent:
            self.intents.append(intent)
        self.decisions.append((self.phrase(phrase_id).id, "kept"))

    def discard(self, phrase_id: str) -> None:
        self.decisions.append((self.phrase(phrase_id).id, "discarded"))

    def describe(self) -> dict[str, Any]:
        return {
            "version": "0.1.0",
            "model": {"name": "fake", "id": MODEL_ID},
            "corpora": [{"name": "none", "id": CORPUS_ID, "state": "ready"}],
        }

    def report(self, phrase_id: str) -> dict[str, Any]:
        return {"phrase": self.phrase(phrase_id).id}

    def phrase(self, phrase_id: str) -> Phrase:
        for known, phrase in self.phrases.items():
            if known.startswith(phrase_id):
                return phrase
        raise NotFound(f"no phrase {phrase_id}")

    def close(self) -> None:
        self._jobs.put(None)
        self.hold.set()
        self._thread.join()

    def _queue(self, request: Request, on_event: OnEvent, replayed: str | None) -> int:
        self._tickets += 1
        self._jobs.put((self._tickets, request, on_event, replayed))
        return self._tickets

    def _made(self, replay_id: str) -> Phrase:
        return self._phrase(self.replays[replay_id])

    def _phrase(self, request: Request) -> Phrase:
        columns = zip(*notes_for(request, self.a_bar), strict=True)
        metre = Metre.of(request.tempo or 120.0)
        return Phrase(notes_array(*columns), metre, length=BAR * request.bars)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            ticket, request, on_event, replayed = job
            for event in self._events(ticket, request, replayed):
                on_event(event)
                if isinstance(event, Sounded) and event.index == 0:
                    self.hold.wait()
                if ticket in self._cancelled:
                    on_event(Failed(ticket, "Cancelled", "stopped, as asked"))
                    break

    def _events(self, ticket: int, request: Request, replayed: str | None) -> list[Event]:
        phrase, replay_id = self._phrase(request), request.replay_id(MODEL_ID)
        self.phrases[phrase.id], self.replays[replay_id] = phrase, request
        notes = notes_for(request, self.a_bar)
        sounded = [Sounded(ticket, i, *note) for i, note in enumerate(notes)]
        finished = Finished(
            ticket, phrase.id, replay_id, len(notes), request.bars, phrase.notes_id[:8],
            1.5, 2.5, replayed,
        )  # fmt: skip
        compared = Compared(
            ticket, phrase.id, "green", "Nothing here is like it.", 0.5, 3, "ef" * 32,
            "Ännchen", "CC0-1.0", 4.5,
        )  # fmt: skip
        last = self.mark(compared) or Failed(ticket, "WorkerDied", "the matcher died")
        return [Started(ticket, replay_id), *sounded, finished, last]

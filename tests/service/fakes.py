"""A player and a matcher that need no model and no corpus, opened inside real worker processes."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from musai.errors import BadRequest, NotFound
from musai.music import NOTE, TICKS, Metre, Note, Phrase, Voice
from musai.transformer.request import Request

FORBIDDEN = ("torch", "starlette", "uvicorn", "websockets", "sqlite3", "pythonosc")


class FakePlayer:
    """Eighth notes from a counter-based generator; what to do badly comes as the collection.

    "slow" waits 5 ms a note, "stuck PATH" makes that file and stops for a
    minute after three notes, "die" kills its process there, "break" raises
    there, "chatty" prints to standard output.
    """

    name = "fake"

    def __init__(self, model: str) -> None:
        self.model_id = f"{model:0<64}"

    @classmethod
    def open(cls, model: str | None = None) -> "FakePlayer":
        if model == "missing":
            raise NotFound("no model 'missing'; legal is fake")
        if model == "crash":
            os._exit(9)
        return cls(model or "fa4e")

    def describe(self) -> dict[str, Any]:
        loaded = sorted(name for name in FORBIDDEN if name in sys.modules)
        return {"model_id": self.model_id, "loaded": loaded, "python": sys.executable}

    def generate(self, request: Request) -> Iterator[Note]:
        if request.collection == "refused":
            raise BadRequest("collection is 'refused'; legal is any other")
        return self._notes(request)

    def _notes(self, request: Request) -> Iterator[Note]:
        draw = np.random.Generator(np.random.Philox(request.seed))
        low = 0 if request.context is None else int(request.context.notes["pitch"][0]) % 12
        for index in range(8 * request.bars):
            self._misbehave(request.collection or "", index)
            pitch = 48 + low + int(draw.integers(24))
            yield Note(index * TICKS // 2, TICKS // 2, pitch, 80, 0)

    def _misbehave(self, how: str, index: int) -> None:
        if how == "slow":
            time.sleep(0.005)
        if how == "chatty":
            os.write(1, b"a native library says hello\n")
            print("so does Python", flush=True)
        if index == 3 and how.startswith("stuck"):
            Path(how.removeprefix("stuck ")).touch()
            time.sleep(60)
        if index == 3 and how == "die":
            os.kill(os.getpid(), 9)
        if index == 3 and how == "break":
            raise ZeroDivisionError("a defect")

    def phrase(self, request: Request, notes: list[Note]) -> Phrase:
        metre = Metre.of(request.tempo or 120.0)
        array = np.array(notes, dtype=NOTE)
        return Phrase(array, metre, (Voice("musai"),), request.bars * 4 * TICKS)


class OtherPlayer(FakePlayer):
    """The same model name over other weights."""

    def __init__(self, model: str) -> None:
        super().__init__("07e4")


class FlippingPlayer(FakePlayer):
    """The same id, but its fifth note is a semitone higher: what a replay must notice."""

    def _notes(self, request: Request) -> Iterator[Note]:
        for index, note in enumerate(super()._notes(request)):
            yield note._replace(pitch=note.pitch + 1) if index == 4 else note


class RenamedPlayer(FakePlayer):
    """Another model altogether."""

    name = "renamed"

    def __init__(self, model: str) -> None:
        super().__init__("4e4a")


class Real:
    """Opens the real player over a small random model; the model's name is its seed."""

    @staticmethod
    def open(model: str | None = None) -> Any:
        from tests.transformer.models import small_player

        return small_player(seed=int(model or 1))

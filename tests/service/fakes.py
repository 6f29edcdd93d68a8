"""A player and a matcher that need no model and no corpus, opened inside real worker processes."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musai import folders
from musai.corpus import Work
from musai.errors import BadRequest, NotFound
from musai.music import NOTE, TICKS, Metre, Note, Phrase, Voice
from musai.transformer.request import Request

FORBIDDEN = ("torch", "starlette", "uvicorn", "websockets", "sqlite3", "pythonosc")


class FakePlayer:
    """Eighth notes from a counter-based generator; what to do badly comes as the collection.

    "slow" waits 5 ms a note, "waits PATH" for that file after three notes, "stuck PATH" makes that file and stops for a
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

    def generate(self, request: Request, guard: Any = None) -> Iterator[Note]:
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
        if index == 3 and how.startswith("waits"):
            _wait_for(Path(how.removeprefix("waits ")))
        if index == 3 and how == "die":
            os.kill(os.getpid(), 9)
        if index == 3 and how == "break":
            raise ZeroDivisionError("a defect")

    def phrase(self, request: Request, notes: list[Note]) -> Phrase:
        metre = Metre.of(request.tempo or 120.0)
        array = np.array(notes, dtype=NOTE)
        return Phrase(array, metre, (Voice("musai"),), request.bars * 4 * TICKS)


def _wait_for(path: Path) -> None:
    """Until a file is there; a test that never makes it fails after a minute."""
    end = time.monotonic() + 60
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.001)


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


@dataclass(frozen=True, slots=True)
class FakeVerdict:
    light: str
    sentence: str
    p_value: float | None
    longest_run: int
    statistic: float = 1.5
    null_size: int = 99
    null_version: str = "fake"


@dataclass(frozen=True, slots=True)
class FakeHit:
    work_id: str
    title: str
    licence: str = "CC0-1.0"
    path: str = "a/b.mid"
    score: float = 10.5
    p_value: float | None = 0.004
    e_value: float | None = 0.1
    q_value: float | None = 0.2
    significant: bool = True
    transposition: int = -2
    tempo_ratio: float = 1.0
    longest_run: int = 9
    coverage_query: float = 0.5
    coverage_work: float = 0.25
    alignment: tuple[tuple[int, int], ...] = ((0, 0), (1, 1), (2, 2))


class FakeMatches(list[FakeHit]):
    verdict = FakeVerdict("grey", "no null", None, 0)


class FakeMatcher:
    """Opens a corpus that is a file <home>/corpora/NAME; its null is NAME.null beside it.

    The file's text is the light; "die" kills the process on each comparison, "break" raises,
    "once" kills the first process that compares, "hold" waits at a phrase of one note for <home>/go.
    """

    def __init__(self, name: str, text: str, path: Path) -> None:
        self.name, self.text, self.path = name, text, path
        self.id = f"{name}-{text}"
        self.works = [Work("w1", "The Fake Reel", licence="CC0-1.0")]
        self.nulls = self
        self.ready = [1] if path.with_name(f"{name}.null").exists() else []

    @classmethod
    def open(cls, name: str) -> "FakeMatcher":
        path = folders.home() / "corpora" / name
        if not path.exists():
            raise NotFound(f"no corpus {name!r}")
        return cls(name, path.read_text(), path)

    @property
    def corpus(self) -> "FakeMatcher":
        return self

    def work(self, work_id: str) -> Work:
        return self.works[0]

    def match(self, phrase: Phrase, top: int = 50, *, common: int = 0) -> FakeMatches:
        if self.text == "die":
            os.kill(os.getpid(), 9)
        if self.text == "break":
            raise ZeroDivisionError("a defect")
        if self.text == "once" and not (died := self.path.with_name("died")).exists():
            died.touch()
            os.kill(os.getpid(), 9)
        if self.text == "hold" and len(phrase) == 1:
            self.path.with_name(f"held.{os.getpid()}").touch()
            _wait_for(folders.home() / "go")
        found = FakeMatches([FakeHit("w1", "The Fake Reel")])
        p = {"red": 0.0005, "amber": 0.005, "green": 0.5}.get(self.text)
        told = "green" if self.text in ("once", "hold") else self.text
        light = told if self.ready else "grey"
        found.verdict = FakeVerdict(light, f"{self.name} says {light}", p, 9)
        return found


class FakePreparer:
    """Makes such files.  "refuse" fails; "wait" waits in the middle for a file <home>/go."""

    def build(self, name: str, tell: Any) -> None:
        if name == "refuse":
            raise NotFound(f"no corpus {name!r} can be made")
        tell("corpus", 0.37, "The Fake Reel")
        if name == "wait":
            self._wait(tell)
        place = folders.home() / "corpora"
        place.mkdir(exist_ok=True)
        (place / name).write_text("amber")

    def _wait(self, tell: Any) -> None:
        half = folders.home() / "half"
        half.touch()
        try:
            while not (folders.home() / "go").exists():
                time.sleep(0.01)
                tell("corpus", 0.37, "The Fake Reel")
        finally:
            half.unlink()

    def prepare(self, name: str, tell: Any) -> None:
        tell("null", 0.5, "null by fake")
        (folders.home() / "corpora" / f"{name}.null").touch()

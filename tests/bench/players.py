"""Humans for benchmarks: they play calls in time, over OSC, and keep account of what comes back."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from osc_bridge.client import Client
from osc_bridge.messages import Command, Message

TICKS = 480
SCALE = (0, 2, 4, 5, 7, 9, 11)


@dataclass(frozen=True, slots=True)
class Struck:
    """One note of a call: beats from its first bar line."""

    onset: float
    length: float
    pitch: int
    voice: int


def call(seed: int, number: int, voices: int, beats: int) -> list[Struck]:
    """A call of `beats` quarters for so many voices: quarters and eighths on a walk in C."""
    rng = np.random.Generator(np.random.Philox(key=seed, counter=number))
    notes = []
    for voice in range(voices):
        now, degree = 0.0, int(rng.integers(0, 7))
        while now < beats:
            length = float(rng.choice([0.5, 1.0, 1.0]))
            pitch = 72 - 12 * voice + SCALE[degree % 7]
            notes.append(Struck(now, min(length, beats - now) * 0.95, pitch, voice))
            degree = (degree + int(rng.integers(-2, 3))) % 7
            now += length
    return sorted(notes, key=lambda note: note.onset)


def start_of(client: Client, seconds: float = 30.0) -> float:
    """When beat 0 was on the even clock, as /musai/jam/time tells a client of the jam."""
    for reply in client.listen(seconds):
        if reply.row.path == "/musai/jam/time" and reply.args["playing"]:
            args = reply.args
            at = args["seconds"] + args["microseconds"] / 1e6
            return float(at - args["tick"] / TICKS * 60 / args["tempo"])
    raise RuntimeError("the transport does not run")


@dataclass(slots=True)
class Account:
    """What came back to one human."""

    takes: dict[int, dict[str, Any]] = field(default_factory=dict)
    words: Counter[str] = field(default_factory=Counter)
    late: int = 0
    missed: int = 0

    def add(self, at: float, reply: Command) -> None:
        """One reply, `at` on the system's even clock."""
        name, args = reply.row.path.removeprefix("/musai/"), reply.args
        self.words[name] += 1
        if name == "jam/take":
            self.takes[args["take"]] = {
                "start": args["start"], "bars": args["bars"], "told": at, "first": None,
                "notes": {}, "until": None, "overlap": None, "ended": None, "phrase": "",
                "changed": 0, "sounded": 0,
            }  # fmt: skip
            return
        take = self.takes.get(args.get("take", 0)) if name.startswith("jam/") else None
        if take is None:
            return
        if name == "jam/note":
            take["first"] = take["first"] or at
            if take["until"] is not None and args["at"] < take["until"]:
                take["changed"] += 1
            take["notes"][args["index"]] = args
        elif name == "jam/commit":
            take["until"] = args["until"]
        elif name == "jam/made":
            take["phrase"] = args["phrase"]
        elif name == "jam/overlap":
            take["overlap"] = at
        elif name == "jam/end":
            take["ended"], take["sounded"] = at, args["notes"]
            self.late += args["late"]
            self.missed += args["missed"]


class Human(threading.Thread):
    """Plays a call of `call_bars`, waits `answer_bars`, and so on, until stopped."""

    def __init__(
        self,
        port: int,
        *,
        seed: int,
        bpm: float,
        voices: int = 1,
        call_bars: int = 2,
        answer_bars: int = 2,
        session: str = "",
        lead: bool = True,
        voice: int | None = None,
        transport: Any = "udp",
        cycles: int = 2**31,
        turn: bool = False,
    ) -> None:
        """`lead`: this one tells the transport.  `turn`: says "your turn" as the call ends."""
        super().__init__(daemon=True)
        self.client = Client("127.0.0.1", port, transport=transport, timeout=20, name="human")
        self.client.hello()
        self.seed, self.bpm, self.voices, self.cycles = seed, bpm, voices, cycles
        self.voice = 0 if voice is None else voice
        self.call_bars, self.answer_bars, self.turn = call_bars, answer_bars, turn
        self.account = Account()
        self.turns: list[tuple[float, int]] = []
        self.fault: BaseException | None = None
        self._ending = threading.Event()
        if session:
            self.client.call("/musai/session", session)
        if lead:
            self.client.call("/musai/transport", float(bpm), 0.0, True)
        pairs: list[Any] = ["call", 0 if turn else call_bars, "bars", answer_bars]
        pairs += ["pause", 16.0] if turn else []
        pairs += [] if voice is None else ["voice", voice]
        self.client.call("/musai/jam", *pairs)
        self.started = start_of(self.client)

    def stop(self) -> None:
        """End after the note in hand."""
        self._ending.set()

    def run(self) -> None:
        """Play until stopped."""
        try:
            self._play()
        except BaseException as error:
            self.fault = error

    def _play(self) -> None:
        cycle = 4 * (self.call_bars + self.answer_bars)
        # From the next cycle on that is still to come.
        first = int((time.monotonic() + 0.5 - self.started) / (cycle * 60 / self.bpm)) + 1
        number = first
        while not self._ending.is_set() and number < first + self.cycles:
            for at, kind, note, id in self._events(number):
                if not self._until(number * cycle + at):
                    return
                self._send(kind, note, id)
            if self.turn:
                # The last release and the word are one moment: the human lifts and nods.
                self.turns.append((time.monotonic(), len(self.account.takes)))
                self.client.send(Message("/musai/jam/turn", (2_000_000 + number,)))
            number += 1
        self._until(number * cycle + 2)

    def _events(self, number: int) -> list[tuple[float, str, Struck, int]]:
        notes = call(self.seed, number, self.voices, 4 * self.call_bars)
        first = 1_000_000 * (self.seed % 1000) + 1000 * (number % 1000)
        events = [(note.onset, "on", note, first + i) for i, note in enumerate(notes)]
        events += [
            (note.onset + note.length, "off", note, first + i) for i, note in enumerate(notes)
        ]
        return sorted(events, key=lambda event: event[0])

    def _send(self, kind: str, note: Struck, id: int) -> None:
        if kind == "on":
            args: tuple[Any, ...] = (id, note.pitch, 80, note.voice)
        else:
            args = (-id - 1, note.pitch, id, note.voice)
        if self.voices == 1:
            args = args[:3]
        self.client.send(Message(f"/musai/jam/{kind}", args))

    def _until(self, beat: float) -> bool:
        """Listen until that beat; False where stopped."""
        due = self.started + beat * 60 / self.bpm
        while (left := due - time.monotonic()) > 0:
            if self._ending.is_set():
                return False
            for reply in self.client.listen(min(left, 0.25)):
                self.account.add(time.monotonic(), reply)
        for reply in self.client.listen(0):
            self.account.add(time.monotonic(), reply)
        return True

    def close(self) -> None:
        """Leave."""
        self.stop()
        self.join(10)
        self.client.close()


def bars_of(human: Human) -> Iterator[dict[str, Any]]:
    """One row a take."""
    for number, take in human.account.takes.items():
        start = human.started + take["start"] / TICKS * 60 / human.bpm
        yield {
            "take": number,
            "bars": take["bars"],
            "notes": len(take["notes"]),
            "first_ms": None if take["first"] is None else 1000 * (take["first"] - start),
            "overlap_ms": None if take["overlap"] is None else 1000 * (take["overlap"] - start),
            "changed": take["changed"],
            "whole": bool(take["phrase"]),
        }

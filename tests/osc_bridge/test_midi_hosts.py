"""The virtual MIDI port over JACK: another client records its stream, Ardour records a whole jam;
Ableton Link."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from musai.ledger import Ledger
from musai.music import Phrase
from musai.service import Service, records
from osc_bridge.background import BridgeThread
from osc_bridge.client import Client
from osc_bridge.messages import Command
from tests.cli.conftest import write_model
from tests.osc_bridge.jack import Wire, jack_server, wait_until

pytest.importorskip("rtmidi", reason="python-rtmidi comes with musai[daw]")

ROOT = Path(__file__).parents[2]
RECORDER = Path(__file__).with_name("ardour_record.lua")
TAKES = 2
STATED = 0.1
"""Seconds by which a recorded note may be off what the ledger has: 1/20 of a quarter at SLOW."""
RATE = 48_000
"""Samples a second of JACK's dummy driver."""
SLOW = 30
"""Quarters a minute: two seconds are enough for an answer on a loaded machine."""


class Program:
    """A program whose lines are read as they come."""

    def __init__(self, *words: object, **environment: str) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | environment,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def said(self, beginning: str) -> list[str]:
        return [line for line in list(self.lines) if line.startswith(beginning)]

    def wait(self, beginning: str, count: int = 1, seconds: float = 90.0) -> list[str]:
        """The lines that begin so, once there are as many."""
        return wait_until(
            f"{beginning!r} {count} times, in {self.lines[-20:]}",
            lambda: len(found := self.said(beginning)) >= count and found,
            seconds,
        )

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._thread.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def name() -> Iterator[str]:
    """JACK is there, and this is free to be called by."""
    free = f"musai-test-{os.getpid()}"
    with jack_server(free):
        yield free


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    started: list[Program] = []

    def run(*words: object, **environment: str) -> Program:
        started.append(Program(*words, **environment))
        return started[-1]

    yield run
    for program in reversed(started):
        program.close()


def note_events(wire: Wire) -> list[tuple[float, bool, int, int]]:
    """(time, strikes, channel, pitch) of what came over the wire."""
    return [
        (at, status & 0xF0 == 0x90 and velocity > 0, status & 0x0F, pitch)
        for at, (status, pitch, velocity) in list(wire.heard)
        if status & 0xF0 in (0x80, 0x90)
    ]


@pytest.mark.host("jackd")
def test_the_ports_stream_arrives_in_order_in_pairs_and_in_time(
    name: str, start: Callable[..., Program], record_property: Callable[[str, object], None]
) -> None:
    port = start(sys.executable, "-m", "osc_bridge.port", "--api", "jack", "--name", "stream")
    port.wait("ready virtual stream:out")
    wire = Wire("recorder", "stream:out")
    try:
        begin = time.monotonic() + 1.0
        # Sixteenths at 160 in four channels, each note until the next one of its channel begins.
        notes = [(begin + 0.09375 * i, i % 4, 40 + i % 50) for i in range(96)]
        for i, (due, channel, pitch) in enumerate(notes):
            port.tell(f"on {due:.6f} {i} {channel} {pitch} {1 + i}")
            port.tell(f"off {due + 0.09:.6f} {i}")
        wait_until("all is heard or left out", lambda: accounted(wire, port) == len(notes))
        heard = note_events(wire)
    finally:
        wire.close()
    due = {(channel, pitch): at for at, channel, pitch in notes}
    struck = [(c, p) for _, strikes, c, p in heard if strikes]
    # In order, and each released before the next one is struck.
    assert struck == [place for place in due if place in set(struck)]
    assert [(s, c, p) for _, s, c, p in heard] == [
        (s, *place) for place in struck for s in (True, False)
    ]
    late = sorted(at - due[c, p] for at, strikes, c, p in heard if strikes)
    middle = late[len(late) // 2]
    record_property("onset_error_ms", [round(1000 * one, 2) for one in (late[0], middle, late[-1])])
    print(f"onset error {1000 * middle:.2f} ms in the middle, {1000 * late[-1]:.2f} ms at most")
    # One period of JACK's and what a loaded machine adds; `make bench-jam` measures it in earnest.
    assert late[0] > -0.001
    assert middle < 0.1


def accounted(wire: Wire, port: Program) -> int:
    """Notes that were struck and released, or that the port says it left out."""
    events = note_events(wire)
    left = int((port.said("left ") or ["left 0"])[-1].split()[1])
    return len(events) // 2 + left


@pytest.mark.host("jackd")
def test_a_port_whose_feeder_is_killed_releases_what_sounds(
    name: str, start: Callable[..., Program]
) -> None:
    feeder = start(
        sys.executable, "-c",
        "import subprocess, sys, time\n"
        "port = subprocess.Popen([sys.executable, '-m', 'osc_bridge.port', '--api', 'jack', '--name', 'fed'],"
        " stdin=subprocess.PIPE, text=True)\n"
        "sys.stdin.readline()\n"
        "for id in range(5):\n"
        "    print('on', time.monotonic() + 1, id, id, 60 + id, 80, file=port.stdin, flush=True)\n"
        "time.sleep(600)",
    )  # fmt: skip
    feeder.wait("ready")
    wire = Wire("recorder", "fed:out")
    try:
        feeder.tell("go")
        wait_until("all is struck", lambda: len(note_events(wire)) == 5)
        feeder.process.kill()
        wait_until("all is released", lambda: len(note_events(wire)) == 10)
        released = {(c, p) for _, strikes, c, p in note_events(wire) if not strikes}
    finally:
        wire.close()
    assert released == {(id, 60 + id) for id in range(5)}


@pytest.mark.timeout(300)
@pytest.mark.host("jackd", "ardour7-lua")
def test_ardour_records_a_whole_jam_and_its_take_is_what_the_ledger_has(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    start: Callable[..., Program],
    record_property: Callable[[str, object], None],
) -> None:
    write_model(tmp_path / "models" / "random")
    monkeypatch.setenv("MUSAI_HOME", str(tmp_path))
    jammed: list[str] = []
    with (
        Service(model="random", corpora=()) as service,
        BridgeThread(service, port=0, record=tmp_path / "server.json") as it,
        Client(
            "127.0.0.1", int(it.bridge.addresses["tcp"].rstrip("/").rpartition(":")[2])
        ) as watch,
    ):
        midi = start(
            sys.executable, "-c", "from musai.cli import main; main()", "midi", "--api", "jack",
            "--name", "jam", "--session", "jam", "--tempo", SLOW, "--call", 0, "--bars", 1, "--seed", 3,
        )  # fmt: skip
        midi.wait("musai plays jam:out")
        watch.hello()
        watch.call("/musai/session", "jam")
        watch.call("/musai/jam", "voice", 9)
        ardour = start("ardour7-lua", RECORDER, tmp_path, "jam:out", HOME=str(tmp_path))
        wire = Wire("human", "jam:out", "jam-in:in")
        try:
            ardour.wait("RECORDING")
            for take in range(1, TAKES + 1):
                for pitch in (60, 64, 67):
                    wire.play(0x90, pitch, 90)
                    time.sleep(0.05)
                    wire.play(0x80, pitch, 0)
                # Just after a beat: then there is nearly a whole one to make the answer in.
                wait_until("a beat comes", lambda: beat_of(watch) % 1 < 0.1)
                wire.play(0xB0, 102, 127)  # your turn
                # Who plays into an answer cuts it short.
                jammed = wait_until("the take has ended", lambda n=take: ends(midi, n))
            wait_until("all is released", lambda: len(note_events(wire)) % 2 == 0)
            heard = note_events(wire)
            (tmp_path / "stop").touch()
            ardour.wait("TAKE")
            news = list(watch.listen(0.5))
        finally:
            wire.close()
    recorded = Phrase.from_midi(tmp_path / "take.mid")
    with Ledger.open(tmp_path / "ledger" / "ledger.sqlite") as ledger:
        phrases = [phrase_of_replay(ledger, replay) for replay in jammed]
    expected = Counter(
        (int(note["pitch"]), int(note["velocity"])) for phrase in phrases for note in phrase.notes
    )
    assert expected.total() > 0
    played = Counter(zip(*(recorded.notes[f].tolist() for f in ("pitch", "velocity")), strict=True))
    # Where the machine is too busy a note is left out, and that is said; else none may be missing.
    told = [int(line.rpartition(" ")[2]) for line in midi.said("too late")][-1:]
    told += [int(n) for line in midi.said("take") for n in re.findall(r"(\d+) left out", line)]
    assert played - expected == Counter()
    assert (expected - played).total() <= sum(told)
    assert sum(strikes for _, strikes, _, _ in heard) * 2 == len(heard) == 2 * len(recorded)
    onsets, lengths = apart(recorded, ardour.lines, phrases, news)
    worst = max(map(abs, onsets)), max(map(abs, lengths))
    record_property("onset_error_ms", [round(1000 * one, 1) for one in sorted(onsets)])
    print(
        f"of {len(onsets)} notes onsets {1000 * worst[0]:.1f} ms and lengths {1000 * worst[1]:.1f} ms off at most"
    )
    # A period of JACK's is 5.3 ms; a loaded machine wakes a port late.
    assert max(worst) < STATED


def apart(
    recorded: Phrase, ardour: list[str], phrases: list[Phrase], news: list[Command]
) -> tuple[list[float], list[float]]:
    """How far a take's onsets and lengths, in seconds, are from the ledger's as the jam set them.

    Both on the system's even clock: Ardour says when its transport stood where, and the jam when
    its own did.
    """
    clock = np.array([line.split()[1:] for line in ardour if line.startswith("CLOCK")], float)
    (place,) = [int(line.split()[1]) for line in ardour if line.startswith("TAKE")]
    quarter = 60 / recorded.metre.tempos[0].bpm * RATE

    def at(tick: int) -> float:
        return (
            float(np.interp(quarter * (place / 1920 + tick / 480), clock[:, 1], clock[:, 0])) / 1e6
        )

    said = {
        name: [r.args for r in news if r.row.path == f"/musai/jam/{name}"]
        for name in ("time", "take")
    }
    time, tick = said["time"][0], 60 / SLOW / 480
    zero = time["seconds"] + time["microseconds"] / 1e6 - tick * time["tick"]
    starts = [take["start"] for take in said["take"]]
    due: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for start, phrase in zip(starts, phrases, strict=True):
        for note in phrase.notes:
            key = int(note["pitch"]), int(note["velocity"])
            onset = zero + tick * (start + int(note["onset"]))
            due.setdefault(key, []).append((onset, tick * int(note["duration"])))
    onsets, lengths = [], []
    for onset, duration, pitch, velocity, _ in recorded.notes.tolist():
        begun, length = at(onset), at(onset + duration) - at(onset)
        wanted, long = min(due[pitch, velocity], key=lambda one: abs(one[0] - begun))
        onsets.append(begun - wanted)
        lengths.append(length - long)
    return onsets, lengths


def ends(midi: Program, count: int) -> list[str]:
    """Replay ids of the takes that have ended, once there are as many."""
    found = [line.rpartition(" ")[2] for line in midi.said("take") if "replay" in line]
    return found if len(found) >= count else []


def beat_of(client: Client) -> float:
    beat = client.call("/musai/sync")[-1].args["beat"]
    assert isinstance(beat, float)
    return beat


def phrase_of_replay(ledger: Ledger, replay: str) -> Phrase:
    found = ledger.find("replay_id", ledger.full_id("replay_id", replay), "phrase")
    return records.phrase_of(found[-1])


@pytest.mark.host("unshare", "ip")
def test_of_two_link_peers_musai_follows_a_tempo_within_a_beat() -> None:
    pytest.importorskip("aalink")
    # Link is multicast: in a network of its own nothing leaves this machine.
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-W", "ignore", ROOT / "tests/osc_bridge/link_peers.py"],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["peers"] == 1
    assert told["tempo"] == pytest.approx(90, abs=0.01)
    assert 0 <= told["beats"] < 1
    assert told["apart"] < 0.05
    # And of a client that asks for it over OSC, for as long as it does.
    assert (told["before"], told["joined"], told["left"]) == (0, 1, 0)
    assert told["heard"] == pytest.approx(90, abs=0.01)

"""JACK with its dummy driver, `musai midi` on it, and the other end of the cable."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RATE, PERIOD = 48_000, 256
EARLY_MS = 1000 * PERIOD / RATE / 2
"""JACK delivers at the next period, half a period late on the average: so much is sent early."""


def missing() -> list[str]:
    """Programs and packages that are not here."""
    lacking = [] if shutil.which("jackd") else ["jackd"]
    try:
        import rtmidi  # noqa: F401
    except ImportError:
        lacking.append("python-rtmidi")
    return lacking


@contextmanager
def jack(name: str) -> Iterator[str]:
    """A JACK server of our own; programs started inside find it."""
    before = os.environ.get("JACK_DEFAULT_SERVER")
    os.environ["JACK_DEFAULT_SERVER"] = name
    command = [
        "jackd",
        "-n",
        name,
        _priority(),
        # The server waits for each client in each cycle: one that comes late delays, and loses nothing.
        "-S",
        "-p",
        "64",
        "-d",
        "dummy",
        "-r",
        str(RATE),
        "-p",
        str(PERIOD),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(process)
        yield name
    finally:
        process.terminate()
        process.wait(10)
        if before is None:
            del os.environ["JACK_DEFAULT_SERVER"]
        else:
            os.environ["JACK_DEFAULT_SERVER"] = before


def _wait_for(process: "subprocess.Popen[bytes]", seconds: float = 20.0) -> None:
    """Until a client can be opened."""
    import rtmidi

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.5)
        if process.poll() is not None:
            raise RuntimeError(f"jackd ended with code {process.returncode}")
        try:
            rtmidi.MidiOut(rtmidi.API_UNIX_JACK, "probe").delete()
            return
        except rtmidi.SystemError:
            continue
    raise RuntimeError(f"jackd takes no client after {seconds:g} s")


def _priority() -> str:
    """As a composer's JACK runs, with real-time priority, where this user may have it."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except (AttributeError, OSError):
        return "-r"
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return "-R"


@dataclass(slots=True)
class Midi:
    """`musai midi` as it runs: its process, and what its port sent as (due, time, strikes)."""

    process: "subprocess.Popen[str]"
    rows: Path
    said: list[str] = field(default_factory=list)

    def sent(self) -> list[tuple[float, float, bool]]:
        """All messages that went out, once the process has ended."""
        rows = (line.split() for line in self.rows.read_text().splitlines())
        return [(float(due), float(at), strikes == "1") for due, at, strikes in rows]


@contextmanager
def midi(port: int, out: Path, *options: str) -> Iterator[Midi]:
    """`musai midi` at a server's TCP port, its sent messages written to `out`."""
    command = [
        sys.executable,
        "-m",
        "tests.bench.midi_run",
        str(out),
        "--server",
        f"127.0.0.1:{port}",
    ]
    command += ["--api", "jack", "--early", f"{EARLY_MS:.3f}", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"musai midi ended with code {process.wait()}")
        yield Midi(process, out, [line])
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(15)
        process.stdout.close()


@contextmanager
def far_end(out: Path, **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """The other end; `options` as its command line's.  What it heard is in `out` afterwards."""
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "tests.bench.far_end", "--out", str(out), *words]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait(20)


def heard(out: Path) -> list[tuple[float, list[int]]]:
    """What the other end heard: times and messages, strikes and releases only."""
    told = json.loads(out.read_text())["heard"]
    return [(at, message) for at, message in told if message[0] & 0xF0 in (0x80, 0x90)]


def unpaired(messages: list[tuple[float, list[int]]]) -> int:
    """Notes that were struck and not released, and releases of nothing."""
    sounds: dict[tuple[int, int], int] = {}
    wrong = 0
    for _, (status, pitch, velocity) in messages:
        key = (status & 0x0F, pitch)
        strikes = status & 0xF0 == 0x90 and velocity > 0
        wrong += strikes and sounds.get(key, 0) > 0
        wrong += not strikes and sounds.get(key, 0) == 0
        sounds[key] = 1 if strikes else 0
    return wrong + sum(sounds.values())

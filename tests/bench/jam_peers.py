"""What the peers do where the same can be asked of them: notochord and midigpt, random weights.

Their own servers, as they ship them, in an environment of their own under
.clean/ (made once; where that fails the bench says so and goes on).  Random
weights cost what trained ones do, note by note; how long a bar of midigpt's
becomes before it ends is chance with them, so its answers have a limit.
"""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from osc_bridge.codec import bundle, decode, encode
from osc_bridge.messages import Message
from tests.bench.table import OUT, quantile, save_rows

PLACE = Path(".clean/peers")
NAMES = {"notochord": "notochord 0.8.0", "midigpt": "midigpt 0.4.2"}
# notochord asks for torch below 2.11; its server runs with this one, which midigpt takes too.
STEPS = (
    ("torch==2.13.0", "midigpt[realtime]==0.4.2"),
    ("--no-deps", "notochord==0.8.0"),
    ("pandas<3", "tqdm<5", "sf2utils<2", "appdirs<2", "toml-file", "joblib<2", "iipyper>=0.5,<0.6"),
)  # fmt: skip
AHEAD = 20.0
LONGEST = 30.0
"""Seconds after which an answer is given up."""
ANSWERS = 12

Figures = dict[str, Any]


def installed() -> str:
    """Make their environment; why it cannot be made, or ""."""
    if (PLACE / "made").exists():
        return ""
    commands = [[sys.executable, "-m", "venv", str(PLACE)]]
    commands += [[str(PLACE / "bin" / "pip"), "install", "-q", *step] for step in STEPS]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip() or "no word").splitlines()[-1]
            return f"{' '.join(command[1:])} failed: {last}"
    (PLACE / "made").touch()
    return ""


class Wire:
    """Messages to a server and whatever comes back, from any port."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))

    def send(self, path: str, *args: Any, ahead: float | None = None) -> None:
        """Send a message; in a bundle that is due in `ahead` seconds, if it says so."""
        packet = encode(Message(path, args))
        if ahead is not None:
            packet = bundle([packet], datetime.now(UTC).timestamp() + ahead)
        with contextlib.suppress(ConnectionError):
            self._socket.sendto(packet, self._to)

    def wait(self, path: str, seconds: float) -> float | None:
        """The time at which a message of this address has come; None for none."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                (one, *_) = decode(self._socket.recv(65_535), 0.0, 65_535)
            except (TimeoutError, ConnectionError, ValueError):
                continue
            if isinstance(one.item, Message) and one.item.path == path:
                return time.monotonic()
        return None

    def close(self) -> None:
        """Leave."""
        self._socket.close()


@contextmanager
def serving(name: str) -> Iterator[Wire]:
    """Its server, once it answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = (OUT / "peers").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    script = Path(__file__).with_name("peer_servers.py").absolute()
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [str((PLACE / "bin" / "python").absolute()), str(script), name, str(port), str(folder)],
            stdout=log, stderr=log, cwd=folder,
        )  # fmt: skip
    wire = Wire(port)
    try:
        until = time.monotonic() + 180
        while not PINGS[name](wire, 1.0):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"its server does not answer; see {folder / name}.log")
        yield wire
    finally:
        wire.close()
        process.kill()
        process.wait()


def _ping_notochord(wire: Wire, seconds: float) -> bool:
    wire.send("/notochord/query")
    return wire.wait("/return/notochord/query", seconds) is not None


def _ping_midigpt(wire: Wire, seconds: float) -> bool:
    wire.send("/midigpt/param/reset", "nothing")
    return wire.wait("/midigpt/error", seconds) is not None


PINGS: dict[str, Callable[[Wire, float], bool]] = {
    "notochord": _ping_notochord,
    "midigpt": _ping_midigpt,
}


def stall(name: str, wire: Wire) -> float:
    """Seconds that a packet waits for its answer after a bundle that is due in 20 s."""
    path = "/notochord/query" if name == "notochord" else "/midigpt/param/reset"
    wire.send(path, *([] if name == "notochord" else ["nothing"]), ahead=AHEAD)
    began = time.monotonic()
    time.sleep(0.1)
    PINGS[name](wire, AHEAD + 10)
    return time.monotonic() - began - 0.1


def _answers_notochord(wire: Wire) -> list[float | None]:
    """A bar in four voices is fed as it is played; then the last note and a question at once."""
    waits = []
    for turn in range(ANSWERS):
        wire.send("/notochord/reset")
        for i in range(20):
            wire.send("/notochord/feed", 1, 48 + (7 * i + turn) % 36, 0.0 if i % 4 else 0.25, 80)
            time.sleep(0.04)
        _ping_notochord(wire, LONGEST)
        began = time.monotonic()
        wire.send("/notochord/feed_query", 1, 60, 0.25, 0)
        at = wire.wait("/return/notochord/query", LONGEST)
        waits.append(None if at is None else 1000 * (at - began))
    return waits


def _answers_midigpt(wire: Wire) -> list[float | None]:
    """Bars of the human's, and the time from the end of one to the first note of the agent's."""
    wire.send("/midigpt/session/init", "bench")
    wire.wait("/midigpt/session/ready", LONGEST)
    for track, agent in ((0, 0), (1, 1)):
        wire.send("/midigpt/track/create", track, 0, 10, agent)
    settings = {"buffer_bars": 2, "model_dim": 4, "novelty_check": 0, "silence_check": 0,
                "mask_mode": "attention_skip", "max_attempts": 1, "density_hard_limit": 12}  # fmt: skip
    for one, value in settings.items():
        wire.send("/midigpt/param/set", one, value)
    wire.send("/midigpt/session/start")
    wire.wait("/midigpt/session/started", LONGEST)
    waits: list[float | None] = []
    for bar in range(5):
        for i in range(16):
            wire.send("/midigpt/note", 0, 48 + (7 * i + bar) % 36, 80, i // 4 / 4, 0.25, bar)
        began = time.monotonic()
        wire.send("/midigpt/bar/end", bar, 4, 4)
        if bar == 0:
            continue
        at = wire.wait("/midigpt/generated/note", LONGEST)
        waits.append(None if at is None else 1000 * (at - began))
        if at is None:
            break
        wire.wait("/midigpt/status", LONGEST)
    return waits


ASKED: dict[str, Callable[[Wire], list[float | None]]] = {
    "notochord": _answers_notochord,
    "midigpt": _answers_midigpt,
}


def peers() -> tuple[Figures, list[tuple[str, ...]]]:
    """Figures by peer, and lines of the table; a peer that cannot be run is said to be so."""
    gone = installed()
    if gone:
        return {"peers": gone}, [("the peers", "not measured", "", gone)]
    figures, lines, rows = Figures(), list[tuple[str, ...]](), list[dict[str, Any]]()
    for name, which in NAMES.items():
        label = f"{which}, random weights"
        try:
            with serving(name) as wire:
                waits = ASKED[name](wire)
                stalled = stall(name, wire)
        except (OSError, RuntimeError) as error:
            figures[name] = str(error)
            lines.append((which, "not measured", "", str(error)))
            continue
        rows += [{"peer": name, "turn": i, "answer_ms": wait} for i, wait in enumerate(waits)]
        there = [wait for wait in waits if wait is not None]
        told: Figures = {"stall_s": round(stalled, 2), "answers": len(there), "asked": len(waits)}
        answer = f"over {LONGEST:g} s"
        if there:
            told |= {"answer_ms_p50": round(quantile(there, 0.5), 1), "answer_ms_max": round(max(there), 1)}  # fmt: skip
            answer = f"{told['answer_ms_p50']} ms"
        figures[name] = told
        lines.append(("end of a phrase to the first note, median", "", answer, label))
        lines.append(("a bundle due in 20 s: the next packet waits", "", f"{stalled:.2f} s", label))
    if rows:
        save_rows("jam_peers", rows)
    return {"peers": figures}, lines

"""The Pd patch in a real Pd without a screen."""

import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from musai.service import Service
from musai.transformer.request import Request
from osc_bridge.background import BridgeThread
from osc_bridge.codec import decode, encode
from osc_bridge.messages import Message
from osc_bridge.shelf import FOLDER
from scripts.make_patch import PATCH, patch
from tests.cli.conftest import write_model
from tests.osc_bridge.fakes import FakeService, notes_for

HARNESS = Path(__file__).with_name("harness.pd")
VANILLA = """
bng tgl nbx hradio cnv r s t v f msg moses sel spigot pack unpack expr clip max mod metro timer
route change netsend oscparse oscformat list notein noteout makenote pipe until table tabread
tabwrite * + / >
"""


class Pd:
    """Pd with the patch and a harness that takes orders and prints what happens."""

    def __init__(self, server: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        orders = f"musai-test-port {self._port}", f"musai-port {server}"
        self._process = subprocess.Popen(
            ["pd", "-nogui", "-noaudio", "-nomidi", "-open", PATCH, "-open", HARNESS]
            + [word for order in orders for word in ("-send", order)],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.lines: list[list[str]] = []
        self._orders = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line.split())

    def order(self, words: str) -> None:
        """Tell the harness."""
        self._orders.sendto(f"{words};\n".encode(), ("127.0.0.1", self._port))

    def said(self, word: str) -> list[list[str]]:
        """What was printed under this word."""
        return [line[1:] for line in list(self.lines) if line[0] == f"{word}:"]

    def wait(self, word: str, count: int = 1, seconds: float = 30.0) -> list[list[str]]:
        """The same, once there is as much as that."""
        end = time.monotonic() + seconds
        while len(self.said(word)) < count:
            assert time.monotonic() < end, (word, count, self.lines)
            time.sleep(0.01)
        return self.said(word)

    def struck(self) -> list[tuple[int, int]]:
        """(pitch, channel) of every note-on."""
        return [(int(p), int(c)) for p, v, c in self.said("MIDI") if v != "0"]

    def released(self) -> list[tuple[int, int]]:
        return [(int(p), int(c)) for p, v, c in self.said("MIDI") if v == "0"]

    def close(self) -> None:
        self.order("quit")
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._thread.join()
        self._orders.close()
        assert self._process.stderr is not None
        self._process.stderr.close()
        assert not [line for line in self.lines if "error" in " ".join(line).lower()]


@pytest.fixture
def start() -> Iterator[Callable[[int], Pd]]:
    opened: list[Pd] = []

    def make(server: int) -> Pd:
        opened.append(Pd(server))
        return opened[-1]

    yield make
    for pd in opened:
        pd.close()


def test_the_shipped_patch_is_the_one_that_is_made() -> None:
    assert PATCH.parent == FOLDER
    assert PATCH.read_text(encoding="utf-8") == patch()


def test_the_patch_uses_vanilla_objects_alone() -> None:
    used = set(re.findall(r"^#X obj -?\d+ -?\d+ ([^ ;]+)", patch(), re.MULTILINE))
    assert used - set(VANILLA.split()) == set()


@pytest.mark.host("pd")
def test_a_phrase_is_asked_counted_played_and_released(
    service: FakeService, port: Callable[[str], int], start: Callable[[int], Pd]
) -> None:
    pd = start(port("udp"))
    pd.wait("READY")
    pd.order("ask 2 7 300")
    assert pd.wait("END")[0][1:3] == ["8", "2"]
    assert service.requests == [Request(bars=2, seed=7, tempo=300.0)]
    expected = notes_for(Request(bars=2, seed=7))
    notes = [tuple(map(int, note[2:])) for note in pd.said("NOTE")]
    assert notes == [tuple(note) for note in expected]
    assert pd.wait("OVERLAP")[0][1] == "green"
    assert pd.wait("LIGHT") == [["1"]]
    pd.wait("MIDI", 16)
    assert pd.struck() == pd.released() == [(note.pitch, 1) for note in expected]
    pd.order("late")
    assert pd.wait("LATE") == [["0"]]


@pytest.mark.host("pd")
def test_every_note_of_a_real_service_is_played_and_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Callable[[int], Pd]
) -> None:
    write_model(tmp_path / "models" / "random")
    monkeypatch.setenv("MUSAI_HOME", str(tmp_path))
    with Service(model="random", corpora=()) as real, BridgeThread(real, port=0) as it:
        pd = start(int(it.bridge.addresses["udp"].rstrip("/").rpartition(":")[2]))
        pd.wait("READY")
        pd.order("ask 2 7 400")
        announced = int(pd.wait("END")[0][1])
        assert announced > 0
        pd.wait("MIDI", 2 * announced)
    told = sorted((int(note[4]), int(note[6]) + 1) for note in pd.said("NOTE"))
    assert sorted(pd.struck()) == sorted(pd.released()) == told


@pytest.mark.host("pd")
def test_a_real_jam_is_played_note_for_note_and_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Callable[[int], Pd]
) -> None:
    write_model(tmp_path / "models" / "random")
    monkeypatch.setenv("MUSAI_HOME", str(tmp_path))
    with Service(model="random", corpora=()) as real, BridgeThread(real, port=0) as it:
        pd = start(int(it.bridge.addresses["udp"].rstrip("/").rpartition(":")[2]))
        pd.wait("READY")
        # A beat is two seconds: enough for the first answer of a loaded machine.
        for order in ("tempo 30", "play 1", "jam 1", "human 60 90", "human 60 0", "turn"):
            pd.order(order)
        ended = pd.wait("JAMEND", seconds=90)[0]
        notes = int(ended[2])
        assert notes > 0
        pd.wait("MIDI", 2 * notes)
        told = {tuple(map(int, note[4:8])) for note in pd.said("JAMNOTE")}
    assert sorted(pd.struck()) == sorted(pd.released())
    assert {pitch for pitch, _ in pd.struck()} <= {pitch for _, pitch, _, _ in told}
    assert len(pd.struck()) == notes


class Server:
    """The server's side of the wire, said by hand."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(30)
        self.port = self._socket.getsockname()[1]
        self._client: Any = None

    def hear(self, path: str) -> tuple[Any, ...]:
        """The arguments of the next message with this address; hello is answered meanwhile."""
        while True:
            data, self._client = self._socket.recvfrom(65536)
            for timed in decode(data, 0.0, len(data)):
                message = timed.item
                assert isinstance(message, Message)
                if message.path == "/musai/hello":
                    self.say("/musai/welcome", message.args[0], 1, 1)
                if message.path == path:
                    return message.args

    def say(self, path: str, *args: int | str) -> None:
        self._socket.sendto(encode(Message(path, args)), self._client)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.mark.host("pd")
def test_in_a_jam_notes_sound_once_committed_and_what_is_cleared_does_not(
    server: Server, start: Callable[[int], Pd]
) -> None:
    pd = start(server.port)
    assert server.hear("/musai/hello")[1:] == (1, 0, "pd", 1)
    pd.wait("READY")
    pd.order("jam 1")
    assert server.hear("/musai/jam")[1:] == ("style", "answer", "call", 2, "bars", 2)
    # The transport stands, so nothing is late however slow the machine is.
    for index in range(10):
        server.say("/musai/jam/note", 1, 65, index, 100 + 60 * index, 30, 60 + index, 80, index % 3)
    server.say("/musai/jam/commit", 1, 65, 100 + 60 * 8)
    server.say("/musai/jam/clear", 1, 65, 100 + 60 * 5)
    server.say("/musai/jam/clear", 1, 64, 0)  # another take
    pd.order("human 64 99")
    server.hear("/musai/jam/on")
    pd.order("play 1")
    pd.wait("MIDI", 10)
    assert pd.struck() == pd.released() == [(60 + i, 1 + i % 3) for i in range(5)]
    pd.order("human 64 0")
    assert server.hear("/musai/jam/off")[1:] == (64,)
    pd.order("turn")
    server.hear("/musai/jam/turn")
    # Nothing of the cleared ones comes, and what was never committed stays silent.
    server.say("/musai/jam/note", 1, 66, 0, 10_000, 30, 1, 80, 0)
    server.say("/musai/jam/note", 1, 67, 0, 10_000, 30, 2, 80, 0)
    server.say("/musai/jam/commit", 1, 67, 20_000)
    pd.order("locate 9990")
    pd.wait("MIDI", 12)
    assert pd.struck()[5:] == [(2, 1)]


@pytest.mark.host("pd")
def test_a_stop_releases_what_sounds_and_a_start_goes_on_where_it_was(
    server: Server, start: Callable[[int], Pd]
) -> None:
    pd = start(server.port)
    server.hear("/musai/hello")
    pd.wait("READY")
    # One long note soon, one an hour away, and one behind it.
    for index, at in enumerate((100, 2_000_000, 2_000_100)):
        server.say("/musai/jam/note", 1, 1, index, at, 400_000, 60 + index, 80, 0)
    server.say("/musai/jam/commit", 1, 1, 16_000_000)
    server.say("/musai/jam/state", 1, "playing", 1, 0, 0)
    # Once this is heard, all that was said before it is in: then the first note cannot be late.
    pd.order("tempo 120")
    server.hear("/musai/transport")
    pd.order("play 1")
    pd.wait("MIDI", 1)
    pd.order("play 0")
    assert pd.wait("MIDI", 2) == [["60", "80", "1"], ["60", "0", "1"]]
    while server.hear("/musai/transport")[3] != 0:
        pass
    pd.order("locate 1999990")
    pd.order("play 1")
    pd.wait("MIDI", 4)
    assert pd.struck() == [(60, 1), (61, 1), (62, 1)]
    server.say("/musai/jam/silence", 1)
    pd.wait("MIDI", 6)
    assert sorted(pd.released()) == [(60, 1), (61, 1), (62, 1)]
    pd.order("tempo 60")
    while server.hear("/musai/transport")[1] != 60:
        pass

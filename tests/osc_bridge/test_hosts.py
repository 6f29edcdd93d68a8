"""Programs that others wrote, as clients: liblo's oscsend and oscdump."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from musai.service import Service
from musai.transformer.request import Request
from osc_bridge.background import BridgeThread
from tests.cli.conftest import write_model
from tests.osc_bridge.fakes import FakeService, notes_for


class Dump:
    """An oscdump on a free port: its lines, without the time in front."""

    def __init__(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            ["oscdump", "-L", str(self.port)], stdout=subprocess.PIPE, text=True
        )
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        self._wait_until_bound()

    def _wait_until_bound(self) -> None:
        for _ in range(500):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind(("127.0.0.1", self.port))
                except OSError:
                    return
            time.sleep(0.01)
        raise AssertionError("oscdump did not start")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.partition(" ")[2].strip())

    def until(self, beginning: str, seconds: float = 10.0) -> str:
        """The first line that begins so; waits for it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in list(self.lines):
                if line.startswith(beginning):
                    return line
            time.sleep(0.01)
        raise AssertionError(f"no {beginning!r} among {self.lines}")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def dump() -> Iterator[Dump]:
    made = Dump()
    yield made
    made.close()


@pytest.fixture
def oscsend(port: Callable[[str], int], dump: Dump) -> Callable[..., None]:
    def send(*words: object) -> None:
        subprocess.run(["oscsend", "127.0.0.1", str(port("udp")), *map(str, words)], check=True)

    send("/musai/hello", "iii", 1, 1, dump.port)
    dump.until("/musai/welcome")
    return send


@pytest.mark.host("oscsend", "oscdump")
def test_a_shell_asks_for_a_phrase_hears_it_and_keeps_it(
    service: FakeService, dump: Dump, oscsend: Callable[..., None]
) -> None:
    to = f"/musai/to/{dump.port}"
    oscsend(f"{to}/generate", "isisf", 2, "bars", 2, "tempo", 117.3)
    dump.until("/musai/overlap")
    assert service.requests == [Request(bars=2, tempo=117.3)]
    notes = [line.split()[3:] for line in dump.lines if line.startswith("/musai/note ")]
    assert [tuple(map(int, note))[1:] for note in notes] == notes_for(Request(bars=2))
    assert [int(note[0]) for note in notes] == list(range(8))
    assert dump.until("/musai/ack isf 2") == '/musai/ack isf 2 "/musai/generate" 0.000000'
    assert dump.until("/musai/end").split()[2:5] == ["2", "8", "2"]
    oscsend(f"{to}/keep", "ii", 3, 2)
    assert '"kept"' in dump.until("/musai/decision")
    assert service.decisions[0][1] == "kept"


@pytest.mark.host("oscsend", "oscdump")
def test_a_shells_mistakes_are_told_it(dump: Dump, oscsend: Callable[..., None]) -> None:
    to = f"/musai/to/{dump.port}"
    for id, (path, types, *words), code in (
        (10, ("/nothing", "i"), "unknown_address"),
        (11, ("/generate", "iss", "bars", "many"), "bad_type"),
        (12, ("/generate", "isi", "bars", 65), "bad_value"),
        (13, ("/generate", "isf", "tempo", "nan"), "bad_value"),
        (14, ("/transport", "ifff", 120, "inf", 1), "bad_value"),
        (15, ("/keep", "i"), "bad_count"),
        (16, ("/keep", "imi", "90403c7f", 1), "bad_type"),
    ):
        oscsend(to + path, types, id, *words)
        assert dump.until(f"/musai/error isssi {id} ").split()[3] == f'"{code}"'


@pytest.mark.host("oscsend", "oscdump")
def test_a_shell_plays_with_a_real_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dump: Dump
) -> None:
    write_model(tmp_path / "models" / "random")
    monkeypatch.setenv("MUSAI_HOME", str(tmp_path))
    with Service(model="random", corpora=()) as real, BridgeThread(real, port=0) as it:
        port = int(it.bridge.addresses["udp"].rstrip("/").rpartition(":")[2])
        words = [
            ("/musai/hello", "iii", 1, 1, dump.port),
            (f"/musai/to/{dump.port}/generate", "isisi", 2, "bars", 2, "seed", 7),
        ]
        for one in words:
            subprocess.run(["oscsend", "127.0.0.1", str(port), *map(str, one)], check=True)
        ended = dump.until("/musai/end", 60).split()
    shell = [line for line in dump.lines if line.startswith("/musai/note ")]
    assert len(shell) == int(ended[3])


@pytest.mark.host("oscsend", "oscdump")
def test_a_shell_joins_a_jam_plays_a_call_and_is_told_the_answer(
    service: FakeService, dump: Dump, oscsend: Callable[..., None]
) -> None:
    to = f"/musai/to/{dump.port}"
    oscsend(f"{to}/transport", "iffT", 2, 120, 0)
    oscsend(f"{to}/jam", "isisi", 3, "call", 0, "bars", 1)
    assert dump.until("/musai/jam/joined").split()[2] == "3"
    for id, pitch in enumerate((60, 64, 67), 10):
        oscsend(f"{to}/jam/on", "iii", id, pitch, 90)
        oscsend(f"{to}/jam/off", "iii", 20 + id, pitch, id)
    oscsend(f"{to}/jam/turn", "i", 30)
    take = dump.until("/musai/jam/take").split()[3]
    dump.until("/musai/jam/commit")
    ended = dump.until("/musai/jam/end", 30).split()
    assert ended[3] == take
    context = service.requests[0].context
    assert context is not None
    assert context.notes["pitch"].tolist() == [60, 64, 67]
    oscsend(f"{to}/jam/keep", "ii", 31, int(take))
    assert '"kept"' in dump.until("/musai/decision")
    oscsend(f"{to}/jam/on", "iii", 32, 200, 90)
    assert dump.until("/musai/error isssi 32 ").split()[3] == '"bad_value"'
    oscsend(f"{to}/jam/leave", "i", 33)
    oscsend(f"{to}/jam/turn", "i", 34)
    assert dump.until("/musai/error isssi 34 ")

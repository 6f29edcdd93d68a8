"""JACK servers with the dummy driver, one for each test that wants one, and MIDI clients on them."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PERIOD = 256
"""Samples at 48 kHz: 5.3 ms, the grain of what arrives over JACK."""


def wait_until(what: str, happened: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What `happened` hands back, as soon as that is true."""
    end = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.02)
    return found


@contextmanager
def jack_server(name: str) -> Iterator[None]:
    """A server that only programs started inside find."""
    before = os.environ.copy()
    os.environ |= {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
    server = subprocess.Popen(
        # -S: the server waits for each client in each cycle, else a loaded machine's clients miss
        # cycles and what came in them; -t: for ten seconds, before it drops one.
        ["jackd", "-n", name, "-r", "-S", "-p", "512", "-t", "10000",
         "-d", "dummy", "-r", "48000", "-p", str(PERIOD)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(
            "JACK is up", lambda: subprocess.run(["jack_lsp"], capture_output=True).returncode == 0
        )
        yield
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        os.environ.clear()
        os.environ.update(before)


class Wire:
    """A client of JACK's that hears one port and plays into another, whose names are given."""

    def __init__(self, name: str, hears: str, plays: str = "") -> None:
        import rtmidi

        self.heard: list[tuple[float, tuple[int, int, int]]] = []
        self._in = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, f"{name} in")
        self._in.set_callback(self._hear)
        self._connect(self._in, hears)
        self._out = None
        if plays:
            self._out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, f"{name} out")
            self._connect(self._out, plays)

    def _connect(self, port: Any, wanted: str) -> None:
        def number() -> list[int]:
            return [i for i, one in enumerate(port.get_ports()) if wanted in one]

        port.open_port(wait_until(f"{wanted} is there", number)[0], "wire")

    def _hear(self, event: tuple[list[int], float], _: object) -> None:
        status, pitch, velocity = event[0]
        self.heard.append((time.monotonic(), (status, pitch, velocity)))

    def play(self, *message: int) -> None:
        """Send a message."""
        assert self._out is not None
        self._out.send_message(list(message))

    def close(self) -> None:
        """Leave."""
        for port in (self._in, self._out):
            if port is not None:
                port.close_port()
                port.delete()

"""The process that owns the MIDI ports: `python -m osc_bridge.port`, spoken to over its pipes.

It is small and alone so that nothing else can hold up a beat, and so that it
outlives whoever feeds it: when its standard input closes, because that
program ended, crashed or was killed, it releases every note that sounds.

Lines in, times in seconds of the system's even clock::

    on DUE ID CHANNEL PITCH VELOCITY      off DUE ID      cancel ID      silence

Lines out::

    ready virtual|existing OUT <tab> IN   the ports are open
    in TIME HEX                           a message came in
    sent DUE TIME ID on|off               a message went out
    left COUNT                            notes left out because they were late, so far
    error TEXT                            no ports; the process ends
"""

import argparse
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from osc_bridge.sounding import Sent, Sounding

SPIN: Final = 0.0004
"""Seconds before an event that are waited out awake."""
APIS: Final = ("alsa", "jack", "core", "mm")


class Ports:
    """A port out and a port in: virtual where the system has such, else existing ones."""

    def __init__(self, name: str, api: str, out: str, into: str) -> None:
        """Open them.  Raises `OSError` with what to do."""
        import rtmidi

        self.kind = "existing" if out or into or sys.platform == "win32" else "virtual"
        numbers = {"alsa": rtmidi.API_LINUX_ALSA, "jack": rtmidi.API_UNIX_JACK,
                   "core": rtmidi.API_MACOSX_CORE, "mm": rtmidi.API_WINDOWS_MM}  # fmt: skip
        compiled = rtmidi.get_compiled_api()
        wanted = (
            [numbers[api]] if api else [number for number in numbers.values() if number in compiled]
        )
        reasons = []
        for number in wanted:
            try:
                self._out = rtmidi.MidiOut(number, name)
                # One JACK client each, so two names; elsewhere only the ports' names are seen.
                jack = number == rtmidi.API_UNIX_JACK
                self._in = rtmidi.MidiIn(number, f"{name}-in" if jack else name)
                ends = ("out", "in") if jack else (f"{name} out", f"{name} in")
                self.names = (
                    _open(self._out, out, ends[0], self.kind, name if jack else ""),
                    _open(self._in, into, ends[1], self.kind, f"{name}-in" if jack else ""),
                )
                break
            except (
                rtmidi.SystemError,
                rtmidi.InvalidPortError,
                rtmidi.NoDevicesError,
                OSError,
            ) as error:
                reasons.append(str(error).strip() or type(error).__name__)
        else:
            raise OSError(f"no MIDI port could be opened ({'; '.join(reasons)}); {_advice()}")
        self._in.ignore_types(sysex=True, timing=False, active_sense=True)

    def listen(self, heard: Callable[[bytes], None]) -> None:
        """Have every message that comes in handed to `heard`, from a thread of rtmidi's."""
        self._in.set_callback(lambda event, _: heard(bytes(event[0])))

    def send(self, message: tuple[int, int, int]) -> None:
        """Send one message."""
        self._out.send_message(list(message))

    def close(self) -> None:
        """Close both."""
        self._in.close_port()
        self._out.close_port()
        self._in.delete()
        self._out.delete()


def _open(port: Any, wanted: str, end: str, how: str, client: str) -> str:
    if how == "virtual":
        port.open_virtual_port(end)
        return f"{client}:{end}" if client else end
    found: list[str] = port.get_ports()
    for number, one in enumerate(found):
        # Without a name, the first cable of a loopback driver rather than a synthesizer.
        if wanted.lower() in one.lower() and (wanted or "loop" in one.lower()):
            port.open_port(number)
            return one
    raise OSError(
        f"no port {end!r} is named like {wanted or 'loopMIDI'!r}; there are {', '.join(found) or 'none'}"
    )


def _advice() -> str:
    if sys.platform == "win32":
        return "Windows has no virtual ports of its own: install loopMIDI, make two cables, name them with --out and --in"
    if sys.platform.startswith("linux"):
        return "start JACK (or PipeWire with its JACK), or load ALSA's sequencer (modprobe snd-seq)"
    return "name existing ports with --out and --in"


class Loop:
    """Sends what is due when it is due."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._sounding = Sounding()
        self._turn = threading.Condition()
        self._closed = False
        self._saying = threading.Lock()

    def say(self, line: str) -> None:
        """One line to whoever started this process, if it is still there."""
        with self._saying, contextlib.suppress(OSError, ValueError):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    def heard(self, message: bytes) -> None:
        """A message came in."""
        self.say(f"in {time.monotonic():.6f} {message.hex()}")

    def read(self) -> None:
        """Take commands until there are no more."""
        with contextlib.suppress(OSError, ValueError):
            for line in sys.stdin:
                with self._turn:
                    self._command(line.split())
                    self._turn.notify()
        self.close()

    def close(self, *_: object) -> None:
        """End, and release what sounds."""
        self._closed = True
        with contextlib.suppress(RuntimeError), self._turn:
            self._turn.notify()

    def _command(self, words: list[str]) -> None:
        match words:
            case ["on", due, id, *rest]:
                self._sounding.on(float(due), int(id), *map(int, rest))
            case ["off", due, id]:
                self._sounding.off(float(due), int(id))
            case ["cancel", id]:
                self._sounding.cancel(int(id))
            case ["silence"]:
                self._send(self._sounding.silence(time.monotonic()))

    def run(self) -> None:
        """Until closed."""
        try:
            while not self._closed:
                with self._turn:
                    wait = self._sounding.next() - time.monotonic() - SPIN
                    if wait > 0:
                        self._turn.wait(min(wait, 0.5))
                        continue
                    while time.monotonic() < self._sounding.next():
                        pass
                    before = self._sounding.left_out
                    self._send(self._sounding.due(time.monotonic()))
                    if self._sounding.left_out > before:
                        self.say(f"left {self._sounding.left_out}")
        finally:
            with self._turn:
                self._send(self._sounding.silence(time.monotonic()))

    def _send(self, messages: list[Sent]) -> None:
        lines = []
        for one in messages:
            self._ports.send(one.message)
            now = time.monotonic()
            lines.append(f"sent {one.due:.6f} {now:.6f} {one.id} {'on' if one.strikes else 'off'}")
        for line in lines:
            self.say(line)


def first_in_line() -> None:
    """Be woken before others, where the system lets us; a port needs little time, but at once."""
    with contextlib.suppress(AttributeError, OSError, PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))
        return
    with contextlib.suppress(AttributeError, OSError, PermissionError):
        os.nice(-10)


def main(arguments: list[str] | None = None) -> int:
    """Open the ports and serve."""
    parser = argparse.ArgumentParser(prog="osc_bridge.port")
    parser.add_argument("--name", default="musai")
    parser.add_argument("--api", choices=("", *APIS), default="")
    parser.add_argument("--out", default="")
    parser.add_argument("--in", dest="into", default="")
    chosen = parser.parse_args(arguments)
    try:
        ports = Ports(chosen.name, chosen.api, chosen.out, chosen.into)
    except (ImportError, OSError) as error:
        text = (
            "python-rtmidi is not installed: pip install musai[daw]"
            if isinstance(error, ImportError)
            else str(error)
        )
        print("error " + " ".join(text.split()), flush=True)
        return 2
    loop = Loop(ports)
    for name in ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), loop.close)
    loop.say(f"ready {ports.kind} {ports.names[0]}\t{ports.names[1]}")
    ports.listen(loop.heard)
    threading.Thread(target=loop.read, daemon=True).start()
    first_in_line()
    loop.run()
    # What was just written must have left before the ports go.
    time.sleep(0.1)
    ports.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

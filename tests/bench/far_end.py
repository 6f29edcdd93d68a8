"""The other end of the cable: `python -m tests.bench.far_end`, a MIDI client of its own.

Plays calls into musai's port at their time and writes down, with the time,
all that comes out of it.  Ends when its standard input closes; then writes
what it heard and what it played as JSON.
"""

import argparse
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import rtmidi

from tests.bench.players import call


def opened(kind: Any, api: int, words: str, seconds: float = 10.0) -> Any:
    """A port of this kind, connected to the one whose name has these words."""
    port = kind(api, "far end")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for number, name in enumerate(port.get_ports()):
            if words in name:
                port.open_port(number, "cable")
                return port
        time.sleep(0.1)
    raise RuntimeError(f"no port {words!r} among {port.get_ports()}")


def main() -> None:
    """Play and listen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="musai")
    parser.add_argument("--start", type=float, required=True, help="time of beat 0")
    parser.add_argument("--bpm", type=float, required=True)
    parser.add_argument("--voices", type=int, default=4)
    parser.add_argument("--cycles", type=int, required=True)
    parser.add_argument("--bars", type=int, default=2, help="of the call, and of the answer")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    heard: list[tuple[float, list[int]]] = []
    into = opened(rtmidi.MidiIn, rtmidi.API_UNIX_JACK, f"{chosen.name}:out")
    into.set_callback(lambda event, _: heard.append((time.monotonic(), list(event[0]))))
    out = opened(rtmidi.MidiOut, rtmidi.API_UNIX_JACK, f"{chosen.name}-in:in")
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    played = []
    for cycle in range(chosen.cycles):
        for beat, message in events(chosen.seed, cycle, chosen.voices, chosen.bars):
            due = chosen.start + (8 * chosen.bars * cycle + beat) * 60 / chosen.bpm
            if ended.wait(max(0.0, due - time.monotonic())):
                break
            out.send_message(message)
            played.append((due, time.monotonic(), message))
    ended.wait()
    time.sleep(0.5)
    chosen.out.write_text(json.dumps({"heard": heard, "played": played}))
    into.close_port()
    out.close_port()


def events(seed: int, cycle: int, voices: int, bars: int) -> list[tuple[float, list[int]]]:
    """MIDI messages of a call with their beats; channels are voices."""
    rows = []
    for note in call(seed, cycle, voices, 4 * bars):
        rows.append((note.onset, 1, [0x90 | note.voice, note.pitch, 80]))
        rows.append((note.onset + note.length, 0, [0x80 | note.voice, note.pitch, 64]))
    return [(beat, message) for beat, _, message in sorted(rows)]


if __name__ == "__main__":
    main()

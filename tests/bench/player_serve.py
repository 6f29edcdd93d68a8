"""A really running `musai serve`: its start, its memory, and first notes over OSC, with matching on."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from musai.music import Metre, Phrase
from musai.transformer.request import Request
from osc_bridge.client import Client
from tests.bench.server import memory, running, wait_until_ready
from tests.bench.table import Result, quantile, save_rows

REQUESTS = 60
REST_SECONDS = 4.0
STARTS = 3


def measure(home: Path, model: str | None, seed: int) -> Result:
    """Start, rest, and three kinds of request."""
    result = Result()
    starts = sorted(_start(home, model) for _ in range(STARTS))
    with running(home, model) as server:
        wait_until_ready(server)
        time.sleep(REST_SECONDS)
        resident, shared_once = memory(server)
        rows = list(_requests(server.port, seed))
    save_rows("player_first_note", rows)
    result.figures["start_s"] = round(starts[len(starts) // 2], 3)
    result.figures["server_rss_mb"] = round(resident, 1)
    result.figures["server_pss_mb"] = round(shared_once, 1)
    result.add(
        "from the start to the first answer", f"{starts[len(starts) // 2]:.2f} s", "1.5 s", "bar"
    )
    result.add("memory at rest, all processes", f"{resident:.0f} MiB", "300 MiB", "bar; with shared pages "
               f"counted once {shared_once:.0f}")  # fmt: skip
    for kind, name, bar in (
        ("nothing", "first_note_ms", 20),
        ("prefilled", "first_note_prefilled_ms", 20),
        ("unseen", "first_note_64_ms", 60),
    ):
        these = [row["first_note_ms"] for row in rows if row["kind"] == kind]
        for share, label in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
            result.figures[f"{name}_{label}"] = round(quantile(these, share), 2)
        result.add(
            f"first note over OSC, {_SAID[kind]}, p95 of {len(these)}",
            f"{quantile(these, 0.95):.1f} ms", f"{bar} ms", f"bar; p50 {quantile(these, 0.5):.1f}",
        )  # fmt: skip
    return result


_SAID = {
    "nothing": "from nothing",
    "prefilled": "512 notes read before",
    "unseen": "64 notes not seen before",
}


def _start(home: Path, model: str | None) -> float:
    """Seconds from starting the program to its answer to `hello`."""
    started = time.perf_counter()
    with (
        running(home, model) as server,
        Client("127.0.0.1", server.port, transport="udp", timeout=20) as client,
    ):
        client.hello()
        return time.perf_counter() - started


def notes_of(seed: int, number: int, count: int) -> Phrase:
    """`count` eighths of four voices on a walk in C: a bar holds 32."""
    rng = np.random.Generator(np.random.Philox(key=seed, counter=number))
    beats = -(-count // 4)
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    onsets, pitches, voices = [], [], []
    for voice in range(4):
        degree = int(rng.integers(0, 7))
        for beat in range(beats):
            onsets.append(beat / 2)
            pitches.append(72 - 8 * voice + int(scale[degree % 7]))
            voices.append(voice)
            degree = (degree + int(rng.integers(-2, 3))) % 7
    length = -(-beats // 8) * 4
    return Phrase.from_notes(
        onsets, [0.5] * len(onsets), pitches, 80, voices, metre=Metre.of(120), length=length
    )


def _requests(port: int, seed: int) -> Iterator[dict[str, Any]]:
    long = notes_of(seed, 0, 512)
    with Client("127.0.0.1", port, transport="udp", timeout=30, name="bench") as client:
        client.hello()
        client.ask(Request("continue", 1, seed, long))
        for number in range(-3, REQUESTS):
            known = Request("continue", 1, 1000 + number, long)
            new = Request("continue", 1, 1000 + number, notes_of(seed, 1000 + number, 64))
            kinds = {
                "nothing": Request(bars=1, seed=1000 + number),
                "prefilled": known,
                "unseen": new,
            }
            for kind, request in kinds.items():
                answer = client.ask(request, overlap=False)
                # Matching of the last phrase goes on in its own process all the while.
                if number >= 0 and answer.first_note_ms is not None:
                    yield {
                        "kind": kind, "request": number, "notes": len(answer.notes),
                        "first_note_ms": answer.first_note_ms,
                        "server_first_note_ms": answer.server_first_note_ms,
                    }  # fmt: skip

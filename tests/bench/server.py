"""A really running `musai serve` and 200 requests to it over OSC."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil

from musai.music import Metre, Phrase
from musai.transformer.request import Request
from osc_bridge.client import Answer, Client
from tests.bench.table import Result, quantile, save_rows

REQUESTS = 200
REST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its process and where it listens."""

    process: "subprocess.Popen[str]"
    port: int
    web: str
    tcp: int


@contextmanager
def running(home: Path, model: str | None, *options: str) -> Iterator[Server]:
    """`musai serve` with a home of its own on free ports, and more options; ended by closing its input."""
    command = [sys.executable, "-c", "from musai.cli import main; main()", "serve", "--json"]
    command += ["--port", "0", "--web-port", "0", "--home", str(home)]
    command += ["--with-parent", "--no-record", *(["--model", model] if model else []), *options]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"musai serve ended with code {process.wait()}")
        told = json.loads(line)
        udp, tcp = (urlsplit(told["osc"][kind]).port for kind in ("udp", "tcp"))
        assert udp is not None
        assert tcp is not None
        yield Server(process, udp, told["web"], tcp)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


def memory(server: Server) -> tuple[float, float]:
    """MiB of all the server's processes together: resident, and resident with shared pages once."""
    parent = psutil.Process(server.process.pid)
    resident = shared_once = 0
    for process in (parent, *parent.children(recursive=True)):
        told = process.memory_full_info()
        resident += told.rss
        shared_once += getattr(told, "pss", told.uss)
    return resident / 2**20, shared_once / 2**20


def motif(seed: int, number: int) -> Phrase:
    """Two bars in a key and a tempo of their own: a walk of quarters and eighths."""
    rng = np.random.Generator(np.random.Philox(key=seed, counter=number))
    steps = np.array([0, 2, 4, 5, 7, 9, 11])
    onsets, lengths, pitches = [], [], []
    now, degree = 0.0, int(rng.integers(0, 7))
    tonic = int(rng.integers(55, 67))
    while now < 8:
        length = float(rng.choice([0.5, 0.5, 1.0, 1.0, 1.5]))
        onsets.append(now)
        lengths.append(min(length, 8 - now))
        pitches.append(tonic + 12 * (degree // 7) + int(steps[degree % 7]))
        degree = int(np.clip(degree + rng.integers(-2, 3), -3, 12))
        now += length
    metre = Metre.of(float(rng.integers(80, 140)))
    return Phrase.from_notes(onsets, lengths, pitches, metre=metre, length=8)


def wait_until_ready(server: Server, seconds: float = 1200) -> None:
    """Until the model plays and the light is on, asked at the page's own address."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with urllib.request.urlopen(f"{server.web.rstrip('/')}/api/describe", timeout=10) as reply:
            told = json.load(reply)
        if told["model"] is not None and told["light"]["ready"]:
            return
        time.sleep(0.5)
    raise RuntimeError(f"the server is not ready after {seconds:g} s: {told}")


def measure(home: Path, model: str | None, seed: int) -> Result:
    """First notes, whole answers, overlaps and memory."""
    result = Result()
    with running(home, model) as server:
        wait_until_ready(server)
        time.sleep(REST_SECONDS)
        before = memory(server)
        rows = list(_requests(server, seed))
        time.sleep(REST_SECONDS)
        after = memory(server)
    save_rows("first_note", rows)
    here = [row["first_note_ms"] for row in rows]
    there = [row["server_first_note_ms"] for row in rows]
    for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
        result.figures[f"first_note_ms_{name}"] = round(quantile(here, share), 2)
        result.add(
            f"first note, {name}, {REQUESTS} requests over OSC/UDP",
            f"{quantile(here, share):.1f} ms",
            f"{quantile(there, share):.1f} ms",
            "the server's own clock, without OSC and the client",
        )
    lights = [row["overlap_ms"] for row in rows if row["overlap_ms"] is not None]
    result.add("overlap summary, p50 after the request", f"{quantile(lights, 0.5):.0f} ms")
    result.add("overlap summary, p95 after the request", f"{quantile(lights, 0.95):.0f} ms")
    result.figures["server_rss_mb"] = round(after[0], 1)
    result.add(
        f"memory at rest, after {REQUESTS} requests, all processes",
        f"{after[0]:.0f} MiB",
        f"{after[1]:.0f} MiB",
        "shared pages counted once",
    )
    result.add("memory at rest, before them", f"{before[0]:.0f} MiB", f"{before[1]:.0f} MiB")
    return result


def _requests(server: Server, seed: int) -> Iterator[dict[str, Any]]:
    with Client("127.0.0.1", server.port, transport="udp", timeout=30, name="bench") as client:
        client.hello()
        for number in range(-3, REQUESTS):
            request = Request(
                mode="answer", bars=2, seed=number % 1000, context=motif(seed, number % 1000)
            )
            started = time.perf_counter()
            answer = client.ask(request)
            whole = 1000 * (time.perf_counter() - started)
            if number >= 0:  # the first three only warm up
                yield _row(number, answer, whole)


def _row(number: int, answer: Answer, whole_ms: float) -> dict[str, Any]:
    return {
        "request": number,
        "notes": len(answer.notes),
        "first_note_ms": answer.first_note_ms,
        "server_first_note_ms": answer.server_first_note_ms,
        "server_whole_ms": answer.server_whole_ms,
        "overlap_ms": whole_ms if answer.overlap else None,
        "light": answer.overlap.light if answer.overlap else answer.no_overlap,
        "asked_again": answer.asked_again,
    }

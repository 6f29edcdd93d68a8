"""`make soak`: an hour of jamming; memory, file handles and the ledger afterwards.

Two jams, one of two clients; a client that comes, asks and goes every five
seconds; garbage now and then.  Every ten seconds a row in out/bench/soak.csv.
Memory counts what every process has for itself (unique set size), and of that,
where the system tells it, what it has allocated (`anon`): the rest is pages of
mapped files, which the kernel brings and takes as it likes.  "Flat": the median
of the last quarter against that of the second quarter, by which time all that
is loaded on demand is loaded.  The last line is one JSON object.
"""

import argparse
import json
import socket
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from musai.ledger import verify_file
from musai.transformer.request import Request
from osc_bridge.client import Client
from osc_bridge.messages import Message
from tests.bench.main import corpus_in
from tests.bench.players import Human
from tests.bench.server import Server, running, wait_until_ready
from tests.bench.table import OUT, save_rows

EVERY = 10.0
FLAT = 0.05


def sample(server: Server, started: float) -> dict[str, Any]:
    """One row: memory, handles and threads of all processes together."""
    parent = psutil.Process(server.process.pid)
    row: dict[str, Any] = {"seconds": round(time.monotonic() - started, 1)}
    total = allocated = handles = threads = 0
    for process in (parent, *parent.children(recursive=True)):
        try:
            role = "serve" if process.pid == parent.pid else _role(process.cmdline())
            unique, files = process.memory_full_info().uss, process.num_fds()
            threads += process.num_threads()
            anon = _allocated(process.pid)
        except psutil.Error:
            continue
        row[f"mib_{role}"] = round(unique / 2**20, 2)
        row[f"anon_{role}"] = round(anon / 2**20, 2)
        total, allocated, handles = total + unique, allocated + anon, handles + files
    sums = {"mib": round(total / 2**20, 2), "anon": round(allocated / 2**20, 2)}
    return {**row, **sums, "handles": handles, "threads": threads}


def _allocated(pid: int) -> int:
    """Bytes of memory without a file behind it, resident or swapped out; 0 where nobody says."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0
    told = (line.split() for line in status.read_text().splitlines())
    return 1024 * sum(int(words[1]) for words in told if words[0] in ("RssAnon:", "VmSwap:"))


def _role(words: list[str]) -> str:
    """Which worker a command line starts."""
    worker = "musai.service.worker"
    return words[words.index(worker) + 1] if worker in words else "other"


def visit(server: Server, number: int) -> str:
    """A client comes, asks for a bar, decides, goes.  What went wrong, or ""."""
    kind: Any = ("udp", "tcp")[number % 2]
    port = server.tcp if kind == "tcp" else server.port
    try:
        with Client("127.0.0.1", port, transport=kind, timeout=300) as client:
            client.hello()
            answer = client.ask(Request(bars=1, seed=number))
            (client.keep, client.discard)[number % 2](answer.phrase)
            if number % 5 == 0:
                return "" if client.replay(answer.replay).same == "identical" else "replay differs"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def garbage(port: int) -> None:
    """What nobody should send."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        for packet in (b"\0" * 2000, b"#bundle\0" * 40, b"/musai/hello\0\0\0\0,f\0\0\x7f\xc0\0\0"):
            raw.sendto(packet, ("127.0.0.1", port))


def jam(
    server: Server, seconds: float, rows: list[dict[str, Any]]
) -> tuple[list[Human], list[str]]:
    """Play for so long."""
    humans = [
        Human(server.port, seed=11, bpm=160, voices=2, call_bars=1, answer_bars=1, session="one"),
        Human(server.port, seed=12, bpm=160, session="one", lead=False, call_bars=1, answer_bars=1, voice=2),
        Human(server.tcp, seed=13, bpm=200, voices=1, session="two", transport="tcp"),
    ]  # fmt: skip
    for human in humans:
        human.start()
    started, faults, number = time.monotonic(), list[str](), 0
    while (now := time.monotonic() - started) < seconds:
        if now >= EVERY * len(rows):
            rows.append(sample(server, started))
            save_rows("soak", rows)
            for human in humans:
                _decide(human, len(rows))
                _forget(human)
        if now >= 5 * number:
            number += 1
            fault = visit(server, number)
            if fault:
                faults.append(f"{now:.0f} s, visit {number}: {fault}")
                print(faults[-1], file=sys.stderr, flush=True)
            garbage(server.port)
        time.sleep(0.2)
    for human in humans:
        human.stop()
        human.join(20)
        faults += [repr(human.fault)] if human.fault else []
    return humans, faults


def _decide(human: Human, turn: int) -> None:
    """Every command on a take now and then; ids far from those of notes."""
    word = ("keep", "discard", "again", "vary", "back")[turn % 5]
    human.client.send(Message(f"/musai/jam/{word}", (3_000_000 + turn,)))


def _forget(human: Human) -> None:
    """The bench's own memory is not what is measured, but it should not swap either."""
    for number in sorted(human.account.takes)[:-8]:
        human.account.takes.pop(number, None)


def flatness(rows: list[dict[str, Any]], name: str) -> float:
    """Median of the last quarter over that of the second, less one."""
    quarter = len(rows) // 4
    early = statistics.median(row[name] for row in rows[quarter : 2 * quarter])
    late = statistics.median(row[name] for row in rows[-quarter:])
    return late / early - 1


def main() -> None:
    """Soak, then say how it was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    chosen = parser.parse_args()
    place = (OUT / "soak-home").absolute()
    corpus_in(place)
    rows: list[dict[str, Any]] = []
    with running(place, None) as server:
        wait_until_ready(server)
        humans, faults = jam(server, 60 * chosen.minutes, rows)
        for human in humans:
            human.close()
    told = verify_file(place / "ledger" / "ledger.sqlite")
    figures = {
        "minutes": chosen.minutes,
        "memory_mib": rows[-1]["mib"],
        "memory_growth": round(flatness(rows, "mib"), 4),
        "allocated_growth": round(flatness(rows, "anon"), 4) if rows[-1]["anon"] else None,
        "handles_growth": round(flatness(rows, "handles"), 4),
        "threads_growth": round(flatness(rows, "threads"), 4),
        "records": told.records,
        "ledger_fault": told.fault,
        "missed_bars": sum(human.account.missed for human in humans),
        "faults": faults[:5],
    }
    print(json.dumps(figures))
    grown = figures["allocated_growth"]
    memory = figures["memory_growth"] if grown is None else grown
    flat = abs(memory) <= FLAT and abs(figures["handles_growth"]) <= FLAT
    sys.exit(0 if flat and not told.fault and not faults else 1)


if __name__ == "__main__":
    main()

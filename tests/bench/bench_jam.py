"""`make bench-jam`: the live jam in figures; raw rows in out/bench/, JSON as the last line.

Real programs throughout: `musai serve` with the shipped model, `musai midi`
with its port process, JACK with its dummy driver, a MIDI client of its own at
the other end of the cable, OSC clients, and a process that keeps one core
busy all the while.

    main    call and response every two bars at 160, four voices, over MIDI
    turn    from the human's last release and word to the first note
    crowd   eight clients in four sessions at once
    burst   2,000 packets in a second, and what nobody should send
    ends    stop, panic, worker, server and client killed: what still sounds?
    peers   notochord and midigpt, where the same can be asked of them
"""

import argparse
import json
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from tests.bench import jam_parts
from tests.bench.cable import jack, missing
from tests.bench.jam_peers import peers
from tests.bench.main import corpus_in
from tests.bench.server import running, wait_until_ready
from tests.bench.table import OUT, Result, show


def busy() -> None:
    """Keep a core busy."""
    while True:
        sum(range(10_000))


@contextmanager
def one_core_busy() -> Iterator[None]:
    """Another process that computes all the while."""
    process = multiprocessing.get_context("spawn").Process(target=busy, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--parts", default="main,turn,crowd,burst,ends,peers", help="for development"
    )
    chosen = parser.parse_args()
    wanted = chosen.parts.split(",")
    gone = missing()
    if gone:
        sys.exit(f"bench-jam drives real programs; missing: {', '.join(gone)}")
    place = (OUT / "home").absolute()
    corpus_in(place)
    os.environ["MUSAI_HOME"] = str(place)
    share = min(1.0, chosen.minutes / 10)
    result, figures = Result(), dict[str, Any]()
    with jack("musai-bench"):
        with running(place, None) as server, one_core_busy():
            wait_until_ready(server)
            for name, part in (
                ("main", lambda: jam_parts.main_jam(server, chosen.minutes, chosen.seed)),
                ("turn", lambda: jam_parts.turns(server, max(8, round(60 * share)), chosen.seed)),
                ("crowd", lambda: jam_parts.crowd(server, max(20.0, 120 * share), chosen.seed)),
                ("burst", lambda: jam_parts.burst(server, chosen.seed)),
            ):
                if name not in wanted:
                    continue
                print(f"{time.strftime('%H:%M:%S')} {name}", file=sys.stderr, flush=True)
                told, lines = part()
                figures |= told
                for line in lines:
                    result.add(*line)
        if "ends" in wanted:
            print(f"{time.strftime('%H:%M:%S')} ends", file=sys.stderr, flush=True)
            told, lines = jam_parts.ends(place)
            figures["stuck_notes"] = figures.get("stuck_notes", 0) + told.pop("stuck_notes")
            figures |= told
            for line in lines:
                result.add(*line)
    if "peers" in wanted:
        print(f"{time.strftime('%H:%M:%S')} peers", file=sys.stderr, flush=True)
        with one_core_busy():
            told, lines = peers()
        figures |= told
        for line in lines:
            result.add(*line)
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"\n{where}, load {psutil.getloadavg()[0]:.1f}, seed {chosen.seed}, raw rows in {OUT}/\n")
    show([result])
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

"""kill -9 at any moment loses nothing that was acknowledged: done for real, a hundred times."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from musai.ledger import Ledger, verify_file

KILLS = 100

CHILD = """
import sys, threading
from datetime import UTC, datetime
from musai.ledger import Ledger

print("began", flush=True)
ledger = Ledger.open(sys.argv[1])
noon = datetime(2026, 1, 2, tzinfo=UTC)
speak = threading.Lock()

def work(name, size):
    while True:
        payload = {"phrase_id": name * size, "decision": "kept"}
        record = ledger.append("decision", payload, utc=noon)
        with speak:
            sys.stdout.write(f"{record.seq} {record.hash}\\n")
            sys.stdout.flush()

for name, size in (("a", 64), ("b", 6000)):
    threading.Thread(target=work, args=(name, size)).start()
"""


def killed_after(path: Path, acks: int, then: float) -> dict[int, str]:
    """Run the child, kill it `then` seconds after so many acknowledgements; all it acknowledged."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, env=environment
    )
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(1 + acks)]
    time.sleep(then)
    child.kill()
    lines += child.stdout.readlines()
    child.stdout.close()
    assert child.wait() != 0, "the child ended by itself: nothing was killed"
    # A line cut in the middle was not yet an acknowledgement.
    whole = [line.split() for line in lines[1:] if line.endswith(b"\n")]
    return {int(seq): link.decode() for seq, link in whole}


def test_a_hundred_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    draw = np.random.Generator(np.random.Philox(20260102))
    acknowledged: dict[int, str] = {}
    for number in range(KILLS):
        acks = 0 if number % 4 == 0 else int(draw.integers(1, 40))
        fresh = killed_after(path, acks, float(draw.uniform(0, 0.02)))
        assert not fresh.keys() & acknowledged.keys(), "a number was acknowledged twice"
        acknowledged.update(fresh)
        if number % 10 == 0 and path.exists():
            assert verify_file(path).ok
    result = verify_file(path)
    assert result.ok, result
    assert result.records >= len(acknowledged) > KILLS
    with Ledger.open(path) as ledger:
        kept = {record.seq: record.hash for record in ledger.last(result.records)}
    assert acknowledged.items() <= kept.items()

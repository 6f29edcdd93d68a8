"""Two Link peers in a network of their own: run by a test inside `unshare`, prints JSON.

One is musai's, looked at as `musai midi --clock link` does; the other is a DAW
that changes the tempo.
"""

import asyncio
import json
import subprocess
import time

import aalink

from osc_bridge.background import BridgeThread
from osc_bridge.client import Client
from osc_bridge.link import Link
from tests.osc_bridge.fakes import FakeService

SLOW, FAST = 60.0, 90.0


async def main() -> None:
    """Meet, change the tempo, and see what musai tells."""
    mine, other = Link(100.0), aalink.Link(SLOW, asyncio.get_running_loop())
    other.enabled = True
    until = time.monotonic() + 60
    while not (mine.peers and other.num_peers) and time.monotonic() < until:
        await asyncio.sleep(0.02)
    told = {"peers": mine.peers, "tempo": 0.0, "beats": 0.0, "apart": 0.0}
    # Whoever came first gives the tempo; from here on the other one does.
    for tempo in (SLOW, FAST):
        before = other.beat
        other.tempo = tempo
        last, until = 0.0, time.monotonic() + 30
        while abs(last - tempo) > 0.01 and time.monotonic() < until:
            seen = mine.look(time.monotonic())
            last = seen.tempo if seen is not None else last
            await asyncio.sleep(0.02)
        told["beats"] = other.beat - before
    seen = mine._told
    assert seen is not None
    told["tempo"] = seen.tempo
    told["apart"] = abs(mine._link.beat - other.beat)
    mine.close()
    told |= await asyncio.to_thread(over_osc, other)
    other.enabled = False
    print(json.dumps(told), flush=True)


def over_osc(other: aalink.Link) -> dict[str, float]:
    """A client has its session follow Link and leave it; peers seen, and the tempo told it."""
    service = FakeService()
    until = time.monotonic() + 30
    while time.monotonic() < until and other.num_peers:  # the peer before has just left
        time.sleep(0.02)
    told: dict[str, float] = {"before": other.num_peers}
    with BridgeThread(service, port=0) as it:
        port = int(it.bridge.addresses["tcp"].rstrip("/").rpartition(":")[2])
        with Client("127.0.0.1", port) as client:
            client.hello()
            client.call("/musai/link", True, SLOW)
            until = time.monotonic() + 30
            while time.monotonic() < until and not other.num_peers:
                time.sleep(0.02)
            # Of two sessions that meet either's tempo may hold: the DAW says it once more.
            other.tempo = FAST
            while time.monotonic() < until and abs(tempo_of(client) - FAST) > 0.01:
                time.sleep(0.02)
            told["joined"], told["heard"] = other.num_peers, tempo_of(client)
            client.call("/musai/link", False)
            until = time.monotonic() + 30
            while time.monotonic() < until and other.num_peers:
                time.sleep(0.02)
            told["left"] = other.num_peers
    service.close()
    return told


def tempo_of(client: Client) -> float:
    """What the session's tempo is."""
    return float(client.call("/musai/sync")[-1].args["tempo"])


if __name__ == "__main__":
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    asyncio.run(main())

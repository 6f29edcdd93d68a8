"""Many clients at once, bursts, bundles from the future, garbage."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from musai.transformer.request import Request
from osc_bridge import server
from osc_bridge.codec import bundle, decode, encode
from osc_bridge.effects import Peer
from osc_bridge.messages import Message
from osc_bridge.server import Bridge
from osc_bridge.transports import MemoryTransport
from tests.osc_bridge.conftest import Connect
from tests.osc_bridge.fakes import FakeService, notes_for


def test_several_clients_are_served_at_once_each_its_own(connect: Connect) -> None:
    clients = [connect(kind) for kind in ("udp", "tcp") * 4]
    answers: dict[int, list[Any]] = {}

    def play(number: int) -> None:
        for turn in range(5):
            answers.setdefault(number, []).append(
                clients[number].ask(Request(bars=2, seed=10 * number + turn)).notes
            )

    threads = [threading.Thread(target=play, args=(i,)) for i in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(len(clients)):
        assert answers[number] == [
            notes_for(Request(bars=2, seed=10 * number + turn)) for turn in range(5)
        ]


def test_a_bundle_20_s_ahead_is_answered_at_once_while_another_client_is_served(
    connect: Connect, port: Callable[[str], int]
) -> None:
    other = connect("tcp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        raw.connect(("127.0.0.1", port("udp")))
        raw.settimeout(20)
        raw.send(encode(Message("/musai/hello", (1,))))
        raw.recv(2000), raw.recv(2000)
        raw.send(bundle([encode(Message("/musai/generate", (2,)))], time_now() + 20))
        began = time.monotonic()
        assert len(other.ask(Request()).notes) == 16
        reply = decode(raw.recv(2000), 0.0, 2000)[0].item
        assert isinstance(reply, Message)
        assert reply.args[:2] == (2, "too_far")
        assert time.monotonic() - began < 15


def time_now() -> float:
    from datetime import UTC, datetime

    return datetime.now(UTC).timestamp()


def test_a_timetagged_command_is_done_when_it_is_due(
    connect: Connect, port: Callable[[str], int]
) -> None:
    client = connect("udp")
    client._line.send(bundle([encode(Message("/musai/sync", (5,)))], time_now() + 0.3))
    began = time.monotonic()
    clock = next(c for c in client.listen(20) if c.row.path == "/musai/clock")
    assert clock.id == 5
    assert time.monotonic() - began > 0.2


def test_a_burst_of_2000_packets_is_answered_or_counted(
    bridge: Bridge, connect: Connect, port: Callable[[str], int]
) -> None:
    other = connect("tcp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
        raw.connect(("127.0.0.1", port("udp")))
        raw.settimeout(20)
        raw.send(encode(Message("/musai/hello", (-1,))))
        raw.recv(2000), raw.recv(2000)
        kinds = [
            ("/musai/sync",),
            ("/musai/nothing",),
            ("/musai/set", "bars", 99),
            ("/musai/keep", 1),
        ]
        packets = [encode(Message(kinds[i % 4][0], (i, *kinds[i % 4][1:]))) for i in range(2000)]
        packets[7] = b"garbage"

        def send() -> None:  # all within a second, as fast as a small kernel buffer holds
            for i, packet in enumerate(packets):
                raw.send(packet)
                if i % 20 == 0:
                    time.sleep(0.01)

        sender = threading.Thread(target=send)
        sender.start()
        assert len(other.ask(Request()).notes) == 16
        answered, withheld, heard = set(), 0, Counter[str]()
        while len(answered) + withheld < 1999:
            message = decode(raw.recv(2000), 0.0, 2000)[0].item
            assert isinstance(message, Message)
            heard[message.path] += 1
            if message.path == "/musai/withheld":
                withheld += int(message.args[0])  # type: ignore[arg-type]
                continue
            answered.add(message.args[0])
            if message.path == "/musai/error":
                withheld += int(message.args[4])  # type: ignore[arg-type]
        sender.join()
    counts = bridge.counts
    assert heard["/musai/clock"] == 500
    assert len(answered) + withheld == 1999
    assert (counts.garbage, bridge.overrun) == (1, 0)
    assert counts.messages == counts.answered + counts.withheld + counts.ignored


def test_garbage_of_all_kinds_stalls_nobody(connect: Connect, port: Callable[[str], int]) -> None:
    client = connect("udp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        raw.connect(("127.0.0.1", port("udp")))
        for packet in (
            b"", b"\0" * 60_000, b"/" * 60_000, encode(Message("/musai/hello", tuple(range(9000)))),
            bundle([bundle([bundle([bundle([bundle([b"x"])])])])]), b"#bundle\0" * 100,
        ):  # fmt: skip
            raw.send(packet)
    with socket.create_connection(("127.0.0.1", port("tcp"))) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n" * 1000 + b"\xc0" * 1000 + b"\xdb" * 100_000)
    assert len(client.ask(Request()).notes) == 16


def test_more_packets_than_the_queue_holds_are_counted(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "QUEUE", 8)
    monkeypatch.setattr(server, "STREAM_QUEUE", 8)
    memory = MemoryTransport()

    async def run() -> Bridge:
        bridge = Bridge(service, transports=[memory])
        await bridge.start()
        for i in range(20):
            memory.inject(1, encode(Message("/musai/hello", (i,))))
        assert bridge.full(Peer("memory", "memory", 1))
        await asyncio.sleep(0.05)
        assert not bridge.full(Peer("memory", "memory", 1))
        await bridge.close()
        return bridge

    bridge = asyncio.run(run())
    assert (bridge.overrun, bridge.counts.packets) == (12, 8)


def test_senders_take_turns(service: FakeService) -> None:
    memory = MemoryTransport()

    async def run() -> list[int]:
        bridge = Bridge(service, transports=[memory])
        await bridge.start()
        for i in range(50):
            memory.inject(1, encode(Message("/musai/hello", (i,))))
        memory.inject(2, encode(Message("/musai/hello", (0,))))
        await asyncio.sleep(0.1)
        await bridge.close()
        return [peer.port for peer, packet in memory.sent if b"/welcome" in packet]

    assert asyncio.run(run()).index(2) == 1

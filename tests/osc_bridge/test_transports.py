"""Ports, server.json and the sockets themselves."""

import asyncio
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

import musai
from musai.errors import BadInput
from osc_bridge import transports
from osc_bridge.background import BridgeThread
from osc_bridge.codec import Unprefix, decode, encode, prefixed, slip
from osc_bridge.effects import Peer
from osc_bridge.errors import NoServer, PortTaken
from osc_bridge.messages import Message
from osc_bridge.record import ServerRecord, find
from osc_bridge.transports import TcpTransport, UdpTransport
from tests.osc_bridge.fakes import FakeService


def test_server_json_tells_the_addresses_while_the_server_runs(
    service: FakeService, record: Path
) -> None:
    with BridgeThread(service, port=0, record=record, extra={"web": "http://x/"}) as it:
        values = json.loads(record.read_text())
        assert values["osc"] == it.bridge.addresses
        assert set(values["osc"]) == {"udp", "tcp"}
        assert (values["pid"], values["version"]) == (os.getpid(), musai.__version__)
        assert values["web"] == "http://x/"
        assert f"osc.tcp://127.0.0.1:{find(record)[1]}/" == values["osc"]["tcp"]
    assert not record.exists()
    assert list(record.parent.iterdir()) == []


def test_a_server_leaves_another_servers_record_alone(service: FakeService, record: Path) -> None:
    with BridgeThread(service, port=0, record=record):
        other = ServerRecord(record, {"other": 1})
        other.write({"tcp": "osc.tcp://127.0.0.1:1/"})
    assert find(record) == ("127.0.0.1", 1)
    record.unlink()
    other.remove()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"osc": {"tcp": "osc.tcp://127.0.0.1:x/"}}', '{"osc": {"tcp": "?"}}'],
)
def test_a_record_that_says_nothing_is_no_server(tmp_path: Path, text: str) -> None:
    path = tmp_path / "server.json"
    with pytest.raises(NoServer, match="start it with: musai serve"):
        find(path)
    path.write_text(text)
    with pytest.raises(NoServer, match="start it with: musai serve"):
        find(path)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_taken_port_fails_loudly_and_leaves_nothing_open(
    service: FakeService, record: Path, kind: socket.SocketKind
) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]
        name = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
        with pytest.raises(PortTaken, match=f"{name} port {port} of 127.0.0.1 is taken"):
            BridgeThread(service, port=port, record=record).start()
        assert not record.exists()
    with BridgeThread(service, port=port):
        pass


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])
def test_an_address_that_other_machines_reach_is_refused(service: FakeService, host: str) -> None:
    with pytest.raises(BadInput, match="needs a token"):
        BridgeThread(service, host=host, port=0).start()


def test_a_port_that_cannot_be_bound_at_all_is_an_error() -> None:
    with pytest.raises(OSError, match="assign"):
        transports.bound(socket.SOCK_STREAM, "192.0.2.1", 0)


def test_a_record_that_cannot_be_written_leaves_no_port_open(
    service: FakeService, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        BridgeThread(service, port=0, record=tmp_path / "file" / "server.json").start()


def test_closing_twice_is_closing_once(service: FakeService) -> None:
    it = BridgeThread(service, port=0).start()
    it.close()
    it.close()


class Ear:
    def __init__(self) -> None:
        self.packets: list[tuple[Peer, bytes]] = []
        self.left: list[Peer] = []
        self.waits = 0

    def packet(self, peer: Peer, packet: bytes) -> None:
        self.packets.append((peer, packet))

    def gone(self, peer: Peer) -> None:
        self.left.append(peer)

    def full(self, peer: Peer) -> bool:
        self.waits += 1
        return self.waits % 2 == 1


async def eventually(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it did not come about")


def port_of(url: str) -> int:
    return int(url.rstrip("/").rpartition(":")[2])


def test_a_udp_endpoint_can_be_made_anew_on_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        udp, ear = UdpTransport("127.0.0.1", 0), Ear()
        assert not udp.send(Peer("udp", "127.0.0.1", 1), b"")
        url = await udp.open(ear)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
            raw.connect(("127.0.0.1", port_of(url)))
            raw.send(b"one")
            await eventually(lambda: len(ear.packets) == 1)
            udp.error_received(ConnectionResetError())
            monkeypatch.setattr(transports.sys, "platform", "win32")
            udp.error_received(ConnectionResetError())
            udp.error_received(ConnectionResetError())
            await eventually(lambda: udp._reopening is None)
            raw.send(b"two")
            await eventually(lambda: len(ear.packets) == 2)
            assert udp.send(ear.packets[1][0], b"back")
            raw.settimeout(5)
            assert raw.recv(10) == b"back"
        await udp.close()
        await udp.close()

    asyncio.run(run())


def test_a_reader_far_behind_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        tcp, ear = TcpTransport("127.0.0.1", 0, 1000), Ear()
        url = await tcp.open(ear)
        monkeypatch.setattr(transports, "MAX_UNSENT", 2**20)
        with socket.create_connection(("127.0.0.1", port_of(url))) as stream:
            stream.sendall(slip(b"hello"))
            await eventually(lambda: len(ear.packets) == 1)
            peer = ear.packets[0][0]
            for _ in range(1000):
                assert tcp.send(peer, bytes(65_536))
                if ear.left:
                    break
                await asyncio.sleep(0)
            await eventually(lambda: ear.left == [peer])
            assert tcp.send(peer, b"too late")
            assert not tcp.send(Peer("udp", "127.0.0.1", 1), b"")
        await tcp.close()

    asyncio.run(run())


def test_a_stream_with_lengths_in_front_is_answered_in_kind(port: Callable[[str], int]) -> None:
    with socket.create_connection(("127.0.0.1", port("tcp"))) as stream:
        stream.settimeout(5)
        stream.sendall(prefixed(encode(Message("/musai/hello", (1,)))))
        frames, packets = Unprefix(9999), []
        while len(packets) < 2:
            packets += frames.feed(stream.recv(9999))
    paths = [timed.item.path for packet in packets for timed in decode(packet, 0.0, 9999)]
    assert paths == ["/musai/ack", "/musai/welcome"]


def test_connections_are_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "MAX_CONNECTIONS", 2)

    async def run() -> None:
        tcp, ear = TcpTransport("127.0.0.1", 0, 1000), Ear()
        port = port_of(await tcp.open(ear))
        streams = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        await eventually(lambda: len(tcp._writers) == 2)
        with socket.create_connection(("127.0.0.1", port)) as third:
            third.setblocking(False)
            await eventually(lambda: _closed(third))
        await tcp.close()
        for stream in streams:
            stream.close()

    asyncio.run(run())


def _closed(stream: socket.socket) -> bool:
    try:
        return stream.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_a_transport_never_opened_can_be_closed() -> None:
    asyncio.run(TcpTransport("127.0.0.1", 0, 9).close())
    asyncio.run(UdpTransport("127.0.0.1", 0).close())

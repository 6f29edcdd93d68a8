"""The bridge on real sockets of this machine, and in memory."""

import asyncio
import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import musai
from musai.errors import BadInput, WorkerDied
from musai.music import Phrase
from musai.service.events import Compared, Failed
from musai.transformer.request import Request
from osc_bridge import server, transports
from osc_bridge.background import BridgeThread
from osc_bridge.client import Client
from osc_bridge.codec import Unprefix, bundle, decode, encode, prefixed, slip
from osc_bridge.effects import Peer
from osc_bridge.errors import NoServer, PortTaken, Refused
from osc_bridge.messages import Message
from osc_bridge.record import ServerRecord, find
from osc_bridge.server import Bridge, about
from osc_bridge.transports import MemoryTransport, TcpTransport, UdpTransport
from tests.osc_bridge.conftest import Connect
from tests.osc_bridge.fakes import CORPUS_ID, MODEL_ID, FakeService, notes_for

KINDS = pytest.mark.parametrize("kind", ["udp", "tcp"])
TUNE = Phrase.from_notes(range(8), [1] * 8, [60, 62, 64, 65, 67, 69, 71, 72])
LONG = Phrase.from_notes(
    [i / 4 for i in range(3000)], [0.25] * 3000, [48 + i % 40 for i in range(3000)]
)


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something that another thread brings about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.002)


def error_of(client: Client) -> str:
    """The code of the next error; waits for it."""
    codes = (c.args["code"] for c in client.listen(20) if c.row.path == "/musai/error")
    return str(next(codes))


# The whole way.


@KINDS
@pytest.mark.parametrize("form", ["midi", "notes"])
def test_a_request_walks_to_the_service_and_its_answer_back(
    service: FakeService, connect: Connect, kind: str, form: Any
) -> None:
    client = connect(kind)
    heard = []
    request = Request(mode="answer", context=TUNE, bars=3, seed=11, tempo=97.3, key="Bbm")
    answer = client.ask(request, on_note=heard.append, form=form)
    assert service.requests[0].replay_id("") == (
        request.replay_id("") if form == "midi" else service.requests[0].replay_id("")
    )
    assert service.requests[0].context == TUNE or form == "notes"
    assert heard == answer.notes == notes_for(request)
    assert (answer.bars, answer.seed, answer.asked_again) == (3, 11, 0)
    assert answer.replay == service.requests[0].replay_id(MODEL_ID)
    assert answer.first_note_ms is not None
    assert answer.overlap is not None
    assert (answer.overlap.light, answer.overlap.title) == ("green", "Ännchen")
    phrase = client.phrase(answer.id)
    assert phrase.id == answer.phrase
    assert phrase.notes_id[:8] == answer.notes_id
    assert phrase.bars == 3


@KINDS
def test_takes_are_kept_discarded_repeated_and_varied(
    service: FakeService, connect: Connect, kind: str
) -> None:
    client = connect(kind)
    first = client.ask(Request(seed=1))
    client.keep(first.id)
    client.discard(first.phrase[:8])
    assert service.decisions == [(first.phrase, "kept"), (first.phrase, "discarded")]
    second = client.again()
    assert second.seed == 2
    assert second.notes != first.notes
    third = client.replay(first.replay)
    assert (third.same, third.notes) == ("identical", first.notes)
    fourth = client.again(third.id)
    assert fourth.notes == second.notes
    with pytest.raises(Refused) as caught:
        client.replay("0" * 64)
    assert caught.value.code == "not_found"


@KINDS
def test_a_cancelled_request_stops(service: FakeService, connect: Connect, kind: str) -> None:
    client = connect(kind)
    service.hold.clear()
    client.send(Message("/musai/generate", (1, "bars", 64)))
    until(lambda: len(service.requests) == 1)
    client.call("/musai/cancel", 1)
    assert error_of(client) == "cancelled"


def test_a_context_far_beyond_a_datagrams_limit_goes_over_tcp(
    service: FakeService, connect: Connect
) -> None:
    client = connect("tcp", timeout=30)
    count = 10_000
    tune = Phrase.from_notes(
        [i / 8 for i in range(count)], [0.125] * count, [40 + i % 50 for i in range(count)]
    )
    client.upload(tune, "notes")
    client.stream("/musai/answer", "bars", 1)
    assert service.requests[0].context is not None
    assert len(service.requests[0].context) == count


def test_a_context_beyond_64_kb_is_refused_over_udp(connect: Connect) -> None:
    client = connect("udp")
    with pytest.raises(Refused) as caught:
        client.upload(Phrase.from_notes(range(4000), [1] * 4000, [60] * 4000), "notes")
    assert caught.value.code == "too_large"


@KINDS
def test_a_long_phrase_comes_whole(connect: Connect, service: FakeService, kind: str) -> None:
    service.a_bar = 40
    client = connect(kind)
    answer = client.ask(Request(bars=64, seed=2))
    assert answer.notes == notes_for(Request(bars=64, seed=2), 40)
    assert client.phrase(answer.id).bars == 64


def test_a_file_that_is_no_midi_file_is_refused_by_name(connect: Connect) -> None:
    client = connect("tcp")
    client.call("/musai/context/midi", 1, 1, "", b"this is no MIDI file")
    with pytest.raises(Refused) as caught:
        client.stream("/musai/answer")
    assert caught.value.code == "bad_request"
    assert "the context cannot be used" in caught.value.text


def test_a_request_cancelled_while_it_is_built_never_reaches_the_service(
    service: FakeService, bridge: Bridge, connect: Connect
) -> None:
    client, gate = connect("tcp"), threading.Event()
    bridge._builds.submit(gate.wait)
    client.upload(TUNE)
    client.send(Message("/musai/answer", (1,)))
    client.call("/musai/cancel", 1)
    gate.set()
    assert error_of(client) == "cancelled"
    assert service.requests == []


def test_a_request_cancelled_while_it_is_submitted_is_cancelled_by_its_ticket(
    service: FakeService, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, gate, entered = connect("tcp"), threading.Event(), threading.Event()
    submit = service.submit

    def slow(*args: Any, **options: Any) -> int:
        entered.set()
        gate.wait()
        return submit(*args, **options)

    monkeypatch.setattr(service, "submit", slow)
    service.hold.clear()
    client.send(Message("/musai/generate", (1,)))
    entered.wait()
    client.call("/musai/cancel", 1)
    gate.set()
    assert error_of(client) == "cancelled"
    assert len(service.requests) == 1


def test_a_client_that_leaves_has_its_request_cancelled(
    service: FakeService, connect: Connect
) -> None:
    service.hold.clear()
    client = connect("tcp")
    client.send(Message("/musai/generate", (1, "bars", 64)))
    until(lambda: len(service.requests) == 1)
    client.close()
    until(lambda: service.hold.is_set())


def test_a_fault_of_the_service_is_an_internal_error_and_the_next_request_is_served(
    service: FakeService, connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise RuntimeError("a bug")

    client = connect("tcp")
    with monkeypatch.context() as patch:
        patch.setattr(service, "submit", fail)
        with pytest.raises(Refused) as caught:
            client.ask(Request())
        assert (caught.value.code, caught.value.text) == ("internal", "RuntimeError: a bug")
        patch.setattr(service, "phrase", fail)
        with pytest.raises(Refused):
            client.phrase("0123abcd")
    assert "a fault while serving" in caplog.text
    assert len(client.ask(Request()).notes) == 16


def test_an_event_that_cannot_be_told_ends_the_request_and_nothing_else(
    service: FakeService, connect: Connect
) -> None:
    client = connect("tcp")
    service.mark = lambda compared: Compared(**{**_fields(compared), "light": "blue"})
    answer = client.ask(Request())
    assert (len(answer.notes), answer.overlap) == (16, None)
    assert "blue" in answer.no_overlap
    service.mark = lambda compared: compared
    assert client.ask(Request()).overlap is not None


def _fields(compared: Compared) -> dict[str, Any]:
    return {name: getattr(compared, name) for name in Compared.__slots__}


# Many at once, and hostile ones.


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


# In memory.


def test_the_bridge_runs_without_sockets(service: FakeService) -> None:
    memory = MemoryTransport()

    async def run() -> list[str]:
        bridge = Bridge(service, transports=[memory])
        await bridge.start()
        assert bridge.addresses == {"memory": "osc.memory://0/"}
        memory.inject(1, encode(Message("/musai/hello", (1,))))
        memory.inject(1, encode(Message("/musai/generate", (2, "bars", 1))))
        memory.inject(1, encode(Message("/musai/subscribe", (3, 1))))
        paths: list[str] = []
        while "/musai/overlap" not in paths or paths.count("/musai/heartbeat") < 3:
            await asyncio.sleep(0.01)
            paths = [
                timed.item.path for _, packet in memory.sent for timed in decode(packet, 0, 9999)
            ]
        await bridge.close()
        assert not memory.send(Peer("udp", "127.0.0.1", 1), b"")
        return paths

    paths = asyncio.run(asyncio.wait_for(run(), 20))
    assert [path for path in paths if path.endswith(("note", "end", "overlap"))] == [
        *["/musai/note"] * 4, "/musai/end", "/musai/overlap",
    ]  # fmt: skip


def test_an_event_after_the_loop_is_closed_is_dropped(service: FakeService) -> None:
    memory = MemoryTransport()
    service.hold.clear()

    async def run() -> Bridge:
        bridge = Bridge(service, transports=[memory])
        await bridge.start()
        memory.inject(1, encode(Message("/musai/hello", (1,))))
        memory.inject(1, encode(Message("/musai/generate", (2,))))
        while not service.requests:
            await asyncio.sleep(0.01)
        await bridge.close()
        return bridge

    bridge = asyncio.run(run())
    bridge._from_thread((1, 2), Failed(1, "Closed", "too late"))


# What it says of itself.


def test_welcome_says_what_the_service_describes(connect: Connect) -> None:
    welcome = connect("udp", hello=False).hello()
    assert (welcome["model"], welcome["model_id"]) == ("fake", MODEL_ID)
    assert (welcome["corpus"], welcome["corpus_id"]) == ("none", CORPUS_ID)
    assert welcome["limits"]["packet_bytes"] == 1400


def test_welcome_learns_of_a_model_that_was_still_loading(
    service: FakeService, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = service.describe()
    monkeypatch.setattr(service, "describe", lambda: {"model": None})
    with BridgeThread(service, port=0) as it:
        client = Client("127.0.0.1", int(it.bridge.addresses["tcp"].rstrip("/").rpartition(":")[2]))
        assert client.hello()["model_id"] == ""
        monkeypatch.setattr(service, "describe", lambda: described)
        until(lambda: client.hello()["model_id"] == MODEL_ID)
        client.close()


def test_a_service_that_cannot_describe_itself_is_served_all_the_same(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fail() -> dict[str, Any]:
        raise WorkerDied("no")

    monkeypatch.setattr(service, "describe", fail)
    with BridgeThread(service, port=0):
        pass
    assert "could not describe itself" in caplog.text


def test_the_ready_corpus_is_told_before_those_being_built() -> None:
    told = about(
        {
            "version": "1",
            "model": {"name": "m", "id": "ab"},
            "corpora": [
                {"name": "new", "id": None, "state": "building"},
                {"name": "old", "id": "cd", "state": "ready"},
            ],
        }
    )
    assert (told.corpus, told.corpus_id, told.model_id) == ("old", "cd", "ab")
    assert about({"corpora": [{"name": "new", "id": None, "state": "building"}]}).corpus == "new"
    assert about({}).corpus == ""


# Ports and server.json.


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
    with pytest.raises(BadInput, match="of this machine alone"):
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


# Transports.


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

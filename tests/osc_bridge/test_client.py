"""The client against a line that loses, doubles and disorders packets."""

import random
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from musai.errors import BadInput
from musai.music import Phrase
from musai.transformer.request import Request
from osc_bridge import client as client_module
from osc_bridge.background import BridgeThread
from osc_bridge.client import Client
from osc_bridge.codec import encode
from osc_bridge.errors import NoAnswer, NoServer, Refused
from osc_bridge.messages import Message
from tests.osc_bridge.conftest import Connect
from tests.osc_bridge.fakes import FakeService, notes_for


class LossyRelay:
    """Passes datagrams between one client and the server; `drop` says which to lose."""

    def __init__(self, port: int, drop: Callable[[bytes], bool]) -> None:
        self._drop = drop
        self.lost = 0
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.bind(("127.0.0.1", 0))
        self._back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._back.connect(("127.0.0.1", port))
        self.port = self._front.getsockname()[1]
        self._client: tuple[str, int] | None = None
        self._threads = [
            threading.Thread(target=self._to_server), threading.Thread(target=self._to_client)
        ]  # fmt: skip
        for one in (self._front, self._back):
            one.settimeout(0.05)
        self._open = True
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._open = False
        for thread in self._threads:
            thread.join()
        self._front.close()
        self._back.close()

    def _to_server(self) -> None:
        while self._open:
            try:
                packet, self._client = self._front.recvfrom(65_536)
            except TimeoutError:
                continue
            if not self._lost(packet):
                self._back.send(packet)

    def _to_client(self) -> None:
        while self._open:
            try:
                packet = self._back.recv(65_536)
            except TimeoutError:
                continue
            if not self._lost(packet) and self._client is not None:
                self._front.sendto(packet, self._client)

    def _lost(self, packet: bytes) -> bool:
        lost = self._drop(packet)
        self.lost += lost
        return lost


Relay = Callable[[Callable[[bytes], bool]], tuple[LossyRelay, Client]]


@pytest.fixture
def relay(port: Callable[[str], int]) -> Iterator[Relay]:
    made: list[tuple[LossyRelay, Client]] = []

    def make(drop: Callable[[bytes], bool]) -> tuple[LossyRelay, Client]:
        line = LossyRelay(port("udp"), drop)
        made.append((line, Client("127.0.0.1", line.port, transport="udp", timeout=8)))
        return made[-1]

    yield make
    for line, client in made:
        client.close()
        line.close()


def first(path: str, times: int = 1) -> Callable[[bytes], bool]:
    """Lose the first packets with this address."""
    left = [times]

    def drop(packet: bytes) -> bool:
        if packet.startswith(path.encode() + b"\0") and left[0]:
            left[0] -= 1
            return True
        return False

    return drop


@pytest.mark.parametrize(
    "path",
    ["hello", "ack", "welcome", "generate", "started", "note", "end", "overlap", "phrase",
     "phrase/midi", "keep", "decision"],
)  # fmt: skip
def test_whatever_single_packet_is_lost_the_work_is_done_once(
    service: FakeService, relay: Relay, path: str
) -> None:
    line, client = relay(first(f"/musai/{path}"))
    client.hello()
    answer = client.ask(Request(seed=3))
    assert answer.notes == notes_for(Request(seed=3))
    assert answer.overlap is not None
    assert client.phrase(answer.id).id == answer.phrase
    client.keep(answer.id)
    assert line.lost == 1
    assert len(service.requests) == len(service.decisions) == 1


@pytest.mark.parametrize("path", ["context/midi", "context/have", "context/ready", "answer"])
def test_whatever_part_of_an_upload_is_lost_it_arrives(
    service: FakeService, relay: Relay, path: str
) -> None:
    tune = Phrase.from_notes(range(600), [1] * 600, [60 + i % 12 for i in range(600)])
    line, client = relay(first(f"/musai/{path}"))
    client.hello()
    client.ask(Request(mode="answer", context=tune, bars=1))
    assert service.requests[0].context == tune
    assert line.lost == 1


def test_a_line_that_loses_a_tenth_brings_everything(service: FakeService, relay: Relay) -> None:
    chance = random.Random(5)
    _, client = relay(lambda packet: chance.random() < 0.1)
    client.hello()
    service.a_bar = 16
    tune = Phrase.from_notes(range(300), [1] * 300, [60 + i % 12 for i in range(300)])
    request = Request(mode="answer", context=tune, bars=8, seed=4)
    answer = client.ask(request)
    assert answer.notes == notes_for(request, 16)
    assert answer.asked_again > 0
    assert client.phrase(answer.id).id == answer.phrase
    assert len(service.requests) == 1


def test_a_server_that_falls_silent_is_said_so(relay: Relay) -> None:
    _, client = relay(lambda packet: packet.startswith(b"/musai/clock"))
    client.hello()
    client._timeout = 0.6
    with pytest.raises(NoAnswer, match="no answer from UDP port"):
        client.call("/musai/sync")


def test_notes_that_never_come_are_an_error(relay: Relay) -> None:
    _, client = relay(lambda packet: packet.startswith((b"/musai/notes", b"/musai/note\0")))
    client.hello()
    client._timeout = 0.4
    with pytest.raises(NoAnswer):
        client.ask(Request())


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_where_nobody_is_the_client_says_how_to_start_a_server(kind: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (
        pytest.raises(NoServer, match="start it with: musai serve"),
        Client("127.0.0.1", port, transport=kind, timeout=0.5) as client,  # type: ignore[arg-type]
    ):
        client.hello()


def test_a_udp_port_that_is_deaf_is_no_server() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        with (
            pytest.raises(NoServer),
            Client("127.0.0.1", deaf.getsockname()[1], transport="udp", timeout=0.4) as client,
        ):
            client.hello()


def test_a_server_that_closes_ends_the_wait(service: FakeService) -> None:
    it = BridgeThread(service, port=0).start()
    client = Client("127.0.0.1", int(it.bridge.addresses["tcp"].rstrip("/").rpartition(":")[2]))
    client.hello()
    it.close()
    with pytest.raises(NoServer):
        client.call("/musai/sync")
    client.close()


def test_refusals_carry_the_servers_words(connect: Connect) -> None:
    with pytest.raises(Refused) as caught:
        connect("tcp").set(bars=65)
    assert caught.value.code == "bad_value"
    assert caught.value.text == "bars is 65; legal is 1 to 64 bars"


def test_parameters_are_set_and_taken_back(connect: Connect, service: FakeService) -> None:
    client = connect("tcp")
    client.set(bars=2, signature=(6, 8), register=(48, 72), key="Am")
    client.set(key=None)
    client.stream("/musai/generate", "seed", 1, overlap=False)
    assert service.requests == [Request(bars=2, signature=(6, 8), register=(48, 72), seed=1)]


def test_a_context_without_notes_is_refused_before_it_is_sent(connect: Connect) -> None:
    with pytest.raises(BadInput, match="no notes"):
        connect("tcp").upload(Phrase.from_notes([], [], []))


def test_news_of_a_subscription_can_be_listened_to(connect: Connect) -> None:
    client = connect("udp")
    state = client.subscribe(2.0)
    news = []
    assert {reply.row.path for reply in state} == {"/musai/ack", "/musai/state", "/musai/heartbeat"}
    client.set(bars=3)
    for told in client.listen(20):
        news.append(told)
        if told.row.path == "/musai/heartbeat":
            break
    assert {n.id for n in news} == {state[0].id}
    assert (news[0].args["name"], news[0].args["value"]) == ("bars", 3)
    assert news[-1].args["lease"] < 2.0


def test_late_and_doubled_replies_do_not_pile_up(connect: Connect) -> None:
    client = connect("udp")
    answer = client.ask(Request())
    client._line.send(encode(Message("/musai/resend", (answer.id, answer.id))))
    client.call("/musai/sync")
    assert list(client.listen(0.1)) == []


def test_a_file_that_is_not_what_its_checksum_says_is_an_error(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect("tcp")
    answer = client.ask(Request())
    monkeypatch.setattr(client_module, "checksum", lambda data: "00000000")
    with pytest.raises(NoAnswer, match="checksum"):
        client.phrase(answer.id)


def test_a_host_that_does_not_exist_is_no_server() -> None:
    with pytest.raises(NoServer):
        Client("no.such.host.invalid", 1, transport="udp")

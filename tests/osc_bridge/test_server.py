"""The whole way on real sockets of this machine, and in memory."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from musai.errors import WorkerDied
from musai.music import Phrase
from musai.service.events import Compared, Failed
from musai.transformer.request import Request
from osc_bridge.background import BridgeThread
from osc_bridge.client import Client
from osc_bridge.codec import decode, encode
from osc_bridge.effects import Peer
from osc_bridge.errors import Refused
from osc_bridge.messages import Message
from osc_bridge.server import Bridge
from osc_bridge.session import About
from osc_bridge.transports import MemoryTransport
from tests.osc_bridge.conftest import Connect
from tests.osc_bridge.fakes import CORPUS_ID, MODEL_ID, FakeService, notes_for

KINDS = pytest.mark.parametrize("kind", ["udp", "tcp"])
TUNE = Phrase.from_notes(range(8), [1] * 8, [60, 62, 64, 65, 67, 69, 71, 72])


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
    client.keep(first.id, "the bridge")
    client.discard(first.phrase[:8])
    assert service.decisions == [(first.phrase, "kept"), (first.phrase, "discarded")]
    assert service.intents == ["the bridge"]
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


def test_a_fault_in_the_bridge_itself_is_logged_and_the_next_packet_served(
    bridge: Bridge, connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    client = connect("tcp")
    with monkeypatch.context() as patch:
        patch.setattr(bridge.desk, "packet", fail)
        client.send(Message("/musai/sync", (1,)))
        until(lambda: bridge.faults == 1)
    assert "a fault in the bridge" in caplog.text
    assert len(client.ask(Request()).notes) == 16


def _fields(compared: Compared) -> dict[str, Any]:
    return {name: getattr(compared, name) for name in Compared.__slots__}


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
    told = About.of(
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
    assert About.of({"corpora": [{"name": "new", "id": None, "state": "building"}]}).corpus == "new"
    assert About.of({}).corpus == ""

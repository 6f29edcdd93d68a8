"""A bridge on free ports with a fake service behind it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from osc_bridge.background import BridgeThread
from osc_bridge.client import Client
from osc_bridge.server import Bridge
from tests.osc_bridge.fakes import FakeService
from tests.osc_bridge.room import Guest, Room

Connect = Callable[..., Client]


@pytest.fixture
def service() -> Iterator[FakeService]:
    made = FakeService()
    yield made
    made.close()


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "home" / "server.json"


@pytest.fixture
def bridge(service: FakeService, record: Path) -> Iterator[Bridge]:
    with BridgeThread(service, port=0, record=record, extra={"web": "http://127.0.0.1:1/"}) as it:
        yield it.bridge


@pytest.fixture
def port(bridge: Bridge) -> Callable[[str], int]:
    def find(kind: str) -> int:
        found = urlsplit(bridge.addresses[kind]).port
        assert found is not None
        return found

    return find


@pytest.fixture
def connect(port: Callable[[str], int]) -> Iterator[Connect]:
    opened: list[Client] = []

    def make(kind: str = "tcp", *, hello: bool = True, **options: Any) -> Client:
        client = Client("127.0.0.1", port(kind), transport=kind, **options)  # type: ignore[arg-type]
        opened.append(client)
        if hello:
            client.hello()
        return client

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def guest(room: Room) -> Guest:
    return room.guest()

import json
import socket
import urllib.request

import pytest
from websockets.sync.client import connect

from musai.errors import BadInput
from musai.web import PageServer, create_app
from tests.web.fakes import FakeService


def test_the_page_is_served_on_this_machine_alone():
    with PageServer(create_app(FakeService()), 0) as server:
        assert server.url == f"http://127.0.0.1:{server.port}/"
        with urllib.request.urlopen(server.url, timeout=10) as answer:
            assert b"musai" in answer.read()
        assert server._socket.getsockname()[0] == "127.0.0.1"


def test_notes_come_over_a_real_socket():
    with (
        PageServer(create_app(FakeService(delay=0)), 0) as server,
        connect(f"ws://127.0.0.1:{server.port}/stream", proxy=None) as stream,
    ):
        stream.send(json.dumps({"do": "ask", "id": 1, "bars": 1}))
        names: list[str] = []
        while "compared" not in names:
            names += [event["event"] for event in json.loads(stream.recv(timeout=10))]
        assert names.count("sounded") == 8


def test_a_taken_port_is_refused_at_once():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"{port}.*legal is a free port"):
            PageServer(create_app(FakeService()), port)


def test_an_impossible_port_is_refused():
    with pytest.raises(BadInput):
        PageServer(create_app(FakeService()), 70_000)


def test_a_closed_server_frees_its_port():
    server = PageServer(create_app(FakeService()), 0).start()
    server.close()
    PageServer(create_app(FakeService()), server.port).close()

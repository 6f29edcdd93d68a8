"""Who is let in, who gets replies, and how many bytes a stranger can make us send."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from musai.errors import BadInput
from osc_bridge.codec import encode
from osc_bridge.desk import Desk
from osc_bridge.effects import Peer, Send
from osc_bridge.messages import Message
from osc_bridge.server import Bridge
from tests.cli.conftest import write_model
from tests.osc_bridge.fakes import FakeService
from tests.osc_bridge.room import Room, code, paths

TOKEN = "correct horse battery"


def said(desk: Desk, peer: Peer, path: str, *args: object) -> list[Send]:
    packet = encode(Message(path, args), double=True)  # type: ignore[arg-type]
    return [one for one in desk.packet(1.0, 0.0, peer, packet) if isinstance(one, Send)]


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1]])
def test_another_machine_without_the_token_stays_a_stranger(token: str) -> None:
    desk, peer = Desk(token=TOKEN), Peer("udp", "192.168.1.5", 9000)
    (reply,) = said(desk, peer, "/musai/hello", 1, 1, 0, "", False, token)
    assert reply.message.args[1] == "bad_token"
    assert desk.sessions == {}
    (reply,) = said(desk, peer, "/musai/generate", 2)
    assert reply.message.args[1] == "hello_first"


def test_another_machine_with_the_token_is_welcome() -> None:
    desk = Desk(token=TOKEN)
    for peer in (Peer("udp", "192.168.1.5", 9000), Peer("tcp", "10.0.0.7", 9000)):
        sent = said(desk, peer, "/musai/hello", 1, 1, 0, "", False, TOKEN)
        assert paths(one.message for one in sent) == ["ack", "welcome"]


def test_without_a_token_set_no_token_opens() -> None:
    (reply,) = said(Desk(), Peer("udp", "192.168.1.5", 9), "/musai/hello", 1, 1, 0, "", False, "")
    assert reply.message.args[1] == "bad_token"


def test_this_machine_needs_none() -> None:
    sent = said(Desk(token=TOKEN), Peer("udp", "127.0.0.1", 9000), "/musai/hello", 1)
    assert paths(one.message for one in sent) == ["ack", "welcome"]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
def test_a_server_for_other_machines_must_have_a_token(host: str) -> None:
    service = FakeService()
    with pytest.raises(BadInput, match="token"):
        Bridge(service, host=host)
    with pytest.raises(BadInput, match="token"):
        Bridge(service, host=host, token="short")
    Bridge(service, host=host, token=TOKEN)
    service.close()


def test_replies_go_only_to_who_asked_or_a_port_of_the_same_host(room: Room) -> None:
    guest = room.guest()
    room.packet(guest.peer, encode(Message("/musai/hello", (1, 1, 9009))))
    assert {peer.host for peer in room.sent} == {"127.0.0.1"}
    assert {peer.port for peer in room.sent} == {9009}
    stranger = Peer("udp", "127.0.0.1", 5)
    room.sent.clear()
    room.packet(stranger, encode(Message("/musai/to/9009/panic", (2,))))
    assert Peer("udp", "127.0.0.1", 5) not in room.sent or len(room.sent[stranger]) <= 1


def test_strangers_cannot_make_much_be_sent() -> None:
    desk, bytes_in, bytes_out = Desk(token=TOKEN), 0, 0
    for number in range(3000):
        peer = Peer("udp", f"192.168.{number % 250}.9", 1000 + number)
        packet = encode(
            Message(("/musai/hello", "/musai/sync", "/musai/zzz")[number % 3], (number,))
        )
        bytes_in += len(packet)
        for one in desk.packet(1.0 + number / 1000, 0.0, peer, packet):
            assert isinstance(one, Send)
            assert one.peer == peer
            size = len(encode(one.message))
            assert size <= max(128, 3 * len(packet))
            bytes_out += size
    assert bytes_out < bytes_in, "all strangers together get less than they send"
    assert desk.shared.withheld > 2500


def test_no_command_names_a_file(room: Room) -> None:
    from osc_bridge.addresses import TABLE

    words = {arg.name for row in TABLE.values() if row.way == "in" for arg in row.args}
    assert words.isdisjoint({"path", "file", "folder", "model"})
    guest = room.guest()
    assert code(guest.say("/musai/phrase", 1, "../../etc/passwd")) == "not_found"
    assert code(guest.say("/musai/replay", 2, "../../../x")) == "bad_value"


@pytest.mark.timeout(300)
@pytest.mark.host("unshare", "ip")
def test_served_to_a_network_the_token_opens_bridge_and_page_and_nothing_else_does(
    tmp_path: Path,
) -> None:
    write_model(tmp_path / "models" / "random")
    script = Path(__file__).with_name("lan_server.py")
    # In a network of its own nothing leaves this machine.
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, script, tmp_path],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    sent, got = told.pop("stranger")
    assert told == {
        "here": "welcome", "without": "bad_token", "wrong": "bad_token", "tcp": "welcome", "udp": "welcome",
        "page": [200, 200], "page without": [401, 401], "mode": "0o600",
    }  # fmt: skip
    assert 0 < got < sent

import json
import re

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from musai.music import Phrase
from musai.report.wording import LIGHTS
from musai.transformer.request import Request
from musai.web import create_app
from tests.web.fakes import FakeService

HOST = "http://127.0.0.1:7734"
ORIGIN = {"origin": HOST}
STREAM = "ws://127.0.0.1:7734/stream"


@pytest.fixture
def service() -> FakeService:
    return FakeService(delay=0.0)


@pytest.fixture
def client(service: FakeService) -> TestClient:
    return TestClient(create_app(service), base_url=HOST)


def named(events: list[dict], name: str) -> dict:
    return next(event for event in events if event["event"] == name)


def conversation(client: TestClient, *messages: dict, until: str) -> list[dict]:
    """Events up to the first named `until`."""
    events: list[dict] = []
    with client.websocket_connect(STREAM, headers=ORIGIN) as socket:
        for message in messages:
            socket.send_text(json.dumps(message))
        while until not in [event["event"] for event in events]:
            events += socket.receive_json()
    return events


ASK = {"do": "ask", "id": 3, "notes": [[0, 480, 64, 80]], "length": 3840, "bars": 1, "seed": 2}


def test_the_page_is_whole_and_says_what_the_tables_say(client):
    answer = client.get("/")
    assert answer.status_code == 200
    for look in LIGHTS.values():
        assert look.word in answer.text
    assert answer.text.count('class="light is-') == len(LIGHTS)
    assert not re.search(
        r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?://(?!www.w3)", answer.text
    )


def test_everything_the_page_names_is_served_here(client):
    page = client.get("/").text
    names = set(re.findall(r'(?:src|href)="(/(?:static|design)/[^"]+)"', page))
    modules = ["/static/main.js"]
    for name in modules:
        imports = re.findall(r'from "\./([\w.]+)"', client.get(name).text)
        modules += [f"/static/{n}" for n in imports if f"/static/{n}" not in modules]
    assert len(modules) > 12
    for name in names | set(modules):
        answer = client.get(name)
        assert answer.status_code == 200, name
        kind = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
        assert answer.headers["content-type"].startswith(kind[name.rsplit(".", 1)[1]])


def test_no_style_or_script_reaches_beyond_this_server(client):
    for name in ("/static/page.css", "/static/piano.css", "/design/tokens.css", "/static/main.js"):
        assert not re.search(r"@import|url\(|https?://|eval\(|innerHTML", client.get(name).text)


def test_every_answer_carries_the_policy(client):
    for path in ("/", "/static/main.js", "/api/describe", "/nothing"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_another_host_name_gets_nothing(client):
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 403
    assert "<html" not in answer.text


def test_another_sites_page_opens_no_stream(client):
    with (
        pytest.raises(WebSocketDisconnect) as caught,
        client.websocket_connect(STREAM, headers={"origin": "http://evil.example"}),
    ):
        pass
    assert (caught.value.code, caught.value.reason) == (1008, "this comes from another site's page")


def test_an_answer_streams_note_by_note_under_the_askers_id(client, service):
    events = conversation(client, ASK, until="compared")
    assert events[0]["event"] == "hello"
    assert events[0]["status"]["model"] == service.describe()["model"]
    own = [event for event in events if event["id"] == 3]
    assert [e["event"] for e in own] == ["started", *["sounded"] * 8, "finished", "compared"]
    assert [e["index"] for e in own if e["event"] == "sounded"] == list(range(8))
    assert own[-1]["light"] == "green"
    request = service.calls[0][1]
    assert (request.mode, request.seed, len(request.context)) == ("answer", 2, 1)


def test_another_answer_takes_the_next_seed_and_a_replay_says_identical(client):
    first = named(conversation(client, ASK, until="finished"), "finished")
    again = {"do": "again", "id": 1, "phrase": first["phrase_id"]}
    second = named(conversation(client, again, until="finished"), "finished")
    assert second["phrase_id"] != first["phrase_id"]
    replay = {"do": "replay", "id": 2, "replay": first["replay_id"]}
    same = named(conversation(client, replay, until="finished"), "finished")
    assert (same["replay"], same["phrase_id"]) == ("identical", first["phrase_id"])


def test_keep_and_discard_reach_the_service(client, service):
    phrase = named(conversation(client, ASK, until="finished"), "finished")["phrase_id"]
    conversation(client, {"do": "keep", "phrase": phrase}, until="kept")
    conversation(client, {"do": "discard", "phrase": phrase}, until="discarded")
    assert service.calls[-2:] == [("keep", phrase), ("discard", phrase)]


def test_a_ping_is_answered(client):
    assert named(conversation(client, {"do": "ping", "id": 9}, until="pong"), "pong")["id"] == 9


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"do": "ask", "id": 5, "bars": 99}, "legal is 1 to 64"),
        ({"do": "dance", "id": 5}, "cannot be read"),
        ({"do": "replay", "id": 5, "replay": "12345678"}, "no replay"),
        ({"do": "again", "id": 5, "phrase": "12345678"}, "no phrase"),
    ],
)
def test_what_cannot_be_done_is_answered_to_its_asker(client, message, reason):
    event = named(conversation(client, message, until="failed"), "failed")
    assert (event["id"], reason in event["reason"]) == (5, True)


def test_a_defect_inside_is_answered_and_the_stream_goes_on(client, service, monkeypatch, caplog):
    def defect(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(service, "submit", defect)
    events = conversation(client, ASK, {"do": "ping", "id": 1}, until="pong")
    assert named(events, "failed")["kind"] == "Unexpected"
    assert "ZeroDivisionError" in caplog.text


def test_a_refusal_leaves_the_id_free(client, service):
    service.refuse = "the queue is full"
    with client.websocket_connect(STREAM, headers=ORIGIN) as socket:
        socket.receive_json()
        for _ in range(3):
            socket.send_text(json.dumps(ASK))
            assert socket.receive_json()[0]["reason"] == "the queue is full"


def test_an_id_in_use_is_refused(client, service):
    service.delay = 0.3
    events = conversation(client, ASK, ASK, until="compared")
    assert [e["event"] for e in events if e["event"] == "failed"] == ["failed"]
    assert len([call for call in service.calls if call[0] == "submit"]) == 1


def test_a_page_that_goes_away_stops_what_it_asked_for(client, service):
    service.delay = 0.5
    with client.websocket_connect(STREAM, headers=ORIGIN) as socket:
        socket.receive_json()
        socket.send_text(json.dumps(ASK))
        while not any(e["event"] == "started" for e in socket.receive_json()):
            pass
    assert ("cancel", 1) in service.calls


def test_cancelling_ends_with_a_reason(client, service):
    service.delay = 0.2
    events = conversation(client, ASK, {"do": "cancel", "id": 3}, until="failed")
    assert named(events, "failed")["kind"] == "Cancelled"


def test_a_message_beyond_the_limit_is_refused_and_the_stream_goes_on(client):
    with client.websocket_connect(STREAM, headers=ORIGIN) as socket:
        socket.receive_json()
        socket.send_text(" " * 300_000)
        assert "legal is" in socket.receive_json()[0]["reason"]
        socket.send_text('{"do": "ping", "id": 1}')
        assert socket.receive_json()[0]["event"] == "pong"


def made(service: FakeService) -> str:
    service._play(1, Request(bars=1, seed=4), lambda event: None, None)
    return next(iter(service.made))


def test_a_phrase_is_downloaded_as_midi(client, service):
    phrase = made(service)
    answer = client.get(f"/phrases/{phrase}.mid")
    assert Phrase.from_midi(answer.content).id == phrase
    assert answer.headers["content-type"] == "audio/midi"
    assert f'filename="musai-{phrase[:8]}.mid"' in answer.headers["content-disposition"]


def test_a_phrase_is_drawn(client, service):
    answer = client.get(f"/phrases/{made(service)}.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.text.startswith("<svg")
    assert "sha256-" in answer.headers["content-security-policy"]


def test_the_report_is_a_page_and_json(client, service):
    phrase = made(service)
    page = client.get(f"/reports/{phrase}")
    assert "Fake &lt;answer&gt;" in page.text
    assert "style-src 'sha256-" in page.headers["content-security-policy"]
    assert client.get(f"/reports/{phrase}.json").json()["subject"]["phrase_id"] == phrase


@pytest.mark.parametrize(
    "path", ["/phrases/{}.mid", "/phrases/{}.svg", "/reports/{}", "/reports/{}.json"]
)
@pytest.mark.parametrize("name", ["0" * 64, "nonsense", "..%2f..%2fetc", "a", "f" * 65])
def test_an_unknown_phrase_is_not_found(client, path, name):
    assert client.get(path.format(name)).status_code == 404


def test_what_the_service_is_can_be_read(client, service):
    assert client.get("/api/describe").json() == service.describe()

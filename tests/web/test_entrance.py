"""Other machines come in with the token alone; on this one nobody is asked."""

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from musai.web import create_app
from tests.web.fakes import FakeService

TOKEN = "a-token-of-this-home"
URL = "http://192.168.7.5:7734"
STREAM = "ws://192.168.7.5:7734/stream"


def from_elsewhere(token: str = TOKEN, url: str = URL) -> TestClient:
    app = create_app(FakeService(), token=token)
    return TestClient(app, base_url=url, client=("192.168.7.9", 50000))


def test_on_this_machine_nobody_is_asked():
    app = create_app(FakeService(), token=TOKEN)
    client = TestClient(app, base_url="http://127.0.0.1:7734", client=("127.0.0.1", 50000))
    assert client.get("/api/describe").status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer nonsense"}, {"Cookie": "musai-token=nonsense"}]
)
def test_a_program_elsewhere_needs_the_token(headers):
    answer = from_elsewhere().get("/api/describe", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "--lan" in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_token_opens_the_api():
    answer = from_elsewhere().get("/api/describe", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200


def test_a_person_types_it_once():
    client = from_elsewhere()
    origin = {"Accept": "text/html", "Origin": URL}
    door = client.get("/", headers=origin)
    assert (door.status_code, "The token, please" in door.text) == (401, True)
    assert client.get("/static/frame.css").status_code == 200
    wrong = client.post("/enter", data={"token": "nonsense"}, headers=origin)
    assert "not the token" in wrong.text
    right = client.post("/enter", data={"token": TOKEN}, headers=origin, follow_redirects=False)
    assert right.status_code == 303
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "Play two bars" in client.get("/", headers=origin).text


def test_a_stream_from_elsewhere_needs_it_too():
    client = from_elsewhere()
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(STREAM):
        pass
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": URL}
    with client.websocket_connect(STREAM, headers=headers):
        pass


def test_without_a_token_no_other_machine_is_answered():
    client = from_elsewhere(token="", url="http://127.0.0.1:7734")
    for token in ("", "anything"):
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/api/describe", headers=headers).status_code == 401


def test_a_name_that_a_site_points_here_is_no_name_of_this_server():
    client = from_elsewhere(url="http://evil.example:7734")
    answer = client.get("/api/describe", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 403


def test_a_long_body_at_the_door_is_no_token():
    answer = from_elsewhere().post(
        "/enter", content=b"token=" + b"x" * 100_000, headers={"Accept": "text/html", "Origin": URL}
    )
    assert answer.status_code == 401

"""The HTTP API: its document, what it answers, and that nobody else's page may ask."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from musai.web import api_files, create_app
from musai.web.api_table import TABLE
from tests.report.fixtures import QUOTE
from tests.web.deskservice import DeskService

HOST = "http://127.0.0.1:7734"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[DeskService]:
    held = DeskService(tmp_path)
    yield held
    held.close()


@pytest.fixture
def client(service: DeskService) -> TestClient:
    return TestClient(create_app(service), base_url=HOST)


def test_the_document_has_every_route_and_no_other(client, service):
    paths = client.get("/api/openapi.json").json()["paths"]
    told = {(path, method.upper()) for path, row in paths.items() for method in row}
    routes = [r for r in create_app(service).routes if isinstance(r, Route)]
    there = {
        (r.path, method)
        for r in routes
        for method in (r.methods or set()) - {"HEAD"}
        if r.path.startswith("/api/") and r.path not in ("/api/", "/api/openapi.json")
    }
    assert told == there
    assert len(told) == len(TABLE)


def test_every_reference_in_the_document_leads_somewhere(client):
    text = client.get("/api/openapi.json").text
    held = json.loads(text)["components"]["schemas"]
    for part in text.split('"$ref":"#/components/schemas/')[1:]:
        assert part.split('"')[0] in held


def test_works_come_in_pages(client):
    first = client.get("/api/works?limit=1&sort=title").json()
    second = client.get("/api/works?limit=1&sort=title&offset=1").json()
    assert first["total"] == second["total"] == 2
    assert first["rows"][0]["id"] != second["rows"][0]["id"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/api/works?limit=0", "limit"),
        ("/api/works?sort=colour", "colour"),
        ("/api/works?nothing=1", "nothing"),
        ("/api/works?limit=1&limit=2", "twice"),
        ("/api/phrases?since=yesterday", "since"),
    ],
)
def test_a_value_out_of_range_is_named(client, path, says):
    answer = client.get(path)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/phrases/00000000", 404),
        ("/api/phrases/..%2f..%2fetc", 404),
        ("/api/jobs/zz", 404),
        ("/api/corpora/nothing/works", 404),
        ("/api/models/nothing/works", 404),
        ("/api/nothing", 404),
    ],
)
def test_what_is_not_there_is_a_problem_with_a_sentence(client, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    assert set(answer.json()) == {"type", "title", "status", "detail"}


def test_a_method_that_is_none_says_which_are(client):
    answer = client.delete("/api/works")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


def test_a_judgement_goes_in_and_comes_back(client, service):
    phrase, work = service.world.file(QUOTE), service.world.work().id
    service.world.match(phrase)
    here = f"/api/phrases/{phrase}/matches/{work}"
    body = {"who": "Ada", "likeness": 3, "mark": "relevant", "note": "bars 1 to 4"}
    assert client.post(here + "/judgements", json=body).status_code == 201
    (told,) = client.get("/api/judgements?who=Ada").json()
    assert (told["mark"], told["likeness"], told["work_id"]) == ("relevant", 3, work)
    assert client.post(here + "/judgements", json={"who": "Ada"}).status_code == 422
    assert client.post(here + "/judgements", json=body | {"likeness": 9}).status_code == 422


def test_a_blind_comparison_holds_no_number(client, service):
    phrase, work = service.world.file(QUOTE), service.world.work().id
    service.world.match(phrase)
    told = client.get(f"/api/phrases/{phrase}/matches/{work}?blind=true").json()
    assert told["match"] is told["verdict"] is told["phrase"] is None
    assert told["comparison"]["phrase"]


def test_the_events_of_a_job_end_with_it(client, service):
    files = [("files", ("a.mid", QUOTE.to_midi(), "audio/midi"))]
    answer = client.post("/api/matches", files=files)
    assert answer.status_code == 202
    job = answer.json()["id"]
    text = client.get(f"/api/jobs/{job}/events").text
    states = [json.loads(line[6:])["state"] for line in text.splitlines() if line[:6] == "data: "]
    assert states[-1] == "done"
    assert client.post("/api/matches", files=files).json()["id"] == job


def test_an_event_is_one_line_whatever_a_file_is_called(service):
    service.world.file(QUOTE)
    job = service.tasks.count_duplicates("reels")
    assert api_files.event(job).count(b"\n") == 3


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}]
)
@pytest.mark.parametrize(
    "path", ["/api/matches", "/match", "/catalogue/use", "/reviewer", "/reports"]
)
def test_another_sites_page_changes_nothing(client, service, path, headers):
    answer = client.post(path, headers=headers, data={"corpus": "reels", "name": "Eve"})
    assert answer.status_code == 403
    assert service.jobs.list() == []


def test_a_name_pointed_at_this_machine_reads_nothing(client):
    assert client.get("/api/works", headers={"host": "evil.example:7734"}).status_code == 403


def test_a_full_disk_is_said_with_what_to_do(client, service, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("musai.web.uploads._new_folder", full)
    files = [("files", ("a.mid", QUOTE.to_midi(), "audio/midi"))]
    answer = client.post("/api/matches", files=files)
    assert answer.status_code == 507
    assert "nothing that was there is lost" in answer.json()["detail"]


def test_a_text_beside_files_has_a_limit(client):
    sent = {"files": ("a.mid", QUOTE.to_midi())}
    refused = client.post("/api/matches", files=sent, data={"session": "x" * 201})
    assert refused.status_code == 422
    assert "session has 201 characters" in refused.json()["detail"]
    assert client.post("/api/matches", files=sent, data={"session": "x" * 200}).status_code == 202

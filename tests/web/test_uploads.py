"""What a browser, or somebody worse, may send: names, archives, sizes, kinds."""

import contextlib
import io
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from musai.errors import BadInput
from musai.web import create_app, limits, uploads
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


def archive(entries: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as held:
        for name, content in entries.items():
            held.writestr(name, content)
    return data.getvalue()


@given(st.text(max_size=60) | st.from_regex(r"(\.\./|/|[a-c]|\\|:){1,12}", fullmatch=True))
def test_no_name_leads_out_of_its_folder(name):
    try:
        safe = uploads.safe_name(name)
    except BadInput:
        return
    folder = Path("/somewhere/folder")
    path = Path(f"{folder}/{safe}")
    assert ".." not in path.parts
    assert path.is_relative_to(folder)
    assert path != folder


@pytest.mark.parametrize(
    "name",
    [
        *("../up.mid", "a/../../up.mid", "/etc/passwd", "C:\\x.mid", "..\\up.mid", "\\\\host\\x"),
        *("con.mid", "a/NUL", "x\n.mid", "a:b.mid", "x.mid.", "", "n" * 300),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused_with_its_name(name):
    with pytest.raises(BadInput, match="a file is called"):
        uploads.safe_name(name)


def test_a_path_in_an_upload_is_refused_and_nothing_is_kept(client, service):
    files = [("files", ("../../evil.mid", b"MThd", "audio/midi"))]
    answer = client.post("/api/matches", files=files)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "../../evil.mid" in answer.json()["detail"]
    assert not list(service.home.parent.rglob("evil.mid"))
    assert list((service.home / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"../evil.mid": b"x"}, "legal is a name inside"),
        ({"big.mid": b"\0" * (uploads.MAX_FILE + 1)}, "grows beyond"),
        ({"a": b"x", "a/b.mid": b"x"}, "lies in what another entry says is a file"),
    ],
)
def test_an_archive_that_means_harm_is_refused(client, service, entries, says):
    files = [("files", ("all.zip", archive(entries), "application/zip"))]
    answer = client.post("/api/imports", files=files, data={"corpus": "x", "who": "Ada"})
    assert answer.status_code == 422
    assert says in answer.json()["detail"]
    assert list((service.home / "uploads").iterdir()) == []


@given(st.binary(max_size=400), st.integers(0, 300))
def test_a_broken_archive_is_told_apart_from_a_defect(noise, at):
    whole = archive({"one.mid": b"MThd" * 30, "two.mid": b"MTrk" * 30})
    broken = whole[:at] + noise + whole[at + len(noise) :]
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(BadInput):
        uploads.unpack(io.BytesIO(broken), Path(folder))


def test_what_systems_add_to_archives_is_passed_over(tmp_path):
    held = archive({"__MACOSX/._a.mid": b"x", ".DS_Store": b"x", "a.mid": b"x"})
    assert [name for name, _ in uploads.unpack(io.BytesIO(held), tmp_path)] == ["a.mid"]


def test_a_body_of_a_gigabyte_is_refused_before_it_is_read(client, service):
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.mid"\r\n\r\n'
        for _ in range(1024):
            sent += 1
            yield b"\0" * 2**20

    headers = {"content-type": "multipart/form-data; boundary=b", "content-length": str(2**30)}
    answer = client.post("/api/matches", content=body(), headers=headers)
    assert answer.status_code == 413
    assert "send fewer or smaller files" in answer.json()["detail"]
    assert not (service.home / "uploads").exists()


def test_a_body_that_does_not_say_its_length_is_refused_where_the_limit_is(client, monkeypatch):
    monkeypatch.setattr(limits, "UPLOAD", 3 * 2**20)

    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.mid"\r\n\r\n'
        for _ in range(8):
            yield b"\0" * 2**20

    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert client.post("/api/matches", content=body(), headers=headers).status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/json", ""])
def test_another_kind_of_body_is_no_upload(client, kind):
    answer = client.post("/api/matches", content=b"MThd", headers={"content-type": kind})
    assert answer.status_code == 415


def test_a_form_that_breaks_off_is_refused_in_words(client):
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = client.post("/api/matches", content=b"--b\r\nContent-Disp", headers=headers)
    assert answer.status_code == 422


def test_an_ordinary_body_has_an_ordinary_limit(client):
    answer = client.post("/reviewer", content=b"name=" + b"a" * (limits.BODY + 1))
    assert answer.status_code == 413

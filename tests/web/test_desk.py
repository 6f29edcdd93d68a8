"""The desk's pages over HTTP, with the real ledger, catalogue and matcher behind them."""

import html
import io
import re
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from musai.corpus.licences import Term
from musai.influence import kept
from musai.influence.found import Influence, Place, Pull
from musai.music import Phrase
from musai.service.catalogues import Change
from musai.web import create_app
from tests.report.fixtures import QUOTE, Hit
from tests.web.deskservice import DeskService

HOST = "http://127.0.0.1:7734"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'


@pytest.fixture
def service(tmp_path: Path) -> Iterator[DeskService]:
    held = DeskService(tmp_path)
    yield held
    held.close()


@pytest.fixture
def client(service: DeskService) -> TestClient:
    return TestClient(create_app(service), base_url=HOST, headers={"accept": "text/html"})


def matched(service: DeskService, name: str = "dropped.mid") -> str:
    phrase = service.world.file(QUOTE, name)
    service.world.match(phrase)
    return phrase


def ended(service: DeskService) -> list:
    jobs = service.jobs.list()
    return [service.jobs.wait(job.id, 100) for job in jobs]


def midi(phrase: Phrase = QUOTE) -> tuple[str, bytes, str]:
    return ("a song.mid", phrase.to_midi(), "audio/midi")


@pytest.mark.parametrize(
    "path",
    [
        *("/catalogue", "/catalogue/import", "/catalogue/duplicates", "/catalogue/takedowns"),
        *("/match", "/judgements", "/sessions", "/reports", "/models", "/changes", "/reviewer"),
        *("/api/", "/sessions/files", "/models/tunebook"),
    ],
)
def test_every_page_is_there_without_anything_inline(client, service, path):
    matched(service)
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", answer.text)
    assert answer.text.count("<h1") == 1
    assert 'aria-current="page"' in answer.text or path in ("/changes", "/reviewer", "/api/")


def test_a_hostile_title_is_text_on_every_page_that_shows_it(client, service):
    phrase = matched(service, HOSTILE)
    work = service.world.work().id
    for path in (
        "/match",
        f"/match/{phrase}",
        f"/match/{phrase}/{work}",
        "/sessions/files",
        "/changes",
    ):
        text = client.get(path).text
        assert "<script>alert" not in text, path
        assert "<img" not in text.replace('<img src="/static/', ""), path


def test_works_are_found_by_any_word_and_kept_in_order(client):
    text = client.get("/catalogue?search=muller").text
    assert "Der Müller" in text
    assert "Birnen" not in text
    by_title = client.get("/catalogue?sort=title&descending=true").text
    assert by_title.index("Der Müller") < by_title.index("Birnen")
    assert "No work fits" in client.get("/catalogue?search=nothing+like+it").text


def test_a_work_shows_its_owner_terms_and_evidence(client, service):
    text = client.get(f"/catalogue/reels/{service.world.work().id}").text
    assert "The Estate" in text
    assert "training" in text
    assert "<svg" in text


def test_a_takedown_tells_what_it_touches_and_then_does_it(client, service):
    phrase = matched(service)
    here = f"/catalogue/reels/{service.world.work().id}/takedown"
    before = client.get(here).text
    assert phrase in before
    assert "Models trained on it" in before
    assert client.post(here, data={"who": "Ada", "reason": ""}).status_code == 422
    after = client.post(here, data={"who": "Ada", "reason": "asked by the estate"})
    assert "asked by the estate" in after.text
    assert client.get(here).status_code == 404


def test_a_dropped_file_is_compared_and_its_comparison_opens(client, service):
    answer = client.post("/match", files=[("files", midi())])
    assert answer.status_code == 200
    (job,) = ended(service)
    assert (job.state, job.failures) == ("done", [])
    (row,) = service.history.phrases().rows
    assert row.nearest_title == "Der Müller"
    page = client.get(f"/match/{row.phrase_id}").text
    assert "Der Müller" in page
    both = client.get(f"/match/{row.phrase_id}/{service.world.work().id}?corpus=reels").text
    assert 'class="roll"' in both
    assert 'class="staves"' in both
    assert "Three questions" in both


def test_the_same_files_again_are_the_same_job(client, service):
    for _ in range(2):
        client.post("/match", files=[("files", midi())])
        ended(service)
    assert len(service.jobs.list()) == 1
    assert list((service.home / "uploads").iterdir()) == []


def test_what_is_no_music_is_named_with_its_reason(client, service):
    files = [("files", ("notes.mid", b"not music", "audio/midi")), ("files", midi())]
    client.post("/match", files=files)
    (job,) = ended(service)
    assert job.failures[0][0] == "notes.mid"
    assert "notes.mid" in client.get(f"/jobs/{job.id}").text
    assert service.history.phrases().total == 1


def test_a_queue_is_cancelled_from_its_card(client, service):
    service.comparer.gate = threading.Event()
    client.post("/match", files=[("files", midi())])
    (job,) = service.jobs.list()
    assert "Cancel" in client.get("/match").text
    client.post(f"/jobs/{job.id}/cancel")
    assert service.jobs.wait(job.id, 10).state == "cancelled"


def test_a_folder_with_a_manifest_becomes_a_catalogue(client, service):
    manifest = b"path,title,holders,licence,train\nsongs/one.mid,=HYPERLINK(1),A Press,LicenseRef-x,denied\n"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as held:
        held.writestr("theirs/manifest.csv", manifest)
        held.writestr("theirs/songs/one.mid", QUOTE.to_midi())
        held.writestr("theirs/songs/unlisted.mid", QUOTE.to_midi())
    sent = ("theirs.zip", archive.getvalue(), "application/zip")
    form = {"corpus": "theirs", "who": "Ada"}
    client.post("/catalogue/import", files=[("files", sent)], data=form)
    (job,) = ended(service)
    assert (job.state, job.result["added"]) == ("done", 1)
    assert job.failures == [("songs/unlisted.mid", "manifest.csv does not list it")]
    page = client.get("/catalogue?corpus=theirs&use=train&status=denied").text
    assert "=HYPERLINK(1)" in page
    assert "A Press" in page


def test_an_import_that_lacks_a_name_says_so_and_keeps_nothing(client, service):
    answer = client.post("/catalogue/import", files=[("files", midi())], data={"corpus": "../up"})
    assert answer.status_code == 422
    assert "legal is up to 64 letters" in answer.text
    assert list((service.home / "uploads").iterdir()) == []


def test_who_listens_first_sees_no_number_until_they_have_rated(client, service):
    phrase, work = matched(service), service.world.work().id
    client.post("/reviewer", data={"name": "Ada", "first": "yes", "next": "/match"})
    here = f"/match/{phrase}/{work}"
    for path in ("/match", f"/match/{phrase}", here):
        text = client.get(path).text
        assert not re.search(r"0\.0005|5\s.\s10|is-amber|significant</|p\s=|longest exact", text), (
            path
        )
    form = {"who": "Ada", "likeness": "4", "by_ear": "yes"}
    shown = client.post(here + "/judge", data=form).text
    assert "Three questions" in shown
    (judgement,) = service.history.judgements()
    assert (judgement.by_ear, judgement.likeness, judgement.who) == (True, 4, "Ada")
    assert "by ear" in client.get("/judgements").text


def test_a_rating_by_ear_is_refused_once_the_numbers_were_shown(client, service):
    phrase, work = matched(service), service.world.work().id
    client.post("/reviewer", data={"name": "Ada", "next": "/match"})
    client.get(f"/match/{phrase}/{work}")
    form = {"who": "Ada", "likeness": "4", "by_ear": "yes"}
    answer = client.post(f"/match/{phrase}/{work}/judge", data=form)
    assert answer.status_code == 422
    assert "has seen the numbers" in answer.text


def test_a_mark_with_its_note_stands_in_every_list(client, service):
    phrase, work = matched(service), service.world.work().id
    form = {"who": "Ada", "mark": "dismissed", "note": HOSTILE}
    client.post(f"/match/{phrase}/{work}/judge", data=form)
    assert "dismissed" in client.get(f"/match/{phrase}").text
    assert "&lt;script&gt;" in client.get("/judgements").text
    assert phrase in client.get("/match?mark=dismissed").text
    assert phrase not in client.get("/match?mark=relevant").text


def test_the_next_match_to_hear_is_one_that_is_not_rated(client, service):
    phrase, work = matched(service), service.world.work().id
    client.post("/reviewer", data={"name": "Ada", "next": "/match"})
    answer = client.get("/judgements/next")
    assert answer.url.path == f"/match/{phrase}/{work}"
    assert "Rate, then show the numbers" in answer.text
    client.post(answer.url.path + "/judge", data={"who": "Ada", "likeness": "2", "by_ear": "yes"})
    assert client.get("/judgements/next").url.path == "/judgements"


def test_a_session_lists_requests_and_replays(client, service):
    phrase = service.world.phrase()
    page = client.get("/sessions/tuesday").text
    assert "seed 7" in page
    client.post(f"/match/{phrase}/replay", data={"next": "//evil.example"})
    assert client.post(f"/api/phrases/{phrase}/replay").json()["identical"] is True
    service.outcome = ""
    told = client.post(f"/api/phrases/{phrase}/replay").json()
    assert told == {"outcome": "the model is no longer the one that made it", "identical": False}


@pytest.mark.parametrize("next_", ["//evil.example", "https://evil.example", "/\\evil.example", ""])
def test_a_form_leads_to_no_other_site(client, next_):
    answer = client.post("/reviewer", data={"name": "A", "next": next_}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/match")


def test_a_corpus_name_in_an_address_is_never_a_path(client):
    for name in ("..", "%2e%2e", "..%2f..", "nothing"):
        assert client.get(f"/catalogue/{name}/{'a' * 64}").status_code in (404, 422)


def test_what_is_missing_is_said_as_a_page_to_a_person(client):
    answer = client.get("/match/" + "0" * 64)
    assert answer.status_code == 404
    assert "<h1>That did not work</h1>" in answer.text


def test_the_evidence_is_written_and_downloaded(client, service):
    phrase = matched(service)
    form = {"kind": "phrases", "values": phrase, "format": "csv"}
    page = client.post("/reports", data=form)
    (job,) = ended(service)
    assert (page.url.path, job.state) == (f"/jobs/{job.id}", "done")
    answer = client.get(f"/api/jobs/{job.id}/file")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "Der Müller" in answer.text
    assert job.result["name"] in client.get("/reports").text


def test_of_many_hits_the_weaker_ones_are_folded_away(client, service):
    phrase = service.world.file(QUOTE)
    work = service.world.work()
    hits = [Hit(work_id=work.id, title="Der Müller")]
    hits += [Hit(work_id=f"{k:064x}", title=f"Another {k}", alignment=()) for k in range(14)]
    service.world.match(phrase, hits=tuple(hits))
    page = client.get(f"/match/{phrase}")
    assert page.status_code == 200
    assert "<summary>5 weaker</summary>" in page.text


def test_a_model_says_what_it_has_by_heart(client, service):
    page = html.unescape(client.get("/models/tunebook").text)
    told = client.get("/api/models/tunebook/known").json()["recall"]
    assert told["windows"] > told["windows_reachable"] > 0
    assert f"{told['windows']:,} windows" in page
    assert told["likeliest"][0]["title"] in page
    assert told["sentences"][0] in page
    assert "musai influence PHRASE" in page


def test_works_that_moved_a_phrase_are_named_as_their_terms_stand_today(client, service):
    phrase, work = service.world.phrase(), service.world.work()
    model = next(m for m in client.get("/api/models").json() if m["name"] == "tunebook")
    pulls = tuple(
        Pull(id, title, "reels", "CC0-1.0", 0.5, 1.0, 0.25, 1.5, None, False)
        for id, title in ((work.id, work.title), ("f" * 64, "gone since"))
    )
    place = Place(0, 480, 2, "bar 1, beat 1 to beat 2", "f" * 64, "gone since", 0.01, False)
    found = Influence(
        "tunebook", model["model_id"], "gradients", "a proxy", None, pulls, (), (), (), (place,), 5, 0.1, 3, 0
    )  # fmt: skip
    kept.save(found, service.home, phrase)
    page = client.get(f"/match/{phrase}").text
    assert "Works that moved tunebook here: an estimate" in page
    assert "gone since" not in page
    (told,) = client.get(f"/api/phrases/{phrase}/influences").json()
    free = service.catalogue.work("reels", work.id).permissions
    allowed = next(one.status for one in free if one.use == "influence") == "allowed"
    assert [one["work_id"] for one in told["works"]] == [work.id] * allowed
    assert told["hidden"] == 3 + 2 - allowed
    change = Change("influence", Term("denied", "no"))
    service.catalogue.set_terms("reels", [work.id], change, who="Ada")
    (told,) = client.get(f"/api/phrases/{phrase}/influences").json()
    assert (told["works"], told["hidden"]) == ([], 5)
    assert f"/match/{phrase}#influence" in client.get("/models/tunebook").text


def test_who_comes_back_sees_what_is_new(client, service):
    matched(service)
    first = client.get("/changes").text
    assert "since you were here last" not in first
    assert "Nothing new since" in client.get("/changes").text
    matched(service, "another.mid")
    again = client.get("/changes").text
    fresh = int(re.search(r"<b>(\d+) changes?</b> since you were here last", again)[1])
    assert again.count('<span class="tag">new</span>') == fresh > 0
    client.cookies.set("musai-seen", "-1; drop")
    assert client.get("/changes").status_code == 200


def test_files_of_one_drop_are_kept_together_as_a_session(client, service):
    client.post("/match", files={"files": midi()}, data={"session": "Entwürfe"})
    ended(service)
    assert "Entwürfe" in client.get("/sessions").text

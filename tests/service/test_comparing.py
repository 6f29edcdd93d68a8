"""Phrases are compared after they are announced, and never held up by a corpus that is not there."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from musai.errors import NotFound
from musai.service import Service
from musai.service.comparing import Answer, under_guard
from musai.service.events import Compared, Finished
from musai.transformer.request import Request
from tests.service.conftest import Make
from tests.service.ears import PATIENCE, Ears


def put(home: Path, name: str, light: str, null: bool = True) -> None:
    folder = home / "corpora"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(light)
    if null:
        (folder / f"{name}.null").touch()


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert found
    return found


def compare(service: Service) -> Compared:
    ears = Ears()
    service.submit(Request(bars=1), ears)
    compared: Compared = ears.end()
    assert isinstance(compared, Compared), compared
    return compared


def state(service: Service, corpus: int = 0) -> Any:
    return service.describe()["corpora"][corpus]


def test_the_overlap_summary_follows_the_phrase(make: Make, tmp_path: Path) -> None:
    put(tmp_path, "tunes", "amber")
    compared = compare(make(corpora=("tunes",)))
    assert (compared.light, compared.p_value, compared.longest_run) == ("amber", 0.005, 9)
    assert compared.sentence == "tunes says amber"
    assert (compared.work_id, compared.title, compared.licence) == (
        "w1",
        "The Fake Reel",
        "CC0-1.0",
    )


def test_the_comparison_is_in_the_ledger_before_it_is_told(make: Make, tmp_path: Path) -> None:
    put(tmp_path, "tunes", "green")
    service = make(corpora=("tunes",))
    found: list[Any] = []
    ears = Ears()

    def look(event: Any) -> None:
        if isinstance(event, Compared):
            found.extend(service.ledger.find("phrase_id", event.phrase_id, "match"))
        ears(event)

    service.submit(Request(bars=1), look)
    ears.end()
    payload = found[0].payload
    assert payload["verdict"]["light"] == "green"
    assert payload["corpora"][0]["hits"][0]["alignment"] == [[0, 0], [1, 1], [2, 2]]
    assert payload["corpora"][0]["about"]["w1"]["title"] == "The Fake Reel"
    assert payload["corpora"][0]["id"] == "tunes-green"


def test_of_several_corpora_the_worst_light_decides_and_all_are_recorded(
    make: Make, tmp_path: Path
) -> None:
    for name, light in (("one", "green"), ("two", "red"), ("three", "amber")):
        put(tmp_path, name, light)
    service = make(corpora=("one", "two", "three"))
    compared = compare(service)
    assert (compared.light, compared.sentence) == ("red", "two says red")
    payload = service.ledger.last(1, "match")[0].payload or {}
    assert [row["name"] for row in payload["corpora"]] == ["two", "three", "one"]


def test_the_request_names_the_corpora_and_its_replay_id_does_not_depend_on_them(
    make: Make, tmp_path: Path
) -> None:
    without = make()
    compare(without)
    put(tmp_path, "tunes", "green")
    service = make(corpora=("tunes",))
    until(lambda: state(service)["state"] == "ready")
    compare(service)
    beside, alone = (record.payload or {} for record in service.ledger.last(2, "request"))
    assert (alone["corpora"], beside["corpora"]) == ([], [{"name": "tunes", "id": "tunes-green"}])
    assert alone["replay_id"] == beside["replay_id"]


def test_a_missing_corpus_leaves_the_light_grey_and_says_why(make: Make) -> None:
    service = make(corpora=("nowhere",))
    compared = compare(service)
    assert compared.light == "grey"
    assert compared.sentence == "no corpus 'nowhere'"
    assert service.describe()["light"] == {"ready": False, "why": "no corpus 'nowhere'"}


def test_a_corpus_is_built_while_music_plays_then_lights_work(make: Make, tmp_path: Path) -> None:
    service = make(corpora=("wait",), build=True)
    building = until(lambda: state(service)["progress"] and state(service))
    assert (building["state"], building["progress"]) == ("building", 0.37)
    compared = compare(service)
    assert compared.light == "grey"
    assert compared.sentence == "the corpus 'wait' is being built, 37% (The Fake Reel)"
    (tmp_path / "go").touch()
    until(lambda: service.describe()["light"]["ready"])
    assert compare(service).light == "amber"
    assert service.describe()["workers"]["build"]["pid"] is None, "the builder has gone home"


def test_a_missing_null_is_made_while_the_corpus_is_in_use(make: Make, tmp_path: Path) -> None:
    put(tmp_path, "tunes", "green", null=False)
    service = make(corpora=("tunes",), build=True)
    until(lambda: service.describe()["light"]["ready"])
    assert compare(service).light == "green"


def test_a_service_that_may_not_build_says_what_is_missing(make: Make, tmp_path: Path) -> None:
    put(tmp_path, "tunes", "green", null=False)
    service = make(corpora=("tunes",))
    assert compare(service).sentence == "tunes says grey"
    why = service.describe()["light"]["why"]
    assert why.startswith("the corpus 'tunes' is here, but its null")
    assert service.describe()["workers"]["build"]["state"] == "idle"


def test_a_corpus_that_cannot_be_built_says_so_and_no_more_is_tried(make: Make) -> None:
    service = make(corpora=("refuse",), build=True)
    until(lambda: state(service)["state"] == "failed")
    assert compare(service).sentence == "no corpus 'refuse' can be made"


def test_a_builder_cleans_up_when_the_service_closes(make: Make, tmp_path: Path) -> None:
    service = make(corpora=("wait",), build=True)
    until(lambda: state(service)["progress"])
    # The builder tells how far it is before it writes the first of it.
    until((tmp_path / "half").exists)
    assert (tmp_path / "half").exists()
    service.close()
    assert not (tmp_path / "half").exists()


def test_a_builder_that_is_killed_is_not_asked_again(make: Make) -> None:
    service = make(corpora=("wait",), build=True)
    until(lambda: state(service)["progress"])
    os.kill(service.describe()["workers"]["build"]["pid"], 9)
    until(lambda: state(service)["state"] == "failed")
    assert "SIGKILL" in state(service)["reason"]


def test_a_matcher_that_dies_over_a_phrase_leaves_it_grey_and_is_replaced(
    make: Make, tmp_path: Path
) -> None:
    put(tmp_path, "tunes", "die")
    service = make(corpora=("tunes",))
    compared = compare(service)
    assert compared.light == "grey"
    assert "was killed by SIGKILL" in compared.sentence
    assert "while it had this phrase in hand" in compared.sentence
    put(tmp_path, "tunes", "amber")
    until(lambda: state(service)["id"] == "tunes-amber")
    assert compare(service).light == "amber"
    assert service.describe()["workers"]["match"]["restarts"] >= 1


def test_a_corpus_that_changes_on_disk_is_opened_again(make: Make, tmp_path: Path) -> None:
    put(tmp_path, "tunes", "green")
    service = make(corpora=("tunes",))
    assert compare(service).light == "green"
    path = tmp_path / "corpora" / "tunes"
    before = path.stat().st_mtime_ns
    put(tmp_path, "tunes", "amber")
    # Within the resolution of a file's time a second change could not be seen: force it.
    os.utime(path, ns=(before + 10**9, before + 10**9))
    assert compare(service).light == "amber"
    assert state(service)["id"] == "tunes-amber"
    path.unlink()
    compared = compare(service)
    assert (compared.light, compared.sentence) == ("grey", "no corpus 'tunes'")


def test_a_defect_in_matching_leaves_the_phrase_grey(make: Make, tmp_path: Path) -> None:
    put(tmp_path, "tunes", "break")
    compared = compare(make(corpora=("tunes",)))
    assert compared.light == "grey"
    assert compared.sentence == "internal error: ZeroDivisionError: a defect"


def test_a_phrase_is_finished_long_before_a_slow_corpus_opens(make: Make, tmp_path: Path) -> None:
    put(tmp_path, "tunes", "green")
    service = make(corpora=("tunes",))
    ears = Ears()
    service.submit(Request(bars=1), ears)
    ears.until(Finished)
    assert ears.end().light == "green", "asked before the matcher was ready, answered after"


class TestReport:
    def test_tells_what_was_recorded(self, make: Make, tmp_path: Path) -> None:
        put(tmp_path, "tunes", "amber")
        service = make(corpora=("tunes",))
        compared = compare(service)
        report = service.report(compared.phrase_id)
        assert json.loads(json.dumps(report)) == report
        assert report["subject"]["phrase_id"] == compared.phrase_id
        assert report["verdict"]["light"] == "amber"
        assert report["verdict"]["p_value"] == 0.005
        assert [match["work"]["title"] for match in report["matches"]] == ["The Fake Reel"]
        assert report["corpus"]["name"] == "tunes"
        assert report["player"]["name"] == "fake"
        assert report["replay"]["command"].startswith("musai replay ")

    def test_of_a_phrase_that_was_not_compared_says_why(self, make: Make) -> None:
        service = make()
        compared = compare(service)
        report = service.report(compared.phrase_id)
        assert report["verdict"]["light"] == "grey"
        assert report["verdict"]["sentence"] == "no corpus is in use"

    def test_of_an_unknown_phrase_is_not_found(self, make: Make) -> None:
        with pytest.raises(NotFound):
            make().report("f" * 64)


@pytest.mark.parametrize(
    ("run", "corpus", "guard", "told"),
    [
        (39, "tunes", 12, True),
        (12, "tunes", 12, True),
        (11, "tunes", 12, False),
        (39, "songs", 12, False),  # The guard was on against another.
        (39, "tunes", None, False),
        (0, None, 12, False),
    ],
)
def test_a_run_longer_than_the_guard_counts_is_explained(
    run: int, corpus: str | None, guard: int | None, told: bool
) -> None:
    found = {"sentence": "No significant match.", "longest_run": run, "corpus": corpus}
    on = {"notes": guard, "stock_authors": 5, "corpora": [{"name": "tunes", "id": ""}]}
    answer = under_guard(Answer(found, [], 1.0), on if guard else None)
    why = "No significant match. So long a run may stand under the guard of 12 notes: 5 authors or more hold what it is"
    assert (why in answer.verdict["sentence"]) == told
    assert found["sentence"] == "No significant match."

"""Files are compared by processes of their own, which no jam waits for and no death stops."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from musai.music import Phrase
from musai.service import Service, crew
from musai.service.events import Compared
from musai.transformer.request import Request
from tests.service.conftest import Make
from tests.service.ears import PATIENCE, Ears
from tests.service.test_comparing import put, until


def files(place: Path, count: int, notes: int = 8) -> list[tuple[str, Path]]:
    """MIDI files that differ from one another."""
    place.mkdir(exist_ok=True)
    made = []
    for number in range(count):
        path = place / f"{notes}-{number}.mid"
        path.write_bytes(Phrase.from_notes(range(notes), 1, [40 + number] * notes).to_midi())
        made.append((path.name, path))
    return made


def opened(make: Make, tmp_path: Path, light: str) -> Service:
    put(tmp_path, "tunes", light)
    service = make(corpora=("tunes",))
    until(lambda: service.describe()["corpora"][0]["state"] == "ready")
    return service


Matchers = Callable[[], list[psutil.Process]]


def comparing() -> list[psutil.Process]:
    """Processes that compare files, whichever service of this test run they serve."""
    found = []
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            if "files" in one.cmdline():
                found.append(one)
    return found


@pytest.fixture
def matchers() -> Matchers:
    """Processes that compare files and were not there before the test: other tests' services live on."""
    before = {one.pid for one in comparing()}
    return lambda: [one for one in comparing() if one.pid not in before]


def test_a_jam_is_told_at_once_while_every_process_for_files_is_busy(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, matchers: Matchers
) -> None:
    monkeypatch.setattr(crew.os, "cpu_count", lambda: 2)
    service = opened(make, tmp_path, "hold")
    job = service.tasks.match_files(files(tmp_path / "in", 4, notes=1))
    until(lambda: len(list((tmp_path / "corpora").glob("held.*"))) == 2)
    assert len(matchers()) == 2
    ears = Ears()
    service.submit(Request(bars=1), ears)
    assert isinstance(ears.end(), Compared)
    assert service.jobs.get(job.id).state == "running"
    (tmp_path / "go").touch()
    row = service.jobs.wait(job.id, PATIENCE)
    assert row.state == "done", row
    assert [one["file"] for one in row.result["phrases"]] == [f"1-{n}.mid" for n in range(4)]


def test_a_file_over_which_a_process_died_is_compared_by_the_next(
    make: Make, tmp_path: Path
) -> None:
    service = opened(make, tmp_path, "once")
    row = service.jobs.wait(service.tasks.match_files(files(tmp_path / "in", 3)).id, PATIENCE)
    assert (row.state, len(row.result["phrases"])) == ("done", 3)
    assert {one["light"] for one in row.result["phrases"]} == {"green"}


def test_a_file_over_which_two_processes_die_is_told_and_the_queue_ends(
    make: Make, tmp_path: Path
) -> None:
    service = opened(make, tmp_path, "die")
    row = service.jobs.wait(service.tasks.match_files(files(tmp_path / "in", 3)).id, PATIENCE)
    assert row.state == "done"
    assert {one["light"] for one in row.result["phrases"]} == {"grey"}
    detail = service.history.phrase(row.result["phrases"][0]["phrase_id"])
    assert "the process that compares was killed" in detail.row.sentence


def test_a_cancelled_queue_leaves_nothing_waiting(make: Make, tmp_path: Path) -> None:
    service = opened(make, tmp_path, "hold")
    job = service.tasks.match_files(files(tmp_path / "in", 6, notes=1))
    until(lambda: list((tmp_path / "corpora").glob("held.*")))
    service.jobs.cancel(job.id)
    assert service.jobs.wait(job.id, PATIENCE).state == "cancelled"
    (tmp_path / "go").touch()
    row = service.jobs.wait(service.tasks.match_files(files(tmp_path / "in", 2)).id, PATIENCE)
    assert (row.state, len(row.result["phrases"])) == ("done", 2)


def test_a_queue_takes_up_a_corpus_that_came_into_use_between(make: Make, tmp_path: Path) -> None:
    service = opened(make, tmp_path, "green")
    service.jobs.wait(service.tasks.match_files(files(tmp_path / "in", 1)).id, PATIENCE)
    put(tmp_path, "songs", "red")
    service.use("songs")
    until(lambda: len(service.describe()["corpora"]) == 2)
    until(lambda: service.describe()["corpora"][1]["state"] == "ready")
    row = service.jobs.wait(service.tasks.match_files(files(tmp_path / "in", 2)).id, PATIENCE)
    assert [one["light"] for one in row.result["phrases"]] == ["red", "red"]


def test_processes_without_work_end(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, matchers: Matchers
) -> None:
    monkeypatch.setattr(crew, "REST_SECONDS", 0.05)
    service = opened(make, tmp_path, "green")
    service.jobs.wait(service.tasks.match_files(files(tmp_path / "in", 2)).id, PATIENCE)
    until(lambda: not matchers())
    row = service.jobs.wait(service.tasks.match_files(files(tmp_path / "in", 3)).id, PATIENCE)
    assert len(row.result["phrases"]) == 3
